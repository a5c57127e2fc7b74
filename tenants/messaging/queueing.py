"""Storing what is to be told, once per case, channel, purpose and wave."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from tenants.messaging.contact_rights import consent_for
from tenants.messaging.phones import mobile_number
from tenants.messaging.segments import segments
from tenants.models import ContactMark, Message, PostalService, RegisteredLetter, SurveyCase, Wave


class UnableToQueue(Exception):
    """The recipient cannot be reached by that channel."""


def queue(  # noqa: PLR0913 - a message has that many parts
    *,
    case: SurveyCase,
    channel: str,
    purpose: str,
    wave: str,
    recipient: str,
    subject: str,
    body: str,
    now: dt.datetime,
    document: bytes = b"",
    data: dict[str, Any] | None = None,
    sending_wave: Wave | None = None,
    service: str = PostalService.SIMPLE,
) -> Message | None:
    """Store a message that waits; None when that case was already told this purpose and wave by this channel.

    Letters wait for a print batch of their `service`; an electronic one needs the consent of its e-mail address.
    `data` opens the message's proof (no personal value). Raises UnableToQueue.
    """
    recipient = _checked(channel, recipient)
    consent = _consent(case, service) if service == PostalService.LRE else None
    key = {"case": case, "channel": channel, "purpose": purpose, "wave": wave}
    try:
        with transaction.atomic():
            message = Message.objects.create(
                **key,
                recipient=recipient,
                subject=" ".join(subject.split())[:200],
                body=body,
                created_at=now,
                proof=data or {},
                sending_wave=sending_wave,
                service=service,
                units=segments(body) if channel == Message.Channel.SMS else 1,
            )
            if service != PostalService.SIMPLE:
                RegisteredLetter.objects.create(message=message, consent=consent)
    except IntegrityError:
        if not Message.objects.filter(**key).exists():
            raise
        return None
    if document:
        message.document.save(f"{message.pk}.pdf", ContentFile(document))
    return message


def _consent(case: SurveyCase, service: str) -> ContactMark:
    """The prior consent without which nobody may get a registered e-mail (CPCE art. L100, R53-3)."""
    address = case.household.email
    found = consent_for(landlord=case.campaign.landlord, channel=service, address=address) if address else None
    if found is None:
        raise UnableToQueue("Ce ménage n'a pas accepté de recevoir un recommandé électronique : envoyez-le sur papier.")
    return found


def _checked(channel: str, recipient: str) -> str:
    if channel == Message.Channel.SMS:
        number = mobile_number(recipient)
        if not number:
            raise UnableToQueue("Ce numéro n'est pas un mobile français : aucun SMS ne peut y être envoyé.")
        return number
    if channel == Message.Channel.EMAIL:
        try:
            validate_email(recipient)
        except ValidationError as error:
            raise UnableToQueue("Cette adresse électronique n'est pas valable.") from error
        return recipient
    if not recipient.strip():
        raise UnableToQueue("L'adresse postale est vide : complétez-la dans le dossier.")
    return recipient[:400]

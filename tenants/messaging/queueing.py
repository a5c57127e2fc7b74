"""Storing what is to be told, once per case, channel, purpose and wave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from tenants.messaging.contact_rights import consent_for
from tenants.messaging.phones import mobile_number
from tenants.messaging.segments import segments
from tenants.models import ContactMark, Message, PostalService, RegisteredLetter, SurveyCase, Wave

ONCE = ("case_id", "channel", "purpose", "wave")  # what makes two messages the same


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
    message = draft(
        case=case, channel=channel, purpose=purpose, wave=wave, recipient=recipient, subject=subject, body=body, now=now
    )
    message.proof, message.sending_wave, message.service = data or {}, sending_wave, service
    consent = _consent(case, service) if service == PostalService.LRE else None
    if not _stored(message, consent):
        return None
    if document:
        message.document.save(f"{message.pk}.pdf", ContentFile(document))
    return message


def draft(
    *,
    case: SurveyCase,
    channel: str,
    purpose: str,
    wave: str,
    recipient: str,
    subject: str,
    body: str,
    now: dt.datetime,
) -> Message:
    """A message that is not stored yet, its address checked. Raises UnableToQueue."""
    return Message(
        case=case,
        channel=channel,
        purpose=purpose,
        wave=wave,
        recipient=_checked(channel, recipient),
        subject=" ".join(subject.split())[:200],
        body=body,
        created_at=now,
        units=segments(body) if channel == Message.Channel.SMS else 1,
    )


def queue_together(drafts: Sequence[Message]) -> list[Message]:
    """Store drafts of ordinary letters, e-mails and SMS in few statements; those already told are left out.

    Returns those stored.
    """
    cases = [each.case_id for each in drafts]
    known = set(Message.objects.filter(case__in=cases).values_list(*ONCE))
    fresh = [each for each in drafts if (each.case_id, each.channel, each.purpose, each.wave) not in known]
    try:
        with transaction.atomic():
            return list(Message.objects.bulk_create(fresh, batch_size=500))
    except IntegrityError:  # another run has just stored one of them
        for each in fresh:
            each.pk, each._state.adding = None, True
        return [each for each in fresh if _stored(each, None)]


def _stored(message: Message, consent: ContactMark | None) -> bool:
    """Store a draft; False when it was told already."""
    try:
        with transaction.atomic():
            message.save(force_insert=True)
            if message.service != PostalService.SIMPLE:
                RegisteredLetter.objects.create(message=message, consent=consent)
    except IntegrityError:
        if not Message.objects.filter(**{name: getattr(message, name) for name in ONCE}).exists():
            raise
        return False
    return True


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

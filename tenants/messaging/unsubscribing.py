"""One-click unsubscription (RFC 8058): offered on reminders, which a person may refuse, never on the law's own mail."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core import signing
from django.urls import reverse

from tenants.messaging import contact_rights
from tenants.models import ContactMark, Message, Purpose

SALT = "tenants.unsubscribe"
REFUSABLE = frozenset({Purpose.REMINDER_DIGITAL})
HOW = "Désinscription en un clic depuis l'e-mail"


class UnknownLink(Exception):
    """The link was not written by us, or what it speaks of is no longer here."""


def address_of(message: Message) -> str:
    """The address of one-click unsubscription of an e-mail; '' when the law's mail may not be refused."""
    if message.channel != Message.Channel.EMAIL or message.purpose not in REFUSABLE:
        return ""
    token = signing.dumps(message.pk, salt=SALT)
    return f"{settings.PORTAL_URL.rstrip('/')}{reverse('messages:unsubscribe', args=[token])}"


def message_of(token: str) -> Message:
    """The e-mail that the link came with. Raises UnknownLink."""
    try:
        pk = signing.loads(token, salt=SALT)
        return Message.objects.select_related("case__campaign__landlord").get(pk=pk)
    except (signing.BadSignature, Message.DoesNotExist) as error:
        raise UnknownLink("Ce lien de désinscription n'est pas valable.") from error


def unsubscribe(*, token: str, now: dt.datetime) -> ContactMark:
    """No more reminder by e-mail to that address; what the law asks still reaches it. Raises UnknownLink."""
    message = message_of(token)
    return contact_rights.mark(
        landlord=message.case.campaign.landlord,
        channel=Message.Channel.EMAIL,
        address=message.recipient,
        kind=ContactMark.Kind.UNSUBSCRIBED,
        how=HOW,
        now=now,
        case=message.case,
    )

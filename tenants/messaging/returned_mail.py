"""Bounces and complaints, taken once each: the message is marked, its address when it is at fault, a person told.

An address that does not exist is never written to again; a full box or a filter says nothing against the address. A
complaint closes e-mail. Automatic replies change nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare

from tenants.messaging import contact_rights, mailboxes
from tenants.messaging.bounces import Bounce, classify
from tenants.messaging.email import seal
from tenants.messaging.outcomes import record_come_back
from tenants.models import ContactMark, Message, ReturnedMail

Kind = ReturnedMail.Kind
# The message did not arrive: what its history says.
LOST = {
    Kind.UNKNOWN: "Cette adresse électronique n'existe pas ou plus.",
    Kind.FULL: "La boîte aux lettres électronique est pleine.",
    Kind.TEMPORARY: "Le serveur du destinataire n'a pas pris l'e-mail à temps.",
    Kind.BLOCKED: "Le serveur du destinataire a filtré l'e-mail.",
    Kind.CHALLENGE: "Le destinataire demande une confirmation qu'une machine ne donne pas.",
}
MARKS = {Kind.UNKNOWN: ContactMark.Kind.DEAD, Kind.COMPLAINT: ContactMark.Kind.COMPLAINT}


def collect(*, now: dt.datetime) -> Counter[str]:
    """Take what waits in BOUNCE_MAILBOX: kind → how many (`known` for those already taken).

    Raises MailboxUnavailable.
    """
    counts: Counter[str] = Counter()
    if not settings.BOUNCE_MAILBOX:
        return counts
    with mailboxes.opened(settings.BOUNCE_MAILBOX, settings.BOUNCE_PASSWORD) as mails:
        for content, put_away in mails:
            taken = take(content=content, now=now)
            counts[taken.kind if taken else "known"] += 1
            put_away()
    return counts


def take(*, content: bytes, now: dt.datetime) -> ReturnedMail | None:
    """Take one e-mail of the address of bounces; None when the same one was taken before."""
    digest = hashlib.sha256(content).hexdigest()
    bounce = classify(content)
    try:
        with transaction.atomic():
            message = _message(bounce)
            made = ReturnedMail.objects.create(
                sha256=digest, kind=bounce.kind, status=bounce.status, message=message, received_at=now
            )
            if message is not None:
                _apply(message, bounce, now)
    except IntegrityError:
        if ReturnedMail.objects.filter(sha256=digest).exists():
            return None
        raise
    return made


def _message(bounce: Bounce) -> Message | None:
    """The e-mail it speaks of, when one of its identifiers bears our seal."""
    found = Message.objects.filter(channel=Message.Channel.EMAIL).select_related("case__campaign__landlord")
    for key, told in bounce.marks:
        message = found.filter(pk=key).first()
        if message is not None and constant_time_compare(told, seal(key, message.recipient)):
            return message
    return None


def _apply(message: Message, bounce: Bounce, now: dt.datetime) -> None:
    kind = Kind(bounce.kind)
    if kind in LOST:
        code = f" (code {bounce.status})" if bounce.status else ""
        proof = {"bounce": bounce.kind, "bounce_status": bounce.status, "bounced_at": now.isoformat()}
        record_come_back(message=message, explanation=f"{LOST[kind]}{code}", now=now, proof=proof)
    if kind in MARKS:
        contact_rights.mark(
            landlord=message.case.campaign.landlord,
            channel=Message.Channel.EMAIL,
            address=message.recipient,
            kind=MARKS[kind],
            how=kind.label.capitalize(),
            now=now,
            case=message.case,
        )

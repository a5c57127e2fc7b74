"""What Twilio reports of an SMS after taking it: status callbacks in any order, replies of people, and its own list.

https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from campaigns.models import Landlord
from tenants import access_codes
from tenants.messaging import contact_rights, gsm7
from tenants.messaging.outcomes import LEASE, confirm_left, record_come_back, record_delivered, uncertain_messages
from tenants.messaging.sms import TwilioBackend
from tenants.messaging.texts import LINK
from tenants.models import AccessCode, ContactMark, Message

# How far a message has gone: a report that says less than what is known came late, and changes nothing.
RANKS = {"accepted": 0, "scheduled": 0, "queued": 1, "sending": 2, "sent": 3, "delivered": 4, "undelivered": 4}
RANKS |= {"failed": 4, "canceled": 4, "read": 5}
ARRIVED, LOST = frozenset({"delivered", "read"}), frozenset({"undelivered", "failed", "canceled"})
# https://www.twilio.com/docs/api/errors: what an undelivered SMS teaches of the number itself.
CAUSES: Mapping[str, tuple[str, str]] = {
    "30003": ("Le téléphone est éteint ou hors de portée.", ""),
    "30004": ("Le destinataire a bloqué les SMS de cet expéditeur.", ContactMark.Kind.STOP),
    "30005": ("Ce numéro n'est plus attribué.", ContactMark.Kind.DEAD),
    "30006": ("Ce numéro est un fixe ou ne reçoit pas de SMS.", ContactMark.Kind.DEAD),
    "30007": ("L'opérateur a filtré le SMS.", ""),
    "30008": ("L'opérateur n'a pas dit pourquoi.", ""),
    "21610": ("La personne a répondu STOP.", ContactMark.Kind.STOP),
}
STOP_WORDS = frozenset({"stop", "stopall", "arret", "desabonnement", "unsubscribe", "cancel", "end", "quit", "fin"})
WRONG_NUMBER = re.compile(r"\b(mauvais|faux) numero\b|\berreur de numero\b|\btrompe[rz]? de numero\b")
RECENT = dt.timedelta(days=400)
MUTE_AFTER, RECENT_ENOUGH = dt.timedelta(hours=1), dt.timedelta(days=4)
MOST_ASKED = 200  # a tick
NOT_FOUND = 404


def signed_by_twilio(*, url: str, posted: Mapping[str, str], signature: str) -> bool:
    """Whether Twilio, and nobody else, wrote that request. `url` is the one that we gave it, query included."""
    if not settings.TWILIO_AUTH_TOKEN or not signature:
        return False
    return bool(RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(url, dict(posted), signature))


def take_status(*, key: str, posted: Mapping[str, str], now: dt.datetime) -> bool:
    """Take a status callback; `key` is the id of the message in the address. False when it is about none of ours.

    Twice is once, and an older status changes nothing. A message in doubt is known to have left by it.
    """
    sid, status = posted.get("MessageSid", ""), posted.get("MessageStatus", "")
    with transaction.atomic():
        message = _message(key, sid)
        if message is None or status not in RANKS:
            return False
        if not _newer(message, status):
            return True
        if message.state == Message.State.SENDING:
            early = {"sid": sid, "status": status, "code": posted.get("ErrorCode", "")}
            Message.objects.filter(pk=message.pk).update(proof=message.proof | {"early": early})
            return True
        _apply(message, sid, status, posted.get("ErrorCode", ""), now)
    return True


def take_early_report(*, message: Message, now: dt.datetime) -> None:
    """What Twilio said before we had written that it took the message."""
    early = message.proof.get("early")
    if early and _newer(message, early["status"]):
        _apply(message, early["sid"], early["status"], early["code"], now)


def _message(key: str, sid: str) -> Message | None:
    """By the key that stood in the address, else by Twilio's identifier; never another message than the sid's own."""
    if not sid:
        return None
    sms = Message.objects.select_for_update(of=("self",)).select_related("case__campaign__landlord")
    sms = sms.filter(channel=Message.Channel.SMS)
    found = sms.filter(provider_id=sid).first()
    if found is None and key.isascii() and key.isdigit():
        found = sms.filter(pk=int(key), provider_id="").first()
    return found


def _newer(message: Message, status: str) -> bool:
    return RANKS[status] > RANKS.get(message.proof.get("status", ""), -1)


def _apply(message: Message, sid: str, status: str, code: str, now: dt.datetime) -> None:
    if message.state == Message.State.UNCERTAIN:
        confirm_left(message=message, provider_id=sid, how="callback", now=now)
    proof = {"status": status, "status_at": now.isoformat()} | ({"error": code} if code else {})
    if status in ARRIVED:
        record_delivered(message=message, now=now, proof=proof)
    elif status in LOST:
        cause, mark = CAUSES.get(code, ("L'opérateur n'a pas dit pourquoi.", ""))
        told = f"SMS non distribué{f' (code {code})' if code else ''} : {cause}"
        record_come_back(message=message, explanation=told, now=now, proof=proof)
        if mark:
            _mark(message, mark, told, now)
    else:
        Message.objects.filter(pk=message.pk).update(proof=message.proof | proof)


def _mark(message: Message, kind: str, how: str, now: dt.datetime) -> None:
    contact_rights.mark(
        landlord=message.case.campaign.landlord,
        channel=Message.Channel.SMS,
        address=message.recipient,
        kind=kind,
        how=how,
        now=now,
        case=message.case,
    )


def take_reply(*, posted: Mapping[str, str], now: dt.datetime) -> list[ContactMark]:
    """Take what somebody answered to an SMS: STOP, or « mauvais numéro », for every landlord who wrote to that number.

    Twilio itself answers STOP and blocks the number; we must know it too. Any other reply is nobody's refusal.
    """
    number, kind = posted.get("From", ""), _meaning(posted.get("Body", ""), posted.get("OptOutType", ""))
    if not kind:
        return []
    told = Message.objects.filter(
        channel=Message.Channel.SMS, recipient=number, created_at__gte=now - RECENT
    ).select_related("case__campaign__landlord")
    latest: dict[Landlord, Message] = {message.case.campaign.landlord: message for message in told.order_by("pk")}
    return [
        contact_rights.mark(
            landlord=landlord,
            channel=Message.Channel.SMS,
            address=number,
            kind=kind,
            how="Réponse de la personne par SMS",
            now=now,
            case=message.case,
        )
        for landlord, message in latest.items()
    ]


def _meaning(text: str, opt_out: str) -> str:
    plain = gsm7.without_accents(text).casefold().strip(" .!")
    if opt_out == "STOP" or (plain.split(" ")[0] in STOP_WORDS and len(plain.split()) <= 3):
        return ContactMark.Kind.STOP
    return ContactMark.Kind.WRONG if WRONG_NUMBER.search(plain) else ""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many doubts Twilio's list settled, how many messages it does not know, how many silent ones it told of."""

    found: int
    unknown: int
    told: int = 0


def reconcile(*, now: dt.datetime) -> Reconciled:
    """Look for each SMS in doubt in Twilio's own list: the very same text to the same number is proof that it left.

    One that Twilio does not know is said so to whoever settles it; it is never sent again by itself.
    Those sent an hour ago of which no callback ever spoke are asked for one by one.
    Raises TwilioRestException or OSError when Twilio cannot be asked.
    """
    found = unknown = told = 0
    doubts = uncertain_messages().filter(channel=Message.Channel.SMS, claimed_at__lt=now - LEASE)
    twilio = TwilioBackend()
    try:
        for message in doubts.filter(case__campaign__rehearsal=False).select_related("case"):
            since = (message.claimed_at or message.created_at) - dt.timedelta(hours=1)
            listed = twilio.client.messages.list(to=message.recipient, date_sent_after=since)
            sid = _same(message, ((each.sid, each.body) for each in listed))
            if sid:
                found += confirm_left(message=message, provider_id=sid, how="list", now=now)
            else:
                unknown += _not_listed(message, now)
        for message in _mute(now):
            told += _asked(message, twilio, now)
    finally:
        twilio.close()
    return Reconciled(found, unknown, told)


def _mute(now: dt.datetime) -> QuerySet[Message]:
    """The SMS that Twilio took and of whose end nobody has heard, the least recently asked for first."""
    sent = Message.objects.filter(channel=Message.Channel.SMS, state=Message.State.SENT, provider_id__startswith="SM")
    waiting = sent.filter(sent_at__lt=now - MUTE_AFTER, sent_at__gt=now - RECENT_ENOUGH)
    found: QuerySet[Message] = waiting.select_related("case__campaign__landlord").order_by("sent_at", "pk")
    return found[:MOST_ASKED]


def _asked(message: Message, twilio: TwilioBackend, now: dt.datetime) -> int:
    """What Twilio says of one message by its identifier; 1 when it says more than we knew."""
    try:
        told = twilio.client.messages(message.provider_id).fetch()
    except TwilioRestException as error:
        if error.status == NOT_FOUND:
            return 0
        raise
    status = str(told.status)
    if status not in RANKS or not _newer(message, status):
        return 0
    _apply(message, message.provider_id, status, str(told.error_code or ""), now)
    return 1


def _same(message: Message, listed: Iterable[tuple[str | None, str | None]]) -> str:
    """The identifier of the listed SMS that is this message: its text, its personal link being one of the case's."""
    before, link, after = message.body.partition(LINK)
    for sid, body in listed:
        told = body or ""
        if not sid or Message.objects.filter(provider_id=sid).exclude(pk=message.pk).exists():
            continue
        if not link and told == message.body:
            return sid
        if link and told.startswith(before) and told.endswith(after):
            token = told[len(before) : len(told) - len(after)].rpartition("/")[2]
            digest = access_codes.link_digest(token)
            if AccessCode.objects.filter(case=message.case_id, wave=message.wave, digest=digest).exists():
                return sid
    return ""


def _not_listed(message: Message, now: dt.datetime) -> int:
    told = "Twilio ne connaît pas ce SMS : s'il a plus d'une heure, il n'est sans doute pas parti."
    proof = message.proof | {"not_listed_at": now.isoformat()}
    return Message.objects.filter(pk=message.pk, state=Message.State.UNCERTAIN).update(explanation=told, proof=proof)


__all__ = ["TwilioRestException", "reconcile", "signed_by_twilio", "take_early_report", "take_reply", "take_status"]

"""Taking messages that wait to their carriers: claim, check again, call out, write what became of it.

1. A claim left open longer than its lease becomes uncertain: the worker died between the call and its outcome.
2. The oldest waiting messages are read; SMS stay in the queue outside decent hours.
3. Each is claimed by compare-and-swap while its case is locked: one worker owns it, and it is still due.
4. The carrier is called outside any transaction; the outcome is written with its proof.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from campaigns.models import User
from tenants import access_codes
from tenants.messaging import sms
from tenants.messaging.contract import Backend, Failure, NotDelivered, Outgoing, Receipt
from tenants.messaging.eligibility import reason_to_cancel
from tenants.messaging.email import EmailChannel, OutboxChannel
from tenants.messaging.texts import LINK
from tenants.models import Message, SurveyCase

LEASE = dt.timedelta(minutes=10)
MOST_ATTEMPTS = 5
FIRST_WAIT = dt.timedelta(minutes=5)  # doubled at each further try
SMS_HOURS = range(8, 20)  # local hours at which an SMS may leave; never on a Sunday
SUNDAY = 6
BY_WIRE = (Message.Channel.EMAIL, Message.Channel.SMS)

logger = logging.getLogger(__name__)


@dataclass
class DeliveryReport:
    """How many messages a run sent, put back, gave up, left in doubt, and cancelled because they were no longer due."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    uncertain: int = 0
    cancelled: int = 0

    @property
    def taken(self) -> int:
        """All of them: 0 when nothing more is due for now."""
        return self.sent + self.retried + self.failed + self.uncertain + self.cancelled


def deliver_waiting(*, now: dt.datetime, limit: int = 100) -> DeliveryReport:
    """Hand over up to `limit` waiting e-mails and SMS. Safe to run several at once; call it outside a transaction."""
    report = DeliveryReport(uncertain=settle_stale(now=now))
    carriers = Carriers()
    try:
        for pk in _waiting(now)[:limit]:
            message = _claimed(pk, now, report)
            if message is not None:
                _deliver(message, carriers, now, report)
    finally:
        carriers.close()
    return report


def settle_stale(*, now: dt.datetime) -> int:
    """Turn claims older than their lease into doubts for a person to settle; returns how many."""
    stale = Message.objects.filter(
        state=Message.State.SENDING, channel__in=BY_WIRE, claimed_at__lt=now - LEASE
    ).select_related("case")
    settled = 0
    for message in stale.order_by("pk"):
        told = "L'envoi a été interrompu : vérifiez chez le transporteur s'il est parti."
        settled += _conclude(message, Message.State.UNCERTAIN, now, "message_uncertain", explanation=told)
    return settled


def settle_uncertain(*, message: Message, left: bool, now: dt.datetime, actor: User | None = None) -> bool:
    """A person says whether a doubtful message left; if not, it waits again. False when somebody was faster."""
    state, kind = (Message.State.SENT, "message_sent") if left else (Message.State.QUEUED, "message_queued")
    stamps: dict[str, Any] = {"sent_at": message.claimed_at} if left else {"claimed_at": None}
    changed = Message.objects.filter(pk=message.pk, state=Message.State.UNCERTAIN).update(
        state=state, explanation="", **stamps
    )
    if changed:
        message.case.tell(kind, now=now, actor=actor, data=_told(message) | {"settled_by_person": True})
    return bool(changed)


class Carriers:
    """The ways out of one run, opened when first needed. A rehearsal only ever gets the outbox."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, bool], Backend] = {}

    def of(self, message: Message) -> Backend:
        """The way out for that message."""
        rehearsal = message.case.campaign.rehearsal
        key = (message.channel, rehearsal)
        if key not in self._open:
            self._open[key] = self._opened(message.channel, rehearsal)
        return self._open[key]

    @staticmethod
    def _opened(channel: str, rehearsal: bool) -> Backend:
        if channel == Message.Channel.EMAIL:
            return OutboxChannel() if rehearsal else EmailChannel()
        return sms.OutboxBackend() if rehearsal else sms.configured()

    def close(self) -> None:
        """Close them all."""
        for backend in self._open.values():
            backend.close()


def _waiting(now: dt.datetime) -> Any:
    due = Message.objects.waiting().filter(Q(not_before=None) | Q(not_before__lte=now), channel__in=BY_WIRE)
    if not decent_hour(now):
        due = due.exclude(channel=Message.Channel.SMS)
    return due.order_by("pk").values_list("pk", flat=True)


def decent_hour(now: dt.datetime) -> bool:
    """Whether an SMS may ring at that moment: from 8 h to 20 h in the landlord's country, not on a Sunday."""
    local = timezone.localtime(now)
    return local.hour in SMS_HOURS and local.weekday() != SUNDAY


def _claimed(pk: int, now: dt.datetime, report: DeliveryReport) -> Message | None:
    """The message, now ours, when nobody else has it and it is still due; the case is locked while we look."""
    with transaction.atomic():
        changed = Message.objects.filter(pk=pk, state=Message.State.QUEUED).update(
            state=Message.State.SENDING, claimed_at=now
        )
        if not changed:
            return None
        message = Message.objects.select_related("case__campaign__landlord").get(pk=pk)
        case = SurveyCase.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=message.case_id)
        reason = reason_to_cancel(case=case, purpose=message.purpose, channel=message.channel)
        if not reason:
            return message
        report.cancelled += _conclude(
            message, Message.State.CANCELLED, now, "message_cancelled", explanation=reason, claimed_at=None
        )
        return None


def _deliver(message: Message, carriers: Carriers, now: dt.datetime, report: DeliveryReport) -> None:
    outgoing = _outgoing(message, now)
    try:
        receipt = carriers.of(message).send(outgoing)
    except NotDelivered as error:
        _record_failure(message, error, now, report)
    except Exception as error:
        # A fault of ours: say so with ids only, leave the doubt to a person, and go on with the others.
        logger.error("message %s: unexpected %s", message.pk, type(error).__name__)
        told = "Une erreur inattendue est survenue pendant l'envoi : vérifiez s'il est parti."
        report.uncertain += _conclude(message, Message.State.UNCERTAIN, now, "message_uncertain", explanation=told)
    else:
        report.sent += _record_success(message, outgoing, receipt, now)


def _outgoing(message: Message, now: dt.datetime) -> Outgoing:
    """What the carrier gets. The personal link is born here, so that it stands nowhere in the database."""
    text = message.body
    if LINK in text:
        token = access_codes.issue_link(case=message.case, wave=message.wave, now=now)
        text = text.replace(LINK, access_codes.link_url(token))
    landlord = message.case.campaign.landlord
    document = b""
    if message.document:
        with message.document.open("rb") as stored:
            document = stored.read()
    return Outgoing(
        key=message.pk,
        recipient=message.recipient,
        subject=message.subject,
        text=text,
        sender=landlord.name,
        reply_to=landlord.contact_email,
        document=document,
    )


def _record_success(message: Message, outgoing: Outgoing, receipt: Receipt, now: dt.datetime) -> int:
    proof = (
        message.proof
        | receipt.proof
        | {
            "id": receipt.provider_id,
            "at": now.isoformat(),
            "sha256": hashlib.sha256(outgoing.text.encode() + outgoing.document).hexdigest(),
            "attempts": message.attempts + 1,
            "backend": settings.SMS_BACKEND if message.channel == Message.Channel.SMS else settings.EMAIL_BACKEND,
        }
    )
    if message.case.campaign.rehearsal:
        proof["backend"] = "outbox"
    return _conclude(
        message,
        Message.State.SENT,
        now,
        "message_sent",
        sent_at=now,
        provider_id=receipt.provider_id[:200],
        proof=proof,
        attempts=message.attempts + 1,
        explanation="",
    )


def _record_failure(message: Message, error: NotDelivered, now: dt.datetime, report: DeliveryReport) -> None:
    attempts = message.attempts + 1
    told: dict[str, Any] = {"explanation": str(error)[:300], "attempts": attempts}
    if error.failure is Failure.UNCERTAIN:
        report.uncertain += _conclude(message, Message.State.UNCERTAIN, now, "message_uncertain", **told)
    elif error.failure is Failure.RETRY and attempts < MOST_ATTEMPTS:
        told |= {"claimed_at": None, "not_before": now + FIRST_WAIT * 2 ** (attempts - 1)}
        report.retried += _conclude(message, Message.State.QUEUED, now, "", **told)
    else:
        report.failed += _conclude(message, Message.State.FAILED, now, "message_failed", **told)


def _conclude(message: Message, state: Message.State, now: dt.datetime, kind: str, **fields: Any) -> int:
    """Write the outcome of a claim, and its line in the case's history. 1 when the claim was still ours, else 0."""
    with transaction.atomic():
        changed = Message.objects.filter(
            pk=message.pk, state=Message.State.SENDING, claimed_at=message.claimed_at
        ).update(state=state, **fields)
        if changed and kind:
            message.case.tell(kind, now=now, data=_told(message))
    return changed


def _told(message: Message) -> dict[str, Any]:
    return {
        "message": message.pk,
        "channel": message.channel,
        "purpose": message.purpose,
        "wave": message.wave,
    }

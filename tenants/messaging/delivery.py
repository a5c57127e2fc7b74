"""Taking messages that wait to their carriers: claim, check again, call out, write what became of it.

1. A claim left open longer than its lease becomes uncertain: the worker died between the call and its outcome.
2. The oldest waiting messages are read; those that may not ring now wait for the next decent hour of their place.
3. Each is claimed by compare-and-swap while its case is locked: one worker owns it, and it is still due.
4. The carrier is called outside any transaction; the outcome is written with its proof.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q

from tenants import access_codes
from tenants.messaging import contact_rights, sms, sms_reports, unsubscribing
from tenants.messaging.contract import Backend, Failure, NotDelivered, Outgoing
from tenants.messaging.eligibility import reason_to_cancel, refused_channel
from tenants.messaging.email import EmailChannel, OutboxChannel
from tenants.messaging.outcomes import BY_WIRE, conclude, record_success, settle_stale
from tenants.messaging.quiet_hours import next_decent_moment
from tenants.messaging.texts import LINK
from tenants.models import Message

MOST_ATTEMPTS = 5
FIRST_WAIT = dt.timedelta(minutes=5)  # doubled at each further try

logger = logging.getLogger(__name__)


@dataclass
class DeliveryReport:
    """How many messages a run sent, put back, gave up, left in doubt, cancelled as no longer due, or put off."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    uncertain: int = 0
    cancelled: int = 0
    put_off: int = 0

    @property
    def taken(self) -> int:
        """All of them: 0 when nothing more is due for now."""
        return self.sent + self.retried + self.failed + self.uncertain + self.cancelled + self.put_off


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
    return due.order_by("pk").values_list("pk", flat=True)


def _claimed(pk: int, now: dt.datetime, report: DeliveryReport) -> Message | None:
    """The message, now ours, when nobody else has it and it is still due; the case is locked while we look."""
    with transaction.atomic():
        changed = Message.objects.filter(pk=pk, state=Message.State.QUEUED).update(
            state=Message.State.SENDING, claimed_at=now
        )
        if not changed:
            return None
        found = Message.objects.select_related("case__campaign__landlord", "case__household", "sending_wave")
        message = found.select_for_update(of=("case",)).get(pk=pk)
        reason = reason_to_cancel(case=message.case, purpose=message.purpose, channel=message.channel)
        if reason:
            gone = {"explanation": reason, "claimed_at": None}
            report.cancelled += conclude(message, Message.State.CANCELLED, now, "message_cancelled", **gone)
            return None
        return message if _may_be_used(message, now, report) and _may_ring(message, now, report) else None


def _may_be_used(message: Message, now: dt.datetime, report: DeliveryReport) -> bool:
    """Whether the address may still be used; if not the message fails, and its wave goes on by another channel."""
    wave = message.sending_wave
    refusal = refused_channel(
        case=message.case,
        purpose=message.purpose,
        channel=message.channel,
        recipient=message.recipient,
        consent_needed=wave is not None and message.channel in wave.consent_needed,
    )
    if refusal:
        told = {"explanation": f"{refusal}.", "claimed_at": None}
        report.failed += conclude(message, Message.State.FAILED, now, "message_failed", **told)
    return not refusal


def _may_ring(message: Message, now: dt.datetime, report: DeliveryReport) -> bool:
    """SMS, and e-mails of a wave, leave at decent hours of the place; the others as soon as they are written."""
    if message.channel != Message.Channel.SMS and message.sending_wave_id is None:
        return True
    moment = next_decent_moment(now, message.case.household.postcode)
    if moment > now:
        report.put_off += conclude(message, Message.State.QUEUED, now, "", claimed_at=None, not_before=moment)
    return moment <= now


def _deliver(message: Message, carriers: Carriers, now: dt.datetime, report: DeliveryReport) -> None:
    try:
        outgoing = _outgoing(message, now)
        receipt = carriers.of(message).send(outgoing)
    except NotDelivered as error:
        _record_failure(message, error, now, report)
    except Exception as error:
        # A fault of ours: say so with ids only, leave the doubt to a person, and go on with the others.
        logger.error("message %s: unexpected %s", message.pk, type(error).__name__)
        told = "Une erreur inattendue est survenue pendant l'envoi : vérifiez s'il est parti."
        report.uncertain += conclude(message, Message.State.UNCERTAIN, now, "message_uncertain", explanation=told)
    else:
        report.sent += record_success(message, outgoing, receipt, now)
        if message.channel == Message.Channel.SMS:
            message.refresh_from_db()
            sms_reports.take_early_report(message=message, now=now)


def _outgoing(message: Message, now: dt.datetime) -> Outgoing:
    """What the carrier gets. The personal link is born here, so that it stands nowhere in the database.

    Raises NotDelivered when the joined document cannot be read: nothing has left yet.
    """
    text = message.body
    if LINK in text:
        token = access_codes.issue_link(case=message.case, wave=message.wave, now=now)
        text = text.replace(LINK, access_codes.link_url(token))
    landlord = message.case.campaign.landlord
    return Outgoing(
        key=message.pk,
        recipient=message.recipient,
        subject=message.subject,
        text=text,
        sender=landlord.name,
        reply_to=landlord.contact_email,
        unsubscribe=unsubscribing.address_of(message),
        document=_joined(message),
    )


def _joined(message: Message) -> bytes:
    if not message.document:
        return b""
    try:
        with message.document.open("rb") as stored:
            return bytes(stored.read())
    except OSError as error:
        raise NotDelivered(Failure.RETRY, "La pièce jointe ne se lit pas : rien n'est parti.") from error


def _record_failure(message: Message, error: NotDelivered, now: dt.datetime, report: DeliveryReport) -> None:
    attempts = message.attempts + 1
    told: dict[str, Any] = {"explanation": str(error)[:300], "attempts": attempts}
    if error.failure is Failure.UNCERTAIN:
        report.uncertain += conclude(message, Message.State.UNCERTAIN, now, "message_uncertain", **told)
    elif error.failure is Failure.RETRY and attempts < MOST_ATTEMPTS:
        told |= {"claimed_at": None, "not_before": now + FIRST_WAIT * 2 ** (attempts - 1)}
        report.retried += conclude(message, Message.State.QUEUED, now, "", **told)
    else:
        report.failed += conclude(message, Message.State.FAILED, now, "message_failed", **told)
        _learn(message, error, now)


def _learn(message: Message, error: NotDelivered, now: dt.datetime) -> None:
    """What a refusal teaches of the address itself is kept for every later message."""
    if error.mark:
        contact_rights.mark(
            landlord=message.case.campaign.landlord,
            channel=message.channel,
            address=message.recipient,
            kind=error.mark,
            how=str(error),
            now=now,
            case=message.case,
        )

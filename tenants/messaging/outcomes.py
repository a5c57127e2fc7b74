"""What became of a message, written once with its event: sent, put back, failed, in doubt, delivered, come back.

A message in doubt is settled by evidence (the carrier says that it has it) or by a person, never by time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from campaigns.models import User
from tenants.messaging.contract import Outgoing, Receipt
from tenants.models import Message

LEASE = dt.timedelta(minutes=10)
BY_WIRE = (Message.Channel.EMAIL, Message.Channel.SMS)
INTERRUPTED = "L'envoi a été interrompu : vérifiez chez le transporteur s'il est parti."


def told(message: Message) -> dict[str, Any]:
    """What a case's history says of a message: never a personal value."""
    return {
        "message": message.pk,
        "channel": message.channel,
        "purpose": message.purpose,
        "wave": message.wave,
    }


def conclude(message: Message, state: Message.State, now: dt.datetime, kind: str, **fields: Any) -> int:
    """Write the outcome of a claim, and its line in the case's history. 1 when the claim was still ours, else 0."""
    with transaction.atomic():
        changed = Message.objects.filter(
            pk=message.pk, state=Message.State.SENDING, claimed_at=message.claimed_at
        ).update(state=state, **fields)
        if changed and kind:
            message.case.tell(kind, now=now, data=told(message))
    return changed


def record_success(message: Message, outgoing: Outgoing, receipt: Receipt, now: dt.datetime) -> int:
    """The carrier took it: its identifier, the hash of what left, how often we tried."""
    proof = receipt.proof | {
        "id": receipt.provider_id,
        "at": now.isoformat(),
        "sha256": hashlib.sha256(outgoing.text.encode() + outgoing.document).hexdigest(),
        "attempts": message.attempts + 1,
        "backend": settings.SMS_BACKEND if message.channel == Message.Channel.SMS else settings.EMAIL_BACKEND,
    }
    if message.case.campaign.rehearsal:
        proof["backend"] = "outbox"
    with transaction.atomic():
        current = Message.objects.select_for_update().get(pk=message.pk)
        return conclude(
            message,
            Message.State.SENT,
            now,
            "message_sent",
            sent_at=now,
            provider_id=receipt.provider_id[:200],
            proof=current.proof | proof,
            attempts=message.attempts + 1,
            explanation="",
        )


def uncertain_messages() -> QuerySet[Message]:
    """Those that a person must settle, oldest first."""
    found: QuerySet[Message] = Message.objects.filter(state=Message.State.UNCERTAIN).order_by("claimed_at", "pk")
    return found


def settle_stale(*, now: dt.datetime) -> int:
    """Turn claims older than their lease into doubts for a person to settle; returns how many.

    A carrier that has already reported on the message leaves no doubt: it is sent.
    """
    stale = Message.objects.filter(
        state=Message.State.SENDING, channel__in=BY_WIRE, claimed_at__lt=now - LEASE
    ).select_related("case")
    settled = 0
    for message in stale.order_by("pk"):
        early = message.proof.get("early")
        if early:
            confirm_left(message=message, provider_id=early["sid"], how="callback", now=now)
        else:
            settled += conclude(message, Message.State.UNCERTAIN, now, "message_uncertain", explanation=INTERRUPTED)
    return settled


def confirm_left(*, message: Message, provider_id: str, how: str, now: dt.datetime) -> bool:
    """The carrier says that it has a message we were not sure of (`how`: callback, list). False when it was settled."""
    doubtful = [Message.State.UNCERTAIN, Message.State.SENDING]
    with transaction.atomic():
        current = Message.objects.select_for_update().get(pk=message.pk)
        if current.state not in doubtful:
            return False
        proof = current.proof | {"id": provider_id, "settled_by": how, "settled_at": now.isoformat()}
        left_at = current.claimed_at or now
        Message.objects.filter(pk=message.pk).update(
            state=Message.State.SENT, sent_at=left_at, provider_id=provider_id[:200], proof=proof, explanation=""
        )
        current.case.tell("message_sent", now=now, data=told(current) | {"settled_by": how})
    message.refresh_from_db()
    return True


def settle_uncertain(*, message: Message, left: bool, now: dt.datetime, actor: User | None = None) -> bool:
    """A person says whether a doubtful message left; if not, it waits again. False when somebody was faster."""
    state, kind = (Message.State.SENT, "message_sent") if left else (Message.State.QUEUED, "message_queued")
    stamps: dict[str, Any] = {"sent_at": message.claimed_at} if left else {"claimed_at": None}
    with transaction.atomic():
        changed = Message.objects.filter(pk=message.pk, state=Message.State.UNCERTAIN).update(
            state=state, explanation="", **stamps
        )
        if changed:
            message.case.tell(kind, now=now, actor=actor, data=told(message) | {"settled_by_person": True})
    return bool(changed)


def record_delivered(*, message: Message, now: dt.datetime, proof: dict[str, Any]) -> bool:
    """The carrier says that it arrived. False when the message is in no state to say so."""
    return _arrived(message, Message.State.DELIVERED, "message_delivered", now, proof=message.proof | proof)


def record_come_back(*, message: Message, explanation: str, now: dt.datetime, proof: dict[str, Any]) -> bool:
    """The carrier says that it did not arrive; the wave then goes on by another channel. False when it cannot be."""
    fields = {"proof": message.proof | proof, "explanation": explanation[:300], "followed_at": None}
    return _arrived(message, Message.State.BOUNCED, "message_bounced", now, **fields)


def _arrived(message: Message, state: Message.State, kind: str, now: dt.datetime, **fields: Any) -> bool:
    left = [Message.State.SENT, Message.State.DELIVERED]
    with transaction.atomic():
        sent_at = {} if message.sent_at else {"sent_at": message.claimed_at or now}
        changed = (
            Message.objects.filter(pk=message.pk, state__in=[*left, Message.State.UNCERTAIN])
            .exclude(state=state)
            .update(state=state, **sent_at, **fields)
        )
        if changed:
            message.case.tell(kind, now=now, data=told(message))
    return bool(changed)

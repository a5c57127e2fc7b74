"""Posting: the moment at which the post takes a batch. The last look at who must still be written to, to the minute.

Between the hand-over and the posting a household may answer: its envelope is pulled out of the tray, and its letter
never counts. The delays of the law run from the posting, never from the printing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from campaigns.models import User
from tenants.messaging.eligibility import FOR_THE_SILENT
from tenants.models import CaseEvent, Message, Posting, PrintBatch, Purpose, SurveyCase

PULLED = "Réponse arrivée avant le dépôt à La Poste : pli retiré."
SLIPS = ("pdf", "jpg", "jpeg", "png")
LARGEST_SLIP = 10 * 1024 * 1024


class UnableToPost(Exception):
    """The posting can't be written down like this; the message says why."""


def to_pull(batch: PrintBatch, *, before: dt.datetime) -> list[Message]:
    """The letters of a batch handed over whose household answered by then: their envelopes must not be posted."""
    if batch.purpose not in FOR_THE_SILENT:
        return []
    left = Message.objects.filter(batch=batch, state=Message.State.SENT, case__received_at__lte=before)
    return list(left.select_related("case__household").order_by("first_page"))


def record_posting(
    *,
    batch: PrintBatch,
    posted_at: dt.datetime,
    now: dt.datetime,
    reference: str = "",
    slip: tuple[str, bytes] | None = None,
    left_anyway: Collection[str] = (),
    actor: User | None = None,
) -> Posting:
    """Write down when the post took the batch, with its slip (name, content): the delays run from that minute.

    The letters of those who had answered by then are cancelled, save those whose reference is in `left_anyway`: their
    envelope could not be pulled. Raises UnableToPost.
    """
    with transaction.atomic():
        batch = PrintBatch.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=batch.pk)
        _check(batch, posted_at, now, slip)
        crossed = to_pull(batch, before=posted_at)
        pulled = [message for message in crossed if message.case.reference not in left_anyway]
        _cancel(pulled, now, actor)
        kept = list(Message.objects.filter(batch=batch, state=Message.State.SENT).order_by("pk"))
        posting = _stored(batch, posted_at, now, reference, slip, len(kept), len(pulled), actor)
        _stamp(batch, kept, posting, now, actor)
    return posting


def _check(batch: PrintBatch, posted_at: dt.datetime, now: dt.datetime, slip: tuple[str, bytes] | None) -> None:
    if batch.state != PrintBatch.State.HANDED_OVER or batch.handed_over_at is None:
        raise UnableToPost("Ce lot n'est pas encore remis à l'imprimeur : remettez-le d'abord.")
    if Posting.objects.filter(batch=batch).exists():
        raise UnableToPost("Le dépôt de ce lot est déjà enregistré.")
    if posted_at < batch.handed_over_at:
        handed = timezone.localtime(batch.handed_over_at)
        raise UnableToPost(f"Le dépôt à La Poste suit la remise à l'imprimeur, faite le {handed:%d/%m/%Y à %H:%M}.")
    if posted_at > now:
        raise UnableToPost("Le dépôt à La Poste ne peut pas être dans l'avenir.")
    if slip is not None and slip[0].rpartition(".")[2].lower() not in SLIPS:
        raise UnableToPost("Le bordereau est un PDF ou une image (JPEG, PNG).")
    if slip is not None and not 0 < len(slip[1]) <= LARGEST_SLIP:
        raise UnableToPost("Le bordereau est vide ou dépasse 10 Mo.")


def _cancel(pulled: list[Message], now: dt.datetime, actor: User | None) -> None:
    for message in pulled:
        Message.objects.filter(pk=message.pk).update(
            state=Message.State.CANCELLED, explanation=PULLED, sent_at=None, provider_id=""
        )
        if message.purpose == Purpose.FORMAL_NOTICE:
            SurveyCase.objects.filter(pk=message.case_id).update(formal_notice_at=None)
        message.case.tell("message_cancelled", now=now, actor=actor, data=_told(message))


def _stored(
    batch: PrintBatch,
    posted_at: dt.datetime,
    now: dt.datetime,
    reference: str,
    slip: tuple[str, bytes] | None,
    envelopes: int,
    withdrawn: int,
    actor: User | None,
) -> Posting:
    posting = Posting(
        batch=batch,
        posted_at=posted_at,
        reference=reference.strip()[:60],
        envelopes=envelopes,
        withdrawn=withdrawn,
        recorded_at=now,
        recorded_by=actor,
    )
    if slip is not None:
        ending = slip[0].rpartition(".")[2].lower()
        posting.slip.save(f"c{batch.campaign_id}-lot-{batch.number:04d}.{ending}", ContentFile(slip[1]), save=False)
        posting.slip_sha256 = hashlib.sha256(slip[1]).hexdigest()
    posting.save()
    return posting


def _stamp(batch: PrintBatch, kept: list[Message], posting: Posting, now: dt.datetime, actor: User | None) -> None:
    """The letters left at that minute, and so the delays of their cases run from it."""
    proof = {"posted_at": posting.posted_at.isoformat(), "slip": posting.reference, "slip_sha256": posting.slip_sha256}
    for message in kept:
        message.sent_at = posting.posted_at
        message.proof |= proof
    Message.objects.bulk_update(kept, ["sent_at", "proof"], batch_size=500)
    cases = SurveyCase.objects.filter(messages__in=kept)
    if batch.purpose == Purpose.FORMAL_NOTICE:
        cases.filter(formal_notice_at__isnull=False).update(formal_notice_at=posting.posted_at)
    elif batch.purpose == Purpose.FORM:
        cases.filter(sent_at__isnull=False).update(sent_at=posting.posted_at)
    CaseEvent.objects.bulk_create(
        [
            CaseEvent(
                case_id=message.case_id, kind="posted", occurred_at=posting.posted_at, actor=actor, data=_told(message)
            )
            for message in kept
        ],
        batch_size=500,
    )


def _told(message: Message) -> dict[str, object]:
    return {"message": message.pk, "channel": message.channel, "purpose": message.purpose, "wave": message.wave}

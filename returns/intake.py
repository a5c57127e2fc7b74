"""What comes in: batches of scans, read page by page, and answers sent on line; each becomes a return on its case.

A batch is claimed, read and closed; killed at any moment, it is taken up again after `LEASE` where it stopped.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from concurrent.futures import Executor

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from campaigns.models import Campaign
from returns.models import Page, ScanBatch, SurveyReturn
from returns.reading.images import UnreadableScan, open_pages
from returns.scan_pages import BatchTaken, PageKeeper, packed_layouts
from returns.seeing import see_pages
from returns.sheet_gaps import tell_missing_sheets
from returns.submissions import AnswersRefused, receive_online
from returns.transcription import transcribe
from returns.trust import certificates_for

__all__ = [
    "LEASE",
    "AnswersRefused",
    "BatchTaken",
    "PagesLost",
    "read_batch",
    "receive_online",
    "receive_scans",
    "waiting_batches",
]

State = ScanBatch.State
LEASE = dt.timedelta(minutes=20)  # longer than the 15 minutes that any task may run

logger = logging.getLogger(__name__)


class PagesLost(Exception):
    """Fewer or more pages were kept than the file holds: the batch is not closed."""


def receive_scans(*, campaign: Campaign, name: str, content: bytes, now: dt.datetime) -> ScanBatch:
    """Store a file of scanned pages, whatever it holds; the same content twice is the same batch.

    The batch returned says so: `already_received`.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    found = ScanBatch.objects.filter(campaign=campaign, sha256=sha256).first()
    if found is None:
        batch = ScanBatch(campaign=campaign, name=name[-200:], sha256=sha256, received_at=now)
        try:
            with transaction.atomic():
                batch.content.save(f"{sha256[:24]}{_extension(name)}", ContentFile(content), save=False)
                batch.save()
        except IntegrityError:
            found = ScanBatch.objects.get(campaign=campaign, sha256=sha256)
        else:
            return batch
    found.already_received = True
    return found


def _extension(name: str) -> str:
    ending = name.rpartition(".")[2].lower()
    return f".{ending}" if ending in {"tif", "tiff", "pdf", "jpg", "jpeg", "png"} else ".bin"


def waiting_batches(*, now: dt.datetime) -> list[int]:
    """The ids of the batches to read: never begun, or left by a reader that died."""
    stale = Q(state=State.READING, claimed_at__lt=now - LEASE)
    return list(ScanBatch.objects.filter(Q(state=State.RECEIVED) | stale).order_by("pk").values_list("pk", flat=True))


def read_batch(*, batch: ScanBatch, now: dt.datetime, pool: Executor | None = None) -> ScanBatch:
    """Read the pages of a batch and give each its state; then transcribe the returns that they make.

    Pages are read one by one (by `pool` when given, a few ahead), so that memory does not grow with the file. A file
    that can't be opened is refused with its explanation. Raises BatchTaken when another reader holds the batch.
    """
    if not _claim(batch, now=now):
        return batch
    try:
        seen = _read_pages(batch, now=now, pool=pool)
    except UnreadableScan as error:
        return _close(batch, state=State.REFUSED, now=now, explanation=str(error))
    kept = batch.pages.count()
    if kept != seen:
        raise PagesLost(f"Lot {batch.pk} : {seen} pages dans le fichier, {kept} gardées.")
    for survey_return in SurveyReturn.objects.filter(pages__batch=batch, state=SurveyReturn.State.OPEN).distinct():
        transcribe(survey_return=survey_return, now=now)
    with transaction.atomic():
        tell_missing_sheets(batch, now=now)
        return _close(batch, state=State.READ, now=now, pages_expected=seen)


def _claim(batch: ScanBatch, *, now: dt.datetime) -> bool:
    """Take the batch by compare-and-swap; False when it is already read. Raises BatchTaken."""
    free = Q(state=State.RECEIVED) | Q(state=State.READING, claimed_at__lt=now - LEASE)
    taken = ScanBatch.objects.filter(free, pk=batch.pk).update(state=State.READING, claimed_at=now)
    batch.refresh_from_db()
    if not taken and batch.state == State.READING:
        raise BatchTaken("Ce lot est en cours de lecture par un autre lecteur.")
    return bool(taken)


def _read_pages(batch: ScanBatch, *, now: dt.datetime, pool: Executor | None) -> int:
    """Keep every page of the file that was not kept yet; returns how many pages the file holds."""
    keeper = PageKeeper(batch, claim=now, now=now)
    kept = {page.index: page for page in Page.objects.filter(batch=batch).select_related("survey_return__case")}
    book = packed_layouts(keeper.variants.values())
    certificates, today = certificates_for(batch.campaign), timezone.localdate(batch.received_at)
    count = 0
    with batch.content.open("rb") as content:
        pages = open_pages(content, name=batch.name)
        for seen in see_pages(pages, book, today=today, certificates=certificates, pool=pool, skip=frozenset(kept)):
            if isinstance(seen, int):
                keeper.resume(kept[seen])
            else:
                keeper.keep(seen)
            count += 1
    return count


def _close(
    batch: ScanBatch, *, state: str, now: dt.datetime, explanation: str = "", pages_expected: int = 0
) -> ScanBatch:
    batch.state, batch.read_at = state, now
    batch.explanation, batch.pages_expected = explanation[:300], pages_expected
    batch.save(update_fields=["state", "read_at", "explanation", "pages_expected"])
    logger.info("scan batch %s: %s, %d pages", batch.pk, state, pages_expected)
    return batch

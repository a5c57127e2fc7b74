"""Pieces sent on line, read in the background: named, verified, linked, and covered before any of our people sees them.

The row says what is to be read; a reader claims it by compare-and-swap, and one that dies is replaced after `LEASE`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from functools import partial

import cv2
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Q

from returns.completeness import settle
from returns.models import SupportingDocument, SurveyReturn
from returns.pieces import EXTENSIONS
from returns.reading.images import UnreadableScan
from returns.seeing_pieces import SeenUpload, see_upload
from returns.seen import SeenPiece
from returns.suggestions import row_of_piece
from returns.trust import certificates_for

Reading = SupportingDocument.Reading
LEASE = dt.timedelta(minutes=20)  # longer than the 15 minutes that any task may run
MOST_TRIES = 3  # a file that kills its readers is left to a person
STUMBLES = (cv2.error, OSError, ValueError, ArithmeticError, IndexError, RuntimeError, MemoryError)
UNREADABLE = "La machine n'a pas pu ouvrir ce fichier : demandez-le à nouveau au locataire."

logger = logging.getLogger(__name__)


def waiting_returns(*, now: dt.datetime) -> list[int]:
    """The ids of the answers with pieces to read: never begun, or left by a reader that died."""
    pieces = SupportingDocument.objects.to_read().filter(_free(now))
    return list(pieces.order_by("survey_return").values_list("survey_return", flat=True).distinct())


def read_return(*, survey_return: SurveyReturn, now: dt.datetime) -> None:
    """Read the pieces that came with an answer; those that somebody else is reading are left to him."""
    pieces = SupportingDocument.objects.to_read().filter(survey_return=survey_return)
    for document in pieces.select_related("case__campaign").order_by("pk"):
        read_piece(document=document, now=now)


def read_piece(*, document: SupportingDocument, now: dt.datetime) -> SupportingDocument:
    """Read one piece, keep it covered in place of what came, and settle its case. Safe to repeat.

    Nothing is done when it was read already, or when somebody else is at it.
    """
    if not _claim(document, now=now):
        return document
    if document.tries > MOST_TRIES:
        return _fail(document, now=now)
    try:
        with document.content.open("rb") as file:
            content = file.read()
        certificates = certificates_for(document.case.campaign)
        seen = see_upload(content, media_type=document.media_type, kind=document.kind, certificates=certificates)
    except (UnreadableScan, *STUMBLES):
        logger.exception("piece %s could not be read", document.pk)
        return _fail(document, now=now)
    return _keep(document, seen, now=now)


def _free(now: dt.datetime) -> Q:
    return Q(reading_state=Reading.WAITING) | Q(reading_state=Reading.READING, claimed_at__lt=now - LEASE)


def _claim(document: SupportingDocument, *, now: dt.datetime) -> bool:
    free = SupportingDocument.objects.to_read().filter(_free(now), pk=document.pk)
    taken = free.update(reading_state=Reading.READING, claimed_at=now, tries=F("tries") + 1)
    if taken:
        document.refresh_from_db()
    return bool(taken)


def _still_ours(document: SupportingDocument) -> bool:
    ours = SupportingDocument.objects.select_for_update(of=("self",)).filter(
        pk=document.pk, reading_state=Reading.READING, claimed_at=document.claimed_at
    )
    return ours.exists()


def _fail(document: SupportingDocument, *, now: dt.datetime) -> SupportingDocument:
    """Say that nobody can be shown the piece: a person asks for it again."""
    with transaction.atomic():
        if _still_ours(document):
            document.reading_state, document.explanation = Reading.FAILED, UNREADABLE
            document.save(update_fields=["reading_state", "explanation"])
            document.case.tell("document_unreadable", now=now, data={"document": document.pk})
            settle(case=document.case, now=now)
    return document


def _keep(document: SupportingDocument, seen: SeenUpload, *, now: dt.datetime) -> SupportingDocument:
    """Store what was read, and the covered file in place of the one that came; then the case settles."""
    with transaction.atomic():
        if not _still_ours(document):
            return document
        _name(document, seen)
        document.reading_state = Reading.READ
        if seen.content:
            _replace(document, seen.content)
        document.save()
        for piece, image in seen.further:
            _keep_further(document, piece, image)
        told = {"document": document.pk, "kind": document.kind, "certified": document.certified}
        document.case.tell("document_read", now=now, data=told)
        settle(case=document.case, now=now)
    return document


def _name(document: SupportingDocument, seen: SeenUpload) -> None:
    """Its nature, its occupant and what it says: what the household said of it prevails over what it looks like."""
    kind = document.kind or seen.piece.kind
    row = document.row or row_of_piece(document.case, kind, seen.words)
    same = SupportingDocument.objects.filter(case=document.case, sha256=document.sha256, kind=kind, row=row)
    if not same.exclude(pk=document.pk).exists():
        document.kind, document.row = kind, row
    piece = seen.piece if seen.piece.kind == document.kind else SeenPiece()
    document.read, document.certified = dict(piece.read), piece.certified


def _replace(document: SupportingDocument, content: bytes) -> None:
    """Put the covered file in place; the one that came goes once the row no longer names it."""
    storage, came = document.content.storage, document.content.name
    name = f"{document.sha256[:24]}.{EXTENSIONS[document.media_type]}"
    document.content.save(name, ContentFile(content), save=False)
    transaction.on_commit(partial(storage.delete, came))


def _keep_further(document: SupportingDocument, piece: SeenPiece, image: bytes) -> None:
    """A second tax notice sent in the same file is a piece of its own, once."""
    digest = hashlib.sha256(image).hexdigest()
    if SupportingDocument.objects.filter(case=document.case, sha256=digest).exists():
        return
    read = dict(piece.read)
    if "places" in read:
        read["places"] = {**read["places"], "page": 0}
    made = SupportingDocument(
        case=document.case,
        survey_return=document.survey_return,
        kind=piece.kind,
        sha256=digest,
        media_type="image/jpeg",
        read=read,
        certified=piece.certified,
        reading_state=Reading.READ,
        received_at=document.received_at,
    )
    made.content.save(f"{digest[:24]}.jpg", ContentFile(image), save=False)
    made.save()

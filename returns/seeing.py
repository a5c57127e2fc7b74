"""What a scanned page turns out to be: a form with its fields, a loose piece, a blank, a stranger. No database.

The heavy part of intake: it may run in other processes, so that everything that crosses is plain and can be pickled.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import date
from functools import lru_cache, partial
from typing import Any

import cv2
import numpy as np

from campaigns.paper_form.page_code import parses
from campaigns.paper_form.zones import FormLayout
from campaigns.questionnaire.parsing import parse
from campaigns.questionnaire.schema import Field
from returns.reading.clues import clues_in
from returns.reading.documents import read_document
from returns.reading.form import read_form
from returns.reading.ink import unexpected_ink
from returns.reading.page_codes import FoundCode, Refusal, Refused, find_page_code
from returns.reading.pixels import MM_PER_INCH
from returns.reading.readings import ReadField
from returns.reading.registration import register
from returns.reading.scanned import ScannedPage, UnreadablePage
from returns.reading.separators import is_separator
from returns.reading.squares import find_squares, shows_marks
from returns.seeing_pieces import encoded, piece_of
from returns.seen import SeenField, SeenPage, Sight

AHEAD = 8  # pages in the hands of the pool at once: 4 MB each
# What an image may make the libraries raise; anything else is a fault of ours, and stops the batch.
STUMBLES = (cv2.error, ValueError, ArithmeticError, IndexError, RuntimeError)
OTHER_FORM = "Ce formulaire n'est pas de cette campagne : remettez la feuille à qui de droit."
NOT_REGISTERED = "Les repères de la feuille sont introuvables : numérisez-la à nouveau, bien à plat."
STUMBLED = "La lecture de cette page a échoué : elle attend une personne."
CODELESS = "Feuille du formulaire dont le code carré est illisible : dites de quel dossier elle est."
LEAST_DPI = 90  # below, no printed word is read
TOO_COARSE = "Cette page est numérisée à {dpi} points par pouce : trop peu pour la lire. Numérisez-la à 200 au moins."
TWO_SHEETS = "Deux feuilles se recouvrent sur la même image : numérisez-les à nouveau, une par une."

logger = logging.getLogger(__name__)


def pack(layout: Mapping[str, Any], definition: Mapping[str, Any]) -> bytes:
    """A layout and the definition it lays out, small enough to cross to another process with every page."""
    return zlib.compress(json.dumps([layout, definition], sort_keys=True).encode(), level=3)


@lru_cache(maxsize=32)
def _unpacked(packed: bytes) -> tuple[FormLayout, Mapping[str, Field]]:
    layout, definition = json.loads(zlib.decompress(packed))
    return FormLayout.from_tables(layout), {question.key: question for _, question in parse(definition).fields()}


def see_pages(
    pages: Iterable[ScannedPage | UnreadablePage],
    book: Mapping[str, bytes],
    *,
    today: date | None = None,
    certificates: tuple[bytes, ...] = (),
    pool: Executor | None = None,
    skip: frozenset[int] = frozenset(),
) -> Iterator[SeenPage | int]:
    """What each page is, in order; a page to skip comes back as its index. `book`: what `pack` made, by fingerprint.

    `today`: the day the file came, which bounds the dates written on it.
    With a pool, a few pages are read ahead, so that memory stays flat whatever the length of the file.
    """
    ahead: deque[Future[SeenPage] | int] = deque()
    for page in pages:
        if page.index in skip:
            ahead.append(page.index)
        elif isinstance(page, UnreadablePage):
            ahead.append(_done(SeenPage(page.index, Sight.UNREADABLE, explanation=page.reason)))
        else:
            ahead.append(_asked(pool, page, partial(see_page, book=book, today=today, certificates=certificates)))
        if pool is None or len(ahead) >= AHEAD:
            yield _told(ahead.popleft())
    while ahead:
        yield _told(ahead.popleft())


def see_page(
    page: ScannedPage, book: Mapping[str, bytes], *, today: date | None = None, certificates: tuple[bytes, ...] = ()
) -> SeenPage:
    """What one page is. A page that lies any way round is read as well; the image kept is the one received.

    A page that the reader stumbles over is left to a person: it must not hold back the others of its batch.
    """
    try:
        return _read(page, book, today, certificates)
    except STUMBLES:
        logger.exception("page %d of a batch could not be read", page.index)
        return _refused(page, Sight.UNREADABLE, STUMBLED)


def _read(
    page: ScannedPage, book: Mapping[str, bytes], today: date | None, certificates: tuple[bytes, ...]
) -> SeenPage:
    found = find_page_code(page.grey)
    if isinstance(found, Refused):
        return _without_code(page, found, book, certificates)
    if found.code.is_return_sheet:
        return _refused(page, Sight.RETURN_SHEET, "", found=found)
    packed = book.get(found.code.layout)
    if packed is None:
        return _refused(page, Sight.FOREIGN, OTHER_FORM, found=found)
    return _form(page, found, *_unpacked(packed), today=today)


def _without_code(
    page: ScannedPage, refused: Refused, book: Mapping[str, bytes], certificates: tuple[bytes, ...]
) -> SeenPage:
    if is_separator(page.grey, page.dpi):  # its bars alone would pass for scanner lines on a blank page
        return _refused(page, Sight.SEPARATOR, "")
    if refused.reason is Refusal.BLANK:
        return _refused(page, Sight.BLANK, "")
    if refused.reason is Refusal.SEVERAL_CODES:
        return _refused(page, Sight.UNREADABLE, TWO_SHEETS)
    if page.dpi < LEAST_DPI:
        return _refused(page, Sight.LOOSE, TOO_COARSE.format(dpi=round(page.dpi)))
    told = read_document(page.grey, certificates=certificates)
    piece = piece_of(told, page.grey)
    kept = _kept(page) if told.kept is None else encoded(told.kept)
    clues = clues_in(told.text, code=refused.code_text, names=told.read.get("declarants", []))
    if _is_a_form(page, clues, book):
        return SeenPage(page.index, Sight.CODELESS, image=kept, explanation=CODELESS, clues=clues)
    return SeenPage(page.index, Sight.LOOSE, image=kept, piece=piece, clues=clues)


def _is_a_form(page: ScannedPage, clues: Mapping[str, Any], book: Mapping[str, bytes]) -> bool:
    """Whether a sheet without a readable 2D code is one of the form all the same: by its printed code, or its marks."""
    if parses(clues["code"]):
        return True
    if not book:
        return False
    layout, _ = _unpacked(next(iter(book.values())))
    scale = page.dpi / MM_PER_INCH
    squares = find_squares(page.grey, layout.marks[0].w, scale)
    return shows_marks(squares, np.array([[mark.x, mark.y] for mark in layout.marks]) * scale)


def _refused(page: ScannedPage, sight: Sight, explanation: str, *, found: FoundCode | None = None) -> SeenPage:
    seen = SeenPage(page.index, sight, image=_kept(page), explanation=explanation)
    return seen if found is None else replace(seen, code=found.code, rotation=found.rotation)


def _kept(page: ScannedPage) -> bytes:
    """The JPEG kept of a page on which nothing is covered: the one received, where it is one."""
    return page.received or encoded(page.grey)


def _form(
    page: ScannedPage, found: FoundCode, layout: FormLayout, questions: Mapping[str, Field], *, today: date | None
) -> SeenPage:
    placed = register(page.grey, found, layout)
    if isinstance(placed, Refused):
        return _refused(page, Sight.UNREGISTERED, NOT_REGISTERED, found=found)
    return SeenPage(
        page.index,
        Sight.FORM,
        image=_kept(page),
        code=found.code,
        fields=tuple(_seen(each) for each in read_form(page.grey, placed, layout, questions, today=today)),
        matrix=tuple(tuple(float(each) for each in line) for line in placed.matrix),
        rotation=placed.rotation,
        residual=round(placed.residual_mm, 3),
        unexpected_ink=bool(unexpected_ink(page.grey, placed, layout)),
    )


def _seen(read: ReadField) -> SeenField:
    box = (read.box.x, read.box.y, read.box.w, read.box.h)
    return SeenField(
        field=read.field,
        row=read.row,
        value=read.value,
        inked=read.inked,
        confidence=read.confidence,
        several=read.several,
        box=box,
        doubt=read.doubt.label,
        ink=read.ink,
    )


def _done(seen: SeenPage) -> Future[SeenPage]:
    future: Future[SeenPage] = Future()
    future.set_result(seen)
    return future


def _asked(pool: Executor | None, page: ScannedPage, see: Callable[[ScannedPage], SeenPage]) -> Future[SeenPage]:
    return _done(see(page)) if pool is None else pool.submit(see, page)


def _told(waiting: Future[SeenPage] | int) -> SeenPage | int:
    return waiting if isinstance(waiting, int) else waiting.result()

"""Boxes read by ours and by others, in the same run: sheets of as many boxes, the same writers, the same scanner.

python -m tests.bench.bench_peers_reading [sheets] [--omrchecker FOLDER] [--sdaps PROGRAM]. CPU time of all processes,
what is spent once a run left out (many sheets less a few); ratios to ours and to decoding the same images alone.
Others are programs apart: one that is not on this machine is told so.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.painter import FormFill, paint
from campaigns.paper_form.zones import FormLayout
from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import Choice, Field, FieldType
from returns.reading.form import read_form
from returns.reading.images import open_pages
from returns.reading.ink import unexpected_ink
from returns.reading.page_codes import FoundCode, find_page_code
from returns.reading.registration import Registration, register
from returns.reading.scanned import ScannedPage
from returns.rehearsal.pens import Grey
from tests.bench.box_sheets import (
    CHOICES,
    QUESTIONS,
    Answers,
    Blank,
    answers_of,
    grey_file,
    one_bit,
    one_bit_file,
    ticked,
)
from tests.bench.omrchecker_peer import OmrChecker
from tests.bench.reading_peers import AutoMultipleChoice, NotInstalled, Peer, Sdaps, rendered

FEW = 4  # sheets of the short run, whose cost is what a program spends once
PAGE = 2  # of our form: the one full of boxes
FRONT = 8  # questions that fit on its front page
REPEATS = 5


def our_form() -> FormLayout:
    """Ours, made of choices alone: its second page asks QUESTIONS of them."""
    base = load_library("sls_ops").with_words(year=2027, income_year=2025, notice_year=2026)
    choices = tuple(Choice(letter, letter.upper(), letter) for letter in CHOICES)
    fields = tuple(
        Field(key=f"bench.q{number}", type=FieldType.CHOICE, label=f"Question {number}", choices=choices)
        for number in range(-FRONT, QUESTIONS)
    )
    section = next(section for section in base.sections if not section.repeated)
    layout = lay_out(replace(base, sections=(replace(section, fields=fields),), documents=()), 1)
    boxes = sum(zone.page == PAGE for zone in layout.zones)
    if boxes != QUESTIONS * len(CHOICES):
        raise RuntimeError(f"our page {PAGE} has {boxes} boxes")
    return layout


def our_blank(layout: FormLayout, folder: Path) -> Blank:
    """That page, as printed."""
    document = folder / "form.pdf"
    document.write_bytes(paint(layout, Branding(name="Office inventé"), [FormFill("AB12CD34")]))
    boxes = {(_number(zone.field), zone.value): zone.box for zone in layout.on_page(PAGE)}
    return Blank(rendered(document, PAGE - 1), boxes)


def _number(key: str) -> int:
    return int(key.removeprefix("bench.q"))


def read_ours(layout: FormLayout, pages: list[bytes]) -> list[Answers]:
    """Every step that the product takes on a page of a form: no step is left out because its boxes are alone."""
    told = []
    for data in pages:
        [page] = open_pages(data)
        found = find_page_code(page.grey) if isinstance(page, ScannedPage) else None
        placed = register(page.grey, found, layout) if isinstance(found, FoundCode) else None
        if not isinstance(placed, Registration):
            told.append({})
            continue
        unexpected_ink(page.grey, placed, layout)
        read = read_form(page.grey, placed, layout, {})
        told.append({_number(each.field): each.value for each in read if each.confidence >= 0.9 and each.value})
    return told


def spent_ms(work: Callable[[], object], pages: int) -> float:
    """The CPU time of one page in milliseconds, median of a few goes."""
    goes = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        goes.append((time.process_time() - start) * 1000 / pages)
    return statistics.median(goes)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peer_ms(peer: Peer, sheets: int, folder: Path) -> tuple[float, float, list[Grey], list[Answers]]:
    """What `peer` spends a sheet past what it spends once, and that; with the sheets it read and what it told."""
    costs, scans, told = [], [], []
    for count in (FEW, sheets + FEW):
        place = folder / f"{peer.name.replace(' ', '-')}-{count}"
        place.mkdir()
        scans = [ticked(blank, seed) for seed, blank in enumerate(peer.blanks(place, count))]
        peer.take(place, scans)
        before = _children()
        peer.read(place)
        costs.append((_children() - before) * 1000)
        told = peer.told(place)
    each = (costs[1] - costs[0]) / sheets
    return each, costs[0] - FEW * each, scans, told


def files_of(scans: list[Grey], *, bilevel: bool) -> list[bytes]:
    """Each scan as its own file."""
    return [one_bit_file([one_bit(scan)]) if bilevel else grey_file(scan) for scan in scans]


def decoding_ms(files: list[bytes]) -> float:
    """What opening these files costs, a page."""
    return spent_ms(lambda: [list(open_pages(data)) for data in files], len(files))


def correctness(told: list[Answers]) -> str:
    """How many questions were told, and how many of these wrongly."""
    asked = QUESTIONS * len(told)
    pairs = [
        (answers.get(number), wanted)
        for seed, answers in enumerate(told)
        for number, wanted in answers_of(seed).items()
    ]
    wrong = sum(value is not None and value != wanted for value, wanted in pairs)
    unsaid = sum(value is None for value, _ in pairs)
    return f"{asked} questions: {wrong} wrong, {unsaid} left to a person"


def main(sheets: int, omrchecker: Path, sdaps: str) -> None:
    """Print a line a reader."""
    cv2.setNumThreads(1)
    ours: dict[bool, float] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        layout = our_form()
        blank = our_blank(layout, folder)
        scans = [ticked(blank, seed) for seed in range(sheets)]
        print(f"{sheets} sheets of {QUESTIONS * len(CHOICES)} boxes; CPU of a sheet, what is spent once a run left out")
        for bilevel in (False, True):
            files = files_of(scans, bilevel=bilevel)
            decoding = decoding_ms(files)
            ours[bilevel] = spent_ms(lambda: read_ours(layout, files), sheets)  # noqa: B023 — called at once
            kind = "1 bit, 300 dpi, G4" if bilevel else "grey, 200 dpi, JPEG"
            print(f"ours ({kind}): {ours[bilevel]:.1f} ms = {1000 / ours[bilevel]:.0f} pages/s/core,")
            print(f"  {ours[bilevel] / decoding:.1f} x decoding; {correctness(read_ours(layout, files))}")
        peers: tuple[Peer, ...] = (AutoMultipleChoice(), OmrChecker(omrchecker), Sdaps(sdaps))
        for peer in peers:
            try:
                each, once, read, told = peer_ms(peer, sheets, folder)
            except NotInstalled as reason:
                print(f"{peer.name}: not installed ({reason})")
                continue
            decoding = decoding_ms(files_of(read[:10], bilevel=peer.bilevel))
            print(f"{peer.name}: {each:.1f} ms = {1000 / each:.1f} pages/s/core ({once:.0f} ms once a run),")
            print(f"  {each / decoding:.1f} x decoding, {each / ours[peer.bilevel]:.1f} x ours; {correctness(told)}")


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("sheets", type=int, nargs="?", default=40)
    asked.add_argument("--omrchecker", type=Path, default=Path("OMRChecker"))
    asked.add_argument("--sdaps", default="sdaps")
    given = asked.parse_args()
    main(given.sheets, given.omrchecker, given.sdaps)

"""Sheets worn in every way, each laid over its form and its boxes read, held against the truth.

python -m tests.bench.bench_registration [pages] [first seed]. Each page has a harm done to the paper and one by the
scanner, drawn from its seed; then come sheets as scanners give them, in grey and in 1 bit, at 200 and 300 dpi. Filled
sheets are made once and worn each time otherwise. Misplaced: a zone more than a millimetre from where it is. A box is
wrong when it is said to be in another state than it is; when the reader doubts, a person looks. CPU time of one thread.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np

from campaigns.paper_form.page_code import PageCode
from campaigns.paper_form.zones import Box, ZoneKind
from returns.reading.marks import BoxState, measure_boxes
from returns.reading.page_codes import FoundCode, find_page_code
from returns.reading.registration import Registration, register
from returns.rehearsal.pens import Pen
from returns.rehearsal.scanner import WEAR, Quality, as_bilevel, as_jpeg, wear
from tests.returns.reading import filled
from tests.returns.reading.degradations import BY_THE_SCANNER, TO_THE_PAPER, Worn, farthest, worn_by

MISPLACED_MM = 1.0
WRITERS = 40  # filled sheets of each page, each by its own writer
TICKED, STRUCK_OUT = 0.4, 0.08  # shares of the boxes
FINER = 1.5  # 300 dpi over 200
AS_SCANNED = 0.05  # of the pages asked for: how many are scanned in each of the twelve ordinary ways


@dataclass
class Told:
    """What became of the pages worn in one way, and of their boxes."""

    outcomes: Counter[str] = field(default_factory=Counter)
    boxes: Counter[str] = field(default_factory=Counter)
    away: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)

    def add(self, other: Told) -> None:
        """Count those too."""
        self.outcomes += other.outcomes
        self.boxes += other.boxes
        self.away += other.away
        self.spent += other.spent


@dataclass(frozen=True)
class Filled:
    """A page with its boxes marked by one writer, and what each box holds."""

    sheet: filled.Sheet
    boxes: tuple[Box, ...]
    states: tuple[BoxState, ...]


@lru_cache(maxsize=WRITERS * 10)
def filled_sheet(page: int, writer: int) -> Filled:
    """A page of the form by that writer."""
    pen, chance = Pen(f"boxes {writer}"), random.Random(f"boxes {writer}")
    sheet = filled.printed()[page - 1].copy()
    boxes = tuple(zone.box for zone in filled.layout().on_page(page) if zone.kind is ZoneKind.BOX)
    weights = (1 - TICKED - STRUCK_OUT, TICKED, STRUCK_OUT)
    states = tuple(chance.choices((BoxState.EMPTY, BoxState.TICKED, BoxState.STRUCK_OUT), weights, k=len(boxes)))
    for box, state in zip(boxes, states, strict=True):
        if state is BoxState.TICKED:
            pen.tick(sheet, box)
        elif state is BoxState.STRUCK_OUT:
            pen.strike_out(sheet, box)
    return Filled(sheet, boxes, states)


def _read(grey: filled.Sheet, page: int, known: Filled, told: Told) -> Registration | str:
    """Register one image and read its boxes; the registration, or what else became of the page."""
    start = time.process_time()
    found = find_page_code(grey)
    placed = register(grey, found, filled.layout()) if isinstance(found, FoundCode) else found
    told.spent.append((time.process_time() - start) * 1000)
    if not isinstance(placed, Registration):
        return f"refused: {placed.reason.value}"
    if placed.code != PageCode(filled.CASE, page, filled.layout().fingerprint):
        return "ANOTHER PAGE"
    for mark, wanted in zip(measure_boxes(grey, placed, known.boxes), known.states, strict=True):
        doubted = mark.state is BoxState.DOUBTFUL
        told.boxes["doubted" if doubted else "right" if mark.state is wanted else f"{wanted} read {mark.state}"] += 1
    return placed


def outcome(worn: Worn, page: int, known: Filled) -> Told:
    """What became of one worn page."""
    told = Told()
    placed = _read(worn.grey, page, known, told)
    if isinstance(placed, Registration):
        told.away.append(farthest(placed, worn, filled.layout()))
        placed = "placed" if told.away[0] <= MISPLACED_MM else "MISPLACED"
    told.outcomes[placed] += 1
    return told


def worn_pages(pages: int, first: int) -> Iterator[tuple[tuple[str, ...], Told]]:
    """Each page harmed twice, with its harms and what became of it."""
    for seed in range(first, first + pages):
        chance = np.random.default_rng([seed, 7])
        names = str(chance.choice(("", *TO_THE_PAPER))), str(chance.choice(("", *BY_THE_SCANNER)))
        page = 1 + seed % filled.layout().pages
        known = filled_sheet(page, seed // filled.layout().pages % WRITERS)
        told = outcome(worn_by(page, seed, *filter(None, names), written=known.sheet), page, known)
        for what in told.outcomes:
            if what.isupper():
                print(f"  seed {seed}, page {page}, {names}: {what}")
        yield tuple(dict.fromkeys(name or "unharmed" for name in names)), told


def scanned_pages(pages: int, first: int) -> Iterator[tuple[tuple[str, ...], Told]]:
    """Pages as scanners give them, by wear, resolution and format."""
    asked = [page for page in filled.pages_to_fill() if len(filled_sheet(page, 0).boxes) > 10]
    for seed in range(first, first + pages):
        page = asked[seed % len(asked)]
        known = filled_sheet(page, seed // len(asked) % WRITERS)
        for dpi in (200, 300):
            finer = None if dpi == 200 else FINER
            sheet = known.sheet if finer is None else cv2.resize(known.sheet, None, fx=finer, fy=finer)
            for quality in Quality:
                grey = wear(np.asarray(sheet), np.random.default_rng(seed), WEAR[quality], turned=seed % 10 == 0)
                jpeg = np.frombuffer(as_jpeg(grey, WEAR[quality].jpeg), np.uint8)
                for name, image in (("grey", cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)), ("1 bit", as_bilevel(grey))):
                    told = Told()
                    placed = _read(np.asarray(image), page, known, told)
                    told.outcomes["registered" if isinstance(placed, Registration) else placed] += 1
                    yield (f"{name} {dpi} {quality.value}",), told


def print_ways(ways: dict[str, Told]) -> None:
    """One line a way, then the whole; with the bound that zero errors in so many give."""
    whole = Told()
    for name, told in [*sorted(each for each in ways.items() if each[0] != "all"), ("all", ways["all"])]:
        whole = told
        seen = ", ".join(f"{number} {what}" for what, number in told.outcomes.most_common())
        far = f" · median {statistics.median(told.away):.2f}, worst {max(told.away):.2f} mm" if told.away else ""
        boxes = ", ".join(f"{number} {what}" for what, number in told.boxes.most_common())
        print(f"{name:16} n={told.outcomes.total():5} {seen}{far} · {np.mean(told.spent):.0f} ms · boxes: {boxes}")
    n, read = whole.outcomes.total(), max(whole.boxes.total(), 1)
    print(f"{n} pages, {read} boxes: 0 in n only bounds the rate at 3/n, {3 / n:.1e} and {3 / read:.1e} (95 %).")


def main(pages: int, first: int) -> None:
    """Print both tables."""
    cv2.setNumThreads(1)
    for source in (worn_pages(pages, first), scanned_pages(round(pages * AS_SCANNED), first)):
        ways: dict[str, Told] = defaultdict(Told)
        for names, told in source:
            for name in (*names, "all"):
                ways[name].add(told)
        print_ways(ways)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500, int(sys.argv[2]) if len(sys.argv) > 2 else 0)

"""What reading a page costs by step, against decoding its image, and how right it is on writers never learnt from.

python -m tests.bench.bench_reading [forms]. CPU time of one thread; the ratio to decoding is what counts. The steps are
timed in turn, round after round, each beside the decoding of the same round: a host that slows down slows them all.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from campaigns.paper_form.zones import ZoneKind
from campaigns.questionnaire.schema import FieldType
from returns.reading.combs import glyphs_of, read_combs
from returns.reading.form import read_form
from returns.reading.images import ScannedPage, open_pages
from returns.reading.ink import unexpected_ink
from returns.reading.marks import measure_boxes
from returns.reading.page_codes import FoundCode, find_page_code
from returns.reading.readings import ReadField
from returns.reading.recognisers import CAPITALS, recognise
from returns.reading.registration import Registration, register
from returns.rehearsal.pens import Pen
from returns.rehearsal.scanner import WEAR, FileFormat, Quality, as_jpeg, scan, wear
from tests.returns.reading import filled

FORMATS = {"grey 200 dpi": FileFormat.JPEG, "G4 200 dpi": FileFormat.TIFF_G4}
# What is asked is 25 pages a second with their digits, 100 for boxes alone, where decoding takes so many milliseconds:
# the median of grey scans of 200 dpi on the machine of which it was asked, 318 to 540 kB raw, 240 kB cleaned. It holds
# elsewhere as a ratio.
ASKED = {"mean page of the form": 25, "mean page, boxes alone": 100}
DECODED_MS = {"raw scans": 5.4, "cleaned scans": 4.1}
CLEANED_NOISE = 2.0  # grey levels: a third of a raw scan, what is left once the scanner has cleaned the paper
DECODE = "decode"
BOXES_ALONE = (DECODE, "page code", "registration", "boxes")
WHOLE = (DECODE, "page code", "registration", "all fields", "stray ink")
BOUNDS = (0.9, 0.95, 0.99)
Told = list[tuple[ReadField, Any]]


class Timed:
    """The CPU time of each step in each round, in milliseconds."""

    def __init__(self, steps: Mapping[str, Callable[[], Any]], rounds: int) -> None:
        spent: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(rounds):
            for name, work in steps.items():
                start = time.process_time()
                work()
                spent[name].append((time.process_time() - start) * 1000)
        self.spent = {name: np.array(each) for name, each in spent.items()}

    def told(self, *names: str) -> tuple[float, float]:
        """What these steps cost together, and how many times the decoding of the same round: medians."""
        together = np.sum([self.spent[name] for name in names], axis=0)
        return float(np.median(together)), float(np.median(together / self.spent[DECODE]))


def steps(page: int, file_format: FileFormat, rounds: int) -> Timed:
    """Print what each step of one filled page costs, each with its ratio to decoding."""
    sheet = filled.written(page, filled.made_up_answers(5, share=1.0), seed=5)
    [data] = scan([sheet], seed=5, quality=Quality.MEDIUM, file_format=file_format, upside_down=0)
    return steps_of(page, data, file_format, rounds)


def cleaned(page: int) -> bytes:
    """The same page as a grey JPEG of 200 dpi whose paper the scanner made even: lighter to unpack than a noisy one."""
    sheet = filled.written(page, filled.made_up_answers(5, share=1.0), seed=5)
    worn = wear(sheet, np.random.default_rng(5), replace(WEAR[Quality.MEDIUM], noise=CLEANED_NOISE))
    return as_jpeg(worn, WEAR[Quality.MEDIUM].jpeg)


def steps_of(page: int, data: bytes, file_format: FileFormat, rounds: int) -> Timed:
    """The same of one page in a file."""
    layout, questions = filled.layout(), filled.questions()
    [opened] = open_pages(data)
    assert isinstance(opened, ScannedPage)
    grey = opened.grey
    found = find_page_code(grey)
    assert isinstance(found, FoundCode)
    placed = register(grey, found, layout)
    assert isinstance(placed, Registration)
    zones = list(layout.on_page(page))
    boxes, combs, names = (
        [zone for zone in zones if zone.kind is kind] for kind in (ZoneKind.BOX, ZoneKind.COMB, ZoneKind.LETTERS)
    )
    digits, letters = (list(glyphs_of(read_combs(grey, placed, each))) for each in (combs, names))
    decoder = {"bare decoder": lambda: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)}
    timed = Timed(
        {
            DECODE: lambda: list(open_pages(data)),
            **(decoder if file_format is FileFormat.JPEG else {}),
            "page code": lambda: find_page_code(grey),
            "registration": lambda: register(grey, found, layout),
            "boxes": lambda: measure_boxes(grey, placed, [zone.box for zone in boxes]),
            "combs cut": lambda: read_combs(grey, placed, combs + names),
            "digits recognised": lambda: recognise(digits),
            "capitals recognised": lambda: recognise(letters, CAPITALS),
            "all fields": lambda: read_form(grey, placed, layout, questions, today=filled.TODAY),
            "stray ink": lambda: unexpected_ink(grey, placed, layout),
        },
        rounds,
    )
    size = f"{len(data) / 1000:.0f} kB"
    print(
        f"page {page}, {file_format.value} of {size}: {len(boxes)} boxes, {len(digits)} digits, {len(letters)} capitals"
    )
    print("  " + " · ".join("{} {:.1f} ms ({:.2f})".format(name, *timed.told(name)) for name in timed.spent))
    for what, parts in (("total", WHOLE), ("its boxes alone", BOXES_ALONE)):
        spent, ratio = timed.told(*parts)
        print(f"  {what} {spent:.1f} ms = {1000 / spent:.0f} pages/s/core = {ratio:.2f} x decoding")
    return timed


def read_back(forms: int, quality: Quality, file_format: FileFormat) -> tuple[Told, int]:
    """Every field of so many forms, each by its own writer, with what was written; and the pages not registered."""
    told: Told = []
    lost = 0
    for seed in range(1000, 1000 + forms):
        answers, pen = filled.made_up_answers(seed), Pen(seed)
        sheets = [filled.written(page, answers, pen=pen) for page in filled.pages_to_fill()]
        files = scan(sheets, seed=seed, quality=quality, file_format=file_format)
        for opened in (page for data in files for page in open_pages(data)):
            found = find_page_code(opened.grey)
            placed = register(opened.grey, found, filled.layout()) if isinstance(found, FoundCode) else found
            if not isinstance(placed, Registration):
                lost += 1
                continue
            read = read_form(opened.grey, placed, filled.layout(), filled.questions())
            told += [(each, answers.get((each.field, each.row))) for each in read]
    return told, lost


def family(read: ReadField, wanted: Any) -> str:
    """What the field is counted with."""
    field = filled.questions()[read.field]
    name = "numéro fiscal" if field.check == "nif" else field.type.value
    if field.type in (FieldType.CHOICE, FieldType.YES_NO, FieldType.TICK):
        name = "boxes"
    return name if wanted is not None else f"{name}, blank"


def print_accuracy(told: Told, lost: int) -> None:
    """Exact readings, and for each bound of confidence what is accepted unseen and how much of it is wrong."""
    families = defaultdict(list)
    for read, wanted in told:
        families[family(read, wanted)].append((read.confidence, filled.agrees(read, wanted)))
    print(f"  {lost} pages not registered")
    for name, seen in sorted(families.items()):
        confidences, right = np.array([each for each, _ in seen]), np.array([each for _, each in seen])
        shares = []
        for bound in BOUNDS:
            taken = confidences >= bound
            shares.append(f"≥ {bound}: {taken.mean():6.1%}, {int((~right[taken]).sum())} wrong")
        print(f"  {name:24} n={len(seen):5} exact {right.mean():6.1%} · " + " · ".join(shares))


def print_means(kind: str, timed: Sequence[Timed], rounds: int) -> None:
    """What these pages cost on average, whole and their boxes alone."""
    for what, parts in (("mean page of the form", WHOLE), ("mean page, boxes alone", BOXES_ALONE)):
        spent, ratio = (float(np.mean(each)) for each in zip(*(each.told(*parts) for each in timed), strict=True))
        allowed = 1000 / ASKED[what] / DECODED_MS[kind]
        of = f"{len(timed)} {kind}, {rounds} rounds"
        print(f"{what}: {1000 / spent:.0f} pages/s/core = {ratio:.2f} x decoding, {allowed:.2f} allowed ({of})")


def main(forms: int, rounds: int = 41) -> None:
    """Print both tables."""
    cv2.setNumThreads(1)
    pages = filled.pages_to_fill()
    print_means("raw scans", [steps(page, FileFormat.JPEG, rounds) for page in pages], rounds)
    print("the same pages, their paper cleaned by the scanner:")
    print_means("cleaned scans", [steps_of(page, cleaned(page), FileFormat.JPEG, rounds) for page in pages], rounds)
    steps(filled.pages_to_fill()[1], FileFormat.TIFF_G4, rounds)
    steps(filled.pages_to_fill()[-1], FileFormat.TIFF_G4, rounds)
    for name, file_format in FORMATS.items():
        for quality in Quality if forms else ():
            print(f"{name}, {quality.value}, {forms} forms by {forms} writers")
            print_accuracy(*read_back(forms, quality, file_format))
    print("0 wrong in n only bounds the rate at 3/n (95 %).")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)

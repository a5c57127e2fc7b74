"""What reading a page costs by step, against decoding its image, and how right it is on writers never learnt from.

python -m tests.bench.bench_reading [forms]. CPU time of one thread; the ratio to decoding is what counts.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from campaigns.paper_form.zones import ZoneKind
from campaigns.questionnaire.schema import FieldType
from returns.reading.combs import glyphs_of, read_combs
from returns.reading.form import read_form
from returns.reading.images import open_pages
from returns.reading.ink import unexpected_ink
from returns.reading.marks import measure_boxes
from returns.reading.page_codes import FoundCode, find_page_code
from returns.reading.readings import ReadField
from returns.reading.recognisers import recognise
from returns.reading.registration import Registration, register
from returns.rehearsal.pens import Pen
from returns.rehearsal.scanner import FileFormat, Quality, scan
from tests.returns.reading import filled

FORMATS = {"grey 200 dpi": FileFormat.JPEG, "G4 200 dpi": FileFormat.TIFF_G4}
BOUNDS = (0.9, 0.95, 0.99)
Told = list[tuple[ReadField, Any]]


def cpu_ms(work: Callable[[], Any], times: int = 15) -> tuple[float, Any]:
    """The median CPU time of `work`, in milliseconds, and what it gives."""
    spent, given = [], None
    for _ in range(times):
        start = time.process_time()
        given = work()
        spent.append((time.process_time() - start) * 1000)
    return statistics.median(spent), given


def steps(page: int, file_format: FileFormat) -> tuple[float, float]:
    """Print what each step of one filled page costs. Gives the whole and the decoding, in milliseconds."""
    layout, questions = filled.layout(), filled.questions()
    sheet = filled.written(page, filled.made_up_answers(5, share=1.0), seed=5)
    [data] = scan([sheet], seed=5, quality=Quality.MEDIUM, file_format=file_format, upside_down=0)
    zones = list(layout.on_page(page))
    decoding, [opened] = cpu_ms(lambda: list(open_pages(data)))
    grey = opened.grey
    finding, found = cpu_ms(lambda: find_page_code(grey))
    placing, placed = cpu_ms(lambda: register(grey, found, layout))
    boxes = [zone.box for zone in zones if zone.kind is ZoneKind.BOX]
    ticking, _ = cpu_ms(lambda: measure_boxes(grey, placed, boxes))
    combs = [zone for zone in zones if zone.kind is ZoneKind.COMB]
    cutting, cut = cpu_ms(lambda: read_combs(grey, placed, combs))
    glyphs = list(glyphs_of(cut))
    knowing, _ = cpu_ms(lambda: recognise(glyphs))
    form, _ = cpu_ms(lambda: read_form(grey, placed, layout, questions))
    stray, _ = cpu_ms(lambda: unexpected_ink(grey, placed, layout))
    total = decoding + finding + placing + form + stray
    print(f"page {page}, {file_format.value}: {len(boxes)} boxes, {len(glyphs)} digits written")
    told = {"decode": decoding, "page code": finding, "registration": placing, "boxes": ticking}
    told |= {"combs cut": cutting, "digits recognised": knowing, "all fields": form, "stray ink": stray}
    print("  " + " · ".join(f"{name} {spent:.1f} ms" for name, spent in told.items()))
    print(f"  total {total:.1f} ms = {1000 / total:.0f} pages/s/core = {total / decoding:.1f} x decoding")
    alone = decoding + finding + placing + ticking
    print(f"  its boxes alone {alone:.1f} ms = {1000 / alone:.0f} pages/s/core = {alone / decoding:.1f} x decoding")
    return total, decoding


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


def main(forms: int) -> None:
    """Print both tables."""
    cv2.setNumThreads(1)
    spent = [steps(page, FileFormat.JPEG) for page in filled.pages_to_fill()]
    whole, decoding = (statistics.mean(each) for each in zip(*spent, strict=True))
    print(f"mean page of the form: {1000 / whole:.0f} pages/s/core = {whole / decoding:.1f} x decoding")
    steps(filled.pages_to_fill()[-1], FileFormat.TIFF_G4)
    for name, file_format in FORMATS.items():
        for quality in Quality:
            print(f"{name}, {quality.value}, {forms} forms by {forms} writers")
            print_accuracy(*read_back(forms, quality, file_format))
    print("0 wrong in n only bounds the rate at 3/n (95 %).")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)

"""The codes of the sheets printed for an inserter, in the left margin of each recto, where a layout leaves all blank.

A DataMatrix of 12 × 12 modules of half a millimetre, away from both usual folds. It is a stream of its own, known by
its name, so that a file marked twice bears its marks once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import pikepdf
import zxingcpp

from campaigns.paper_form.sheet_code import sheet_codes
from campaigns.paper_form.typography import POINT
from campaigns.paper_form.zones import PAGE_HEIGHT, Box

MODULE = 0.5  # mm
MODULES = 12
MARK = Box(3.5, 120.0, MODULE * MODULES, MODULE * MODULES)  # mm; its quiet zone of one module ends at the margin
OURS = "/SheetMark"


def mark_sheets(pdf: pikepdf.Pdf, spans: Sequence[tuple[int, int]]) -> None:
    """Print the codes of the sheets of each envelope, told by its first page (from 1) and its number of pages."""
    pages = list(pdf.pages)
    for order, (first, count) in enumerate(spans, start=1):
        rectos = pages[first - 1 : first - 1 + count : 2]
        for page, code in zip(rectos, sheet_codes(order, len(rectos)), strict=True):
            _mark(pdf, page, code)


def _mark(pdf: pikepdf.Pdf, page: pikepdf.Page, code: str) -> None:
    held: Any = page.obj.get("/Contents")
    streams = list(held) if isinstance(held, pikepdf.Array) else [held]
    kept = [stream for stream in streams if OURS not in stream]
    mark = pdf.make_stream(_operators(code).encode("ascii"), {OURS: True})
    page.obj.Contents = pikepdf.Array([*kept, mark])


def _operators(code: str) -> str:
    """The dark modules, row by row, each run one rectangle."""
    drawn = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    image = numpy.array(drawn.to_image(scale=1, add_quiet_zones=False))
    rows = ["".join("1" if dark else "0" for dark in row) for row in image < 128]
    if len(rows) != MODULES:
        message = f"Le code de feuille {code} ne tient pas dans {MODULES} modules."
        raise ValueError(message)
    side = MODULE * POINT
    left, top = MARK.x * POINT, (PAGE_HEIGHT - MARK.y) * POINT
    shapes = [
        f"{left + start * side:.3f} {top - (number + 1) * side:.3f} {length * side:.3f} {side:.3f} re"
        for number, row in enumerate(rows)
        for start, length in _runs(row)
    ]
    return "q 0 g " + " ".join(shapes) + " f Q"


def _runs(row: str) -> list[tuple[int, int]]:
    """Where dark modules begin, and how many follow each other."""
    runs: list[tuple[int, int]] = []
    for place, dark in enumerate(row):
        if dark == "1" and runs and sum(runs[-1]) == place:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark == "1":
            runs.append((place, 1))
    return runs

"""Filled forms for the reading tests and their bench: the product's own print, a made-up writer, a made-up scanner."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import cv2
import numpy as np
import pypdfium2

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.painter import FormFill, paint
from campaigns.paper_form.zones import FormLayout, Zone
from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import Field, FieldType, Questionnaire
from returns.reading.form import ReadField, read_form
from returns.reading.names import says_the_same
from returns.reading.page_codes import FoundCode, Refused, find_page_code
from returns.reading.registration import Registration, register
from returns.rehearsal.pens import Pen
from returns.rehearsal.scanner import PAGE_DPI, WEAR, Quality, as_bilevel, as_jpeg, wear

CASE = "AB12CD34"
ROWS = 4
TODAY = date(2027, 3, 12)  # the day of the scans: what was signed is not older than a year
Address = tuple[str, int]
Sheet = np.ndarray


@cache
def questionnaire() -> Questionnaire:
    """The fullest form of the library."""
    return load_library("sls_ops").with_words(year=2027, income_year=2025, notice_year=2026)


@cache
def layout() -> FormLayout:
    """It, on paper."""
    return lay_out(questionnaire(), ROWS)


@cache
def questions() -> dict[str, Field]:
    """Its questions by key."""
    return {field.key: field for _, field in questionnaire().fields()}


@cache
def printed(dpi: int = 200) -> tuple[Sheet, ...]:
    """Its pages as printed for CASE, grey."""
    fill = FormFill(CASE, texts={"@occupant_title": ["Ana", "Bao", "Chloé", "Dov"]}, portal_url="https://exemple.test")
    document = pypdfium2.PdfDocument(paint(layout(), Branding(name="Office inventé"), [fill]))
    try:
        return tuple(
            np.ascontiguousarray(page.render(scale=dpi / 72, grayscale=True).to_numpy().squeeze()) for page in document
        )
    finally:
        document.close()


def pages_to_fill() -> list[int]:
    """Numbers of the pages that ask something."""
    return [number for number in range(1, layout().pages + 1) if any(layout().on_page(number))]


def made_up_answers(seed: int | str, *, share: float = 0.8) -> dict[Address, Any]:
    """Answers to about that share of the questions."""
    chance = random.Random(f"answers {seed}")
    groups: dict[Address, list[Zone]] = {}
    for zone in layout().zones:
        groups.setdefault((zone.field, zone.row), []).append(zone)
    return {
        address: _INVENTORS[questions()[address[0]].type](chance, questions()[address[0]], zones)
        for address, zones in groups.items()
        if chance.random() < share
    }


def tax_number(chance: random.Random) -> str:
    """Thirteen digits whose key is right."""
    body = f"{chance.randint(0, 3)}{chance.randint(0, 10**9 - 1):09d}"
    return f"{body}{int(body) % 511:03d}"


def _digits(chance: random.Random, field: Field, zones: list[Zone]) -> str:
    return tax_number(chance) if field.check == "nif" else f"{chance.randint(0, 10**13 - 1):013d}"[: zones[0].cells]


def _date(chance: random.Random, field: Field, zones: list[Zone]) -> str:
    day = date(chance.randint(1925, 2026), chance.randint(1, 12), chance.randint(1, 28))
    if field.check == "recent_date":
        day = TODAY - timedelta(days=day.toordinal() % 300)
    return day.isoformat()


_INVENTORS: dict[FieldType, Callable[[random.Random, Field, list[Zone]], Any]] = {
    FieldType.TEXT: lambda chance, field, zones: "Vu avec la gardienne",
    FieldType.NAME: lambda chance, field, zones: chance.choice(["Le Goff", "Nguyen", "Durand"]),
    FieldType.EMAIL: lambda chance, field, zones: "ana@exemple.test",
    FieldType.PHONE: lambda chance, field, zones: f"0{chance.randint(10**8, 10**9 - 1)}",
    FieldType.DIGITS: _digits,
    FieldType.INTEGER: lambda chance, field, zones: chance.randint(field.minimum or 0, min(field.maximum or 30, 30)),
    FieldType.MONEY: lambda chance, field, zones: chance.randint(0, 10 ** chance.randint(4, 6)),
    FieldType.DATE: _date,
    FieldType.TICK: lambda chance, field, zones: True,
    FieldType.YES_NO: lambda chance, field, zones: chance.random() < 0.5,
    FieldType.CHOICE: lambda chance, field, zones: chance.choice(zones).value,
    FieldType.SIGNATURE: lambda chance, field, zones: True,
}


def written(page: int, answers: Mapping[Address, Any], seed: int | str = 1, pen: Pen | None = None) -> Sheet:
    """One page filled in."""
    return (pen or Pen(seed)).fill_page(printed()[page - 1], layout(), page, answers)


def scanned(
    sheet: Sheet, quality: Quality, seed: int = 1, *, turned: bool = False, bilevel: bool = False, dpi: int = PAGE_DPI
) -> Sheet:
    """One page as the scanner gives it, compression included; at more points than it was drawn with, wear is finer."""
    if dpi != PAGE_DPI:
        share = dpi / PAGE_DPI
        sheet = np.asarray(cv2.resize(sheet, None, fx=share, fy=share, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    worn = wear(sheet, np.random.default_rng(seed), WEAR[quality], turned=turned)
    if bilevel:
        return as_bilevel(worn)
    data = np.frombuffer(as_jpeg(worn, WEAR[quality].jpeg), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def placed(sheet: Sheet) -> Registration | Refused:
    """Where the form is on the sheet, or why that is not known."""
    found = find_page_code(sheet)
    return register(sheet, found, layout()) if isinstance(found, FoundCode) else found


def reread(sheet: Sheet) -> tuple[ReadField, ...]:
    """Every field of a scanned page; the page must be one of the form."""
    registration = placed(sheet)
    assert isinstance(registration, Registration), registration
    return read_form(sheet, registration, layout(), questions())


def agrees(read: ReadField, wanted: Any) -> bool:
    """Whether what was read is what was written; free handwriting is only seen to be there."""
    kind = questions()[read.field].type
    if kind is FieldType.NAME and wanted is not None:
        return says_the_same(read.value, wanted)
    if kind in (FieldType.TEXT, FieldType.NAME, FieldType.EMAIL):
        return read.inked == (wanted is not None) and read.value is None
    return bool(read.value == wanted)

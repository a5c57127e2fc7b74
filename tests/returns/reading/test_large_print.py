"""The large print is read back like the ordinary one: composed, printed, filled in by a pen, scanned, read."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pypdfium2

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.painter import FormFill, paint
from campaigns.paper_form.rows import COMBS
from campaigns.paper_form.zones import FormLayout, ZoneKind
from returns.reading.form import read_form
from returns.reading.page_codes import FoundCode, find_page_code
from returns.reading.registration import Registration, register
from returns.rehearsal.pens import Pen
from returns.rehearsal.scanner import Quality
from tests.returns.reading.filled import CASE, questionnaire, questions, scanned, tax_number


@cache
def large() -> FormLayout:
    return lay_out(questionnaire(), 2, large=True)


@cache
def printed() -> tuple[np.ndarray, ...]:
    fill = FormFill(CASE, texts={"@occupant_title": ["Ana", "Bao"]}, portal_url="https://exemple.test")
    document = pypdfium2.PdfDocument(paint(large(), Branding(name="Office inventé"), [fill]))
    try:
        return tuple(
            np.ascontiguousarray(page.render(scale=200 / 72, grayscale=True).to_numpy().squeeze()) for page in document
        )
    finally:
        document.close()


def answers(page: int) -> dict[tuple[str, int], object]:
    """A tick in each group of boxes and digits in each comb."""
    chance, told = random.Random(page), {}
    for zone in large().on_page(page):
        field = questions()[zone.field]
        if zone.kind is ZoneKind.BOX:
            told[zone.field, zone.row] = {"yes": True, "no": False, "on": True}.get(zone.value, zone.value)
        elif field.check == "nif":
            told[zone.field, zone.row] = tax_number(chance)
        elif field.type.value == "date":
            told[zone.field, zone.row] = "1984-12-28"
        elif field.type.value == "phone":
            told[zone.field, zone.row] = "0639981234"
    return told


def test_each_large_page_is_read_back() -> None:
    """Every tick as it was set; digits as well as elsewhere: one comb at most is misread."""
    combs = right = 0
    for page in sorted({zone.page for zone in large().zones if zone.kind in (ZoneKind.BOX, ZoneKind.COMB)}):
        wanted = answers(page)
        sheet = scanned(Pen(page).fill_page(printed()[page - 1], large(), page, wanted), Quality.LIGHT, seed=page)
        found = find_page_code(sheet)
        assert isinstance(found, FoundCode)
        placed = register(sheet, found, large())
        assert isinstance(placed, Registration)
        for each in read_form(sheet, placed, large(), questions()):
            if (each.field, each.row) not in wanted:
                continue
            same = each.value == wanted[each.field, each.row]
            if questions()[each.field].type in COMBS:
                combs, right = combs + 1, right + same
            else:
                assert same, (page, each)
    assert combs >= 8
    assert right >= combs - 1


def test_every_box_of_the_large_print_is_larger_and_the_codes_stand_at_the_same_place() -> None:
    ordinary = lay_out(questionnaire(), 2)

    assert large().fingerprint != ordinary.fingerprint
    assert (large().page_code, large().marks) == (ordinary.page_code, ordinary.marks)
    for kind in (ZoneKind.BOX, ZoneKind.COMB, ZoneKind.LETTERS):
        heights = {zone.box.h for zone in ordinary.zones if zone.kind is kind}
        assert min(zone.box.h for zone in large().zones if zone.kind is kind) > max(heights)
    widths = {zone.box.w / zone.cells for zone in large().zones if zone.cells}
    assert min(widths) == 7.5


def test_everything_read_by_the_household_is_at_least_sixteen_points() -> None:
    body = [text for text in large().texts if text.at >= 0 and text.y > 116]

    assert min(text.size for text in body) >= 16

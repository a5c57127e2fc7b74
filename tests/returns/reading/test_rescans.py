"""The same sheet on two scans, and sheets that only look alike."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from campaigns.paper_form.zones import Box, ZoneKind
from returns.reading.registration import Registration
from returns.reading.rescans import Scan, same_writing, strangeness
from returns.rehearsal.pens import Pen
from returns.rehearsal.scanner import Quality
from tests.returns.reading import filled

PAGE = 2
SEED = 4


def seen(sheet: np.ndarray, seed: int, *, bilevel: bool = False) -> Scan:
    """A sheet as one scan of it shows it."""
    grey = filled.scanned(sheet, Quality.MEDIUM, seed, bilevel=bilevel)
    placed = filled.placed(grey)
    assert isinstance(placed, Registration)
    return grey, placed.matrix


def written_boxes() -> list[Box]:
    answers = filled.made_up_answers(SEED)
    return [zone.box for zone in filled.layout().on_page(PAGE) if (zone.field, zone.row) in answers]


@pytest.fixture(scope="module")
def sheet() -> np.ndarray:
    """The page, filled in."""
    return filled.written(PAGE, filled.made_up_answers(SEED), seed=SEED)


@pytest.fixture(scope="module")
def first(sheet: np.ndarray) -> Scan:
    """Its first scan."""
    return seen(sheet, 1)


def test_the_same_sheet_is_known_again_however_it_lay(sheet: np.ndarray, first: Scan) -> None:
    assert same_writing(first, seen(sheet, 2), written_boxes())


def test_the_same_answers_written_anew_are_another_sheet(first: Scan) -> None:
    anew = filled.written(PAGE, filled.made_up_answers(SEED), seed="somebody else")
    assert not same_writing(first, seen(anew, 2), written_boxes())


@pytest.mark.parametrize("kind", [ZoneKind.COMB, ZoneKind.BOX])
def test_one_stroke_more_is_seen_from_both_sides(sheet: np.ndarray, first: Scan, kind: ZoneKind) -> None:
    zone = next(each for each in filled.layout().on_page(PAGE) if each.kind is kind)
    altered = sheet.copy()
    if kind is ZoneKind.BOX:
        Pen(SEED).strike_out(altered, zone.box)
    else:
        left, top, right, bottom = (
            round(side * 200 / 25.4) for side in (zone.box.x, zone.box.y, zone.box.right, zone.box.bottom)
        )
        cv2.line(altered, (left, top), (right, bottom), 40, 4)
    second = seen(altered, 2)
    assert not same_writing(first, second, [zone.box])
    assert not same_writing(second, first, [zone.box])
    assert strangeness(first, second, zone.box) == strangeness(second, first, zone.box)


def test_nothing_written_is_nothing_strange(first: Scan) -> None:
    assert same_writing(first, first, [])
    assert strangeness(first, first, written_boxes()[0]) == 0

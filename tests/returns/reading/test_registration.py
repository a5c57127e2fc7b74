"""A page is found any way round and laid over its form to a fraction of a millimetre, or says that it is not."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.paper_form.zones import Box
from returns.reading.page_codes import FoundCode, Refusal, Refused, find_page_code, is_blank
from returns.reading.registration import Registration, cut, register
from returns.rehearsal.scanner import Quality
from tests.returns.reading import filled
from tests.returns.reading.degradations import farthest, worn_by

PER_MM = 200 / 25.4


def page() -> np.ndarray:
    return filled.printed()[1].copy()


def refusal_of(sheet: np.ndarray) -> Refusal:
    found = filled.placed(sheet)
    assert isinstance(found, Refused)
    return found.reason


def erase(sheet: np.ndarray, box: Box, margin: float = 1.0) -> None:
    left, top = round((box.x - margin) * PER_MM), round((box.y - margin) * PER_MM)
    right, bottom = round((box.right + margin) * PER_MM), round((box.bottom + margin) * PER_MM)
    sheet[top:bottom, left:right] = 255


def far_from_truth(registration: Registration, truth: np.ndarray) -> float:
    """The largest distance, in mm, over the page between the registration and the known matrix."""
    points = np.array([[20.0, 20.0], [190.0, 20.0], [190.0, 275.0], [20.0, 275.0], [105.0, 148.0]])
    sent = np.column_stack([points, np.ones(5)]) @ truth.T
    wanted = sent[:, :2] / sent[:, 2:]
    return float(np.linalg.norm(registration.to_pixels(points) - wanted, axis=1).max()) / PER_MM


def to_print() -> np.ndarray:
    return np.array([[PER_MM, 0, -0.5], [0, PER_MM, -0.5], [0, 0, 1.0]])


@pytest.mark.parametrize("quality", list(Quality))
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("bilevel", [False, True])
def test_a_worn_page_is_registered_whichever_way_it_lies(quality, turned, bilevel):
    for seed in range(3):
        sheet = filled.scanned(page(), quality, seed, turned=turned, bilevel=bilevel)

        found = filled.placed(sheet)

        assert isinstance(found, Registration)
        assert found.residual_mm < 0.4
        assert found.rotation == (180 if turned else 0)
        assert (found.code.case, found.code.page) == (filled.CASE, 2)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_the_quarter_turn_is_told(quarters):
    sheet = np.ascontiguousarray(np.rot90(page(), -quarters))

    found = filled.placed(sheet)

    assert isinstance(found, Registration)
    assert found.rotation == 90 * quarters


@settings(max_examples=25)
@given(
    angle=st.floats(-5, 5),
    scale=st.floats(0.8, 1.5),
    shift=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    shear=st.floats(-0.01, 0.01),
)
def test_skew_scale_shift_and_shear_are_undone(angle, scale, shift, shear):
    margin = 20 * PER_MM
    height, width = (round((side + 2 * margin) * scale) for side in page().shape)
    turned = np.vstack([cv2.getRotationMatrix2D((827, 1170), angle, 1.0), [0, 0, 1]])
    leaning = np.array([[1, shear, shift[0] * PER_MM + margin], [0, 1, shift[1] * PER_MM + margin], [0, 0, 1]])
    move = np.diag([scale, scale, 1.0]) @ leaning @ turned
    sheet = cv2.warpPerspective(page(), move, (width, height), borderValue=(255,), flags=cv2.INTER_AREA)

    found = filled.placed(sheet)

    assert isinstance(found, Registration)
    assert far_from_truth(found, move @ to_print()) / scale < 0.25


@pytest.mark.parametrize("mark", range(4))
@pytest.mark.parametrize("quality", [Quality.LIGHT, Quality.HEAVY])
def test_one_lost_mark_is_survived(mark, quality):
    sheet = page()
    erase(sheet, filled.layout().marks[mark])

    found = filled.placed(filled.scanned(sheet, quality, seed=4))

    assert isinstance(found, Registration)
    assert found.marks == 3
    assert found.residual_mm <= 0.6


def test_two_lost_marks_are_refused():
    sheet = page()
    for mark in filled.layout().marks[2:]:
        erase(sheet, mark)

    assert refusal_of(sheet) is Refusal.NOT_REGISTERED


def test_a_mark_out_of_place_is_refused():
    sheet = page()
    far = filled.layout().marks[2]
    erase(sheet, far)
    x, y, side = (round(each * PER_MM) for each in (far.x, far.y - 5.0, far.w))
    sheet[y : y + side, x : x + side] = 0
    near = filled.layout().marks[0]
    erase(sheet, near)
    x, y = round((near.x + 4.0) * PER_MM), round((near.y + 3.0) * PER_MM)
    sheet[y : y + side, x : x + side] = 0

    assert refusal_of(sheet) is Refusal.NOT_REGISTERED


@pytest.mark.parametrize(("number", "seed", "harms"), [
    (4, 2265, ("stained", "black_and_white")),
    (6, 4901, ("stained", "black_and_white")),
    (4, 5151, ("without_a_mark", "photographed")),
])  # fmt: skip
def test_a_mark_that_is_none_or_missing_misplaces_nothing_where_few_boxes_stand(number, seed, harms):
    worn = worn_by(number, seed, *harms)

    found = filled.placed(worn.grey)

    assert isinstance(found, Refused) or farthest(found, worn, filled.layout()) < 1.0


def test_a_streak_across_a_mark_does_not_move_it():
    sheet = page()
    mark = filled.layout().marks[0]
    x = round((mark.right - 0.6) * PER_MM)
    sheet[:, x : x + 9] = 0

    found = filled.placed(sheet)

    assert isinstance(found, Registration)
    assert far_from_truth(found, to_print()) < 0.35


def test_a_code_of_another_kind_is_foreign():
    sheet = np.full_like(page(), 255)
    qr = cv2.QRCodeEncoder.create().encode("https://exemple.test/autre")
    sheet[200 : 200 + 8 * qr.shape[0], 1200 : 1200 + 8 * qr.shape[1]] = np.kron(qr, np.ones((8, 8), np.uint8))

    found = find_page_code(sheet)

    assert isinstance(found, Refused)
    assert found.reason is Refusal.FOREIGN_CODE
    assert found.code_text == "https://exemple.test/autre"


def test_two_sheets_on_one_image_are_refused():
    both = np.hstack([filled.printed()[1], filled.printed()[2]])

    assert refusal_of(both) is Refusal.SEVERAL_CODES


@pytest.mark.parametrize("quality", list(Quality))
def test_a_blank_back_is_blank(quality):
    sheet = filled.scanned(np.full((2339, 1654), 255, np.uint8), quality, seed=3)

    assert is_blank(sheet)
    assert refusal_of(sheet) is Refusal.BLANK


def test_a_page_of_noise_is_neither_ours_nor_a_crash():
    sheet = np.random.default_rng(5).integers(0, 256, (2339, 1654)).astype(np.uint8)

    assert refusal_of(sheet) in (Refusal.NO_CODE, Refusal.BLANK)


def test_a_page_whose_code_is_torn_off_has_no_code():
    sheet = page()
    erase(sheet, filled.layout().page_code)

    assert refusal_of(sheet) is Refusal.NO_CODE


def test_a_handwritten_line_is_not_blank():
    sheet = np.full((2339, 1654), 255, np.uint8)
    cv2.putText(sheet, "voir au dos, merci", (200, 900), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.6, (60,), 3)

    assert not is_blank(sheet)


def test_another_form_under_the_same_marks_does_not_register_by_chance():
    moved = filled.layout().page_code
    elsewhere = Box(moved.x - 2.0, moved.y + 2.0, moved.w, moved.h)
    found = find_page_code(page())
    assert isinstance(found, FoundCode)
    other = dataclasses.replace(filled.layout(), page_code=elsewhere)

    assert isinstance(register(page(), found, other), Refused)


def test_a_cut_shows_the_zone_upright_whichever_way_the_sheet_lies():
    zone = next(filled.layout().on_page(2))
    straight, turned = filled.placed(page()), filled.placed(np.ascontiguousarray(page()[::-1, ::-1]))
    assert isinstance(straight, Registration)
    assert isinstance(turned, Registration)

    one = cut(page(), straight.matrix, zone.box, margin=3)
    other = cut(np.ascontiguousarray(page()[::-1, ::-1]), turned.matrix, zone.box, margin=3)

    assert np.abs(one.astype(int) - other.astype(int)).mean() < 6

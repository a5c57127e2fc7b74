"""Strokes go to the cell they were written in, printed lines and dust to none, whatever stands between two cells."""

from __future__ import annotations

from itertools import accumulate

import cv2
import numpy as np
import pytest

from returns.reading.comb_strips import MARGIN_MM, Places
from returns.reading.combs import Comb, separate, separate_strip, without_dust
from returns.reading.glyphs import GLYPH, GLYPH_BODY, normalised
from returns.reading.pixels import PIXELS_PER_MM, Grey

CELLS = 6
PITCH, HIGH = 5 * PIXELS_PER_MM, 7 * PIXELS_PER_MM
EDGE = round(MARGIN_MM * PIXELS_PER_MM)
LINE, INK = 165, 40


def empty_comb() -> Grey:
    """A comb as printed: frame and dividers in grey."""
    picture = np.full((HIGH + 2 * EDGE, CELLS * PITCH + 2 * EDGE), 250, np.uint8)
    cv2.rectangle(picture, (EDGE, EDGE), (EDGE + CELLS * PITCH, EDGE + HIGH), (LINE,), 1)
    for cell in range(1, CELLS):
        cv2.line(picture, (EDGE + cell * PITCH, EDGE), (EDGE + cell * PITCH, EDGE + HIGH), (LINE,), 1)
    return picture


def ring(picture: Grey, x: float, *, y: float = 0.5, wide: float = 0.3, high: float = 0.3) -> None:
    """A zero in the middle of cell `x` (0.5: middle of the first)."""
    middle = (round(EDGE + x * PITCH), round(EDGE + y * HIGH))
    cv2.ellipse(picture, middle, (round(wide * PITCH), round(high * HIGH)), 0, 0, 360, (INK,), 4, cv2.LINE_AA)


def written(comb: Comb) -> list[int]:
    return [number for number, glyph in enumerate(comb.glyphs) if glyph is not None]


def test_printed_lines_are_no_writing():
    comb = separate(empty_comb(), CELLS, ink=30)

    assert comb.blank
    assert not comb.spilt


def test_each_digit_goes_to_its_cell():
    picture = empty_comb()
    for cell in (0, 2, 3, 5):
        ring(picture, cell + 0.5)

    comb = separate(picture, CELLS, ink=30)

    assert written(comb) == [0, 2, 3, 5]
    assert not comb.spilt
    assert all(2 < comb.ink_mm2[cell] < 12 for cell in (0, 2, 3, 5))


def test_combs_side_by_side_are_read_as_if_each_were_alone():
    straight, drifted, faint = empty_comb(), np.roll(empty_comb(), 3, axis=1), empty_comb()
    for cell in (0, 2, 5):
        ring(straight, cell + 0.5)
        ring(drifted, cell + 0.55, wide=0.36)
    ring(faint, 1.5)
    faint = np.maximum(faint, 150)[:, : -2 * PITCH]  # of four cells, written with a pen that hardly writes
    pictures = [straight, empty_comb(), drifted, faint]
    cells = (CELLS, CELLS, CELLS, CELLS - 2)
    places = Places(tuple(accumulate((each.shape[1] for each in pictures), initial=0)), cells)

    together = separate_strip(np.hstack(pictures), places, ink=30)

    for comb, picture, count in zip(together, pictures, cells, strict=True):
        alone = separate(np.ascontiguousarray(picture), count, ink=30)
        assert written(comb) == written(alone)
        assert comb.ink_mm2 == pytest.approx(alone.ink_mm2, abs=0.1)
        seen = zip(comb.glyphs, alone.glyphs, strict=True)
        assert all(np.array_equal(one, other) for one, other in seen if one is not None and other is not None)
    assert [written(comb) for comb in together] == [[0, 2, 5], [], [0, 2, 5], [1]]


@pytest.mark.parametrize("shift", [-0.14, -0.1, 0.1, 0.14])
def test_a_digit_that_overlaps_its_divider_stays_whole(shift):
    picture = empty_comb()
    ring(picture, 2.5 + shift, wide=0.36)

    comb = separate(picture, CELLS, ink=30)

    assert written(comb) == [2]
    [glyph] = [each for each in comb.glyphs if each is not None]
    assert glyph.shape == (GLYPH, GLYPH)
    assert glyph[GLYPH // 2, GLYPH // 2] < 60  # the ring is closed around white


def test_two_digits_that_touch_are_parted_and_it_is_told():
    picture = empty_comb()
    ring(picture, 2.5, wide=0.52)
    ring(picture, 3.5, wide=0.52)

    comb = separate(picture, CELLS, ink=30)

    assert written(comb) == [2, 3]
    assert comb.spilt


def test_what_is_printed_above_the_comb_is_not_taken_for_a_part_of_the_digit():
    alone, under = empty_comb(), empty_comb()
    ring(alone, 1.5, high=0.25)
    ring(under, 1.5, high=0.25)
    cv2.line(under, (EDGE + PITCH + 8, 2), (EDGE + 2 * PITCH - 8, 2), (INK,), 2)

    one, other = separate(alone, CELLS, ink=30), separate(under, CELLS, ink=30)

    assert written(one) == written(other) == [1]
    assert one.ink_mm2[1] == pytest.approx(other.ink_mm2[1], rel=0.1)


def test_a_lone_stroke_in_the_middle_of_a_cell_is_a_digit_and_on_a_divider_it_is_the_print():
    picture = empty_comb()
    middle, divider = EDGE + round(1.5 * PITCH), EDGE + 4 * PITCH
    cv2.line(picture, (middle, EDGE + 10), (middle, EDGE + HIGH - 10), (INK,), 4)
    picture[EDGE + 12 : EDGE + HIGH - 12 : 3, divider - 1 : divider + 2] = 60  # a line scanned in dots

    assert written(separate(picture, CELLS, ink=30)) == [1]


def test_dust_makes_no_digit():
    picture = empty_comb()
    chance = np.random.default_rng(3)
    ys, xs = chance.integers(0, picture.shape[0] - 2, 60), chance.integers(0, picture.shape[1] - 2, 60)
    for y, x in zip(ys, xs, strict=True):
        picture[y : y + 2, x : x + 2] = 30

    assert separate(picture, CELLS, ink=30).blank


def test_dust_is_what_stands_nearly_alone():
    strokes = np.zeros((30, 30), np.uint8)
    strokes[3:5, 3:5] = 255
    strokes[10:20, 12:15] = 255

    kept = without_dust(strokes)

    assert kept[:8].sum() == 0
    assert kept[10:20, 12:15].all()


@pytest.mark.parametrize(("height", "width"), [(40, 12), (12, 40), (20, 20), (6, 3), (90, 60)])
def test_a_glyph_fits_its_square_with_its_weight_in_the_middle(height, width):
    glyph = normalised(np.full((height, width), 255, np.uint8))

    rows, columns = np.flatnonzero(glyph.any(axis=1)), np.flatnonzero(glyph.any(axis=0))
    assert max(len(rows), len(columns)) == GLYPH_BODY
    assert abs((rows[0] + rows[-1]) / 2 - (GLYPH - 1) / 2) <= 1
    assert abs((columns[0] + columns[-1]) / 2 - (GLYPH - 1) / 2) <= 1


def streaked(picture: Grey, x: float, *, share: float, lean: float = 0.0) -> Grey:
    """The picture with a scanner's line, two pixels wide, that leaves that share of the light."""
    line = np.zeros(picture.shape, np.float32)
    ends = (round(16 * (x - lean / 2)), 0), (round(16 * (x + lean / 2)), 16 * (len(picture) - 1))
    cv2.line(line, *ends, (1.0,), 2, cv2.LINE_AA, 4)
    return np.asarray(picture * (1 - line * (1 - share)), dtype=np.uint8)


@pytest.mark.parametrize(
    ("aside", "share"), [(0.0, 0.5), (0.13, 0.5), (0.24, 0.5), (0.3, 0.5), (0.0, 0.0), (0.13, 0.0)]
)
def test_a_digit_keeps_the_strokes_that_a_streak_crosses_and_those_seen_through_it(aside, share):
    picture = empty_comb()
    ring(picture, 2.5)

    [clean] = [each for each in separate(picture, CELLS, ink=30).glyphs if each is not None]
    under = streaked(picture, EDGE + (2.5 + aside) * PITCH, share=share)
    [glyph] = [each for each in separate(under, CELLS, ink=30).glyphs if each is not None]

    lost = cv2.blur(clean, (3, 3)).astype(int) - cv2.blur(glyph, (3, 3))
    assert (lost > 150).sum() <= 14  # of some 150 pixels of its ring


@pytest.mark.parametrize("lean", [-5.0, -2.5, -1.0, 0.0, 1.5, 3.0, 5.0])
@pytest.mark.parametrize("share", [0.7, 0.5, 0.0])
def test_no_part_of_a_streak_is_left_in_an_empty_cell(lean, share):
    for place in np.linspace(3.2, 3.8, 7):
        assert separate(streaked(empty_comb(), EDGE + place * PITCH, share=share, lean=lean), CELLS, ink=30).blank

"""Laying the form's millimetres over the scanned page: corner marks found to a fraction of a pixel, one homography."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from campaigns.paper_form.page_code import PageCode
from campaigns.paper_form.zones import Box, FormLayout
from returns.reading.cutting import cut
from returns.reading.frames import frames_in_place
from returns.reading.page_codes import FoundCode, Refusal, Refused
from returns.reading.pixels import PIXELS_PER_MM, Grey, Matrix, Points, darkness, grey_level
from returns.reading.squares import find_squares, marks_among

MAX_RESIDUAL = 0.6  # mm between the code where the marks say it is and the code as found (READING §4)
MIN_MARKS = 3
OUT_OF_SQUARE = 2.5  # mm at the code: the most that a sheet bent or drawn askew explains
ASKEW = 3.0  # mm: four marks of a sheet are out of a parallelogram by 0.4 (median of 150 scans), 2.9 at most
SEARCH_MM = (4.0, 7.0, 7.0, 9.0)  # how far from its expected place each next mark is looked for
MIN_LIKENESS = 0.72  # normalised correlation with a black square on paper
MARK_TOLERANCE = 0.12  # of its side: a square wider or narrower is measured by correlation only
REACH_MM = 2.0  # paper kept around a mark, beyond its search distance
HALF_DARK = 128  # of 255
SHARPEN_MM = 1.5  # how far from where a photo showed it a mark is measured again


_AS_COMPLEX = np.array([1, 1j])
_PAGE = np.array([[0.0, 0.0], [210.0, 0.0], [210.0, 297.0], [0.0, 297.0]])


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """Where a page's millimetres are on its image. `matrix` sends (x mm, y mm, 1) to pixel centres."""

    code: PageCode
    matrix: Matrix
    residual_mm: float
    rotation: int  # how the sheet lay, clockwise: 0, 90, 180 or 270
    marks: int  # corner marks found: 3 or 4
    paper: int  # grey level of the sheet
    ink: int  # grey level of printed black

    def to_pixels(self, points: Points) -> Points:
        """Pixel positions (n x 2) of points in millimetres (n x 2)."""
        return _apply(self.matrix, points)

    @property
    def pixels_per_mm(self) -> float:
        """The scale at the middle of the page."""
        at = self.to_pixels(np.array([[100.0, 148.0], [110.0, 148.0]]))
        return float(np.linalg.norm(at[1] - at[0])) / 10.0


def register(grey: Grey, found: FoundCode, layout: FormLayout) -> Registration | Refused:
    """Lay `layout` over the page where `found` was read; refused when the marks and the code disagree.

    The code must fall within MAX_RESIDUAL of where it was found, and the frames of boxes far apart where they are
    printed: a black square that is no mark bends the map without moving the code. The marks are looked for where a
    scanner leaves them, then all over the image, as in a photo; three are made do with where no four are seen.
    """
    near = _find_marks(grey, found, layout)
    missing = [mark for number, mark in enumerate(layout.marks) if number not in near]
    placed = None if missing else _laid_over(grey, found, layout, near, layout.marks if _askew(near, layout) else ())
    placed = placed or _laid_over(grey, found, layout, _find_marks_anywhere(grey, found, layout))
    if placed is None and missing:
        placed = _laid_over(grey, found, layout, near, missing)
    return placed or Refused(Refusal.NOT_REGISTERED, str(found.code))


def _askew(near: dict[int, _Mark], layout: FormLayout) -> bool:
    """Whether the four marks stand as on no flat sheet: a stain may have been taken for one, or it is a photo."""
    left, right, low_left, low_right = (near[number].at for number in range(len(layout.marks)))
    scale = np.linalg.norm(right - left) / (layout.marks[1].x - layout.marks[0].x)
    return bool(np.linalg.norm(left + low_right - right - low_left) > ASKEW * scale)


def _laid_over(
    grey: Grey, found: FoundCode, layout: FormLayout, seen: dict[int, _Mark], unproved: Sequence[Box] = ()
) -> Registration | None:
    """The registration by these marks, if all agree; frames must prove it near those that are `unproved`."""
    if len(seen) < MIN_MARKS:
        return None
    expected = np.array([_centre(layout.marks[number]) for number in seen])
    measured = np.array([mark.at for mark in seen.values()])
    matrix, residual = _fitted(expected, measured, _corners(layout.page_code), found.corners)
    if residual > MAX_RESIDUAL or not _plausible(matrix):
        return None
    if not frames_in_place(grey, matrix, layout, found.code.page, unproved=unproved):
        return None
    return Registration(
        code=found.code,
        matrix=matrix,
        residual_mm=residual,
        rotation=found.rotation,
        marks=len(seen),
        paper=round(float(np.median([mark.paper for mark in seen.values()]))),
        ink=round(float(np.median([mark.ink for mark in seen.values()]))),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Mark:
    at: Points  # x, y in pixels
    paper: int
    ink: int


def _find_marks(grey: Grey, found: FoundCode, layout: FormLayout) -> dict[int, _Mark]:
    """The corner marks found, by their place in the layout: nearest to the code first, each one sharpens the next."""
    code_mm = _corners(layout.page_code)
    centre = code_mm.mean(axis=0)
    places = {number: np.array(_centre(mark)) for number, mark in enumerate(layout.marks)}
    order = sorted(places, key=lambda number: float(np.linalg.norm(places[number] - centre)))
    seen: dict[int, _Mark] = {}
    for number, search in zip(order, SEARCH_MM, strict=False):
        expected = np.vstack([code_mm, *(places[each][None] for each in seen)])
        measured = np.vstack([found.corners, *(mark.at[None] for mark in seen.values())])
        weights = np.array([1.0] * 4 + [4.0] * len(seen))
        guess = _affine(expected, measured, weights) if len(seen) >= 2 else _similarity(expected, measured, weights)
        mark = _locate(grey, guess, layout.marks[number], search)
        if mark is not None:
            seen[number] = mark
    return seen


def _find_marks_anywhere(grey: Grey, found: FoundCode, layout: FormLayout) -> dict[int, _Mark]:
    """The four marks among all the black squares of the image: those that put the code where it is. Measured twice."""
    code_mm = _corners(layout.page_code)
    guess = _similarity(code_mm, found.corners, np.ones(4))
    scale = float(np.linalg.norm(guess[:2, 0]))
    places = np.array([_centre(mark) for mark in layout.marks])

    def judge(chosen: dict[int, Points]) -> float:
        """How far these marks put the code from where it was read, in millimetres; infinite when they cannot be."""
        matrix = _homography(places, np.array(list(chosen.values())))
        return _residual(matrix, code_mm, found.corners) if _plausible(matrix) else float("inf")

    squares = find_squares(grey, layout.marks[0].w, scale)
    chosen = marks_among(squares, _apply(guess, places), found.corners.mean(axis=0), scale, judge)
    if not chosen:
        return {}
    sharper = _homography(places, np.array(list(chosen.values())))
    located = [_locate(grey, sharper, mark, SHARPEN_MM) for mark in layout.marks]
    return {number: mark for number, mark in enumerate(located) if mark is not None} if all(located) else {}


def _locate(grey: Grey, guess: Matrix, mark: Box, search: float) -> _Mark | None:
    """The centre of a black square near where `guess` puts it, or None."""
    margin = search + REACH_MM
    patch = cut(grey, guess, mark, margin=margin)
    half = cv2.resize(patch, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    template = _square(mark.w * PIXELS_PER_MM / 2)
    likeness = cv2.matchTemplate(half, template, cv2.TM_CCOEFF_NORMED)
    _, best, _, (left, top) = cv2.minMaxLoc(likeness)
    if best < MIN_LIKENESS:
        return None
    side = template.shape[0]
    x, y = 2 * (left + (side - 1) / 2) + 0.5, 2 * (top + (side - 1) / 2) + 0.5
    reach = round(mark.w * PIXELS_PER_MM / 4)
    inside = patch[round(y) - reach : round(y) + reach + 1, round(x) - reach : round(x) + reach + 1]
    ink, paper = grey_level(inside, 0.5), grey_level(patch, 0.9)
    if paper - ink < 50:
        return None
    x, y = _edges_centre(darkness(patch, paper, ink), x, y, mark.w * PIXELS_PER_MM)
    origin = np.array([[mark.x - margin + (x + 0.5) / PIXELS_PER_MM, mark.y - margin + (y + 0.5) / PIXELS_PER_MM]])
    return _Mark(_apply(guess, origin)[0], paper, ink)


@lru_cache(maxsize=16)
def _square(side: float) -> Grey:
    size = round(side * 1.7)
    picture = np.full((size, size), 255, dtype=np.uint8)
    edge = (size - round(side)) // 2
    picture[edge : edge + round(side), edge : edge + round(side)] = 0
    return picture


def _edges_centre(dark: Grey, x: float, y: float, side: float) -> tuple[float, float]:
    """The centre between opposite edges, each the median over the middle lines: streaks do not move it."""
    across, down = _middle_lines(dark, x, y, side), _middle_lines(dark.T, y, x, side)
    out = across.shape[1] // 2
    halves = [across[:, out::-1], across[:, out:], down[:, out::-1], down[:, out:]]
    left, right, above, below = _crossings(np.stack(halves)).tolist()
    return _between(x, left, right, side), _between(y, above, below, side)


def _middle_lines(dark: Grey, x: float, y: float, side: float) -> Grey:
    """The lines through the middle of a square, as far on both sides of it as the paper around it."""
    reach = round(side * 0.8)
    return dark[round(y - side * 0.3) : round(y + side * 0.3) + 1, round(x) - reach : round(x) + reach + 1]


def _between(guess: float, before: float, after: float, side: float) -> float:
    """The middle of edges that far before and after the guess; the guess where they are not those of the square."""
    return guess if abs(before + after - side) > MARK_TOLERANCE * side else round(guess) + (after - before) / 2


def _crossings(sets: NDArray[np.uint8]) -> Points:
    """For each set of lines, how far in pixels the darkness first falls under one half.

    Linear between pixels, median over the lines of the set.
    """
    lines = sets.reshape(-1, sets.shape[2])
    light = lines < HALF_DARK
    first = light.argmax(axis=1)
    first[(first == 0) & ~light[:, 0]] = lines.shape[1] - 1
    rows = np.arange(len(lines))
    inner, outer = lines[rows, np.maximum(first - 1, 0)] / 255.0, lines[rows, first] / 255.0
    reached = (first - 1 + (inner - 0.5) / np.maximum(inner - outer, 1e-6)).reshape(sets.shape[:2])
    return np.asarray(np.sort(reached, axis=1)[:, sets.shape[1] // 2])


def _corners(box: Box) -> Points:
    return np.array([[box.x, box.y], [box.right, box.y], [box.right, box.bottom], [box.x, box.bottom]], dtype=float)


def _centre(box: Box) -> tuple[float, float]:
    return box.x + box.w / 2, box.y + box.h / 2


def _apply(matrix: Matrix, points: Points) -> Points:
    sent = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(sent[:, :2] / sent[:, 2:], dtype=np.float64)


def _homography(expected: Points, measured: Points) -> Matrix:
    return np.asarray(
        cv2.getPerspectiveTransform(expected.astype(np.float32), measured.astype(np.float32)), dtype=np.float64
    )


def _affine(expected: Points, measured: Points, weights: Points | None = None) -> Matrix:
    """The weighted least-squares affine map; exact with three points."""
    middle = expected.mean(axis=0)  # the equations are well set around it
    known = np.ones((len(expected), 3))
    known[:, :2] = expected - middle
    weighted = known.T if weights is None else known.T * weights
    solved = np.linalg.solve(weighted @ known, weighted @ measured).T
    matrix = np.identity(3)
    matrix[:2, :2], matrix[:2, 2] = solved[:, :2], solved[:, 2] - solved[:, :2] @ middle
    return matrix


def _similarity(expected: Points, measured: Points, weights: Points) -> Matrix:
    """The weighted least-squares rotation, scale and shift: steadier than an affine map far from its points."""
    known, seen = expected @ _AS_COMPLEX, measured @ _AS_COMPLEX
    share = weights / weights.sum()
    from_, to = share @ known, share @ seen
    turn = np.vdot(known - from_, share * (seen - to)) / (share @ np.abs(known - from_) ** 2)
    shift = to - turn * from_
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag], [0.0, 0.0, 1.0]])


def _fitted(expected: Points, measured: Points, code_mm: Points, code_pixels: Points) -> tuple[Matrix, float]:
    """The map through the marks and its residual at the code.

    Four marks: a homography. Three: an affine map, unless the code says that the sheet is out of square: its centre is
    then the fourth point, and its corners judge.
    """
    if len(expected) == 4:
        matrix = _homography(expected, measured)
        return matrix, _residual(matrix, code_mm, code_pixels)
    matrix = _affine(expected, measured)
    residual = _residual(matrix, code_mm, code_pixels)
    if MAX_RESIDUAL < residual < OUT_OF_SQUARE:
        middles = code_mm.mean(axis=0)[None], code_pixels.mean(axis=0)[None]
        matrix = _homography(np.vstack([expected, middles[0]]), np.vstack([measured, middles[1]]))
        back = _apply(np.linalg.inv(matrix).astype(np.float64), code_pixels)
        residual = float(np.linalg.norm(back - code_mm, axis=1).max())
    return matrix, residual


def _residual(matrix: Matrix, code_mm: Points, code_pixels: Points) -> float:
    """How far, in millimetres, the code's centre is found from where the marks put it."""
    back = _apply(np.linalg.inv(matrix).astype(np.float64), code_pixels)
    return float(np.linalg.norm(back.mean(axis=0) - code_mm.mean(axis=0)))


def _plausible(matrix: Matrix) -> bool:
    """Whether the four sides of the page keep their proportions and no corner is turned inside out."""
    corners = [complex(x, y) for x, y in _apply(matrix, _PAGE).tolist()]
    steps = [after - corner for corner, after in zip(corners, corners[1:] + corners[:1], strict=True)]
    sides = [abs(step) / length for step, length in zip(steps, (210.0, 297.0, 210.0, 297.0), strict=True)]
    turns = [(step.conjugate() * after).imag for step, after in zip(steps, steps[1:] + steps[:1], strict=True)]
    return max(sides) < 1.35 * min(sides) and min(turns) > 0


__all__ = ["Registration", "cut", "register"]

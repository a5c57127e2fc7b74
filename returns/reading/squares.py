"""Corner marks looked for over a whole image, for sheets seen in perspective: a phone's photo, a page badly fed.

Near the code, where a mark should be is guessed from the code alone. In a photo that guess is centimetres away: every
black square of the right size is then a candidate, and the four that put the code where it was read are the marks.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from returns.reading.pixels import Grey, Points

SCALE = 4.0  # pixels per millimetre of the search
NEIGHBOURHOOD = 61  # pixels around each that say how light the paper is there: fifteen millimetres
DARKER = 30  # grey levels under its neighbourhood
SIDES = (0.6, 1.5)  # of a mark's own side: what is narrower or wider is none
SQUARENESS = 1.5  # a perspective this strong is no page that anybody reads
FILLED = 0.8  # share of its outline that is black
ASTRAY = 0.25  # how far from its guessed place a mark may be, as a share of its distance to the code
AROUND_MM = 6.0  # and this much more
CHOICES = 5  # candidates tried for one mark
ALIKE = 0.02  # play of the distances between marks, as a share
MOST = 40  # squares of one image that are looked at
Judge = Callable[[dict[int, Points]], float]  # millimetres between the code and where these marks put it


def find_squares(grey: Grey, side_mm: float, pixels_per_mm: float) -> Points:
    """The middles (n x 2, in pixels) of the black squares of about that side."""
    shrunk = SCALE / pixels_per_mm
    small = cv2.resize(grey, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA)
    told = cv2.adaptiveThreshold(small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, NEIGHBOURHOOD, DARKER)
    dark = np.asarray(told, dtype=np.uint8)
    outlines, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    wanted = side_mm * SCALE
    middles = [at for outline in outlines if (at := _middle_of_square(np.asarray(outline), dark, wanted)) is not None]
    back = np.array([grey.shape[1] / small.shape[1], grey.shape[0] / small.shape[0]])
    found: Points = (np.array(middles, dtype=np.float64).reshape(-1, 2) + 0.5) * back - 0.5
    return found


def _middle_of_square(outline: NDArray[Any], dark: Grey, wanted: float) -> tuple[float, float] | None:
    (x, y), (width, height), _ = cv2.minAreaRect(outline)
    narrow, wide = sorted((width + 1, height + 1))
    if narrow < SIDES[0] * wanted or wide > SIDES[1] * wanted or wide > SQUARENESS * narrow:
        return None
    left, top, w, h = cv2.boundingRect(outline)
    inked = float((dark[top : top + h, left : left + w] > 0).sum())
    return (x, y) if inked >= FILLED * narrow * wide else None


def marks_among(
    squares: Points, expected: Points, code: Points, pixels_per_mm: float, judge: Judge
) -> dict[int, Points]:
    """The squares that are the marks, by their place; empty when no four agree.

    `expected` is where the code's own scale and direction put each mark, `code` its middle, in pixels. Three are not
    enough: the code stands too near one of them to tell how a sheet leans.
    """
    near = [_near(squares, place, code, pixels_per_mm) for place in expected]
    choices = (dict(enumerate(chosen)) for chosen in product(*near))
    best = min(((judge(chosen), rank, chosen) for rank, chosen in enumerate(choices)), default=None)
    return best[2] if best is not None and np.isfinite(best[0]) else {}


def _near(squares: Points, place: Points, code: Points, pixels_per_mm: float) -> Points:
    reach = ASTRAY * float(np.linalg.norm(place - code)) + AROUND_MM * pixels_per_mm
    away = np.linalg.norm(squares - place, axis=1)
    order = np.argsort(away)[:CHOICES]
    chosen: Points = squares[order[away[order] <= reach]]
    return chosen


def shows_marks(squares: Points, marks: Points) -> bool:
    """Whether three of the squares stand to each other as corner marks do; `marks` in pixels of the same scale."""
    across, down = (float(np.linalg.norm(marks[corner] - marks[0])) for corner in (1, 2))
    aslant = float(np.hypot(across, down))
    seen = squares[:MOST]
    away = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    for corner, side, foot in permutations(range(len(seen)), 3):
        told = (away[corner, side], across), (away[corner, foot], down), (away[side, foot], aslant)
        if all(abs(found - wanted) <= ALIKE * wanted for found, wanted in told):
            return True
    return False

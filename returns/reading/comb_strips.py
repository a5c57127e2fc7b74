"""Combs of one height side by side in one picture, a strip: each step is then done once for all of them.

A page holds a dozen combs and more; what a step costs by itself would otherwise weigh as much as the pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from campaigns.paper_form.zones import Zone
from returns.reading.cutting import cut, size_of
from returns.reading.pixels import Grey, darkness, grey_level
from returns.reading.registration import Registration
from returns.reading.streaks import without_streaks

MARGIN_MM = 1.2  # kept around a comb: strokes overshoot, and paper must be seen
LEAST_CONTRAST = 60  # grey levels from paper to ink, at least
DARKEST = 0.995  # share of the pixels that are lighter than the darkest strokes
BLACK = 250  # darkness, of 255, of strokes that need no stretching


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the combs of a strip stand: the column where each begins, then the end of the last; the cells of each."""

    ends: tuple[int, ...]
    cells: tuple[int, ...]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The first column of each comb and the one past its last."""
        return list(pairwise(self.ends))

    @property
    def owners(self) -> NDArray[np.intp]:
        """For each divider of the strip (a comb has one more than cells), the number of its comb."""
        return np.repeat(np.arange(len(self.cells)), np.array(self.cells) + 1)

    @property
    def limits(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """For each divider of the strip, the first and the last column of its comb."""
        ends, owners = np.array(self.ends), self.owners
        return ends[owners], ends[owners + 1] - 1

    def dividers(self, margin: float) -> NDArray[np.float64]:
        """Where the cells of all combs part, from the first column of their own, which leaves `margin` pixels free."""
        return np.concatenate(
            [
                margin + (end - first - 2 * margin) / cells * np.arange(cells + 1)
                for (first, end), cells in zip(self.spans, self.cells, strict=True)
            ]
        )


def cut_strip(grey: Grey, registration: Registration, zones: Sequence[Zone]) -> tuple[Grey, Places]:
    """The upright pictures of combs of one height, MARGIN_MM around each, side by side."""
    sizes = [size_of(zone.box, MARGIN_MM) for zone in zones]
    places = Places(tuple(accumulate((width for width, _ in sizes), initial=0)), tuple(zone.cells for zone in zones))
    strip = np.empty((sizes[0][1], places.ends[-1]), dtype=np.uint8)
    for zone, (first, end) in zip(zones, places.spans, strict=True):
        cut(grey, registration.matrix, zone.box, margin=MARGIN_MM, into=strip[:, first:end])
    return strip, places


def darkened(strip: Grey, places: Places, ink: int) -> Grey:
    """How dark each comb is (0 its own paper, 255 ink), without the lines of the scanner."""
    dark = np.empty_like(strip)
    for first, end in places.spans:
        paper = grey_level(strip[:, first:end], 0.7)
        comb = darkness(strip[:, first:end], paper, min(ink, paper - LEAST_CONTRAST))
        dark[:, first:end] = without_streaks(comb)
    return dark


def stretch(strokes: Grey, places: Places, faint: int) -> bool:
    """Bring the darkest strokes of each comb to full black, in place; False when no comb holds any.

    A comb whose darkest strokes are fainter than `faint` is blank paper, and is wiped out.
    """
    written = False
    for first, end in places.spans:
        comb = strokes[:, first:end]
        top = BLACK if _reaches(comb, BLACK) else grey_level(comb, DARKEST)
        written |= top >= faint
        if top < faint:
            comb[:] = 0
        elif top < BLACK:
            cv2.convertScaleAbs(comb, comb, alpha=255.0 / top)
    return written


def _reaches(comb: Grey, level: int) -> bool:
    """Whether the darkest strokes are of that level: quicker than to tell which level they are of."""
    under = comb.size - cv2.countNonZero(cv2.threshold(comb, level - 1, 1, cv2.THRESH_BINARY)[1])
    return under < DARKEST * comb.size

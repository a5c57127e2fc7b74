"""Separator sheets: the patch codes (four wide or narrow bars across the sheet) put between batches.

Any of the six standard patch codes separates: bars of 5.1 or 2.0 mm, 2.0 mm apart, two of them wide.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from returns.reading.pixels import Grey, grey_level

SCALE = 4.0  # pixels per millimetre of the search
NARROW, WIDE, GAP = 2.0, 5.1, 2.0  # mm
PLAY = 0.9  # mm that printing and scanning add or take
LENGTH = 50.0  # mm of a bar, at least
BARS = 4


def is_separator(grey: Grey, dpi: float) -> bool:
    """Whether a patch code stands on the page, along it or across."""
    shrunk = SCALE * 25.4 / dpi
    small = cv2.resize(grey, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA)
    page = np.asarray(small, dtype=np.uint8)
    dark = page < grey_level(page, 0.5) - 70
    return _has_patch(dark) or _has_patch(np.ascontiguousarray(dark.T))


def _has_patch(dark: NDArray[np.bool_]) -> bool:
    """Whether four bars of the right widths cross some run of columns of that length."""
    step = int(LENGTH * SCALE)
    for left in range(0, max(1, dark.shape[1] - step + 1), step // 2):
        rows = dark[:, left : left + step].mean(axis=1) > 0.9
        if _reads_as_patch(_runs(rows)):
            return True
    return False


def _runs(rows: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """The dark runs: where each starts and how wide it is, in millimetres."""
    steps = np.diff(np.concatenate([[0], rows.view(np.int8), [0]]))
    first, last = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [(float(start) / SCALE, float(end - start) / SCALE) for start, end in zip(first, last, strict=True)]


def _reads_as_patch(runs: list[tuple[float, float]]) -> bool:
    for at in range(len(runs) - BARS + 1):
        bars = runs[at : at + BARS]
        gaps = [after[0] - (bar[0] + bar[1]) for bar, after in pairwise(bars)]
        wide = [abs(width - WIDE) < PLAY for _, width in bars]
        known = all(each or abs(width - NARROW) < PLAY for each, (_, width) in zip(wide, bars, strict=True))
        if known and sum(wide) == 2 and all(abs(gap - GAP) < PLAY for gap in gaps):
            return True
    return False

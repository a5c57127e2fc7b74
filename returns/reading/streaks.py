"""Scanner streaks: thin dark lines along the feed, that would pass for a 1 in a comb or for writing on a line."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from returns.reading.pixels import Grey

INKED = 70  # darkness, of 255, of a streak once the picture is stretched
EDGE = 4  # rows at the top and bottom where a streak must show
LEAN = 8  # pixels: how far a streak may lean over the height of a picture, for sheets scanned askew
WHOLE = 0.92  # share of the height where it must be dark
HALF_WIDTH = 3  # pixels taken away on each side of its middle
WIDEST = 7  # pixels: wider is no streak


def without_streaks(dark: Grey, *, edge: int = EDGE) -> Grey:
    """`dark` (0 paper, 255 ink) without the lines that run through its whole height; strokes across them are kept.

    Nothing written in a zone reaches both edges of its picture, of `edge` pixels, which hold some of the paper around.
    """
    head, foot = dark[:edge].max(axis=0) >= INKED, dark[-edge:].max(axis=0) >= INKED
    if not head.any() or not foot.any():
        return dark
    tops, bottoms = _middles(head), _middles(foot)
    paths = [top + (bottom - top) * _share(len(dark)) for top in tops for bottom in bottoms[abs(bottoms - top) <= LEAN]]
    if not paths:
        return dark
    x, width = np.rint(np.array(paths)).astype(np.intp), dark.shape[1]
    rows = np.arange(len(dark))
    near = np.clip(np.stack([x - 1, x, x + 1]), 0, width - 1)
    dark_rows = (dark[rows, near].max(axis=0) >= INKED).sum(axis=1)
    cleaned = dark
    for path in x[dark_rows >= WHOLE * len(dark)]:
        if cleaned is dark:
            cleaned = dark.copy()
        around = np.clip(path[:, None] + np.arange(-HALF_WIDTH, HALF_WIDTH + 1), 0, width - 1)
        left = dark[rows, np.clip(path - HALF_WIDTH - 1, 0, width - 1)]
        right = dark[rows, np.clip(path + HALF_WIDTH + 1, 0, width - 1)]
        cleaned[rows[:, None], around] = np.minimum(left, right)[:, None]
    return cleaned


@lru_cache(maxsize=64)
def _share(height: int) -> NDArray[np.float64]:
    """How far down each row of a picture is, from 0 to 1."""
    return np.linspace(0, 1, height)


def _middles(inked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The middle of each run of inked columns no wider than WIDEST."""
    edged = np.zeros(len(inked) + 2, np.bool_)
    edged[1:-1] = inked
    ends = np.flatnonzero(edged[1:] != edged[:-1])  # where each run begins, and the column after its last
    first, last = ends[::2], ends[1::2] - 1
    thin = last - first < WIDEST
    return np.asarray((first[thin] + last[thin]) // 2)

"""Scanner streaks: thin dark lines along the feed, that would pass for a 1 in a comb or for writing on a line."""

from __future__ import annotations

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
    height, width = dark.shape
    share = np.linspace(0, 1, height)
    rows = np.arange(height)
    cleaned = dark
    for top in tops:
        for bottom in bottoms[np.abs(bottoms - top) <= LEAN]:
            x = np.rint(top + (bottom - top) * share).astype(np.intp)
            near = np.clip(x[:, None] + np.arange(-1, 2), 0, width - 1)
            if (dark[rows[:, None], near].max(axis=1) >= INKED).mean() < WHOLE:
                continue
            if cleaned is dark:
                cleaned = dark.copy()
            around = np.clip(x[:, None] + np.arange(-HALF_WIDTH, HALF_WIDTH + 1), 0, width - 1)
            left = dark[rows, np.clip(x - HALF_WIDTH - 1, 0, width - 1)]
            right = dark[rows, np.clip(x + HALF_WIDTH + 1, 0, width - 1)]
            cleaned[rows[:, None], around] = np.minimum(left, right)[:, None]
    return cleaned


def _middles(inked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The middle of each run of inked columns no wider than WIDEST."""
    steps = np.diff(np.concatenate([[0], inked.view(np.int8), [0]]))
    first, last = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1
    thin = last - first < WIDEST
    return np.asarray((first[thin] + last[thin]) // 2)

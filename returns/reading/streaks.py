"""Scanner streaks: thin dark lines along the feed, that would pass for a 1 in a comb or for writing on a line."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from returns.reading.pixels import Grey

INKED = 70  # darkness, of 255, of a streak once the picture is stretched
EDGE = 4  # rows at the top and bottom where a streak must show
LEAN = 8  # pixels: how far a streak may lean over the height of a picture, for sheets scanned askew
WHOLE = 0.92  # share of the height where it must be dark
HALF_WIDTH = 3  # pixels on each side of its middle where it may darken
REACH = 6  # pixels on each side of its middle that are looked at
WIDEST = 7  # pixels: wider is no streak
USUAL = 0.35  # share of its rows that are lighter than what is taken for its own darkness: a stroke may run along it
BESIDE = 2  # pixels on each side of what it darkens where ink is kept if it goes on further out
UNSEEN = 12  # darkness under which it does not show
GRAIN = 10  # darkness taken away beyond its own, for its noise
OPAQUE = 190  # darkness over which no stroke shows through it
_BESIDE = np.array([[[-1]], [[0]], [[1]]])
_AROUND = np.arange(-REACH, REACH + 1)
_RUNS = re.compile(rb"\x01+")  # of inked columns, an octet each


def without_streaks(dark: Grey, *, edge: int = EDGE) -> Grey:
    """`dark` (0 paper, 255 ink) without the lines that run through its whole height.

    Strokes that show through a line are kept, and those that stand on both sides of one too dark to see through.
    Nothing written in a zone reaches both edges of its picture, of `edge` pixels, which hold some of the paper around.
    """
    head, foot = dark[:edge].max(axis=0) >= INKED, dark[-edge:].max(axis=0) >= INKED
    if not head.any() or not foot.any():
        return dark
    tops, bottoms = _middles(head), _middles(foot)
    if not len(tops) or not len(bottoms):
        return dark
    top, bottom = np.nonzero(abs(tops[:, None] - bottoms) <= LEAN)
    if not len(top):
        return dark
    paths = tops[top, None] + (bottoms[bottom] - tops[top])[:, None] * _share(len(dark))
    x, width, rows = np.rint(paths).astype(np.intp), dark.shape[1], np.arange(len(dark))
    near = np.minimum(np.maximum(x + _BESIDE, 0), width - 1)
    dark_rows = (dark[rows, near].max(axis=0) >= INKED).sum(axis=1)
    cleaned = dark
    for path in x[dark_rows >= WHOLE * len(dark)]:
        if cleaned is dark:
            cleaned = dark.copy()
        around = rows[:, None], np.minimum(np.maximum(path[:, None] + _AROUND, 0), width - 1)
        cleaned[around] = _seen_through(cleaned[around])
    return cleaned


def _seen_through(band: Grey) -> Grey:
    """The rows of a band along a streak without it, nor what little stands alone at its sides."""
    usual = int(len(band) * USUAL)
    printed = np.partition(band, usual, axis=0)[usual].astype(np.float32)
    printed[1:-1] = np.maximum(np.maximum(printed[:-2], printed[1:-1]), printed[2:])  # it is not quite straight
    middle = slice(REACH - 1, REACH + 2)
    printed[middle] = np.partition(band[:, middle].max(axis=1), usual)[usual]
    aside = REACH - HALF_WIDTH
    darkened = aside + np.flatnonzero(printed[aside:-aside] >= UNSEEN)
    if not len(darkened):
        return band
    first, last = darkened[0], darkened[-1]
    inside = band[:, first : last + 1].astype(np.float32)
    level = printed[first : last + 1] + GRAIN
    through = np.minimum(np.maximum(inside - level, 0) * (255 / np.maximum(255 - level, 40)), inside)
    left, right = band[:, [first - BESIDE - 1]], band[:, [last + BESIDE + 1]]
    bridged = np.minimum(band[:, [first - 1]], band[:, [last + 1]])
    seen = band.copy()
    seen[:, first : last + 1] = np.minimum(bridged, inside) if level.max() > OPAQUE else through
    for columns, beyond in ((slice(first - BESIDE, first), left), (slice(last + 1, last + 1 + BESIDE), right)):
        seen[:, columns] = np.minimum(band[:, columns], beyond)
    return seen


@lru_cache(maxsize=64)
def _share(height: int) -> NDArray[np.float64]:
    """How far down each row of a picture is, from 0 to 1."""
    return np.linspace(0, 1, height)


def _middles(inked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The middle of each run of inked columns no wider than WIDEST."""
    runs = [run.span() for run in _RUNS.finditer(inked.tobytes())]
    return np.array([(first + end - 1) // 2 for first, end in runs if end - first <= WIDEST], dtype=np.intp)

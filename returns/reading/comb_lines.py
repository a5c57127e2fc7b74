"""Taking the printed lines of combs away, so that only what was written is left."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from returns.reading.comb_strips import MARGIN_MM, Places
from returns.reading.pixels import PIXELS_PER_MM, Grey

DRIFT = 5  # pixels: how far the printed lines may be from where the registration puts them (0.6 mm)
BAND = 2  # pixels on each side of a printed line that hold its print
SAMPLING = 3  # one pixel in so many along a printed line measures its darkness
BESIDE = 4  # pixels from a line, where paper is seen

_SHIFTS = np.arange(-DRIFT, DRIFT + 1)
_AROUND = np.arange(-BAND - 1, BAND + 2)
Darkness = NDArray[np.float32]


def without_lines(dark: Grey, places: Places) -> Grey:
    """The darkness (0 paper, 255 ink) of a strip of combs without their frames and dividers, found near their places.

    What a line looks like is measured where nobody wrote.
    """
    margin = MARGIN_MM * PIXELS_PER_MM
    dividers, edges = places.dividers(margin) - 0.5, np.array([margin, len(dark) - margin]) - 0.5
    across = np.asarray(cv2.reduce(dark, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F), dtype=np.float32).ravel()
    down = np.concatenate(
        [cv2.reduce(dark[:, first:end], 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() for first, end in places.spans]
    )
    combs = np.arange(len(places.cells))
    sides = len(dark) * combs.repeat(2)  # where the rows of each comb begin in `down`, for both its edges
    drifts = _drifts(across, dividers, places.owners, places.limits)
    falls = _drifts(down, np.tile(edges, len(combs)), combs.repeat(2), (sides, sides + len(dark) - 1))
    cleaned = _without_columns(dark, dividers + drifts[places.owners], places)
    _remove_rows(cleaned, edges + falls[:, None], places)
    return cleaned


def _drifts(
    profile: Darkness,
    lines: NDArray[np.float64],
    owners: NDArray[np.intp],
    limits: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> NDArray[np.intp]:
    """For each comb, the shift (pixels) that best puts its lines on what is dark in the profile.

    `limits` are, for each line, the first and the last place of its comb in the profile; lines are told from the first.
    """
    first, last = limits
    reached = first + np.round(lines).astype(int) + _SHIFTS[:, None]
    reached = np.minimum(np.maximum(reached, first + 1), last - 1)
    beside = profile[np.maximum(reached - BESIDE, first)] + profile[np.minimum(reached + BESIDE, last)]
    dark = np.minimum(np.maximum(profile[reached] - beside / 2, 0), 60)
    counts = np.bincount(owners)
    seen = np.add.reduceat(dark, counts.cumsum() - counts, axis=1) / counts - 0.4 * np.abs(_SHIFTS)[:, None]
    return np.where(seen.max(axis=0) > 3, _SHIFTS[seen.argmax(axis=0)], 0)


def _without_columns(dark: Grey, lines: NDArray[np.float64], places: Places) -> Grey:
    """The strip without the printed vertical lines.

    A line's own darkness is its median over the height, and where it is drawn only in part (ticks) the usual darkness
    of all lines of its comb at that height.
    """
    first, last = places.limits
    at = (first + np.round(lines).astype(int))[:, None] + _AROUND
    at = np.minimum(np.maximum(at, first[:, None]), last[:, None])
    turned = np.asarray(cv2.transpose(dark), dtype=np.uint8)
    around = turned[at]  # lines x (band and one pixel on each side) x height
    printed = np.repeat(_median_along(around[:, 1:-1]), len(dark), axis=2)
    drawn = np.array(places.cells)[places.owners] + 1
    for count in set(drawn[drawn >= 4].tolist()):
        alike = drawn == count
        bands = around[alike, 1:-1].reshape(-1, count, 2 * BAND + 1, len(dark))
        usual = int(count * 0.35)
        ranked = np.partition(bands, usual, axis=1)[:, usual, None].repeat(count, axis=1)
        printed[alike] = np.maximum(printed[alike], ranked.reshape(-1, *ranked.shape[2:]))
    turned[at[:, 1:-1]] = _seen_through(around, printed)
    return np.asarray(cv2.transpose(turned), dtype=np.uint8)


def _remove_rows(dark: Grey, lines: NDArray[np.float64], places: Places) -> None:
    """Take the printed horizontal lines away, in place; `lines` holds the two of each comb."""
    at = np.round(lines).astype(int)[:, :, None] + _AROUND
    at = np.minimum(np.maximum(at, 0), len(dark) - 1)
    around = np.empty((*at.shape[1:], dark.shape[1]), dtype=np.uint8)
    printed = np.empty((at.shape[1], 2 * BAND + 1, dark.shape[1]), dtype=np.uint8)
    for (first, end), rows in zip(places.spans, at, strict=True):
        around[:, :, first:end] = dark[rows, first:end]
        printed[:, :, first:end] = _median_along(around[:, 1:-1, first:end])
    seen = _seen_through(around, printed)
    for (first, end), rows in zip(places.spans, at, strict=True):
        dark[rows[:, 1:-1], first:end] = seen[:, :, first:end]


def _median_along(bands: Grey) -> Grey:
    """The median of each band along its line (the last axis), from one pixel in SAMPLING."""
    sampled = bands[:, :, ::SAMPLING]
    middle = sampled.shape[2] // 2
    return np.asarray(np.partition(sampled, middle, axis=2)[:, :, middle, None])


def _seen_through(around: Grey, printed: Grey) -> Grey:
    """What is written across printed lines: lines x (band and one pixel on each side) x along.

    What is darker than the line is ink across it and keeps its full darkness; where the line is nearly black nothing
    can be seen through it, and ink is kept where it stands on both sides.
    """
    bands = around[:, 1:-1]
    line = np.where(printed < 12, np.float32(0), printed + np.float32(10))  # some more than the print, for its noise
    through = np.maximum(bands - line, 0) * (np.float32(255) / np.maximum(255 - line, 40))
    seen = np.minimum(through, bands)
    opaque = line > 150
    if opaque.any():
        bridged = np.minimum(around[:, :1], around[:, -1:])
        seen = np.where(opaque, np.minimum(bridged, bands), seen)
    return np.asarray(seen.astype(np.uint8))

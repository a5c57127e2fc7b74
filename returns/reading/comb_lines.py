"""Taking the printed lines of a comb away, so that only what was written is left."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from returns.reading.pixels import PIXELS_PER_MM, Grey

MARGIN_MM = 1.2  # kept around the comb: strokes overshoot, and paper must be seen
DRIFT = 5  # pixels: how far the printed lines may be from where the registration puts them (0.6 mm)
BAND = 2  # pixels on each side of a printed line that hold its print
SAMPLING = 3  # one row in so many measures the darkness of a printed line
BESIDE = 4  # pixels from a line, where paper is seen

_SHIFTS = np.arange(-DRIFT, DRIFT + 1)


def without_lines(dark: Grey, cells: int) -> Grey:
    """The darkness (0 paper, 255 ink) without the comb's frame and dividers, found near their places.

    What a line looks like is measured where nobody wrote.
    """
    height, width = dark.shape
    margin = MARGIN_MM * PIXELS_PER_MM
    pitch = (width - 2 * margin) / cells
    dividers = margin + pitch * np.arange(cells + 1) - 0.5
    edges = np.array([margin, height - margin]) - 0.5
    cleaned = dark.copy()
    _remove_columns(cleaned, dividers + _drift(dark, dividers))
    _remove_columns(cleaned.T, edges + _drift(dark.T, edges))
    return cleaned


def _drift(dark: Grey, places: NDArray[np.floating]) -> int:
    """The shift, in pixels, that best puts `places` on the dark columns."""
    profile = np.asarray(cv2.reduce(dark, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F), dtype=np.float32).ravel()
    last = len(profile) - 1
    reached = np.minimum(np.maximum(np.round(places).astype(int) + _SHIFTS[:, None], 1), last - 1)
    beside = profile[np.maximum(reached - BESIDE, 0)] + profile[np.minimum(reached + BESIDE, last)]
    lines = np.minimum(np.maximum(profile[reached] - beside / 2, 0), 60)
    seen = lines.mean(axis=1) - 0.4 * np.abs(_SHIFTS)
    best = int(seen.argmax())
    return int(_SHIFTS[best]) if seen[best] > 3 else 0


def _remove_columns(dark: Grey, places: NDArray[np.floating]) -> None:
    """Take printed vertical lines away, in place.

    A line's own darkness is its median over the height, and where it is drawn only in part (ticks) the usual darkness
    of all lines at that height. What is darker than the line is ink across it and keeps its full darkness; where the
    line is nearly black nothing can be seen through it, and ink is kept where it stands on both sides.
    """
    last = dark.shape[1] - 1
    at = np.round(places).astype(int)[:, None] + np.arange(-BAND - 1, BAND + 2)
    at = np.minimum(np.maximum(at, 0), last)
    around = dark[:, at].astype(np.float32)  # height x lines x (band and one pixel on each side)
    bands = around[:, :, 1:-1]
    sampled = bands[::SAMPLING]
    middle = len(sampled) // 2
    printed = np.partition(sampled, middle, axis=0)[middle][None]
    if len(places) >= 4:
        usual = int(len(places) * 0.35)
        printed = np.maximum(printed, np.partition(bands, usual, axis=1)[:, usual, None])
    printed = np.where(printed < 12, np.float32(0), printed + 10)  # some more than the print, for its noise
    through = np.maximum(bands - printed, 0) * (np.float32(255) / np.maximum(255 - printed, 40))
    seen = np.minimum(through, bands)
    opaque = printed > 150
    if opaque.any():
        bridged = np.minimum(around[:, :, :1], around[:, :, -1:])
        seen = np.where(opaque, np.minimum(bridged, bands), seen)
    dark[:, at[:, 1:-1]] = seen.astype(np.uint8)

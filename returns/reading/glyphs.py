"""Characters laid out as the recogniser was trained: longest side 20 of 28, centre of mass in the middle, ink 255."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from returns.reading.pixels import Grey

GLYPH = 28
GLYPH_BODY = 20
# What sums a glyph's pixels, and their columns and rows weighed by them.
_MOMENTS = np.stack([np.ones((GLYPH, GLYPH)), *np.indices((GLYPH, GLYPH))[::-1]]).reshape(3, -1).T.astype(np.float32)


def normalised(strokes: Grey) -> Grey:
    """The glyph of one character: `strokes` (dark = 255, cut to its ink) fitted in 28 x 28. Training uses this too."""
    return laid_out([strokes])[0]


def laid_out(characters: Sequence[Grey]) -> list[Grey]:
    """The glyphs of so many characters, as `normalised` makes each."""
    if not characters:
        return []
    cornered = np.zeros((len(characters), GLYPH, GLYPH), dtype=np.uint8)
    sizes = []
    for corner, strokes in zip(cornered, characters, strict=True):
        height, width = strokes.shape
        scale = GLYPH_BODY / max(height, width)
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        shrunk = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        corner[:height, :width] = cv2.resize(strokes, (width, height), interpolation=shrunk)
        sizes.append((width, height))
    sums = (cornered.reshape(len(cornered), -1).astype(np.float32) @ _MOMENTS).astype(np.float64)
    middles = sums[:, 1:] / np.maximum(sums[:, :1], 1.0)
    shifts = np.rint((GLYPH - 1) / 2 - middles).clip(0, GLYPH - np.array(sizes)).astype(int).tolist()
    glyphs = np.zeros_like(cornered)
    for glyph, corner, (width, height), (left, top) in zip(glyphs, cornered, sizes, shifts, strict=True):
        glyph[top : top + height, left : left + width] = corner[:height, :width]
    return list(glyphs)

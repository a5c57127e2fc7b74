"""Upright pictures cut from a page, whichever way it lies."""

from __future__ import annotations

import cv2
import numpy as np

from campaigns.paper_form.zones import Box
from returns.reading.pixels import PIXELS_PER_MM, Grey, Matrix


def size_of(box: Box, margin: float, scale: float = PIXELS_PER_MM) -> tuple[int, int]:
    """The width and height, in pixels, of the picture of `box` (mm) and `margin` mm around it."""
    return round((box.w + 2 * margin) * scale), round((box.h + 2 * margin) * scale)


def cut(
    grey: Grey,
    matrix: Matrix,
    box: Box,
    *,
    margin: float = 0.0,
    scale: float = PIXELS_PER_MM,
    into: Grey | None = None,
) -> Grey:
    """The upright picture of `box` (mm) and `margin` mm around it, at `scale` pixels per millimetre.

    It is written `into` a picture of that size, where one is given.
    """
    shrink = 1.0 / scale
    placing = np.array(
        [[shrink, 0.0, box.x - margin + shrink / 2], [0.0, shrink, box.y - margin + shrink / 2], [0.0, 0.0, 1.0]]
    )
    picture = cv2.warpPerspective(
        grey,
        matrix @ placing,
        size_of(box, margin, scale),
        into,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(255,),
    )
    return np.asarray(picture, dtype=np.uint8)

"""The array every step works on, and the scale it is sampled at."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]  # height x width, 0 black to 255 white
Matrix = NDArray[np.float64]  # 3 x 3 homography
Points = NDArray[np.float64]  # n x 2, x then y

PIXELS_PER_MM = 8  # of the upright patches cut from a page: 203 dpi, about what scanners deliver
MM_PER_INCH = 25.4


def grey_level(image: Grey, share: float) -> int:
    """The grey level below which `share` (0 to 1) of the pixels lie."""
    counts = cv2.calcHist([image], [0], None, [256], (0, 256)).ravel().cumsum()
    return int(counts.searchsorted(share * counts[-1]))


def quartered(image: Grey) -> Grey:
    """`image` reduced to a quarter of its sides, every pixel the mean of sixteen."""
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(half, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def darkness(image: Grey, paper: int, ink: int) -> Grey:
    """`image` turned round and stretched: 0 at the `paper` level or above, 255 at the `ink` level or below."""
    return np.asarray(cv2.LUT(image, _stretching(paper, max(paper - ink, 20))), dtype=np.uint8)


@lru_cache(maxsize=4096)
def _stretching(paper: int, span: int) -> Grey:
    return np.clip((paper - np.arange(256)) * 255.0 / span, 0, 255).astype(np.uint8)

"""The array every step works on, and the scale it is sampled at."""

from __future__ import annotations

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
    return int(np.searchsorted(counts, share * counts[-1]))


def darkness(image: Grey, paper: int, ink: int) -> Grey:
    """`image` turned round and stretched: 0 at the `paper` level or above, 255 at the `ink` level or below."""
    span = max(paper - ink, 20)
    table = np.clip((paper - np.arange(256)) * 255.0 / span, 0, 255).astype(np.uint8)
    return table[image]

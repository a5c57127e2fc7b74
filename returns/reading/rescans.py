"""Whether two scans show one and the same sheet: what is written on both falls in the same place, stroke upon stroke.

Nobody writes twice the same thing at the same place to a third of a millimetre; a scanner does. Where every stroke of
each scan has its like on the other, the two say the same, whatever hand wrote them: nothing is lost by reading one.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from campaigns.paper_form.zones import Box
from returns.reading.cutting import cut
from returns.reading.pixels import PIXELS_PER_MM, Grey, Matrix, grey_level
from returns.reading.streaks import without_streaks

BLACK = 30  # grey level of full ink
FAINT, SURE = 0.25, 0.5  # share of the way from paper to ink where ink may be, where it surely is
AROUND_MM = 1.0  # seen around each field
REACH = 3  # pixels (0.38 mm): how far apart the same stroke may fall on two scans
WINDOW = 4 * PIXELS_PER_MM  # side of the square, in pixels, over which strokes without their like are added up
STRANGE_MM2 = 0.4  # of strokes without their like in one window: the sheets differ (28 pages: 0.5 and more rewritten)
_NEAR = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
Scan = tuple[Grey, Matrix]


def same_writing(one: Scan, other: Scan, boxes: Sequence[Box]) -> bool:
    """Whether the strokes in these fields are the same on both scans, each given with its map from millimetres.

    A streak or a stain on one of them makes them differ: a sheet wrongly told anew costs some keying, one wrongly told
    the same would lose an answer.
    """
    return all(strangeness(one, other, box) < STRANGE_MM2 for box in boxes)


def strangeness(one: Scan, other: Scan, box: Box) -> float:
    """The most ink, in square millimetres of one window, that one scan of the field shows and the other does not."""
    pictures = [_darkness(*scan, box) for scan in (one, other)]
    return max(_unmatched(*pictures), _unmatched(*reversed(pictures)))


def _unmatched(shown: Grey, other: Grey) -> float:
    near = cv2.dilate((other >= round(255 * FAINT)).astype(np.uint8), _NEAR)
    alone = ((shown >= round(255 * SURE)) & (near == 0)).astype(np.float32)
    summed = cv2.boxFilter(alone, -1, (WINDOW, WINDOW), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return float(summed.max()) / PIXELS_PER_MM**2


def _darkness(grey: Grey, matrix: Matrix, box: Box) -> Grey:
    """The field, 0 where paper and 255 where ink, without the scanner's streaks."""
    picture = cut(grey, matrix, box, margin=AROUND_MM)
    paper = grey_level(picture, 0.8)
    dark = (paper - picture.astype(np.float32)) * (255.0 / max(paper - BLACK, 50))
    return without_streaks(dark.clip(0, 255).astype(np.uint8))

"""The last proof of a registration: the printed frames of some boxes, far apart, stand where the form puts them.

Where a corner mark is missing, or may be none, nothing else tells how the sheet leans towards it: combs and signature
frames, which stand where there are few boxes, are looked at too (their lines are paler, and a 1-bit scan may have lost
them), and what stands nearest to that corner must be in place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from campaigns.paper_form.zones import Box, FormLayout, ZoneKind
from returns.reading.cutting import cut, size_of
from returns.reading.pixels import PIXELS_PER_MM, Grey, Matrix

REACH_MM = 0.65  # how far a side of a frame may be from its place
CONTRAST = 14  # grey levels between a side and what lies on both sides of it
ALONG = 0.75  # share of its length where a side must be dark: print beside the box is not
SIDES = 3  # of four, that show a frame: ticks overshoot and streaks hide
AGREEING = 0.6  # share of the frames looked at that must be in place
AGREEING_ALONE = 0.85  # the same where a mark is missing
PALE = (ZoneKind.COMB, ZoneKind.SIGNATURE)
SOMEWHERE_MM = 3.0  # how far around its place a pale frame is looked for, to know whether it shows at all


def frames_in_place(grey: Grey, matrix: Matrix, layout: FormLayout, page: int, *, unproved: Sequence[Box] = ()) -> bool:
    """Whether most of the frames looked at are in place; true where the page has none to look at.

    `unproved`: the corner marks that are missing or in doubt. Almost all frames must then be in place, the nearest to
    each of these marks in any case.
    """
    boxes = outermost(tuple(zone.box for zone in layout.on_page(page) if zone.kind is ZoneKind.BOX))
    pale = outermost(tuple(zone.box for zone in layout.on_page(page) if zone.kind in PALE)) if unproved else ()
    in_place = dict(zip(boxes + pale, _framed(grey, matrix, boxes + pale), strict=True))
    if not all(in_place[_nearest(mark, in_place)] for mark in unproved if in_place):
        return False
    shown = tuple(compress(pale, _framed(grey, matrix, pale, reach_mm=SOMEWHERE_MM)))
    wanted = AGREEING_ALONE if unproved else AGREEING
    kinds = [[in_place[box] for box in each] for each in (boxes, shown) if each]
    return all(float(np.mean(seen)) >= wanted for seen in kinds) if kinds else not unproved


def _nearest(mark: Box, frames: Iterable[Box]) -> Box:
    """The frame with a side nearest to a corner mark."""
    x, y = mark.x + mark.w / 2, mark.y + mark.h / 2
    return min(frames, key=lambda box: math.hypot(max(box.x - x, x - box.right, 0), max(box.y - y, y - box.bottom, 0)))


@lru_cache(maxsize=256)
def outermost(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    """Up to eight boxes, those farthest towards the corners and the sides."""
    ways = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)]
    chosen = {max(boxes, key=lambda box: box.x * x + box.y * y) for x, y in ways} if boxes else set()
    return tuple(sorted(chosen, key=lambda box: (box.y, box.x)))


def _framed(grey: Grey, matrix: Matrix, boxes: Sequence[Box], *, reach_mm: float = REACH_MM) -> list[bool]:
    """Whether each box shows its frame. Those of one size are looked at together."""
    margin = 2 * reach_mm
    edge, reach = round(margin * PIXELS_PER_MM), round(reach_mm * PIXELS_PER_MM)
    framed: dict[Box, bool] = {}
    for size in {size_of(box, margin) for box in boxes}:
        alike = [box for box in boxes if size_of(box, margin) == size]
        pictures = np.empty((len(alike), size[1], size[0]), dtype=np.uint8)
        for box, picture in zip(alike, pictures, strict=True):
            cut(grey, matrix, box, margin=margin, into=picture)
        upright, lying = _sides(pictures, edge, reach), _sides(pictures.transpose(0, 2, 1), edge, reach)
        framed.update(zip(alike, (upright + lying >= SIDES).tolist(), strict=True))
    return [framed[box] for box in boxes]


def _sides(pictures: NDArray[np.uint8], edge: int, reach: int) -> NDArray[np.int64]:
    """How many of its left and right sides (0 to 2) each picture shows `edge` pixels from its edge, `reach` around.

    A side is a column darker than those around it along most of its height.
    """
    beside = np.arange(-reach, reach + 1)
    columns = np.concatenate([edge + beside, pictures.shape[2] - 1 - edge + beside])
    lines = pictures[:, edge + 4 : -edge - 4, columns]
    rank = round(ALONG * (lines.shape[1] - 1))
    levels = np.partition(lines, rank, axis=1)[:, rank].reshape(len(pictures), 2, -1).astype(np.int64)
    levels.sort(axis=2)
    return np.asarray((levels[:, :, reach] - levels[:, :, 0] >= CONTRAST).sum(axis=1))

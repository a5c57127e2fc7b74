"""The last proof of a registration: the printed frames of some boxes, far apart, stand where the form puts them.

Where a corner mark is missing, nothing else tells how the sheet leans towards it: combs and signature frames, which
stand where there are few boxes, are looked at too; their lines are paler, and a 1-bit scan may have lost them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from campaigns.paper_form.zones import Box, FormLayout, ZoneKind
from returns.reading.cutting import cut
from returns.reading.pixels import PIXELS_PER_MM, Grey, Matrix

REACH_MM = 0.65  # how far a side of a frame may be from its place
CONTRAST = 14  # grey levels between a side and what lies on both sides of it
ALONG = 0.75  # share of its length where a side must be dark: print beside the box is not
SIDES = 3  # of four, that show a frame: ticks overshoot and streaks hide
AGREEING = 0.6  # share of the frames looked at that must be in place
AGREEING_ALONE = 0.85  # the same where a mark is missing
PALE = (ZoneKind.COMB, ZoneKind.SIGNATURE)
SOMEWHERE_MM = 3.0  # how far around its place a pale frame is looked for, to know whether it shows at all


def frames_in_place(grey: Grey, matrix: Matrix, layout: FormLayout, page: int, *, alone: bool = False) -> bool:
    """Whether most of the frames looked at are in place; true where the page has none to look at.

    `alone`: a corner mark is missing, so that almost all must be, and that there must be some.
    """
    boxes = outermost(tuple(zone.box for zone in layout.on_page(page) if zone.kind is ZoneKind.BOX))
    pale = outermost(tuple(zone.box for zone in layout.on_page(page) if zone.kind in PALE)) if alone else ()
    pale = tuple(box for box in pale if _framed(grey, matrix, box, reach_mm=SOMEWHERE_MM))
    wanted = AGREEING_ALONE if alone else AGREEING
    kinds = [[_framed(grey, matrix, box) for box in each] for each in (boxes, pale) if each]
    return all(float(np.mean(seen)) >= wanted for seen in kinds) if kinds else not alone


@lru_cache(maxsize=256)
def outermost(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    """Up to eight boxes, those farthest towards the corners and the sides."""
    ways = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)]
    chosen = {max(boxes, key=lambda box: box.x * x + box.y * y) for x, y in ways} if boxes else set()
    return tuple(sorted(chosen, key=lambda box: (box.y, box.x)))


def _framed(grey: Grey, matrix: Matrix, box: Box, *, reach_mm: float = REACH_MM) -> bool:
    margin = 2 * reach_mm
    picture = cut(grey, matrix, box, margin=margin)
    edge, reach = round(margin * PIXELS_PER_MM), round(reach_mm * PIXELS_PER_MM)
    across = _level(picture[edge + 4 : -edge - 4])
    down = _level(picture[:, edge + 4 : -edge - 4].T)
    seen = [_side(profile, at, reach) for profile in (across, down) for at in (edge, len(profile) - 1 - edge)]
    return sum(seen) >= SIDES


def _level(lines: Grey) -> NDArray[np.int64]:
    """For each column, the grey under which ALONG of its pixels lie."""
    rank = round(ALONG * (len(lines) - 1))
    return np.asarray(np.partition(lines, rank, axis=0)[rank], dtype=np.int64)


def _side(profile: NDArray[np.int64], at: int, reach: int) -> bool:
    """Whether a dark line crosses the profile within `reach` pixels of `at`."""
    near = profile[at - reach : at + reach + 1]
    return bool(np.sort(near)[reach] - near.min() >= CONTRAST)

"""The last proof of a registration: the printed frames of some boxes, far apart, stand where the form puts them."""

from __future__ import annotations

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
AGREEING_ALONE = 0.85  # the same where a mark is missing: nothing else tells how the sheet leans towards it


def frames_in_place(grey: Grey, matrix: Matrix, layout: FormLayout, page: int, *, alone: bool = False) -> bool:
    """Whether most of the frames looked at are in place; true where the page has no box to look at.

    `alone`: a corner mark is missing, so that almost all must be.
    """
    boxes = outermost([zone.box for zone in layout.on_page(page) if zone.kind is ZoneKind.BOX])
    if not boxes:
        return True
    share = float(np.mean([_framed(grey, matrix, box) for box in boxes]))
    return share >= (AGREEING_ALONE if alone else AGREEING)


def outermost(boxes: list[Box]) -> list[Box]:
    """Up to eight boxes, those farthest towards the corners and the sides."""
    ways = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)]
    chosen = {max(boxes, key=lambda box: box.x * x + box.y * y) for x, y in ways} if boxes else set()
    return sorted(chosen, key=lambda box: (box.y, box.x))


def _framed(grey: Grey, matrix: Matrix, box: Box) -> bool:
    margin = 2 * REACH_MM
    picture = cut(grey, matrix, box, margin=margin)
    edge = round(margin * PIXELS_PER_MM)
    across = _level(picture[edge + 4 : -edge - 4])
    down = _level(picture[:, edge + 4 : -edge - 4].T)
    seen = [_side(profile, at) for profile in (across, down) for at in (edge, len(profile) - 1 - edge)]
    return sum(seen) >= SIDES


def _level(lines: Grey) -> NDArray[np.int64]:
    """For each column, the grey under which ALONG of its pixels lie."""
    rank = round(ALONG * (len(lines) - 1))
    return np.asarray(np.partition(lines, rank, axis=0)[rank], dtype=np.int64)


def _side(profile: NDArray[np.int64], at: int) -> bool:
    """Whether a dark line crosses the profile within REACH_MM of `at`."""
    reach = round(REACH_MM * PIXELS_PER_MM)
    near = profile[at - reach : at + reach + 1]
    return bool(np.sort(near)[reach] - near.min() >= CONTRAST)

"""Finding the 2D code of a page: what it says, where it stands, which way the sheet was turned."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
import zxingcpp

from campaigns.paper_form.page_code import PageCode, UnreadablePageCode, parse
from returns.reading.pixels import Grey, Points, grey_level

CORNER_SHARES = (0.42, 0.24)  # of the page's width and height: where the code stands, and some more
STRAIGHT_SHARES = (0.27, 0.14)  # the same of a sheet that was fed straight
BLOCK = 8  # pixels: what zxing-cpp looks at together to tell black from white, from the corner of what it is given
QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
BLANK_SHARE = 0.0006  # of the page's surface: a short handwritten line covers about 0.001
BLANK_MARGIN = 0.035  # edges of the sheet are left out: shadows and punched holes live there
ROOM_FOR_TWO = 340  # surface of an image over that of the code: an A4 sheet makes 190 to 245
STREAK = 4  # pixels: streaks are thinner, and modules (0.64 mm) wider at 200 dpi
SMALL_PAGE = 1300  # pixels of width under which the page is enlarged before a last search (about 150 dpi)


class Refusal(StrEnum):
    """Why a page was not read as one of our forms."""

    BLANK = "blank"
    NO_CODE = "no_code"
    FOREIGN_CODE = "foreign_code"
    SEVERAL_CODES = "several_codes"
    UNKNOWN_LAYOUT = "unknown_layout"
    NOT_REGISTERED = "not_registered"

    @property
    def label(self) -> str:
        """What people read."""
        return _LABELS[self]


_LABELS = {
    Refusal.BLANK: "Page blanche",
    Refusal.NO_CODE: "Aucun code de page lisible",
    Refusal.FOREIGN_CODE: "Code étranger à nos formulaires",
    Refusal.SEVERAL_CODES: "Plusieurs codes de page sur la même image",
    Refusal.UNKNOWN_LAYOUT: "Maquette inconnue",
    Refusal.NOT_REGISTERED: "Repères de calage introuvables ou incohérents",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A page refused: the reason, and the text of the code where there was one."""

    reason: Refusal
    code_text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FoundCode:
    """A page code read: its four corners in pixels (top left, top right, bottom right, bottom left *of the code*)."""

    code: PageCode
    corners: Points

    @property
    def angle(self) -> float:
        """How far the sheet is turned, clockwise degrees in ]-180, 180]."""
        across = self.corners[1] - self.corners[0] + self.corners[2] - self.corners[3]
        return math.degrees(math.atan2(across[1], across[0]))

    @property
    def rotation(self) -> int:
        """The same by quarter turns: 0, 90, 180 or 270."""
        return round(self.angle / 90) % 4 * 90


def find_page_code(grey: Grey) -> FoundCode | Refused:
    """The page code of a page lying any way round; a page without one is told blank from not blank.

    The corner where the code is expected is searched first, then the three others, then the whole page.
    """
    foreign = ""
    for search in (_in_corners, _in_page, _in_page_restored):
        if search is _in_page and is_blank(grey):
            return Refused(Refusal.BLANK)
        found = search(grey)
        ours = {each.code: each for each in found if isinstance(each, FoundCode)}
        if len(ours) > 1:
            return Refused(Refusal.SEVERAL_CODES, " ".join(sorted(str(code) for code in ours)))
        if ours:
            return _alone(grey, next(iter(ours.values())), searched=search is not _in_corners)
        foreign = foreign or next((each for each in found if isinstance(each, str)), "")
    return Refused(Refusal.FOREIGN_CODE, foreign) if foreign else Refused(Refusal.NO_CODE)


def _alone(grey: Grey, found: FoundCode, *, searched: bool) -> FoundCode | Refused:
    """The code found, unless the image is larger than its sheet and shows another sheet beside it."""
    side = float(np.linalg.norm(found.corners - np.roll(found.corners, 1, axis=0), axis=1).mean())
    if searched or grey.size < ROOM_FOR_TWO * side**2:
        return found
    codes = {str(each.code) for each in _in_page(grey) if isinstance(each, FoundCode)} | {str(found.code)}
    return found if len(codes) == 1 else Refused(Refusal.SEVERAL_CODES, " ".join(sorted(codes)))


def is_blank(grey: Grey) -> bool:
    """Whether the page bears nothing: no ink but specks, scanner lines and what lies along the edges."""
    small = cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    top, left = (max(2, round(side * BLANK_MARGIN)) for side in small.shape)
    inner = np.asarray(small[top:-top, left:-left], dtype=np.uint8)
    paper = grey_level(inner, 0.6)
    inked = inner < max(paper - 45, 30)
    columns, rows = inked.mean(axis=0) < 0.5, inked.mean(axis=1) < 0.5  # a scanner line is no writing
    return bool(inked[np.ix_(rows, columns)].sum() < BLANK_SHARE * inked.size)


def _in_corners(grey: Grey) -> list[FoundCode | str]:
    """The codes of the first corner that shows ours: the expected one, close by, then as it is, then each reduced."""
    height, width = grey.shape
    w, h = (round(side * share) for side, share in zip((width, height), CORNER_SHARES, strict=True))
    corners = ((width - w, 0), (0, height - h), (width - w, height - h), (0, 0))
    aside = (w - round(width * STRAIGHT_SHARES[0])) // BLOCK * BLOCK  # black and white are then told as in the corner
    straight = (width - w + aside, 0), (w - aside, round(height * STRAIGHT_SHARES[1])), False
    searches = (straight, (corners[0], (w, h), False), *((corner, (w, h), True) for corner in corners))
    for (x, y), (wide, high), reduced in searches:
        found = _read(grey[y : y + high, x : x + wide], offset=(x, y), reduced=reduced)
        if any(isinstance(each, FoundCode) for each in found):
            return found
    return []


def _in_page(grey: Grey) -> list[FoundCode | str]:
    return _read(grey, offset=(0, 0))


def _in_page_restored(grey: Grey) -> list[FoundCode | str]:
    """Last search: coarse pages enlarged, broken 1-bit modules closed by a blur, streaks along either way wiped out."""
    scale = 2.0 if grey.shape[1] < SMALL_PAGE else 1.0
    for restore in _RESTORATIONS:
        restored = restore(grey)
        if scale != 1.0:
            restored = cv2.resize(restored, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        found = _read(np.asarray(restored, dtype=np.uint8), offset=(0, 0), scale=scale)
        if any(isinstance(each, FoundCode) for each in found):
            return found
    return []


def _closed(page: Grey, size: tuple[int, int]) -> Any:
    """The page without its dark lines thinner than `size` (height, width)."""
    return cv2.morphologyEx(page, cv2.MORPH_CLOSE, np.ones(size, np.uint8))


_RESTORATIONS: tuple[Callable[[Grey], Any], ...] = (
    lambda page: cv2.GaussianBlur(page, (0, 0), 1.2),
    lambda page: cv2.GaussianBlur(_closed(page, (1, STREAK)), (0, 0), 1.6),
    lambda page: cv2.GaussianBlur(_closed(page, (STREAK, 1)), (0, 0), 1.6),
)


def _read(grey: Grey, *, offset: tuple[int, int], scale: float = 1.0, reduced: bool = True) -> list[FoundCode | str]:
    """The codes seen in a part of the page, and in the part `reduced`: ours as FoundCode, others as their text."""
    found: list[FoundCode | str] = []
    for barcode in zxingcpp.read_barcodes(
        np.ascontiguousarray(grey), formats=QR, try_invert=False, try_downscale=reduced and scale == 1.0
    ):
        at = barcode.position
        corners = [(p.x, p.y) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)]
        try:
            code = parse(barcode.text)
        except UnreadablePageCode:
            found.append(barcode.text)
        else:
            found.append(FoundCode(code, np.array(corners, dtype=np.float64) / scale + np.array(offset)))
    return found

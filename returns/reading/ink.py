"""Whether something is written: in a zone kept for a person's eyes, or where nothing was asked."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from campaigns.paper_form.zones import PAGE_HEIGHT, PAGE_WIDTH, Box, FormLayout, Shape, Text, Zone, ZoneKind
from returns.reading.combs import without_dust
from returns.reading.cutting import cut
from returns.reading.pixels import PIXELS_PER_MM, Grey, darkness, grey_level, quartered
from returns.reading.registration import Registration
from returns.reading.streaks import without_streaks

INKED = 80  # darkness, of 255, from which a pixel is ink
LINE_INK_MM2 = 1.2  # a short word in ball-point covers 3 mm² and more
SIGNATURE_INK_MM2 = 3.0
SIGNATURE_SPREAD_MM = 5.0
INSET = {ZoneKind.SIGNATURE: 1.2, ZoneKind.LINE: 0.7}  # mm left out along the printed frame or rule

COARSE = 2  # pixels per millimetre of the map of unexpected ink
REGION = Box(16.0, 14.0, 178.0, 268.0)  # outside stand the marks, punched holes and the edges' shadows
STRAY_MM2 = 4.0
STRAY_SPREAD_MM = 4.0
STREAK_MM = 2.0  # wide, once spread by the map's own grain: handwriting is taller than that
AROUND_ZONE_MM = 1.8  # ticks and digits overshoot
AROUND_PRINT_MM = 1.2
POINT_MM = 25.4 / 72
EM_SHARE = 0.6  # mean advance of a character, of its size: on the wide side


def is_written(grey: Grey, registration: Registration, zone: Zone) -> tuple[bool, float]:
    """Whether a line or a signature frame holds writing, and how sure that is."""
    inset = INSET.get(zone.kind, 0.7)
    box = zone.box
    inner = Box(box.x + inset, box.y + inset, box.w - 2 * inset, box.h - 2 * inset)
    picture = cut(grey, registration.matrix, inner)
    paper = grey_level(picture, 0.7)
    dark = without_streaks(darkness(picture, paper, min(registration.ink, paper - 80)))
    area, spread = _extent(dark, INKED)
    if zone.kind is ZoneKind.SIGNATURE:
        return surely_written(area if spread >= SIGNATURE_SPREAD_MM else min(area, 0.5), SIGNATURE_INK_MM2)
    return surely_written(area, LINE_INK_MM2)


def unexpected_ink(grey: Grey, registration: Registration, layout: FormLayout) -> tuple[Box, ...]:
    """Where (mm) something is written outside every zone and every printed text of the page."""
    shrink = np.array([[0.25, 0, -0.375], [0, 0.25, -0.375], [0, 0, 1.0]])
    picture = cut(quartered(grey), shrink @ registration.matrix, REGION, scale=COARSE)
    inked = darkness(picture, grey_level(picture, 0.7), registration.ink) >= INKED * 0.7
    stray = (inked & ~printed_places(layout, registration.code.page)).astype(np.uint8)
    stray = cv2.dilate(stray, np.ones((3, 3), np.uint8))  # type: ignore[assignment]
    outlines, _ = cv2.findContours(stray, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    if not any(_spreads(*cv2.boundingRect(outline)[2:]) for outline in outlines):
        return ()  # specks, streaks and folds only: nothing to measure
    count, _, stats, _ = cv2.connectedComponentsWithStats(stray, connectivity=8, ltype=cv2.CV_16U)
    found = []
    for left, top, width, height, area in stats[1:count].tolist():
        if area >= STRAY_MM2 * COARSE**2 and _spreads(width, height):
            found.append(Box(REGION.x + left / COARSE, REGION.y + top / COARSE, width / COARSE, height / COARSE))
    return tuple(found)


def _spreads(width: int, height: int) -> bool:
    """Whether what is so wide and high on the map may be writing: large enough, and no streak nor fold."""
    large, small = max(width, height), min(width, height)
    return large >= STRAY_SPREAD_MM * COARSE and small > max(STREAK_MM * COARSE, large / 12)


def printed_places(layout: FormLayout, page: int) -> NDArray[np.bool_]:
    """Where REGION holds print or a place to write, at COARSE pixels per millimetre."""
    told = (layout.fingerprint, page, len(layout.texts), len(layout.prefills), len(layout.shapes))
    known = _places().get(told)
    if known is None:
        if len(_places()) > 256:
            _places().clear()
        known = _places()[told] = _painted(layout, page)
    return known


@lru_cache(maxsize=1)
def _places() -> dict[tuple[str, int, int, int, int], NDArray[np.bool_]]:
    return {}


def _painted(layout: FormLayout, page: int) -> NDArray[np.bool_]:
    places = np.zeros((round(REGION.h * COARSE), round(REGION.w * COARSE)), dtype=bool)
    boxes = [_around(zone.box, AROUND_ZONE_MM) for zone in layout.on_page(page)]
    boxes += [_around(layout.page_code, 2 * AROUND_PRINT_MM)]
    boxes += [_around(spot.box, AROUND_PRINT_MM) for spot in layout.prefills if spot.page == page]
    boxes += [_around(_text_box(text), AROUND_PRINT_MM) for text in layout.texts if text.page == page]
    for shape in layout.shapes:
        if shape.page == page:
            boxes += [_around(each, AROUND_PRINT_MM) for each in _shape_boxes(shape)]
    for box in boxes:
        top, bottom = (max(0, round((y - REGION.y) * COARSE)) for y in (box.y, box.bottom))
        left, right = (max(0, round((x - REGION.x) * COARSE)) for x in (box.x, box.right))
        places[top:bottom, left:right] = True
    return places


def _around(box: Box, margin: float) -> Box:
    return Box(box.x - margin, box.y - margin, box.w + 2 * margin, box.h + 2 * margin)


def _text_box(text: Text) -> Box:
    height = text.size * POINT_MM
    width = min(len(text.text) * height * EM_SHARE, PAGE_WIDTH)
    left = {"left": text.x, "right": text.x - width, "center": text.x - width / 2}[text.align]
    return Box(left, text.y - height * 0.85, width, min(height * 1.15, PAGE_HEIGHT))


def _shape_boxes(shape: Shape) -> list[Box]:
    """A frame is its four sides; every other figure is its whole surface."""
    box = shape.box
    if shape.kind != "frame":
        return [box]
    return [
        Box(box.x, box.y, box.w, 0),
        Box(box.x, box.bottom, box.w, 0),
        Box(box.x, box.y, 0, box.h),
        Box(box.right, box.y, 0, box.h),
    ]


def _extent(dark: Grey, least: int) -> tuple[float, float]:
    """The surface of ink in mm², dust left out, and the longest side of what it spans in mm."""
    inked = without_dust(dark, least)
    _, _, width, height = cv2.boundingRect(inked)
    return cv2.countNonZero(inked) / PIXELS_PER_MM**2, max(width, height) / PIXELS_PER_MM


def surely_written(area: float, bound: float) -> tuple[bool, float]:
    """Written or not, from a surface of ink (mm²): surer the farther from the bound."""
    written = area >= bound
    distance = area / bound - 1 if written else 1 - area / bound
    return written, 0.5 + 0.5 * min(1.0, distance * 1.5)

"""Tick boxes, free lines and signatures: how much ink a zone holds, and what that means.

A box is measured inside its printed frame. Thresholds are shares of that inner surface: the bands of doubt between
empty, ticked and blackened send the question to a person (READING §0.2 for the three states; measured again on our own
pens in tests/bench/bench_reading.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from campaigns.paper_form.zones import Box, Zone
from returns.reading.combs import read_comb
from returns.reading.pixels import PIXELS_PER_MM, Grey, darkness, grey_level
from returns.reading.registration import Registration, cut

INSET_MM = 0.55  # the frame and its blur
INK = 110  # darkness, of 255, from which a pixel is written on
EMPTY = 0.025
TICKED = 0.07
BLACKENED = 0.62
STRUCK_OUT = 0.72
SURE, UNSURE = 0.99, 0.4
LEAST_LINE_MM2 = 1.2  # of ink on a free line: a comma is about 0.4
LEAST_SIGNATURE_MM2 = 6.0
RULE_MM = 0.7  # kept away from the printed rule of a line


class Mark(StrEnum):
    """The state of one box."""

    EMPTY = "empty"
    FAINT = "faint"
    TICKED = "ticked"
    HEAVY = "heavy"
    STRUCK_OUT = "struck_out"


@dataclass(frozen=True, slots=True)
class Ticked:
    """What the boxes of one question say: the value ticked alone, or why there is none."""

    value: str | None
    inked: bool
    several: bool
    confidence: float


def coverage(grey: Grey, registration: Registration, box: Box) -> float:
    """The share of the inside of a box that bears ink, 0 to 1."""
    inner = Box(box.x + INSET_MM, box.y + INSET_MM, box.w - 2 * INSET_MM, box.h - 2 * INSET_MM)
    picture = cut(grey, registration.matrix, inner)
    dark = darkness(picture, registration.paper, registration.ink)
    return float((dark >= INK).mean())


def mark_of(share: float) -> Mark:
    """The state that a coverage means."""
    bounds = ((EMPTY, Mark.EMPTY), (TICKED, Mark.FAINT), (BLACKENED, Mark.TICKED), (STRUCK_OUT, Mark.HEAVY))
    return next((mark for bound, mark in bounds if share < bound), Mark.STRUCK_OUT)


def read_boxes(grey: Grey, registration: Registration, zones: Sequence[Zone]) -> Ticked:
    """The boxes of one question, of which one at most may be ticked.

    A blackened box is a correction: it counts as empty beside a ticked one, and as a doubt alone.
    """
    marks = [(zone, mark_of(coverage(grey, registration, zone.box))) for zone in zones]
    ticked = [zone for zone, mark in marks if mark is Mark.TICKED]
    doubtful = [zone for zone, mark in marks if mark in {Mark.FAINT, Mark.HEAVY}]
    struck = [zone for zone, mark in marks if mark is Mark.STRUCK_OUT]
    if len(ticked) > 1:
        return Ticked(None, inked=True, several=True, confidence=0.0)
    if ticked:
        return Ticked(ticked[0].value, inked=True, several=False, confidence=UNSURE if doubtful else SURE)
    if len(doubtful) + len(struck) == 1:
        return Ticked((doubtful + struck)[0].value, inked=True, several=False, confidence=UNSURE)
    if doubtful or struck:
        return Ticked(None, inked=True, several=True, confidence=0.0)
    return Ticked(None, inked=False, several=False, confidence=SURE)


def holds_letters(grey: Grey, registration: Registration, zone: Zone) -> bool:
    """Whether something is written in a comb of capitals."""
    return not read_comb(grey, registration, zone.box, zone.cells).blank


def holds_writing(grey: Grey, registration: Registration, zone: Zone) -> bool:
    """Whether something is written on a free line."""
    inner = Box(zone.box.x, zone.box.y + RULE_MM, zone.box.w, zone.box.h - 2 * RULE_MM)
    return _ink_mm2(grey, registration, inner) >= LEAST_LINE_MM2


def is_signed(grey: Grey, registration: Registration, zone: Zone) -> tuple[bool, float]:
    """Whether a signature frame holds ink enough for one, and how sure that is. Presence only, never whose it is."""
    inner = Box(zone.box.x + 1.2, zone.box.y + 1.2, zone.box.w - 2.4, zone.box.h - 2.4)
    ink = _ink_mm2(grey, registration, inner)
    if LEAST_SIGNATURE_MM2 / 3 < ink < LEAST_SIGNATURE_MM2 * 1.5:
        return ink >= LEAST_SIGNATURE_MM2, UNSURE
    return ink >= LEAST_SIGNATURE_MM2, SURE


def _ink_mm2(grey: Grey, registration: Registration, box: Box) -> float:
    """The surface written on, printed rules and specks of a scanner left aside."""
    picture = cut(grey, registration.matrix, box)
    paper = max(grey_level(picture, 0.7), registration.ink + 40)
    dark = (darkness(picture, paper, registration.ink) >= INK).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8, ltype=cv2.CV_32S)
    kept = 0
    for _left, _top, width, height, area in stats[1:]:
        long_rule = (width > 25 * PIXELS_PER_MM and height <= 4) or (height >= picture.shape[0] - 1 and width <= 4)
        if area >= 10 and not long_rule:
            kept += int(area)
    return kept / PIXELS_PER_MM**2

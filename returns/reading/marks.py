"""Tick boxes: how much of each is inked, how much stays white, what that means, and what a group of boxes says.

Two measures of the inside of a box: the share inked, and the share of clear white, a quarter of a millimetre away from
any ink. Crosses, checks, dashes and blots of thin and thick pens, as scanned at all qualities, ink 0.16 to 0.59 and
leave 0.07 to 0.67 clear; boxes blackened ink 0.88 and more and leave nothing clear (840 boxes of each, measured on
rehearsal pens; real scans in READING §3.3 tick from 0.11). What lies between, or off that line, is a doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from campaigns.paper_form.zones import Box, Zone, ZoneKind
from returns.reading.pixels import PIXELS_PER_MM, Grey
from returns.reading.readings import Alternative, Doubt, ReadField, Value
from returns.reading.registration import Registration
from returns.reading.streaks import without_streaks

EMPTY, TICKED, HEAVY = 0.025, 0.105, 0.62  # share inked: empty under, ticked from, and to. A streak inks 0.09
BLACKENED, NO_CLEAR, CLEAR = 0.62, 0.025, 0.06  # struck out: inked from, clear under. Ticked: clear from
SCRIBBLED = (1.05, 1.45)  # over 1.05 - 1.45 x inked, too much is clear for one stroke: part of the box was blackened
CLEAR_REACH = 2  # pixels (0.25 mm) from ink where clear white begins
INSET_MM = 0.55  # left out along the printed frame
AROUND_MM = 1.0  # seen around the box, to find its frame
DRIFT = 4  # pixels: how far the frame may be from where the registration puts it (0.5 mm)
INK = 0.32  # share of the way from paper to black where ink begins
BESIDE_MM = 0.55  # of what is seen around the box, where only a tick that overshoots or a stain may be
STAINED = 0.23  # share of it inked: 1,700 ticks ink 0.25 at most and one in a thousand as much, coffee 0.24 and more
RULE = 2  # pixels along the edges of a picture where a rule printed beside the box may show
EDGE = 2  # pixels, past it and before the frame, where a streak must show
Pictures = NDArray[np.uint8]  # n x height x width
_AROUND = np.array([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]]])  # mm: a box, and a step to its right and down
_REACH = np.ones((2 * CLEAR_REACH + 1, 2 * CLEAR_REACH + 1), np.uint8)


class BoxState(StrEnum):
    """What one box shows."""

    EMPTY = "empty"
    TICKED = "ticked"
    DOUBTFUL = "doubtful"
    STRUCK_OUT = "struck_out"


@dataclass(frozen=True, slots=True)
class BoxMark:
    """One box measured: its state, the confidence in it, and the share of its inside that is inked."""

    state: BoxState
    confidence: float
    coverage: float


def measure_boxes(grey: Grey, registration: Registration, boxes: Sequence[Box]) -> list[BoxMark]:
    """The mark in each box, all boxes of a page at once.

    What a stain around the box or a streak of the scanner through it may have made is a doubt.
    """
    marks: dict[int, BoxMark] = {}
    sizes = [(round(box.w, 1), round(box.h, 1)) for box in boxes]
    for size in set(sizes):
        chosen = [number for number, each in enumerate(sizes) if each == size]
        inked, shifts = _inked(_gathered(grey, registration, [boxes[number] for number in chosen]), registration)
        for number, picture, shift in zip(chosen, inked, shifts, strict=True):
            mark = _measured(picture, shift)
            if mark.state is not BoxState.EMPTY and (_stained(picture) or _made_by_a_streak(mark, picture, shift)):
                mark = BoxMark(BoxState.DOUBTFUL, 0.5, mark.coverage)
            marks[number] = mark
    return [marks[number] for number in range(len(boxes))]


def _measured(inked: Grey, shift: tuple[int, int]) -> BoxMark:
    """The mark in the picture of a box (1 where inked) whose frame is that far from its place, across and down."""
    inset = round((AROUND_MM + INSET_MM) * PIXELS_PER_MM)
    left, top = inset + shift[0], inset + shift[1]
    inside = inked[top : top + inked.shape[0] - 2 * inset, left : left + inked.shape[1] - 2 * inset]
    share = cv2.countNonZero(inside) / inside.size
    return judged(share, clear_share(inside) if share > TICKED else 1.0)


def clear_share(inside: Grey) -> float:
    """The share of the inside of a box (1 where inked) that is white and more than CLEAR_REACH pixels from ink."""
    return 1.0 - cv2.countNonZero(cv2.dilate(inside, _REACH)) / inside.size


def judged(coverage: float, clear: float) -> BoxMark:
    """The state of a box from its share inked and its share of clear white; surer away from the bounds."""
    if coverage < EMPTY:
        return BoxMark(BoxState.EMPTY, 0.999 - 0.1 * coverage / EMPTY, coverage)
    if coverage >= BLACKENED and clear < NO_CLEAR:
        return BoxMark(BoxState.STRUCK_OUT, 0.98, coverage)
    scribbled = coverage > 0.3 and clear > SCRIBBLED[0] - SCRIBBLED[1] * coverage
    if TICKED <= coverage <= HEAVY and clear >= CLEAR and not scribbled:
        near = min(1.0, (coverage - TICKED) / 0.03, (clear - CLEAR) / 0.01)
        return BoxMark(BoxState.TICKED, 0.94 + 0.055 * near, coverage)
    return BoxMark(BoxState.DOUBTFUL, 0.5, coverage)


def read_ticks(zones: Sequence[Zone], marks: Sequence[BoxMark]) -> ReadField:
    """What the boxes of one answer, of which one at most may be ticked, say together.

    Two ticks are a doubt; a tick beside a struck-out box is a correction; a lone struck-out box is a doubt.
    """
    ticked = [number for number, mark in enumerate(marks) if mark.state is BoxState.TICKED]
    unsure = [number for number, mark in enumerate(marks) if mark.state is BoxState.DOUBTFUL]
    struck = [number for number, mark in enumerate(marks) if mark.state is BoxState.STRUCK_OUT]
    values = [_meaning(zone, zones) for zone in zones]
    sure = min((mark.confidence for mark in marks), default=1.0)
    if len(ticked) == 1 and not unsure:
        return _told(zones, values[ticked[0]], sure)
    if not ticked and not unsure and not struck:
        return _told(zones, None, sure, inked=False)
    if len(ticked) > 1:
        return _told(zones, None, 0.0, Doubt.SEVERAL_TICKS, [values[number] for number in ticked])
    if not ticked and not unsure:
        return _told(zones, None, 0.0, Doubt.LONE_STRIKE, [values[number] for number in struck] + [None])
    candidates = [values[number] for number in ticked + unsure]
    return _told(zones, candidates[0], 0.4, Doubt.UNSURE, [*candidates[1:], None])


def _told(
    zones: Sequence[Zone],
    value: Value,
    confidence: float,
    doubt: Doubt = Doubt.NONE,
    others: Sequence[Value] = (),
    *,
    inked: bool = True,
) -> ReadField:
    return ReadField(
        field=zones[0].field,
        row=zones[0].row,
        kind=ZoneKind.BOX,
        value=value,
        confidence=confidence,
        boxes=tuple(zone.box for zone in zones),
        inked=inked,
        doubt=doubt,
        alternatives=tuple(Alternative(other, (1 - confidence) / len(others)) for other in others),
    )


def _meaning(zone: Zone, group: Sequence[Zone]) -> Value:
    """The canonical value of a box: true or false for yes/no and lone ticks, else its choice."""
    if zone.value == "on":
        return True
    if {each.value for each in group} == {"yes", "no"}:
        return zone.value == "yes"
    return zone.value


def _gathered(grey: Grey, registration: Registration, boxes: Sequence[Box]) -> Pictures:
    """Upright pictures (n x height x width) of boxes of one size and AROUND_MM around them, by nearest pixels."""
    width, height = (round((side + 2 * AROUND_MM) * PIXELS_PER_MM) for side in (boxes[0].w, boxes[0].h))
    centres = np.array([[box.x + box.w / 2, box.y + box.h / 2] for box in boxes])
    around = registration.to_pixels((centres + _AROUND).reshape(-1, 2)).reshape(3, -1, 2)
    at, (right, below) = around[0], (around[1:] - around[0]) / PIXELS_PER_MM
    corners = at - right * (width - 1) / 2 - below * (height - 1) / 2
    placings = np.stack([right, below, corners], axis=2)
    pictures = np.empty((len(boxes), height, width), dtype=np.uint8)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    for picture, placing in zip(pictures, placings, strict=True):
        cv2.warpAffine(grey, placing, (width, height), picture, flags, cv2.BORDER_REPLICATE)
    return pictures


def _inked(pictures: Pictures, registration: Registration) -> tuple[Pictures, list[tuple[int, int]]]:
    """Where each picture is inked (1), and how far its frame is from its place, across and down, in pixels."""
    flat = pictures[:, ::2, ::2].reshape(len(pictures), -1)
    bright = int(flat.shape[1] * 0.8)
    paper = np.maximum(np.partition(flat, bright, axis=1)[:, bright], round(0.7 * registration.paper)).astype(np.uint8)
    threshold = np.ceil(paper - INK * (paper - float(registration.ink))).clip(0, 255).astype(np.uint8)
    level = paper[:, None, None]
    faint = np.minimum(level - np.minimum(pictures, level), 120)
    across = np.add.reduce(faint, axis=1, dtype=np.uint16) / pictures.shape[1]
    lines = faint.reshape(-1, pictures.shape[2])
    down = cv2.reduce(lines, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).reshape(faint.shape[:2]) / pictures.shape[2]
    shifts = list(zip(_frame_shift(across).tolist(), _frame_shift(down).tolist(), strict=True))
    return (pictures < threshold[:, None, None]).view(np.uint8), shifts


def _stained(inked: Grey) -> bool:
    """Whether more than STAINED of what lies around the box is inked."""
    edge = round(BESIDE_MM * PIXELS_PER_MM)
    inner = inked[edge:-edge, edge:-edge]
    around = cv2.countNonZero(inked) - cv2.countNonZero(inner)
    return around > STAINED * (inked.size - inner.size)


def _made_by_a_streak(mark: BoxMark, inked: Grey, shift: tuple[int, int]) -> bool:
    """Whether the box would show something else without the streaks that run through its picture."""
    cleaned = _unstreaked(inked) if _crossed(inked) else inked
    return cleaned is not inked and _measured(cleaned, shift) != mark


def _crossed(inked: Grey) -> bool:
    """Whether ink reaches two opposite edges of the picture, as a streak does; rules printed beside are left out."""
    near = inked[RULE:-RULE, RULE:-RULE]
    down, across = (near[:EDGE], near[-EDGE:]), (near[:, :EDGE], near[:, -EDGE:])
    return any(all(cv2.countNonZero(edge) for edge in both) for both in (down, across))


def _unstreaked(inked: Grey) -> Grey:
    """The picture without the streaks that run through it, either way; itself where there is none."""
    near = inked[RULE:-RULE, RULE:-RULE] * np.uint8(255)
    upright = without_streaks(near, edge=EDGE)
    lying = np.ascontiguousarray(upright.T)
    without = without_streaks(lying, edge=EDGE)
    if upright is near and without is lying:
        return inked
    cleaned = inked.copy()
    cleaned[RULE:-RULE, RULE:-RULE] = without.T >> 7
    return cleaned


def _frame_shift(profiles: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each profile (n x length), the shift that best puts the two sides of the box on dark lines."""
    first = round(AROUND_MM * PIXELS_PER_MM)
    last = profiles.shape[1] - 1 - first
    shifts = np.arange(-DRIFT, DRIFT + 1)
    near, far = profiles[:, first + shifts], profiles[:, last + shifts]
    seen = np.minimum(near, far) + 0.3 * (near + far) - 0.8 * np.abs(shifts)
    best = seen.argmax(axis=1)
    clear = seen[np.arange(len(seen)), best] > seen.mean(axis=1) + 4
    return np.where(clear, shifts[best], 0)

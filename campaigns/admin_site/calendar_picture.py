"""A calendar drawn as lanes: a mark per step, a bar per legal delay, on a scale of months. Places are percentages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

LANE, HEAD, FOOT = 46, 34, 8
MARGIN = dt.timedelta(days=6)
ABBREVIATIONS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")


@dataclass(frozen=True, slots=True)
class Lane:
    """One line: a step with its day before and after a change, or a legal delay from one day to another."""

    label: str
    after: dt.date
    before: dt.date | None = None
    start: dt.date | None = None
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class DrawnLane:
    """A lane with its places: y in pixels, x and width in percent, as SVG attributes write them."""

    label: str
    label_y: int
    track_y: int
    x: str
    before_x: str
    start_x: str
    width: str
    moved: bool
    wrong: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """The first day of a month on the scale."""

    label: str
    x: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template writes; `today_x` is '' when today is off the scale."""

    height: int
    base: int
    ticks: Sequence[Tick]
    lanes: Sequence[DrawnLane]
    today_x: str


def drawn(lanes: Sequence[Lane], today: dt.date) -> Picture:
    """The picture of the lanes, in their order."""
    days = [day for lane in lanes for day in (lane.after, lane.before, lane.start) if day is not None]
    first, last = min(days) - MARGIN, max(days) + MARGIN
    span = (last - first).days

    def at(day: dt.date) -> str:
        return f"{(day - first).days * 100 / span:.2f}%"

    def lane_at(number: int, lane: Lane) -> DrawnLane:
        top = HEAD + number * LANE
        start = lane.start or lane.after
        return DrawnLane(
            label=lane.label,
            label_y=top + 14,
            track_y=top + 29,
            x=at(lane.after),
            before_x=at(lane.before) if lane.before else "",
            start_x=at(start) if lane.start else "",
            width=f"{(lane.after - start).days * 100 / span:.2f}%",
            moved=lane.before is not None and lane.before != lane.after,
            wrong=lane.wrong,
        )

    return Picture(
        height=HEAD + len(lanes) * LANE + FOOT,
        base=HEAD + len(lanes) * LANE,
        ticks=[Tick(_label(day), at(day)) for day in _months(first, last)],
        lanes=[lane_at(number, lane) for number, lane in enumerate(lanes)],
        today_x=at(today) if first <= today <= last else "",
    )


def _months(first: dt.date, last: dt.date) -> list[dt.date]:
    """The first day of each month on the scale."""
    count = (last.year - first.year) * 12 + last.month - first.month
    months = (divmod(first.year * 12 + first.month + number, 12) for number in range(count))
    return [dt.date(year, month + 1, 1) for year, month in months]


def _label(day: dt.date) -> str:
    """`nov.`, and the year with January."""
    return str(day.year) if day.month == 1 else ABBREVIATIONS[day.month - 1]

"""What the dashboard's charts draw: plain numbers for a JSON block, the same as the tables beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.models import Campaign
from tracking.figures import Counters, CurvePoint, Wave

# Bars of the picture of the return rate: key, label, and the counter it shows.
PARTS = (
    ("processed", "Traitées"),
    ("in_progress", "En cours"),
    ("not_received", "Non réceptionnées"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the return-rate bar: where it starts and how wide it is, in per cent."""

    key: str
    label: str
    cases: int
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class Week:
    """First answers of one week (Monday to Sunday), for the table under the curve."""

    monday: dt.date
    paper: int
    online: int
    phone: int
    cumulated: int
    share: float | None


def parts(counters: Counters) -> list[Part]:
    """The three counters as one bar; empty when nobody is surveyed."""
    if not counters.surveyed:
        return []
    found, start = [], 0.0
    for key, label in PARTS:
        cases = getattr(counters, key)
        width = cases / counters.surveyed * 100
        found.append(Part(key, label, cases, f"{start:.3f}", f"{width:.3f}"))
        start += width
    return found


def curve_data(
    campaign: Campaign, counters: Counters, curve: Sequence[CurvePoint], waves: Sequence[Wave]
) -> dict[str, Any]:
    """The response curve: cumulated answers by day since the first mailing or answer, and the days of mailings."""
    days = [point.day for point in curve] + [wave.day for wave in waves]
    start = min([campaign.opens_on, *days])
    return {
        "start": start.isoformat(),
        "surveyed": counters.surveyed,
        "reply_by": (campaign.reply_by - start).days,
        "points": [[(point.day - start).days, point.cumulated] for point in curve],
        "waves": [[(day - start).days, label] for day, label in wave_days(waves)],
    }


def wave_days(waves: Sequence[Wave]) -> list[tuple[dt.date, str]]:
    """The days of mailings, those of one day told together; answers to single returns (complements) left out."""
    told: dict[dt.date, list[str]] = {}
    for wave in waves:
        if wave.collective:
            told.setdefault(wave.day, []).append(wave.label)
    return [(day, " · ".join(labels)) for day, labels in told.items()]


def by_week(curve: Sequence[CurvePoint], surveyed: int) -> list[Week]:
    """The curve week by week, weeks without any answer included."""
    return list(_weeks(curve, surveyed))


def _weeks(curve: Sequence[CurvePoint], surveyed: int) -> Iterator[Week]:
    if not curve:
        return
    monday = curve[0].day - dt.timedelta(days=curve[0].day.weekday())
    cumulated, week = 0, dt.timedelta(days=7)
    while monday <= curve[-1].day:
        points = [point for point in curve if monday <= point.day < monday + week]
        cumulated = points[-1].cumulated if points else cumulated
        yield Week(
            monday,
            sum(point.paper for point in points),
            sum(point.online for point in points),
            sum(point.phone for point in points),
            cumulated,
            cumulated / surveyed if surveyed else None,
        )
        monday += week

"""When a message may ring at somebody's home: 8 h to 20 h there, never on a Sunday or a public holiday of the place."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from campaigns.law.territories import Territory, territory_of

FIRST_HOUR, LAST_HOUR = dt.time(8), dt.time(20)
SUNDAY = 6


def decent_hour(now: dt.datetime, postcode: str = "") -> bool:
    """Whether a message may ring at that moment where the postcode lies; without one, on the mainland."""
    return next_decent_moment(now, postcode) == now


def next_decent_moment(now: dt.datetime, postcode: str = "") -> dt.datetime:
    """`now` when a message may ring there, else the first moment when it may again.

    Holidays are those of the place: Good Friday and 26 December in Alsace-Moselle, abolition days overseas.
    """
    place = territory_of(postcode)
    zone = ZoneInfo(place.timezone)
    local = now.astimezone(zone)
    day = local.date()
    if _open_day(day, place) and FIRST_HOUR <= local.time() < LAST_HOUR:
        return now
    if local.time() >= FIRST_HOUR:
        day += dt.timedelta(days=1)
    while not _open_day(day, place):
        day += dt.timedelta(days=1)
    return dt.datetime.combine(day, FIRST_HOUR, zone)


def _open_day(day: dt.date, place: Territory) -> bool:
    return day.weekday() != SUNDAY and not place.holiday(day)

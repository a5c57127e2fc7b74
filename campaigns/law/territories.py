"""Where the tenant lives: which days are holidays there, and what day it is there at a given moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from campaigns.law.texts import tables

SATURDAY = 5
BY_POSTCODE = "postcode"


@dataclass(frozen=True, slots=True)
class Territory:
    """A part of France with its own holidays and its own clock; `subdivision` is the name `holidays` gives it."""

    key: str
    label: str
    postcodes: tuple[str, ...]
    subdivision: str
    timezone: str
    source: str

    def holiday(self, day: date) -> str:
        """The French name of the holiday of that day, '' when it is none."""
        return _holidays(self.subdivision, day.year).get(day, "")

    def is_working_day(self, day: date) -> bool:
        """Whether neither Saturday, Sunday nor holiday: what article 642 CPC calls a jour ouvrable."""
        return day.weekday() < SATURDAY and not self.holiday(day)

    def why_idle(self, day: date) -> str:
        """`un samedi`, `un dimanche`, `férié (Noël)`; '' on a working day."""
        name = self.holiday(day)
        if name:
            return f"férié ({name})"
        return {SATURDAY: "un samedi", SATURDAY + 1: "un dimanche"}.get(day.weekday(), "")

    def next_working_day(self, day: date) -> date:
        """That day, or the first working day after it."""
        while not self.is_working_day(day):
            day += timedelta(days=1)
        return day

    def local_day(self, moment: datetime) -> date:
        """The day it is there at that moment. Raises ValueError for a moment without its own zone."""
        if moment.tzinfo is None:
            raise ValueError("Un instant sans fuseau horaire ne dit pas quel jour il est.")
        return moment.astimezone(ZoneInfo(self.timezone)).date()


def territories() -> tuple[Territory, ...]:
    """All of them, the mainland first."""
    return tuple(_territories().values())


def territory(key: str) -> Territory:
    """The territory of that key. Raises KeyError."""
    return _territories()[key]


def territory_of(postcode: str, calendar: str = BY_POSTCODE) -> Territory:
    """Where a postcode lies; a landlord's `calendar` names one territory for all its dwellings instead.

    The longest beginning wins (97150 is Saint-Martin, not Guadeloupe); an unknown postcode is the mainland's.
    """
    if calendar != BY_POSTCODE:
        return territory(calendar)
    return _lying(postcode.strip()[:5])


@cache
def _lying(postcode: str) -> Territory:
    found = [(len(start), each) for each in territories() for start in each.postcodes if postcode.startswith(start)]
    return max(found, key=lambda each: each[0])[1]


@cache
def _territories() -> dict[str, Territory]:
    told = tables("territories.toml")["territories"]
    return {each["key"]: Territory(**{**each, "postcodes": tuple(each["postcodes"])}) for each in told}


@cache
def _holidays(subdivision: str, year: int) -> dict[date, str]:
    return dict(holidays.country_holidays("FR", subdiv=subdivision or None, years=year, language="fr"))

"""How the tracking says things: days, moments, numbers, rates, and a case's history. No database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from django.utils import timezone
from django.utils.formats import date_format

from tenants.case_states import State

NARROW = "\u202f"
NO_BREAK = "\u00a0"
UNKNOWN = "—"

# How the badge of a state looks: the word says it all, the colour only helps.
BADGES: Mapping[State, str] = MappingProxyType(
    {
        State.COMPLETE: "success",
        State.RESTITUTED: "success",
        State.RECEIVED: "info",
        State.INCOMPLETE: "warning",
        State.UNDELIVERED: "warning",
        State.NON_RESPONDENT: "danger",
    }
)


def number(value: int) -> str:
    """1 204, with a narrow space that never breaks."""
    return f"{value:,}".replace(",", NARROW)


def rate(share: float | None) -> str:
    """62,4 %; a dash when there is nothing to divide by."""
    return UNKNOWN if share is None else f"{share * 100:.1f}".replace(".", ",") + f"{NO_BREAK}%"


def in_full(day: dt.date) -> str:
    """Mardi 3 mars 2026, without the capital; of a moment, its day in Paris."""
    if isinstance(day, dt.datetime):
        day = timezone.localtime(day).date()
    number_of_day = "1er" if day.day == 1 else str(day.day)
    return f"{date_format(day, 'l')} {number_of_day} {date_format(day, 'F Y')}"


def moment(at: dt.datetime) -> str:
    """Mardi 3 mars 2026 à 14 h 05, without the capital, in Paris."""
    local = timezone.localtime(at)
    return f"{in_full(at)} à {local.hour}{NO_BREAK}h{NO_BREAK}{local.minute:02d}"


def capital(words: str) -> str:
    """The same words with a first capital; the others are left as they are (SMS)."""
    return words[:1].upper() + words[1:]


def plural(count: int, one: str, many: str) -> str:
    """« 1 dossier », « 3 dossiers »; zero is singular in French."""
    return f"{number(count)}{NO_BREAK}{one if count < 2 else many}"

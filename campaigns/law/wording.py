"""Dates, amounts and shares as French sentences write them."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
THIN, NO_BREAK = "\u202f", "\u00a0"


def long_date(day: date) -> str:
    """`mardi 3 mars 2026`; the first of a month is `1er`."""
    return f"{DAYS[day.weekday()]} {plain_date(day)}"


def plain_date(day: date) -> str:
    """`3 mars 2026`, without the weekday."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {MONTHS[day.month - 1]} {day.year}"


def euros(amount: Decimal | int) -> str:
    """`1 234,56 €`, and `1 234 €` when there are no cents to write. Amounts in euros."""
    told = Decimal(amount)
    cents = told != told.to_integral_value()
    text = f"{told.quantize(Decimal('0.01'), ROUND_HALF_UP) if cents else told:,.{2 if cents else 0}f}"
    return f"{text.replace(',', THIN).replace('.', ',')}{NO_BREAK}€"


def decimal(number: Decimal | int) -> str:
    """A number with its own decimals, without useless zeros: `0,39`, `55,18695`, `1 234`."""
    text = f"{Decimal(number):,f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(",", THIN).replace(".", ",")


def many(count: int, singular: str, plural: str = "") -> str:
    """`1 jour`, `3 jours`: French is singular below two."""
    word = singular if abs(count) < 2 else plural or f"{singular}s"
    return f"{count}{NO_BREAK}{word}"

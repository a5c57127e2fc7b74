"""The articles that our letters reproduce and the delays that the law leaves, in the version in force on a day."""

from __future__ import annotations

import calendar
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


class NotInForce(LookupError):
    """No version of that text or delay was in force on that day."""


@dataclass(frozen=True, slots=True)
class Article:
    """One version of an article of law."""

    title: str
    paragraphs: tuple[str, ...]
    in_force_since: date
    source: str

    @property
    def text(self) -> str:
        """The whole article, a blank line between paragraphs."""
        return "\n\n".join(self.paragraphs)


@dataclass(frozen=True, slots=True)
class Delay:
    """One version of a legal delay, in months and days; `label` says it in French.

    `moves` when it goes on to the next working day; `moves_source` says by which text it does, or why it does not.
    """

    key: str
    label: str
    months: int
    days: int
    moves: bool
    moves_source: str
    in_force_since: date
    source: str

    def last_day(self, start: date) -> date:
        """The last day of the delay that starts on `start`, before any suspension or move to a working day.

        The start does not count; months come before days (CPC art. 641).
        """
        return add_months(start, self.months) + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class PenaltyRate:
    """One version of a penalty, in euros: a sum, and as much more per whole month late."""

    amount: Decimal
    per_month: Decimal
    in_force_since: date
    source: str


def add_months(day: date, months: int) -> date:
    """The same number of the month so many months later (or earlier), else that month's last day (CPC art. 641)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def formal_notice_article(on: date) -> Article:
    """Article L441-9 CCH as in force on that day; its last paragraph wants it whole in every formal notice."""
    told = _in_force("notices.toml", "articles", "L441-9", on)
    return Article(told["title"], tuple(told["paragraphs"]), told["in_force_since"], told["source"])


def formal_notice_text(on: date) -> str:
    """The words of article L441-9 CCH in force on that day, a blank line between paragraphs. Raises NotInForce."""
    return formal_notice_article(on).text


def delay(key: str, on: date) -> Delay:
    """The legal delay of that key (`reply`, `formal_notice`, `refund`…) in force on that day. Raises NotInForce."""
    return Delay(**_in_force("deadlines.toml", "delays", key, on))


def penalty_rate(key: str, on: date) -> PenaltyRate:
    """The penalty of that key (`ops`) in force on that day, in euros. Raises NotInForce."""
    told = _in_force("deadlines.toml", "penalties", key, on)
    return PenaltyRate(Decimal(told["amount"]), Decimal(told["per_month"]), told["in_force_since"], told["source"])


def _in_force(file: str, table: str, key: str, on: date) -> dict[str, Any]:
    """The newest version of `key` that had begun on that day."""
    versions = [told for told in tables(file)[table] if told["key"] == key and told["in_force_since"] <= on]
    if not versions:
        raise NotInForce(f"{file} : aucune version de « {key} » n'est en vigueur le {on:%d/%m/%Y}.")
    return max(versions, key=lambda told: told["in_force_since"])


@cache
def tables(file: str) -> dict[str, Any]:
    """The tables of one TOML file of this folder."""
    return tomllib.loads((FOLDER / file).read_text(encoding="utf-8"))

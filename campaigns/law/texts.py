"""The articles that our letters reproduce and the delays that the law leaves, in the version in force on a day."""

from __future__ import annotations

import calendar
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
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
    """One version of a legal delay, in months and days; `label` says it in French."""

    label: str
    months: int
    days: int
    in_force_since: date
    source: str

    def last_day(self, start: date) -> date:
        """The last day of the delay that starts on `start`; the start does not count (CPC art. 641).

        A delay in months ends on the day of the same number, or on the last of the month when there is none.
        """
        months = start.year * 12 + start.month - 1 + self.months
        year, month = divmod(months, 12)
        day = min(start.day, calendar.monthrange(year, month + 1)[1])
        return date(year, month + 1, day) + timedelta(days=self.days)


def formal_notice_article(on: date) -> Article:
    """Article L441-9 CCH as in force on that day; its last paragraph wants it whole in every formal notice."""
    told = _in_force("notices.toml", "articles", "L441-9", on)
    return Article(told["title"], tuple(told["paragraphs"]), told["in_force_since"], told["source"])


def formal_notice_text(on: date) -> str:
    """The words of article L441-9 CCH in force on that day, a blank line between paragraphs. Raises NotInForce."""
    return formal_notice_article(on).text


def reply_delay(on: date) -> Delay:
    """How long a tenant has to answer a survey sent on that day: one month (L441-9 CCH). Raises NotInForce."""
    return _delay("reply", on)


def reply_deadline(on: date) -> date:
    """The last day on which a tenant asked on that day answers in time. Raises NotInForce."""
    return reply_delay(on).last_day(on)


def formal_notice_delay(on: date) -> Delay:
    """How long a formal notice of that day must stay unanswered: fifteen days (L441-9 CCH). Raises NotInForce."""
    return _delay("formal_notice", on)


def _delay(key: str, on: date) -> Delay:
    told = _in_force("deadlines.toml", "delays", key, on)
    return Delay(told["label"], told["months"], told["days"], told["in_force_since"], told["source"])


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

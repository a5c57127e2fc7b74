"""What stationery weighs and what is to be planned in excess, from dated data."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

TABLES = Path(__file__).parent / "stationery.toml"


@dataclass(frozen=True, slots=True)
class Stationery:
    """Grams of one unit and percent to add, by kind of supply; `brackets` are the weights of postage, in grams."""

    grams: Mapping[str, Decimal]
    spare_percent: Mapping[str, int]
    brackets: tuple[int, ...]

    def bracket_of(self, grams: Decimal) -> int | None:
        """The first bracket that holds an envelope of that weight; None above them all."""
        return next((each for each in self.brackets if grams <= each), None)


def stationery_on(day: dt.date) -> Stationery:
    """The figures in force on that day. Raises LookupError before the first ones."""
    tables = _tables()
    told, brackets = _current(tables["stationery"], day), _current(tables["brackets"], day)
    return Stationery(
        grams={kind: Decimal(grams) for kind, grams in told["grams"].items()},
        spare_percent=dict(told["spare_percent"]),
        brackets=tuple(brackets["grams"]),
    )


def _current(versions: Sequence[Mapping[str, Any]], day: dt.date) -> Mapping[str, Any]:
    known = [each for each in versions if each["in_force_since"] <= day]
    if not known:
        raise LookupError(f"Aucune donnée de papeterie au {day:%d/%m/%Y}.")
    return max(known, key=lambda each: each["in_force_since"])


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(TABLES.read_text(encoding="utf-8"))

"""What people write of each kind of number in the bench of acceptance, and what is known of their household before."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from campaigns.questionnaire.values import Since
from tests.returns.reading import filled

Drawn = tuple[Any, Since | None]  # what is written, and what is known of the household
STRAY = 1 / 100  # of the dates that are bounded: before the day known of the household; they can only be read wrong
MOVED_IN = "l'entrée dans le logement"


def _phone(chance: random.Random) -> str:
    return f"0{chance.choice('12345679')}{chance.randrange(10**8):08d}"


def _amount(chance: random.Random) -> int:
    return chance.randint(10_000, 99_999)


def any_day(chance: random.Random) -> str:
    """A day of the last hundred years."""
    return f"{chance.randint(1925, 2026)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"


def _signed(chance: random.Random) -> str:
    return any_day(chance) if chance.random() < 0.01 else str(filled.TODAY - timedelta(days=chance.randrange(200)))


def _left(chance: random.Random) -> Drawn:
    """Moved in 15 years ago or more for one household in three (ANCOLS, January 2021), each year taking as many.

    A departure is told at the survey that follows it: half are of the last two years. The others are told late, and may
    be of any day since the household moved in. Of those before, half are up to ten years before, as where the lease was
    made anew; half are of any day.
    """
    stay = 31 + min(60 * 365, round(chance.expovariate(math.log(3) / (15 * 365))))
    known = Since(filled.TODAY - timedelta(days=stay), MOVED_IN)
    recent = filled.TODAY - timedelta(days=730)
    if chance.random() < 0.01:
        return f"2{any_day(chance)[1:]}", known
    if chance.random() < STRAY:
        near = str(known.day - timedelta(days=chance.randint(1, 3650)))
        return (near if chance.random() < 0.5 else f"{chance.randint(1925, 1950)}{near[4:7]}-{near[8:]}"), known
    return _since(max(known.day, recent) if chance.random() < 0.5 else known.day, chance), known


def _since(first: date, chance: random.Random) -> str:
    return str(first + timedelta(days=chance.randint(0, (filled.TODAY - first).days)))


def _unbounded(make: Callable[[random.Random], Any]) -> Callable[[random.Random], Drawn]:
    return lambda chance: (make(chance), None)


MAKERS: dict[str, tuple[str, str, Callable[[random.Random], Drawn]]] = {
    "tax numbers": ("tax_number", "occupant.tax_number", _unbounded(filled.tax_number)),
    "telephones": ("digits", "household.phone", _unbounded(_phone)),
    "amounts of five digits": ("amounts", "occupant.tax_reference_income", _unbounded(_amount)),
    "signing dates": ("recent_dates", "signature.signed_on", _unbounded(_signed)),
    "dates of departure": ("dates", "occupant.left_on", _left),
}

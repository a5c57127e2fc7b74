"""What the law costs per case: legal dates and SLS estimates, held against reading the same rows bare.

python -m tests.bench.bench_law [rounds]. Pure part only, no database: CPU time of this process; ratios are what counts.
The floor adds a month to a date and multiplies three decimals, which is all the arithmetic there is.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable
from decimal import Decimal

from campaigns.law.clocks import Event, Kind, deadline, first_day_after, mainland_rules
from campaigns.law.household import Person, Role
from campaigns.law.settings import shipped_law
from campaigns.law.sls import Home, assess
from campaigns.law.texts import add_months

RULES, LAW = mainland_rules(), shipped_law()
FIRST = dt.date(2026, 10, 1)
FAMILY = (Person(Role.TENANT, 41), Person(Role.SPOUSE, 39), Person(Role.DEPENDANT, 9))
HOME = Home(Decimal("62.40"), Decimal("412.50"), "PLUS", "other", "2")


def floor(number: int) -> None:
    """A month on a date, and a product."""
    add_months(FIRST + dt.timedelta(days=number % 90), 1)
    Decimal(number) * Decimal("0.39") * Decimal("1.25")


def dates(number: int) -> None:
    """The month, the notice, the fifteen days of one case, each with its reasons."""
    sent = FIRST + dt.timedelta(days=number % 90)
    reply = deadline("reply", [Event(Kind.SENT, sent, f"lot {number}")], RULES)
    notice = first_day_after(reply, key="notice_from", rule="Mise en demeure")
    deadline("formal_notice", [Event(Kind.SENT, notice.date)], RULES)


def estimates(number: int) -> None:
    """The SLS of one household, each step with its sentence."""
    assess(year=2026, home=HOME, people=FAMILY, resources=Decimal(30000 + number % 60000), law=LAW)


def spent(run: Callable[[int], None], rounds: int) -> float:
    """Seconds of CPU for so many cases."""
    start = time.process_time()
    for number in range(rounds):
        run(number)
    return time.process_time() - start


def main(rounds: int) -> None:
    """Measure the three in turn, and print cases per second and the ratio to the floor."""
    bare = spent(floor, rounds)
    for name, run in (("legal dates", dates), ("SLS estimates", estimates)):
        took = spent(run, rounds)
        print(f"{name:>14}: {rounds / took:9,.0f} cases/s, {took / bare:6.1f} × the floor")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

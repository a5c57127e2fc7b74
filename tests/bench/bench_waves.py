"""What a wave costs: microseconds of processor a household, beside the bare reading of the same households.

python -m tests.bench.bench_waves [--households 10000]

A trial, the arming and the release of a reminder by e-mail and SMS, then the trial of a formal notice, on the database
of the test settings (`TEST_DATABASE=postgresql` for PostgreSQL), in a transaction that is rolled back.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import argparse
import datetime as dt
import os
import time
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from django.core.management import call_command  # noqa: E402 - once Django is set up
from django.db import connection, transaction  # noqa: E402

from campaigns.models import Campaign  # noqa: E402
from campaigns.scope import all_landlords  # noqa: E402
from tenants import waves  # noqa: E402
from tenants.models import SurveyCase, Wave  # noqa: E402
from tests.factories.campaigns import CampaignFactory, UserFactory  # noqa: E402
from tests.factories.populations import settled  # noqa: E402

SENT = dt.datetime(2026, 9, 1, 9, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 3, 9, tzinfo=dt.UTC)
TODAY = NOW.date()


class Bench:
    """The figures of one run, each beside the bare reading."""

    def __init__(self, households: int) -> None:
        self.households = households
        self.bare = 0.0

    def timed(self, label: str, work: Callable[[], object]) -> float:
        """Microseconds of processor a household, printed."""
        began, cpu = time.perf_counter(), time.process_time()
        work()
        spent = (time.process_time() - cpu) / self.households * 1e6
        beside = f"{spent / self.bare:6.1f} × the bare reading" if self.bare else ""
        print(f"{label:<34} {spent:8.0f} µs {time.perf_counter() - began:8.1f} s {beside}", flush=True)
        return spent


def main() -> None:
    """One population, one wave of each kind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--households", type=int, default=10_000)
    number = parser.parse_args().households
    call_command("migrate", verbosity=0)
    print(f"{connection.vendor}, {number} households")
    bench = Bench(number)
    with all_landlords(), transaction.atomic():
        campaign = CampaignFactory(stage=Campaign.Stage.FIELD)
        homes = (
            (1 + place % 3, {"email": ""} if place % 4 == 0 else {}, {"state": "sent", "sent_at": SENT})
            for place in range(number)
        )
        settled(campaign, homes)
        cases = SurveyCase.objects.for_campaign(campaign).for_letters()
        bench.bare = bench.timed("bare reading", lambda: sum(1 for _ in cases.iterator(chunk_size=500)))
        digital = _prepared(campaign, "reminder_digital")
        notice = _prepared(campaign, "formal_notice")
        bench.timed("trial, formal notice", lambda: waves.try_out(wave=notice, today=TODAY, now=NOW))
        bench.timed("trial, e-mail and SMS", lambda: waves.try_out(wave=digital, today=TODAY, now=NOW))
        typed = str(waves.try_out(wave=digital, today=TODAY, now=NOW).count)
        second = UserFactory()
        bench.timed("arming", lambda: waves.arm(wave=digital, confirmed=typed, now=NOW, today=TODAY, actor=second))
        bench.timed("release", lambda: waves.release(wave=digital, today=TODAY, now=NOW))
        transaction.set_rollback(True)


def _prepared(campaign: Campaign, purpose: str) -> Wave:
    plan = waves.Plan(purpose=purpose, scheduled_on=TODAY)
    return waves.prepare(campaign=campaign, plan=plan, now=NOW, actor=UserFactory())


if __name__ == "__main__":
    main()

"""What the audit costs: microseconds an entry, beside the bare insert of a case's event in the same run.

python -m tests.bench.bench_audit [--entries 5000]

On the database of the test settings (`TEST_DATABASE=postgresql` for PostgreSQL), in a transaction that is rolled back.
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
from django.db import connection, models, transaction  # noqa: E402

from campaigns import audit  # noqa: E402
from campaigns.scope import all_landlords  # noqa: E402
from tenants.models import CaseEvent  # noqa: E402
from tests.factories.tenants import CaseFactory  # noqa: E402

NOW = dt.datetime(2026, 10, 1, 9, tzinfo=dt.UTC)


def timed(label: str, entries: int, work: Callable[[], object]) -> float:
    """Microseconds an entry, printed."""
    started = time.perf_counter()
    work()
    spent = (time.perf_counter() - started) / entries * 1e6
    print(f"{label:<52} {spent:8.1f} µs")
    return spent


def main() -> None:
    """One by one, together, the chain, its verification."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=5000)
    number = parser.parse_args().entries
    call_command("migrate", verbosity=0)
    print(f"{connection.vendor}, {number} entries")
    with all_landlords(), transaction.atomic():
        case = CaseFactory()
        event = {"case": case, "kind": "constat", "occurred_at": NOW, "data": {"mailings": 2}}

        def bare() -> None:
            for _ in range(number):
                models.Model.save(CaseEvent(**event))

        def audited() -> None:
            for _ in range(number):
                CaseEvent.objects.create(**event)

        base = timed("an event alone", number, bare)
        both = timed("an event with its entry", number, audited)
        print(f"{'the entry, as a ratio to the event':<52} {(both - base) / base:8.2f}")
        timed("entries written together", number, lambda: audit.record_many(_entries(case.reference, number)))
        waiting = 2 * number
        timed("the chain", waiting, audit.seal)
        timed("verification", waiting, lambda: audit.verify(today=NOW.date()))
        transaction.set_rollback(True)


def _entries(reference: str, number: int) -> list[audit.AuditEntry]:
    return [audit.entry(action="case.constat", at=NOW, case=reference, kind="caseevent", pk=n) for n in range(number)]


main()

"""What a field swap costs the server: taking an entry, then preparing the next field, on a long queue.

python -m tests.bench.bench_keying [dossiers] [swaps] [long]. CPU time through the whole stack (middleware, views,
templates, database: PostgreSQL's own process is counted in), each step and both together against the limit of 50 ms.
The operator waits for the entry alone: the next field and its picture were fetched while this one was keyed. `long`: a
second queue, of so many fields that the operator has keyed once and must not get again, and as many behind them.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import os
import statistics
import sys
import time
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import django
from django.conf import settings
from django.db import connection
from django.test.utils import get_runner, setup_test_environment
from django.utils import timezone

LIMIT = 50.0  # ms of server


def main(dossiers: int, swaps: int, long: int) -> None:
    """Fill a queue, key from it, and print the median and the ninth decile of each step, as shares of the limit."""
    django.setup()
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    old = runner.setup_databases()
    try:
        import config.wsgi  # noqa: F401 — as a web process has it all loaded
        from campaigns.scope import all_landlords

        with all_landlords():
            _measure(dossiers, swaps)
            _measure_long(long)
    finally:
        runner.teardown_databases(old)


def _measure(dossiers: int, swaps: int) -> None:
    """Key as one operator would, through the whole stack."""
    from django.test import Client
    from django.urls import reverse

    from campaigns.models import Campaign
    from returns.keying_queue import next_task
    from returns.models import KeyingEntry, KeyingTask
    from tests.factories.campaigns import CampaignFactory, UserFactory
    from tests.factories.keying import EMAIL, INCOME, SIZE, doubtful_return, handwritten_return

    campaign = CampaignFactory(stage=Campaign.Stage.FIELD)
    for number in range(dossiers):
        doubtful_return(campaign, [(EMAIL, 0, None), (INCOME, 1, number), (INCOME, 2, number), (SIZE, 0, None)])
    operator = UserFactory(keying=True)
    client = Client()
    client.force_login(operator)
    task = next_task(operator=operator, now=timezone.now(), campaign=campaign)
    entered, prepared = [], []
    client.get(reverse("keying:following", args=[task.pk]))  # templates are read once
    for _ in range(swaps):
        if task is None:
            break
        text = "a@exemple.fr" if task.field == EMAIL else "3"
        start = spent()
        told = {"text": text, "act": "enter"}
        answer = client.post(reverse("keying:enter", args=[task.pk]), told, headers={"X-Swap": "1"})
        entered.append((spent() - start) * 1000)
        if answer.status_code != 204:
            raise SystemExit(f"the entry was not taken: {answer.status_code}")
        task = next_task(operator=operator, now=timezone.now(), campaign=campaign)
        start = spent()
        client.get(reverse("keying:following", args=[task.pk]))
        prepared.append((spent() - start) * 1000)
    handwritten_return(campaign, [("household.comment", 0, "un mot")])
    written = KeyingTask.objects.get(field="household.comment")
    KeyingTask.objects.filter(pk=written.pk).update(state="claimed", claimed_by=operator, claimed_at=timezone.now())
    crops = []
    for _ in range(20):
        start = spent()
        client.get(reverse("keying:crop", args=[written.pk]))
        crops.append((spent() - start) * 1000)
    print(f"{KeyingTask.objects.count()} fields in the queue, {KeyingEntry.objects.count()} keyed")
    both = [one + other for one, other in zip(entered, prepared, strict=True)]
    for name, times in (("entry taken", entered), ("next field", prepared), ("both", both), ("picture", crops)):
        _tell(name, times)


def _measure_long(count: int) -> None:
    """Key where the queue stands behind `count` fields that this operator must not get."""
    from django.test import Client
    from django.urls import reverse

    from campaigns.models import Campaign
    from returns.keying_queue import next_task
    from tests.factories.campaigns import CampaignFactory, UserFactory
    from tests.factories.keying import long_queue

    campaign, operator, client = CampaignFactory(stage=Campaign.Stage.FIELD), UserFactory(keying=True), Client()
    long_queue(campaign, count, keyed_by=operator)
    long_queue(campaign, count)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as the server itself does behind a queue that was filled
    client.force_login(operator)
    task = next_task(operator=operator, now=timezone.now(), campaign=campaign)
    entered, prepared = [], []
    for _ in range(40):
        if task is None:
            raise SystemExit("the long queue is empty")
        start = spent()
        told = {"text": "21500", "act": "enter"}
        answer = client.post(reverse("keying:enter", args=[task.pk]), told, headers={"X-Swap": "1"})
        entered.append((spent() - start) * 1000)
        if answer.status_code != 204:
            raise SystemExit(f"the entry was not taken: {answer.status_code}")
        task = next_task(operator=operator, now=timezone.now(), campaign=campaign)
        start = spent()
        client.get(reverse("keying:following", args=[task.pk if task else 0]))
        prepared.append((spent() - start) * 1000)
    print(f"{2 * count} fields wait, the first {count} not for this operator")
    both = [one + other for one, other in zip(entered, prepared, strict=True)]
    for name, times in (("entry taken", entered), ("next field", prepared), ("both", both)):
        _tell(name, times)


def spent() -> float:
    """Seconds of processor used so far, by this process and by the database's own where there is one."""
    return time.process_time() + _spent_by_database()


def _spent_by_database() -> float:
    connection.ensure_connection()
    if connection.vendor != "postgresql":
        return 0.0
    with suppress(OSError):
        told = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text(encoding="ascii")
        return int(told.split()[0]) / 1e9
    return 0.0


def _tell(name: str, times: list[float]) -> None:
    middle, slow = statistics.median(times), statistics.quantiles(times, n=10)[-1]
    print(f"{name:12} median {middle:6.1f} ms ({middle / LIMIT:.2f} of the limit), ninth decile {slow:6.1f} ms")


if __name__ == "__main__":
    main(*(int(each) for each in (sys.argv[1:] or ["200", "150", "10000"])))

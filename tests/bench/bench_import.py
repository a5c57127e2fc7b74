"""Households/s of a whole import, every check on, against bare `lxml.iterparse` of the same file in the same run.

python -m tests.bench.bench_import [--households 10000 100000] [--databases sqlite postgresql] [--rounds 2]

Each size and database has a process of its own, so that its peak memory is its own. PostgreSQL is started apart, in a
temporary folder, with its usual durability, unless PGHOST names one.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import argparse
import gc
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.bench_landlord_file import DIALECTS, SAMPLES, bare, generate

COMPARED = 10_000  # households written by bulk_create, which is slow
CONFIGURATION = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
}


def main() -> None:
    """Generate, measure each database in its process, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, nargs="+", default=[10_000])
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="nested")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--row-by-row", action="store_true", help="as an account without the right to ask keys at once")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.dialect, options.households[0], options.rounds, options.row_by_row)
        return
    with tempfile.TemporaryDirectory() as folder:
        for households in options.households:
            path = Path(folder) / "deposit.xml"
            with path.open("wb") as into:
                generate(options.dialect, households, into)
            print(f"\n{options.dialect}, {households:,} households, {path.stat().st_size / 1e6:.0f} MB", flush=True)
            for database in options.databases:
                told = [f"--households={households}", f"--dialect={options.dialect}", f"--rounds={options.rounds}"]
                command = [sys.executable, "-m", "tests.bench.bench_import", *told, f"--measure={path}"]
                command += ["--row-by-row"] * options.row_by_row
                with server(database) as where:
                    subprocess.run(command, check=True, env={**os.environ, **where})


# ── Databases ────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def server(database: str) -> Iterator[dict[str, str]]:
    """The environment that leads to an empty database of that kind."""
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings.test", "TEST_DATABASE": database}
    if database == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield settings | {"TEST_SQLITE": f"{folder}/bench.sqlite3"}
        return
    if os.environ.get("PGHOST"):
        yield settings
        return
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    data, running = folder / "data", None
    try:
        data.mkdir()
        as_user = _as_postgres(data)
        programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
        made = [programs / "initdb", "-D", data / "cluster", "-U", "enquetes", "-A", "trust", "-E", "UTF8", "-N"]
        subprocess.run([*as_user, *made], check=True, cwd="/", stdout=subprocess.DEVNULL)
        told = [part for name, value in CONFIGURATION.items() for part in ("-c", f"{name}={value}")]
        command = [*as_user, programs / "postgres", "-D", data / "cluster", "-k", data, *told]
        running = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL)
        ready = [programs / "pg_isready", "-q", "-h", data, "-U", "enquetes", "-d", "postgres"]
        while subprocess.run(ready, check=False).returncode:
            time.sleep(0.2)
        yield settings | {"PGHOST": str(data), "PGUSER": "enquetes", "PGDATABASE": "postgres"}
    finally:
        if running:
            pid = (data / "cluster" / "postmaster.pid").read_text().splitlines()[0]
            subprocess.run(["kill", "-INT", pid], check=False)
            running.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _as_postgres(data: Path) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.getuid():
        return []
    user = next((name for name in ("postgres", "nobody") if _known(name)), "nobody")
    shutil.chown(data, user)
    return ["runuser", "-u", user, "--"]


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


# ── One process, one database, one size ──────────────────────────────────────────────────────────────────────────────


def measure(path: Path, dialect: str, households: int, rounds: int, row_by_row: bool) -> None:
    """Bare iterparse, reading alone, the whole import, bulk_create: the best of the rounds.

    Seconds are those of a core, PostgreSQL's own included. Those of the clock, where both sides overlap, are told
    beside how much of a core each had: on a busy machine they wait for one.
    """
    import django

    django.setup()
    from django.db import connection

    from campaigns.scope import all_landlords
    from config.celery import leave_alone_what_is_loaded
    from tenants.importing import foreign_keys

    if row_by_row:
        foreign_keys.may_be_asked_at_once = lambda: False
    leave_alone_what_is_loaded()  # as in a worker, where imports run
    with all_landlords():
        connection.creation.create_test_db(verbosity=0)
        floors, reads, imports = [], [], []
        for _ in range(rounds):
            floors.append(_timed(lambda: _bare(path, dialect)))
            reads.append(_timed(lambda: _read(path, dialect)))
            deposit = _deposit(path, dialect)
            before = _resident()
            imports.append(_timed(lambda deposit=deposit: _import(deposit)))  # type: ignore[misc]
            growth = _peak() - before
            deposit.content.delete(save=False)
        floor, reading, (whole, own, wall) = min(floors)[0], min(reads)[0], min(imports)
        (compared, _, waited), count = _timed(lambda: _bulk_create(path, dialect)), min(COMPARED, households)
        rate, slow, shortest = households / whole, count / compared, min(each[2] for each in imports)
        quick = households / shortest * waited / count
        print(f"  {connection.vendor}")
        print(f"    bare iterparse       {households / floor:10,.0f} households/s/core   1.00")
        print(f"    read(), all checks   {households / reading:10,.0f} households/s/core   {floor / reading:.2f}")
        print(f"    whole import         {rate:10,.0f} households/s/core   {floor / whole:.2f}")
        print(f"    import, client alone {households / own:10,.0f} households/s/core   {floor / own:.2f}")
        if whole > own:
            print(f"    import, server alone {households / (whole - own):10,.0f} households/s/core")
        both = f"client {own / wall:.0%} and server {(whole - own) / wall:.0%} of a core, load {os.getloadavg()[0]:.1f}"
        print(f"    import, by the clock {households / shortest:10,.0f} households/s   {floor / shortest:.2f}", end="")
        print(f"   {shortest:.1f} s: {both}")
        print(f"    bulk_create(500)     {slow:10,.0f} households/s/core   the import is {rate / slow:.1f} × that")
        print(f"    the same, by the clock {count / waited:8,.0f} households/s   the import is {quick:.1f} × that")
        print(f"    memory               {growth:10,.0f} MB above {before:.0f} MB held just before", flush=True)


def _timed(step: Callable[[], Any]) -> tuple[float, float, float]:
    """Seconds of a core, PostgreSQL's included; those of this process alone; seconds of the wall."""
    served, spent, start = _of_postgres(), time.process_time(), time.perf_counter()
    step()
    own = time.process_time() - spent
    return own + _of_postgres() - served, own, time.perf_counter() - start


def _of_postgres() -> float:
    """Seconds of a core that the server has spent on this connection."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _bare(path: Path, dialect: str) -> int:
    with path.open("rb") as source:
        return bare(source, DIALECTS[dialect][4])


def _codes(dialect: str) -> Any:
    from tenants.landlord_file.code_table_files import load_code_tables

    with (SAMPLES / DIALECTS[dialect][0] / "tables_correspondance.csv").open("rb") as tables:
        return load_code_tables(tables)


def _read(path: Path, dialect: str) -> int:
    from tenants.landlord_file.profile_files import load_profile
    from tenants.landlord_file.reader import read

    with path.open("rb") as source:
        return sum(1 for _ in read(source, load_profile(dialect), _codes(dialect)))


def _deposit(path: Path, dialect: str) -> Any:
    """The file, received by a campaign that is ready for it."""
    from django.core.files.base import File
    from django.utils import timezone

    from tenants import importing
    from tenants.models import ImportFile
    from tests.factories.campaigns import CampaignFactory

    campaign, now = CampaignFactory(), timezone.now()
    importing.adopt_profile(campaign=campaign, name=dialect)
    tables = SAMPLES / DIALECTS[dialect][0] / "tables_correspondance.csv"
    for kind, file in ((ImportFile.Kind.CODES, tables), (ImportFile.Kind.HOUSEHOLDS, path)):
        with file.open("rb") as content:
            told = {"kind": kind, "name": file.name, "content": File(content), "now": now}
            deposit, _ = importing.receive_deposit(campaign=campaign, **told)
        if kind == ImportFile.Kind.CODES:
            importing.import_codes(deposit=deposit, now=now)
    return deposit


def _import(deposit: Any) -> None:
    from django.utils import timezone

    from tenants import importing

    report = importing.import_households(deposit=deposit, now=timezone.now())
    if not report.imported:
        raise SystemExit(report.sentence)


def _bulk_create(path: Path, dialect: str) -> None:
    """The ORM reads the same file and writes the same rows, 500 at a time, in one transaction."""
    from itertools import islice

    from django.db import transaction
    from django.utils import timezone

    from tenants.importing import rows
    from tenants.landlord_file.profile_files import load_profile
    from tenants.landlord_file.reader import read
    from tenants.landlord_file.records import HouseholdRecord
    from tenants.models import CaseEvent, Dwelling, Household, Occupant, SurveyCase
    from tests.factories.campaigns import CampaignFactory

    campaign, now = CampaignFactory(), timezone.now()
    with path.open("rb") as source, transaction.atomic():
        found = read(source, load_profile(dialect), _codes(dialect))
        records = list(islice((each for each in found if isinstance(each, HouseholdRecord)), COMPARED))
        homes = [
            Dwelling(campaign=campaign, reference=each.tenant_ref, **rows.dwelling_values(each)) for each in records
        ]
        Dwelling.objects.bulk_create(homes, batch_size=500)
        households = [
            Household(campaign=campaign, dwelling=home, tenant_reference=each.tenant_ref, **rows.household_values(each))
            for home, each in zip(homes, records, strict=True)
        ]
        Household.objects.bulk_create(households, batch_size=500)
        people = [
            Occupant(household=household, row=person.rank, **rows.occupant_values(person))
            for household, each in zip(households, records, strict=True)
            for person in each.occupants
        ]
        Occupant.objects.bulk_create(people, batch_size=500)
        cases = [
            SurveyCase(campaign=campaign, household=household, reference=f"{number:08d}")  # never one drawn already
            for number, household in enumerate(households)
        ]
        SurveyCase.objects.bulk_create(cases, batch_size=500)
        CaseEvent.objects.bulk_create(
            [CaseEvent(case=case, kind="import", occurred_at=now) for case in cases], batch_size=500
        )


def _resident() -> float:
    """Memory held now, in MB; the peak is counted from here, without what earlier steps left to collect."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> float:
    return _status("VmHWM")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


if __name__ == "__main__":
    main()

"""Forms/s of a whole composition (reads, access codes, checks, pages, files, rows, audit), beside the press alone.

python -m tests.bench.bench_compose [--households 2000 10000] [--databases sqlite postgresql] [--size 500] [--rounds 2]

Each size and database has a process of its own. Seconds are those of a core, PostgreSQL's own included; the press
prints the very fills of the composition, in the same run. What counts is the ratio.
"""

# ruff: noqa: T201 — a bench prints its figures

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from tests.bench.bench_import import _deposit, _import, _peak, _resident, _timed, server
from tests.bench.bench_landlord_file import generate


def main() -> None:
    """Generate, measure each database in its process, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, nargs="+", default=[2_000])
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    parser.add_argument("--size", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.size, options.rounds)
        return
    with tempfile.TemporaryDirectory() as folder:
        for households in options.households:
            path = Path(folder) / "deposit.xml"
            with path.open("wb") as into:
                generate("nested", households, into)
            for database in options.databases:
                told = [f"--size={options.size}", f"--rounds={options.rounds}", f"--measure={path}"]
                with server(database) as where:
                    subprocess.run(
                        [sys.executable, "-m", "tests.bench.bench_compose", *told],
                        check=True,
                        env={**os.environ, **where},
                    )


def measure(path: Path, size: int, rounds: int) -> None:
    """The press alone, then the whole composition: the best of the rounds."""
    import django

    django.setup()
    from django.db import connection

    from campaigns.scope import all_landlords

    with all_landlords():
        connection.creation.create_test_db(verbosity=0)
        alone, whole, walls, growth = [], [], [], 0.0
        for _ in range(rounds):
            campaign = _approved(path)
            workshop, printed = _fills(campaign)
            with tempfile.TemporaryFile() as file:
                alone.append(_timed(lambda: _press(workshop, printed, file))[0])  # noqa: B023 - called at once
            before = _resident()
            spent, wall = _timed(lambda: _compose(campaign, size))  # noqa: B023 - called at once
            growth = max(growth, _peak() - before)
            whole.append(spent)
            walls.append(wall)
    forms = len(printed)
    print(f"\n{connection.vendor}, {forms:,} forms, {size} a batch, {rounds} rounds", flush=True)
    print(f"    press alone          {forms / min(alone):10,.0f} forms/s/core   1.00")
    print(f"    whole composition    {forms / min(whole):10,.0f} forms/s/core   {min(whole) / min(alone):.2f} × that")
    print(f"    in seconds           {min(walls):10.2f} s of the wall, {growth:.0f} MB above the loaded project")


def _approved(path: Path) -> Any:
    """A campaign with the households of the file and an approved form."""
    from tests.tenants.printing import approve

    deposit = _deposit(path, "nested")
    _import(deposit)
    approve(deposit.campaign)
    return deposit.campaign


def _fills(campaign: Any) -> tuple[Any, list[Any]]:
    """What the press prints for each case, ready."""
    from django.utils import timezone

    from campaigns.operations import approved_revision
    from tenants.dispatch.workshop import Workshop
    from tenants.models import SurveyCase

    workshop = Workshop.of(approved_revision(campaign), now=timezone.now())
    told = []
    for case in SurveyCase.objects.for_campaign(campaign).filter(state="prepared").for_letters():
        if workshop.variant_for(case) not in workshop.layouts:
            continue
        address = f"https://enquete.exemple.example/a/{case.reference}{'A' * 14}"
        fill = workshop.filler.fill(case, code="ABCD-2345-EFGH", address=address)
        told.append((workshop.layouts[workshop.variant_for(case)], fill))
    return workshop, told


def _press(workshop: Any, printed: list[Any], into: IO[bytes]) -> None:
    from campaigns.paper_form.batch_press import BatchPress

    press = BatchPress(into, workshop.branding)
    for layout, fill in printed:
        press.print(layout, fill)
    press.close()


def _compose(campaign: Any, size: int) -> None:
    from django.utils import timezone

    from tenants.dispatch import compose_forms

    batches = compose_forms(campaign=campaign, now=timezone.now(), size=size)
    if not batches:
        raise SystemExit("Nothing was composed.")


if __name__ == "__main__":
    main()

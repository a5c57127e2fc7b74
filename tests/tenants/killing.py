"""A visit of a landlord's folders killed at each of its steps, then made again; run as a process of its own.

`python -m tests.tenants.killing SERVER FOLDER` prints step → outcome as JSON. SERVER tells how to enter (JSON).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
django.setup()

from django.apps import apps  # noqa: E402 - once Django is set up
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from campaigns.exchange import LandlordExchange, SftpAccount  # noqa: E402
from campaigns.models import Campaign  # noqa: E402
from campaigns.scope import all_landlords  # noqa: E402
from tenants import importing  # noqa: E402
from tenants.importing import acknowledgements, arrivals, collection  # noqa: E402
from tenants.models import Household, ImportFile  # noqa: E402
from tests.factories.campaigns import CampaignFactory  # noqa: E402

NOW = dt.datetime(2026, 10, 1, 9, tzinfo=dt.UTC)
FILES = ("codes.csv", "locataires.xml")
# Each step of a visit: killed just before it (False) or just after it (True).
STEPS: tuple[tuple[Any, str, bool], ...] = (
    (LandlordExchange, "fetch", False),
    (LandlordExchange, "fetch", True),
    (arrivals, "receive_deposit", True),
    (arrivals, "_stored", True),
    (LandlordExchange, "claim", True),
    (collection, "acknowledge", True),
    (collection, "import_codes", True),
    (collection, "bring_households", False),
    (collection, "bring_households", True),
    (collection, "_put_away", False),
    (collection, "_put_away", True),
    (acknowledgements, "anomalies_csv", True),
    (collection, "tell_result", False),
    (collection, "tell_result", True),
)


def killing(function: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """The function, whose second call is its process's last moment (the first file was handled)."""
    calls = 0

    def dies(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if not after and calls == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if calls == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    limit = 1 if function.__name__ in ("import_codes", "bring_households", "anomalies_csv") else 2
    return dies


def visit(server: dict[str, Any], campaign: Campaign) -> None:
    """One visit."""
    key = Path(server["key"])
    account = SftpAccount(
        "127.0.0.1", server["port"], server["username"], (server["host_key"],), "", key, server["folder"], 10
    )
    with LandlordExchange(account) as exchange:
        importing.fetch_deposits(campaign=campaign, exchange=exchange, now=NOW, pause=0.01)


def outcome(server: dict[str, Any], source: Path, where: Any, name: str, *, after: bool) -> str:
    """Drop both files, have a fork of this process killed at that step, visit again, and look."""
    root = Path(server["folder"])
    for folder in ("depot", "archive", "accuses"):
        shutil.rmtree(root / folder)
        (root / folder).mkdir()
    campaign = CampaignFactory()
    importing.adopt_profile(campaign=campaign, name="nested")
    for file in FILES:
        shutil.copy(source / file, root / "depot" / file)
    connections.close_all()
    child = os.fork()
    if child == 0:
        setattr(where, name, killing(getattr(where, name), after=after))
        visit(server, campaign)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        return "not killed"
    visit(server, campaign)
    archived = {file.name: file.read_bytes() for file in (root / "archive").iterdir()}
    told = {file.name for file in (root / "accuses").iterdir() if not file.name.startswith(".")}
    whole = (
        not list((root / "depot").iterdir())
        and archived == {file: (source / file).read_bytes() for file in FILES}
        and Household.objects.filter(campaign=campaign).count() == 3
        and sorted(ImportFile.objects.filter(campaign=campaign).values_list("kind", "state"))
        == [("codes", "imported"), ("households", "imported")]
        and {f"{file}.{end}.txt" for file in FILES for end in ("accuse", "resultat")} <= told
        and not any("-2." in each for each in told)
    )
    return "killed, then whole" if whole else f"killed, then {sorted(archived)} {sorted(told)}"


def main() -> None:
    """Every step, before and after."""
    server, source = json.loads(sys.argv[1]), Path(sys.argv[2])
    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}  # straight from the models: faster
    call_command("migrate", run_syncdb=True, verbosity=0)
    told = {}
    with all_landlords():
        for where, name, after in STEPS:
            told[f"{'after' if after else 'before'} {name}"] = outcome(server, source, where, name, after=after)
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")


main()

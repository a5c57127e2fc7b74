"""Imports a deposit in a process of its own, which kills itself at a given point: what the tests of crashes start.

python -m tests.tenants.import_process DATABASE DEPOSIT [reading | loading | ending]
"""

# ruff: noqa: T201 — Django is set up first

from __future__ import annotations

import os
import signal
import sys
from typing import Any


def main() -> None:
    """Import, and say how many households were new."""
    import django
    from django.conf import settings

    database, deposit, point = (*sys.argv[1:], "")[:3]
    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from django.utils import timezone

    from campaigns.scope import all_landlords
    from tenants import importing
    from tenants.importing import households, streaming
    from tenants.importing.examining import Examination
    from tenants.importing.tables import Table
    from tenants.models import ImportFile

    if point == "reading":
        kill_at(Examination, "conclude", 1)
    elif point == "loading":
        kill_at(Table, "load", 4)
        kill_at(streaming, "copy", 4)  # PostgreSQL: in the thread that loads
    elif point == "ending":
        kill_at(households, "done_importing", 1)
    with all_landlords():
        report = importing.import_households(deposit=ImportFile.objects.get(pk=deposit), now=timezone.now())
    print(report.created)


def kill_at(owner: Any, name: str, call: int) -> None:
    """Die, unable to do anything about it, when `name` is called for that time."""
    usual, calls = getattr(owner, name), []

    def dying(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return usual(*args, **kwargs)

    setattr(owner, name, dying)


if __name__ == "__main__":
    main()

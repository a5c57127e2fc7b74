"""What a person decides of a deposit: put it to use, or accept what it changes."""

from __future__ import annotations

import datetime as dt

from campaigns.models import User
from tenants.importing.collection import process
from tenants.importing.households import accept_deposit
from tenants.models import ImportFile


def put_to_use(*, deposit: ImportFile, now: dt.datetime, actor: User) -> str:
    """Accept a deposit that was examined, else handle it as on its arrival; the French sentence to show.

    Raises UnableToImport when what was shown is no longer what the deposit would change, or another import is busy.
    """
    if deposit.state == ImportFile.State.EXAMINED:
        report = accept_deposit(deposit=deposit, now=now, actor=actor)
        deposit.refresh_from_db()
        return report.sentence
    return process(deposit=deposit, now=now).explanation

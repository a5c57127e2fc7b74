"""What a person decides of a deposit: put it to use, or accept what it changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from campaigns.models import User
from tenants.importing.collection import process
from tenants.importing.households import accept_deposit, examine_households
from tenants.importing.renumbering import renumber
from tenants.models import ImportChange, ImportFile


def put_to_use(*, deposit: ImportFile, now: dt.datetime, actor: User) -> str:
    """Accept a deposit that was examined, else handle it as on its arrival; the French sentence to show.

    Raises UnableToImport when what was shown is no longer what the deposit would change, or another import is busy.
    """
    if deposit.state == ImportFile.State.EXAMINED:
        report = accept_deposit(deposit=deposit, now=now, actor=actor)
        deposit.refresh_from_db()
        return report.sentence
    return process(deposit=deposit, now=now).explanation


def keep_renumbered(*, deposit: ImportFile, changes: Iterable[ImportChange], now: dt.datetime, actor: User) -> str:
    """Take these departures for the same households under another reference, then read the deposit again.

    The French sentence to show. Raises UnableToRenumber, or UnableToImport when it can't be read again.
    """
    count = renumber(deposit=deposit, changes=changes, now=now, actor=actor)
    examine_households(deposit=deposit, now=now)
    kept = f"{count} ménages gardent leur dossier" if count > 1 else f"{count} ménage garde son dossier"
    return f"{kept} sous la nouvelle référence. Le fichier a été relu : voici ce qu'il changerait maintenant."

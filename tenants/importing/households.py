"""The landlord's file of households into the campaign: shown first when it corrects, then written at once.

Everything goes in by one transaction, or nothing. A first deposit on PostgreSQL is read inside it, its households on
their way to the server while the next ones are read; any other is read before, without a lock.
"""

from __future__ import annotations

import datetime as dt

from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from campaigns.models import Campaign, User
from tenants.importing.code_tables import give_meanings
from tenants.importing.comparing import known_households
from tenants.importing.corrections import correct
from tenants.importing.departures import let_go
from tenants.importing.deposits import CHUNK, Progress, UnableToImport, done_importing
from tenants.importing.examining import Examination, generation_of
from tenants.importing.masking import masked
from tenants.importing.profiles import profile_of
from tenants.importing.report import ImportReport
from tenants.importing.streaming import Stream
from tenants.landlord_file.profile import MappingProfile
from tenants.landlord_file.records import Anomaly
from tenants.models import ImportAnomaly, ImportFile

# Readings started again because another deposit of the campaign was imported meanwhile.
TRIES = 3
# How long an import waits for the one before it (PostgreSQL; SQLite waits as its settings say).
PATIENCE = "120s"
BUSY = "Un autre fichier de cette campagne est en cours d'import : relancez celui-ci dans un moment."
OUTDATED = (
    "Ce que ce fichier change n'est plus ce qui vous a été montré : la campagne a bougé depuis. "
    "Relisez les changements, puis acceptez-les."
)


class _Overtaken(Exception):
    """Another deposit was imported while this one was read."""


class _Outdated(Exception):
    """The changes are no longer those that were shown."""


class _Refused(Exception):
    """The file is refused when some of it is in the database already."""


def bring_households(*, deposit: ImportFile, now: dt.datetime, progress: Progress | None = None) -> ImportReport:
    """What a deposit of households becomes when it arrives: imported if it is the campaign's first, else only examined.

    What corrects households that are known waits for a person who has seen what it changes. Raises UnableToImport.
    """
    if deposit.campaign.households.exists():
        return examine_households(deposit=deposit, now=now, progress=progress)
    return import_households(deposit=deposit, now=now, progress=progress)


def examine_households(*, deposit: ImportFile, now: dt.datetime, progress: Progress | None = None) -> ImportReport:
    """Read a deposit and keep its anomalies and what it would change with it; the campaign stays as it was.

    A file that can't be read is refused. Raises UnableToImport when the campaign has no profile or is closed.
    """
    if _imported(deposit):
        return _already(deposit)
    campaign = Campaign.objects.get(pk=deposit.campaign_id)
    with Examination(campaign=campaign, deposit=deposit, now=now, keep=False) as examination:
        examination.read(_profile(campaign, now), progress)
        report = examination.report
        if not report.refused:
            report.state = ImportFile.State.EXAMINED
        with transaction.atomic():
            _record(examination, now)
            deposit.examined_at = now
            deposit.save(update_fields=["examined_at"])
    return report


def accept_deposit(*, deposit: ImportFile, now: dt.datetime, actor: User) -> ImportReport:
    """Import a deposit that was examined: exactly the changes that were shown, in one transaction.

    When they are no longer the same, nothing is written, the new ones are kept with the deposit, and UnableToImport
    asks to read them again.
    """
    try:
        return import_households(deposit=deposit, now=now, actor=actor, shown=deposit.shown_digest)
    except _Outdated:
        examine_households(deposit=deposit, now=now)
        raise UnableToImport(OUTDATED) from None


def import_households(
    *,
    deposit: ImportFile,
    now: dt.datetime,
    dry_run: bool = False,
    progress: Progress | None = None,
    actor: User | None = None,
    shown: str = "",
) -> ImportReport:
    """Households, occupants, dwellings and cases of a deposit; known ones are corrected by tenant reference.

    An anomaly that blocks the file leaves the campaign as it was; one that blocks a household leaves that one out.
    All are recorded with the deposit, except in a dry run, which writes nothing. `progress` is told the number of
    households read; `shown` is the digest of the changes that were accepted. Raises UnableToImport when the campaign
    has no profile, is closed, or is busy with another file.
    """
    if dry_run:
        return _try(deposit, now, progress)
    for _ in range(TRIES):
        if _imported(deposit):
            return _already(deposit)
        campaign = Campaign.objects.get(pk=deposit.campaign_id)
        profile = _profile(campaign, now)
        with Examination(campaign=campaign, deposit=deposit, now=now, keep=True) as examination:
            if not examination.straight:
                examination.read(profile, progress)
            try:
                return _write(examination, profile, progress, now, actor, shown)
            except _Overtaken:
                continue
    raise UnableToImport(BUSY)


def _try(deposit: ImportFile, now: dt.datetime, progress: Progress | None) -> ImportReport:
    """Read and check everything, then undo even the meanings given to codes."""
    if _imported(deposit):
        return _already(deposit)
    with transaction.atomic():
        campaign = Campaign.objects.get(pk=deposit.campaign_id)
        with Examination(campaign=campaign, deposit=deposit, now=now, keep=False) as examination:
            examination.read(_profile(campaign, now), progress)
        transaction.set_rollback(True)
    examination.report.dry_run = True
    return examination.report


def _imported(deposit: ImportFile) -> bool:
    deposit.refresh_from_db(fields=["state"])
    return deposit.state == ImportFile.State.IMPORTED


def _already(deposit: ImportFile) -> ImportReport:
    return ImportReport(name=deposit.name, state=deposit.state, already=True)


def _profile(campaign: Campaign, now: dt.datetime) -> MappingProfile:
    if campaign.stage == Campaign.Stage.CLOSED:
        raise UnableToImport("La campagne est close : elle ne reçoit plus de ménages.")
    profile = profile_of(campaign)
    if profile is None:
        raise UnableToImport("Choisissez d'abord le profil d'import de la campagne (nested, relational ou le vôtre).")
    with transaction.atomic():
        give_meanings(campaign, profile, now=now)
    return profile_of(campaign) or profile


# ── The one transaction ──────────────────────────────────────────────────────────────────────────────────────────────


def _write(
    examination: Examination,
    profile: MappingProfile,
    progress: Progress | None,
    now: dt.datetime,
    actor: User | None,
    shown: str,
) -> ImportReport:
    """All that the reading found, or finds now. Raises _Overtaken, _Outdated or UnableToImport: nothing is written."""
    deposit = examination.deposit
    try:
        with transaction.atomic():
            _lock(examination)
            if _imported(deposit):
                return _already(deposit)
            if generation_of(examination.campaign) != examination.generation:
                raise _Overtaken
            if examination.straight:
                _read_straight(examination, profile, progress)
            report = examination.report
            if not report.refused:
                report.state = ImportFile.State.IMPORTED
                _apply(examination, now, actor)
                examination.desk.write()
                if shown and examination.log.digest != shown:
                    raise _Outdated
                done_importing(examination.campaign, now)
            _record(examination, now)
            if not report.refused:
                deposit.imported_at, deposit.accepted_by = now, actor
                deposit.save(update_fields=["imported_at", "accepted_by"])
    except IntegrityError as error:
        # Something read as new was written by another import between the reading and the writing.
        raise _Overtaken from error
    except DataError as error:
        raise UnableToImport("Une valeur de ce fichier ne peut pas être enregistrée : signalez-le-nous.") from error
    return report


def _lock(examination: Examination) -> None:
    """Wait for the imports of this campaign that are under way. Raises UnableToImport when it takes too long."""
    try:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
                cursor.execute("SELECT set_config('statement_timeout', '0', true)")
        # What only names the campaign (a wave, another deposit) may be written meanwhile.
        Campaign.objects.select_for_update(no_key=True).get(pk=examination.campaign.pk)
    except OperationalError as error:
        raise UnableToImport(BUSY) from error


def _read_straight(examination: Examination, profile: MappingProfile, progress: Progress | None) -> None:
    """The whole file, each block loaded while the next one is read; nothing stays of a file that is refused."""
    try:
        with transaction.atomic(), Stream(examination.tables) as stream:
            examination.read(profile, progress, stream)
            if examination.report.refused:
                raise _Refused
    except _Refused:
        return


def _apply(examination: Examination, now: dt.datetime, actor: User | None) -> None:
    """New households at once, unless they are there already; corrections one by one, then those who left."""
    for table in examination.tables:
        table.load()
    if not examination.again:
        return
    campaign, deposit = examination.campaign, examination.deposit
    # Cases may have moved since the reading: what is written is worked out again on rows that are held.
    examination.start_again()
    for chunk in examination.corrections():
        known = known_households(campaign, [record.tenant_ref for record, _ in chunk], lock=True)
        for record, describes in chunk:
            household, scope = known[record.tenant_ref], examination.scoping.of(record)
            changes = examination.note(household, record, scope, describes=describes)
            if changes is not None:
                correct(
                    campaign=campaign,
                    deposit=deposit,
                    known=household,
                    record=record,
                    changes=changes,
                    now=now,
                    actor=actor,
                )
    examination.conclude()
    let_go(examination.departed, deposit=deposit, now=now, actor=actor)


def _record(examination: Examination, now: dt.datetime) -> None:
    """What the deposit became, with its anomalies and its changes."""
    deposit, report = examination.deposit, examination.report
    deposit.anomalies.all().delete()
    anomalies = examination.found.anomalies
    for start in range(0, len(anomalies), CHUNK):
        ImportAnomaly.objects.bulk_create(_row(deposit, each) for each in anomalies[start : start + CHUNK])
    examination.log.save(deposit, CHUNK)
    report.explanation = report.explanation or report.sentence
    deposit.state, deposit.explanation, deposit.report = report.state, report.sentence, report.as_tables()
    deposit.households, deposit.refused = report.imported, report.left_out
    deposit.shown_digest = examination.log.digest
    deposit.imported_at = None
    deposit.save(
        update_fields=["state", "explanation", "report", "households", "refused", "shown_digest", "imported_at"]
    )


def _row(deposit: ImportFile, anomaly: Anomaly) -> ImportAnomaly:
    return ImportAnomaly(
        deposit=deposit,
        kind=anomaly.kind[:40],
        severity=anomaly.severity.value,
        line=anomaly.line,
        path=anomaly.path[:300],
        value=masked(anomaly.value)[:200],
        expected=anomaly.expected[:200],
        message=masked(anomaly.message)[:400],
        tenant_reference=anomaly.tenant_ref[:40],
    )

"""The landlord's file of households into the campaign: one transaction, all or nothing, the second time nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from django.db import transaction

from campaigns.models import Campaign
from tenants.importing.code_tables import codes_of, give_meanings
from tenants.importing.deposits import CHUNK, Progress, UnableToImport, done_importing
from tenants.importing.profiles import profile_of
from tenants.importing.report import ImportReport
from tenants.importing.rows import too_long
from tenants.importing.writing import HouseholdWriter
from tenants.landlord_file.profile import MappingProfile
from tenants.landlord_file.reader import read
from tenants.landlord_file.records import Anomaly, Severity
from tenants.models import ImportAnomaly, ImportFile

# More anomalies than this say nothing new: the file comes from another dialect.
MOST_ANOMALIES = 20_000


class _Undone(Exception):
    """Everything written so far must go: the file is refused, or the run was only a try."""


@dataclass(slots=True)
class _Found:
    """The anomalies met, bounded, and the households they concern."""

    anomalies: list[Anomaly] = field(default_factory=list)
    counts: dict[Severity, int] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)

    def add(self, anomaly: Anomaly) -> None:
        self.counts[anomaly.severity] = self.counts.get(anomaly.severity, 0) + 1
        if anomaly.tenant_ref:
            self.references.add(anomaly.tenant_ref)
        if len(self.anomalies) < MOST_ANOMALIES or anomaly.severity is Severity.FILE:
            self.anomalies.append(anomaly)

    @property
    def blocking(self) -> Anomaly | None:
        return next((each for each in self.anomalies if each.severity is Severity.FILE), None)


def import_households(
    *, deposit: ImportFile, now: dt.datetime, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Households, occupants, dwellings and cases of a deposit; known ones are corrected by tenant reference.

    An anomaly that blocks the file leaves the campaign as it was; one that blocks a household leaves that one out.
    All are recorded with the deposit, except in a dry run, which writes nothing. `progress` is told the number of
    households read. Raises UnableToImport when the campaign has no profile or is closed.
    """
    report = ImportReport(name=deposit.name, dry_run=dry_run)
    found = _Found()
    try:
        with transaction.atomic():
            campaign = Campaign.objects.select_for_update().get(pk=deposit.campaign_id)
            deposit.refresh_from_db(fields=["state"])
            if deposit.state == ImportFile.State.IMPORTED:
                report.state, report.already = deposit.state, True
                return report
            _read_into(campaign, deposit, found, report, now, progress)
            report.state = ImportFile.State.IMPORTED
            if dry_run:
                raise _Undone
            _record(deposit, found, report, now)
            done_importing(campaign, now)
    except _Undone:
        if not dry_run:
            _record_refusal(deposit, found, report, now)
    return report


def _profile(campaign: Campaign, now: dt.datetime) -> MappingProfile:
    if campaign.stage == Campaign.Stage.CLOSED:
        raise UnableToImport("La campagne est close : elle ne reçoit plus de ménages.")
    profile = profile_of(campaign)
    if profile is None:
        raise UnableToImport("Choisissez d'abord le profil d'import de la campagne (nested, relational ou le vôtre).")
    give_meanings(campaign, profile, now=now)
    return profile_of(campaign) or profile


def _read_into(
    campaign: Campaign,
    deposit: ImportFile,
    found: _Found,
    report: ImportReport,
    now: dt.datetime,
    progress: Progress | None,
) -> None:
    """Stream the file into rows. Raises _Undone when the file is refused."""
    profile = _profile(campaign, now)
    writer = HouseholdWriter(campaign=campaign, deposit=deposit, now=now, report=report, tell=found.add)
    with deposit.content.open("rb") as source:
        for position, each in enumerate(read(cast(BinaryIO, source), profile, codes_of(campaign)), start=1):
            anomaly = each if isinstance(each, Anomaly) else too_long(each)
            if anomaly is None and not isinstance(each, Anomaly):
                writer.add(each)
            elif anomaly is not None:
                found.add(anomaly)
                _stop_when_blocking(anomaly, report)
            if progress and position % CHUNK == 0:
                progress(position)
    writer.finish(known=found.references)
    report.left_out = found.counts.get(Severity.HOUSEHOLD, 0)
    report.warnings = found.counts.get(Severity.WARNING, 0)
    if progress:
        progress(report.imported)


def _stop_when_blocking(anomaly: Anomaly, report: ImportReport) -> None:
    if anomaly.severity is Severity.FILE:
        report.state, report.explanation = ImportFile.State.REFUSED, anomaly.message
        raise _Undone


def _record(deposit: ImportFile, found: _Found, report: ImportReport, now: dt.datetime) -> None:
    """What the deposit became, with its anomalies."""
    deposit.anomalies.all().delete()
    ImportAnomaly.objects.bulk_create((_row(deposit, each) for each in found.anomalies), batch_size=CHUNK)
    report.explanation = report.explanation or report.sentence
    deposit.state, deposit.explanation = report.state, report.sentence
    deposit.households, deposit.refused = report.imported, report.left_out
    deposit.imported_at = None if report.refused else now
    deposit.save(update_fields=["state", "explanation", "households", "refused", "imported_at"])


@transaction.atomic
def _record_refusal(deposit: ImportFile, found: _Found, report: ImportReport, now: dt.datetime) -> None:
    """Nothing of the file stays but what was wrong with it."""
    for name in ("created", "corrected", "unchanged", "kept", "absent", "exempt"):
        setattr(report, name, 0)
    _record(deposit, found, report, now)


def _row(deposit: ImportFile, anomaly: Anomaly) -> ImportAnomaly:
    return ImportAnomaly(
        deposit=deposit,
        kind=anomaly.kind[:40],
        severity=anomaly.severity.value,
        line=anomaly.line,
        path=anomaly.path[:300],
        value=anomaly.value[:200],
        expected=anomaly.expected[:200],
        message=anomaly.message[:400],
        tenant_reference=anomaly.tenant_ref[:40],
    )

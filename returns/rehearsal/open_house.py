"""A second campaign to try by hand after a rehearsal: its forms are out, some scans wait for the keying operators.

Everything in it is invented and marked as a rehearsal; one household's printed code is told, so that the portal can be
entered as a tenant does.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from campaigns import operations
from campaigns.models import Campaign, Landlord
from returns.intake import read_batch, receive_scans
from returns.models import RehearsedTenant
from returns.rehearsal.answering import envelope_of
from returns.rehearsal.deposit import code_tables_csv, households_xml, rules_csv
from returns.rehearsal.intentions import ON_PAPER
from returns.rehearsal.papers import posted
from returns.rehearsal.people import Village
from returns.rehearsal.play import cast_tenants
from returns.rehearsal.stage import REPLY, troupe
from tenants.access_codes import issue_typed
from tenants.dispatch import compose_forms, compose_proof, hand_over
from tenants.importing import adopt_profile, process, receive_deposit
from tenants.models import ImportFile, SurveyCase

HOUSEHOLDS = 24
SCANNED = 3  # envelopes already scanned and read, their doubts not keyed yet
OPENED = dt.timedelta(days=9)  # days since the forms left
FIELD = dt.timedelta(days=75)


@dataclass(frozen=True, slots=True)
class Door:
    """How to enter the portal as one made-up tenant."""

    campaign: Campaign
    reference: str
    code: str


def open_house(*, landlord: Landlord, now: dt.datetime, seed: int) -> Door:
    """Open the campaign, send its forms, scan a few answers; returns the door of a household that has not answered."""
    sent = now - OPENED
    opens = sent.date()
    campaign = operations.open_campaign(
        landlord=landlord,
        survey=Campaign.Survey.SLS,
        year=now.year + 1,
        opens_on=opens,
        reply_by=opens + REPLY,
        closes_on=opens + FIELD,
        now=sent,
        rehearsal=True,
    )
    adopt_profile(campaign=campaign, name="nested")
    _deposit(campaign, Village(HOUSEHOLDS, year=now.year + 1, seed=seed), sent)
    campaign.refresh_from_db()
    revision = operations.draw_up_revision(campaign=campaign, now=sent)
    proof = compose_proof(revision=revision, now=sent)
    operations.approve_proof(proof=proof, actor=troupe()[-1], now=sent, comment="Répétition")
    campaign.refresh_from_db()
    for batch in compose_forms(campaign=campaign, now=sent):
        hand_over(batch=batch, now=sent)
    cast_tenants(campaign, seed=seed)
    _scan_some(campaign, now)
    case = SurveyCase.objects.for_campaign(campaign).silent().order_by("pk")[0]
    return Door(campaign, case.reference, issue_typed(case=case, wave="visite", now=now))


def _deposit(campaign: Campaign, village: Village, now: dt.datetime) -> None:
    files = (
        (ImportFile.Kind.CODES, "tables_correspondance.csv", code_tables_csv()),
        (ImportFile.Kind.RULES, "regles_gestion.csv", rules_csv()),
        (ImportFile.Kind.HOUSEHOLDS, "locataires.xml", households_xml(village.people(), year=village.year)),
    )
    for kind, name, content in files:
        deposit, _ = receive_deposit(campaign=campaign, kind=kind, name=name, content=content, now=now)
        process(deposit=deposit, now=now)


def _scan_some(campaign: Campaign, now: dt.datetime) -> None:
    writers = RehearsedTenant.objects.filter(case__campaign=campaign, behaviour__in=ON_PAPER).select_related("case")
    for tenant in writers.order_by("pk")[:SCANNED]:
        content = posted(envelope_of(tenant=tenant, day=now.date()))
        batch = receive_scans(campaign=campaign, name=f"{tenant.case.reference}.tif", content=content, now=now)
        read_batch(batch=batch, now=now)
        tenant.answered_at = now
        tenant.save(update_fields=["answered_at"])

"""The rehearsal from end to end, on a hamlet: what was delivered differs from what was meant only where it says so."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.models import Campaign, Milestone
from returns.models import KeyingTask, Page, RehearsedTenant, ScanBatch, SurveyReturn
from returns.rehearsal.outcome import Outcome
from returns.rehearsal.production import rehearse_village
from returns.rehearsal.reconciliation import newest_csv, reconcile

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
HOUSEHOLDS = 6


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_hamlet_is_surveyed_and_delivered_as_it_meant() -> None:
    told: list[str] = []

    outcome = rehearse_village(
        households=HOUSEHOLDS, seed=11, now=NOW, tell=lambda what, done, total: told.append(what)
    )

    _nothing_is_left_to_do(outcome.campaign)
    _the_figures_add_up(outcome)
    _the_differences_are_all_told(outcome)
    _the_calendar_is_done(outcome.campaign)
    assert "Campagne jouée" in told


def _nothing_is_left_to_do(campaign: Campaign) -> None:
    assert not ScanBatch.objects.exclude(state=ScanBatch.State.READ).exists()
    assert not KeyingTask.objects.exclude(state=KeyingTask.State.DONE).exists()
    assert not SurveyReturn.objects.exclude(state=SurveyReturn.State.TRANSCRIBED).exists()
    assert not RehearsedTenant.objects.filter(
        case__campaign=campaign, behaviour__in=["online", "paper"], answered_at=None
    ).exists()


def _the_figures_add_up(outcome: Outcome) -> None:
    read = outcome.reconciliation.read

    assert outcome.imported == HOUSEHOLDS
    assert 0 < outcome.households <= HOUSEHOLDS
    assert outcome.figures.pages == Page.objects.count() > 0
    assert read["accepted"] <= read["inked"] > 0
    assert read["read_right"] <= read["inked"]
    told = dict(outcome.lines())
    assert told["Dossiers papier lus sans personne"].endswith("%)")
    assert outcome.as_tables()["fields_keyed"] == read["keyed"] > 0
    assert {label for label, _ in outcome.times()} >= {"Import du fichier déposé", "Total"}
    assert outcome.as_tables()["reconciliation"]["fields"] == outcome.reconciliation.fields


def _the_differences_are_all_told(outcome: Outcome) -> None:
    """Recounted from the CSV that was kept: no field is wrong without being listed, none was accepted wrong."""
    reconciliation = outcome.reconciliation
    again = reconcile(campaign=outcome.campaign, delivered=newest_csv(outcome.campaign.restitutions.get(number=1)))

    assert reconciliation.cases > 0
    assert again.differences == reconciliation.differences
    assert again.right == reconciliation.right
    assert reconciliation.read["accepted_wrong"] == 0
    assert reconciliation.differences == []


def _the_calendar_is_done(campaign: Campaign) -> None:
    done = set(campaign.milestones.exclude(done_at=None).values_list("kind", flat=True))

    kinds = Milestone.Kind
    assert done >= {kinds.IMPORT, kinds.PROOF, kinds.DISPATCH, kinds.RESTITUTION, kinds.CLOSING}
    assert campaign.milestones.get(kind=kinds.REPORT).done_at is None  # the command writes it

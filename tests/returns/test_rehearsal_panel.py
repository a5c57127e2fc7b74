"""The rehearsal on the campaign's page: offered once the file is there, never twice at once, its figures told."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from returns import tasks
from returns.models import Rehearsal
from returns.rehearsal_panel import UnableToRehearse, describe_rehearsal, start_rehearsal
from tenants.models import ImportFile
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import ImportFileFactory

pytestmark = pytest.mark.django_db

FIGURES = {
    "reconciliation": {
        "cases": 3,
        "right": 118,
        "wrong": 1,
        "read": {"keyed": 12},
        "differences": [["3467ACDE", "paper", 1, "RFR", "23456", "23455"]],
    }
}


@pytest.fixture
def imported(campaign):
    ImportFileFactory(campaign=campaign, kind=ImportFile.Kind.HOUSEHOLDS, state=ImportFile.State.IMPORTED)
    return campaign


@pytest.fixture
def played(imported, now):
    apart = CampaignFactory(landlord=imported.landlord, rehearsal=True)
    return Rehearsal.objects.create(campaign=apart, original=imported, started_at=now, ended_at=now, figures=FIGURES)


def test_a_campaign_without_its_file_cannot_be_rehearsed(campaign):
    assert describe_rehearsal(campaign).actions == []


def test_a_campaign_with_its_file_can_be(imported):
    assert describe_rehearsal(imported).actions == ["rehearse"]


def test_a_rehearsal_is_not_rehearsed_in_its_turn(played):
    assert describe_rehearsal(played.campaign).actions == []


def test_a_running_rehearsal_says_how_far_it_is_and_refuses_a_second(imported, played, manager, now):
    played.ended_at, played.step, played.done, played.total = None, "Jour 12", 12, 96
    played.save()

    assert describe_rehearsal(imported).note.startswith("Jour 12 (12 sur 96)")
    with pytest.raises(UnableToRehearse):
        start_rehearsal(imported, manager, now, {})


def test_one_that_died_does_not_block_the_next_for_ever(
    imported, played, manager, now, monkeypatch, django_capture_on_commit_callbacks
):
    asked = []
    monkeypatch.setattr(tasks.rehearse, "delay", lambda **told: asked.append(told))
    played.ended_at = None
    played.save()

    with django_capture_on_commit_callbacks(execute=True):
        start_rehearsal(imported, manager, now + tasks.LONGEST_REHEARSAL + dt.timedelta(minutes=1), {})
        assert asked == []  # after the commit only

    assert asked == [{"campaign": imported.pk}]


def test_the_figures_and_the_differences_are_told(imported, played, manager, client):
    panel = describe_rehearsal(imported)

    client.force_login(manager)
    answer = client.get(reverse("admin:rehearsal_differences", args=[played.pk]))

    assert [figure.value for figure in panel.figures] == [3, 118, 1, 12]
    assert "3467ACDE;paper;1;RFR;23456;23455" in answer.content.decode("utf-8-sig")


def test_an_incident_is_told_in_words(imported, played):
    played.explanation = "Le fichier du bailleur a été refusé."
    played.save()

    assert describe_rehearsal(imported).note == "Le fichier du bailleur a été refusé."

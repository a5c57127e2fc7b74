"""No dossier is left without a next step: what, who, when, and by which rule."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.law.settings import shipped_law
from campaigns.models import Milestone
from returns.completeness import settle
from returns.next_step import next_step
from tenants.case_states import State
from tests.factories.tenants import CaseFactory
from tests.tenants.silent import SENT_AT

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 2)


def due_next(case, today=TODAY):
    return next_step(case, law=shipped_law(), today=today)


@pytest.fixture
def calendar(campaign):
    for kind, day in (("reminder_letter", 23), ("formal_notice", 24), ("non_response", 25)):
        Milestone.objects.create(campaign=campaign, kind=kind, due_on=dt.date(2026, 11, day))
    return campaign


@pytest.mark.parametrize("state", [State.RESTITUTED, State.OUT_OF_SCOPE])
def test_a_finished_dossier_waits_for_nothing(campaign, state):
    assert due_next(CaseFactory(campaign=campaign, state=state)) is None


@pytest.mark.parametrize(
    "state", [each for each in State if each not in {State.RESTITUTED, State.OUT_OF_SCOPE, State.INCOMPLETE}]
)
def test_every_other_state_has_a_step_an_owner_and_a_rule(calendar, state):
    step = due_next(CaseFactory(campaign=calendar, state=state, sent_at=SENT_AT))
    assert step.what
    assert step.who
    assert step.why


def test_the_formal_notice_is_never_told_before_its_legal_day(calendar):
    calendar.milestones.filter(kind="reminder_letter").update(done_at=SENT_AT)
    calendar.milestones.filter(kind="formal_notice").update(due_on=dt.date(2026, 11, 1))
    step = due_next(CaseFactory(campaign=calendar, state="sent", sent_at=SENT_AT))
    assert step.what == "Mise en demeure"
    assert step.due_on > dt.date(2026, 11, 12)


def test_an_incomplete_dossier_waits_for_its_household_then_for_a_call(family, declare, later):
    declare()
    settle(case=family, now=later)
    family.refresh_from_db()
    assert due_next(family).who == "locataire"
    overdue = dt.date(2026, 11, 20)
    assert due_next(family, overdue).what == "Rappeler les compléments"
    family.complements.update(reminded_at=later)
    assert due_next(family, overdue).who == "conseiller téléphonique"


def test_a_dossier_incomplete_without_a_request_is_said_stuck(campaign):
    with pytest.raises(LookupError, match="rien ne lui est demandé"):
        due_next(CaseFactory(campaign=campaign, state="incomplete"))

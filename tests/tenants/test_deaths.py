"""A death told stops everything at once: what waits, what is printed, and the list of the provisional SLS."""

from __future__ import annotations

import datetime as dt

import pytest

from returns.restitution.delivery import restitute
from tenants.case_states import State
from tenants.deaths import UnableToRecordDeath, record_death
from tenants.models import Message, SurveyCase
from tests.factories.campaigns import RevisionFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.silent import SENT_AT

pytestmark = pytest.mark.django_db

LATER = dt.datetime(2027, 1, 4, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _media(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"


def test_nothing_more_leaves_and_the_history_says_why(campaign, manager):
    case = CaseFactory(campaign=campaign, state="sent", sent_at=SENT_AT)
    waiting = MessageFactory(case=case)
    record_death(case=case, now=LATER, actor=manager)
    waiting.refresh_from_db()
    assert (case.state, waiting.state) == (State.OUT_OF_SCOPE, Message.State.CANCELLED)
    assert case.events.get(kind="exempt").data["cause"] == "death"
    assert case.events.filter(kind="message_cancelled").count() == 1


def test_edge_case_7_who_dies_after_the_formal_notice_is_on_no_list_of_provisional_sls(campaign):
    RevisionFactory(campaign=campaign)
    dead, other = (
        CaseFactory(campaign=campaign, state="non_respondent", sent_at=SENT_AT, formal_notice_at=SENT_AT)
        for _ in range(2)
    )
    record_death(case=dead, now=LATER)
    told = restitute(campaign=campaign, formats=["csv"], now=LATER)
    assert [line.case for line in told.lines.all()] == [other]


def test_a_death_known_after_the_list_is_told_by_the_next_delivery(campaign):
    RevisionFactory(campaign=campaign)
    case = CaseFactory(campaign=campaign, state="non_respondent", sent_at=SENT_AT, formal_notice_at=SENT_AT)
    restitute(campaign=campaign, formats=["csv"], now=LATER)
    record_death(case=case, now=LATER)
    line = restitute(campaign=campaign, formats=["csv"], now=LATER + dt.timedelta(days=3)).lines.get()
    assert (line.state, line.regularisation) == (State.OUT_OF_SCOPE, True)


@pytest.mark.parametrize(
    ("state", "told"), [("received", "corrigez sa déclaration"), ("out_of_scope", "déjà hors enquête")]
)
def test_a_household_that_answered_or_is_aside_is_treated_otherwise(campaign, state, told):
    case = CaseFactory(campaign=campaign, state=state)
    with pytest.raises(UnableToRecordDeath, match=told):
        record_death(case=case, now=LATER)
    assert SurveyCase.objects.get(pk=case.pk).state == state

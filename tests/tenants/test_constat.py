"""The constat lists those who have not answered, with every mailing that left, and nobody else."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from campaigns.models import Milestone
from tenants.case_states import Move
from tenants.constat import HEADING, constat_csv
from tenants.models import Message, Purpose
from tenants.reminders import send_due
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db


def told(case, *, now, state=Message.State.SENT, purpose=Purpose.FORM):
    return Message.objects.create(
        case=case, channel=Message.Channel.LETTER, purpose=purpose, wave="w", state=state, recipient="x",
        created_at=now, sent_at=now if state == Message.State.SENT else None,
    )  # fmt: skip


def lines(campaign):
    return list(csv.DictReader(io.StringIO(constat_csv(campaign).decode("utf-8-sig")), delimiter=";"))


@pytest.fixture
def silent(campaign, now):
    case = CaseFactory(campaign=campaign)
    case.move(Move.SEND, now=now)
    told(case, now=now)
    return case


def test_each_mailing_of_a_silent_household_is_a_line(campaign, silent, now):
    told(silent, now=now, purpose=Purpose.REMINDER_LETTER)

    found = lines(campaign)

    assert [line["OBJET"] for line in found] == ["formulaire d'enquête", "relance par courrier"]
    assert {line["DOSSIER"] for line in found} == {silent.reference}
    assert tuple(found[0]) == HEADING


def test_a_mailing_that_never_left_proves_nothing(campaign, silent, now):
    told(silent, now=now, state=Message.State.FAILED, purpose=Purpose.REMINDER_LETTER)

    assert len(lines(campaign)) == 1


def test_whoever_has_answered_is_off_the_list(campaign, silent, now):
    silent.move(Move.RECEIVE, now=now)

    assert lines(campaign) == []


def test_a_name_that_looks_like_a_formula_stays_a_text(campaign, silent):
    silent.household.tenant_reference = "=1+1"
    silent.household.save()

    assert lines(campaign)[0]["REFERENCE"] == "'=1+1"


def test_the_milestone_notes_the_silence_on_each_case_once(campaign, silent, now):
    campaign.stage = campaign.Stage.FIELD
    campaign.save()
    due = campaign.reply_by
    Milestone.objects.create(campaign=campaign, kind=Milestone.Kind.CONSTAT, due_on=due)
    later = now + dt.timedelta(days=40)

    send_due(campaign=campaign, today=due, now=later)
    send_due(campaign=campaign, today=due, now=later)

    [event] = silent.events.filter(kind="constat")
    assert event.data == {"mailings": 1}

"""Answers that nobody could read: told on the case, in its history and beside the delivery, until told again."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from returns.keying import RECALL, answer, close_keyed
from returns.keying_queue import next_task
from returns.models import Restitution
from returns.restitution.delivery import _write_unread
from returns.unread import unread_in_campaign, unread_of
from tests.factories.campaigns import UserFactory
from tests.factories.keying import EMAIL, INCOME, case_of, doubtful_return
from tests.factories.returns import ReturnFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def keyed(campaign, later):
    """A dossier whose e-mail address nobody could read; it is closed."""
    survey_return = doubtful_return(campaign, [(EMAIL, 0, None)], now=later)
    anne = UserFactory(keying=True)
    answer(task=next_task(operator=anne, now=later), operator=anne, text="", illegible=True, now=later)
    close_keyed(now=later + RECALL)
    return survey_return


def test_it_is_told_on_the_case_and_in_its_history(keyed, campaign, client, landlord_user):
    case = case_of(keyed)
    assert unread_of(case) == [(EMAIL, 0)]
    assert unread_in_campaign(campaign) == {case.pk: [(EMAIL, 0)]}
    assert case.events.get(kind="answer_unread").data["fields"] == [[EMAIL, 0]]
    client.force_login(landlord_user)
    page = client.get(reverse("tracking:case", args=[case.reference])).content.decode()
    assert "Ce que personne n’a pu lire" in page
    assert "Réponse illisible" in page


def test_a_second_look_that_can_read_it_leaves_nothing_to_tell(campaign, later, manager):
    survey_return = doubtful_return(campaign, [(INCOME, 1, None)], now=later)
    for operator, told in ((UserFactory(keying=True), ""), (UserFactory(keying=True), "9")):
        answer(
            task=next_task(operator=operator, now=later), operator=operator, text=told, illegible=not told, now=later
        )
    answer(task=next_task(operator=manager, now=later), operator=manager, text="9", now=later)
    close_keyed(now=later + RECALL)
    assert unread_of(case_of(survey_return)) == []
    assert not case_of(survey_return).events.filter(kind="answer_unread").exists()


def test_an_answer_by_another_way_since_leaves_nothing_to_tell(keyed, later):
    case = case_of(keyed)
    ReturnFactory(case=case, channel="paper", received_at=later + dt.timedelta(days=1))
    assert unread_of(case) == [(EMAIL, 0)]
    ReturnFactory(case=case, channel="online", received_at=later + dt.timedelta(days=2))
    assert unread_of(case) == []


def test_what_is_declared_since_leaves_nothing_to_tell(keyed):
    case = case_of(keyed)
    case.declaration.record(EMAIL, 0, "a@exemple.fr", source="phone")
    case.declaration.save()
    assert unread_of(case) == []


def test_the_delivery_says_which_values_are_the_landlord_s_own(keyed, campaign, later):
    case, kept = case_of(keyed), []
    restitution = Restitution.objects.create(campaign=campaign, number=1, created_at=later)
    _write_unread(restitution, kept)
    assert not kept
    restitution.lines.create(case=case, version=1, state="complete")
    _write_unread(restitution, kept)
    with kept[0].content.open("rb") as file:
        head, line = file.read().decode("utf-8-sig").splitlines()
    assert head == "DOSSIER;REFERENCE;RANG;CHAMP"
    assert line == f"{case.reference};{case.household.tenant_reference};;Courriel"
    assert kept[0].name.endswith("_ILLISIBLES.csv")

"""Demandes de compléments: numbered, in the rules' words, told once, by e-mail or else by letter."""

from __future__ import annotations

import datetime as dt

import pytest

from returns.complements import UnableToAsk, request_complement
from returns.completeness import missing_items, settle
from returns.models import ComplementRequest
from tenants.models import Message
from tests.factories.returns import DocumentFactory

pytestmark = pytest.mark.django_db


def ask(case, now) -> ComplementRequest:
    """Settle an incomplete case and return its newest request."""
    settle(case=case, now=now)
    return ComplementRequest.objects.filter(case=case).latest("number")


def test_the_request_says_what_is_missing_in_the_words_of_completeness(family, declare, later):
    declare()
    request = ask(family, later)
    assert request.number == 1
    assert request.due_on == dt.date(2026, 11, 17)
    assert [item["sentence"] for item in request.items] == [item.sentence for item in missing_items(family)]
    for item in request.items:
        assert item["sentence"] in request.message.body
        assert item["how"] in request.message.body


def test_it_goes_by_email_where_an_address_is_known(family, declare, later):
    declare()
    message = ask(family, later).message
    assert (message.channel, message.recipient) == (Message.Channel.EMAIL, family.household.email)
    assert (message.purpose, message.wave) == ("complement", "complement-1")


def test_the_address_just_declared_comes_first(family, declare, later):
    declare({("household.email", 0): "nouvelle@exemple.example"})
    assert ask(family, later).message.recipient == "nouvelle@exemple.example"


def test_an_address_that_the_household_emptied_is_not_written_to(family, declare, later):
    declare({("household.email", 0): ""})
    assert ask(family, later).message.channel == Message.Channel.LETTER


def test_it_goes_by_letter_without_an_address(family, declare, later):
    family.household.email = ""
    family.household.save()
    declare()
    message = ask(family, later).message
    assert message.channel == Message.Channel.LETTER
    assert message.recipient.endswith("37000 TOURS")


def test_it_goes_by_letter_when_the_address_is_wrong(family, declare, later):
    declare({("household.email", 0): "sans-arobase"})
    assert ask(family, later).message.channel == Message.Channel.LETTER
    assert family.events.filter(kind="email_refused").count() == 1


def test_the_same_thing_is_not_asked_twice(family, declare, later):
    declare()
    first = ask(family, later)
    second = ask(family, later + dt.timedelta(days=2))
    assert second == first
    assert Message.objects.filter(case=family).count() == 1


def test_what_remains_after_an_arrival_is_asked_under_the_next_number(family, declare, later):
    declare()
    first = ask(family, later)
    DocumentFactory(case=family, row=1)
    second = ask(family, later + dt.timedelta(days=5))
    first.refresh_from_db()
    assert first.answered_at == later + dt.timedelta(days=5)
    assert (second.number, len(second.items)) == (2, 1)
    assert second.message.wave == "complement-2"


def test_nothing_is_asked_when_nothing_is_missing(family, declare, notices, later):
    declare()
    with pytest.raises(UnableToAsk, match="Rien ne manque"):
        request_complement(case=family, now=later)


def test_the_history_tells_pieces_and_no_personal_value(family, declare, later):
    declare()
    ask(family, later)
    event = family.events.get(kind="complement_requested")
    assert event.data == {"number": 1, "missing": ["tax_notice"], "due_on": "2026-11-17"}

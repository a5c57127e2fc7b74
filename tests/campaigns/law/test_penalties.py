"""The penalty of a late answer to the OPS survey, by whole months."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.law.clocks import Event, Kind, deadline, mainland_rules
from campaigns.law.penalties import ops_penalty
from campaigns.law.texts import PenaltyRate

D = dt.date
REPLY = deadline("ops_reply", [Event(Kind.SENT, D(2027, 10, 12), "lot 1")], mainland_rules())  # until 12 November


@pytest.mark.parametrize(
    ("today", "amount", "months"),
    [
        (D(2027, 11, 12), "0", 0),
        (D(2027, 11, 13), "7.62", 0),
        (D(2027, 12, 12), "7.62", 0),
        (D(2027, 12, 13), "15.24", 1),
        (D(2028, 1, 12), "15.24", 1),
        (D(2028, 1, 13), "22.86", 2),
        (D(2028, 11, 13), "99.06", 12),
    ],
)
def test_it_grows_by_whole_months(today, amount, months):
    found = ops_penalty(REPLY, today=today)

    assert (found.amount, found.whole_months) == (Decimal(amount), months)


def test_it_stops_growing_at_the_answer():
    found = ops_penalty(REPLY, today=D(2028, 6, 1), answered_on=D(2027, 12, 20))

    assert found.amount == Decimal("15.24")
    assert found.next_rise is None


def test_an_answer_in_time_costs_nothing():
    found = ops_penalty(REPLY, today=D(2028, 6, 1), answered_on=D(2027, 11, 12))

    assert (found.amount, found.next_rise) == (Decimal(0), None)
    assert "aucune pénalité" in found.steps[-1]


def test_particular_difficulties_waive_it():
    found = ops_penalty(REPLY, today=D(2028, 6, 1), difficulty="hospitalisation")

    assert found.amount == 0
    assert "hospitalisation" in found.steps[-1]


def test_it_says_when_it_rises_next_and_why():
    found = ops_penalty(REPLY, today=D(2027, 11, 20))

    assert found.next_rise is not None
    assert found.next_rise.date == D(2027, 12, 13)
    assert found.next_rise.events == REPLY.events
    assert "15,24" in found.next_rise.text
    assert "L442-5" in found.next_rise.source


def test_a_landlord_may_ask_less():
    rate = PenaltyRate(Decimal("5.00"), Decimal(0), D(2027, 1, 1), "Délibération")

    assert ops_penalty(REPLY, today=D(2028, 6, 1), rate=rate).amount == Decimal("5.00")


@given(st.dates(D(2027, 1, 1), D(2030, 1, 1)), st.integers(0, 60))
def test_it_never_falls_and_rises_only_by_whole_steps(today, later):
    now, then = ops_penalty(REPLY, today=today), ops_penalty(REPLY, today=today + dt.timedelta(days=later))

    assert then.amount >= now.amount
    assert then.amount % Decimal("7.62") == 0


@given(st.dates(D(2027, 1, 1), D(2030, 1, 1)))
def test_the_next_rise_is_the_first_day_of_the_next_amount(today):
    now = ops_penalty(REPLY, today=today)

    assert now.next_rise is not None
    assert now.next_rise.date > today
    assert ops_penalty(REPLY, today=now.next_rise.date).amount > now.amount
    assert ops_penalty(REPLY, today=now.next_rise.date - dt.timedelta(days=1)).amount == now.amount

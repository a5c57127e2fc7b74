"""From when a departure is expected of a household: what the landlord's file says."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.questionnaire.values import Since
from tenants.earliest_days import BORN, BOUNDED, DEPARTURE, MOVED_IN, earliest_days, earliest_days_of_row
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db

ENTERED = dt.date(2019, 5, 1)


def test_nobody_listed_left_before_moving_in_or_being_born():
    case = CaseFactory(household__move_in_on=ENTERED, household__occupants=2)
    case.household.occupants.filter(row=2).update(birth_date=dt.date(2021, 2, 3))

    assert earliest_days(case) == {
        (DEPARTURE, 1): Since(ENTERED, MOVED_IN),
        (DEPARTURE, 2): Since(dt.date(2021, 2, 3), BORN),
    }


def test_nothing_is_said_where_nothing_is_known():
    case = CaseFactory(household__move_in_on=None, household__occupants=1)
    case.household.occupants.update(birth_date=None)

    assert earliest_days(case) == {}


def test_what_is_known_of_one_person():
    case = CaseFactory(household__move_in_on=ENTERED)

    assert earliest_days_of_row(case, 3) == {DEPARTURE: Since(ENTERED, MOVED_IN)}
    assert earliest_days_of_row(case, 0) == {}


def test_only_the_questions_said_to_be_bounded_are():
    assert {key for key, _ in earliest_days(CaseFactory())} == BOUNDED

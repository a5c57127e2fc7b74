"""Two years in a row: who is warned, of what day, and whom the law protects."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from campaigns.law.alerts import Protection, SurveyYear, alerts

TENSE = Protection(tense=True)
SILENT = (SurveyYear(2026, answered=False), SurveyYear(2027, answered=False))
FAR = Decimal(46812), Decimal(31208)


def test_two_years_without_an_answer():
    [found] = alerts(SILENT, TENSE)

    assert found.key == "no_answer"
    assert (found.lost_on.date, found.notice_by.date) == (dt.date(2029, 7, 1), dt.date(2029, 1, 1))
    assert "1er juillet 2029" in found.text
    assert found.certain


def test_two_years_over_a_hundred_and_fifty_percent():
    """W13 and W14: more than 150 % of the PLS ceiling, found in 2017 and 2018: right lost on 1 July 2020."""
    told = [SurveyYear(year, True, FAR[0] + 1, FAR[1]) for year in (2017, 2018)]

    [found] = alerts(told, TENSE)

    assert found.key == "resources"
    assert found.lost_on.date == dt.date(2020, 7, 1)


def test_exactly_a_hundred_and_fifty_percent_is_not_over():
    assert alerts([SurveyYear(year, True, *FAR) for year in (2026, 2027)], TENSE) == ()


@pytest.mark.parametrize(
    "history",
    [
        SILENT[:1],
        (SILENT[0], SurveyYear(2027, answered=True)),
        (SurveyYear(2024, answered=False), SILENT[1]),
        (SurveyYear(2026, True, None, None), SurveyYear(2027, True, *FAR)),
    ],
)
def test_one_year_alone_or_two_apart_warn_of_nothing(history):
    assert alerts(history, TENSE) == ()


@pytest.mark.parametrize(
    "protection",
    [
        Protection(tense=False),
        Protection(tense=True, birth_year=1963),
        Protection(tense=True, disabled=True),
        Protection(tense=True, qpv=True),
    ],
)
def test_whom_the_law_protects(protection):
    assert alerts(SILENT, protection) == ()


def test_a_year_too_young_is_not_protected():
    assert len(alerts(SILENT, Protection(tense=True, birth_year=1964))) == 1


def test_an_unknown_zone_is_to_be_checked():
    [found] = alerts(SILENT, Protection())

    assert not found.certain
    assert "vérifiez-la" in found.text

"""Which days are holidays where the tenant lives, and what day it is there."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.law.territories import territories, territory, territory_of
from campaigns.law.texts import tables


@pytest.mark.parametrize(
    ("postcode", "key"),
    [
        ("37000", "metropole"),
        ("20000", "metropole"),
        ("67000", "alsace"),
        ("68100", "alsace"),
        ("57000", "moselle"),
        ("97110", "guadeloupe"),
        ("97133", "saint_barthelemy"),
        ("97150", "saint_martin"),
        ("97200", "martinique"),
        ("97300", "guyane"),
        ("97400", "reunion"),
        ("97500", "saint_pierre_et_miquelon"),
        ("97600", "mayotte"),
        ("", "metropole"),
        ("inconnu", "metropole"),
    ],
)
def test_a_postcode_says_where_it_lies(postcode, key):
    assert territory_of(postcode).key == key


def test_a_landlord_may_name_one_calendar_for_all_its_dwellings():
    assert territory_of("37000", "alsace").key == "alsace"
    with pytest.raises(KeyError):
        territory_of("37000", "atlantide")


@pytest.mark.parametrize(
    ("key", "day", "holiday"),
    [
        ("metropole", dt.date(2026, 12, 25), True),
        ("metropole", dt.date(2026, 12, 26), False),
        ("alsace", dt.date(2026, 12, 26), True),
        ("moselle", dt.date(2026, 4, 3), True),
        ("metropole", dt.date(2026, 4, 3), False),
        ("metropole", dt.date(2026, 4, 6), True),
        ("metropole", dt.date(2026, 5, 14), True),
        ("guadeloupe", dt.date(2026, 5, 27), True),
        ("martinique", dt.date(2026, 5, 22), True),
        ("guyane", dt.date(2026, 6, 10), True),
        ("reunion", dt.date(2026, 12, 20), True),
        ("mayotte", dt.date(2026, 4, 27), True),
        ("saint_barthelemy", dt.date(2026, 10, 9), True),
        ("saint_martin", dt.date(2026, 5, 28), True),
        ("saint_pierre_et_miquelon", dt.date(2026, 7, 14), True),
    ],
)
def test_each_territory_has_its_own_holidays(key, day, holiday):
    assert bool(territory(key).holiday(day)) is holiday


@given(st.sampled_from(territories()), st.dates(min_value=dt.date(2007, 1, 1), max_value=dt.date(2060, 1, 1)))
def test_the_next_working_day_is_the_first_one(place, day):
    found = place.next_working_day(day)

    assert place.is_working_day(found)
    assert day <= found <= day + dt.timedelta(days=6)
    idle = [day + dt.timedelta(days=number) for number in range((found - day).days)]
    assert all(place.why_idle(each) for each in idle)
    assert place.why_idle(found) == ""


@pytest.mark.parametrize(
    ("key", "day"),
    [
        ("metropole", dt.date(2026, 11, 12)),
        ("reunion", dt.date(2026, 11, 13)),
        ("guadeloupe", dt.date(2026, 11, 12)),
    ],
)
def test_a_moment_falls_on_the_day_it_is_there(key, day):
    assert territory(key).local_day(dt.datetime(2026, 11, 12, 21, 30, tzinfo=dt.UTC)) == day


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="fuseau"):
        territory("metropole").local_day(dt.datetime(2026, 11, 12, 21, 30))  # noqa: DTZ001 - the point of the test


def test_each_territory_names_its_source():
    assert all(each["source"] for each in tables("territories.toml")["territories"])

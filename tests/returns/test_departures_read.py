"""A departure read on a sheet: kept alone since the household moved in, a person's when it may be before."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from returns import scan_pages
from returns.acceptance import KINDS
from returns.models import FieldReading, KeyingTask
from returns.rehearsal.pens import Pen, comb_text
from tests.returns.sheets import printed

pytestmark = pytest.mark.django_db

LEFT = "occupant.left_on"
DAYS = {1: "2024-06-15", 2: "2014-06-15"}


@pytest.fixture
def scanned_departures(variant, case, received):
    """Two people left, says the sheet: one in 2024, one in 2014."""

    def scanned():
        sheets = printed(variant.layout, case)
        zones = {zone.row: zone for zone in variant.layout.zones if zone.field == LEFT}
        for row, day in DAYS.items():
            zone = zones[row]
            Pen("a clear hand").write_digits(sheets[zone.page - 1], zone.box, zone.cells, comb_text(day, zone.cells))
        received([sheets[number - 1] for number in sorted({zones[row].page for row in DAYS})])
        return {each.row: each for each in FieldReading.objects.filter(field=LEFT, row__in=DAYS)}

    return scanned


def moved_in(case, day):
    case.household.move_in_on = day
    case.household.save(update_fields=["move_in_on"])


def test_a_day_since_moving_in_is_kept_alone_and_an_earlier_one_goes_to_a_person(case, scanned_departures):
    moved_in(case, dt.date(2019, 5, 1))

    read = scanned_departures()

    assert (read[1].value, read[1].accepted) == (DAYS[1], True)
    assert read[1].confidence >= KINDS["dates"].least
    assert read[2].value is None or read[2].value >= "2019-05-01"
    assert not read[2].accepted
    assert set(KeyingTask.objects.filter(field=LEFT).values_list("row", flat=True)) == {2}


def test_where_nobody_knows_since_when_both_are_read(case, scanned_departures):
    moved_in(case, None)
    case.household.occupants.update(birth_date=None)

    read = scanned_departures()

    assert {row: each.value for row, each in read.items()} == DAYS


def test_a_value_before_moving_in_is_not_kept_whatever_its_confidence(case, scanned_departures, monkeypatch):
    moved_in(case, dt.date(2019, 5, 1))
    weighed = scan_pages.weighed_again
    monkeypatch.setattr(
        scan_pages,
        "weighed_again",
        lambda *told, **more: replace(weighed(*told, **more), value=DAYS[2], confidence=1.0),
    )

    read = scanned_departures()

    assert [each.accepted for each in read.values()] == [False, False]
    assert {each.reason for each in read.values()} == {"valeur impossible"}

"""What is known of a household bounds the dates read on its sheets: no day before is told, and none is made up."""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.paper_form.zones import ZoneKind
from campaigns.questionnaire.schema import Field, FieldType
from campaigns.questionnaire.values import Since
from returns.acceptance import KINDS
from returns.reading.decoding import OTHER, decode, weighed_again
from returns.reading.readings import Doubt, Ink
from tests.returns.reading import filled
from tests.returns.reading.test_decoding import cells, sure

TODAY = date(2027, 3, 12)
LEFT = Field("left", FieldType.DATE, "Date de départ", check="past_date")
SINCE = Since(date(2019, 5, 1), "l'entrée dans le logement")
LEAST = KINDS["dates"].least


def between(text: str, rival: str, share: float) -> list[np.ndarray | None]:
    """The first date with that share of each cell where they differ, the second with the rest."""
    return [
        sure(int(one)) if one == other else sure(int(one), share, rival=int(other))
        for one, other in zip(text, rival, strict=True)
    ]


def test_a_day_since_then_is_read_as_surely_at_least():
    told = cells("15062024")

    bounded = decode(told, LEFT, today=TODAY, since=SINCE)

    assert bounded.value == "2024-06-15"
    assert bounded.confidence >= decode(told, LEFT, today=TODAY).confidence
    assert bounded.confidence >= LEAST


def test_the_day_itself_is_admitted_and_the_one_before_is_not():
    assert decode(cells("01052019"), LEFT, today=TODAY, since=SINCE).value == "2019-05-01"
    assert decode(cells("30042019"), LEFT, today=TODAY, since=SINCE).value != "2019-04-30"


def test_what_is_known_tells_a_decade_from_another():
    told = between("15062024", "15062014", 0.95)

    assert decode(told, LEFT, today=TODAY).confidence < 0.955
    assert decode(told, LEFT, today=TODAY, since=SINCE).confidence > 0.985


@pytest.mark.parametrize("year", ["2014", "1998"])
def test_ink_that_surely_says_an_earlier_day_is_never_kept_as_a_later_one(year):
    decoded = decode(cells(f"1506{year}"), LEFT, today=TODAY, since=SINCE)

    assert decoded.confidence <= 0.5
    assert decoded.value is None or decoded.value >= "2019-05-01"


def test_an_earlier_day_that_nothing_else_reads_as_says_why_it_is_no_value():
    told = [np.eye(OTHER + 1)[int(digit)] for digit in "15061955"]

    decoded = decode(told, LEFT, today=TODAY, since=SINCE)

    assert (decoded.value, decoded.doubt) == (None, Doubt.TOO_EARLY)
    assert decoded.alternatives[0].value == "15061955"


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_ink_that_may_say_an_earlier_day_goes_to_a_person(share):
    decoded = decode(between("15062024", "15062014", share), LEFT, today=TODAY, since=SINCE)

    assert decoded.value in {"2024-06-15", None}
    assert decoded.confidence < LEAST


@given(st.randoms(use_true_random=False), st.dates(date(1950, 1, 1), TODAY))
def test_no_day_outside_the_bounds_is_ever_told(chance: random.Random, first: date):
    written = date(1925, 1, 1) + timedelta(days=chance.randrange(110 * 365))
    told = [sure(int(each), chance.uniform(0.4, 1), rival=chance.randrange(10)) for each in f"{written:%d%m%Y}"]

    decoded = decode(told, LEFT, today=TODAY, since=Since(first, "l'entrée"))

    days = [decoded.value, *(other.value for other in decoded.alternatives if decoded.value)]
    assert all(day is None or str(first) <= str(day) <= str(TODAY) for day in days)
    assert 0 <= decoded.confidence <= 1


@given(st.randoms(use_true_random=False))
def test_without_anything_known_a_date_reads_as_before(chance: random.Random):
    told = [sure(chance.randrange(10), chance.uniform(0.5, 1)) for _ in range(8)]
    ink = Ink(tuple(tuple(cell.tolist()) for cell in told), spilt=chance.random() < 0.5)

    assert weighed_again(ink, LEFT, today=TODAY, since=None) == decode(told, LEFT, spilt=ink.spilt, today=TODAY)
    far = Since(date(1900, 1, 1), "l'entrée")
    assert weighed_again(ink, LEFT, today=TODAY, since=far) == decode(told, LEFT, spilt=ink.spilt, today=TODAY)


def test_only_dates_that_nothing_else_vouches_for_are_kept_to_be_weighed_again():
    page = filled.pages_to_fill()[-1]
    answers = filled.made_up_answers(3, share=1.0)

    read = filled.reread(filled.written(page, answers))

    [signed] = [each for each in read if each.ink is not None]
    assert (signed.field, signed.kind) == ("signature.signed_on", ZoneKind.COMB)
    assert (
        weighed_again(signed.ink, filled.questions()[signed.field], today=filled.TODAY, since=None).value
        == signed.value
    )
    assert signed.value == answers["signature.signed_on", 0]

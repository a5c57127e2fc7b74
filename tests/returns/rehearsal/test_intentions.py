"""What made-up tenants mean: drawn from a seed, and such as a person could mean it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from returns.models import RehearsedTenant
from returns.rehearsal.intentions import Intention, intend
from returns.rehearsal.meaning import Meaning

REFERENCE_ON = dt.date(2027, 1, 1)
SEEDS = st.text("0123456789", min_size=1, max_size=8)
FAMILY: dict[tuple[str, int], Any] = {
    ("occupant.last_name", 1): "MARTINEAU",
    ("occupant.birth_date", 1): "1980-05-04",
    ("occupant.status", 1): "single",
    ("occupant.last_name", 2): "MARTINEAU",
    ("occupant.birth_date", 2): "2015-05-04",
    ("occupant.link", 2): "child",
}


def _intended(seed: str, *, income_papers: bool = True) -> Intention:
    return intend(seed=seed, prefill=FAMILY, income_papers=income_papers, reference_on=REFERENCE_ON)


@given(seed=SEEDS)
def test_the_same_seed_gives_the_same_will(seed: str) -> None:
    assert _intended(seed) == _intended(seed)


@given(seed=SEEDS)
def test_only_adults_who_stay_tell_an_income_and_join_its_notice(seed: str) -> None:
    will = _intended(seed)

    told = {row for key, row in will.answers if key == "occupant.tax_reference_income"}
    assert told == {1}
    assert [row for kind, row in will.documents if kind == "tax_notice"] == [1]


@given(seed=SEEDS)
def test_nobody_tells_an_income_that_is_not_asked(seed: str) -> None:
    will = _intended(seed, income_papers=False)

    assert not [key for key, _ in will.answers if key.startswith("occupant.tax")]


@given(seed=SEEDS)
def test_the_size_told_counts_those_who_are_there(seed: str) -> None:
    will = _intended(seed)

    newcomers = {row for _, row in will.answers} - {0, 1, 2}
    assert will.answers["household.size", 0] == 2 + len(newcomers)


@given(seed=SEEDS)
def test_an_incomplete_answer_forgets_something_that_was_meant(seed: str) -> None:
    will = _intended(seed)
    meaning = Meaning.of(will)

    incomplete = {RehearsedTenant.Behaviour.INCOMPLETE, RehearsedTenant.Behaviour.NEVER_COMPLETES}
    assert bool(will.forgotten) == (will.behaviour in incomplete)
    missing = 1 if will.forgotten == "notice" else 0
    assert len(meaning.first_documents()) == len(will.documents) - missing


@given(seed=SEEDS)
def test_a_meaning_keeps_every_answer(seed: str) -> None:
    will = _intended(seed)

    assert Meaning.of(will).answers() == will.answers

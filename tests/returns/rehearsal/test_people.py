"""The made-up village: the same for the same seed, and made of households that a landlord could know."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from returns.rehearsal.people import PARTNERS, Village

SEEDS = st.integers(min_value=0, max_value=10**6)


@given(seed=SEEDS)
def test_the_same_seed_gives_the_same_village(seed: int) -> None:
    assert list(Village(5, year=2027, seed=seed).people()) == list(Village(5, year=2027, seed=seed).people())


def test_another_seed_gives_other_people() -> None:
    assert list(Village(5, year=2027, seed=1).people()) != list(Village(5, year=2027, seed=2).people())


def test_a_larger_village_begins_with_the_same_households() -> None:
    assert list(Village(9, year=2027).people())[:4] == list(Village(4, year=2027).people())


@given(seed=SEEDS)
def test_a_household_has_one_holder_and_ranks_without_holes(seed: int) -> None:
    for household in Village(4, year=2027, seed=seed).people():
        people = household.occupants

        assert [person.rank for person in people] == list(range(1, len(people) + 1))
        assert [person.link for person in people].count("holder") == 1
        assert sum(person.link in PARTNERS for person in people) <= 1


@given(seed=SEEDS)
def test_everybody_is_born_before_the_reference_day(seed: int) -> None:
    for household in Village(4, year=2027, seed=seed).people():
        assert all(person.birth_date.year <= 2026 for person in household.occupants if person.birth_date)


def test_references_are_never_given_twice() -> None:
    references = [household.tenant_ref for household in Village(300, year=2027).people()]

    assert len(set(references)) == 300


def test_no_address_of_the_village_can_be_written_to() -> None:
    emails = [household.email for household in Village(200, year=2027).people() if household.email]

    assert emails
    assert all(email.endswith(".invalid") for email in emails)

"""The category of a household, by the tables of the order and of the official fiche."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.law.figures import MissingFigure
from campaigns.law.household import Person, Role, category_of


def people(*roles: Role, ages: tuple[int, ...] = (), disabled: bool = False) -> list[Person]:
    told = [Person(role, ages[number] if number < len(ages) else 40) for number, role in enumerate(roles)]
    return [*told[:-1], Person(told[-1].role, told[-1].age, disabled=disabled)]


T, S, D, A, L = Role.TENANT, Role.SPOUSE, Role.DEPENDANT, Role.ATTACHED, Role.LODGER


@pytest.mark.parametrize(
    ("household", "category"),
    [
        (people(T), 1),
        (people(T, S), 2),
        (people(T, A), 2),
        (people(T, S, ages=(27, 28)), 3),
        (people(T, S, ages=(28, 28)), 2),
        (people(T, A, ages=(20, 20)), 2),
        (people(T, D), 3),
        (people(T, S, D), 3),
        (people(T, S, D, ages=(20, 20)), 3),
        (people(T, D, D), 4),
        (people(T, S, D, D), 4),
        (people(T, D, D, D), 5),
        (people(T, D, D, D, D), 6),
        (people(T, D, D, D, D, D), 7),
        (people(T, S, D, D, D, D), 6),
        (people(T, S, D, D, D, D, D), 7),
        (people(T, L), 1),
        (people(T, disabled=True), 2),
        (people(T, S, disabled=True), 3),
        (people(T, S, D, disabled=True), 4),
        (people(T, S, D, D, disabled=True), 5),
        (people(T, S, D, D, D, disabled=True), 6),
        (people(T, S, D, D, D, D, disabled=True), 6),
        (people(T, L, disabled=True), 1),
        (people(T, D, disabled=True), 3),
    ],
)
def test_the_published_categories(household, category):
    assert category_of(household, 2026).number == category


def test_an_unknown_age_makes_no_young_couple():
    assert category_of([Person(T), Person(S, 20)], 2026).number == 2


def test_it_says_who_counts_and_why():
    told = category_of(people(T, D, L), 2026)

    assert told.counted == 2
    assert any("hébergée" in step for step in told.steps)
    assert any("Une personne seule" in step for step in told.steps)
    assert told.source


def test_rules_of_before_the_law_are_refused():
    with pytest.raises(MissingFigure, match="1990"):
        category_of(people(T), 1990)


@given(st.lists(st.builds(Person, st.sampled_from(list(Role)), st.integers(0, 90), st.booleans()), min_size=1))
def test_a_category_is_the_number_of_people_or_one_more(household):
    counted = [each for each in household if each.role is not L]
    if not counted:
        with pytest.raises(ValueError, match="Aucune personne"):
            category_of(household, 2026)
        return

    assert len(counted) <= category_of(household, 2026).number <= len(counted) + 1

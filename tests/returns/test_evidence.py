"""Whom a tax notice names: never the wrong one of two people who bear the same name."""

from __future__ import annotations

import datetime as dt

from campaigns.questionnaire.conditions import Context
from returns.evidence import TAX_NUMBER, rows_named

FATHER, SON = "2720664218062", "2930012598429"


def household(**numbers):
    """A father and a son, both Adrien Nowak, and Inês Nowak; `numbers` by row, as `row_1=`."""
    people = {1: ("Adrien", "Nowak"), 2: ("Adrien", "Nowak"), 3: ("Inês", "Nowak")}
    known = {("occupant.first_name", row): first for row, (first, _) in people.items()}
    known |= {("occupant.last_name", row): last for row, (_, last) in people.items()}
    typed = {(TAX_NUMBER, int(name[-1])): number for name, number in numbers.items()}
    return Context(answers=typed, prefill=known, reference_on=dt.date(2027, 1, 1), known_rows=frozenset(people))


def notice(number, name="ADRIEN NOWAK"):
    return {"tax_numbers": [number] if number else [], "declarants": [name]}


def test_a_tax_number_tells_two_people_of_the_same_name_apart():
    context = household(row_1=FATHER, row_2=SON)

    assert rows_named(notice(SON), context) == {2}
    assert rows_named(notice(FATHER), context) == {1}


def test_without_a_known_number_a_shared_name_names_nobody():
    assert rows_named(notice(SON), household()) == frozenset()


def test_a_name_borne_by_one_person_alone_is_enough():
    assert rows_named(notice("", "INES NOWAK"), household()) == {3}


def test_a_joint_notice_names_both():
    both = {"tax_numbers": [FATHER, ""], "declarants": ["ADRIEN NOWAK", "INES NOWAK"]}

    assert rows_named(both, household(row_1=FATHER)) == {1, 3}


def test_a_number_alone_is_enough():
    assert rows_named({"tax_numbers": [SON], "declarants": []}, household(row_2=SON)) == {2}

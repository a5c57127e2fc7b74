"""The condition language: each operator, rows, and totality."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.questionnaire.conditions import FACTS, OPERATORS, Context, age_on, fields_in, holds, mentions, problems
from campaigns.questionnaire.wording import FACTS as FACT_WORDINGS
from campaigns.questionnaire.wording import OPERATORS as OPERATOR_WORDINGS
from campaigns.questionnaire.wording import in_words
from tests.campaigns.questionnaire.forms import plain_values, small_form, subject_keys, well_formed_conditions

NEW_YEAR = date(2027, 1, 1)

addresses = st.tuples(subject_keys, st.integers(0, 3))
contexts = st.builds(
    Context,
    answers=st.dictionaries(addresses, plain_values, max_size=6),
    reference_on=st.dates(),
    prefill=st.dictionaries(addresses, plain_values, max_size=6),
    facts=st.dictionaries(st.sampled_from(["apl", "channel"]), plain_values),
    row=st.integers(0, 3),
    known_rows=st.frozensets(st.integers(1, 3)),
)


@given(well_formed_conditions, contexts)
def test_a_well_formed_condition_is_true_or_false_everywhere(condition: dict[str, Any], context: Context) -> None:
    assert problems(condition) == []
    assert isinstance(holds(condition, context), bool)
    assert holds({"not": condition}, context) is not holds(condition, context)


@given(well_formed_conditions)
def test_every_condition_can_be_told_in_french(condition: dict[str, Any]) -> None:
    told = in_words(condition, small_form())

    assert told.strip()
    assert "{x}" not in told
    assert "{v}" not in told


def test_every_operator_and_fact_has_its_wording() -> None:
    assert set(OPERATOR_WORDINGS) == set(OPERATORS)
    assert set(FACT_WORDINGS) == set(FACTS)


def seen(answer: Any = None, prefill: Any = None, *, row: int = 0, known: bool = True, **facts: Any) -> Context:
    return Context(
        answers={} if answer is None else {("q", row): answer},
        prefill={} if prefill is None else {("q", row): prefill},
        facts=facts,
        reference_on=NEW_YEAR,
        row=row,
        known_rows=frozenset({row} if known and row else ()),
    )


CASES: list[tuple[str, Any, Context, bool]] = [
    ("is", True, seen(True), True),
    ("is", 1, seen(True), False),
    ("is", "a", seen(None, "a"), True),
    ("is", "a", seen("b", "a"), False),
    ("is", "a", seen(), False),
    ("is_not", "a", seen(), True),
    ("is_not", "a", seen("a"), False),
    ("in", ["a", "b"], seen("b"), True),
    ("in", ["a", "b"], seen("c"), False),
    ("filled", None, seen(0), True),
    ("filled", None, seen(""), False),
    ("blank", None, seen(), True),
    ("blank", None, seen(False), False),
    ("at_least", 3, seen(3), True),
    ("at_least", 3, seen(2), False),
    ("at_least", 3, seen("3"), False),
    ("at_least", 1, seen(True), False),
    ("at_most", 3, seen(3), True),
    ("at_most", 3, seen(4), False),
    ("less_than", "2026-06-01", seen("2026-05-31"), True),
    ("less_than", "2026-06-01", seen("2026-06-01"), False),
    ("greater_than", 3, seen(4), True),
    ("greater_than", 3, seen(3), False),
    ("age_at_least", 18, seen("2009-01-01"), True),
    ("age_at_least", 18, seen("2009-01-02"), False),
    ("age_at_least", 18, seen("hier"), False),
    ("age_below", 18, seen("2009-01-02"), True),
    ("age_below", 18, seen(), False),
    ("was", "a", seen("b", "a"), True),
    ("was", "a", seen("a"), False),
    ("changed", None, seen("b", "a"), True),
    ("changed", None, seen("a", "a"), False),
    ("changed", None, seen("b"), False),
    ("changed", None, seen(None, "a"), False),
    ("changed_to", ["b"], seen("b", "a"), True),
    ("changed_to", ["b"], seen("b", "b"), False),
    ("changed_to", ["b"], seen("b"), False),
    ("changed_to", ["b"], seen("c", "a"), False),
]


@pytest.mark.parametrize(("operator", "value", "context", "expected"), CASES)
def test_each_operator_says_what_it_means(operator: str, value: Any, context: Context, expected: bool) -> None:
    condition = {"field": "q", "op": operator} | ({} if value is None else {"value": value})

    assert problems(condition) == []
    assert holds(condition, context) is expected


def test_every_operator_of_a_field_is_exercised_above() -> None:
    assert {case[0] for case in CASES} | {"newcomer", "known"} == set(OPERATORS)


def test_no_condition_is_always_true() -> None:
    assert holds(None, seen())


def test_facts_are_asked_like_answers() -> None:
    assert holds({"fact": "qpv", "op": "is", "value": True}, seen(qpv=True))
    assert not holds({"fact": "qpv", "op": "is", "value": True}, seen())


@pytest.mark.parametrize(("row", "known", "newcomer"), [(0, False, False), (1, True, False), (2, False, True)])
def test_a_newcomer_is_a_row_that_the_landlord_did_not_know(row: int, known: bool, newcomer: bool) -> None:
    context = seen(row=row, known=known)

    assert holds({"op": "newcomer"}, context) is newcomer
    assert holds({"op": "known"}, context) is known


def household() -> Context:
    return Context(
        answers={("age", 2): 40, ("left", 2): True, ("age", 3): 10, ("apl", 0): True, ("ghost", 9): None},
        prefill={("age", 1): 70},
        reference_on=NEW_YEAR,
        known_rows=frozenset({1, 2}),
    )


def test_rows_in_use_are_known_or_filled() -> None:
    assert household().rows() == (1, 2, 3)


def test_the_answer_counts_before_the_prefill() -> None:
    context = Context(answers={("age", 1): 71}, prefill={("age", 1): 70}, reference_on=NEW_YEAR, row=1)

    assert context.value("age") == context.answered("age") == 71
    assert context.prefilled("age") == 70
    assert context.at_row(2).value("age") is None


def test_a_household_answer_is_seen_from_each_row() -> None:
    assert household().at_row(2).value("apl") is True


ADULT = {"field": "age", "op": "at_least", "value": 18}


def test_quantifiers_look_at_every_row() -> None:
    context = household()

    assert holds({"any_row": ADULT}, context)
    assert not holds({"every_row": ADULT}, context)
    assert holds({"count_rows_at_least": 2, "of": ADULT}, context)
    assert not holds({"count_rows_at_least": 3, "of": ADULT}, context)
    assert holds({"any_row": {"all": [ADULT, {"field": "left", "op": "is", "value": True}]}}, context.at_row(3))


def test_quantifiers_over_nobody() -> None:
    nobody = Context(answers={}, reference_on=NEW_YEAR)

    assert not holds({"any_row": ADULT}, nobody)
    assert holds({"every_row": ADULT}, nobody)


def test_the_fields_of_a_condition_and_their_rows_are_listed() -> None:
    condition = {
        "all": [{"any_row": {"not": ADULT}}, {"field": "apl", "op": "filled"}, {"fact": "qpv", "op": "filled"}]
    }

    assert fields_in(condition) == {"age", "apl"}
    assert [(each.test.get("field"), each.by_row) for each in mentions(condition)] == [
        ("age", True),
        ("apl", False),
        (None, False),
    ]
    assert fields_in(None) == frozenset()


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        ("2008-02-29", date(2026, 2, 28), 17),
        ("2008-02-29", date(2026, 3, 1), 18),
        ("2027-01-01", NEW_YEAR, 0),
        ("2027-01-02", NEW_YEAR, None),
        ("1984-13-01", NEW_YEAR, None),
        (1984, NEW_YEAR, None),
        (None, NEW_YEAR, None),
    ],
)
def test_age_is_in_full_years(born: Any, day: date, age: int | None) -> None:
    assert age_on(born, day) == age


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("left", "une condition doit être une table."),
        ({}, "opérateur inconnu « None »"),
        ({"all": []}, "liste de conditions, non vide"),
        ({"any": {"op": "known"}}, "liste de conditions, non vide"),
        ({"all": [{"op": "known"}], "any": []}, "opérateur inconnu"),
        ({"field": "a", "op": "is"}, '« is » s\'écrit {field = "…", op = "is", value = …}.'),
        ({"field": "a", "op": "filled", "value": 1}, '« filled » s\'écrit {field = "…", op = "filled"}.'),
        ({"field": "a", "fact": "apl", "op": "filled"}, "« filled » s'écrit"),
        ({"field": "a", "op": "known"}, '« known » s\'écrit {op = "known"}.'),
        ({"field": 3, "op": "filled"}, "attendent un nom"),
        ({"field": "a", "op": "is", "value": [1]}, "un texte, un entier ou vrai/faux"),
        ({"field": "a", "op": "in", "value": "b"}, "une liste de valeurs"),
        ({"field": "a", "op": "age_below", "value": "18"}, "un nombre entier"),
        ({"count_rows_at_least": "2", "of": {"op": "known"}}, "« count_rows_at_least » attend un nombre entier."),
        ({"not": {"field": "a", "op": "near"}}, "opérateur inconnu « near »"),
    ],
)
def test_an_ill_formed_condition_is_explained(condition: Any, sentence: str) -> None:
    found = problems(condition)

    assert len(found) == 1
    assert sentence in found[0]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (None, "toujours"),
        ({"field": "occupant.link", "op": "is", "value": "child"}, "« Lien » est « Enfant »"),
        ({"field": "household.apl", "op": "is", "value": True}, "« APL » est oui"),
        ({"field": "gone", "op": "filled"}, "« gone » est rempli"),
        ({"fact": "late", "op": "is", "value": False}, "« retour après la clôture » est non"),
        (
            {"all": [{"op": "newcomer"}, {"any": [{"field": "occupant.birth_date", "op": "age_below", "value": 18}]}]},
            "l'occupant est absent du fichier et (« Naissance » donne moins de 18 ans)",
        ),
        ({"any_row": {"op": "known"}}, "pour un occupant au moins (l'occupant est dans le fichier)"),
        ({"every_row": {"op": "known"}}, "pour chaque occupant (l'occupant est dans le fichier)"),
        (
            {"count_rows_at_least": 2, "of": {"not": {"op": "known"}}},
            "pour 2 occupants au moins (pas (l'occupant est dans le fichier))",
        ),
    ],
)
def test_conditions_read_as_french(condition: Any, told: str) -> None:
    assert in_words(condition, small_form()) == told

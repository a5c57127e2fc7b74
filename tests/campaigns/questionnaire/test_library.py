"""The shipped forms, judged on invented households: who is asked what, and which pieces."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from campaigns.questionnaire.conditions import Context, holds
from campaigns.questionnaire.parsing import library_keys, load_library
from campaigns.questionnaire.schema import WORD, Questionnaire

NEW_YEAR = date(2027, 1, 1)
HOLDER = {"birth_date": "1970-05-01", "link": "holder", "status": "single", "cmi": False}
SCOPES = {"sls": {"sls_scope": True}, "ops": {"ops_scope": True}, "sls_ops": {"sls_scope": True, "ops_scope": True}}
CHECKS = {
    "signature_present",
    "document_missing",
    "wrong_notice_year",
    "income_from_signed_code",
    "income_differs_from_notice",
    "two_boxes_ticked",
    "no_forbidden_data",
}


def household(known: list[dict[str, Any]], answers: dict[tuple[str, int], Any] | None = None, **facts: Any) -> Context:
    """A household whose known occupants are rows 1…n; answers by (short key, row)."""
    prefill = {
        (f"occupant.{key}", row): value for row, person in enumerate(known, start=1) for key, value in person.items()
    }
    told = {
        (f"occupant.{key}" if row else f"household.{key}", row): value for (key, row), value in (answers or {}).items()
    }
    return Context(
        answers=told,
        prefill=prefill,
        facts=facts or {"sls_scope": True, "ops_scope": False},
        reference_on=NEW_YEAR,
        known_rows=frozenset(range(1, len(known) + 1)),
    )


def pieces(form: Questionnaire, context: Context) -> set[tuple[str, int]]:
    """The pieces that this household must join, by (key, row)."""
    return {
        (document.key, row)
        for document in form.documents
        for row in (context.rows() if document.repeated else (0,))
        if holds(document.required_if, context.at_row(row))
    }


def asked(form: Questionnaire, section_key: str, context: Context) -> list[int]:
    """The rows of a section that are asked."""
    section = next(each for each in form.sections if each.key == section_key)
    return [row for row in context.rows() if holds(section.row_if, context.at_row(row))]


@pytest.mark.parametrize("key", library_keys())
def test_a_campaign_fills_every_word(key: str) -> None:
    form = load_library(key).with_words(year=2027, notice_year=2026, income_year=2025)

    assert WORD.search(str(form.as_tables())) is None
    assert "2027" in form.title
    assert form.find("occupant.tax_reference_income").label == "Revenu fiscal de référence 2025"


@pytest.mark.parametrize("key", library_keys())
def test_rules_use_the_known_checks_only(key: str) -> None:
    assert {rule.check for rule in load_library(key).rules if rule.check} <= CHECKS


@pytest.mark.parametrize("key", library_keys())
def test_each_piece_that_may_be_required_has_its_rule(key: str) -> None:
    form = load_library(key)

    missing = {rule.document_key for rule in form.rules if rule.check == "document_missing"}

    assert missing == {document.key for document in form.documents}


@pytest.mark.parametrize("key", library_keys())
def test_signing_is_for_paper(key: str) -> None:
    section = load_library(key).sections[-1]

    assert section.key == "signature"
    assert all(field.hidden_in == {"online"} and field.required for field in section.fields)


def test_the_three_forms_differ_as_the_surveys_do() -> None:
    sls, ops, both = (load_library(key) for key in ("sls", "ops", "sls_ops"))
    keys = {form.key: {field.key for _, field in form.fields()} for form in (sls, ops, both)}

    assert keys["sls_ops"] == keys["sls"] | keys["ops"]
    assert keys["sls"] - keys["ops"] == {"household.resource_fall"}
    assert keys["ops"] - keys["sls"] == {"occupant.old_age_benefit"}
    assert [rule.code for rule in sls.rules] == [f"RG{number:02}" for number in range(1, 19)]


@pytest.mark.parametrize("key", library_keys())
def test_no_forbidden_question_is_asked(key: str) -> None:
    told = " ".join(f"{field.key} {field.label}" for _, field in load_library(key).fields()).casefold()

    assert "nationalité" not in told
    assert "sécurité sociale" not in told


def test_a_quiet_household_joins_one_notice_per_adult() -> None:
    child = {"birth_date": "2015-01-01", "link": "child", "status": "single"}
    context = household([HOLDER, {**HOLDER, "link": "spouse"}, child])

    assert pieces(load_library("sls"), context) == {("tax_notice", 1), ("tax_notice", 2)}
    assert asked(load_library("sls"), "resources", context) == [1, 2]


@pytest.mark.parametrize(("key", "lodger_counts"), [("sls", False), ("ops", True), ("sls_ops", True)])
def test_a_lodger_counts_for_occupation_not_for_the_surcharge(key: str, lodger_counts: bool) -> None:
    context = household([HOLDER, {**HOLDER, "link": "lodger"}], **SCOPES[key])

    assert (("tax_notice", 2) in pieces(load_library(key), context)) is lodger_counts
    assert (2 in asked(load_library(key), "resources", context)) is lodger_counts


@pytest.mark.parametrize(("scope", "expected"), [({"sls_scope": False}, False), ({"sls_scope": True}, True)])
def test_out_of_the_surcharge_no_resource_is_required(scope: dict[str, bool], expected: bool) -> None:
    context = household([HOLDER], **scope)
    income = load_library("sls").find("occupant.tax_reference_income")

    assert bool(pieces(load_library("sls"), context)) is expected
    assert holds(income.required_if, context.at_row(1)) is expected


def test_a_forgotten_fact_never_drops_a_requirement() -> None:
    context = household([HOLDER], late=False)

    for key in library_keys():
        assert pieces(load_library(key), context) == {("tax_notice", 1)}
        assert holds(load_library(key).find("occupant.tax_reference_income").required_if, context.at_row(1))


NEWCOMER = {("birth_date", 2): "1990-01-01", ("link", 2): "partner"}
BABY = {("birth_date", 2): "2026-06-01", ("link", 2): "child"}
STUDENT = {"birth_date": "2005-06-01", "link": "child", "dependant": True}


@pytest.mark.parametrize(
    ("known", "answers", "expected"),
    [
        ([HOLDER], {("status", 1): "married"}, {("union_proof", 0)}),
        ([{**HOLDER, "status": "married"}], {("status", 1): "married"}, set()),
        ([HOLDER], {("status", 1): "divorced"}, {("separation_proof", 0)}),
        ([HOLDER], {("status", 1): "widowed"}, {("death_certificate", 0)}),
        ([HOLDER], {("cmi", 1): True}, {("cmi_card", 1)}),
        ([{**HOLDER, "cmi": True}], {("cmi", 1): True}, set()),
        ([HOLDER], NEWCOMER, {("tax_notice", 2), ("identity", 2)}),
        ([HOLDER], BABY, {("birth_certificate", 2)}),
        ([HOLDER], {**BABY, ("shared_custody", 2): True}, {("birth_certificate", 2), ("custody_judgment", 2)}),
        ([HOLDER, STUDENT], {}, {("tax_notice", 2), ("school_certificate", 2)}),
        ([HOLDER, {**STUDENT, "birth_date": "2001-01-01"}], {}, {("tax_notice", 2)}),
        ([HOLDER, {**STUDENT, "birth_date": "2001-01-02"}], {}, {("tax_notice", 2), ("school_certificate", 2)}),
        ([HOLDER, {**STUDENT, "birth_date": "2006-01-02"}], {}, {("tax_notice", 2)}),
        ([HOLDER, STUDENT], {("left", 2): True, ("left_reason", 2): "departure"}, set()),
        ([HOLDER, HOLDER], {("left", 2): True, ("left_reason", 2): "death"}, {("death_certificate", 0)}),
        ([HOLDER, HOLDER], {("left", 2): True, ("left_reason", 2): "separation"}, {("separation_proof", 0)}),
        ([HOLDER], {("resource_fall", 0): True}, {("resource_fall_proofs", 0)}),
        ([HOLDER], {("resource_fall", 0): False}, set()),
    ],
)
def test_each_change_asks_for_its_piece(
    known: list[dict[str, Any]], answers: dict[tuple[str, int], Any], expected: set[tuple[str, int]]
) -> None:
    assert pieces(load_library("sls"), household(known, answers)) == {("tax_notice", 1)} | expected


@pytest.mark.parametrize(
    ("key", "answers", "visible"),
    [
        ("occupant.left", {}, True),
        ("occupant.left_on", {}, False),
        ("occupant.left_on", {("left", 1): True}, True),
        ("occupant.status", {}, True),
        ("occupant.status", {("left", 1): True}, False),
        ("occupant.status", {("birth_date", 1): "2015-01-01"}, False),
        ("occupant.shared_custody", {("birth_date", 1): "2015-01-01", ("link", 1): "child"}, True),
        ("occupant.dependant", {}, False),
        ("occupant.dependant", {("link", 1): "ascendant"}, True),
    ],
)
def test_questions_follow_the_situation(key: str, answers: dict[tuple[str, int], Any], visible: bool) -> None:
    context = household([HOLDER], answers).at_row(1)

    assert holds(load_library("sls").find(key).visible_if, context) is visible


def test_a_newcomer_is_not_asked_when_he_left() -> None:
    context = household([HOLDER], NEWCOMER).at_row(2)

    assert not holds(load_library("sls").find("occupant.left").visible_if, context)


@pytest.mark.parametrize(
    ("code", "facts", "fires"),
    [
        ("RG16", {"qpv": True}, True),
        ("RG16", {"apl": True}, True),
        ("RG16", {}, False),
        ("RG17", {"late": True}, True),
    ],
)
def test_facts_fire_their_rules(code: str, facts: dict[str, Any], fires: bool) -> None:
    rule = next(each for each in load_library("sls").rules if each.code == code)

    assert holds(rule.when, household([HOLDER], sls_scope=True, **facts)) is fires

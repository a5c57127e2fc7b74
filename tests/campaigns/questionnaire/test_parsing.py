"""From tables to a questionnaire and back, and every problem of shape said at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.questionnaire.parsing import library_keys, load_library, parse
from campaigns.questionnaire.schema import DefinitionError, FieldType, Reader
from tests.campaigns.questionnaire.forms import form_tables, small_form, small_tables, texts


@settings(max_examples=30)
@given(form_tables)
def test_what_is_told_is_parsed_again_from_json(tables: dict[str, Any]) -> None:
    form = parse(tables)

    told = json.loads(json.dumps(form.as_tables()))

    assert parse(told) == form
    assert parse(told).fingerprint == form.fingerprint


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["key", "title", "survey", "sections", "documents", "rules", "intro", "language", "autre"]), junk
)
def test_any_document_is_read_or_refused_with_sentences(entry: str, told: Any) -> None:
    problems: list[str] = []
    form = small_form()
    try:
        form = parse({**small_tables(), entry: told})
    except DefinitionError as refusal:
        problems = refusal.problems or [""]

    assert all(sentence[:1].isupper() and sentence.endswith(".") for sentence in problems)
    assert parse(form.as_tables()) == form


def refused(tables: Any) -> list[str]:
    with pytest.raises(DefinitionError) as refusal:
        parse(tables)
    return refusal.value.problems


def test_every_problem_is_reported_with_its_section_and_field() -> None:
    tables = small_tables()
    del tables["survey"]
    field = tables["sections"][0]["fields"][0]
    field.update(type="oui", label=" ", colour="blue", visible_if={"field": "x", "op": "equals"})
    tables["sections"][1]["fields"][1]["choices"][0].pop("label")

    problems = refused(tables)

    place = "Rubrique « household », question « household.apl »"
    assert "L'entrée « survey » manque." in problems
    assert any(line.startswith(f"{place}, type : on attend l'un de text, name,") for line in problems)
    assert f"{place}, label : on attend un texte non vide, et non «   »." in problems
    assert f"{place} : l'entrée « colour » n'existe pas." in problems
    assert any(line.startswith(f"{place}, visible_if : opérateur inconnu « equals »") for line in problems)
    choice = "Rubrique « people », question « occupant.link », choix « holder »"
    assert f"{choice} : l'entrée « label » manque." in problems
    assert len(problems) == 6


@pytest.mark.parametrize(
    ("entry", "told", "sentence"),
    [
        ("key", "Not A Key", "Key : on attend une clé en minuscules, et non « Not A Key »."),
        ("title", 3, "Title : on attend un texte non vide, et non « 3 »."),
        ("sections", {}, "Sections : on attend une liste de tables."),
        ("sections", ["x"], "On attend une table (rubrique)."),
        ("documents", [{"key": "a", "label": "A", "repeat": "yes"}], "« occupants » ou rien"),
        ("rules", [{"code": "R", "severity": "grave", "message": "M"}], "blocking, warning, info"),
        ("rules", [{"code": "R", "severity": "info", "message": "M", "parameters": []}], "parameters : on attend une"),
    ],
)
def test_a_wrong_entry_is_refused(entry: str, told: Any, sentence: str) -> None:
    problems = refused({**small_tables(), entry: told})

    assert len(problems) == 1
    assert sentence in problems[0]


@pytest.mark.parametrize(
    ("entry", "told", "expected"),
    [
        ("size", -1, "un nombre entier positif ou nul"),
        ("size", True, "un nombre entier positif ou nul"),
        ("minimum", "0", "un nombre entier"),
        ("required", "oui", "vrai ou faux"),
        ("hidden_in", "paper", "une liste de lectures"),
        ("hidden_in", ["fax"], "l'un de paper, online, keying, export"),
        ("choices", 3, "une liste de tables"),
    ],
)
def test_a_wrong_entry_of_a_field_is_refused(entry: str, told: Any, expected: str) -> None:
    tables = small_tables()
    tables["sections"][0]["fields"][0][entry] = told

    problems = refused(tables)

    assert len(problems) == 1
    assert f"Rubrique « household », question « household.apl », {entry} : on attend {expected}" in problems[0]


def test_long_wrong_values_are_cut_in_the_message() -> None:
    assert refused({**small_tables(), "key": "É" * 300})[0].endswith(f"« {'É' * 40}… ».")


def test_a_document_that_is_no_table_is_refused() -> None:
    assert refused("sls") == ["On attend une table."]


def test_conditions_too_deep_are_refused_rather_than_followed() -> None:
    condition: dict[str, Any] = {"op": "known"}
    for _ in range(2000):
        condition = {"not": condition}

    problems = refused({**small_tables(), "documents": [{"key": "a", "label": "A", "required_if": condition}]})

    assert problems == ["Pièce « a », required_if : une condition ne peut pas être imbriquée sur plus de 12 niveaux."]


def test_a_field_knows_its_name_its_choices_and_its_readers() -> None:
    tables = small_tables()
    tables["sections"][1]["fields"][1].update(short_label="Lien court", hidden_in=["online"])
    form = parse(tables)
    field = form.find("occupant.link")

    assert field.type is FieldType.CHOICE
    assert field.name == "Lien court"
    assert form.find("household.apl").name == "APL"
    assert field.shown_in(Reader.PAPER)
    assert not field.shown_in(Reader.ONLINE)
    assert getattr(field.choice("child"), "label", None) == "Enfant"
    assert field.choice("nobody") is None


def test_an_unknown_key_is_a_key_error() -> None:
    form = small_form()

    with pytest.raises(KeyError):
        form.find("household.nothing")
    with pytest.raises(KeyError):
        form.document("nothing")
    with pytest.raises(KeyError):
        load_library("nothing")


def test_words_are_filled_everywhere_and_unknown_ones_stay() -> None:
    tables = small_tables()
    tables["sections"][0]["fields"][0]["hint"] = "Au 1er janvier {year}, revenus {income_year}"
    tables["rules"][0]["message"] = "Envoyez l'avis {notice_year}."

    form = parse(tables).with_words(year=2027, notice_year=2026)

    assert form.title == "Enquête 2027"
    assert form.find("household.apl").hint == "Au 1er janvier 2027, revenus {income_year}"
    assert form.rules[0].message == "Envoyez l'avis 2026."
    assert parse(form.as_tables()) == form


@settings(max_examples=30)
@given(form_tables)
def test_filling_no_word_changes_nothing(tables: dict[str, Any]) -> None:
    form = parse(tables)

    assert form.with_words() == form


def test_two_definitions_share_a_fingerprint_only_when_equal() -> None:
    assert small_form().fingerprint == small_form().fingerprint
    assert small_form().fingerprint != small_form(intro="Bonjour").fingerprint


@pytest.mark.parametrize("key", library_keys())
def test_the_library_survives_its_own_tables(key: str) -> None:
    form = load_library(key)

    assert parse(json.loads(json.dumps(form.as_tables()))) == form

"""What makes a form unacceptable, each with its sentence; the library is acceptable."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from campaigns.questionnaire.consistency import check
from campaigns.questionnaire.parsing import library_keys, load_library, parse
from tests.campaigns.questionnaire.forms import form_tables, small_form, small_tables, with_field

YES_NO = [{"value": "a", "label": "A", "code": "1"}, {"value": "b", "label": "B", "code": "2"}]
ADULT = {"field": "occupant.birth_date", "op": "age_at_least", "value": 18}


def only(problems: list[str]) -> str:
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize("key", library_keys())
def test_the_library_is_consistent(key: str) -> None:
    assert check(load_library(key)) == []


def test_the_small_form_is_consistent() -> None:
    assert check(small_form()) == []


@settings(max_examples=30)
@given(form_tables)
def test_any_form_can_be_judged(tables: dict[str, Any]) -> None:
    assert all(sentence.endswith(".") for sentence in check(parse(tables)))


@pytest.mark.parametrize(
    ("section", "field", "sentence"),
    [
        (0, {"key": "household.apl", "type": "tick"}, "La clé de question « household.apl » sert plusieurs fois."),
        (0, {"key": "x", "type": "tick", "export": "APL"}, "Le nom d'export « APL » sert plusieurs fois."),
        (0, {"key": "x", "type": "money"}, "Question « x » : indiquez sa taille (« size »)."),
        (0, {"key": "x", "type": "text"}, "indiquez sa taille"),
        (0, {"key": "x", "type": "digits"}, "indiquez sa taille"),
        (0, {"key": "x", "type": "integer"}, "indiquez sa taille"),
        (
            0,
            {"key": "x", "type": "tick", "check": "moon"},
            "le contrôle « moon » n'existe pas ; connus : nif, past_date",
        ),
        (0, {"key": "x", "type": "integer", "size": 2, "minimum": 3, "maximum": 2}, "le minimum dépasse le maximum."),
        (0, {"key": "x", "type": "tick", "export": "prénom"}, "« prénom » s'écrit en capitales"),
        (0, {"key": "x", "type": "tick", "prefill": "occupant.cmi"}, "doit commencer par « household. »."),
        (1, {"key": "x", "type": "tick", "prefill": "household.apl"}, "doit commencer par « occupant. »."),
        (0, {"key": "x", "type": "tick", "choices": YES_NO}, "seule une question à choix propose des réponses."),
        (0, {"key": "x", "type": "choice", "table": "T", "choices": YES_NO[:1]}, "au moins deux réponses."),
        (0, {"key": "x", "type": "choice", "choices": YES_NO}, "nommez sa table de correspondance"),
        (0, {"key": "x", "type": "tick", "label": "En {an} ?"}, "Le mot « {an} » n'est rempli par personne"),
        (0, {"key": "x", "type": "tick", "visible_if": {"field": "y", "op": "filled"}}, "« y » n'existe pas."),
        (0, {"key": "x", "type": "tick", "visible_if": {"field": "x", "op": "filled"}}, "« x » doit venir avant."),
        (
            0,
            {"key": "x", "type": "tick", "visible_if": {"fact": "moon", "op": "filled"}},
            "le fait « moon » n'existe pas",
        ),
        (0, {"key": "x", "type": "tick", "visible_if": {"op": "newcomer"}}, "« newcomer » se demande d'un occupant"),
        (
            1,
            {"key": "x", "type": "tick", "visible_if": {"field": "occupant.link", "op": "is", "value": "cat"}},
            "« cat » ne peut pas être une réponse à « occupant.link ».",
        ),
        (
            1,
            {"key": "x", "type": "tick", "visible_if": {"field": "household.apl", "op": "is", "value": "oui"}},
            "« oui » ne peut pas être une réponse à « household.apl ».",
        ),
        (
            0,
            {"key": "x", "type": "tick", "visible_if": {"field": "household.note", "op": "in", "value": ["oui", 3]}},
            "« 3 » ne peut pas être une réponse à « household.note ».",
        ),
        (
            0,
            {"key": "x", "type": "tick", "required_if": {"field": "household.apl", "op": "age_below", "value": 3}},
            "« age_below » se demande d'une date, et « household.apl » n'en est pas une.",
        ),
    ],
)
def test_a_wrong_field_is_told(section: int, field: dict[str, Any], sentence: str) -> None:
    assert sentence in only(check(with_field(section, **field)))


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ([{"value": "c", "label": "C"}], "la réponse « c » n'a pas de code."),
        ([{"value": "c", "label": "C", "code": "1"}], "le code « 1 » sert plusieurs fois."),
        ([{"value": "c", "label": "a", "code": "3"}], "« a » désigne plusieurs réponses."),
    ],
)
def test_confusing_choices_are_told(choices: list[dict[str, str]], sentence: str) -> None:
    form = with_field(0, key="x", type="choice", table="T", choices=[*YES_NO, *choices])

    assert sentence in only(check(form))


def test_an_amount_is_compared_with_whole_numbers() -> None:
    tables = small_tables()
    asked = tables["sections"][0]["fields"]
    asked.append({"key": "rent", "type": "money", "label": "Loyer", "size": 4})
    asked.append({"key": "x", "type": "tick", "label": "X", "visible_if": {"field": "rent", "op": "is", "value": 0}})
    assert check(parse(tables)) == []

    asked[-1]["visible_if"]["value"] = False

    assert "« False » ne peut pas être une réponse à « rent »." in only(check(parse(tables)))


def test_a_value_proposed_twice_is_told() -> None:
    twice = [*YES_NO, {"value": "a", "label": "Z", "code": "3"}]

    found = check(with_field(0, key="x", type="choice", table="T", choices=twice))

    assert "Question « x » : la valeur « a » sert plusieurs fois." in found


def test_conditions_look_back_across_sections_only() -> None:
    tables = small_tables()
    tables["sections"][0]["fields"][1]["visible_if"] = {"any_row": ADULT}
    tables["sections"][1]["row_if"] = ADULT

    assert check(parse(tables)) == [
        "Question « household.note », visible_if : la question « occupant.birth_date » doit venir avant.",
        "Rubrique « people », row_if : la question « occupant.birth_date » doit venir avant.",
    ]


def test_a_repeated_question_needs_a_quantifier_outside_its_rows() -> None:
    documents = [
        {"key": "for_household", "label": "A", "required_if": ADULT},
        {"key": "quantified", "label": "B", "required_if": {"any_row": {"not": ADULT}}},
        {"key": "for_each", "label": "C", "repeat": "occupants", "required_if": ADULT},
    ]

    found = only(check(small_form(documents=documents, rules=[])))

    assert found.startswith("Pièce « for_household », required_if : la question « occupant.birth_date » se répète")


def test_rows_are_filtered_in_repeated_sections_only() -> None:
    tables = small_tables()
    tables["sections"].append(
        {
            "key": "end",
            "title": "Fin",
            "fields": [{"key": "z", "type": "tick", "label": "Z"}],
            "row_if": {"any_row": ADULT},
        }
    )

    assert only(check(parse(tables))) == "La rubrique « end » a une condition de ligne sans se répéter par occupant."


def test_an_empty_form_and_an_empty_section_are_told() -> None:
    assert only(check(small_form(sections=[]))) == "Le questionnaire n'a aucune rubrique."
    tables = small_tables()
    tables["sections"].append({"key": "end", "title": "Fin", "fields": []})
    assert only(check(parse(tables))) == "La rubrique « end » n'a aucune question."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"document_key": "passport"}, "Règle « R1 » : la pièce « passport » n'existe pas."),
        ({"field_key": "occupant.hat"}, "Règle « R1 » : la question « occupant.hat » n'existe pas."),
        ({"field_key": "household.apl"}, "la règle et la question « household.apl » doivent se répéter"),
        ({"repeat": ""}, "la règle et la pièce « notice » doivent se répéter de la même façon"),
        ({"check": ""}, "donnez soit une condition (« when », « expression »), soit un contrôle (« check »)."),
        ({"when": ADULT}, "donnez soit une condition (« when », « expression »), soit un contrôle (« check »)."),
        (
            {"check": "", "when": {"field": "y", "op": "filled"}},
            "Règle « R1 », when : la question « y » n'existe pas.",
        ),
        ({"check": "", "expression": "occupant.hat = 3"}, "Règle « R1 », colonne 1 : « occupant.hat » n'existe pas."),
        ({"check": "", "expression": "vrai", "requires": "field"}, "indiquez la question à remplir"),
        ({"requires": "document"}, "un contrôle sait déjà ce qu'il exige"),
    ],
)
def test_a_wrong_rule_is_told(changes: dict[str, Any], sentence: str) -> None:
    rule = {**small_tables()["rules"][0], **changes}

    assert sentence in only(check(small_form(rules=[rule])))


def test_keys_used_twice_are_told() -> None:
    tables = small_tables()
    tables["documents"] *= 2
    tables["rules"] *= 2

    assert check(parse(tables)) == [
        "La clé de pièce « notice » sert plusieurs fois.",
        "Le code de règle « R1 » sert plusieurs fois.",
    ]


def test_the_rules_engine_must_know_each_named_check() -> None:
    assert check(small_form(), rule_checks={"document_missing"}) == []
    assert "le contrôle « document_missing » n'existe pas ; connus : other." in only(
        check(small_form(), rule_checks={"other"})
    )


def test_a_table_given_by_the_landlord_must_cover_every_answer() -> None:
    assert check(small_form(), {"LIEN": {"holder", "child"}}) == []
    assert check(small_form(), {"AGENCE": ()}) == []
    assert only(check(small_form(), {"LIEN": {"holder"}})) == (
        "Table « LIEN » : la réponse « Enfant » n'a pas de code chez le bailleur."
    )

"""A landlord's differences: what may change, what is refused, and how it is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from campaigns.questionnaire.consistency import check
from campaigns.questionnaire.difference import difference
from campaigns.questionnaire.overlay import apply
from campaigns.questionnaire.parsing import load_library, parse
from campaigns.questionnaire.schema import DefinitionError, Questionnaire, Reader, Severity
from tests.campaigns.questionnaire.forms import form_tables, small_form, small_tables

SLS = load_library("sls")
SLS_FINGERPRINT = SLS.fingerprint
ASPA = {"from": "ops", "field": "occupant.old_age_benefit", "after": "occupant.cmi"}


def lines(before: Questionnaire, after: Questionnaire) -> list[str]:
    return [each.line for each in difference(before, after)]


@settings(max_examples=30)
@given(form_tables)
def test_no_difference_changes_nothing(tables: dict[str, Any]) -> None:
    form = parse(tables)

    assert apply(form, {}) == form
    assert difference(form, form) == []


def test_an_optional_question_is_hidden_everywhere() -> None:
    form = apply(SLS, {"fields": {"occupant.cmi": {"hidden": True}}})

    assert not any(form.find("occupant.cmi").shown_in(reader) for reader in Reader)
    assert lines(SLS, form) == [
        "Question « CMI invalidité » (occupant.cmi), masquée dans : "
        "rien → « restitution », « saisie », « en ligne », « papier »"
    ]
    assert check(form) == []


def test_wordings_change_and_the_base_stays() -> None:
    form = apply(
        SLS,
        {
            "title": "Notre enquête {year}",
            "intro": "Bonjour.",
            "sections": {"household": {"title": "Vous"}},
            "fields": {"occupant.link": {"label": "Lien de parenté", "hint": "Une seule case."}},
            "documents": {"tax_notice": {"help": "Toutes les pages."}},
            "rules": {"RG02": {"message": "Il manque un avis."}},
        },
    )

    assert form.title == "Notre enquête {year}"
    assert form.sections[0].title == "Vous"
    assert form.find("occupant.link").label == "Lien de parenté"
    assert form.document("tax_notice").help == "Toutes les pages."
    assert SLS.fingerprint == SLS_FINGERPRINT
    assert lines(SLS, form) == [
        "Questionnaire, titre : « Enquête ressources {year} » → « Notre enquête {year} »",
        f"Questionnaire, introduction : « {SLS.intro} » → « Bonjour. »",
        "Rubrique « Vous » (household), titre : « Votre foyer » → « Vous »",
        "Question « Lien » (occupant.link), libellé : « Lien avec le titulaire du bail » → « Lien de parenté »",
        "Question « Lien » (occupant.link), aide : rien → « Une seule case. »",
        "Pièce « Avis d'impôt {notice_year} sur les revenus {income_year} » (tax_notice), aide : "
        f"« {SLS.document('tax_notice').help} » → « Toutes les pages. »",
        f"Règle « Avis d'impôt » (RG02), message : « {SLS.rules[1].message} » → « Il manque un avis. »",
    ]


def test_codes_rules_and_obligations_change() -> None:
    form = apply(
        SLS,
        {
            "fields": {"occupant.link": {"codes": {"holder": "01"}}, "household.email": {"required": True}},
            "rules": {"RG14": {"severity": "info"}, "RG05": {"parameters": {"tolerance": 5}}, "RG10": {"off": True}},
            "documents": {"school_certificate": {"off": True}},
        },
    )
    rules = {rule.code: rule for rule in form.rules}

    assert [choice.code for choice in form.find("occupant.link").choices[:2]] == ["01", "COT"]
    assert form.find("household.email").required
    assert rules["RG14"].severity is Severity.INFO
    assert rules["RG05"].parameters == {"tolerance": 5}
    assert "RG10" not in rules
    assert check(form) == []
    assert lines(SLS, form) == [
        "Question « Courriel » (household.email), réponse obligatoire : non → oui",
        "Question « Lien » (occupant.link), réponse « Titulaire du bail » (holder), code : « TIT » → « 01 »",
        "Pièce « Certificat de scolarité ou carte d'étudiant » (school_certificate) : retrait",
        "Règle « Revenu différent de l'avis » (RG05), réglages : tolerance = « 1 » → tolerance = « 5 »",
        "Règle « Enfant majeur à charge » (RG10) : retrait",
        "Règle « Baisse de ressources » (RG14), gravité : « avertissement » → « information »",
    ]


def test_a_landlord_may_ask_the_notice_of_lodgers_too() -> None:
    adults = {"field": "occupant.birth_date", "op": "age_at_least", "value": 18}
    form = apply(
        SLS, {"sections": {"resources": {"row_if": adults}}, "documents": {"tax_notice": {"required_if": adults}}}
    )

    assert check(form) == []
    assert lines(SLS, form)[0].endswith(" → « Naissance » donne 18 ans ou plus")


def test_a_question_is_added_from_the_library() -> None:
    form = apply(SLS, {"add": [ASPA]})
    keys = [field.key for _, field in form.fields()]

    assert keys[keys.index("occupant.cmi") + 1] == "occupant.old_age_benefit"
    assert check(form) == []
    assert lines(SLS, form) == ["Question « ASPA » (occupant.old_age_benefit) : ajout"]


def test_a_piece_and_its_rule_are_added_from_the_library() -> None:
    ops = load_library("ops")
    form = apply(
        ops,
        {
            "add": [
                {"from": "sls", "field": "household.resource_fall"},
                {"from": "sls", "document": "resource_fall_proofs"},
                {"from": "sls", "rule": "RG14", "after": "RG13"},
            ]
        },
    )

    assert [rule.code for rule in form.rules][12:15] == ["RG13", "RG14", "RG15"]
    assert form.document("resource_fall_proofs") == SLS.document("resource_fall_proofs")
    assert check(form) == []


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        ({"colour": "blue"}, "L'entrée « colour » n'existe pas dans les différences d'un bailleur."),
        ({"fields": ["x"]}, "L'entrée « fields » n'existe pas"),
        ({"fields": {"occupant.hat": {"hint": "x"}}}, "Question « occupant.hat » : elle n'existe pas"),
        ({"fields": {"occupant.cmi": "masquée"}}, "Question « occupant.cmi » : on attend une table"),
        ({"fields": {"occupant.cmi": {"type": "text"}}}, "l'entrée « type » ne peut pas être changée"),
        ({"fields": {"occupant.last_name": {"hidden": True}}}, "elle est obligatoire et ne peut pas être masquée."),
        ({"fields": {"occupant.left_on": {"hidden": True}}}, "elle est obligatoire et ne peut pas être masquée."),
        ({"fields": {"occupant.cmi": {"hidden": False}}}, "« hidden » ne peut valoir que vrai."),
        ({"fields": {"occupant.last_name": {"required": False}}}, "non cesser de l'être."),
        ({"fields": {"occupant.link": {"codes": {"cousin": "99"}}}}, "un code pour des réponses parmi : holder,"),
        ({"fields": {"occupant.cmi": {"codes": {"x": "1"}}}}, "un code pour des réponses parmi : aucune."),
        (
            {"fields": {"occupant.cmi": {"label": ""}}},
            "question « occupant.cmi », label : on attend un texte non vide",
        ),
        ({"documents": {"passport": {"off": True}}}, "Pièce « passport » : elle n'existe pas"),
        ({"documents": {"identity": {"off": "oui"}}}, "« off » ne peut valoir que vrai."),
        ({"rules": {"RG99": {"off": True}}}, "Règle « RG99 » : elle n'existe pas"),
        ({"rules": {"RG14": {"severity": "grave"}}}, "on attend l'un de blocking, warning, info"),
        ({"rules": {"RG05": {"parameters": {"colour": 1}}}}, "des réglages parmi : tolerance."),
        ({"rules": {"RG01": {"parameters": {"colour": 1}}}}, "des réglages parmi : aucun."),
        ({"add": [3]}, "Un ajout s'écrit : from = l'une de ops, sls, sls_ops"),
        ({"add": [{"from": "census", "field": "x"}]}, "Un ajout s'écrit"),
        ({"add": [{"from": "ops", "field": "x", "rule": "y"}]}, "Un ajout s'écrit"),
        ({"add": [{"from": "ops", "field": "x", "label": "y"}]}, "Un ajout s'écrit"),
        ({"add": [{"from": "ops", "field": "occupant.hat"}]}, "n'existe pas dans la définition « ops »."),
        ({"add": [{"from": "ops", "field": "occupant.cmi"}]}, "elle est déjà dans ce questionnaire."),
        ({"add": [{**ASPA, "after": "household.email"}]}, "« household.email » n'est pas à côté"),
    ],
)
def test_what_a_landlord_may_not_change_is_refused(overlay: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        apply(SLS, overlay)

    assert len(refusal.value.problems) == 1
    assert sentence in refusal.value.problems[0]


def test_a_question_is_not_added_where_its_section_is_missing() -> None:
    with pytest.raises(DefinitionError, match="n'a pas sa rubrique"):
        apply(small_form(), {"add": [{"from": "ops", "field": "occupant.old_age_benefit"}]})


def test_every_refusal_is_told_at_once() -> None:
    with pytest.raises(DefinitionError) as refusal:
        apply(SLS, {"colour": 1, "fields": {"a.b": {}, "occupant.cmi": {"type": "x", "hidden": 0}}, "add": [1]})

    assert len(refusal.value.problems) == 5


def test_an_added_question_and_a_new_order_are_told() -> None:
    tables = small_tables()
    tables["sections"][0]["fields"].reverse()
    tables["sections"][0]["fields"].append({"key": "household.cat", "type": "tick", "label": "Un chat"})

    assert lines(small_form(), parse(tables)) == [
        "Question « Un chat » (household.cat) : ajout",
        "Question, ordre : household.apl, household.note, occupant.birth_date, occupant.link → "
        "household.note, household.apl, occupant.birth_date, occupant.link",
    ]


def test_a_question_that_moves_to_another_section_is_told() -> None:
    tables = small_tables()
    tables["sections"][1]["fields"].insert(0, tables["sections"][0]["fields"].pop())

    assert lines(small_form(), parse(tables)) == [
        "Question « Note » (household.note), rubrique : « household » → « people »"
    ]


@settings(max_examples=30)
@given(form_tables, form_tables)
def test_two_forms_that_say_different_things_have_a_difference(one: dict[str, Any], two: dict[str, Any]) -> None:
    before, after = parse(one), parse({**two, "key": one["key"]})
    told = difference(before, after)

    assert all(each.line and each.place for each in told)
    assert not told or before != after

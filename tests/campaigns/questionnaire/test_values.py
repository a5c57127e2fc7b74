"""What people write becomes one canonical value, shown back in French, and judged with a sentence that helps."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.fr import nif

from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import Choice, Field, FieldType
from campaigns.questionnaire.values import CHECKS, ERASABLE, HANDLERS, FieldValueError, Since, parse_text, problem, show

TODAY = date(2026, 11, 22)
LINK = load_library("sls").find("occupant.link")
NAMED = Choice(value="yes_please", label="S’il vous plaît", code="SVP")


def field(kind: FieldType, **entries: Any) -> Field:
    return Field(key="x.y", type=kind, label="La question", **entries)


def some_field(kind: FieldType) -> Field:
    return LINK if kind is FieldType.CHOICE else field(kind)


def test_every_type_has_its_handler() -> None:
    assert set(HANDLERS) == set(FieldType)


# ── What is written ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (FieldType.TEXT, "  bonjour \n  à tous ", "bonjour à tous"),
        (FieldType.NAME, " O’Brien  ", "O'Brien"),
        (FieldType.NAME, "Ame\u0301lie", "Amélie"),
        (FieldType.EMAIL, " Prenom.Nom@Exemple.FR ", "prenom.nom@exemple.fr"),
        (FieldType.PHONE, "06.12.34.56.78", "0612345678"),
        (FieldType.PHONE, "06 12 34 56 78", "0612345678"),
        (FieldType.PHONE, "+33 (0)6 12 34 56 78", "0612345678"),
        (FieldType.PHONE, "0033 6 12 34 56 78", "0612345678"),
        (FieldType.PHONE, "+33612345678", "0612345678"),
        (FieldType.PHONE, "+49 30 901820", "+4930901820"),
        (FieldType.PHONE, "0032 2 501 02 11", "+3225010211"),
        (FieldType.DIGITS, "30 23 217 600 053", "3023217600053"),
        (FieldType.INTEGER, " 3 ", 3),
        (FieldType.MONEY, "1 234,00 €", 1234),
        (FieldType.MONEY, "12\u202f345\u202f€", 12345),
        (FieldType.MONEY, "12.345", 12345),
        (FieldType.MONEY, "12'345 euros", 12345),
        (FieldType.MONEY, "1234567", 1234567),
        (FieldType.MONEY, "0", 0),
        (FieldType.MONEY, "-350", -350),
        (FieldType.DATE, "3/2/1984", "1984-02-03"),
        (FieldType.DATE, "03021984", "1984-02-03"),
        (FieldType.DATE, "03.02.1984", "1984-02-03"),
        (FieldType.DATE, "3 2 1984", "1984-02-03"),
        (FieldType.DATE, "1984-02-03", "1984-02-03"),
        (FieldType.YES_NO, "OUI", True),
        (FieldType.YES_NO, "n", False),
        (FieldType.TICK, "on", True),
        (FieldType.TICK, "x", True),
        (FieldType.SIGNATURE, "Présente", True),
        (FieldType.SIGNATURE, "absente", False),
        (FieldType.CHOICE, "child", "child"),
        (FieldType.CHOICE, "parent ou Grand-Parent", "ascendant"),
        (FieldType.CHOICE, "enf", "child"),
    ],
)
def test_what_people_write_is_understood(kind: FieldType, text: str, value: Any) -> None:
    assert parse_text(some_field(kind), text, TODAY) == value


@pytest.mark.parametrize("kind", list(FieldType))
@pytest.mark.parametrize("text", ["", "   ", "\u00a0\u202f\n"])
def test_nothing_written_is_no_value(kind: FieldType, text: str) -> None:
    assert parse_text(some_field(kind), text, TODAY) is None


def test_a_label_is_recognised_whatever_its_apostrophe() -> None:
    asked = field(FieldType.CHOICE, choices=(NAMED,))

    assert parse_text(asked, "s'il vous plaît", TODAY) == "yes_please"


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        (FieldType.PHONE, "06 12 34", "Écrivez un numéro à dix chiffres"),
        (FieldType.PHONE, "+33 6 12", "Écrivez un numéro à dix chiffres"),
        (FieldType.DIGITS, "12a", "N'écrivez que des chiffres."),
        (FieldType.DIGITS, "١٢٣", "N'écrivez que des chiffres."),
        (FieldType.INTEGER, "trois", "Écrivez un nombre entier, en chiffres."),
        (FieldType.INTEGER, "2,5", "Écrivez un nombre entier, en chiffres."),
        (FieldType.MONEY, "1 234,50 €", "en euros entiers, sans les centimes"),
        (FieldType.MONEY, "12.34", "en euros entiers, sans les centimes"),
        (FieldType.MONEY, "12,345", "Écrivez un montant en euros, en chiffres, par exemple 12 345."),
        (FieldType.MONEY, "beaucoup", "Écrivez un montant en euros"),
        (FieldType.DATE, "3/2/84", "Écrivez l'année en quatre chiffres"),
        (FieldType.DATE, "030284", "Écrivez l'année en quatre chiffres"),
        (FieldType.DATE, "31/02/1984", "Cette date n'existe pas"),
        (FieldType.DATE, "00/00/0000", "Cette date n'existe pas"),
        (FieldType.DATE, "hier", "jour, mois, année, par exemple 03/02/1984"),
        (FieldType.YES_NO, "peut-être", "Répondez par oui ou par non."),
        (FieldType.TICK, "2", "Répondez par oui ou par non."),
        (FieldType.SIGNATURE, "ici", "Répondez par oui ou par non."),
        (FieldType.CHOICE, "cousin", "Choisissez l'une des réponses proposées : Titulaire du bail, Cotitulaire"),
    ],
)
def test_what_cannot_be_read_is_answered_with_what_to_do(kind: FieldType, text: str, sentence: str) -> None:
    with pytest.raises(FieldValueError) as refusal:
        parse_text(some_field(kind), text, TODAY)

    assert sentence in str(refusal.value)


@given(st.sampled_from(list(FieldType)), st.text(max_size=20))
def test_any_text_is_a_value_of_its_type_or_a_sentence(kind: FieldType, text: str) -> None:
    asked = some_field(kind)
    refusal = ""
    value = None
    try:
        value = parse_text(asked, text, TODAY)
    except FieldValueError as error:
        refusal = str(error)

    assert not refusal or refusal.endswith(".")
    assert value is None or type(value) is HANDLERS[kind].kind
    assert parse_text(asked, show(asked, value), TODAY) == value


# ── What is shown ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (FieldType.DATE, "1984-02-03", "03/02/1984"),
        (FieldType.DATE, "0984-02-03", "03/02/0984"),
        (FieldType.MONEY, 1234567, "1\u202f234\u202f567\u202f€"),
        (FieldType.MONEY, 0, "0\u202f€"),
        (FieldType.INTEGER, 12, "12"),
        (FieldType.PHONE, "0612345678", "06 12 34 56 78"),
        (FieldType.PHONE, "+4930901820", "+4930901820"),
        (FieldType.YES_NO, True, "Oui"),
        (FieldType.TICK, False, "Non"),
        (FieldType.SIGNATURE, True, "Présente"),
        (FieldType.SIGNATURE, False, "Absente"),
        (FieldType.CHOICE, "ascendant", "Parent ou grand-parent"),
        (FieldType.DIGITS, "0042", "0042"),
        (FieldType.TEXT, None, ""),
    ],
)
def test_values_are_shown_in_french(kind: FieldType, value: Any, shown: str) -> None:
    assert show(some_field(kind), value) == shown


@pytest.mark.parametrize(
    ("kind", "value"),
    [(FieldType.MONEY, True), (FieldType.DATE, "3/2/1984"), (FieldType.CHOICE, "cousin"), (FieldType.NAME, 3)],
)
def test_a_value_that_is_not_canonical_is_not_shown(kind: FieldType, value: Any) -> None:
    with pytest.raises(FieldValueError, match="n'est pas lisible"):
        show(some_field(kind), value)


canonical = {
    FieldType.TEXT: st.text("aé1 '!", min_size=1).map(lambda text: " ".join(text.split())).filter(bool),
    FieldType.NAME: st.text("aé-'", min_size=1),
    FieldType.EMAIL: st.from_regex(r"[a-z.]{1,9}@[a-z]{1,9}\.fr", fullmatch=True),
    FieldType.PHONE: st.from_regex(r"0[1-9][0-9]{8}|\+[124-9][0-9]{7,14}", fullmatch=True),
    FieldType.DIGITS: st.from_regex(r"[0-9]{1,13}", fullmatch=True),
    FieldType.INTEGER: st.integers(-(10**14), 10**14),
    FieldType.MONEY: st.integers(-(10**14), 10**14),
    FieldType.DATE: st.dates().map(date.isoformat),
    FieldType.TICK: st.booleans(),
    FieldType.YES_NO: st.booleans(),
    FieldType.CHOICE: st.sampled_from([choice.value for choice in LINK.choices]),
    FieldType.SIGNATURE: st.booleans(),
}


@pytest.mark.parametrize("kind", list(FieldType))
@given(data=st.data())
def test_what_is_shown_is_read_back_the_same(kind: FieldType, data: st.DataObject) -> None:
    asked = some_field(kind)
    value = data.draw(canonical[kind])

    assert parse_text(asked, show(asked, value), TODAY) == value


@pytest.mark.parametrize(
    ("library", "key"),
    [(name, each.key) for name in ("sls", "ops", "sls_ops") for _, each in load_library(name).fields() if each.choices],
)
def test_each_choice_of_the_library_is_read_by_value_label_and_code(library: str, key: str) -> None:
    asked = load_library(library).find(key)

    for choice in asked.choices:
        for text in (choice.value, choice.label, choice.code):
            assert parse_text(asked, text, TODAY) == choice.value


# ── What is judged ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "value", "sentence"),
    [
        (field(FieldType.TEXT, size=3), "quatre", "Raccourcissez votre réponse : 3 caractères au plus."),
        (field(FieldType.NAME), "Jean 2", "Écrivez le nom avec des lettres, sans chiffre."),
        (field(FieldType.NAME), "--", "Écrivez le nom avec des lettres, sans chiffre."),
        (field(FieldType.NAME), "a" * 61, "Raccourcissez le nom : 60 caractères au plus."),
        (field(FieldType.NAME, size=2), "Léa", "Raccourcissez le nom : 2 caractères au plus."),
        (field(FieldType.EMAIL), "nom@exemple", "Écrivez une adresse électronique complète"),
        (field(FieldType.EMAIL), "a@b@c.fr", "Écrivez une adresse électronique complète"),
        (field(FieldType.EMAIL, size=8), "nom@exemple.fr", "une adresse électronique de 8 caractères au plus."),
        (field(FieldType.PHONE), "12", "Écrivez un numéro à dix chiffres"),
        (field(FieldType.DIGITS, size=13), "123", "compte 13 chiffres ; vous en avez écrit 3. Recopiez-le en entier."),
        (field(FieldType.DIGITS), "12a", "N'écrivez que des chiffres."),
        (field(FieldType.INTEGER, minimum=1), 0, "il ne peut pas être inférieur à 1."),
        (field(FieldType.INTEGER, maximum=30), 31, "il ne peut pas dépasser 30."),
        (field(FieldType.MONEY, minimum=0), -1, "il ne peut pas être inférieur à 0\u202f€."),
        (field(FieldType.MONEY, size=3), 1000, "il ne peut pas compter plus de 3 chiffres."),
        (field(FieldType.DATE), "1984-02-30", "Cette date n'existe pas"),
        (
            field(FieldType.CHOICE, choices=(NAMED,)),
            "no",
            "Choisissez l'une des réponses proposées : S’il vous plaît.",
        ),
        (field(FieldType.MONEY), "12", "La réponse à « La question » n'est pas lisible. Saisissez-la à nouveau."),
        (field(FieldType.YES_NO), 1, "n'est pas lisible"),
        (field(FieldType.DIGITS, check="nif"), "3023217600054", "Ce numéro fiscal n'est pas exact"),
        (field(FieldType.DATE, check="past_date"), "2026-11-23", "Cette date est dans le futur"),
        (field(FieldType.DATE, check="recent_date"), "2026-11-23", "Cette date est dans le futur"),
        (field(FieldType.DATE, check="recent_date"), "2025-11-20", "Cette date a plus d'un an"),
        (field(FieldType.DATE, check="plausible_birth"), "2026-11-23", "Cette date de naissance est dans le futur"),
        (field(FieldType.DATE, check="plausible_birth"), "1905-11-22", "plus de 120 ans"),
    ],
)
def test_a_wrong_value_is_explained(asked: Field, value: Any, sentence: str) -> None:
    found = problem(asked, value, TODAY)

    assert found is not None
    assert sentence in found


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        (field(FieldType.TEXT, size=3), "abc"),
        (field(FieldType.NAME), "Nguyễn-O'Neill"),
        (field(FieldType.EMAIL), "prenom.nom@agence.exemple.fr"),
        (field(FieldType.DIGITS, size=13, check="nif"), "3023217600053"),
        (field(FieldType.INTEGER, minimum=1, maximum=30, size=2), 30),
        (field(FieldType.MONEY, minimum=0, size=7), 0),
        (field(FieldType.DATE, check="past_date"), "2026-11-22"),
        (field(FieldType.DATE, check="recent_date"), "2026-11-22"),
        (field(FieldType.DATE, check="recent_date"), "2025-11-22"),
        (field(FieldType.DATE, check="plausible_birth"), "1906-11-22"),
        (field(FieldType.TICK), False),
        (field(FieldType.SIGNATURE), True),
        (field(FieldType.DATE), None),
    ],
)
def test_a_right_value_has_no_problem(asked: Field, value: Any) -> None:
    assert problem(asked, value, TODAY) is None


@given(st.integers(0, 3_999_999_999), st.integers(0, 999))
def test_a_tax_number_ends_with_its_first_ten_digits_modulo_511(body: int, ending: int) -> None:
    asked = field(FieldType.DIGITS, size=13, check="nif")
    assume(ending != body % 511)

    assert problem(asked, f"{body:010}{body % 511:03}", TODAY) is None
    assert problem(asked, f"{body:010}{ending:03}", TODAY) is not None
    assert nif.is_valid(f"{body:010}{body % 511:03}")


@given(
    st.sampled_from(list(FieldType)),
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=15)
    | st.floats()
    | st.lists(st.integers(), max_size=2),
    st.sampled_from(["", *CHECKS]),
)
def test_any_stored_value_can_be_judged(kind: FieldType, value: Any, named: str) -> None:
    found = problem(field(kind, size=5, check=named), value, TODAY)

    assert found is None or found.endswith(".")


@pytest.mark.parametrize("kind", list(FieldType))
def test_only_a_text_may_be_emptied(kind: FieldType) -> None:
    emptied = some_field(kind)

    assert (problem(emptied, "", TODAY) is None) == (kind in ERASABLE)
    if kind in ERASABLE:
        assert show(emptied, "") == ""


def test_a_date_before_what_is_known_of_the_household_is_odd_and_others_are_not():
    left = Field("x.y", FieldType.DATE, "Date de départ", check="past_date")
    since = Since(date(2019, 5, 1), "l'entrée dans le logement")

    told = [problem(left, day, date(2026, 11, 2), since) for day in ("2019-04-30", "2019-05-01", "2026-11-03", None)]

    assert told == [
        "Cette date est antérieure à l'entrée dans le logement (01/05/2019) : vérifiez-la.",
        None,
        "Cette date est dans le futur : vérifiez-la.",
        None,
    ]
    assert problem(left, "1950-01-01", date(2026, 11, 2)) is None

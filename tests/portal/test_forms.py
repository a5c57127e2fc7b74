"""Every type of question on a screen: what it shows, what it understands, what it refuses."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.questionnaire.conditions import Context
from campaigns.questionnaire.schema import Choice, Field, FieldType
from portal.forms import ASK_DATE, MOST_BUTTONS, WIDGETS, QuestionForm, name_of

TODAY = dt.date(2026, 11, 2)
CHOICES = (Choice("yes_maybe", "Peut-être"), Choice("never", "Jamais"))

# By type: what is posted for the field named x-y, and the answer understood.
WRITTEN: dict[FieldType, tuple[dict[str, str], Any]] = {
    FieldType.TEXT: ({"x-y": "  Au  fond de la cour "}, "Au fond de la cour"),
    FieldType.NAME: ({"x-y": "Łukasz D’Orsay"}, "Łukasz D'Orsay"),
    FieldType.EMAIL: ({"x-y": "Ines@Exemple.Example"}, "ines@exemple.example"),
    FieldType.PHONE: ({"x-y": "+33 6 39 98 00 00"}, "0639980000"),
    FieldType.DIGITS: ({"x-y": "12 34 56"}, "123456"),
    FieldType.INTEGER: ({"x-y": " 4 "}, 4),
    FieldType.MONEY: ({"x-y": "1\u202f234,00 €"}, 1234),
    FieldType.DATE: ({"x-y_day": "3", "x-y_month": "2", "x-y_year": "1984"}, "1984-02-03"),
    FieldType.TICK: ({"x-y": "on"}, True),
    FieldType.YES_NO: ({"x-y": "non"}, False),
    FieldType.CHOICE: ({"x-y": "never"}, "never"),
    FieldType.SIGNATURE: ({"x-y": "on"}, True),
}


def question(kind: FieldType, **more: Any) -> Field:
    choices = CHOICES if kind is FieldType.CHOICE else ()
    return Field(key="x.y", type=kind, label="Question", choices=choices, **more)


def page(field: Field, data: dict[str, str] | None = None, **told: Any) -> QuestionForm:
    seen = Context(answers=told.get("answers", {}), reference_on=TODAY, prefill=told.get("prefill", {}))
    return QuestionForm([field], seen=seen, today=TODAY, data=data)


def test_every_type_of_question_has_a_widget() -> None:
    assert set(WIDGETS) == set(FieldType) == set(WRITTEN)


@pytest.mark.parametrize("kind", FieldType)
def test_what_is_written_becomes_the_canonical_value(kind: FieldType) -> None:
    data, value = WRITTEN[kind]

    form = page(question(kind), data)

    assert form.is_valid(), form.errors
    assert form.answers == {"x.y": value}


@pytest.mark.parametrize("kind", FieldType)
def test_what_is_known_is_shown_and_sent_back_unchanged(kind: FieldType) -> None:
    _, value = WRITTEN[kind]
    shown = page(question(kind), prefill={("x.y", 0): value})

    html = shown.as_p()
    if kind is FieldType.DATE:
        data = dict(zip(("x-y_day", "x-y_month", "x-y_year"), shown["x-y"].value().split("/"), strict=True))
    else:
        told = shown["x-y"].value()
        data = {} if told is False else {"x-y": "on" if told is True else told}

    assert "x-y" in html
    again = page(question(kind), data, prefill={("x.y", 0): value})
    assert again.is_valid(), again.errors
    assert again.answers == {"x.y": value}


@pytest.mark.parametrize("kind", FieldType)
def test_nothing_is_no_answer_and_a_wanted_answer_is_asked_for(kind: FieldType) -> None:
    free, wanted = page(question(kind), {}), page(question(kind, required=True), {})

    assert free.is_valid()
    assert free.answers == {"x.y": None}
    assert not wanted.is_valid()
    assert "required" not in str(wanted.errors)


def test_a_known_tick_taken_back_is_a_no() -> None:
    form = page(question(FieldType.TICK), {}, prefill={("x.y", 0): True})

    assert form.is_valid()
    assert form.answers == {"x.y": False}


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        (FieldType.MONEY, {"x-y": "dix mille"}, "en chiffres"),
        (FieldType.MONEY, {"x-y": "1234,50"}, "sans les centimes"),
        (FieldType.DATE, {"x-y_day": "31", "x-y_month": "2", "x-y_year": "1984"}, "n'existe pas"),
        (FieldType.DATE, {"x-y_day": "3", "x-y_month": "2", "x-y_year": "84"}, "quatre chiffres"),
        (FieldType.DATE, {"x-y_day": "", "x-y_month": "2", "x-y_year": "1984"}, "jour, mois, année"),
        (FieldType.EMAIL, {"x-y": "ines"}, "adresse électronique complète"),
        (FieldType.PHONE, {"x-y": "12"}, "dix chiffres"),
        (FieldType.CHOICE, {"x-y": "autre"}, "Choisissez"),
        (FieldType.NAME, {"x-y": "R2D2"}, "sans chiffre"),
    ],
)
def test_a_mistake_gets_the_questionnaire_s_own_sentence(kind: FieldType, data: dict[str, str], words: str) -> None:
    form = page(question(kind), data)

    assert not form.is_valid()
    assert words in " ".join(form.errors["x-y"])


def test_a_date_wanted_and_empty_is_asked_for_as_a_date() -> None:
    form = page(question(FieldType.DATE, required=True), {"x-y_day": "", "x-y_month": "", "x-y_year": ""})

    assert form.errors["x-y"] == [ASK_DATE]


def test_many_choices_make_a_list_and_few_make_buttons() -> None:
    many = tuple(Choice(f"v{number}", f"Choix {number}") for number in range(MOST_BUTTONS + 1))
    field = Field(key="x.y", type=FieldType.CHOICE, label="Question", choices=many)

    assert "<select" in str(page(field)["x-y"])
    assert 'type="radio"' in str(page(question(FieldType.CHOICE))["x-y"])


@given(st.text(max_size=40))
def test_no_text_breaks_a_page(text: str) -> None:
    for kind in FieldType:
        names = ["x-y", "x-y_day", "x-y_month", "x-y_year"]
        form = page(question(kind), dict.fromkeys(names, text))

        assert form.is_valid() or form.errors["x-y"]


def test_a_field_is_named_after_its_key() -> None:
    assert name_of(question(FieldType.TEXT)) == "x-y"

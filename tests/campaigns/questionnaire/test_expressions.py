"""The language of a landlord's rules: read, typed, judged, told; whatever is written, nothing runs or breaks."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.questionnaire.expression_text import LONGEST, TOKEN, ExpressionError, cut
from campaigns.questionnaire.expression_types import check
from campaigns.questionnaire.expression_wording import expression_in_words, value_in_words
from campaigns.questionnaire.expressions import FUNCTIONS, expression_of
from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import FieldType
from campaigns.questionnaire.symbols import KINDS, RESERVED, Kind, symbols_of

SYMBOLS = symbols_of(load_library("sls_ops"))


class Case:
    """Facts given as a table: symbol → value, or row → symbol → value."""

    def __init__(self, household: dict, *people: dict) -> None:
        self.told = {0: household} | dict(enumerate(people, 1))

    def value(self, name, row):
        return self.told[row].get(name, self.told[0].get(name))

    def rows(self):
        return tuple(row for row in self.told if row)


COUPLE = Case(
    {"household.size": 2, "dwelling.financing": "PLUS", "lease.move_in_on": dt.date(2015, 4, 1), "case.apl": False},
    {"occupant.age": 45, "occupant.status": "pacs", "file.occupant.status": "single", "occupant.cmi": True},
    {"occupant.age": 17, "occupant.link": "child", "occupant.tax_reference_income": 1200},
)


@pytest.mark.parametrize("kind", FieldType)
def test_each_kind_of_question_has_a_type(kind):
    assert kind in KINDS


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("occupant.age >= 18", 1, True),
        ("occupant.age >= 18", 2, False),
        ('occupant.status != file.occupant.status et occupant.status parmi ["married", "pacs"]', 1, True),
        ('occupant.link = "child" et pas occupant.cmi', 2, True),
        ("occupant.link = vide", 1, True),
        ("occupant.link ≠ vide et occupant.age < 18", 2, True),
        ("un_occupant(occupant.cmi)", 0, True),
        ("chaque_occupant(occupant.cmi)", 0, False),
        ("nombre(occupant.age >= 16) = 2", 0, True),
        ("somme(occupant.tax_reference_income) + 300.50 > 1500", 0, True),
        ("lease.move_in_on < 01/07/2024", 0, True),
        ("household.size - 1 = 1 et (case.apl ou dwelling.financing = « PLUS »)", 0, True),
        ("household.size * 2 / 4 = 1", 0, True),
        ("-household.size < 0", 0, True),
        ("vrai et pas faux", 0, True),
        ("household.size > 2 or not case.apl", 0, True),
        ("dwelling.financing pas parmi ['PLI', 'PLS']", 0, True),
    ],
)
def test_a_condition_is_judged_on_a_case(text, row, expected):
    expression = check(text, SYMBOLS, per_row=row > 0)

    assert expression.holds(COUPLE, row) is expected


@pytest.mark.parametrize(
    "text",
    [
        "occupant.left_on < 01/01/2026",
        "occupant.left_on >= occupant.left_on",
        "occupant.tax_reference_income + 1 > 0",
        "somme(occupant.age) / household.people > 1",
        "1 / household.newcomers > 0",
        "occupant.dependant = faux",
        "occupant.dependant = vrai",
        "occupant.dependant",
    ],
)
def test_what_is_missing_makes_a_comparison_false(text):
    assert not check(text, SYMBOLS, per_row=True).holds(Case({"household.newcomers": 0}, {}), 1)


# What is wrong, the column, and what the sentence says.
WRONG = [
    ("", 1, "Écrivez la condition"),
    ("occupant.statu = vide", 1, "Vouliez-vous dire occupant.status"),
    ("case.apl et occupant.âge > 3", 13, "occupant.age"),
    ("xyzzy", 1, "Choisissez dans la liste"),
    ('case.apl ou occupant.status = "marié"', 13, "married (Marié(e))"),
    ("occupant.age", 1, "et non oui ou non"),
    ("occupant.age et case.apl", 1, "n'est pas un oui ou non"),
    ('occupant.age = "dix"', 1, "ne se compare pas"),
    ("occupant.status > 3", 1, "ne se compare qu'avec"),
    ("occupant.age > vide", 1, "se compare avec = ou ≠"),
    ("occupant.status = file.occupant.link", 1, "les mêmes réponses"),
    ("occupant.status + 1 = 2", 1, "ne se calcule pas"),
    ("-occupant.status = 2", 2, "ne se calcule pas"),
    ('occupant.status parmi "single"', 1, "écrivez une liste"),
    ("occupant.age parmi [1, occupant.age]", 1, "que des valeurs écrites"),
    ('occupant.status parmi ["single", 3]', 1, "ne se compare pas"),
    ("case.apl et", 12, "s'arrête trop tôt"),
    ("(case.apl", 10, "s'arrête trop tôt"),
    ("case.apl)", 9, "sans avoir été ouverte"),
    ("case.apl case.sls", 10, "On n'attend pas « case.sls »"),
    ("household.size => 2", 17, "On n'attend pas « > »"),
    ("lease.move_in_on > 31/02/2024", 20, "n'existe pas"),
    ('dwelling.city = "TOURS', 17, "n'est pas refermé"),
    ("household.size = 12euros", 18, "Ce nombre ne se lit pas"),
    ("case.apl # oui", 10, "« # » n'existe pas"),
    ("un_occupant", 1, "ouvrez une parenthèse"),
    ("un_occupant(un_occupant(case.apl))", 13, "dans une autre fonction"),
    ("occupant.age(3)", 1, "s'écrivent avec des parenthèses"),
    ("un_occupant(occupant.cmi, occupant.cmi)", 1, "s'écrivent avec des parenthèses"),
    ("somme(occupant.cmi) > 1", 7, "n'est pas un nombre"),
    ("occupant.status[0] = 1", 1, "Cette écriture n'existe pas"),
    ("1 / 0 > 1", 1, "ne vont pas ensemble"),
]


@pytest.mark.parametrize(("text", "column", "told"), WRONG, ids=[each[0] or "(rien)" for each in WRONG])
def test_what_is_wrong_is_said_in_french_with_its_column(text, column, told):
    with pytest.raises(ExpressionError) as refused:
        check(text, SYMBOLS, per_row=True)

    assert told in str(refused.value)
    assert refused.value.column == column


def test_the_nearest_names_are_found_by_label_too():
    with pytest.raises(ExpressionError) as refused:
        check("naissance < 01/01/2000", SYMBOLS, per_row=True)

    assert "occupant.birth_date" in refused.value.nearest


def test_a_household_rule_speaks_of_occupants_through_a_function():
    with pytest.raises(ExpressionError, match="un_occupant"):
        check("occupant.age >= 18", SYMBOLS, per_row=False)

    assert check("un_occupant(occupant.age >= 18)", SYMBOLS, per_row=False).reads == ("occupant.age",)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9 > 1",
        "1 << 99999999 > 1",
        'dwelling.city =~ "(a+)+$"',
        '"aaaaaaaaaaaaaaaaaaaaaaaa!" =~~ "(a|a)*b"',
        "$range(10000000000)",
        "$now > 1",
        "[x for x in [1]]",
        "__import__('os')",
        "dwelling.__class__ = 1",
        "vrai ? 1 : 2",
        "{1: 2}",
        "(" * 13 + "vrai" + ")" * 13,
        "pas " * 300 + "vrai",
        "1e999999999 > 1",
        "99999999999999999999 > 1",
        "é" * (LONGEST + 1),
        '"\\x41" = dwelling.city',
        "case.apl\x00",
    ],
)
def test_nothing_dangerous_or_endless_passes(text):
    with pytest.raises(ExpressionError):
        check(text, SYMBOLS, per_row=True)


def test_the_longest_condition_is_read_and_judged():
    text = "pas " * 199 + "case.apl"

    assert check(text, SYMBOLS, per_row=False).holds(Case({"case.apl": False})) is True


WORDS = st.sampled_from([
    *list(SYMBOLS)[:40], *FUNCTIONS, "et", "ou", "pas", "parmi", "vide", "vrai", "(", ")", "[", "]", ",", "=", "<", "+",
    "-", "/", "3", "01/01/2020", '"married"', '"x"',
])  # fmt: skip


def judged(text):
    """The condition and None, or None and why it is refused."""
    try:
        return check(text, SYMBOLS, per_row=True), None
    except ExpressionError as error:
        return None, error


@given(st.lists(WORDS, max_size=25))
def test_any_words_are_refused_in_french_or_judged_without_error(words):
    text = " ".join(words)
    expression, refusal = judged(text)
    if expression is None:
        assert 1 <= refusal.column <= len(text) + 1
        return
    assert expression.holds(COUPLE, 1) in {True, False}
    assert expression.holds(Case({}, {}), 1) in {True, False}
    assert expression_in_words(text, SYMBOLS)


@given(st.text(max_size=80))
def test_any_text_at_all_is_refused_or_judged(text):
    expression, refusal = judged(text)

    assert expression or str(refusal)


@given(st.integers(-10_000, 10_000), st.integers(-10_000, 10_000))
def test_numbers_compare_as_numbers(one, other):
    case = Case({"household.size": one, "household.people": other})

    for sign, expected in {"<": one < other, "<=": one <= other, "=": one == other, ">": one > other}.items():
        assert expression_of(f"household.size {sign} household.people").holds(case) is expected


def test_each_word_keeps_its_column():
    sentence = cut("occupant.age ≥ 18 et « Zoé » ≠ dwelling.city")

    written = [(word.written, word.column) for word in sentence.words]
    assert written[:3] == [("occupant.age", 1), ("≥", 14), ("18", 16)]
    assert written[4] == ("Zoé", 22)
    assert TOKEN.match("x" * 10_000) is not None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'occupant.status parmi ["married", "pacs"] et occupant.status != file.occupant.status',
            "« Situation » est l’un de « Marié(e) », « Pacsé(e) » et « Situation » n’est pas « Situation, dans le "
            "fichier du bailleur »",
        ),
        ("pas (case.apl ou dwelling.qpv)", "pas (« APL connue du bailleur » ou « Logement en quartier prioritaire »)"),
        ("occupant.tax_reference_income >= 12500", "« RFR {income_year} » est au moins 12\u202f500\u202f€"),
        ("occupant.left_on = vide", "« Date de départ » est vide"),
        ("31/12/2020 ≠ lease.move_in_on", "« Entrée dans les lieux » n’est pas 31/12/2020"),
        (
            "nombre(occupant.cmi = vrai) > 1",
            "le nombre d'occupants tels que (« CMI invalidité » est oui) est supérieur à 1",
        ),
        ("somme(occupant.age) - 1 < 0", "la somme, pour les occupants, de («"),
        ("occupant.nothing", "« occupant.nothing »"),
        ("case.apl et", "case.apl et"),
    ],
)
def test_a_condition_is_told_in_french(text, told):
    assert expression_in_words(text, SYMBOLS).startswith(told)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "vide"),
        (True, "oui"),
        (dt.date(2026, 12, 31), "31/12/2026"),
        (3, "3"),
        (Decimal("62.40"), "62,4"),
        ("x", "« x »"),
    ],
)
def test_a_value_is_told_in_french(value, told):
    assert value_in_words(value) == told


def test_no_question_of_the_library_takes_the_name_of_a_fact():
    for survey in ("sls", "ops", "sls_ops"):
        keys = {field.key for _, field in load_library(survey).fields()}
        assert not keys & RESERVED


def test_a_choice_knows_its_answers():
    assert SYMBOLS["occupant.status"].kind is Kind.CHOICE
    assert SYMBOLS["file.occupant.status"].choices == SYMBOLS["occupant.status"].choices
    assert SYMBOLS["occupant.tax_reference_income"].type_label == "montant en euros"

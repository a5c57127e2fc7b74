"""What the questionnaire knows of an answer decides between readings of its ink, and never hides a doubt."""

from __future__ import annotations

import itertools
import random
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fr import nif

from campaigns.questionnaire.schema import Field, FieldType
from returns.reading.decoding import OTHER, decode, readings_of, spelled
from returns.reading.readings import Doubt
from returns.reading.recognisers import CAPITALS
from returns.reading.tax_numbers import likeliest
from tests.returns.reading.filled import tax_number

TAX_NUMBER = Field("tax", FieldType.DIGITS, "Numéro fiscal", size=13, check="nif")
BIRTH = Field("birth", FieldType.DATE, "Date de naissance")
SIZE = Field("size", FieldType.INTEGER, "Personnes", minimum=1, maximum=30)
SIGNED = Field("signed", FieldType.DATE, "Date de signature", check="recent_date")
PHONE = Field("phone", FieldType.PHONE, "Téléphone")
TODAY = date(2027, 3, 12)
INCOME = Field("income", FieldType.MONEY, "RFR", minimum=0)


def sure(digit: int, probability: float = 0.999, rival: int | None = None) -> np.ndarray:
    cell = np.full(OTHER + 1, 0.0)
    cell[(digit + 1) % 10 if rival is None else rival] = 1 - probability
    cell[digit] = probability
    return cell


def cells(text: str, **told) -> list[np.ndarray | None]:
    return [None if each == " " else sure(int(each), **told) for each in text]


def test_blank_cells_say_nothing_surely():
    decoded = decode([None] * 7, INCOME)

    assert decoded.value is None
    assert decoded.confidence > 0.99


@pytest.mark.parametrize("text", ["23456  ", "  23456", " 23456 "])
def test_left_and_right_alignment_give_the_same_number(text):
    decoded = decode(cells(text), INCOME)

    assert decoded.value == 23456
    assert decoded.confidence > 0.95


def test_an_empty_cell_amid_digits_is_a_doubt():
    decoded = decode(cells("23 456 "), INCOME)

    assert decoded.doubt is Doubt.GAP
    assert decoded.confidence < 0.5


def test_a_struck_out_cell_is_no_number():
    told = cells("2345")
    told[1] = np.eye(OTHER + 1)[OTHER]

    decoded = decode(told, INCOME)

    assert decoded.value is None
    assert decoded.doubt is Doubt.NOT_A_DIGIT
    assert decoded.alternatives[0].value == "2?45"


def test_digits_without_a_definition_stay_text():
    assert decode(cells("0612")).value == "0612"


@given(st.randoms(use_true_random=False))
def test_a_tax_number_read_wrong_in_one_cell_is_put_right_by_its_key(chance: random.Random):
    number = tax_number(chance)
    place = chance.randrange(13)
    wrong = (int(number[place]) + chance.randint(1, 9)) % 10
    told = cells(number)
    told[place] = sure(wrong, 0.6, rival=int(number[place]))

    decoded = decode(told, TAX_NUMBER)

    assert decoded.value == number


@given(st.randoms(use_true_random=False))
def test_the_weight_of_all_tax_numbers_is_that_of_each_added_up(chance: random.Random):
    told = [cell[:OTHER] for cell in cells(tax_number(chance), probability=1.0)]
    places = chance.sample(range(13), 3)
    for place in places:
        told[place] = np.array([chance.random() for _ in range(OTHER)])
    every = {
        number: np.prod([told[place][int(digit)] for place, digit in zip(places, digits, strict=True)])
        for digits in itertools.product("0123456789", repeat=3)
        for number in [_with(told, places, digits)]
        if nif.is_valid(number)
    }

    number, best, mass = likeliest(told)

    assert mass == pytest.approx(sum(every.values()))
    assert best == pytest.approx(max(every.values()))
    assert not best or every[number] == pytest.approx(best)


@given(st.randoms(use_true_random=False))
def test_a_cell_that_is_no_digit_is_told_by_the_key(chance: random.Random):
    number = tax_number(chance)
    told = cells(number)
    told[chance.randrange(13)] = np.eye(OTHER + 1)[OTHER]

    decoded = decode(told, TAX_NUMBER)

    assert decoded.value == number or decoded.confidence < 0.7
    assert decoded.value is None or nif.is_valid(str(decoded.value))


def test_two_cells_that_are_no_digits_leave_the_number_to_a_person():
    told = cells("1234567890045")
    told[2] = told[7] = np.eye(OTHER + 1)[OTHER]

    assert decode(told, TAX_NUMBER).doubt is Doubt.NOT_A_DIGIT


def _with(told, places, digits) -> str:
    number = [str(cell.argmax()) for cell in told]
    for place, digit in zip(places, digits, strict=True):
        number[place] = digit
    return "".join(number)


@given(st.text("0123456789", min_size=13, max_size=13))
def test_no_tax_number_with_a_wrong_key_is_ever_given(text):
    decoded = decode(cells(text, probability=0.99), TAX_NUMBER)

    assert decoded.value is None or nif.is_valid(str(decoded.value))
    if not nif.is_valid(text):
        assert decoded.confidence < 0.9


def test_twelve_digits_are_no_tax_number():
    decoded = decode(cells("123456789012 "), TAX_NUMBER)

    assert decoded.value is None
    assert decoded.doubt is Doubt.WRONG_KEY


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_a_sure_date_is_given_as_written(day):
    decoded = decode(cells(day.strftime("%d%m%Y")), BIRTH)

    assert decoded.value == day.isoformat()
    assert decoded.confidence > 0.9


def test_an_impossible_month_is_read_again_under_the_calendar():
    told = cells("05711984")
    told[2] = sure(7, 0.7, rival=1)

    decoded = decode(told, BIRTH)

    assert decoded.value == "1984-11-05"
    assert decoded.alternatives


def test_a_year_that_the_question_refuses_is_read_again():
    told = cells("02032021")
    told[7] = sure(1, 0.6, rival=7)

    assert decode(told, SIGNED, today=TODAY).value == "2027-03-02"
    assert decode(told, SIGNED).value == "2021-03-02"


def test_two_days_that_the_question_admits_stay_in_doubt():
    told = cells("05032027")
    told[1] = sure(5, 0.6, rival=6)

    assert decode(told, SIGNED, today=TODAY).confidence < 0.7


@pytest.mark.parametrize("text", ["13032027", "02032021", "02032007"])
def test_a_date_surely_written_outside_what_is_asked_is_never_bent(text):
    decoded = decode(cells(text), SIGNED, today=TODAY)

    assert decoded.value is None or decoded.confidence < 0.6
    assert decode(cells("02032007"), SIGNED).value == "2007-03-02"


def test_a_telephone_begins_as_the_numbering_plan_says():
    told = cells("0612345678")
    told[0] = sure(6, 0.6, rival=0)

    decoded = decode(told, PHONE)

    assert (decoded.value, decoded.doubt) == ("0612345678", Doubt.NONE)
    assert decoded.confidence > 0.9


@pytest.mark.parametrize("text", ["612345678 ", "3361234567", "0012345678"])
def test_what_is_no_french_telephone_is_left_to_a_person(text):
    decoded = decode(cells(text), PHONE)

    assert decoded.value is None or decoded.confidence < 0.6
    assert decoded.value is None or str(decoded.value).startswith("0")


def test_a_date_in_six_digits_is_left_to_a_person():
    decoded = decode(cells("050184  "), BIRTH)

    assert decoded.value is None
    assert decoded.doubt is Doubt.NO_SUCH_DATE


@given(st.integers(0, 99))
def test_a_number_out_of_its_bounds_is_never_given(number):
    decoded = decode(cells(f"{number:02d}"), SIZE)

    assert decoded.value == number if 1 <= number <= 30 else decoded.value is None or decoded.confidence < 0.5


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=11, max_size=11), min_size=1, max_size=6))
def test_readings_come_likeliest_first_and_never_twice(raw):
    told = [np.array(cell) / sum(cell) for cell in raw]

    found = [reading for reading, _ in zip(readings_of(told), range(60), strict=False)]

    texts = [text for text, _ in found]
    chances = [chance for _, chance in found]
    assert len(set(texts)) == len(texts)
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in itertools.pairwise(chances))
    assert chances[0] == pytest.approx(np.prod([cell[:10].max() for cell in told]))


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=11, max_size=11), min_size=1, max_size=8), st.booleans())
def test_confidence_is_a_probability(raw, spilt):
    told = [np.array(cell) / sum(cell) for cell in raw]

    for field in (None, INCOME, SIZE, BIRTH, SIGNED, PHONE, TAX_NUMBER):
        assert 0 <= decode(told, field, spilt=spilt, today=TODAY).confidence <= 1


def letters(text: str, probability: float = 0.99) -> list[np.ndarray | None]:
    """Cells that say these capitals; a space leaves its cell empty, a '?' is no letter."""
    told: list[np.ndarray | None] = []
    for each in text:
        cell = np.full(CAPITALS.classes, (1 - probability) / (CAPITALS.classes - 1))
        cell[(CAPITALS.signs + "?").index(each) if each != " " else 0] = probability
        told.append(None if each == " " else cell)
    return told


@pytest.mark.parametrize(
    ("text", "name"), [("DURAND  ", "DURAND"), ("  LE GOFF ", "LE GOFF"), ("ANNE  MARIE", "ANNE MARIE")]
)
def test_capitals_are_spelled_and_an_empty_cell_parts_two_words(text, name):
    decoded = spelled(letters(text))

    assert decoded.value == name
    assert decoded.confidence == pytest.approx(0.99 ** len(name.replace(" ", "")))


def test_a_name_is_as_sure_as_all_its_letters_together():
    assert spelled(letters("NGUYEN")).confidence > spelled(letters("NGUYENPHUC")).confidence
    assert spelled(letters("NGUYEN"), spilt=True).confidence < spelled(letters("NGUYEN")).confidence


def test_what_is_no_letter_leaves_the_whole_name_to_a_person():
    decoded = spelled(letters("DU?AND"))

    assert (decoded.value, decoded.confidence, decoded.doubt) == (None, 0.0, Doubt.HANDWRITING)
    assert decoded.alternatives[0].value == "DU?AND"


def test_no_letter_at_all_is_a_blank():
    assert spelled(letters("    ")).value is None

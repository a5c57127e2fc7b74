"""Names as a machine reads them, held against names as people spell them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.reading.names import letters_of, says_the_same, spelling_of


@pytest.mark.parametrize(
    ("read", "told"),
    [
        ("LE GOFF", "Le Goff"),
        ("LEGOFF", "Le Goff"),
        ("ANNE LYS", "Anne-Lys"),
        ("DARC", "d’Arc"),
        ("FRANCOIS", "François"),
        ("NGUYEN", "Nguyễn"),
        ("0612", "0612"),
        (3, 3),
    ],
)
def test_the_same_letters_say_the_same(read, told):
    assert says_the_same(read, told)


@pytest.mark.parametrize(
    ("read", "told"),
    [
        ("DUPOND", "Dupont"),
        ("LE GOFF", "Le Goffic"),
        ("06 12", "0612"),
        ("A1", "a1"),
        ("", "-"),
        (None, None),
        (3, "3"),
        (1, True),
    ],
)
def test_another_letter_another_digit_or_another_kind_does_not(read, told):
    assert not says_the_same(read, told)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ -'", max_size=20))
def test_a_name_says_the_same_as_itself_in_small_letters(name):
    assert says_the_same(name, name.lower()) == (name == name.lower() or bool(letters_of(name)))


def test_the_first_name_with_these_letters_gives_the_spelling():
    assert spelling_of("LE GOFF", ["Martin", None, "Le Goff", "LE GOFF"]) == "Le Goff"
    assert spelling_of("LE GOF", ["Martin", "Le Goff"]) == ""

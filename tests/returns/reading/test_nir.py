"""No social security number stays on a stored image; tax numbers do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fr import nir

from returns.reading.nir import Word, is_nir, mask_nir, words_of

BODY = "2840576451089"
KEYED = BODY + nir.calc_check_digits(BODY)


def line_of(*texts: str) -> list[Word]:
    return [Word(text, (1, 1, 1), 100 * place + 10, 50, 80, 20) for place, text in enumerate(texts)]


def blackened(words: list[Word]) -> list[bool]:
    masked = mask_nir(np.full((120, 1200), 255, np.uint8), words)
    return [bool((masked[w.top : w.top + w.height, w.left : w.left + w.width] == 0).all()) for w in words]


@pytest.mark.parametrize(
    "texts",
    [
        ("N°", KEYED, "délivré"),
        ("N°", KEYED[0], KEYED[1:3], KEYED[3:5], KEYED[5:7], KEYED[7:10], KEYED[10:13], KEYED[13:]),
        ("Sécurité", "sociale", BODY),
    ],
)
def test_a_number_is_blackened_however_it_is_spaced(texts):
    words = line_of(*texts)

    masked = blackened(words)

    assert masked == [any(each.isdigit() for each in word.text) for word in words]


def test_a_tax_number_and_other_digits_stay():
    tax_number = "1234567890" + f"{1234567890 % 511:03d}"

    assert blackened(line_of(tax_number, "2026", "06 12 34 56 78")) == [False, False, False]


def test_a_notice_reference_stays():
    assert blackened(line_of("Référence", "de", "l'avis", BODY)) == [False] * 4


def test_a_wrong_key_is_no_number():
    assert not is_nir(BODY + f"{(int(KEYED[13:]) + 1) % 97:02d}")


def test_digits_of_two_lines_are_not_joined():
    first = Word(KEYED[:7], (1, 1, 1), 10, 10, 80, 20)
    second = Word(KEYED[7:], (1, 1, 2), 10, 60, 80, 20)

    assert blackened([first, second]) == [False, False]


def test_the_image_given_is_left_as_it_is():
    grey = np.full((120, 1200), 255, np.uint8)

    masked = mask_nir(grey, line_of(KEYED))

    assert (grey == 255).all()
    assert (masked == 0).any()


def test_words_come_from_what_the_ocr_tells():
    told: dict[str, list[object]] = {name: [1, 1] for name in ("block_num", "par_num", "line_num", "left", "top")}
    told |= {"text": ["Nom", " "], "width": [30, 0], "height": [12, 0]}

    assert words_of(told) == [Word("Nom", (1, 1, 1), 1, 1, 30, 12)]


@given(st.text(max_size=20))
def test_no_text_breaks_the_search(text):
    assert not is_nir(text) or len(text) in (13, 15)

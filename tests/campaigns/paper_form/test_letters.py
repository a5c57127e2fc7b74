"""Ordinary letters: whole sheets, the law word for word, the exact list of what is missing, a return sheet."""

from __future__ import annotations

import dataclasses
import re

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.letters import Access, Letter, compose, letter_layout, preflight_letter
from campaigns.paper_form.page_code import PageCode
from campaigns.paper_form.proofing import problems
from campaigns.paper_form.wording import WordingError, shipped_wording, wording_from
from tests.campaigns.paper_form.conftest import page_images, page_texts

LAW = tuple(
    f"Alinéa {number} : l'organisme demande chaque année communication des avis d'imposition." for number in range(5)
)
LETTER = Letter(
    title="Il manque des pièces à votre dossier",
    paragraphs=("Madame, Monsieur,", "Il nous manque ce qui suit pour traiter votre réponse."),
    address_lines=("MME EXEMPLE", "12 RUE DES LILAS", "37000 TOURS"),
    reference="AB12CD34",
    place_date="Tours, le vendredi 5 février 2027",
    items_title="À nous envoyer",
    items=("Avis d'impôt 2026 de Jean DUPONT", "Votre signature"),
    access=Access("enquete.example", "https://enquete.example/q/1", "K7QM-42XT", "M4TR-9KWP"),
)


def _flat(text: str) -> str:
    return re.sub(r"[\s\u00a0\u202f]+", " ", text.replace("’", "'"))


def test_each_letter_takes_whole_sheets_and_its_pages_are_counted(branding: Branding) -> None:
    long_letter = dataclasses.replace(LETTER, paragraphs=LETTER.paragraphs * 40)

    file = compose([LETTER, long_letter], branding)

    assert file.pages[0] == 2
    assert file.pages[1] > 2
    assert all(pages % 2 == 0 for pages in file.pages)
    assert len(page_texts(file.pdf)) == sum(file.pages)


def test_the_law_is_reproduced_in_full(branding: Branding) -> None:
    notice = dataclasses.replace(LETTER, law_title="Article L. 441-9", quoted_law=LAW * 6, items=())

    told = _flat(" ".join(page_texts(compose([notice], branding).pdf)))

    assert sum(told.count(_flat(paragraph)) for paragraph in LAW) == 30


def test_a_long_list_is_complete(branding: Branding) -> None:
    items = tuple(f"Pièce numéro {number} de la personne {number}" for number in range(60))

    told = _flat(" ".join(page_texts(compose([dataclasses.replace(LETTER, items=items)], branding).pdf)))

    assert all(item in told for item in items)


def test_the_return_sheet_carries_its_code_and_the_list(branding: Branding) -> None:
    code = PageCode("AB12CD34", 1, "00C0FFEE")

    file = compose([dataclasses.replace(LETTER, return_code=code)], branding)

    *_, last = page_images(file.pdf)
    assert zxingcpp.read_barcode(last).text == str(code)
    assert "Votre signature" in page_texts(file.pdf)[-1]


def test_an_empty_batch_is_refused(branding: Branding) -> None:
    with pytest.raises(ValueError, match="Aucun courrier"):
        compose([], branding)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"address_lines": ()}, "vide"),
        ({"address_lines": ("A",) * 7}, "7 lignes"),
        ({"address_lines": ("W" * 60,)}, "38 au plus"),
        ({"access": dataclasses.replace(LETTER.access, login="W" * 60)}, "coupé"),
        ({"paragraphs": ("阮",)}, "阮"),
    ],
)
def test_preflight_says_what_a_letter_would_lose(change: dict[str, object], told: str) -> None:
    assert preflight_letter(LETTER) == []
    assert any(told in each for each in preflight_letter(dataclasses.replace(LETTER, **change)))


@pytest.mark.parametrize("key", ["sls", "ops", "sls_ops", "satisfaction"])
def test_every_survey_has_its_wording(key: str) -> None:
    assert shipped_wording(key).legal


def test_a_wording_without_all_its_texts_is_refused() -> None:
    with pytest.raises(WordingError, match="salutation"):
        wording_from({"letter": []})


@pytest.mark.parametrize("lines", range(12, 30))
def test_the_title_of_the_law_is_never_alone_at_the_foot_of_a_page(branding: Branding, lines: int) -> None:
    long_law = (" ".join(LAW),) * 2
    notice = dataclasses.replace(
        LETTER,
        paragraphs=("Une ligne.",) * lines,
        items=(),
        access=None,
        law_title="Article L. 441-9",
        quoted_law=long_law,
    )

    pages = [_flat(text) for text in page_texts(compose([notice], branding).pdf)]

    (beginning,) = [text for text in pages if "Article L. 441-9" in text]
    assert "Alinéa 0" in beginning


TEXTS = st.text(alphabet="abcdefghij éàçœW", min_size=1, max_size=400).map(str.strip).filter(bool)


@settings(max_examples=30, deadline=None)
@given(
    paragraphs=st.lists(TEXTS, min_size=1, max_size=12),
    items=st.lists(TEXTS, max_size=25),
    law=st.lists(TEXTS, max_size=8),
    large=st.booleans(),
    returned=st.booleans(),
    access=st.booleans(),
)
def test_any_letter_keeps_inside_its_page_apart_and_out_of_the_window(
    paragraphs: list[str], items: list[str], law: list[str], *, large: bool, returned: bool, access: bool
) -> None:
    letter = dataclasses.replace(
        LETTER,
        paragraphs=tuple(paragraphs),
        items=tuple(items),
        law_title="Article L. 441-9" if law else "",
        quoted_law=tuple(law),
        return_code=PageCode("AB12CD34", 99, "00000001") if returned else None,
        access=LETTER.access if access else None,
        large=large,
    )

    layout = letter_layout(letter, Branding(name="Val", hotline="02 47 00 00 00", return_address=("Centre", "LILLE")))

    assert problems(layout) == []
    assert layout.pages % 2 == 0

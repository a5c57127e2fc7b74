"""Supporting documents: the signed code is believed only when its signature holds, the print is read otherwise."""

from __future__ import annotations

import cv2
import numpy as np
import pytesseract
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from stdnum.fr import nir

from returns.reading.clues import clues_in
from returns.reading.documents import kind_of, notice_figures, read_document
from returns.reading.places import SIGNED_CODE, lies_on_its_side, plain
from returns.reading.signed_codes import read_signed_code
from returns.rehearsal.authority import Authority
from returns.rehearsal.printed_pieces import other_piece, tax_notice
from returns.rehearsal.scanner import FileFormat, Quality, scan

NUMBER = f"1234567890{1234567890 % 511:03d}"
NOTICE = {
    "names": ("Marie Nguyễn",),
    "income_year": 2025,
    "income": 23456,
    "notice_reference": "2600012345678",
    "tax_numbers": (NUMBER,),
}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.minted()


def scanned(page: np.ndarray, quality: Quality) -> np.ndarray:
    [content] = scan([page], seed=11, quality=quality, file_format=FileFormat.JPEG, upside_down=0.0)
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)


def code_of(authority: Authority, **changes) -> str:
    told = {
        "income_year": 2025,
        "income": 23456,
        "notice_reference": "2600012345678",
        "declarants": ["MARIE NGUYEN"],
        "tax_numbers": [NUMBER],
    }
    return authority.tax_notice_code(**(told | changes))


@pytest.mark.parametrize("quality", list(Quality))
def test_a_signed_notice_is_certified_at_every_degradation(authority, quality):
    page = scanned(tax_notice(**NOTICE, authority=authority), quality)

    found = read_document(page, certificates=(authority.certificates,))

    assert found.certified
    assert found.by == "2d-doc"
    assert found.read == {
        "tax_numbers": [NUMBER],
        "declarants": ["MARIE NGUYEN"],
        "tax_reference_income": 23456,
        "income_year": 2025,
        "notice_reference": "2600012345678",
    }


def test_a_code_signed_by_nobody_we_trust_certifies_nothing(authority):
    found = read_document(scanned(tax_notice(**NOTICE, authority=authority), Quality.LIGHT))

    assert not found.certified
    assert found.by == "ocr"
    assert found.read["broken_signature"]
    assert found.read["tax_reference_income"] == 23456


@pytest.mark.parametrize("quality", [Quality.LIGHT, Quality.MEDIUM])
def test_a_notice_without_code_is_read_in_print_and_never_certified(quality):
    found = read_document(scanned(tax_notice(**NOTICE), quality))

    assert not found.certified
    assert found.kind == "tax_notice"
    assert found.read["tax_reference_income"] == 23456
    assert found.read["income_year"] == 2025
    assert found.read["notice_reference"] == "2600012345678"
    assert found.read["tax_numbers"] == [NUMBER]


def test_a_notice_that_lies_upside_down_is_read_all_the_same():
    page = scanned(tax_notice(**NOTICE), Quality.LIGHT)

    found = read_document(np.ascontiguousarray(page[::-1, ::-1]))

    assert found.kind == "tax_notice"
    assert found.read["tax_reference_income"] == 23456


@pytest.mark.parametrize("kind", ["cmi_card", "birth_certificate", "school_certificate", "death_certificate"])
def test_other_pieces_are_named_by_their_words(kind):
    assert read_document(other_piece(kind=kind, name="Jean Dupré", seed="a")).kind == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Récépissé d'enregistrement d'un pacte civil de solidarité", "union_proof"),
        ("Livret de famille, délivré par l'officier de l'état civil", "union_proof"),
        ("Copie intégrale d'acte de mariage", "union_proof"),
        ("Tribunal judiciaire. Jugement de divorce. Le juge aux affaires familiales", "separation_proof"),
        ("Livret de famille. Extrait de l'acte de naissance de l'enfant", "birth_certificate"),
        ("Avis de situation déclarative à l'impôt sur les revenus. Référence de l'avis", "tax_notice"),
        ("Bulletin de paie du mois de mars", ""),
    ],
)
def test_each_nature_has_its_words(text, kind):
    assert kind_of(plain(text)) == kind


def test_a_page_that_says_nothing_known_has_no_kind():
    assert read_document(np.full((800, 600), 255, np.uint8)).kind == ""


@given(st.integers(min_value=0, max_value=999_999))
def test_any_other_income_breaks_the_signature(income):
    authority = AUTHORITY
    text = code_of(authority)
    forged = text.replace("4123456\x1d", f"41{income}\x1d")

    found = read_signed_code(forged, certificates=(authority.certificates,))

    assert found is not None
    assert found.verified == (income == 23456)


AUTHORITY = Authority.minted()
SIGNED = code_of(AUTHORITY)
END = SIGNED.index("\x1f")  # of what is signed


@given(st.integers(0, END - 1), st.characters(min_codepoint=29, max_codepoint=126))
def test_any_other_octet_in_what_is_signed_breaks_the_signature(place, octet):
    forged = SIGNED[:place] + octet + SIGNED[place + 1 :]

    found = read_signed_code(forged, certificates=(AUTHORITY.certificates,))

    assert forged == SIGNED or found is None or not found.verified


@given(st.lists(st.tuples(st.integers(END + 1, len(SIGNED) - 1), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))))
def test_a_changed_signature_certifies_nothing_else_than_what_was_signed(changes):
    letters = list(SIGNED)
    for place, letter in changes:
        letters[place] = letter
    forged = "".join(letters)

    found = read_signed_code(forged, certificates=(AUTHORITY.certificates,))

    same = forged[:-1] == SIGNED[:-1]  # the last letter holds bits that no signature uses
    assert same or found is None or not found.verified


@given(st.integers(0, len(SIGNED) - 1))
def test_a_code_cut_short_certifies_nothing(end):
    found = read_signed_code(SIGNED[:end], certificates=(AUTHORITY.certificates,))

    assert found is None or not found.verified


@given(st.text(max_size=80))
def test_no_text_breaks_the_parser(text):
    found = read_signed_code("DC04" + text, certificates=(AUTHORITY.certificates,))

    assert found is None or not found.verified


def test_a_leading_zero_of_a_tax_number_is_kept(authority):
    number = f"0123456789{123456789 % 511:03d}"

    found = read_signed_code(code_of(authority, tax_numbers=[number]), certificates=(authority.certificates,))

    assert found is not None
    assert found.notice()["tax_numbers"] == [number]


def test_a_tax_number_with_a_wrong_key_is_not_believed_in_print():
    figures = notice_figures(plain(f"Numéro fiscal : {NUMBER[:-1]}{(int(NUMBER[-1]) + 1) % 10}"))

    assert figures["tax_numbers"] == []


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("Déclarant : Marie Nguyễn, Jean-Paul Dupré", ["MARIE NGUYEN", "JEAN-PAUL DUPRE"]),
        ("Déclarant 1 : Marie Nguyễn\nDéclarant 2 : Jean D'Arc", ["MARIE NGUYEN", "JEAN D'ARC"]),
        ("M OU MME DUPRÉ JEAN ET NGUYEN MARIE\n3 RUE DES ÉRABLES", ["DUPRE JEAN", "NGUYEN MARIE"]),
        ("Déclarant 1 : Noël Öztürk fu l", ["NOEL OZTURK"]),
        ("Déclarant : Marie", []),
        ("Salaires et pensions déclarés : 13 333", []),
        ("Déclarant 1   Déclarant 2", []),
    ],
)
def test_the_names_printed_on_a_notice(printed, names):
    assert notice_figures(plain(f"Référence de l'avis : 26 00 012345678\n{printed}"))["declarants"] == names
    assert notice_figures(plain(printed))["declarants"] == []


@given(st.text(max_size=200))
def test_no_text_breaks_the_names(text):
    figures = notice_figures(plain("reference de l'avis : 2600012345678\n" + text))
    assert all(len(name.split()) > 1 for name in figures["declarants"])


def test_words_without_accents_or_capitals_name_a_piece():
    assert kind_of(plain("EXTRAIT D’ACTE DE NAISSANCE")) == "birth_certificate"


@pytest.mark.parametrize("turned", [False, True], ids=["upright", "upside down"])
def test_a_social_security_number_is_blackened_on_the_page_that_is_kept(turned):
    page = other_piece(kind="school_certificate", name="Jean Dupré", seed="a")
    body = "2840576451089"
    number = body + nir.calc_check_digits(body)
    height = page.shape[0]
    cv2.putText(page, number, (150, height - 250), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 0, 4)
    shown = np.ascontiguousarray(page[::-1, ::-1]) if turned else page

    found = read_document(shown)

    assert found.kind == "school_certificate"
    assert found.kept is not None
    kept = found.kept  # upright, whichever way it lay
    assert number not in pytesseract.image_to_string(Image.fromarray(kept), lang="fra")
    assert np.array_equal(kept[: height - 350], page[: height - 350])


def test_a_page_without_such_a_number_is_kept_as_it_came():
    assert read_document(other_piece(kind="school_certificate", name="Jean Dupré", seed="a")).kept is None


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_signed_notice_lying_any_way_is_kept_upright_with_the_place_of_its_code(authority, turns):
    page = tax_notice(**NOTICE, authority=authority)

    found = read_document(np.ascontiguousarray(np.rot90(page, -turns)), certificates=(authority.certificates,))

    assert found.certified
    assert np.array_equal(found.kept, page)
    [place] = found.places
    assert place.what == SIGNED_CODE
    assert place.box == pytest.approx((160 / 210, 14 / 297, 34 / 210, 34 / 297), abs=0.02)


@pytest.mark.parametrize("turns", [1, 3])
def test_a_notice_lying_on_its_side_is_read_in_print_and_shows_the_words_it_was_read_from(turns):
    page = tax_notice(**NOTICE)

    found = read_document(np.ascontiguousarray(np.rot90(page, -turns)))

    assert found.read["tax_reference_income"] == 23456
    assert np.array_equal(found.kept, page)
    shown = {place.what: place.box for place in found.places}
    assert set(shown) == {"tax_reference_income", "income_year", "notice_reference", "tax_numbers", "declarants"}
    left, top, width, height = shown["tax_reference_income"]
    assert 118 / 297 < top + height / 2 < 125 / 297
    assert 0.2 < left < 0.6
    assert width < 0.2


@pytest.mark.parametrize("turns", range(4))
def test_a_paper_of_no_known_nature_is_read_and_kept_the_way_round_that_reads(turns):
    letter = np.full((420, 1150), 250, np.uint8)
    lines = ("Madame, Monsieur,", "Durand Anne, 8 rue des Tilleuls", "vous prie de noter mon absence")
    for place, line in enumerate(lines):
        cv2.putText(letter, line, (60, 110 + 100 * place), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 20, 3, cv2.LINE_AA)
    came = np.ascontiguousarray(np.rot90(letter, turns))

    found = read_document(came)

    assert found.kind == ""
    assert {"durand", "anne", "tilleuls"} <= set(clues_in(found.text)["words"])
    assert np.array_equal(came if found.kept is None else found.kept, letter)


def test_a_paper_without_print_is_kept_as_it_came():
    drawing = np.full((600, 500), 250, np.uint8)
    cv2.ellipse(drawing, (240, 300), (150, 90), 20, 0, 300, 30, 6)

    assert read_document(drawing).kept is None


@pytest.mark.parametrize("kind", ["birth_certificate", "union_proof"])
def test_lines_of_print_tell_which_side_a_sheet_lies_on(kind):
    page = other_piece(kind=kind, name="Jean Dupré", seed="b")

    assert not lies_on_its_side(page)
    assert lies_on_its_side(np.ascontiguousarray(np.rot90(page)))

"""The print: codes read back, values on their own household's page, faces embedded, honest preflight."""

from __future__ import annotations

import dataclasses
import unicodedata
from io import BytesIO

import numpy
import pikepdf
import pytest
import zxingcpp
from PIL import Image

from campaigns.paper_form import page_code
from campaigns.paper_form.branding import Branding, BrandingError
from campaigns.paper_form.codes import page_code_matrix
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.painter import FormFill, Press, paint
from campaigns.paper_form.proofing import preflight, preflight_branding
from campaigns.paper_form.typography import clean, missing_letters
from campaigns.paper_form.zones import PAGE_WIDTH
from tests.campaigns.paper_form.conftest import made_up_fill, page_images, page_texts, survey

LAYOUT = lay_out(survey("sls"), 2)


def test_every_page_code_reads_back_from_the_rendered_page(branding: Branding) -> None:
    images = page_images(paint(LAYOUT, branding, [made_up_fill(12)]), dpi=200)

    for number, image in enumerate(images, start=1):
        top_right = image[: image.shape[0] // 7, image.shape[1] * 2 // 3 :]
        code = page_code.parse(zxingcpp.read_barcode(top_right).text)
        assert code == page_code.PageCode(case="00000012", page=number, layout=LAYOUT.fingerprint)


def test_page_codes_read_back_upside_down_and_the_portal_code_opens_the_portal(branding: Branding) -> None:
    first, *_ = page_images(paint(LAYOUT, branding, [made_up_fill(12)]), dpi=200)

    told = {each.text for each in zxingcpp.read_barcodes(numpy.ascontiguousarray(first[::-1, ::-1]))}

    assert "https://enquete.example/q/00000012" in told
    assert len(told) == 2


def test_known_values_are_printed_on_the_page_of_their_spot(branding: Branding) -> None:
    fill = made_up_fill(7)

    texts = page_texts(paint(LAYOUT, branding, [fill]))

    for spot in LAYOUT.prefills:
        if value := fill.prefills.get((spot.field, spot.row)):
            assert value in texts[spot.page - 1]
    assert "7 RUE DES LILAS" in texts[0]
    assert "C-00000007" in texts[0]


def test_each_page_holds_its_own_household_only(branding: Branding) -> None:
    fills = [made_up_fill(number) for number in range(100, 130)]

    texts = page_texts(paint(LAYOUT, branding, fills))

    assert len(texts) == len(fills) * LAYOUT.pages
    for place, text in enumerate(texts):
        own = fills[place // LAYOUT.pages].case_reference
        others = {fill.case_reference for fill in fills} - {own}
        assert own in text
        assert not any(other in text or f"T{int(other)}" in text for other in others)


def test_nothing_but_the_address_shows_in_the_window(branding: Branding) -> None:
    blank = dataclasses.replace(made_up_fill(7), texts={})

    image = page_images(paint(LAYOUT, branding, [blank]), dpi=100)[0]
    millimetre = image.shape[1] / PAGE_WIDTH
    window = image[int(52 * millimetre) : int(91 * millimetre), int(107 * millimetre) : int(198 * millimetre)]

    assert window.min() == 255


def test_every_face_is_embedded_and_no_stream_is_ascii(branding: Branding) -> None:
    data = paint(LAYOUT, branding, [made_up_fill(7)])

    assert b"ASCII85" not in data
    with pikepdf.open(BytesIO(data)) as pdf:
        fonts = [each for each in pdf.objects if isinstance(each, pikepdf.Dictionary) and each.get("/Type") == "/Font"]
        assert fonts
        assert all("/FontFile2" in font["/FontDescriptor"] for font in fonts)
        assert pdf.check_pdf_syntax() == []


def test_the_same_forms_give_the_same_bytes(branding: Branding) -> None:
    assert paint(LAYOUT, branding, [made_up_fill(7)]) == paint(LAYOUT, branding, [made_up_fill(7)])


def test_one_file_takes_households_of_several_sizes(branding: Branding) -> None:
    stream = BytesIO()
    larger = lay_out(survey("sls"), 8)
    press = Press(stream, branding)

    firsts = [press.print(layout, made_up_fill(number)) for number, layout in enumerate((LAYOUT, larger, LAYOUT))]
    press.close()

    assert firsts == [1, 1 + LAYOUT.pages, 1 + LAYOUT.pages + larger.pages]
    assert len(page_texts(stream.getvalue())) == press.pages


def test_a_rehearsal_is_marked_on_every_page_and_still_reads(branding: Branding) -> None:
    marked = dataclasses.replace(branding, rehearsal=True)

    data = paint(LAYOUT, marked, [made_up_fill(7)])

    assert all("SPÉCIMEN" in text for text in page_texts(data))
    assert all(zxingcpp.read_barcodes(image) for image in page_images(data))
    assert not any("SPÉCIMEN" in text for text in page_texts(paint(LAYOUT, branding, [made_up_fill(7)])))


def test_names_of_many_alphabets_print_without_a_report(branding: Branding) -> None:
    names = ["NGUYỄN THỊ ÁNH TUYẾT", "ŁUKASZEWICZ-WIŚNIEWSKA", "GÜNEŞ İREM", "Παπαδόπουλος", "Шевченко Їжак", "ƁALDE Ɗ"]
    for name in names:
        fill = dataclasses.replace(made_up_fill(7), prefills={("occupant.last_name", 1): name})

        assert preflight(LAYOUT, fill) == []
        assert name in page_texts(paint(LAYOUT, branding, [fill]))[1]


ARABIC = {  # as it is spelt, as it is printed from left to right
    "محمد": "ﺪﻤﺤﻣ",
    "MARTIN محمد": "MARTIN ﺪﻤﺤﻣ",
    "پرویز": "ﺰﯾﻭﺮﭘ",
    "فاطمة 2": "2 ﺔﻤﻃﺎﻓ",
}


@pytest.mark.parametrize(("name", "printed"), ARABIC.items())
def test_an_arabic_name_is_printed_joined_and_from_right_to_left(name: str, printed: str, branding: Branding) -> None:
    fill = dataclasses.replace(made_up_fill(7), prefills={("occupant.last_name", 1): name})

    assert clean(name) == clean(clean(name)) == printed
    assert preflight(LAYOUT, fill) == []


@pytest.mark.parametrize(
    "letters",
    [range(0x41, 0x250), range(0x1E00, 0x1F00), range(0x386, 0x3CF), range(0x400, 0x530), range(0x621, 0x6D4)],
    ids=["Latin", "Latin additional", "Greek", "Cyrillic", "Arabic"],
)
@pytest.mark.parametrize("style", ["regular", "bold", "italic"])
def test_every_letter_of_these_scripts_is_in_a_face(letters: range, style: str) -> None:
    known = (chr(code) for code in letters if unicodedata.category(chr(code)).startswith("L"))

    assert [letter for letter in known if missing_letters(letter, style)] == []


def test_preflight_names_letters_that_no_face_has() -> None:
    fill = dataclasses.replace(made_up_fill(7), prefills={("occupant.last_name", 1): "阮氏"})

    assert any("阮" in told and "occupant.last_name" in told for told in preflight(LAYOUT, fill))


def test_a_name_of_sixty_letters_is_shrunk_or_reported(branding: Branding) -> None:
    ordinary = "Marie-Antoinette Joséphine Charlotte Élisabeth de La Fontaine"[:60]
    widest = "W" * 60
    for name, cut in ((ordinary, False), (widest, True)):
        fill = dataclasses.replace(made_up_fill(7), prefills={("occupant.last_name", 1): name})

        told = preflight(LAYOUT, fill)

        assert any("trop long" in each for each in told) is cut
        assert (name in page_texts(paint(LAYOUT, branding, [fill]))[1]) is not cut


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"case_reference": "abc"}, "référence"),
        ({"portal_url": ""}, "portail"),
        ({"portal_url": "https://enquete.example/" + "x" * 400}, "illisible"),
        ({"portal_url": "https://enquete.example/" + "x" * 9000}, "trop longue"),
        ({"texts": {}}, "adresse est vide"),
        ({"texts": {"@address": ["A"] * 7}}, "7 lignes"),
        ({"texts": {"@address": ["A" * 39]}}, "39 caractères"),
        ({"texts": {"@address": ["A"], "@unknown": "x"}}, "@unknown"),
        ({"texts": {"@address": ["A"], "@occupant_title": ["A", "B", "C"]}}, "3 personnes"),
        ({"prefills": {("occupant.last_name", 9): "DUPONT"}}, "aucune place"),
    ],
)
def test_preflight_says_what_would_be_lost(change: dict[str, object], told: str) -> None:
    fill = dataclasses.replace(made_up_fill(7), **change)

    assert any(told in each for each in preflight(LAYOUT, fill))


def test_the_page_code_table_refuses_another_length() -> None:
    with pytest.raises(ValueError, match="25 caractères"):
        page_code_matrix("F1-TROP-COURT")


def test_a_reference_that_is_no_page_code_stops_the_press(branding: Branding) -> None:
    with pytest.raises(ValueError, match=r"caractères|substring"):
        paint(LAYOUT, branding, [FormFill(case_reference="AB")])


def _png(side: int) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (side, side // 2), "navy").save(stream, "PNG")
    return stream.getvalue()


def test_a_logo_is_printed_once_for_all_pages(branding: Branding) -> None:
    data = paint(LAYOUT, dataclasses.replace(branding, logo=_png(200)), [made_up_fill(1), made_up_fill(2)])

    with pikepdf.open(BytesIO(data)) as pdf:
        streams = [each for each in pdf.objects if isinstance(each, pikepdf.Stream)]
        assert sum(each.get("/Subtype") == "/Image" for each in streams) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"accent": "vert"}, "#rrggbb"),
        ({"accent": "#ffee00"}, "trop claire"),
        ({"logo": b"<svg/>"}, "PNG ou JPEG"),
        ({"logo": b"\x89PNG" + b"0" * 40_000_000}, "2 Mo"),
        ({"logo": _png(4100)}, "4000 pixels"),
    ],
)
def test_a_branding_that_cannot_be_printed_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(BrandingError, match=told):
        Branding(name="Val d’Orme Habitat", **change)


def test_the_landlords_own_texts_are_proofed_too(branding: Branding) -> None:
    wordy = dataclasses.replace(branding, hotline="du lundi au vendredi " * 6, portal_url="https://" + "x" * 90)

    told = preflight_branding(LAYOUT, wordy)

    assert preflight_branding(LAYOUT, branding) == []
    assert any("@brand_hotline" in each for each in told)
    assert any("@portal_url" in each for each in told)

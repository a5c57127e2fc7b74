"""The batch writer: the pages of the plain painter to the pixel, nobody's text on another's page, flat memory."""

from __future__ import annotations

import dataclasses
import subprocess
from io import BytesIO

import numpy
import pikepdf
import pytest
import segno
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from campaigns.paper_form import page_code
from campaigns.paper_form.batch_faces import PARTING, BatchFaces
from campaigns.paper_form.batch_press import BatchPress
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import link_matrix, link_side, page_code_matrix
from campaigns.paper_form.ink import code_bits
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.painter import FormFill, paint
from campaigns.paper_form.pdf_stream import KIDS
from campaigns.paper_form.proofing import preflight
from campaigns.paper_form.typography import faces
from campaigns.paper_form.zones import FormLayout
from tests.campaigns.paper_form.conftest import made_up_fill, page_images, page_texts, survey

LAYOUT = lay_out(survey("sls"), 2)
LARGER = lay_out(survey("sls"), 4)
HARD = "Nom‑très‑très‑très long qui ne tient pas du tout dans sa case, même serré autant que possible"


def batch(branding: Branding, *forms: tuple[FormLayout, FormFill]) -> bytes:
    stream = BytesIO()
    press = BatchPress(stream, branding)
    for layout, fill in forms:
        press.print(layout, fill)
    press.close()
    return stream.getvalue()


def hard_fill() -> FormFill:
    """Names that do not fit, letters of another face, several lines, a title for a row without anybody."""
    told = made_up_fill(8)
    prefills = told.prefills | {
        ("occupant.last_name", 1): HARD,
        ("occupant.first_name", 1): "Ṽ\u0331 \u2190",
        ("occupant.last_name", 2): "O'NEIL\u00a0(née ÉLODIE\\)",
        ("occupant.first_name", 2): "فاطمة الزهراء (MARTIN)",
        ("household.email", 0): "une.adresse.vraiment.longue.pour.sa.case@exemple.invalid",
    }
    return dataclasses.replace(told, prefills=prefills, texts=told.texts | {"@occupant_title": ["Une personne"]})


@pytest.mark.parametrize("fill", [made_up_fill(12), hard_fill()], ids=["usual", "hard"])
@pytest.mark.parametrize("layout", [LAYOUT, LARGER], ids=["two rows", "four rows"])
def test_a_batch_prints_the_pages_of_the_painter(fill: FormFill, layout: FormLayout, branding: Branding) -> None:
    for ours, theirs in zip(
        page_images(batch(branding, (layout, fill)), dpi=100),
        page_images(paint(layout, branding, [fill]), dpi=100),
        strict=True,
    ):
        assert numpy.abs(ours.astype(int) - theirs).max() <= 2


ADDRESSES = (
    ["MME EXEMPLE"],
    [f"LIGNE {number}" for number in range(7)],
    [f"LIGNE {number}" for number in range(9)],
    [
        "MME EXEMPLE",
        "",
        "RÉSIDENCE DU TRÈS LONG NOM QUI NE TIENT PAS SUR UNE LIGNE DE L’ADRESSE, ESCALIER B",
        "37000 TOURS",
    ],
    ["MME E\u0301XEMPLE (NÉE \\ WIŚNIEWSKA)", "2\u00a0RUE\tDES LILAS", "37000\u202fTOURS\u2026"],
)


def test_whatever_the_lines_and_letters_of_an_address_it_is_printed_as_by_the_painter(branding: Branding) -> None:
    fills = [
        dataclasses.replace(
            fill,
            texts={**fill.texts, "@address": lines, "@deadline": "lundi 15\nfévrier 2027", "@access_login": ["A", "B"]},
            prefills={("household.phone", 0): "06\0 00"} if number % 2 else {},
        )
        for number, lines in enumerate(ADDRESSES)
        for fill in [made_up_fill(number)]
    ]
    first_pages = slice(None, None, LAYOUT.pages)
    ours = page_images(batch(branding, *((LAYOUT, fill) for fill in fills)), dpi=70)[first_pages]
    theirs = page_images(paint(LAYOUT, branding, fills), dpi=70)[first_pages]

    for one, other in zip(ours, theirs, strict=True):
        assert numpy.abs(one.astype(int) - other).max() <= 2


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=6))
def test_texts_encoded_together_are_those_of_the_faces_letter_by_letter(texts: list[str]) -> None:
    known = BatchFaces()
    plain = [text for text in texts if known.is_plain(text)]

    told = known.encoded(PARTING.join(plain))

    assert told.split(b"\0") == [known.of(faces("bold")[0]).told(text, 10) for text in plain] or not plain


def test_letters_that_would_be_composed_or_are_of_another_face_are_not_encoded_with_the_others() -> None:
    known = BatchFaces()

    assert known.is_plain("NGUYỄN (O’Connor)\u00a0é")
    for text in ("e\u0301", "\u212b", "字", "a\tb", "a\0b", "…"):
        assert not known.is_plain(text), text
    with pytest.raises(UnicodeEncodeError):
        known.encoded("e\u0301")


def test_a_logo_and_the_mark_of_a_rehearsal_are_printed_too(branding: Branding) -> None:
    logo = BytesIO()
    Image.new("RGBA", (60, 30), (200, 30, 30, 128)).save(logo, "PNG")
    dressed = dataclasses.replace(branding, logo=logo.getvalue(), rehearsal=True)

    ours, *_ = page_images(batch(dressed, (LAYOUT, made_up_fill(3))), dpi=100)
    theirs, *_ = page_images(paint(LAYOUT, dressed, [made_up_fill(3)]), dpi=100)

    assert numpy.abs(ours.astype(int) - theirs).max() <= 2


def test_each_page_holds_its_own_household_only(branding: Branding) -> None:
    fills = [made_up_fill(number) for number in range(100, 140)]

    texts = page_texts(batch(branding, *((LAYOUT, fill) for fill in fills)))

    assert len(texts) == len(fills) * LAYOUT.pages > 2 * KIDS
    for place, text in enumerate(texts):
        own = fills[place // LAYOUT.pages].case_reference
        others = {fill.case_reference for fill in fills} - {own}
        assert own in text
        assert not any(other in text or f"T{int(other)}" in text for other in others)


def test_the_art_holds_nothing_of_any_household(branding: Branding) -> None:
    fills = [made_up_fill(number) for number in range(100, 110)]
    with pikepdf.open(BytesIO(batch(branding, *((LAYOUT, fill) for fill in fills)))) as pdf:
        art = pdf.pages[0].Resources.XObject
        assert len(art) == LAYOUT.pages
        shown = pikepdf.new()
        for _, form in art.items():
            page = shown.add_blank_page(page_size=(596, 842))
            page.Resources = pikepdf.Dictionary(XObject={"/Art": shown.copy_foreign(form)})
            page.Contents = shown.make_stream(b"/Art Do")
        told = BytesIO()
        shown.save(told)

    for text in page_texts(told.getvalue()):
        assert not any(fill.case_reference in text or f"T{int(fill.case_reference)}" in text for fill in fills)


def test_households_of_several_sizes_share_a_file(branding: Branding) -> None:
    data = batch(branding, (LAYOUT, made_up_fill(1)), (LARGER, made_up_fill(2, 4)), (LAYOUT, made_up_fill(3)))

    texts = page_texts(data)

    assert len(texts) == 2 * LAYOUT.pages + LARGER.pages
    assert "00000002" in texts[LAYOUT.pages]
    assert "00000003" in texts[LAYOUT.pages + LARGER.pages]


def test_the_file_is_sound_its_faces_embedded_and_its_bytes_always_the_same(branding: Branding, tmp_path) -> None:
    forms = [(LAYOUT, made_up_fill(number)) for number in range(30)] + [(LAYOUT, hard_fill())]
    data = batch(branding, *forms)
    path = tmp_path / "batch.pdf"
    path.write_bytes(data)

    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]

    assert checked.returncode == 0, checked.stderr
    assert len(fonts) >= 5
    assert all(" yes yes yes " in line for line in fonts), fonts
    assert batch(branding, *forms) == data


def test_two_batches_do_not_bear_the_same_identity(branding: Branding) -> None:
    one, other = (pikepdf.open(BytesIO(batch(branding, (LAYOUT, made_up_fill(number))))) for number in (1, 2))

    assert bytes(one.trailer.ID[0]) != bytes(other.trailer.ID[0])


def test_every_code_reads_back_from_the_batch(branding: Branding) -> None:
    images = page_images(batch(branding, (LAYOUT, made_up_fill(12))), dpi=200)

    for number, image in enumerate(images, start=1):
        told = {each.text for each in zxingcpp.read_barcodes(image)}
        assert str(page_code.PageCode("00000012", number, LAYOUT.fingerprint)) in told
        assert ("https://enquete.example/q/00000012" in told) is (number == 1)


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_an_address_made_of_a_table_is_the_code_of_the_library(address: str) -> None:
    code = segno.make_qr(address.encode(), error="m", mode="byte", mask=2, boost_error=False)
    rows = numpy.packbits(numpy.array([list(row) for row in code.matrix], dtype=bool), axis=1)

    assert link_matrix(address).bits == rows.tobytes()
    assert link_side(address) == link_matrix(address).side


def test_an_address_with_an_accent_is_refused() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        link_matrix("https://enquête.example")
    with pytest.raises(ValueError, match="ASCII"):
        link_side("https://enquête.example")


@given(
    st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=8, max_size=8),
    st.integers(1, 99),
    st.text(alphabet="0123456789ABCDEF", min_size=8, max_size=8),
)
def test_a_page_code_made_of_parts_keeps_its_check(case: str, page: int, layout: str) -> None:
    told = str(page_code.PageCode(case, page, layout))

    assert told[-1] == page_code.check_character(f"{case}-{page:02d}-{layout}")
    code = segno.make_qr(told, error="m", version=2, mode="alphanumeric", mask=2, boost_error=False)
    rows = numpy.packbits(numpy.array([list(row) for row in code.matrix], dtype=bool), axis=1)
    assert page_code_matrix(told).bits == rows.tobytes()


def within_a_pixel(one: numpy.ndarray, other: numpy.ndarray) -> bool:
    """Whether each dark pixel of one page has a dark pixel of the other beside it."""
    return not (one[1:-1, 1:-1] < 128)[~sliding_window_view(other < 160, (3, 3)).any(axis=(2, 3))].any()


def test_letters_of_every_sheet_of_a_face_are_printed_as_the_painter_prints_them(branding: Branding) -> None:
    known = [chr(code) for code in sorted(faces("bold")[0].face.charToGlyph) if code > 0x100 and chr(code).isalpha()]
    lines = ["".join(known[start : start + 12]) for start in range(0, 420, 12)]
    lines.append(f"A{known[0]}({known[400]})b")
    fills = [
        dataclasses.replace(fill, prefills={("occupant.last_name", 1): line})
        for fill, line in zip(map(made_up_fill, range(len(lines))), lines, strict=True)
    ]
    data = batch(branding, *((LAYOUT, fill) for fill in fills))

    with pikepdf.open(BytesIO(data)) as pdf:
        assert sum("Semi" in str(font.BaseFont) for font in pdf.pages[0].Resources.Font.values()) == -(-420 // 128)
    occupants = slice(1, None, LAYOUT.pages)
    texts = page_texts(data)[occupants]
    assert lines[0] in texts[0]
    assert lines[-1] in texts[-1]
    images = (page_images(file, dpi=100)[occupants] for file in (data, paint(LAYOUT, branding, fills)))
    for ours, theirs in zip(*images, strict=True):
        assert within_a_pixel(ours, theirs)
        assert within_a_pixel(theirs, ours)


def test_a_letter_beyond_sixteen_bits_is_printed_too(branding: Branding) -> None:
    beyond = chr(max(faces("bold")[0].face.charToGlyph))
    fill = made_up_fill(5)
    told = dataclasses.replace(fill, prefills=fill.prefills | {("occupant.last_name", 1): f"NOM {beyond}"})

    ours, theirs = (
        page_images(data, dpi=60)[1] for data in (batch(branding, (LAYOUT, told)), paint(LAYOUT, branding, [told]))
    )

    assert ord(beyond) > 0xFFFF
    assert preflight(LAYOUT, told) == preflight(LAYOUT, fill)
    assert numpy.abs(ours.astype(int) - theirs).max() <= 2


def test_a_letter_that_no_face_has_is_told_before_the_print() -> None:
    fill = made_up_fill(5)
    told = dataclasses.replace(fill, prefills=fill.prefills | {("occupant.last_name", 1): "NOM \u5b57"})

    assert any("\u5b57" in problem for problem in preflight(LAYOUT, told))


def test_a_code_whose_bits_would_end_its_image_is_written_in_hexadecimal() -> None:
    assert code_bits(b"aEIb") == b"/F/AHx ID 61454962> EI Q"
    assert code_bits(b"aEbI") == b"ID aEbI\nEI Q"


@pytest.mark.parametrize("reference", ["", "1234567", "123456789", "abcdefgh", "1234 678"])
def test_a_reference_that_a_page_code_cannot_say_is_refused(reference: str, branding: Branding) -> None:
    with pytest.raises(ValueError, match="huit chiffres ou capitales"):
        batch(branding, (LAYOUT, dataclasses.replace(made_up_fill(1), case_reference=reference)))

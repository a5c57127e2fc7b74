"""Accessible copies: tagged, read out in order, the same pages as the press, judged by an independent validator."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy
import pdfua
import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.drawn import DrawnInk
from campaigns.paper_form.drawn_faces import DrawnFaces
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.letters import Access, Letter, Panel, compose, tagged_letter
from campaigns.paper_form.page_code import return_sheet
from campaigns.paper_form.painter import FormFill, align_of, paint, style_of
from campaigns.paper_form.reading_order import Leaf
from campaigns.paper_form.tagged import TaggedForm
from campaigns.paper_form.tagged_spots import ReadySpot
from campaigns.paper_form.typography import clean, faces
from campaigns.paper_form.zones import Box, FormLayout, PrefillSpot
from tests.campaigns.paper_form.conftest import made_up_fill, one_of_each_type, page_images, page_texts, survey

LAYOUT = lay_out(survey("sls_ops"), 4)
LARGE = lay_out(survey("sls_ops"), 2, large=True)
TITLE = "Enquête ressources et occupation 2027"
LETTER = Letter(
    title="Il manque des pièces à votre dossier",
    paragraphs=("Madame, Monsieur,", "Il nous manque ce qui suit."),
    address_lines=("MME EXEMPLE", "37000 TOURS"),
    reference="AB12CD34",
    place_date="Le 5 février 2027",
    items=("Avis d'impôt 2026 de Jean DUPONT", "Votre signature"),
    panels=(Panel("Pièces reçues", ("Un livret de famille",)),),
    access=Access("enquete.example", "https://enquete.example/q/1", "K7QM-42XT", "M4TR-9KWP"),
    law_title="Article L441-9",
    quoted_law=("Premier alinéa.", "Second alinéa."),
    return_code=return_sheet("AB12CD34", 2),
)

lines_to_print = st.text(st.sampled_from("AÉWçil ’-.,:09œŁΩ\u202f"), min_size=1, max_size=40).map(clean)
spots_to_fill = st.builds(
    PrefillSpot,
    st.sampled_from(("occupant.last_name", "@reference_foot")),
    st.just(1),
    st.just(1),
    st.builds(Box, st.floats(10, 100), st.floats(10, 250), st.floats(20, 90), st.floats(4, 9)),
    st.sampled_from((9.0, 10.5, 16.0)),
    st.booleans(),
)


def form(layout: FormLayout, branding: Branding, fill: FormFill) -> bytes:
    return TaggedForm(layout, branding, TITLE).copy(fill)


def logo() -> bytes:
    stream = BytesIO()
    Image.new("RGBA", (120, 40), (200, 30, 30, 128)).save(stream, "PNG")
    return stream.getvalue()


def elements(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Dictionary]:
    """Every structure element, in reading order."""

    def walk(node: pikepdf.Dictionary) -> Iterator[pikepdf.Dictionary]:
        yield node
        for kid in node.get("/K", []):
            if isinstance(kid, pikepdf.Dictionary):
                yield from walk(kid)

    yield from walk(pdf.Root.StructTreeRoot.K[0])


def kinds(data: bytes) -> list[str]:
    with pikepdf.open(BytesIO(data)) as pdf:
        return [str(element.S)[1:] for element in elements(pdf)]


@pytest.mark.parametrize(
    "layout", [LAYOUT, LARGE, lay_out(one_of_each_type(), 3)], ids=["ordinary", "large", "every type"]
)
def test_a_form_is_accepted_by_the_validator(layout: FormLayout, branding: Branding, tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    path.write_bytes(form(layout, branding, made_up_fill(7, 1)))

    assert pdfua.validate(str(path)).findings == ()
    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("dressed", [False, True], ids=["plain", "logo and specimen"])
def test_a_letter_is_accepted_by_the_validator(
    branding: Branding, tmp_path: Path, *, large: bool, dressed: bool
) -> None:
    path = tmp_path / "letter.pdf"
    look = dataclasses.replace(branding, logo=logo(), rehearsal=True) if dressed else branding
    path.write_bytes(tagged_letter(dataclasses.replace(LETTER, large=large), look))

    assert pdfua.validate(str(path)).findings == ()
    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_validator_does_refuse_what_the_press_prints(branding: Branding, tmp_path: Path) -> None:
    path = tmp_path / "untagged.pdf"
    path.write_bytes(paint(LAYOUT, branding, [made_up_fill(7)]))

    assert pdfua.validate(str(path)).findings


@pytest.mark.parametrize("layout", [LAYOUT, LARGE], ids=["ordinary", "large"])
def test_a_copy_is_the_printed_form_to_the_pixel(layout: FormLayout, branding: Branding) -> None:
    look = dataclasses.replace(branding, logo=logo(), rehearsal=True)
    fill = made_up_fill(12, 1)

    for ours, theirs in zip(
        page_images(form(layout, look, fill), dpi=100), page_images(paint(layout, look, [fill]), dpi=100), strict=True
    ):
        assert numpy.mean(numpy.abs(ours.astype(int) - theirs) > 8) < 0.0005


def test_a_copied_letter_is_the_printed_one_to_the_pixel(branding: Branding) -> None:
    for ours, theirs in zip(
        page_images(tagged_letter(LETTER, branding), dpi=200),
        page_images(compose([LETTER], branding).pdf, dpi=200),
        strict=True,
    ):
        assert numpy.mean(numpy.abs(ours.astype(int) - theirs) > 8) < 0.0005


def test_the_file_says_its_language_and_title(branding: Branding) -> None:
    with pikepdf.open(BytesIO(form(LAYOUT, branding, made_up_fill(7)))) as pdf:
        assert pdf.Root.Lang == "fr-FR"
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert str(pdf.docinfo.Title) == TITLE
        with pdf.open_metadata() as told:
            assert told["dc:title"] == TITLE
            assert told["pdfuaid:part"] == "1"


def test_a_form_reads_out_its_title_then_its_sections_its_people_and_a_regular_table(branding: Branding) -> None:
    found = kinds(form(LAYOUT, branding, made_up_fill(7, 3)))

    assert next(kind for kind in found if kind[0] == "H") == "H1"
    assert Counter(found)["H3"] >= LAYOUT.rows
    with pikepdf.open(BytesIO(form(LAYOUT, branding, made_up_fill(7, 3)))) as pdf:
        tables = [element for element in elements(pdf) if element.S == "/Table"]
        assert tables
        for table in tables:
            heads, *rows = table.K
            assert all(head.S == "/TH" and head.A.Scope == "/Column" for head in heads.K)
            assert len(rows) == LAYOUT.rows
            for row in rows:
                assert row.K[0].A.Scope == "/Row"
                assert len(row.K) == len(heads.K)


def test_every_answer_and_code_says_what_it_is(branding: Branding) -> None:
    with pikepdf.open(BytesIO(form(LAYOUT, branding, made_up_fill(7)))) as pdf:
        found = list(elements(pdf))
    answers = [element for element in found if element.S == "/Form"]
    figures = [element for element in found if element.S == "/Figure"]

    assert len(answers) == len(LAYOUT.zones)
    assert all(str(answer.Alt) and answer.A.O == "/PrintField" for answer in answers)
    assert [str(figure.Alt) for figure in figures] == ["Code QR qui ouvre la réponse en ligne"]


def test_what_is_not_known_leaves_no_empty_element(branding: Branding) -> None:
    with pikepdf.open(BytesIO(form(LAYOUT, branding, FormFill("00000001")))) as pdf:
        empty = [str(element.S) for element in elements(pdf) if not list(element.get("/K", []))]

    assert set(empty) <= {"/TH", "/TD"}


def test_each_mark_of_a_page_leads_to_the_element_that_holds_it(branding: Branding) -> None:
    known = made_up_fill(7, 3)
    some = {place: value for place, value in known.prefills.items() if place[1] != 2}

    with pikepdf.open(BytesIO(form(LAYOUT, branding, dataclasses.replace(known, prefills=some)))) as pdf:
        told = list(pdf.Root.StructTreeRoot.ParentTree.Nums)
        for page, row in zip(pdf.pages, told[1::2], strict=True):
            drawn = b"".join(stream.read_bytes() for stream in page.Contents)
            marks = {int(mark) for mark in re.findall(rb"MCID (\d+)", drawn)}
            held = {mark: element for mark, element in enumerate(row) if element is not None}

            assert held.keys() == marks
            assert all(mark in element.K for mark, element in held.items())


@settings(max_examples=40)
@given(line=lines_to_print, spot=spots_to_fill)
def test_a_line_that_fits_as_it_is_takes_the_short_way_to_the_same_operators(line: str, spot: PrefillSpot) -> None:
    leaf = Leaf(spot, 1, 5)
    ink = DrawnInk(Branding(name="B"), DrawnFaces("X"))
    ink.lines(spot.box, (line,), spot.size, style_of(spot), align_of(spot))

    ready = ReadySpot(spot, leaf)

    assert ready.plain(line) in ("", f"/Span <</MCID 5>> BDC\n{ink.taken()}\nEMC")


def test_an_ordinary_line_takes_the_short_way_and_a_foreign_or_long_one_does_not() -> None:
    ready = ReadySpot(PrefillSpot("occupant.last_name", 1, 1, Box(20, 20, 50, 5), 10.0), None)

    assert ready.plain("LEFÈVRE, Œnone")
    assert not ready.plain("ΠΑΠΑΔΟΠΟΥΛΟΣ")
    assert not ready.plain("W" * 60)


def test_a_list_a_quotation_and_a_logo_have_their_elements(branding: Branding) -> None:
    found = Counter(kinds(tagged_letter(LETTER, dataclasses.replace(branding, logo=logo()))))

    assert found["H1"] >= 1
    assert found["LI"] == found["Lbl"] == found["LBody"] >= 3
    assert found["BlockQuote"] == 2
    assert found["Figure"] == 2


def test_the_text_of_a_copy_holds_names_of_every_alphabet(branding: Branding) -> None:
    texts = page_texts(form(LAYOUT, branding, made_up_fill(7, 4)))

    assert "NGUYỄN" in texts[1] + texts[2]
    assert "ΠΑΠΑΔΟΠΟΥΛΟΣ" in texts[1] + texts[2]
    assert "L-00000007" in texts[0]


def test_a_letter_beyond_sixteen_bits_is_shown_and_told(branding: Branding, tmp_path: Path) -> None:
    beyond = chr(max(faces("bold")[1].face.charToGlyph))
    fill = made_up_fill(7)
    told = dataclasses.replace(fill, prefills=fill.prefills | {("occupant.last_name", 1): f"A{beyond}B"})
    path = tmp_path / "beyond.pdf"

    path.write_bytes(form(LAYOUT, branding, told))

    assert ord(beyond) > 0xFFFF
    assert f"A{beyond}B" in page_texts(path.read_bytes())[1]
    assert pdfua.validate(str(path)).findings == ()


def test_copies_hold_their_own_household_only_and_always_the_same_bytes(branding: Branding) -> None:
    ready = TaggedForm(LAYOUT, branding, TITLE)
    first, second = ready.copy(made_up_fill(101)), ready.copy(made_up_fill(202))

    assert not any("00000101" in text or "T101" in text for text in page_texts(second))
    assert ready.copy(made_up_fill(101)) == first


def test_a_layout_stored_before_reading_order_was_told_still_copies(branding: Branding, tmp_path: Path) -> None:
    tables = LAYOUT.as_tables()
    del tables["parts"]
    for kind in ("zones", "texts", "prefills"):
        for told in tables[kind]:
            del told["at"]
    path = tmp_path / "old.pdf"

    old = FormLayout.from_tables(tables)
    path.write_bytes(form(old, branding, made_up_fill(7)))

    assert old.fingerprint == LAYOUT.fingerprint
    assert pdfua.validate(str(path)).findings == ()

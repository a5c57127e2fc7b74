"""Documents read at a desk are tagged: titles, tables and pictures are heard in their order, the rest is not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pdfua
import pikepdf
import pytest
from reportlab.graphics.shapes import Drawing, Rect

from campaigns.paper_form.desk import DeskPaper, write_line
from campaigns.paper_form.desk_tags import Pictured, ReadCanvas
from campaigns.paper_form.look import Look, heading, soft, table, text, tiles

LOOK = Look.of("#1f5d57")
WORDS = "Douze réponses sur vingt"


def bars(words: str) -> Pictured:
    drawing = Drawing(100, 10)
    drawing.add(Rect(0, 0, 60, 10))
    return Pictured(drawing, words)


def cover(canvas: ReadCanvas) -> None:
    canvas.rect(0, 700, 595, 142, fill=1)
    with canvas.read("H1"):
        write_line(canvas, 57, 600, "La couverture", 34, bold=True)


def document() -> bytes:
    rows = [(f"Agence {place}", str(place), bars("")) for place in range(60)]
    story = [
        text("Le titre", "h1", bold=True),
        text("Un paragraphe assez long pour tenir sur plusieurs lignes. " * 4),
        tiles(LOOK, [("12", "réponses", "sur vingt"), ("8", "silences", "")]),
        heading("La partie"),
        bars(WORDS),
        table(("Agence", "Réponses", ""), rows, widths=(3, 1, 2), numbers=(1,)),
        soft("La note."),
    ]
    return DeskPaper("Un document", "Habitat d'essai", LOOK, head="En tête", foot="Au pied").bound(story, cover)


@pytest.fixture(scope="module")
def made() -> bytes:
    return document()


def walk(element: pikepdf.Object) -> Iterator[pikepdf.Object]:
    yield element
    for kid in element.K:
        if isinstance(kid, pikepdf.Dictionary):
            yield from walk(kid)


def kinds(made: bytes) -> list[str]:
    with pikepdf.open(BytesIO(made)) as pdf:
        [top] = pdf.Root.StructTreeRoot.K
        return [str(element.S)[1:] for element in walk(top)]


def test_it_is_accepted_by_the_validator(made: bytes, tmp_path: Path) -> None:
    path = tmp_path / "desk.pdf"
    path.write_bytes(made)

    assert pdfua.validate(str(path)).findings == ()
    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_it_is_heard_in_its_order(made: bytes) -> None:
    heard = kinds(made)

    assert heard[:4] == ["Document", "H1", "H1", "P"]
    assert heard[4:10] == ["P"] * 5 + ["H2"], "the figures of both tiles: value, label, note"
    assert heard[10:13] == ["Figure", "Table", "TR"]
    assert heard[-1] == "P"


def test_each_part_of_a_table_has_its_head_and_all_its_rows_are_told_once(made: bytes) -> None:
    heard = kinds(made)

    tables = heard.count("Table")
    assert tables >= 2, "it goes on over the page"
    assert heard.count("TH") == 3 * tables
    assert heard.count("TR") == 60 + tables
    assert heard.count("TD") == 3 * 60


def test_a_picture_has_its_words_and_one_that_repeats_a_figure_is_silent(made: bytes) -> None:
    with pikepdf.open(BytesIO(made)) as pdf:
        [top] = pdf.Root.StructTreeRoot.K
        [figure] = [element for element in walk(top) if element.S == "/Figure"]
        assert str(figure.Alt) == WORDS


def test_every_mark_of_every_page_leads_to_its_element(made: bytes) -> None:
    with pikepdf.open(BytesIO(made)) as pdf:
        numbers = pdf.Root.StructTreeRoot.ParentTree.Nums
        for place, page in enumerate(pdf.pages):
            operators = [(str(operator), operands) for operands, operator in pikepdf.parse_content_stream(page)]
            marks = [int(operands[1].MCID) for operator, operands in operators if operator == "BDC"]
            opened = sum(operator in ("BMC", "BDC") for operator, _ in operators)
            assert opened == sum(operator == "EMC" for operator, _ in operators)
            assert int(page.StructParents) == int(numbers[2 * place])
            assert marks == list(range(len(numbers[2 * place + 1])))
            assert all(element.Pg.objgen == page.obj.objgen for element in numbers[2 * place + 1])


def test_the_same_content_is_the_same_bytes(made: bytes) -> None:
    assert document() == made

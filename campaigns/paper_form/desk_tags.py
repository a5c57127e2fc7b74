"""What a desk document says to those who hear it: its titles, paragraphs, tables and pictures as a tagged PDF.

ReportLab draws; each thing that is read is marked as it is drawn, all the rest is an artifact; the elements join the
finished file (ISO 32000-1, 14.7 and 14.8; ISO 14289-1).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, cast

import pikepdf
from reportlab.graphics.shapes import Drawing
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, Table

from campaigns.paper_form.tagged_file import metadata

ROLES = {"h1": "H1", "h2": "H2"}  # of a paragraph by the name of its style; any other is a P
ARTIFACT = "/Artifact BMC"


@dataclass(eq=False, slots=True)
class Element:
    """A structure element: its type, what it says of itself, the elements or the marks (page from 0, mark) in it."""

    kind: str
    told: dict[str, Any] = field(default_factory=dict)
    kids: list[Element | tuple[int, int]] = field(default_factory=list)


class ReadCanvas(Canvas):
    """A canvas that keeps the elements of what is drawn while `read` is open; what is drawn outside is an artifact."""

    def __init__(self, *told: Any, **named: Any) -> None:
        super().__init__(*told, **named)
        self.document = Element("Document")
        self._around = [self.document]
        self._marked: list[int] = []  # how many each finished page holds, then the page being drawn
        self._begun = False

    def open_page(self) -> None:
        """Begin a page: nothing is drawn on it before."""
        self.addLiteral(ARTIFACT)
        self._marked.append(0)
        self._begun = True

    def showPage(self) -> None:  # noqa: N802 — ReportLab's name
        """End a page."""
        if self._begun:
            self.addLiteral("EMC")
            self._begun = False
        super().showPage()

    def enter(self, kind: str, **told: Any) -> None:
        """Begin an element: it holds all that is read until `leave`."""
        element = Element(kind, told)
        self._around[-1].kids.append(element)
        self._around.append(element)

    def leave(self) -> None:
        """End the last element begun."""
        self._around.pop()

    @contextmanager
    def read(self, kind: str, **told: Any) -> Iterator[None]:
        """What is drawn inside is read, as an element of that type."""
        mark = self._marked[-1]
        self._marked[-1] += 1
        self._around[-1].kids.append(Element(kind, told, [(len(self._marked) - 1, mark)]))
        self.addLiteral(f"EMC\n/{kind} <</MCID {mark}>> BDC")
        yield
        self.addLiteral(f"EMC\n{ARTIFACT}")


def read_canvas(drawn: Flowable) -> ReadCanvas:
    """The canvas that something is being drawn on."""
    return cast("ReadCanvas", drawn.canv)


class ReadParagraph(Paragraph):
    """A paragraph that is read: a title by its style, else plain text."""

    def draw(self) -> None:
        """Draw it, marked; one without a letter is nothing to read."""
        told = self.getPlainText(identify=True).strip()
        with read_canvas(self).read(ROLES.get(self.style.name, "P")) if told else nullcontext():
            super().draw()


def tell_table(table: Table, step: str, *told: Any) -> None:
    """Tell a table of figures as ReportLab draws it: its rows, the cells of its head, its other cells.

    What of it goes on another page is another table.
    """
    canvas = read_canvas(table)
    if step == "startTable":
        canvas.enter("Table")
    elif step == "startRow":
        canvas.enter("TR")
    elif step == "startCell" and told[0] < table.repeatRows:
        canvas.enter("TH", A=pikepdf.Dictionary(O=pikepdf.Name.Table, Scope=pikepdf.Name.Column))
    elif step == "startCell":
        canvas.enter("TD")
    elif step in ("endCell", "endRow", "endTable"):
        canvas.leave()


class Pictured(Flowable):
    """A drawing with the words that stand for it; without words it says nothing that is not written beside it."""

    def __init__(self, drawing: Drawing, words: str = "") -> None:
        super().__init__()
        self.drawing, self.words = drawing, words
        self.width, self.height = drawing.width, drawing.height

    def wrap(self, *_: float) -> tuple[float, float]:
        """Its size."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw it, as a figure if it has words."""
        left, low = self.canv.absolutePosition(0, 0)
        box = pikepdf.Array([left, low, left + self.width, low + self.height])
        layout = pikepdf.Dictionary(O=pikepdf.Name.Layout, Placement=pikepdf.Name.Block, BBox=box)
        with read_canvas(self).read("Figure", Alt=self.words, A=layout) if self.words else nullcontext():
            self.drawing.drawOn(self.canv, 0, 0)


def tagged(drawn: bytes, document: Element, title: str, author: str) -> bytes:
    """The PDF that was drawn, with its elements; always the same bytes for the same content."""
    with pikepdf.open(BytesIO(drawn)) as pdf:
        held: list[dict[int, pikepdf.Object]] = [{} for _ in pdf.pages]
        root = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.StructTreeRoot))
        root.K = pikepdf.Array([_element(pdf, document, root, held)])
        numbers: list[Any] = []
        for place, (page, marks) in enumerate(zip(pdf.pages, held, strict=True)):
            page.StructParents, page.Tabs = place, pikepdf.Name.S
            numbers += [place, pdf.make_indirect(pikepdf.Array([marks[mark] for mark in range(len(marks))]))]
        root.ParentTree = pdf.make_indirect(pikepdf.Dictionary(Nums=pikepdf.Array(numbers)))
        root.ParentTreeNextKey = len(held)
        pdf.Root.StructTreeRoot = root
        pdf.Root.MarkInfo = pikepdf.Dictionary(Marked=True)
        pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        pdf.Root.Metadata = pdf.make_stream(
            metadata(title, author), Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML
        )
        stream = BytesIO()
        pdf.save(stream, deterministic_id=True)
    return stream.getvalue()


def _element(
    pdf: pikepdf.Pdf, element: Element, parent: pikepdf.Object, held: list[dict[int, pikepdf.Object]]
) -> pikepdf.Object:
    """Write an element and all that is in it; `held` gets, page by page, the element of each mark."""
    told = pdf.make_indirect(pikepdf.Dictionary(S=pikepdf.Name(f"/{element.kind}"), P=parent, **element.told))
    kids = pikepdf.Array()
    for kid in element.kids:
        if isinstance(kid, Element):
            kids.append(_element(pdf, kid, told, held))
        else:
            page, mark = kid
            told.Pg = pdf.pages[page].obj
            held[page][mark] = told
            kids.append(mark)
    told.K = kids
    return told

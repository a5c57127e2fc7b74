"""The frame of documents read at a desk (bilan, production order, acceptance report): bar, head, foot, page numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import cast

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, NextPageTemplate, PageBreak, PageTemplate

from campaigns.paper_form.desk_tags import ReadCanvas, tagged
from campaigns.paper_form.ink import SPECIMEN
from campaigns.paper_form.look import MARGIN, PAGE_HEIGHT, PAGE_WIDTH, SIZES, SOFT, WIDTH, Look, font
from campaigns.paper_form.typography import fit, french

HEAD = PAGE_HEIGHT - 13 * mm
FOOT = 11 * mm
BAR = 2 * mm
LOWEST, HIGHEST = 18 * mm, PAGE_HEIGHT - 20 * mm  # between which the texts flow


@dataclass(frozen=True, slots=True)
class DeskPaper:
    """A document: its title and its author, the line at the head and at the foot of its pages, whether it rehearses."""

    title: str
    author: str
    look: Look
    head: str = ""
    foot: str = ""
    rehearsal: bool = False

    def bound(self, story: Sequence[Flowable], cover: Callable[[ReadCanvas], None] | None = None) -> bytes:
        """The document as a tagged PDF, always the same bytes for the same content; `cover` draws its first page.

        Raises FontsMissingError when the faces are not installed.
        """
        stream = BytesIO()
        document = BaseDocTemplate(
            stream,
            pagesize=A4,
            title=self.title,
            author=self.author,
            lang="fr-FR",
            initialFontName=font("regular"),
            invariant=1,
        )
        frame = Frame(MARGIN, LOWEST, WIDTH, HIGHEST - LOWEST, leftPadding=0, rightPadding=0, topPadding=0)
        before: list[Flowable] = []
        if cover is not None:
            document.addPageTemplates([PageTemplate("cover", [frame], onPage=lambda canvas, _: _apart(cover, canvas))])
            before = [NextPageTemplate("plain"), PageBreak()]
        document.addPageTemplates([PageTemplate("plain", [frame], onPage=self._dress)])
        document.build([*before, *story], canvasmaker=ReadCanvas)
        return tagged(stream.getvalue(), cast("ReadCanvas", document.canv).document, self.title, self.author)

    def _dress(self, canvas: Canvas, document: BaseDocTemplate) -> None:
        _apart(lambda canvas: self._furnish(canvas, document.page), canvas)

    def _furnish(self, canvas: ReadCanvas, page: int) -> None:
        canvas.setFillColor(self.look.accent)
        canvas.rect(0, PAGE_HEIGHT - BAR, PAGE_WIDTH, BAR, stroke=0, fill=1)
        canvas.setFillColor(SOFT)
        mark = PAGE_WIDTH - MARGIN
        if self.rehearsal:
            canvas.setFont(font("bold", SPECIMEN), SIZES["small"])
            canvas.drawRightString(mark, HEAD, SPECIMEN)
            mark -= canvas.stringWidth(SPECIMEN, font("bold", SPECIMEN), SIZES["small"]) + 4 * mm
        write_line(canvas, MARGIN, HEAD, self.head, SIZES["small"], until=mark)
        write_line(canvas, MARGIN, FOOT, self.foot, SIZES["small"], until=PAGE_WIDTH - MARGIN - 20 * mm)
        canvas.setFont(font("regular"), SIZES["small"])
        canvas.drawRightString(PAGE_WIDTH - MARGIN, FOOT, f"page {page}")


def write_line(
    canvas: ReadCanvas, x: float, y: float, words: str, size: float, *, bold: bool = False, until: float = 0.0
) -> None:
    """A line from x, in points, that ends before `until`, else before the margin: a long name is set smaller."""
    style = "bold" if bold else "regular"
    fitted = fit(french(words), ((until or PAGE_WIDTH - MARGIN) - x) / mm, size, style)
    canvas.setFont(font(style, fitted.text), fitted.size)
    canvas.drawString(x, y, fitted.text)


def _apart(draw: Callable[[ReadCanvas], None], canvas: Canvas) -> None:
    """Draw what a page begins with, without leaving a colour or a face to what follows."""
    page = cast("ReadCanvas", canvas)
    page.open_page()
    page.saveState()
    draw(page)
    page.restoreState()

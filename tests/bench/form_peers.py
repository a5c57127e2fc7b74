"""The same forms made by others: what the batch writer is held against.

Each takes the layout and its households, and makes one file or one file each, in memory.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

import typst
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Table

from campaigns.paper_form.codes import Matrix, link_matrix, page_code_matrix
from campaigns.paper_form.ink import inside_quiet_zone
from campaigns.paper_form.page_code import PageCode
from campaigns.paper_form.painter import FormFill, lines_of, own_spots, paint, paint_art
from campaigns.paper_form.typography import FONTS, face_for
from campaigns.paper_form.zones import Box, FormLayout
from tests.bench.made_up_forms import BRANDING


def reportlab_at_its_best(layout: FormLayout, fills: Sequence[FormFill]) -> None:
    """ReportLab in C, one file: the art stored once, codes from the table, as one-bit masks."""
    paint(layout, BRANDING, fills)


def reportlab_canvas(layout: FormLayout, fills: Sequence[FormFill]) -> None:
    """ReportLab, one file a household: everything drawn again each time."""
    for fill in fills:
        paint(layout, BRANDING, [fill])


def platypus(layout: FormLayout, fills: Sequence[FormFill]) -> None:
    """ReportLab as its guide teaches it: paragraphs, tables and its own QR codes, one file a household."""
    for fill in fills:
        story: list[Flowable] = []
        for page in range(1, layout.pages + 1):
            story += _flowables(layout, fill, page)
        SimpleDocTemplate(BytesIO(), title="Questionnaire").build(story)


def _flowables(layout: FormLayout, fill: FormFill, page: int) -> list[Flowable]:
    told: list[Flowable] = [_qr(str(PageCode(fill.case_reference, page, layout.fingerprint)), 16 * mm)]
    told += [_paragraph(text.text, text.size, text.style) for text in layout.texts if text.page == page]
    for zone in layout.on_page(page):
        cells = zone.cells or 1
        grid = [("GRID", (0, 0), (-1, -1), 0.6, "grey")]
        told.append(Table([[""] * cells], [zone.box.w * mm / cells] * cells, [zone.box.h * mm], style=grid))
    for spot in own_spots(layout, page):
        if spot.field == "@portal_qr":
            told.append(_qr(fill.portal_url, 32 * mm))
        else:
            told += [_paragraph(line, spot.size, "bold" if spot.bold else "regular") for line in lines_of(spot, fill)]
    return [*told, PageBreak()]


def _paragraph(text: str, size: float, style: str) -> Paragraph:
    look = ParagraphStyle("told", fontName=face_for(text, style).fontName, fontSize=size, leading=size * 1.2)
    return Paragraph(escape(text), look)


def _qr(text: str, side: float) -> Drawing:
    widget = QrCodeWidget(text, barLevel="M", barWidth=side, barHeight=side)
    drawing = Drawing(side, side)
    drawing.add(widget)
    return drawing


class TypstShop:
    """Typst, one file: the art as the pages of a PDF, texts and codes placed over it."""

    def __init__(self, layout: FormLayout) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._layout = layout
        root = Path(self._folder.name)
        (root / "art.pdf").write_bytes(paint_art(layout, BRANDING))
        (root / "main.typ").write_text(PROGRAM, encoding="utf-8")

    def __call__(self, layout: FormLayout, fills: Sequence[FormFill]) -> None:
        """Print these households' forms."""
        root = Path(self._folder.name)
        pages = [self._page(fill, page) for fill in fills for page in range(1, layout.pages + 1)]
        (root / "data.json").write_text(json.dumps(pages), encoding="utf-8")
        typst.compile(root / "main.typ", root=root, font_paths=[FONTS], ignore_system_fonts=True)

    def close(self) -> None:
        """Remove its folder."""
        self._folder.cleanup()

    def _page(self, fill: FormFill, page: int) -> dict[str, object]:
        layout = self._layout
        code = str(PageCode(fill.case_reference, page, layout.fingerprint))
        codes, texts = [_placed_code(layout.page_code, page_code_matrix(code))], []
        for spot in own_spots(layout, page):
            if spot.field == "@portal_qr":
                matrix = link_matrix(fill.portal_url)
                codes.append(_placed_code(inside_quiet_zone(spot.box, matrix), matrix))
                continue
            lines = (code,) if spot.field == "@page_code" else lines_of(spot, fill, BRANDING)
            for place, line in enumerate(lines):
                weight = 600 if spot.bold else 400
                texts.append([spot.box.x, spot.box.y + place * spot.size * 0.45, line, spot.size, weight])
        return {"page": page, "codes": codes, "texts": texts}


def _placed_code(box: Box, matrix: Matrix) -> list[object]:
    pitch = -(-matrix.side // 8)
    rows = [matrix.bits[start : start + pitch] for start in range(0, len(matrix.bits), pitch)]
    grey = [255 * (1 - (row[place // 8] >> 7 - place % 8 & 1)) for row in rows for place in range(matrix.side)]
    return [box.x, box.y, box.w, matrix.side, grey]


PROGRAM = """
#set page(width: 210mm, height: 297mm, margin: 0mm)
#set text(font: ("Source Sans 3", "Noto Sans"), lang: "fr")
#for told in json("data.json") {
  place(image("art.pdf", page: told.page, width: 210mm))
  for (x, y, side, modules, grey) in told.codes {
    let look = (encoding: "luma8", width: modules, height: modules)
    place(dx: x * 1mm, dy: y * 1mm, image(bytes(grey), format: look, width: side * 1mm, scaling: "pixelated"))
  }
  for (x, y, words, size, weight) in told.texts {
    place(dx: x * 1mm, dy: y * 1mm, text(size: size * 1pt, weight: weight, words))
  }
  pagebreak(weak: true)
}
"""

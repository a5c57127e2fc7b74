"""How documents read at a desk look (bilan, production order): faces, sizes, texts, tables. In points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Table, TableStyle

from campaigns.paper_form.branding import LEAST_CONTRAST, darkened_to
from campaigns.paper_form.desk_tags import ReadParagraph, tell_table
from campaigns.paper_form.typography import face_for, faces, french

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 20 * mm
WIDTH = PAGE_WIDTH - 2 * MARGIN
INK = HexColor("#22303A")
SOFT = HexColor("#4C5A64")
LINE = HexColor("#DED6C8")
STRONG_LINE = HexColor("#7F7A70")
SUNKEN = HexColor("#F3EEE5")
WARMTH = HexColor("#B4552D")
NARROW = "\u202f"
SIZES = {"body": 10, "small": 8.5, "lead": 12, "h1": 20, "h2": 14, "figure": 26, "cover": 34}


@dataclass(frozen=True)
class Look:
    """The landlord's colour, dark enough to be read on white."""

    accent: Color

    @classmethod
    def of(cls, accent: str) -> Look:
        """The look of the papers of a landlord whose accent is '#rrggbb'."""
        return cls(HexColor(darkened_to(accent, LEAST_CONTRAST)))

    @property
    def tint(self) -> Color:
        """The accent, very pale."""
        return Color(*(1 - 0.1 * (1 - part) for part in self.accent.rgb()))


def font(style: str, text: str = "") -> str:
    """The name of the face of that style that has the letters of `text`."""
    faces(style)
    return str(face_for(text, style).fontName)


def text(
    words: str,
    size: str = "body",
    *,
    bold: bool = False,
    colour: Color = INK,
    right: bool = False,
    before: float = 0,
    after: float = 2,
) -> Paragraph:
    """A paragraph; `before` and `after` in millimetres."""
    points = SIZES[size]
    style = ParagraphStyle(
        size,
        fontName=font("bold" if bold else "regular", words),
        fontSize=points,
        leading=points * 1.32,
        textColor=colour,
        spaceBefore=before * mm,
        spaceAfter=after * mm,
    )
    if right:
        style.alignment = TA_RIGHT
    return ReadParagraph(escape(french(words)), style)


def number(count: int) -> str:
    """A count with its thousands set apart."""
    return f"{count:,}".replace(",", NARROW)


def heading(words: str) -> Paragraph:
    """A section's title, never alone at the foot of a page."""
    title = text(words, "h2", bold=True, before=7, after=3)
    title.style.keepWithNext = 1
    return title


def soft(words: str) -> Paragraph:
    """A note under a figure."""
    return text(words, "small", colour=SOFT)


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str | Flowable]],
    *,
    widths: Sequence[float],
    numbers: Sequence[int] = (),
    total: bool = False,
) -> Table:
    """A table over the whole width; `widths` are shares, `numbers` the columns set to the right, `total` a last row."""
    right = set(numbers)
    told: list[list[Any]] = [[text(cell, "small", bold=True, right=i in right, after=0) for i, cell in enumerate(head)]]
    for place, row in enumerate(rows):
        last = total and place == len(rows) - 1
        told.append([_cell(cell, right=i in right, bold=last) for i, cell in enumerate(row)])
    scale = WIDTH / sum(widths)
    sizes = [width * scale for width in widths]
    told_as_drawn: Any = tell_table  # the stub wants a signature for each step
    lines = Table(told, colWidths=sizes, repeatRows=1, hAlign="LEFT", renderCB=told_as_drawn)
    style: list[Any] = [
        ("BACKGROUND", (0, 0), (-1, 0), SUNKEN),
        ("LINEBELOW", (0, 0), (-1, 0), 1, STRONG_LINE),
        ("LINEBELOW", (0, 1), (-1, -1), 0.5, LINE),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 3.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4.5),
    ]
    if total:
        style.append(("LINEABOVE", (0, -1), (-1, -1), 1, STRONG_LINE))
    lines.setStyle(TableStyle(style))
    lines.spaceAfter = 4 * mm
    return lines


def _cell(cell: str | Flowable, *, right: bool, bold: bool) -> Flowable:
    return text(cell, right=right, bold=bold, after=0) if isinstance(cell, str) else cell


def tiles(look: Look, figures: Sequence[tuple[str, str, str]]) -> Table:
    """Big figures side by side: value, label, note."""
    cells = [
        [
            text(value, "figure", bold=True, colour=look.accent, after=0),
            text(label, bold=True, after=0, before=1.5),
            text(note, "small", colour=SOFT, after=0),
        ]
        for value, label, note in figures
    ]
    shown = Table([cells], colWidths=[WIDTH / len(figures)] * len(figures), hAlign="LEFT")
    shown.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, -1), look.tint),
                ("LINEABOVE", (0, 0), (-1, -1), 3, look.accent),
                ("LINEAFTER", (0, 0), (-2, -1), 6, white),
                ("TOPPADDING", (0, 0), (-1, -1), 8),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 10),
                ("LEFTPADDING", (0, 0), (-1, -1), 10),
            ]
        )
    )
    shown.spaceAfter = 5 * mm
    return shown

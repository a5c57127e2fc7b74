"""Prints the forms: static art once per page of a layout, then each household's own values over it.

Nothing personal ever enters the shared art: a page shows its own household's texts and no other's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import Matrix, link_matrix, page_code_matrix
from campaigns.paper_form.ink import Ink, open_canvas
from campaigns.paper_form.page_code import PageCode
from campaigns.paper_form.typography import POINT, Fitted, clean
from campaigns.paper_form.zones import PAGE_HEIGHT, PAGE_WIDTH, Box, FormLayout, PrefillSpot, Zone, ZoneKind

TITLE = "@occupant_title"
NEW_OCCUPANT = "Nouvelle personne, s’il y a lieu"
RIGHT_ALIGNED = frozenset({"@page_code", "@place_date", "@reference_foot"})
SOFT = frozenset({"@page_code", "@reference_foot", "@brand_name"})


@dataclass(frozen=True)
class FormFill:
    """One household's own texts.

    `texts` goes by '@name': a str, or a list (the lines of '@address', or one '@occupant_title' per occupant row).
    `prefills` goes by (field key, row): the value as people read it. `case_reference` is the eight characters of the
    page code; `portal_url` is what the QR code of the first page opens.
    """

    case_reference: str
    texts: Mapping[str, str | list[str]] = field(default_factory=dict)
    prefills: Mapping[tuple[str, int], str] = field(default_factory=dict)
    portal_url: str = ""


def paint(layout: FormLayout, branding: Branding, people: Iterable[FormFill]) -> bytes:
    """The forms of `people`, one after another, in one PDF. Keep to a few hundred: ReportLab holds them in memory."""
    stream = BytesIO()
    press = Press(stream, branding)
    for fill in people:
        press.print(layout, fill)
    press.close()
    return stream.getvalue()


def paint_art(layout: FormLayout, branding: Branding) -> bytes:
    """What is the same for every household, alone: one PDF page per page of the layout."""
    stream = BytesIO()
    ink = Ink(open_canvas(stream, layout.questionnaire), branding)
    for page in range(1, layout.pages + 1):
        draw_art(ink, layout, page)
        ink.canvas.showPage()
    ink.canvas.save()
    return stream.getvalue()


class Press:
    """A PDF being printed. Households may have different layouts; each layout's art is stored once."""

    def __init__(self, stream: IO[bytes], branding: Branding, title: str = "Questionnaire") -> None:
        self.canvas = open_canvas(stream, title)
        self.ink = Ink(self.canvas, branding)
        self.branding = branding
        self._spots: dict[str, list[PrefillSpot]] = {}
        self.pages = 0

    def print(self, layout: FormLayout, fill: FormFill, only: Collection[int] | None = None) -> int:
        """Print one form, or `only` those of its pages; returns its first page in the file, counted from 1."""
        first = self.pages + 1
        for page in range(1, layout.pages + 1):
            if only is not None and page not in only:
                continue
            art = _art_name(layout, page)
            if art not in self._spots:
                self._prepare(layout, page, art)
            self.canvas.doForm(art)
            self._print_page(layout, fill, page, self._spots[art])
            self.canvas.showPage()
            self.pages += 1
        return first

    def close(self) -> None:
        """Finish the file. A file without a page gets none of its bytes."""
        if self.pages:
            self.canvas.save()

    def announce(self, title: str) -> None:
        """Name what begins on the next page, in the reader's table of contents."""
        self.canvas.bookmarkPage(f"p{self.pages + 1}")
        self.canvas.addOutlineEntry(title, f"p{self.pages + 1}")

    def _prepare(self, layout: FormLayout, page: int, art: str) -> None:
        """Store the art of a page and sort out the spots that hold a household's own texts."""
        self._spots[art] = own_spots(layout, page)
        self.canvas.beginForm(art, 0, 0, PAGE_WIDTH * POINT, PAGE_HEIGHT * POINT)
        draw_art(self.ink, layout, page)
        self.canvas.endForm()

    def _print_page(self, layout: FormLayout, fill: FormFill, page: int, spots: list[PrefillSpot]) -> None:
        code = str(PageCode(case=fill.case_reference, page=page, layout=layout.fingerprint))
        self.ink.code(layout.page_code, page_code_matrix(code))
        self.ink.fill_tone("ink")
        with self.ink.writing():
            for spot in spots:
                if spot.field == "@portal_qr":
                    continue
                lines = (code,) if spot.field == "@page_code" else lines_of(spot, fill, self.branding)
                if lines:
                    self.ink.lines(spot.box, lines, spot.size, style_of(spot), align_of(spot))
        for spot in spots:
            if spot.field == "@portal_qr" and fill.portal_url:
                draw_code(self.ink, spot, link_matrix(fill.portal_url))


def own_spots(layout: FormLayout, page: int) -> list[PrefillSpot]:
    """The spots of a page that hold a household's own texts."""
    return [spot for spot in layout.prefills if spot.page == page and not spot.field.startswith("@brand_")]


def draw_code(ink: Ink, spot: PrefillSpot, matrix: Matrix) -> None:
    """A code in its spot: that of a page stands in its own margin, all others have theirs inside."""
    if spot.field == "@return_code":
        ink.code(spot.box, matrix)
    else:
        ink.code_with_quiet(spot.box, matrix)


def align_of(spot: PrefillSpot) -> str:
    """On which side a spot's lines are set."""
    return "right" if spot.field in RIGHT_ALIGNED else "left"


def style_of(spot: PrefillSpot) -> str:
    """The style of the face a spot is printed in."""
    return "bold" if spot.bold else "regular"


def lines_of(spot: PrefillSpot, fill: FormFill, branding: Branding | None = None) -> tuple[str, ...]:
    """What is printed in `spot` for this household, line by line; empty when nothing is known."""
    return as_lines(told_in(spot, fill, branding))


def as_lines(told: str | Sequence[str]) -> tuple[str, ...]:
    """A text as it was given, line by line as it is printed."""
    lines = told.split("\n") if isinstance(told, str) else told
    return tuple(clean(line) for line in lines if line)


def told_in(spot: PrefillSpot, fill: FormFill, branding: Branding | None = None) -> str | Sequence[str]:
    """The text of `spot` for this household as it was given: one text, or lines; empty when nothing is known."""
    if not spot.field.startswith("@"):
        return fill.prefills.get((spot.field, spot.row), "")
    if spot.field == TITLE:
        titles = fill.texts.get(TITLE, [])
        return titles[spot.row - 1] if spot.row <= len(titles) else NEW_OCCUPANT
    return own_texts(fill, branding).get(spot.field, "")


def own_texts(fill: FormFill, branding: Branding | None = None) -> dict[str, str | tuple[str, ...]]:
    """The texts of this household by name, with those that go without saying; lines as a tuple."""
    reference = fill.case_reference
    texts: dict[str, str | tuple[str, ...]] = {"@reference": reference, "@reference_foot": f"Dossier {reference}"}
    if branding is not None:
        texts["@portal_url"] = branding.portal_url.removeprefix("https://").rstrip("/")
    for name, told in fill.texts.items():
        if told:
            texts[name] = told if isinstance(told, str) else tuple(told)
    return texts


def _art_name(layout: FormLayout, page: int) -> str:
    return f"art{layout.fingerprint}p{page}"


def draw_art(ink: Ink, layout: FormLayout, page: int) -> None:
    """All that is the same for every household on one page."""
    for shape in layout.shapes:
        if shape.page == page:
            ink.shape(shape)
    for zone in layout.on_page(page):
        draw_zone(ink, zone)
    for text in layout.texts:
        if text.page == page:
            ink.fill_tone(text.tone)
            ink.text(text.x, text.y, Fitted(text.text, text.size), text.style, text.align)
    for spot in layout.prefills:
        if spot.page == page and spot.field.startswith("@brand_"):
            draw_brand(ink, spot)
    ink.fill_tone("ink")
    for mark in layout.marks:
        ink.rectangle(mark, fill="ink")
    if ink.branding.rehearsal:
        ink.specimen()


def draw_brand(ink: Ink, spot: PrefillSpot) -> None:
    if spot.field == "@brand_logo":
        ink.logo(spot.box)
        return
    told = ink.branding.told(spot.field)
    lines = (told,) if isinstance(told, str) else told
    if any(lines):
        ink.fill_tone("soft" if spot.field in SOFT else "ink")
        ink.lines(spot.box, lines, spot.size, style_of(spot))


def draw_zone(ink: Ink, zone: Zone) -> None:
    """The lines that a hand fills: light, so that the reader tells them from ink."""
    box = zone.box
    if zone.kind is ZoneKind.BOX:
        ink.stroke_tone("soft")
        ink.rectangle(box, 0.4, stroke=0.7, fill="paper")
    elif zone.kind in (ZoneKind.COMB, ZoneKind.LETTERS):
        ink.stroke_tone("line")
        ink.rectangle(box, 0.6, stroke=0.6, fill="paper")
        for cell in range(1, zone.cells):
            ink.rule(Box(box.x + cell * box.w / zone.cells, box.y, 0, box.h), 0.4)
    elif zone.kind is ZoneKind.SIGNATURE:
        ink.stroke_tone("line")
        ink.rectangle(box, 1.2, stroke=0.6, fill="paper")
    else:
        ink.stroke_tone("line")
        ink.rule(Box(box.x, box.bottom, box.w, 0), 0.6)

"""Ordinary letters: reminder, request for missing pieces, formal notice, receipt, answer to a late reply.

Pure. Several letters make one file for the press, each padded to whole sheets; one letter makes a tagged copy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import Matrix, link_matrix, page_code_matrix
from campaigns.paper_form.ink import Ink, open_canvas
from campaigns.paper_form.letter_layout import Access, Letter, Panel, lay_out_letter
from campaigns.paper_form.painter import FormFill, align_of, draw_art, draw_code, lines_of, own_spots, style_of
from campaigns.paper_form.proofing import preflight_texts
from campaigns.paper_form.tagged import TaggedPaper
from campaigns.paper_form.tagged_spots import Told
from campaigns.paper_form.zones import FormLayout, PrefillSpot

__all__ = [
    "Access",
    "Letter",
    "LetterFile",
    "Panel",
    "compose",
    "letter_layout",
    "preflight_letter",
    "print_letter",
    "tagged_letter",
]


@dataclass(frozen=True, slots=True)
class LetterFile:
    """A PDF of several letters, and how many pages each envelope takes."""

    pdf: bytes
    pages: tuple[int, ...]


def compose(letters: Iterable[Letter], branding: Branding) -> LetterFile:
    """The letters one after another, each an even number of pages. Raises ValueError when there is none."""
    stream = BytesIO()
    ink = Ink(open_canvas(stream, "Courriers"), branding)
    pages = tuple(print_letter(letter, ink) for letter in letters)
    if not pages:
        message = "Aucun courrier à composer."
        raise ValueError(message)
    ink.canvas.save()
    return LetterFile(pdf=stream.getvalue(), pages=pages)


def tagged_letter(letter: Letter, branding: Branding) -> bytes:
    """The letter as an accessible PDF (built to PDF/UA-1), to be downloaded or sent by e-mail."""
    layout = letter_layout(letter, branding)
    fill = _fill(letter)
    return TaggedPaper(layout, branding, letter.title).copy(lambda spot: _told(spot, letter, fill, branding))


def letter_layout(letter: Letter, branding: Branding) -> FormLayout:
    """Where everything of the letter stands, for that landlord."""
    return lay_out_letter(letter, signatory=branding.signatory, hotline=bool(branding.hotline))


def preflight_letter(letter: Letter, branding: Branding | None = None) -> list[str]:
    """What of this letter would not print as it is, in French; empty when all is well.

    Its layout is checked like that of a form: printable zone, overlaps, window of the envelope, quiet zones.
    """
    branding = branding or Branding(name="")
    return preflight_texts(letter_layout(letter, branding), _fill(letter), branding)


def _fill(letter: Letter) -> FormFill:
    access = letter.access
    texts: dict[str, str | list[str]] = {
        "@address": list(letter.address_lines),
        "@place_date": letter.place_date,
        "@deadline": letter.deadline,
    }
    if access is not None:
        texts |= {"@portal_url": access.url, "@access_login": access.login, "@access_code": access.code}
    return FormFill(letter.reference, texts, portal_url=access.qr_url if access else "")


def _told(spot: PrefillSpot, letter: Letter, fill: FormFill, branding: Branding) -> Told:
    """What a spot of the letter holds: lines, or a code."""
    if spot.field == "@portal_qr":
        return link_matrix(fill.portal_url)
    if spot.field == "@return_code":
        return page_code_matrix(str(letter.return_code))
    if spot.field == "@page_code":
        return (str(letter.return_code),)
    return lines_of(spot, fill, branding)


def print_letter(letter: Letter, ink: Ink) -> int:
    """Print a letter on the pages that follow; returns how many it takes, an even number."""
    layout, fill = letter_layout(letter, ink.branding), _fill(letter)
    for page in range(1, layout.pages + 1):
        draw_art(ink, layout, page)
        for spot in own_spots(layout, page):
            told = _told(spot, letter, fill, ink.branding)
            if isinstance(told, Matrix):
                draw_code(ink, spot, told)
            elif told:
                ink.fill_tone("ink")
                ink.lines(spot.box, told, spot.size, style_of(spot), align_of(spot))
        ink.canvas.showPage()
    return layout.pages

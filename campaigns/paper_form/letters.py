"""Ordinary letters: reminder, request for missing pieces, formal notice, receipt. Same window, same look as the form.

Pure. A letter is a few texts; its pages are computed, padded to whole sheets, and several letters make one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import page_code_matrix, qr_matrix
from campaigns.paper_form.flow import CODE_QUIET, HEAD_TOP, LEFT, MARKS, PAGE_CODE, RIGHT, WIDTH, Block, Flow
from campaigns.paper_form.front import ADDRESS, ADDRESS_LINES, LOGO, REFERENCES, SENDER
from campaigns.paper_form.ink import Ink, open_canvas
from campaigns.paper_form.page_code import PageCode
from campaigns.paper_form.typography import Fitted, clean, fit, missing_letters
from campaigns.paper_form.zones import PAGE_WIDTH, Box, Shape

BODY_SIZE = 12.0
BODY_STEP = 5.5
QUOTE_SIZE = 10.5
QUOTE_STEP = 4.8
PARAGRAPH_GAP = 2.8
BULLET = 5.0
TITLE_TOP = 104.0
FOOT = 285.6
QR_SIDE = 30.0
RETURN_TITLE = "Feuille de retour"
RETURN_TEXT = (
    "Placez cette feuille au-dessus des documents demandés, dans la même enveloppe. "
    "Le code imprimé en haut à droite nous permet de les ajouter aussitôt à votre dossier."
)


RETURN_REST = "La suite de la liste figure dans notre courrier."
TALLEST_PANEL = 130.0  # a panel of items is closed beyond this height


@dataclass(frozen=True, slots=True)
class Access:
    """How to answer on line: the printed address, what the QR code opens, the identifier and the code."""

    url: str
    qr_url: str
    login: str
    code: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter. `items` is a list to tick off (what is missing), `quoted_law` paragraphs reproduced in full.

    With `return_code`, a last sheet carries that page code, so that what comes back finds its case.
    """

    title: str
    paragraphs: tuple[str, ...]
    address_lines: tuple[str, ...]
    reference: str
    place_date: str
    items_title: str = ""
    items: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    deadline: str = ""
    access: Access | None = None
    law_title: str = ""
    quoted_law: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    return_code: PageCode | None = None


@dataclass(frozen=True, slots=True)
class LetterFile:
    """A PDF of several letters, and how many pages each envelope takes."""

    pdf: bytes
    pages: tuple[int, ...]


def compose(letters: Iterable[Letter], branding: Branding) -> LetterFile:
    """The letters one after another, each an even number of pages. Raises ValueError when there is none."""
    stream = BytesIO()
    ink = Ink(open_canvas(stream, "Courriers"), branding)
    pages = tuple(_print(letter, ink) for letter in letters)
    if not pages:
        message = "Aucun courrier à composer."
        raise ValueError(message)
    ink.canvas.save()
    return LetterFile(pdf=stream.getvalue(), pages=pages)


def preflight_letter(letter: Letter) -> list[str]:
    """What of this letter would not print as it is, in French; empty when all is well."""
    found = []
    if not letter.address_lines:
        found.append("L'adresse est vide.")
    if len(letter.address_lines) > ADDRESS_LINES:
        found.append(f"L'adresse a {len(letter.address_lines)} lignes ; {ADDRESS_LINES} au plus.")
    for line in letter.address_lines:
        if fit(line, ADDRESS.w, 10.5).cut:
            found.append(f"Une ligne d'adresse de {len(line)} caractères serait coupée.")
    for text in (letter.title, *letter.address_lines, *letter.paragraphs, *letter.items, *letter.quoted_law):
        if missing := missing_letters(text):
            found.append(f"La police n'a pas les caractères {' '.join(missing)}.")
    return list(dict.fromkeys(found))


def _print(letter: Letter, ink: Ink) -> int:
    flow = _flow(letter, ink.branding)
    used = flow.page
    total = used + (letter.return_code is not None)
    for page in range(1, total + total % 2 + 1):
        _draw_page(ink, [block for block in flow.placed if block.page == page])
        if page == 1:
            _draw_head(ink, letter)
        if letter.return_code is not None and page == total:
            _draw_return_sheet(ink, letter, letter.return_code)
        if page <= total:
            _draw_foot(ink, letter, page, total)
        ink.canvas.showPage()
    return total + total % 2


def _flow(letter: Letter, branding: Branding) -> Flow:
    """The body of the letter, paragraph by paragraph over its pages."""
    flow = Flow()
    flow.y = TITLE_TOP
    flow.place(_title(letter.title), 3.0)
    for text in letter.paragraphs:
        flow.place(_paragraph(text), PARAGRAPH_GAP)
    for panel in _items(letter.items_title, letter.items):
        flow.place(panel, PARAGRAPH_GAP + 1)
    for text in letter.closing:
        flow.place(_paragraph(text), PARAGRAPH_GAP)
    if letter.access is not None:
        flow.place(_access(letter.access), PARAGRAPH_GAP + 2)
    if branding.signatory:
        flow.place(_signatory(branding.signatory), PARAGRAPH_GAP + 2)
    law = _quoted(letter.law_title, letter.quoted_law)
    if law and not flow.room_for(*law[:2]):  # its title never stays alone at the foot of a page
        flow.turn()
    for block in law:
        flow.place(block)
    if letter.attachments:
        flow.y += PARAGRAPH_GAP
        flow.place(_attachments(letter.attachments))
    return flow


def _title(title: str) -> Block:
    block = Block(height=10.0)
    block.draw("band", Box(LEFT, 0.6, 1.8, 8.0), "accent")
    block.write(LEFT + 5, 7.0, title, size=19, style="bold", tone="accent", room=WIDTH - 5)
    return block


def _paragraph(text: str) -> Block:
    block = Block()
    block.height = block.paragraph(LEFT, 0, text, WIDTH, size=BODY_SIZE, step=BODY_STEP)
    return block


def _items(title: str, items: Sequence[str]) -> list[Block]:
    """Tinted lists of exactly what is asked for: one panel, or several when it is long."""
    panels: list[Block] = []
    for item in items:
        if not panels or panels[-1].height > TALLEST_PANEL:
            panels.append(Block(right=RIGHT, height=4.0))
            if title and len(panels) == 1:
                _item_line(panels[0], LEFT + 5, title, "bold")
        panels[-1].write(LEFT + 6, panels[-1].height + 4.2, "•", size=BODY_SIZE, style="bold", tone="accent")
        _item_line(panels[-1], LEFT + 6 + BULLET, item)
    for panel in panels:
        panel.height += 2.8
        panel.shapes.insert(0, Shape(1, "panel", Box(LEFT, 0, WIDTH, panel.height), "tint", 1.2))
    return panels


def _item_line(panel: Block, x: float, text: str, style: str = "regular") -> None:
    room = RIGHT - 6 - x
    panel.height = panel.paragraph(x, panel.height, text, room, size=BODY_SIZE, style=style, step=BODY_STEP) + 1.3


def _access(access: Access) -> Block:
    block = Block(right=RIGHT, height=QR_SIDE + 6)
    block.draw("panel", Box(LEFT, 0, WIDTH, block.height), "tint", 1.2)
    block.draw("panel", Box(LEFT + 4, 3, QR_SIDE, QR_SIDE), "paper", 1.2)
    block.spot(f"@qr {access.qr_url}", 0, Box(LEFT + 4, 3, QR_SIDE, QR_SIDE))
    x = LEFT + QR_SIDE + 10
    block.write(x, 9.0, "Répondez en ligne", size=14, style="bold", tone="accent")
    block.write(x, 15.5, access.url, size=11, room=RIGHT - x - 4)
    for place, (label, told) in enumerate((("Votre identifiant", access.login), ("Votre code d'accès", access.code))):
        block.write(x + place * 62, 22.0, label, size=9, tone="soft")
        block.write(x + place * 62, 28.5, told, size=14, style="bold")
    return block


def _signatory(signatory: str) -> Block:
    block = Block(height=7.0)
    block.write(RIGHT, 5.0, signatory, size=BODY_SIZE, align="right")
    return block


def _quoted(title: str, paragraphs: Sequence[str]) -> list[Block]:
    """The law, word for word, beside a bar; each paragraph stays whole."""
    blocks = []
    if title and paragraphs:
        head = Block(height=7.5)
        head.write(LEFT, 5.2, title, size=BODY_SIZE, style="bold", tone="accent", room=WIDTH)
        blocks.append(head)
    for text in paragraphs:
        block = Block()
        bottom = block.paragraph(LEFT + 5, 0, text, WIDTH - 5, size=QUOTE_SIZE, style="italic", step=QUOTE_STEP)
        block.height = bottom + 2.4
        block.draw("rule", Box(LEFT + 1, 0, 0, block.height), "accent")
        blocks.append(block)
    return blocks


def _attachments(attachments: Sequence[str]) -> Block:
    block = Block()
    told = f"Pièce jointe : {attachments[0]}" if len(attachments) == 1 else f"Pièces jointes : {', '.join(attachments)}"
    block.height = block.paragraph(LEFT, 0, told, WIDTH, size=10, tone="soft", step=4.4)
    return block


def _draw_page(ink: Ink, blocks: Sequence[Block]) -> None:
    for block in blocks:
        for shape in block.shapes:
            ink.shape(shape)
        for text in block.texts:
            ink.fill_tone(text.tone)
            ink.text(text.x, text.y, Fitted(clean(text.text), text.size), text.style, text.align)
        for spot in block.prefills:
            ink.code_with_quiet(spot.box, qr_matrix(spot.field.removeprefix("@qr ")))
    if ink.branding.rehearsal:
        ink.specimen()


def _draw_head(ink: Ink, letter: Letter) -> None:
    """Logo, sender, references and the address in the window; nothing else stands above the fold."""
    ink.logo(LOGO)
    ink.fill_tone("ink")
    if sender := ink.branding.sender_lines:
        ink.lines(SENDER, sender, 9, "regular")
    if letter.address_lines:
        ink.lines(ADDRESS, tuple(clean(line) for line in letter.address_lines), 10.5, "regular")
    ink.lines(Box(LEFT, 97.0, WIDTH, 5.0), (letter.place_date,), 10, "regular", "right")
    ink.rectangle(REFERENCES, 1.2, fill="tint")
    told = (
        ("Référence de votre dossier", letter.reference, 11),
        ("Votre réponse est attendue avant le", letter.deadline, 13),
        ("Une question ? Appelez-nous", ink.branding.hotline, 10),
    )
    y = REFERENCES.y + 2.2
    for label, value, size in told:
        if value:
            _draw_reference(ink, y, label, value, size)
            y += 10.0


def _draw_reference(ink: Ink, y: float, label: str, value: str, size: float) -> None:
    x, room = REFERENCES.x + 4, REFERENCES.w - 8
    ink.fill_tone("soft")
    ink.text(x, y + 2.7, Fitted(label.replace(" ?", "\u202f?"), 8.5))
    ink.fill_tone("ink")
    ink.lines(Box(x, y + 3.4, room, 5.4), (value,), size, "bold")


def _draw_return_sheet(ink: Ink, letter: Letter, code: PageCode) -> None:
    """A sheet that the scanner knows: corner squares and page code, and what it is for."""
    ink.fill_tone("ink")
    for mark in MARKS:
        ink.rectangle(mark, fill="ink")
    ink.code(PAGE_CODE, page_code_matrix(str(code)))
    twin = Box(RIGHT - 40, PAGE_CODE.bottom + CODE_QUIET + 0.2, 40, 3.4)
    ink.lines(twin, (str(code),), 7, "regular", "right")
    sheet = Block()
    sheet.add(_title(RETURN_TITLE))
    y = sheet.paragraph(LEFT, 26, RETURN_TEXT, WIDTH, size=BODY_SIZE, step=BODY_STEP) + 5
    if panels := _items(letter.items_title, letter.items):
        sheet.add(panels[0], y)
        y += panels[0].height + 6
        if len(panels) > 1:
            y = sheet.paragraph(LEFT, y, RETURN_REST, WIDTH, size=BODY_SIZE, step=BODY_STEP) + 4
    sheet.write(LEFT, y + 4, f"Dossier {letter.reference}", size=BODY_SIZE, style="bold")
    _draw_page(ink, [sheet.at(1, HEAD_TOP)])
    if ink.branding.return_address:
        ink.fill_tone("ink")
        ink.lines(Box(LEFT, HEAD_TOP + y + 10, WIDTH, 30), ink.branding.return_address, 12, "regular")


def _draw_foot(ink: Ink, letter: Letter, page: int, pages: int) -> None:
    ink.fill_tone("soft")
    name = fit(ink.branding.name, 60, 8.5)
    ink.text(LEFT, FOOT, name)
    ink.text(PAGE_WIDTH / 2, FOOT, Fitted(f"{page} / {pages}", 9), "bold", "center")
    ink.text(RIGHT, FOOT, Fitted(f"Dossier {letter.reference}", 8.5), "regular", "right")

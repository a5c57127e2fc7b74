"""Ordinary letters laid out: the same window, look and checks as the form, over as many pages as their texts take.

Pure. A letter's layout asks nothing; its own texts stand in it, but for what the head and the access panel show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from campaigns.paper_form.flow import (
    CODE_QUIET,
    HEAD_TOP,
    LEFT,
    MARKS,
    PAGE_CODE,
    RIGHT,
    TWIN_WIDTH,
    WIDTH,
    Block,
    Flow,
)
from campaigns.paper_form.front import PORTAL_QR, TITLE_TOP, credential, head, title
from campaigns.paper_form.layout import foot
from campaigns.paper_form.page_code import PageCode
from campaigns.paper_form.sizes import Sizes, sizes_of
from campaigns.paper_form.zones import Box, FormLayout, Shape

PARAGRAPH_GAP = 2.8
BULLET = 5.0
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
class Panel:
    """A tinted list under its title."""

    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter. `items` is a list to tick off (what is missing), `quoted_law` paragraphs reproduced in full.

    `panels` are further lists, before `items`. With `return_code`, a last sheet carries that page code, so that what
    comes back finds its case. `large` is the large print.
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
    panels: tuple[Panel, ...] = ()
    large: bool = False


def lay_out_letter(letter: Letter, *, signatory: str = "", hotline: bool = True) -> FormLayout:
    """The letter on its pages, an even number of them; `hotline` says whether the landlord has a number to call."""
    sizes = sizes_of(large=letter.large)
    flow = _flow(letter, signatory, hotline, sizes)
    total = flow.page + (letter.return_code is not None)
    if letter.return_code is not None:
        flow.fix(_return_sheet(letter, sizes), total)
    for page in range(1, total + 1):
        block = Block(right=RIGHT)
        foot(block, page, total, sizes)
        flow.fix(block, page)
    return FormLayout(
        questionnaire="letter",
        rows=0,
        pages=total + total % 2,
        zones=(),
        prefills=tuple(each for block in flow.placed for each in block.prefills),
        texts=tuple(each for block in flow.placed for each in block.texts),
        shapes=tuple(each for block in flow.placed for each in block.shapes),
        marks=(),
        page_code=Box(0, 0, 0, 0),
        parts=tuple(flow.parts),
    )


def _flow(letter: Letter, signatory: str, hotline: bool, sizes: Sizes) -> Flow:
    """The head, then the body of the letter, paragraph by paragraph over its pages."""
    flow = Flow(code=False)
    flow.fix(head(_references(letter, hotline, sizes), sizes), 1)
    flow.y = TITLE_TOP
    flow.place(title(letter.title, sizes), 3.0)
    for text in letter.paragraphs:
        flow.place(_paragraph(text, sizes), PARAGRAPH_GAP)
    for panel in (*letter.panels, Panel(letter.items_title, letter.items)):
        for block in _items(panel, sizes):
            flow.place(block, PARAGRAPH_GAP + 1)
    for text in letter.closing:
        flow.place(_paragraph(text, sizes), PARAGRAPH_GAP)
    if letter.access is not None:
        flow.place(_access(sizes), PARAGRAPH_GAP + 2)
    if signatory:
        flow.place(_signatory(signatory, sizes), PARAGRAPH_GAP + 2)
    law = _quoted(letter.law_title, letter.quoted_law, sizes)
    if law and not flow.room_for(*law[:2]):  # its title never stays alone at the foot of a page
        flow.turn()
    for block in law:
        flow.place(block)
    if letter.attachments:
        flow.y += PARAGRAPH_GAP
        flow.place(_attachments(letter.attachments, sizes))
    return flow


def _references(letter: Letter, hotline: bool, sizes: Sizes) -> list[tuple[str, str, float]]:
    told = [("Référence de votre dossier", "@reference", sizes.reference)]
    if letter.deadline:
        told.append(("Votre réponse est attendue avant le", "@deadline", sizes.deadline))
    if hotline:
        told.append(("Une question ? Appelez-nous", "@brand_hotline", sizes.reference - 1))
    return told


def _paragraph(text: str, sizes: Sizes) -> Block:
    block = Block()
    block.height = block.paragraph(LEFT, 0, text, WIDTH, size=sizes.body, step=sizes.body_step + 0.2)
    return block


def _items(panel: Panel, sizes: Sizes) -> list[Block]:
    """Tinted lists of exactly what is asked for: one panel, or several when it is long."""
    panels: list[Block] = []
    for item in panel.items:
        if not panels or panels[-1].height > TALLEST_PANEL:
            panels.append(Block(right=RIGHT, height=4.0))
            if panel.title and len(panels) == 1:
                _item_line(panels[0], LEFT + 5, panel.title, sizes, head=True)
        bullet = panels[-1].height + sizes.body_step * 0.8
        panels[-1].write(LEFT + 6, bullet, "•", size=sizes.body, style="bold", tone="accent", role="Lbl")
        _item_line(panels[-1], LEFT + 6 + BULLET, item, sizes)
    for block in panels:
        block.height += 2.8
        block.shapes.insert(0, Shape(1, "panel", Box(LEFT, 0, WIDTH, block.height), "tint", 1.2))
    return panels


def _item_line(panel: Block, x: float, text: str, sizes: Sizes, *, head: bool = False) -> None:
    style, role = ("bold", "H2") if head else ("regular", "LBody")
    room, step = RIGHT - 6 - x, sizes.body_step + 0.2
    bottom = panel.paragraph(x, panel.height, text, room, size=sizes.body, style=style, step=step, role=role)
    panel.height = bottom + 1.3


def _access(sizes: Sizes) -> Block:
    block = Block(right=RIGHT, height=PORTAL_QR + 6)
    block.draw("panel", Box(LEFT, 0, WIDTH, block.height), "tint", 1.2)
    code = Box(LEFT + 4, 3, PORTAL_QR, PORTAL_QR)
    block.draw("panel", code, "paper", 1.2)
    x = LEFT + PORTAL_QR + 10
    room = RIGHT - x - 4
    size = sizes.side_title - 1
    block.write(x, 9.5, "Répondez en ligne", size=size, style="bold", tone="accent", role="H2")
    block.spot("@portal_qr", 0, code)
    block.spot("@portal_url", 0, Box(x, 11.6, room, sizes.side * 0.46), sizes.side + 0.5)
    half = room / 2
    told = (("Votre identifiant", "@access_login"), ("Votre code d'accès", "@access_code"))
    for place, (label, name) in enumerate(told):
        credential(block, Box(x + place * half, 20.0, half - 3, 0), label, name, sizes)
    return block


def _signatory(signatory: str, sizes: Sizes) -> Block:
    block = Block(height=7.0)
    block.write(RIGHT, 5.0, signatory, size=sizes.body, align="right")
    return block


def _quoted(title: str, paragraphs: Sequence[str], sizes: Sizes) -> list[Block]:
    """The law, word for word, beside a bar; each paragraph stays whole."""
    blocks = []
    if title and paragraphs:
        head = Block(height=7.5)
        head.write(LEFT, 5.2, title, size=sizes.body, style="bold", tone="accent", room=WIDTH, role="H2")
        blocks.append(head)
    for text in paragraphs:
        block = Block()
        size, step = sizes.quote, sizes.quote_step
        bottom = block.paragraph(LEFT + 5, 0, text, WIDTH - 5, size=size, style="italic", step=step, role="BlockQuote")
        block.height = bottom + 2.4
        block.draw("rule", Box(LEFT + 1, 0, 0, block.height), "accent")
        blocks.append(block)
    return blocks


def _attachments(attachments: Sequence[str], sizes: Sizes) -> Block:
    block = Block()
    told = f"Pièce jointe : {attachments[0]}" if len(attachments) == 1 else f"Pièces jointes : {', '.join(attachments)}"
    block.height = block.paragraph(LEFT, 0, told, WIDTH, size=sizes.intro, tone="soft", step=sizes.intro_step)
    return block


def _return_sheet(letter: Letter, sizes: Sizes) -> Block:
    """A sheet that the scanner knows: corner squares and page code, and what it is for."""
    sheet = Block(right=RIGHT)
    for mark in MARKS:
        sheet.draw("panel", mark, "ink")
    with sheet.part(""):
        sheet.spot("@return_code", 0, PAGE_CODE)
        twin = Box(RIGHT - TWIN_WIDTH, PAGE_CODE.bottom + CODE_QUIET + 0.2, TWIN_WIDTH, 3.4)
        sheet.spot("@page_code", 0, twin, 7)
    sheet.add(title(RETURN_TITLE, replace(sizes, title=19.0)), HEAD_TOP)
    step = sizes.body_step + 0.2
    y = sheet.paragraph(LEFT, HEAD_TOP + 26, RETURN_TEXT, WIDTH, size=sizes.body, step=step) + 5
    if panels := _items(Panel(letter.items_title, letter.items), sizes):
        sheet.add(panels[0], y)
        y += panels[0].height + 6
        if len(panels) > 1:
            y = sheet.paragraph(LEFT, y, RETURN_REST, WIDTH, size=sizes.body, step=step) + 4
    sheet.write(LEFT, y + 5, f"Dossier {letter.reference}", size=sizes.body, style="bold")
    sheet.spot("@brand_return", 0, Box(LEFT, y + 10, WIDTH, 6 * sizes.body * 0.46), sizes.body)
    return sheet

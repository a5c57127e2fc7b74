"""Ordinary letters laid out: the same window, look and checks as the form, over as many pages as their texts take.

Pure. A letter's layout asks nothing; its own texts stand in it, but for what the head and the access panel show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from campaigns.paper_form.flow import (
    HEAD_TOP,
    LEFT,
    MARKS,
    PAGE_CODE,
    RIGHT,
    WIDTH,
    Block,
    Flow,
)
from campaigns.paper_form.front import TITLE_TOP, head, title, wide_access
from campaigns.paper_form.layout import foot
from campaigns.paper_form.page_code import PageCode
from campaigns.paper_form.sizes import Sizes, sizes_of
from campaigns.paper_form.zones import Box, FormLayout, Shape

PARAGRAPH_GAP = 2.8
BULLET = 5.0
ACCESS = "Répondez en ligne", "Votre identifiant", "Votre code d'accès"
OVERLEAF = ", suite au dos"
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
        foot(block, page, total, sizes, OVERLEAF if page % 2 and page < total else "")
        flow.fix(block, page)
    return flow.layout("letter", 0, total + total % 2)


def _flow(letter: Letter, signatory: str, hotline: bool, sizes: Sizes) -> Flow:
    """The head, then the body of the letter, paragraph by paragraph over its pages."""
    flow = Flow(code=False)
    flow.fix(head(_references(letter, hotline, sizes), sizes), 1)
    flow.y = TITLE_TOP
    flow.place(title(letter.title, sizes), 3.0)
    body = [(_paragraph(text, sizes), PARAGRAPH_GAP) for text in letter.paragraphs]
    for panel in (*letter.panels, Panel(letter.items_title, letter.items)):
        body += [(block, PARAGRAPH_GAP + 1) for block in _items(panel, sizes)]
    body += [(_paragraph(text, sizes), PARAGRAPH_GAP) for text in letter.closing]
    end = [wide_access(*ACCESS, sizes)] if letter.access is not None else []
    end += [_signatory(signatory, sizes)] if signatory else []
    for place, (block, gap) in enumerate(body, start=1):
        if place == len(body) and not flow.room_for(block, *end, gap=PARAGRAPH_GAP + 2):
            flow.turn()  # what ends a letter never stands alone on a page
        flow.place(block, gap)
    for block in end:
        flow.place(block, PARAGRAPH_GAP + 2)
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
        sheet.twin()
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

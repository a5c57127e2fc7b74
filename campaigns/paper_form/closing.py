"""What stands after the last question: the pieces to join, where to send them, rights and duties.

Pure. Texts flow in two columns; nothing here is read back, so nothing here looks like a box to tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from campaigns.paper_form.flow import LEFT, RIGHT, WIDTH, Block
from campaigns.paper_form.wording import Wording
from campaigns.paper_form.zones import Box
from campaigns.questionnaire.schema import Document

GUTTER = 8.0
COLUMN = (WIDTH - GUTTER) / 2
GAP = 2.4
TALLEST = 190.0


def pieces(documents: Iterable[Document], wording: Wording) -> list[Block]:
    """The pieces by situation, in one block of two columns, or several when they are many."""
    situations: dict[str, list[Document]] = {}
    for document in documents:
        situations.setdefault(document.situation or wording.everyone, []).append(document)
    return _in_columns([_situation(title, told) for title, told in situations.items()])


def _situation(title: str, documents: Sequence[Document]) -> Block:
    block = Block()
    y = block.paragraph(LEFT, 0, title, COLUMN, size=10, style="bold", tone="accent", step=4.5)
    for document in documents:
        block.write(LEFT, y + 3.4, "•", size=10, tone="accent")
        y = block.paragraph(LEFT + 3.4, y, document.label, COLUMN - 3.4, size=10, step=4.5)
        if document.help:
            y = block.paragraph(LEFT + 3.4, y, document.help, COLUMN - 3.4, size=9, tone="soft", step=3.9)
    block.height = y + GAP
    return block


def _in_columns(items: Sequence[Block]) -> list[Block]:
    """`items` down the left column then the right one, as level as may be; at most `TALLEST` mm in one block."""
    blocks, rest = [], list(items)
    while rest:
        taken = _as_many(rest)
        split = min(range(len(taken) + 1), key=lambda cut: max(_height(taken[:cut]), _height(taken[cut:])))
        block = Block(right=RIGHT, height=max(_height(taken[:split]), _height(taken[split:])))
        for column, items_ in enumerate((taken[:split], taken[split:])):
            y = 0.0
            for item in items_:
                block.add(item.shifted(column * (COLUMN + GUTTER)), y)
                y += item.height
        blocks.append(block)
        rest = rest[len(taken) :]
    return blocks


def _as_many(items: Sequence[Block]) -> list[Block]:
    taken: list[Block] = []
    for item in items:
        if taken and _height(taken) + item.height > 2 * TALLEST * 0.9:
            break
        taken.append(item)
    return taken


def _height(items: Sequence[Block]) -> float:
    return sum(item.height for item in items)


def where_to_send(wording: Wording) -> Block:
    """The panel with the address of the processing centre and the telephone number."""
    block = Block(right=RIGHT, height=33.0)
    block.draw("panel", Box(LEFT, 0, WIDTH, block.height), "tint", 1.2)
    x, room = LEFT + 5, COLUMN - 9
    block.write(x, 7.2, wording.return_title, size=13, style="bold", tone="accent")
    y = block.paragraph(x, 9.6, wording.return_intro, room, size=10.5, step=4.7)
    block.write(x, max(y, 21.0) + 3.4, wording.help, size=9, tone="soft")
    block.spot("@brand_hotline", 0, Box(x, max(y, 21.0) + 4.4, room, 5.2), 11, bold=True)
    block.spot("@brand_return", 0, Box(LEFT + COLUMN + GUTTER, 4.0, COLUMN - 4, 25.0), 11, bold=True)
    return block


def legal(wording: Wording) -> list[Block]:
    """Rights and duties, in two columns of small print."""
    paragraphs = []
    for text in wording.legal:
        block = Block()
        block.height = block.paragraph(LEFT, 0, text, COLUMN, size=9, step=4.0) + 1.8
        paragraphs.append(block)
    return _in_columns(paragraphs)

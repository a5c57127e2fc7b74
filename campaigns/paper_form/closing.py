"""What stands after the last question: the pieces to join, where to send them, rights and duties.

Pure. Texts flow in two columns, in one in large print; nothing here is read back, so nothing looks like a box to tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from campaigns.paper_form.flow import LEFT, RIGHT, WIDTH, Block
from campaigns.paper_form.sizes import Sizes
from campaigns.paper_form.wording import Wording
from campaigns.paper_form.zones import Box
from campaigns.questionnaire.schema import Document

GUTTER = 8.0
COLUMN = (WIDTH - GUTTER) / 2
GAP = 2.4
TALLEST = 190.0


def pieces(documents: Iterable[Document], wording: Wording, sizes: Sizes) -> list[Block]:
    """The pieces by situation, in one block of two columns, or several when they are many."""
    situations: dict[str, list[Document]] = {}
    for document in documents:
        situations.setdefault(document.situation or wording.everyone, []).append(document)
    return _in_columns([_situation(title, told, sizes) for title, told in situations.items()], sizes)


def _room(sizes: Sizes) -> float:
    return WIDTH if sizes.stacked else COLUMN


def _situation(title: str, documents: Sequence[Document], sizes: Sizes) -> Block:
    block = Block(right=RIGHT)
    room, size, step, indent = _room(sizes), sizes.piece, sizes.piece_step, 0.34 * sizes.piece
    y = block.paragraph(LEFT, 0, title, room, size=size, style="bold", tone="accent", step=step, role="H3")
    for document in documents:
        block.write(LEFT, y + step * 0.75, "•", size=size, tone="accent", role="Lbl")
        with block.part("LBody"):
            y = block.paragraph(LEFT + indent, y, document.label, room - indent, size=size, step=step)
            if document.help:
                note, step_ = sizes.note, sizes.note_step - (0 if sizes.stacked else 0.1)
                y = block.paragraph(LEFT + indent, y, document.help, room - indent, size=note, tone="soft", step=step_)
    block.height = y + GAP
    return block


def _in_columns(items: Sequence[Block], sizes: Sizes) -> list[Block]:
    """`items` down the left column then the right one, as level as may be; at most `TALLEST` mm in one block."""
    if sizes.stacked:
        return list(items)
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


def where_to_send(wording: Wording, sizes: Sizes) -> Block:
    """The panel with the address of the processing centre and the telephone number."""
    if sizes.stacked:
        return _where_to_send_large(wording, sizes)
    block = Block(right=RIGHT, height=33.0)
    block.draw("panel", Box(LEFT, 0, WIDTH, block.height), "tint", 1.2)
    x, room = LEFT + 5, COLUMN - 9
    block.write(x, 7.2, wording.return_title, size=13, style="bold", tone="accent", role="H2")
    y = block.paragraph(x, 9.6, wording.return_intro, room, size=sizes.side, step=sizes.side_step)
    block.spot("@brand_return", 0, Box(LEFT + COLUMN + GUTTER, 4.0, COLUMN - 4, 25.0), 11, bold=True)
    with block.part("P"):
        block.write(x, max(y, 21.0) + 3.4, wording.help, size=9, tone="soft")
        block.spot("@brand_hotline", 0, Box(x, max(y, 21.0) + 4.4, room, 5.2), 11, bold=True)
    return block


def _where_to_send_large(wording: Wording, sizes: Sizes) -> Block:
    block = Block(right=RIGHT)
    x, room, size = LEFT + 5, WIDTH - 10, sizes.side
    block.write(x, 9.5, wording.return_title, size=sizes.heading, style="bold", tone="accent", role="H2")
    y = block.paragraph(x, 13.0, wording.return_intro, room, size=size, step=sizes.side_step) + 1.5
    block.spot("@brand_return", 0, Box(x, y, room, 36.0), size, bold=True)
    y += 38.0
    with block.part("P"):
        block.write(x, y + 5.0, wording.help, size=size, tone="soft")
        block.spot("@brand_hotline", 0, Box(x, y + 7.0, room, 7.6), sizes.known, bold=True)
    block.height = y + 18.0
    block.draw("panel", Box(LEFT, 0, WIDTH, block.height), "tint", 1.2)
    return block


def legal(wording: Wording, sizes: Sizes) -> list[Block]:
    """Rights and duties, in two columns of small print; large print has them large."""
    paragraphs = []
    for text in wording.legal:
        block = Block(right=RIGHT)
        block.height = block.paragraph(LEFT, 0, text, _room(sizes), size=sizes.note, step=sizes.note_step) + 1.8
        paragraphs.append(block)
    return _in_columns(paragraphs, sizes)

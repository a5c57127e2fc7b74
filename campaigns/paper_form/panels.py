"""The framed parts of the form: section headings, household questions, one block an occupant, the table of combs.

Pure; heights come from what they hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.paper_form.answers import CELL, CELL_HEIGHT, HANDLERS, Place, cells_for
from campaigns.paper_form.flow import BODY_TOP, BOTTOM, HEAD_RIGHT, LEFT, RIGHT, WIDTH, Block
from campaigns.paper_form.rows import (
    ANSWER_X,
    COMBS,
    HINT_SIZE,
    INNER,
    KNOWN_HEIGHT,
    KNOWN_SIZE,
    KNOWN_X,
    in_piles,
    paper_fields,
    rows_of,
)
from campaigns.paper_form.zones import Box
from campaigns.questionnaire.schema import Field, FieldType, Section

TITLE_SIZE = 14.0
INTRO_SIZE = 10.0
TITLE_BAND = 7.2
RADIUS = 1.2
FRAME_PAD = 0.6  # under the last row
UNIT_ROOM = 4.5
COMB_GAP = 2.2
WIDEST_COMB_GAP = 8.0
COLUMN_ROOM = 34.0  # the least room for the wording over a column of combs
PILE_LIMIT = BOTTOM - BODY_TOP - TITLE_BAND - FRAME_PAD

KNOWN_CAPTION = "Ce que nous savons"
CORRECTION_CAPTION = "Votre correction, si c'est différent"


def heading(title: str, intro: str = "") -> Block:
    """A title with its bar, and the words under it."""
    block = Block(right=HEAD_RIGHT)
    block.draw("band", Box(LEFT, 0.7, 1.4, 5.8), "accent")
    block.write(LEFT + 4, 5.3, title, size=TITLE_SIZE, style="bold", tone="accent", room=HEAD_RIGHT - LEFT - 4)
    block.height = 8.0
    if intro:
        block.height = block.paragraph(LEFT, 8.2, intro, HEAD_RIGHT - LEFT, size=INTRO_SIZE, tone="soft", step=4.4)
        block.height += 1.4
    return block


def captioned(block: Block) -> Block:
    """The heading with the heads of the two columns under it."""
    block.write(KNOWN_X, block.height + 3, KNOWN_CAPTION, size=8.5, style="italic", tone="accent")
    block.write(ANSWER_X, block.height + 3, CORRECTION_CAPTION, size=8.5, style="italic", tone="accent")
    block.height += 3.8
    return block


def household_panels(section: Section, first: float = PILE_LIMIT) -> list[Block]:
    """Questions about the household in one frame, or several when they are many; the first is `first` mm at most."""
    panels = in_piles(rows_of(paper_fields(section), 0), first, PILE_LIMIT)
    for panel in panels:
        panel.height += FRAME_PAD
        panel.draw("frame", Box(LEFT, 0, WIDTH, panel.height), "line", RADIUS)
    return panels


def occupant_panels(section: Section, row: int) -> list[Block]:
    """Everything asked about one occupant, under a band with the number and the name."""
    panels = []
    for pile in in_piles(rows_of(paper_fields(section), row), PILE_LIMIT, PILE_LIMIT):
        panel = Block(right=RIGHT, height=TITLE_BAND + pile.height)
        panel.draw("panel", Box(LEFT, 0, WIDTH, TITLE_BAND), "tint", RADIUS)
        panel.write(KNOWN_X, 5.2, str(row), size=13, style="bold", tone="accent")
        panel.spot("@occupant_title", row, Box(KNOWN_X + 8, 1.2, INNER - 8, 5.2), 11, bold=True)
        panel.add(pile, TITLE_BAND)
        panel.draw("frame", Box(LEFT, 0, WIDTH, panel.height), "line", RADIUS)
        panels.append(panel)
    return panels


def is_table(section: Section) -> bool:
    """Whether one line of combs an occupant is enough to ask the whole section."""
    fields = paper_fields(section)
    return bool(fields) and all(field.type in COMBS for field in fields) and _table_width(fields) <= WIDTH


def _comb_room(field: Field) -> float:
    return cells_for(field, WIDTH) * CELL + (UNIT_ROOM if field.type is FieldType.MONEY else 0)


def _table_width(fields: Sequence[Field]) -> float:
    return sum(map(_comb_room, fields)) + COMB_GAP * (len(fields) - 1)


def _columns(section: Section) -> list[tuple[Field, float]]:
    """Each comb of the table with its left; the gaps share what is left of the width."""
    fields = paper_fields(section)
    free = WIDTH - sum(map(_comb_room, fields))
    gap = min(WIDEST_COMB_GAP, free / max(1, len(fields) - 1))
    columns, x = [], LEFT
    for field in fields:
        columns.append((field, x))
        x += _comb_room(field) + gap
    return columns


def table_head(section: Section) -> Block:
    """The wording over each column of combs, with its hint."""
    block = Block(right=RIGHT)
    for field, x in _columns(section):
        room = max(_comb_room(field), COLUMN_ROOM)
        y = block.paragraph(x, 0, field.label, room, size=9.5, style="bold", step=4.0)
        if field.hint:
            y = block.paragraph(x, y, field.hint, room, size=HINT_SIZE, style="italic", tone="soft", step=3.3)
        block.height = max(block.height, y)
    block.height += 1.6
    return block


def table_row(section: Section, row: int) -> Block:
    """One occupant's line of combs under the name; what we know is printed over its comb."""
    block = Block(right=RIGHT)
    columns = _columns(section)
    block.draw("rule", Box(LEFT, 0, WIDTH, 0), "line")
    block.write(LEFT, 4.8, str(row), size=11, style="bold", tone="accent")
    block.spot("@occupant_title", row, Box(LEFT + 7, 1.0, WIDTH - 7, 4.8), 10, bold=True)
    top = 6.4
    if any(field.prefill for field, _ in columns):
        for field, x in columns:
            if field.prefill:
                block.spot(field.key, row, Box(x, top, _comb_room(field), KNOWN_HEIGHT), KNOWN_SIZE, bold=True)
        top += KNOWN_HEIGHT + 0.4
    for field, x in columns:
        HANDLERS[field.type](block, field, Place(row, x, top, _comb_room(field)))
    block.height = top + CELL_HEIGHT + 2.4
    return block

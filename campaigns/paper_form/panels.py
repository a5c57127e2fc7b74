"""The framed parts of the form: section headings, household questions, one block an occupant, the table of combs.

Pure; heights come from what they hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.paper_form.answers import HANDLERS, Place, cells_for
from campaigns.paper_form.flow import (
    BODY_TOP,
    BOTTOM,
    CAP_HEIGHT,
    HEAD_RIGHT,
    HEAD_TOP,
    LEFT,
    RIGHT,
    TWIN_WIDTH,
    WIDTH,
    Block,
)
from campaigns.paper_form.rows import COMBS, INNER, KNOWN_X, Columns, in_piles, paper_fields, rows_of
from campaigns.paper_form.sizes import ORDINARY, Sizes
from campaigns.paper_form.typography import POINT
from campaigns.paper_form.zones import Box
from campaigns.questionnaire.schema import Field, FieldType, Section

RADIUS = 1.2
FRAME_PAD = 0.6  # under the last row
UNIT_ROOM = 4.5
COMB_GAP = 2.2
WIDEST_COMB_GAP = 8.0
COLUMN_ROOM = 34.0  # the least room for the wording over a column of combs

KNOWN_CAPTION = "Ce que nous savons"
CORRECTION_CAPTION = "Votre correction, si c'est différent"
STACKED_CAPTION = "En gras : ce que nous savons. Écrivez dessous seulement ce qui est différent."


def pile_limit(sizes: Sizes, above: float = 0.0) -> float:
    """The height of the tallest frame that a page holds, under a heading `above` mm high."""
    return BOTTOM - max(BODY_TOP, HEAD_TOP + above) - sizes.person_band - FRAME_PAD


def head_right(sizes: Sizes) -> float:
    """How far to the right a heading goes beside the page code; a large one, which is higher, beside its twin too."""
    return RIGHT - TWIN_WIDTH - 4.0 if sizes.stacked else HEAD_RIGHT


def heading(title: str, intro: str = "", sizes: Sizes = ORDINARY) -> Block:
    """A title with its bar, and the words under it."""
    right = head_right(sizes)
    block = Block(right=right)
    high = sizes.heading * 0.41
    block.draw("band", Box(LEFT, 0.7, 1.4, high), "accent")
    room = right - LEFT - 4
    block.write(LEFT + 4, high - 0.5, title, size=sizes.heading, style="bold", tone="accent", room=room, role="H2")
    block.height = high + 2.2
    if intro:
        step = sizes.intro_step
        y = block.height + 0.2
        block.height = block.paragraph(LEFT, y, intro, right - LEFT, size=sizes.intro, tone="soft", step=step)
        block.height += 1.4
    return block


def captioned(block: Block, sizes: Sizes) -> Block:
    """The heading with the heads of the two columns under it."""
    size, y = sizes.caption, block.height
    if sizes.stacked:
        room, step = block.right - LEFT, sizes.hint_step
        y = block.paragraph(LEFT, y, STACKED_CAPTION, room, size=size, style="italic", tone="accent", step=step)
        block.height = y + 1.4
        return block
    for x, caption in ((KNOWN_X, KNOWN_CAPTION), (Columns.of(sizes).answer_x, CORRECTION_CAPTION)):
        block.write(x, y + 3, caption, size=size, style="italic", tone="accent")
    block.height += 3.8
    return block


def household_panels(section: Section, sizes: Sizes, first: float | None = None) -> list[Block]:
    """Questions about the household in one frame, or several when they are many; the first is `first` mm at most."""
    limit = pile_limit(sizes, heading(section.title, sizes=sizes).height)
    panels = in_piles(rows_of(paper_fields(section), 0, sizes), limit if first is None else first, limit)
    for panel in panels:
        panel.height += FRAME_PAD
        panel.draw("frame", Box(LEFT, 0, WIDTH, panel.height), "line", RADIUS)
    return panels


def occupant_panels(section: Section, row: int, sizes: Sizes, above: float = 0.0) -> list[Block]:
    """Everything asked about one occupant, under a band with the number and the name; `above`: of the heading."""
    panels, limit, band = [], pile_limit(sizes, above), sizes.person_band
    number = sizes.person + 2
    baseline = band / 2 + number * CAP_HEIGHT / POINT / 2
    for pile in in_piles(rows_of(paper_fields(section), row, sizes), limit, limit):
        panel = Block(right=RIGHT, height=band + pile.height)
        panel.draw("panel", Box(LEFT, 0, WIDTH, band), "tint", RADIUS)
        with panel.part("H3"):
            panel.write(KNOWN_X, baseline, str(row), size=number, style="bold", tone="accent")
            title = Box(KNOWN_X + 0.7 * number, 1.0, INNER - 0.7 * number, band - 2.0)
            panel.spot("@occupant_title", row, title, sizes.person, bold=True)
        panel.add(pile, band)
        panel.draw("frame", Box(LEFT, 0, WIDTH, panel.height), "line", RADIUS)
        panels.append(panel)
    return panels


def is_table(section: Section, sizes: Sizes) -> bool:
    """Whether one line of combs an occupant is enough to ask the whole section."""
    fields = paper_fields(section)
    combs = bool(fields) and all(field.type in COMBS for field in fields)
    return combs and not sizes.stacked and _table_width(fields) <= WIDTH


def _comb_room(field: Field) -> float:
    cells = cells_for(field, WIDTH) * ORDINARY.cell
    return cells + (UNIT_ROOM if field.type is FieldType.MONEY else 0)


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
        with block.part("TH"):
            y = block.paragraph(x, 0, field.label, room, size=9.5, style="bold", step=4.0)
            if field.hint:
                size = ORDINARY.hint
                y = block.paragraph(x, y, field.hint, room, size=size, style="italic", tone="soft", step=3.3)
        block.height = max(block.height, y)
    block.height += 1.6
    return block


def table_row(section: Section, row: int) -> Block:
    """One occupant's line of combs under the name; what we know is printed over its comb."""
    block = Block(right=RIGHT)
    columns = _columns(section)
    block.draw("rule", Box(LEFT, 0, WIDTH, 0), "line")
    with block.part("TR"):
        block.write(LEFT, 4.8, str(row), size=11, style="bold", tone="accent")
        block.spot("@occupant_title", row, Box(LEFT + 7, 1.0, WIDTH - 7, 4.8), 10, bold=True)
    top, known = 6.4, ORDINARY.known_height
    below = top + (known + 0.4 if any(field.prefill for field, _ in columns) else 0.0)
    for field, x in columns:
        room = _comb_room(field)
        with block.part("TD"):
            if field.prefill:
                block.spot(field.key, row, Box(x, top, room, known), ORDINARY.known, bold=True)
            HANDLERS[field.type](block, field, Place(row, x, below, room))
    block.height = below + ORDINARY.cell_height + 2.4
    return block

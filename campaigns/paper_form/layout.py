"""Computes the form: where every question, every known value, every text stands, for so many occupants.

Pure. Page 1 is the letter and the household, then come the occupants two by two, then the tables, the pieces to join
and the legal notice; those whom the form has no room for come after it, on further sheets of their own. What is
computed here is what `painter` prints and what the reader of scans looks for.
"""

from __future__ import annotations

from dataclasses import replace

from campaigns.paper_form import closing
from campaigns.paper_form.flow import (
    BODY_TOP,
    BOTTOM,
    HEAD_TOP,
    LEFT,
    RIGHT,
    WIDTH,
    Block,
    Flow,
)
from campaigns.paper_form.front import front, how_to_fill
from campaigns.paper_form.panels import (
    FRAME_PAD,
    captioned,
    head_right,
    heading,
    household_panels,
    is_table,
    occupant_panels,
    table_head,
    table_row,
)
from campaigns.paper_form.rows import paper_fields
from campaigns.paper_form.sizes import Sizes, sizes_of
from campaigns.paper_form.wording import Wording, shipped_wording
from campaigns.paper_form.zones import PAGE_HEIGHT, PAGE_WIDTH, Box, FormLayout
from campaigns.questionnaire.schema import Document, Questionnaire, Section

BLOCKS_PER_PAGE = 2
FORM_ROWS = 16  # occupant rows of the form itself; those beyond stand on further sheets
SHEET_ROWS = 4  # occupant rows of one further set of sheets
GAP = 3.0
SMALLEST_GAP = 2.0
LARGEST_GAP = 7.0
LEAST_PANEL = 40.0  # a shorter start of a section is not worth parting it
SECTION_GAP = 6.0
FOOT = 285.6  # baseline of the foot, between the two lower marks


def capacity_for(occupants: int) -> int:
    """How many occupant rows are printed for a household of `occupants`: one more at least, whole pages of two.

    Beyond the form's own rows, by further sheets.
    """
    more = occupants + 1 - FORM_ROWS
    if more > 0:
        return FORM_ROWS + -(-more // SHEET_ROWS) * SHEET_ROWS
    return -(-(occupants + 1) // BLOCKS_PER_PAGE) * BLOCKS_PER_PAGE


def further_sheets(rows: int) -> list[range]:
    """The occupant rows of each set of further sheets of a form of so many rows; empty when it has room for all."""
    return [range(first, min(first + SHEET_ROWS, rows + 1)) for first in range(FORM_ROWS + 1, rows + 1, SHEET_ROWS)]


def lay_out(
    questionnaire: Questionnaire, rows: int, wording: Wording | None = None, *, large: bool = False
) -> FormLayout:
    """`questionnaire` on paper with `rows` occupant rows; without `wording`, the texts shipped for its survey.

    `large` is the large print: sixteen points at least, larger boxes, one column.

    The page count is even: printed on both sides, every envelope starts on a recto.
    Raises ValueError for less than one row.
    """
    if rows < 1:
        message = f"Un questionnaire papier a au moins une ligne d'occupant ({rows} demandée)."
        raise ValueError(message)
    words = wording or shipped_wording(questionnaire.survey)
    flow, sizes, sheets = Flow(), sizes_of(large=large), further_sheets(rows)
    _place_front(flow, questionnaire, words, sizes)
    people = range(1, min(rows, FORM_ROWS) + 1)
    for section in filter(paper_fields, questionnaire.sections):
        pointing = replace(section, intro=f"{section.intro} {words.sheet_follows}".strip())
        _place_section(flow, pointing if section.repeated and sheets else section, people, words, sizes)
    _place_closing(flow, questionnaire.documents, words, sizes)
    _end_sheet(flow, words, sizes)
    for people in sheets:
        flow.turn()
        _place_sheet(flow, questionnaire, people, words, sizes)
        _end_sheet(flow, words, sizes)
    for page in range(1, flow.page + 1):
        flow.fix(_furniture(page, flow.page, sizes), page)
    return flow.layout(questionnaire.key, rows, flow.page)


def _place_front(flow: Flow, questionnaire: Questionnaire, words: Wording, sizes: Sizes) -> None:
    block = front(questionnaire, words, sizes)
    flow.fix(block, 1)
    flow.y = block.height + SECTION_GAP - 1
    if sizes.stacked:
        flow.place(how_to_fill(words, head_right(sizes) - LEFT, sizes), SECTION_GAP)


def _place_section(flow: Flow, section: Section, people: range, words: Wording, sizes: Sizes) -> None:
    """A section of questions; `people` are the rows of a repeated one."""
    if not section.repeated:
        _place_household(flow, section, words, sizes)
    elif is_table(section, sizes):
        _place_table(flow, section, people, words)
    else:
        _place_occupants(flow, section, people, words, sizes)


def _place_sheet(flow: Flow, questionnaire: Questionnaire, people: range, words: Wording, sizes: Sizes) -> None:
    """A further set of sheets: all that is asked of each person, for `people` whom the form has no room for."""
    title, intro = f"{words.sheet_title} {people[0]} à {people[-1]}", words.sheet_intro
    for section in questionnaire.sections:
        if section.repeated and paper_fields(section):
            _place_section(flow, replace(section, title=title or section.title, intro=intro), people, words, sizes)
            title = intro = ""


def _end_sheet(flow: Flow, words: Wording, sizes: Sizes) -> None:
    """Printed on both sides: what follows starts on a recto."""
    if flow.page % 2:
        flow.turn()
        flow.fix(_blank(words, sizes), flow.page)


def _place_household(flow: Flow, section: Section, words: Wording, sizes: Sizes) -> None:
    """One frame where it fits; what is left of the page takes the first questions when that is worth it."""
    head = heading(section.title, section.intro, sizes)
    whole = household_panels(section, sizes)
    panels = whole
    if not flow.room_for(head, whole[0]):
        panels = household_panels(section, sizes, max(0.0, BOTTOM - flow.y - head.height - FRAME_PAD))
        if panels[0].height < LEAST_PANEL:
            panels = whole
    _place_under(flow, head, panels[0])
    for panel in panels[1:]:
        if not flow.room_for(panel):
            flow.turn()
            flow.place(heading(f"{section.title} {words.continued}", sizes=sizes))
        flow.place(panel, GAP)
    flow.y += SECTION_GAP - GAP


def _place_under(flow: Flow, head: Block, first: Block, gap: float = GAP) -> None:
    """A heading and what it announces, never parted by a page."""
    if not flow.room_for(head, first) and flow.y > HEAD_TOP:
        flow.turn()
    flow.place(head)
    flow.place(first, gap)


def _place_occupants(flow: Flow, section: Section, people: range, words: Wording, sizes: Sizes) -> None:
    """One block an occupant, with the heads of the two columns on each page."""
    head = captioned(heading(section.title, section.intro, sizes), sizes)
    first = occupant_panels(section, people[0], sizes, head.height)
    if not flow.room_for(head, first[0]) and flow.y > HEAD_TOP:
        flow.turn()
    flow.place(head)
    gap = _even_gap(first)
    for row in people:
        for panel in occupant_panels(section, row, sizes, head.height):
            if not flow.room_for(panel):
                flow.turn()
                flow.place(captioned(heading(f"{section.title} {words.continued}", sizes=sizes), sizes))
            flow.place(panel, gap)
    flow.y += SECTION_GAP - GAP


def _even_gap(panels: list[Block]) -> float:
    """The white between two occupants: what a page of them leaves over, within reason."""
    if len(panels) > 1:
        return GAP
    free = BOTTOM - BODY_TOP - 1 - BLOCKS_PER_PAGE * panels[0].height
    return min(LARGEST_GAP, max(SMALLEST_GAP, free / (BLOCKS_PER_PAGE - 1)))


def _place_table(flow: Flow, section: Section, people: range, words: Wording) -> None:
    """One line an occupant; the heads of the columns come again on each page."""
    first = table_row(section, people[0])
    head = table_head(section)
    opening = heading(section.title, section.intro)
    if not flow.room_for(opening, head, first) and flow.y > HEAD_TOP:
        flow.turn()
    flow.place(opening)
    flow.place(head)
    for row in people:
        line = table_row(section, row)
        if not flow.room_for(line):
            flow.turn()
            flow.place(heading(f"{section.title} {words.continued}"))
            flow.place(head)
        flow.place(line)
    flow.y += SECTION_GAP


def _place_closing(flow: Flow, documents: tuple[Document, ...], words: Wording, sizes: Sizes) -> None:
    blocks = closing.pieces(documents, words, sizes)
    if blocks:
        _place_under(flow, heading(words.documents_title, words.documents_intro, sizes), blocks[0])
        for block in blocks[1:]:
            flow.place(block, GAP)
        flow.y += SECTION_GAP - GAP
    flow.place(closing.where_to_send(words, sizes), SECTION_GAP)
    notice = closing.legal(words, sizes)
    _place_under(flow, heading(words.legal_title, sizes=sizes), notice[0])
    for block in notice[1:]:
        flow.place(block)


def _blank(words: Wording, sizes: Sizes) -> Block:
    block = Block(right=RIGHT)
    block.write(
        PAGE_WIDTH / 2, PAGE_HEIGHT / 2, words.blank_page, size=sizes.body, style="italic", tone="soft", align="center"
    )
    return block


def _furniture(page: int, pages: int, sizes: Sizes) -> Block:
    """What every page carries: the twin of its code under it, and the foot."""
    block = Block(right=RIGHT)
    with block.part(""):
        block.twin()
        foot(block, page, pages, sizes)
    return block


def foot(block: Block, page: int, pages: int, sizes: Sizes, more: str = "") -> None:
    """The foot of a page: whose paper it is, which page of how many and what `more` says of it, which case."""
    top, size = FOOT - 3.4, sizes.foot
    with block.part(""):
        block.spot("@brand_name", 0, Box(LEFT, top, WIDTH * 0.36, 4.4), size)
        told = f"{page} / {pages}{more}"
        block.write(PAGE_WIDTH / 2, FOOT, told, size=size + 0.5, style="bold", tone="soft", align="center")
        block.spot("@reference_foot", 0, Box(RIGHT - WIDTH * 0.36, top, WIDTH * 0.36, 4.4), size)

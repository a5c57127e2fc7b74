"""Questions put in rows: what we know on the left, where to correct it on the right.

Pure. Three shapes of row: a full row, a short question (yes/no, tick) with its wording on the line of its boxes, and a
tick followed by the date or number that it calls for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from campaigns.paper_form.answers import HANDLERS, Place, cells_for
from campaigns.paper_form.flow import CAP_HEIGHT, LEFT, RIGHT, WIDTH, Block, tidy
from campaigns.paper_form.sizes import Sizes
from campaigns.paper_form.typography import POINT, french, width, wrap
from campaigns.paper_form.zones import Box
from campaigns.questionnaire.schema import Field, FieldType, Reader, Section

INSET = 3.0
INNER = WIDTH - 2 * INSET
KNOWN_X = LEFT + INSET
KNOWN_COLUMN = 54.0
HALF_GAP = 6.0
HALF_ROOM = (INNER - HALF_GAP) / 2

SHORT = frozenset({FieldType.TICK, FieldType.YES_NO})
COMBS = frozenset({FieldType.DIGITS, FieldType.MONEY, FieldType.INTEGER, FieldType.DATE, FieldType.PHONE})


@dataclass(frozen=True, slots=True)
class Columns:
    """What we know on the left and the answer on the right; in large print one under the other, over all the width."""

    known: float
    answer_x: float
    answer: float

    @classmethod
    def of(cls, sizes: Sizes) -> Columns:
        """The columns of that print."""
        if sizes.stacked:
            return cls(INNER, KNOWN_X, INNER)
        answer_x = KNOWN_X + KNOWN_COLUMN + 3.0
        return cls(KNOWN_COLUMN, answer_x, RIGHT - INSET - answer_x)


def paper_fields(section: Section) -> list[Field]:
    """The questions of the section that are asked on paper."""
    return [field for field in section.fields if field.shown_in(Reader.PAPER)]


def rows_of(fields: Sequence[Field], row: int, sizes: Sizes) -> list[Block]:
    """The questions as row blocks, in order."""
    return [_row(group, row, sizes) for group in _grouped(fields, sizes)]


def _grouped(fields: Sequence[Field], sizes: Sizes) -> list[list[Field]]:
    """Questions that share a row: a tick and what it calls for, or two ticks or yes/no with short wordings."""
    groups: list[list[Field]] = []
    for field in fields:
        alone = groups[-1][0] if groups and len(groups[-1]) == 1 else None
        if alone and (_calls_for(alone, field, sizes) or (_fits_half(alone, sizes) and _fits_half(field, sizes))):
            groups[-1].append(field)
        else:
            groups.append([field])
    return groups


def _calls_for(first: Field, second: Field, sizes: Sizes) -> bool:
    """Whether `second` is a short comb asked only when the tick `first` is set, and both fit side by side."""
    if sizes.stacked or first.type is not FieldType.TICK or second.type not in COMBS:
        return False
    room = Columns.of(sizes).answer
    called = cells_for(second, room, sizes.cell) * sizes.cell + _call_room(second, sizes)
    return called <= room and (second.visible_if or {}).get("field") == first.key


def _call_room(field: Field, sizes: Sizes) -> float:
    return width(french(field.label), sizes.question) + 4.0


def _fits_half(field: Field, sizes: Sizes) -> bool:
    if field.type not in SHORT:
        return False
    box = sizes.tick + sizes.tick_gap if field.type is FieldType.TICK else sizes.yes_no + 2
    free = HALF_ROOM - box - _known_room(field, sizes)
    lines = wrap(french(field.label), free, sizes.question)
    return len(lines) <= 2 and all(width(line, sizes.question) <= free for line in lines)


def _known_room(field: Field, sizes: Sizes) -> float:
    """What the known value of a short question takes beside its wording."""
    return sizes.known_short if field.prefill else 0.0


def _row(group: Sequence[Field], row: int, sizes: Sizes) -> Block:
    if len(group) == 2 and group[1].type not in SHORT:
        return called_row(group[0], group[1], row, sizes)
    if group[0].type in SHORT:
        return short_row(group, row, sizes)
    return stacked_row(group[0], row, sizes) if sizes.stacked else full_row(group[0], row, sizes)


def full_row(field: Field, row: int, sizes: Sizes) -> Block:
    """Label and known value on the left, answer on the right; the hint where the row leaves room for it."""
    block = Block(right=RIGHT)
    columns, pad = Columns.of(sizes), sizes.pad
    y = _label(block, field, sizes)
    if field.prefill:
        block.spot(field.key, row, Box(KNOWN_X, y, columns.known, sizes.known_height), sizes.known, bold=True)
        y += sizes.known_height
    high = HANDLERS[field.type](block, field, Place(row, columns.answer_x, pad, columns.answer, sizes))
    block.height = max(y, pad + high) + pad
    hint = wrap(french(field.hint), columns.known, sizes.hint, "italic")
    fits = y + len(hint) * sizes.hint_step <= block.height
    if field.hint and field.type is not FieldType.DATE and fits:
        _hint(block, field, y, sizes)
    return block


def stacked_row(field: Field, row: int, sizes: Sizes) -> Block:
    """Label, hint, known value and answer one under another."""
    block = Block(right=RIGHT)
    y = _label(block, field, sizes)
    if field.hint and field.type is not FieldType.DATE:
        y = _hint(block, field, y, sizes)
    if field.prefill:
        block.spot(field.key, row, Box(KNOWN_X, y, INNER, sizes.known_height), sizes.known, bold=True)
        y += sizes.known_height
    y += sizes.pad
    high = HANDLERS[field.type](block, field, Place(row, KNOWN_X, tidy(y), INNER, sizes))
    block.height = y + high + 2 * sizes.pad
    return block


def _hint(block: Block, field: Field, y: float, sizes: Sizes) -> float:
    room, step = Columns.of(sizes).known, sizes.hint_step
    return block.paragraph(KNOWN_X, y, field.hint, room, size=sizes.hint, style="italic", tone="soft", step=step)


def _label(block: Block, field: Field, sizes: Sizes) -> float:
    """The wording: small over a known value, plain when it stands alone."""
    room, pad = Columns.of(sizes).known, sizes.pad
    if field.prefill:
        return block.paragraph(KNOWN_X, pad, field.label, room, size=sizes.label, tone="soft", step=sizes.label_step)
    return block.paragraph(KNOWN_X, pad, field.label, room, size=sizes.question, step=sizes.question_step)


def called_row(first: Field, second: Field, row: int, sizes: Sizes) -> Block:
    """A tick on the left, and on the right the comb to fill in when it is set."""
    columns, pad = Columns.of(sizes), sizes.pad
    block = short_question(first, row, KNOWN_X, columns.known, sizes)
    called = _call_room(second, sizes)
    baseline = pad + sizes.cell_height / 2 + sizes.question * CAP_HEIGHT / POINT / 2
    block.write(columns.answer_x, tidy(baseline), second.label, size=sizes.question)
    place = Place(row, columns.answer_x + called, pad, columns.answer - called, sizes)
    high = HANDLERS[second.type](block, second, place)
    block.height = max(block.height, pad + high + pad)
    return block


def short_question(field: Field, row: int, x: float, room: float, sizes: Sizes) -> Block:
    """A tick or a yes/no with its wording on the same line, in `room` mm."""
    block = Block(right=RIGHT)
    pad, indent = sizes.pad, sizes.tick + sizes.tick_gap
    if field.type is FieldType.TICK:
        text_x, text_room, answer_x = x + indent, room - indent, x
    else:
        text_x, text_room, answer_x = x, room - sizes.yes_no - 2, x + room - sizes.yes_no
    known_room = _known_room(field, sizes)
    y = block.paragraph(text_x, pad, field.label, text_room - known_room, size=sizes.question, step=sizes.question_step)
    if field.prefill:
        spot = Box(text_x + text_room - known_room + 1, pad, known_room - 2, sizes.known_height)
        block.spot(field.key, row, spot, sizes.known, bold=True)
    high = HANDLERS[field.type](block, field, Place(row, answer_x, pad, sizes.yes_no, sizes))
    block.height = max(y, pad + high) + pad
    return block


def short_row(fields: Sequence[Field], row: int, sizes: Sizes) -> Block:
    """One short question over the whole width, or two side by side."""
    block = Block(right=RIGHT)
    room = HALF_ROOM if len(fields) == 2 else INNER
    for place, field in enumerate(fields):
        half = short_question(field, row, KNOWN_X + place * (HALF_ROOM + HALF_GAP), room, sizes)
        block.add(half)
        block.height = max(block.height, half.height)
    return block


def piled(rows: Iterable[Block]) -> Block:
    """Rows one under another, parted by hairlines."""
    pile = Block(right=RIGHT)
    for each in rows:
        if pile.height:
            pile.draw("rule", Box(KNOWN_X, pile.height, INNER, 0), "hair")
        pile.add(each, pile.height)
        pile.height += each.height
    return pile


def in_piles(rows: Iterable[Block], first: float, limit: float) -> list[Block]:
    """The rows in as few piles as the heights let: `first` mm for the first pile, `limit` mm for the others."""
    piles: list[list[Block]] = [[]]
    room = first
    for each in rows:
        if piles[-1] and each.height > room:
            piles.append([])
            room = limit
        piles[-1].append(each)
        room -= each.height
    return [piled(each) for each in piles if each]

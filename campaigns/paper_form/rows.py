"""Questions put in rows: what we know on the left, where to correct it on the right.

Pure. Three shapes of row: a full row, a short question (yes/no, tick) with its wording on the line of its boxes, and a
tick followed by the date or number that it calls for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from campaigns.paper_form.answers import CELL, HANDLERS, TICK, TICK_GAP, YES_NO_WIDTH, Place, cells_for
from campaigns.paper_form.flow import LEFT, RIGHT, WIDTH, Block
from campaigns.paper_form.typography import french, width, wrap
from campaigns.paper_form.zones import Box
from campaigns.questionnaire.schema import Field, FieldType, Reader, Section

INSET = 3.0
INNER = WIDTH - 2 * INSET
KNOWN_X = LEFT + INSET
KNOWN_ROOM = 54.0
ANSWER_X = KNOWN_X + KNOWN_ROOM + 3.0
ANSWER_ROOM = RIGHT - INSET - ANSWER_X
HALF_GAP = 6.0
HALF_ROOM = (INNER - HALF_GAP) / 2
LABEL_SIZE = 9.0
LABEL_STEP = 3.6
SHORT_SIZE = 9.5
SHORT_STEP = 4.0
HINT_SIZE = 8.0
HINT_STEP = 3.2
KNOWN_SIZE = 10.0
KNOWN_HEIGHT = 4.3
KNOWN_SHORT = 24.0  # beside a tick or a yes/no
PAD = 0.8

SHORT = frozenset({FieldType.TICK, FieldType.YES_NO})
COMBS = frozenset({FieldType.DIGITS, FieldType.MONEY, FieldType.INTEGER, FieldType.DATE, FieldType.PHONE})


def paper_fields(section: Section) -> list[Field]:
    """The questions of the section that are asked on paper."""
    return [field for field in section.fields if field.shown_in(Reader.PAPER)]


def rows_of(fields: Sequence[Field], row: int) -> list[Block]:
    """The questions as row blocks, in order."""
    return [_row(group, row) for group in _grouped(fields)]


def _grouped(fields: Sequence[Field]) -> list[list[Field]]:
    """Questions that share a row: a tick and what it calls for, or two ticks or yes/no with short wordings."""
    groups: list[list[Field]] = []
    for field in fields:
        alone = groups[-1][0] if groups and len(groups[-1]) == 1 else None
        if alone and (_calls_for(alone, field) or (_fits_half(alone) and _fits_half(field))):
            groups[-1].append(field)
        else:
            groups.append([field])
    return groups


def _calls_for(first: Field, second: Field) -> bool:
    """Whether `second` is a short comb asked only when the tick `first` is set."""
    condition = second.visible_if or {}
    short = second.type in COMBS and cells_for(second, ANSWER_ROOM) * CELL + _call_room(second) <= ANSWER_ROOM
    return first.type is FieldType.TICK and short and condition.get("field") == first.key


def _call_room(field: Field) -> float:
    return width(french(field.label), SHORT_SIZE) + 4.0


def _fits_half(field: Field) -> bool:
    if field.type not in SHORT:
        return False
    free = HALF_ROOM - (TICK + TICK_GAP if field.type is FieldType.TICK else YES_NO_WIDTH + 2) - _known_room(field)
    lines = wrap(french(field.label), free, SHORT_SIZE)
    return len(lines) <= 2 and all(width(line, SHORT_SIZE) <= free for line in lines)


def _known_room(field: Field) -> float:
    """What the known value of a short question takes beside its wording."""
    return KNOWN_SHORT if field.prefill else 0.0


def _row(group: Sequence[Field], row: int) -> Block:
    if len(group) == 2 and group[1].type not in SHORT:
        return called_row(group[0], group[1], row)
    if group[0].type in SHORT:
        return short_row(group, row)
    return full_row(group[0], row)


def full_row(field: Field, row: int) -> Block:
    """Label and known value on the left, answer on the right; the hint where the row leaves room for it."""
    block = Block(right=RIGHT)
    y = _label(block, field)
    if field.prefill:
        block.spot(field.key, row, Box(KNOWN_X, y, KNOWN_ROOM, KNOWN_HEIGHT), KNOWN_SIZE, bold=True)
        y += KNOWN_HEIGHT
    high = HANDLERS[field.type](block, field, Place(row, ANSWER_X, PAD, ANSWER_ROOM))
    block.height = max(y, PAD + high) + PAD
    hint = wrap(french(field.hint), KNOWN_ROOM, HINT_SIZE, "italic")
    if field.hint and field.type is not FieldType.DATE and y + len(hint) * HINT_STEP <= block.height:
        block.paragraph(KNOWN_X, y, field.hint, KNOWN_ROOM, size=HINT_SIZE, style="italic", tone="soft", step=HINT_STEP)
    return block


def _label(block: Block, field: Field) -> float:
    """The wording: small over a known value, plain when it stands alone."""
    if field.prefill:
        return block.paragraph(KNOWN_X, PAD, field.label, KNOWN_ROOM, size=LABEL_SIZE, tone="soft", step=LABEL_STEP)
    return block.paragraph(KNOWN_X, PAD, field.label, KNOWN_ROOM, size=SHORT_SIZE, step=SHORT_STEP)


def called_row(first: Field, second: Field, row: int) -> Block:
    """A tick on the left, and on the right the comb to fill in when it is set."""
    block = short_question(first, row, KNOWN_X, KNOWN_ROOM)
    called = _call_room(second)
    block.write(ANSWER_X, PAD + 4.7, second.label, size=SHORT_SIZE)
    high = HANDLERS[second.type](block, second, Place(row, ANSWER_X + called, PAD, ANSWER_ROOM - called))
    block.height = max(block.height, PAD + high + PAD)
    return block


def short_question(field: Field, row: int, x: float, room: float) -> Block:
    """A tick or a yes/no with its wording on the same line, in `room` mm."""
    block = Block(right=RIGHT)
    if field.type is FieldType.TICK:
        text_x, text_room, answer_x = x + TICK + TICK_GAP, room - TICK - TICK_GAP, x
    else:
        text_x, text_room, answer_x = x, room - YES_NO_WIDTH - 2, x + room - YES_NO_WIDTH
    known_room = _known_room(field)
    y = block.paragraph(text_x, PAD, field.label, text_room - known_room, size=SHORT_SIZE, step=SHORT_STEP)
    if field.prefill:
        spot = Box(text_x + text_room - known_room + 1, PAD, known_room - 2, KNOWN_HEIGHT)
        block.spot(field.key, row, spot, KNOWN_SIZE, bold=True)
    high = HANDLERS[field.type](block, field, Place(row, answer_x, PAD, YES_NO_WIDTH))
    block.height = max(y, PAD + high) + PAD
    return block


def short_row(fields: Sequence[Field], row: int) -> Block:
    """One short question over the whole width, or two side by side."""
    block = Block(right=RIGHT)
    room = HALF_ROOM if len(fields) == 2 else INNER
    for place, field in enumerate(fields):
        half = short_question(field, row, KNOWN_X + place * (HALF_ROOM + HALF_GAP), room)
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

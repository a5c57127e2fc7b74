"""How each kind of question is asked on paper: one handler per FieldType, each drawing its zones from (0, 0).

Pure. Cells are 5 x 7 mm and tick boxes 4 mm, the sizes the reader of scans is tuned for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from campaigns.paper_form.flow import Block
from campaigns.paper_form.typography import french, width
from campaigns.paper_form.zones import Box, Zone, ZoneKind
from campaigns.questionnaire.schema import Field, FieldType

CELL = 5.0
CELL_HEIGHT = 7.0
TICK = 4.0
TICK_PITCH = 5.1  # from one line of choices to the next
TICK_GAP = 1.7  # between a box and its wording
CHOICE_SIZE = 9.5
UNIT_SIZE = 9.0
SIGNATURE = (84.0, 26.0)
LINE_HEIGHT = 8.0
LINE_LETTERS = 60  # letters that a hand puts on one line
MOST_LINES = 4
YES_NO_WIDTH = 30.0
MOST_COLUMNS = 5
COLUMN_GAP = 3.0  # the least white between two columns of choices


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes: its row, its left and top, and the room it may take in width."""

    row: int
    x: float
    y: float
    room: float


def cells_for(field: Field, room: float) -> int:
    """How many cells the answer needs: the declared size, else what its type and bounds imply, within `room` mm."""
    usual = {FieldType.PHONE: 10, FieldType.DATE: 8, FieldType.MONEY: 7, FieldType.INTEGER: 2, FieldType.DIGITS: 13}
    most = int(room // CELL)
    if field.type in (FieldType.PHONE, FieldType.DATE):
        return usual[field.type]
    if field.type is FieldType.INTEGER and not field.size and field.maximum is not None:
        return len(str(field.maximum))
    return min(field.size or usual.get(field.type, most), most)


def _comb(block: Block, field: Field, place: Place, kind: ZoneKind = ZoneKind.COMB) -> float:
    count = cells_for(field, place.room)
    box = Box(place.x, place.y, count * CELL, CELL_HEIGHT)
    block.zones.append(Zone(field.key, place.row, kind, 1, box, cells=count))
    return box.right


def _unit(block: Block, x: float, y: float, text: str) -> None:
    block.write(x + 1.6, y + 4.7, text, size=UNIT_SIZE, tone="soft")


def digits(block: Block, field: Field, place: Place) -> float:
    """A comb of digits."""
    _comb(block, field, place)
    return CELL_HEIGHT


def letters(block: Block, field: Field, place: Place) -> float:
    """A comb of capitals."""
    _comb(block, field, place, ZoneKind.LETTERS)
    return CELL_HEIGHT


def money(block: Block, field: Field, place: Place) -> float:
    """A comb of digits, in whole euros."""
    _unit(block, _comb(block, field, place), place.y, "€")
    return CELL_HEIGHT


def date(block: Block, field: Field, place: Place) -> float:
    """Eight digits: day, month, year; two dividers part them."""
    right = _comb(block, field, place)
    for cells in (2, 4):
        block.draw("rule", Box(place.x + cells * CELL, place.y, 0, CELL_HEIGHT), "divider")
    if right + 18 <= place.x + place.room:
        _unit(block, right, place.y, "JJ MM AAAA")
    return CELL_HEIGHT


def line(block: Block, field: Field, place: Place) -> float:
    """Free handwriting: one line, or several for a long text."""
    lines = 1 if field.type is not FieldType.TEXT else min(MOST_LINES, ceil(max(1, field.size) / LINE_LETTERS))
    box = Box(place.x, place.y, place.room, lines * LINE_HEIGHT)
    block.zones.append(Zone(field.key, place.row, ZoneKind.LINE, 1, box))
    for each in range(1, lines):
        block.draw("rule", Box(place.x, place.y + each * LINE_HEIGHT, place.room, 0), "hair")
    return box.h


def signature(block: Block, field: Field, place: Place) -> float:
    """A frame to sign in."""
    wide, high = SIGNATURE
    box = Box(place.x, place.y, min(wide, place.room), high)
    block.zones.append(Zone(field.key, place.row, ZoneKind.SIGNATURE, 1, box))
    return high


def _box(block: Block, field: Field, place: Place, value: str) -> None:
    box = Box(place.x, place.y, TICK, TICK)
    block.zones.append(Zone(field.key, place.row, ZoneKind.BOX, 1, box, value=value))


def _labelled(block: Block, field: Field, place: Place, value: str, label: str) -> None:
    _box(block, field, place, value)
    label_room = place.room - TICK - TICK_GAP
    block.write(place.x + TICK + TICK_GAP, place.y + 3.2, label, size=CHOICE_SIZE, room=label_room)


def choice_columns(labels: Sequence[str], room: float) -> list[tuple[list[int], float]]:
    """The choices of each column (read downwards) and its width: as many columns as `room` lets, widened evenly."""
    wide = [width(french(label), CHOICE_SIZE) + TICK + TICK_GAP for label in labels]
    for count in range(min(MOST_COLUMNS, len(labels)), 0, -1):
        lines = ceil(len(labels) / count)
        columns = [list(range(first, min(first + lines, len(labels)))) for first in range(0, len(labels), lines)]
        widths = [max(wide[each] for each in column) for column in columns]
        free = room - sum(widths) - COLUMN_GAP * (len(columns) - 1)
        if free >= 0 or count == 1:
            spread = COLUMN_GAP + min(6.0, max(0.0, free) / max(1, len(columns) - 1))
            return [(column, min(own, room) + spread) for column, own in zip(columns, widths, strict=True)]
    return []


def choice(block: Block, field: Field, place: Place) -> float:
    """One box per choice, in columns."""
    x, lines = place.x, 0
    for column, pitch in choice_columns([each.label for each in field.choices], place.room):
        for line_, index in enumerate(column):
            told = field.choices[index]
            own = Place(place.row, x, place.y + line_ * TICK_PITCH, place.x + place.room - x)
            _labelled(block, field, own, told.value, told.label)
        x += pitch
        lines = max(lines, len(column))
    return (lines - 1) * TICK_PITCH + TICK


def yes_no(block: Block, field: Field, place: Place) -> float:
    """Two boxes."""
    pitch = YES_NO_WIDTH / 2
    for index, (value, label) in enumerate((("yes", "Oui"), ("no", "Non"))):
        _labelled(block, field, Place(place.row, place.x + index * pitch, place.y, pitch), value, label)
    return TICK


def tick(block: Block, field: Field, place: Place) -> float:
    """One box; its wording is the question itself, written beside it by the row."""
    _box(block, field, place, "on")
    return TICK


HANDLERS: dict[FieldType, Callable[[Block, Field, Place], float]] = {
    FieldType.TEXT: line,
    FieldType.NAME: letters,
    FieldType.EMAIL: line,
    FieldType.PHONE: digits,
    FieldType.DIGITS: digits,
    FieldType.INTEGER: digits,
    FieldType.MONEY: money,
    FieldType.DATE: date,
    FieldType.TICK: tick,
    FieldType.YES_NO: yes_no,
    FieldType.CHOICE: choice,
    FieldType.SIGNATURE: signature,
}

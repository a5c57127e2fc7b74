"""How each kind of question is asked on paper: one handler per FieldType, each drawing its zones from (0, 0).

Pure. In ordinary print cells are 5 x 7 mm and tick boxes 4 mm, the sizes the reader of scans is tuned for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from campaigns.paper_form.flow import CAP_HEIGHT, Block, tidy
from campaigns.paper_form.sizes import ORDINARY, Sizes
from campaigns.paper_form.typography import POINT, french, width
from campaigns.paper_form.zones import Box, Zone, ZoneKind
from campaigns.questionnaire.schema import Field, FieldType

LINE_LETTERS = 60  # letters that a hand puts on one line
MOST_LINES = 4
MOST_COLUMNS = 5
COLUMN_GAP = 3.0  # the least white between two columns of choices


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes: its row, its left and top, and the room it may take in width."""

    row: int
    x: float
    y: float
    room: float
    sizes: Sizes = ORDINARY


def cells_for(field: Field, room: float, cell: float = ORDINARY.cell) -> int:
    """How many cells the answer needs: the declared size, else what its type and bounds imply, within `room` mm."""
    usual = {FieldType.PHONE: 10, FieldType.DATE: 8, FieldType.MONEY: 7, FieldType.INTEGER: 2, FieldType.DIGITS: 13}
    most = int(room // cell)
    if field.type in (FieldType.PHONE, FieldType.DATE):
        return usual[field.type]
    if field.type is FieldType.INTEGER and not field.size and field.maximum is not None:
        return len(str(field.maximum))
    return min(field.size or usual.get(field.type, most), most)


def _comb(block: Block, field: Field, place: Place, kind: ZoneKind = ZoneKind.COMB) -> float:
    count = cells_for(field, place.room, place.sizes.cell)
    box = Box(place.x, place.y, count * place.sizes.cell, place.sizes.cell_height)
    block.ask(Zone(field.key, place.row, kind, 1, box, cells=count))
    return box.right


def _unit(block: Block, x: float, place: Place, text: str) -> None:
    sizes = place.sizes
    baseline = place.y + sizes.cell_height / 2 + sizes.unit * CAP_HEIGHT / POINT / 2
    block.write(x + 1.6, tidy(baseline), text, size=sizes.unit, tone="soft")


def digits(block: Block, field: Field, place: Place) -> float:
    """A comb of digits."""
    _comb(block, field, place)
    return place.sizes.cell_height


def letters(block: Block, field: Field, place: Place) -> float:
    """A comb of capitals."""
    _comb(block, field, place, ZoneKind.LETTERS)
    return place.sizes.cell_height


def money(block: Block, field: Field, place: Place) -> float:
    """A comb of digits, in whole euros."""
    with block.part("P"):
        _unit(block, _comb(block, field, place), place, "€")
    return place.sizes.cell_height


def date(block: Block, field: Field, place: Place) -> float:
    """Eight digits: day, month, year; two dividers part them."""
    high, cell = place.sizes.cell_height, place.sizes.cell
    with block.part("P"):
        right = _comb(block, field, place)
        if right + 2 * place.sizes.unit <= place.x + place.room:
            _unit(block, right, place, "JJ MM AAAA")
    for cells in (2, 4):
        block.draw("rule", Box(place.x + cells * cell, place.y, 0, high), "divider")
    return high


def line(block: Block, field: Field, place: Place) -> float:
    """Free handwriting: one line, or several for a long text."""
    lines = 1 if field.type is not FieldType.TEXT else min(MOST_LINES, ceil(max(1, field.size) / LINE_LETTERS))
    high = place.sizes.line
    box = Box(place.x, place.y, place.room, lines * high)
    block.ask(Zone(field.key, place.row, ZoneKind.LINE, 1, box))
    for each in range(1, lines):
        block.draw("rule", Box(place.x, place.y + each * high, place.room, 0), "hair")
    return box.h


def signature(block: Block, field: Field, place: Place) -> float:
    """A frame to sign in."""
    high = place.sizes.signature_height
    box = Box(place.x, place.y, min(place.sizes.signature_width, place.room), high)
    block.ask(Zone(field.key, place.row, ZoneKind.SIGNATURE, 1, box))
    return high


def _box(block: Block, field: Field, place: Place, value: str) -> None:
    side = place.sizes.tick
    block.ask(Zone(field.key, place.row, ZoneKind.BOX, 1, Box(place.x, place.y, side, side), value=value))


def _labelled(block: Block, field: Field, place: Place, value: str, label: str) -> None:
    sizes = place.sizes
    indent = sizes.tick + sizes.tick_gap
    baseline = place.y + sizes.tick / 2 + sizes.choice * CAP_HEIGHT / POINT / 2
    with block.part("P"):
        _box(block, field, place, value)
        block.write(place.x + indent, tidy(baseline), label, size=sizes.choice, room=place.room - indent)


def choice_columns(labels: Sequence[str], room: float, sizes: Sizes = ORDINARY) -> list[tuple[list[int], float]]:
    """The choices of each column (read downwards) and its width: as many columns as `room` lets, widened evenly."""
    indent = sizes.tick + sizes.tick_gap
    wide = [width(french(label), sizes.choice) + indent for label in labels]
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
    x, lines, sizes = place.x, 0, place.sizes
    for column, pitch in choice_columns([each.label for each in field.choices], place.room, sizes):
        for line_, index in enumerate(column):
            told = field.choices[index]
            own = Place(place.row, x, place.y + line_ * sizes.tick_pitch, place.x + place.room - x, sizes)
            _labelled(block, field, own, told.value, told.label)
        x += pitch
        lines = max(lines, len(column))
    return (lines - 1) * sizes.tick_pitch + sizes.tick


def yes_no(block: Block, field: Field, place: Place) -> float:
    """Two boxes."""
    pitch = place.sizes.yes_no / 2
    for index, (value, label) in enumerate((("yes", "Oui"), ("no", "Non"))):
        own = Place(place.row, place.x + index * pitch, place.y, pitch, place.sizes)
        _labelled(block, field, own, value, label)
    return place.sizes.tick


def tick(block: Block, field: Field, place: Place) -> float:
    """One box; its wording is the question itself, written beside it by the row."""
    _box(block, field, place, "on")
    return place.sizes.tick


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

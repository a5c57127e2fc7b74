"""A registered form page, read field by field: values with calibrated confidences, never a guess for handwriting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.paper_form.zones import Box, FormLayout, Zone, ZoneKind
from campaigns.questionnaire.schema import Field, FieldType
from returns.reading import digits, marks
from returns.reading.combs import Comb, read_comb
from returns.reading.pixels import Grey
from returns.reading.registration import Registration

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ReadField:
    """One question of one row as read. `value` is canonical, None when nothing is written or nothing can be told.

    `inked`: something is written. `several`: more than one box of a single choice is ticked. `confidence` from 0 to 1.
    """

    field: str
    row: int
    value: Any
    inked: bool
    confidence: float
    several: bool
    box: Box


def read_form(
    grey: Grey, registration: Registration, layout: FormLayout, questions: Mapping[str, Field]
) -> tuple[ReadField, ...]:
    """Every field of the page that `registration` names, in reading order. `questions` are the fields by key."""
    groups: dict[Address, list[Zone]] = defaultdict(list)
    for zone in layout.on_page(registration.code.page):
        groups[zone.field, zone.row].append(zone)
    combs = {at: _comb(grey, registration, zones[0]) for at, zones in groups.items() if _is_comb(zones)}
    chances = dict(zip(combs, digits.chances_of(list(combs.values())), strict=True))
    told = []
    for address, zones in groups.items():
        question = questions[address[0]]
        if address in combs:
            told.append(_number(question, zones[0], combs[address], chances[address]))
        else:
            told.append(_other(grey, registration, question, zones))
    return tuple(told)


def _is_comb(zones: Sequence[Zone]) -> bool:
    return zones[0].kind is ZoneKind.COMB


def _comb(grey: Grey, registration: Registration, zone: Zone) -> Comb:
    return read_comb(grey, registration, zone.box, zone.cells)


def _number(question: Field, zone: Zone, comb: Comb, chances: digits.Chances) -> ReadField:
    number = digits.decode(question, chances, spilt=comb.spilt)
    value = digits.as_value(question, number.text)
    confidence = number.confidence if value is not None else 0.0
    if comb.blank:
        confidence = marks.SURE
    return ReadField(zone.field, zone.row, value, not comb.blank, confidence, several=False, box=zone.box)


def _other(grey: Grey, registration: Registration, question: Field, zones: Sequence[Zone]) -> ReadField:
    zone = zones[0]
    around = _around([each.box for each in zones])
    if zone.kind is ZoneKind.BOX:
        ticked = marks.read_boxes(grey, registration, zones)
        value = _box_value(question, ticked.value)
        return ReadField(
            zone.field, zone.row, value, ticked.inked, ticked.confidence, several=ticked.several, box=around
        )
    if zone.kind is ZoneKind.SIGNATURE:
        signed, confidence = marks.is_signed(grey, registration, zone)
        return ReadField(zone.field, zone.row, signed or None, signed, confidence, several=False, box=around)
    holds = marks.holds_letters if zone.kind is ZoneKind.LETTERS else marks.holds_writing
    inked = holds(grey, registration, zone)
    return ReadField(zone.field, zone.row, None, inked, 0.0 if inked else marks.SURE, several=False, box=around)


def _box_value(question: Field, ticked: str | None) -> Any:
    if ticked is None:
        return None
    if question.type in {FieldType.TICK, FieldType.YES_NO}:
        return ticked in {"on", "yes"}
    return ticked


def _around(boxes: Sequence[Box]) -> Box:
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Box(left, top, right - left, bottom - top)

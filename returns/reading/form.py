"""A registered form page, read field by field: values with calibrated confidences, no guess for free handwriting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from campaigns.paper_form.zones import FormLayout, Zone, ZoneKind
from campaigns.questionnaire.schema import Field, FieldType
from returns.reading.combs import Comb, glyphs_of, read_combs
from returns.reading.decoding import BLANK_CONFIDENCE, Decoded, decode, spelled
from returns.reading.ink import LINE_INK_MM2, is_written, surely_written
from returns.reading.marks import measure_boxes, read_ticks
from returns.reading.pixels import Grey
from returns.reading.readings import Doubt, Ink, ReadField
from returns.reading.recognisers import CAPITALS, DIGITS, Alphabet, recognise
from returns.reading.registration import Registration

Group = Sequence[Zone]

EMPTY: Mapping[str, Field] = MappingProxyType({})
MACHINE_READ = (ZoneKind.BOX, ZoneKind.COMB, ZoneKind.LETTERS)


def read_form(
    grey: Grey,
    registration: Registration,
    layout: FormLayout,
    questions: Mapping[str, Field],
    *,
    today: date | None = None,
) -> tuple[ReadField, ...]:
    """The answers of the page that `registration` names, in the layout's order.

    `questions` (key to definition) lets dates, whole numbers and checked numbers be decoded with what is known of them;
    a comb whose question is not among them gives its digits as text. `today`, the day the page came, bounds its dates.
    """
    groups = _groups(layout, registration.code.page)
    boxes, digits, names = ([group for group in groups if group[0].kind is kind] for kind in MACHINE_READ)
    combs = iter(read_combs(grey, registration, [zone for group in digits + names for zone in group]))
    told = _ticks(grey, registration, boxes) + _digits(digits, combs, questions, today) + _names(names, combs)
    told += [_kept_for_people(grey, registration, group) for group in groups if group[0].kind not in MACHINE_READ]
    order = {(group[0].field, group[0].row, group[0].kind): number for number, group in enumerate(groups)}
    return tuple(sorted(told, key=lambda reading: order[reading.field, reading.row, reading.kind]))


def _groups(layout: FormLayout, page: int) -> list[Group]:
    """The zones of the page, one group an answer and a kind."""
    groups: dict[tuple[str, int, ZoneKind], list[Zone]] = {}
    for zone in layout.on_page(page):
        groups.setdefault((zone.field, zone.row, zone.kind), []).append(zone)
    return list(groups.values())


def stands_alone(question: Field | None) -> bool:
    """Whether nothing but its ink vouches for an answer in digits: it has no key, and is not keyed again by people."""
    return question is not None and not question.double_keying and question.check != "nif"


def may_be_bounded(question: Field | None) -> bool:
    """Whether what is known of a household may bound that answer: a date for which nothing but its ink vouches."""
    return question is not None and question.type is FieldType.DATE and stands_alone(question)


def _ticks(grey: Grey, registration: Registration, groups: Sequence[Group]) -> list[ReadField]:
    marks = iter(measure_boxes(grey, registration, [zone.box for group in groups for zone in group]))
    return [read_ticks(group, list(islice(marks, len(group)))) for group in groups]


def _digits(
    groups: Sequence[Group], combs: Iterator[Comb], questions: Mapping[str, Field], today: date | None
) -> list[ReadField]:
    readings = []
    for group, parts, cells in _cells(groups, combs, DIGITS, questions):
        spilt = any(comb.spilt for comb in parts)
        decoded = decode(cells, questions.get(group[0].field), spilt=spilt, today=today)
        read = _reading(group, decoded, inked=not all(comb.blank for comb in parts))
        bounded = read.inked and may_be_bounded(questions.get(group[0].field))
        readings.append(replace(read, ink=_ink(cells, spilt)) if bounded else read)
    return readings


def _ink(cells: Sequence[NDArray[np.float64] | None], spilt: bool) -> Ink:
    return Ink(tuple(None if cell is None else tuple(cell.tolist()) for cell in cells), spilt)


def _names(groups: Sequence[Group], combs: Iterator[Comb]) -> list[ReadField]:
    """Names in capitals; so little ink that no letter is seen in it is still told as ink."""
    readings = []
    for group, parts, cells in _cells(groups, combs, CAPITALS):
        decoded = spelled(cells, spilt=any(comb.spilt for comb in parts))
        written, sure = surely_written(sum(sum(comb.ink_mm2) for comb in parts), LINE_INK_MM2)
        if decoded.confidence == BLANK_CONFIDENCE and decoded.value is None:
            decoded = replace(decoded, confidence=sure, doubt=Doubt.HANDWRITING if written else Doubt.NONE)
        readings.append(_reading(group, decoded, inked=written or not all(comb.blank for comb in parts)))
    return readings


def _cells(
    groups: Sequence[Group], combs: Iterator[Comb], alphabet: Alphabet, questions: Mapping[str, Field] = EMPTY
) -> Iterator[tuple[Group, list[Comb], list[NDArray[np.float64] | None]]]:
    """Each group with its combs, the next ones, and the probabilities of each of their cells, recognised in one go."""
    held = [list(islice(combs, len(group))) for group in groups]
    glyphs, closely = [], []
    for group, parts in zip(groups, held, strict=True):
        own = list(glyphs_of(parts))
        glyphs += own
        closely += [stands_alone(questions.get(group[0].field))] * len(own)
    probabilities = iter(recognise(glyphs, alphabet, closely=closely))
    for group, parts in zip(groups, held, strict=True):
        yield group, parts, [None if glyph is None else next(probabilities) for comb in parts for glyph in comb.glyphs]


def _reading(group: Group, decoded: Decoded, *, inked: bool) -> ReadField:
    first = group[0]
    return ReadField(
        field=first.field,
        row=first.row,
        kind=first.kind,
        value=decoded.value,
        confidence=decoded.confidence,
        boxes=tuple(zone.box for zone in group),
        inked=inked,
        doubt=decoded.doubt,
        alternatives=decoded.alternatives,
    )


def _kept_for_people(grey: Grey, registration: Registration, group: Group) -> ReadField:
    """A signature is present or not; free handwriting is blank, or a person's to key."""
    first = group[0]
    seen = [is_written(grey, registration, zone) for zone in group]
    written = any(each for each, _ in seen)
    confidence = min(sure for _, sure in seen)
    signature = first.kind is ZoneKind.SIGNATURE
    return ReadField(
        field=first.field,
        row=first.row,
        kind=first.kind,
        value=True if signature and written else None,
        confidence=confidence if signature or not written else 0.0,
        boxes=tuple(zone.box for zone in group),
        inked=written,
        doubt=Doubt.HANDWRITING if written and not signature else Doubt.NONE,
    )


__all__ = ["ReadField", "read_form"]

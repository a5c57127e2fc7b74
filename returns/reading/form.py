"""A registered form page, read field by field: values with calibrated confidences, never a guess for handwriting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from campaigns.paper_form.zones import FormLayout, Zone, ZoneKind
from campaigns.questionnaire.schema import Field
from returns.reading.combs import glyphs_of, read_comb
from returns.reading.decoding import decode
from returns.reading.digits import recognise
from returns.reading.ink import is_written
from returns.reading.marks import measure_boxes, read_ticks
from returns.reading.pixels import Grey
from returns.reading.readings import Doubt, ReadField
from returns.reading.registration import Registration

Group = Sequence[Zone]

MACHINE_READ = (ZoneKind.BOX, ZoneKind.COMB)


def read_form(
    grey: Grey, registration: Registration, layout: FormLayout, questions: Mapping[str, Field]
) -> tuple[ReadField, ...]:
    """The answers of the page that `registration` names, in the layout's order.

    `questions` (key to definition) lets dates, whole numbers and checked numbers be decoded with what is known of them;
    a comb whose question is not among them gives its digits as text.
    """
    groups = _groups(layout, registration.code.page)
    boxes = [group for group in groups if group[0].kind is ZoneKind.BOX]
    combs = [group for group in groups if group[0].kind is ZoneKind.COMB]
    told = _ticks(grey, registration, boxes) + _digits(grey, registration, combs, questions)
    told += [_kept_for_people(grey, registration, group) for group in groups if group[0].kind not in MACHINE_READ]
    order = {(group[0].field, group[0].row, group[0].kind): number for number, group in enumerate(groups)}
    return tuple(sorted(told, key=lambda reading: order[reading.field, reading.row, reading.kind]))


def _groups(layout: FormLayout, page: int) -> list[Group]:
    """The zones of the page, one group an answer and a kind."""
    groups: dict[tuple[str, int, ZoneKind], list[Zone]] = {}
    for zone in layout.on_page(page):
        groups.setdefault((zone.field, zone.row, zone.kind), []).append(zone)
    return list(groups.values())


def _ticks(grey: Grey, registration: Registration, groups: Sequence[Group]) -> list[ReadField]:
    zones = [zone for group in groups for zone in group]
    if not zones:
        return []
    marks = dict(zip(zones, measure_boxes(grey, registration, [zone.box for zone in zones]), strict=True))
    return [read_ticks(group, [marks[zone] for zone in group]) for group in groups]


def _digits(
    grey: Grey, registration: Registration, groups: Sequence[Group], questions: Mapping[str, Field]
) -> list[ReadField]:
    combs = [[read_comb(grey, registration, zone.box, zone.cells) for zone in group] for group in groups]
    probabilities = iter(recognise(list(glyphs_of([comb for each in combs for comb in each]))))
    readings = []
    for group, parts in zip(groups, combs, strict=True):
        cells = [None if glyph is None else next(probabilities) for comb in parts for glyph in comb.glyphs]
        decoded = decode(cells, questions.get(group[0].field), spilt=any(comb.spilt for comb in parts))
        readings.append(
            ReadField(
                field=group[0].field,
                row=group[0].row,
                kind=ZoneKind.COMB,
                value=decoded.value,
                confidence=decoded.confidence,
                boxes=tuple(zone.box for zone in group),
                inked=not all(comb.blank for comb in parts),
                doubt=decoded.doubt,
                alternatives=decoded.alternatives,
            )
        )
    return readings


def _kept_for_people(grey: Grey, registration: Registration, group: Group) -> ReadField:
    """A signature is present or not; handwriting is blank, or a person's to key."""
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

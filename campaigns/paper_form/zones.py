"""What a laid-out form is made of. All lengths are millimetres from the top left corner of an A4 page (210 x 297).

Pure. The reader of scans needs nothing else than these shapes; `layout.lay_out()` computes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import cached_property
from typing import Any

PAGE_WIDTH = 210.0
PAGE_HEIGHT = 297.0
UNREAD = -1  # `at` of what is no content: page numbers, marks, drawn examples


class ZoneKind(StrEnum):
    """How the tenant answers in a zone."""

    BOX = "box"  # one square to tick; `value` is the choice ('yes' / 'no' for YES_NO, 'on' for TICK)
    COMB = "comb"  # `cells` equal cells side by side, one digit each
    LETTERS = "letters"  # `cells` equal cells side by side, one capital each
    LINE = "line"  # free handwriting: kept as a crop, keyed by a person
    SIGNATURE = "signature"  # presence of ink only


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Bottom edge."""
        return self.y + self.h

    def overlaps(self, other: Box) -> bool:
        """Whether the two rectangles share an area."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom


@dataclass(frozen=True, slots=True)
class Zone:
    """Where one answer (or one choice of it) is written. `page` counts from 1."""

    field: str
    row: int
    kind: ZoneKind
    page: int
    box: Box
    value: str = ""
    cells: int = 0
    at: int = UNREAD


@dataclass(frozen=True, slots=True)
class PrefillSpot:
    """Where a known value is printed, or another personal text (`field` is then a '@name' such as '@address')."""

    field: str
    row: int
    page: int
    box: Box
    size: float = 9.0
    bold: bool = False
    at: int = UNREAD


@dataclass(frozen=True, slots=True)
class Text:
    """A printed text: baseline at (x, y), point `size`, `style` regular | bold | italic, grey from 0 (black) to 1."""

    page: int
    x: float
    y: float
    text: str
    size: float = 9.0
    style: str = "regular"
    tone: str = "ink"  # ink | soft | accent | inverse
    align: str = "left"  # left | right | center
    at: int = UNREAD


@dataclass(frozen=True, slots=True)
class Shape:
    """A printed figure behind the texts: `kind` is rule | panel | frame | band."""

    page: int
    kind: str
    box: Box
    tone: str = "soft"
    radius: float = 0.0


@dataclass(frozen=True)
class FormLayout:
    """A form laid out for `rows` occupant rows. Two layouts with equal zones share a fingerprint."""

    questionnaire: str  # key of the definition
    rows: int
    pages: int
    zones: tuple[Zone, ...]
    prefills: tuple[PrefillSpot, ...]
    texts: tuple[Text, ...]
    shapes: tuple[Shape, ...]
    marks: tuple[Box, ...]  # the corner squares of every page: top left, top right, bottom left, bottom right
    page_code: Box  # the square of the page's 2D code, quiet zone excluded, the same on every page
    parts: tuple[str, ...] = ()  # what each part is, in reading order: `at` of zones, spots and texts counts in it

    def on_page(self, page: int) -> Iterator[Zone]:
        """The zones of one page, in reading order."""
        return iter(self._by_page.get(page, ()))

    @cached_property
    def _by_page(self) -> dict[int, list[Zone]]:
        pages: dict[int, list[Zone]] = {}
        for zone in self.zones:
            pages.setdefault(zone.page, []).append(zone)
        return pages

    @cached_property
    def fingerprint(self) -> str:
        """Eight hex digits over what the reader relies on: every zone, mark and code position."""
        told = [self.rows, self.pages, [_measured(zone) for zone in self.zones]]
        told += [[asdict(mark) for mark in self.marks], asdict(self.page_code)]
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:8].upper()

    def as_tables(self) -> dict[str, Any]:
        """The layout as plain JSON-able tables; `from_tables()` is the way back."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_tables(cls, tables: dict[str, Any]) -> FormLayout:
        """The layout that `as_tables()` told."""

        def box(told: dict[str, float]) -> Box:
            return Box(**told)

        return cls(
            questionnaire=tables["questionnaire"],
            rows=tables["rows"],
            pages=tables["pages"],
            zones=tuple(
                Zone(**{**told, "kind": ZoneKind(told["kind"]), "box": box(told["box"])}) for told in tables["zones"]
            ),
            prefills=tuple(PrefillSpot(**{**told, "box": box(told["box"])}) for told in tables["prefills"]),
            texts=tuple(Text(**told) for told in tables["texts"]),
            shapes=tuple(Shape(**{**told, "box": box(told["box"])}) for told in tables["shapes"]),
            marks=tuple(box(told) for told in tables["marks"]),
            page_code=box(tables["page_code"]),
            parts=tuple(tables.get("parts", ())),
        )


NAMES = {kind: tuple(each.name for each in fields(kind)) for kind in (Zone, PrefillSpot, Text, Shape)}


def _plain(told: Any) -> Any:
    """What a layout is made of as JSON has it: an object for each dataclass, a list for a tuple."""
    if isinstance(told, Box):
        return {"x": told.x, "y": told.y, "w": told.w, "h": told.h}
    if isinstance(told, tuple):
        return [_plain(each) for each in told]
    names = NAMES.get(type(told))
    return told if names is None else {name: _plain(getattr(told, name)) for name in names}


def _measured(zone: Zone) -> dict[str, Any]:
    """What the reader of scans relies on; where a zone comes when the form is read out is not of it."""
    box = zone.box
    return {
        "field": zone.field,
        "row": zone.row,
        "kind": zone.kind,
        "page": zone.page,
        "box": {"x": box.x, "y": box.y, "w": box.w, "h": box.h},
        "value": zone.value,
        "cells": zone.cells,
    }

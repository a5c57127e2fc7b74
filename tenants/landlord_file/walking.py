"""The places that a profile names, compiled into one tree of tags, so that one walk of an element reads them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from lxml import etree

from .paths import SourcePath

Values = list[str | None]


class Node:
    """One element of interest: the slot of its text, those of its attributes, its children, its conditional twins."""

    __slots__ = ("attributes", "children", "condition", "leaf", "occupant", "slot", "twins")

    def __init__(self) -> None:
        self.slot = -1
        self.attributes: list[tuple[str, int]] = []
        self.children: dict[str, Node] = {}
        self.condition = ""
        self.twins: dict[str, Node] = {}
        self.occupant = False
        self.leaf = True

    def child(self, tag: str, attribute: str, value: str) -> Node:
        """The node for that tag, made if need be; with a condition, its twin for that attribute value."""
        node = self.children.setdefault(tag, Node())
        self.leaf = False
        if not attribute:
            return node
        node.condition = attribute
        return node.twins.setdefault(value, Node())


@dataclass(frozen=True, slots=True)
class Slots:
    """The distinct places read on one kind of row, in the order of the values that `read_row` gives."""

    paths: tuple[SourcePath, ...]

    def index(self, path: SourcePath) -> int:
        """Which value that place gives."""
        return self.paths.index(path)


def slots_of(paths: Iterable[SourcePath]) -> Slots:
    """Distinct places, first come first."""
    return Slots(tuple(dict.fromkeys(paths)))


def compile_row(slots: Slots, occupant_path: SourcePath | None = None, occupant: Slots | None = None) -> Node:
    """The tree of one kind of row; with occupants inside, their own places hang under `occupant_path`."""
    root = Node()
    _hang(root, slots)
    if occupant_path is not None and occupant is not None:
        node = root
        for step in occupant_path.steps:
            node = node.child(step.tag, "", "")
        node.occupant = True
        _hang(node, occupant)
    return root


def _hang(root: Node, slots: Slots) -> None:
    for slot, path in enumerate(slots.paths):
        node = root
        for step in path.steps:
            node = node.child(step.tag, step.attribute, step.value)
        if path.attribute:
            node.attributes.append((path.attribute, slot))
        else:
            node.slot = slot


class Fault(NamedTuple):
    """Something wrong with a row's shape: kind, slot, occupant number from 1 (0 for the household)."""

    kind: str
    slot: int
    occupant: int
    value: str = ""
    expected: str = ""


class Walker:
    """Reads rows of one kind, and remembers repeated or unexpected elements until `take_faults`."""

    def __init__(self, root: Node, width: int, occupant_width: int = 0) -> None:
        self.root = root
        self.width = width
        self.occupant_width = occupant_width
        self.faults: list[Fault] = []
        self.unknown: set[str] = set()
        self._fresh: list[str] = []

    def take_faults(self) -> list[Fault]:
        """What was wrong with the rows read since the last call."""
        if not self.faults:
            return []
        faults, self.faults = self.faults, []
        return faults

    def fresh_names(self) -> list[str]:
        """Names of unmapped elements met for the first time since the last call."""
        names, self._fresh = self._fresh, []
        return names

    def read_row(self, element: etree._Element, *, first: bool = False) -> tuple[Values, list[Values]]:
        """The row's values by slot, and one list of values per occupant found inside.

        On the `first` row, the names of its attributes are noted too.
        """
        if first:
            for name in element.attrib:
                self._note(name)
        values: Values = [None] * self.width
        occupants: list[Values] = []
        root = self.root
        for name, slot in root.attributes:
            values[slot] = element.get(name)
        if root.slot >= 0:
            values[root.slot] = element.text
        if root.children:
            self._walk(element, root, values, occupants, 0)
        return values, occupants

    def _walk(
        self, element: etree._Element, node: Node, values: Values, occupants: list[Values], occupant: int
    ) -> None:
        children = node.children
        for child in element:
            found = children.get(child.tag)
            if found is None:
                self._note(child.tag)
                continue
            if found.condition:
                found = found.twins.get(child.get(found.condition) or "", found)
            if found.occupant:
                row: Values = [None] * self.occupant_width
                occupants.append(row)
                self._take(child, found, row, occupants, len(occupants))
            else:
                self._take(child, found, values, occupants, occupant)

    def _take(
        self, element: etree._Element, node: Node, values: Values, occupants: list[Values], occupant: int
    ) -> None:
        slot = node.slot
        if slot >= 0:
            if values[slot] is not None:
                self.faults.append(Fault("repeated_element", slot, occupant))
            values[slot] = element.text or ""
            if node.leaf and len(element):
                self.faults.append(Fault("unexpected_element", slot, occupant))
        for name, place in node.attributes:
            value = element.get(name)
            if value is not None:
                if values[place] is not None:
                    self.faults.append(Fault("repeated_element", place, occupant))
                values[place] = value
        if not node.leaf:
            self._walk(element, node, values, occupants, occupant)

    def _note(self, tag: object) -> None:
        if isinstance(tag, str) and tag not in self.unknown and len(self.unknown) < 1000:
            self.unknown.add(tag)
            self._fresh.append(tag)


def line_of(element: etree._Element) -> int:
    """The line where an element stands.

    Past 65,535 libxml2 keeps no line on elements and lends that of a neighbouring text, counted at its end: the first
    text inside, or the text that follows an empty element (which must have been read by then).
    """
    line = element.sourceline or 0
    if line < 65_535:
        return line
    if element.text is None and len(element):
        return line_of(element[0])
    folded = element.text if element.text is not None else element.tail
    return line - (folded or "").count("\n")


def find(element: etree._Element, path: SourcePath) -> etree._Element:
    """The element that holds a place of this row, or the nearest one on the way to it."""
    for step in path.steps:
        inside = (child for child in element if child.tag == step.tag)
        found = next((c for c in inside if not step.attribute or c.get(step.attribute) == step.value), None)
        if found is None:
            return element
        element = found
    return element

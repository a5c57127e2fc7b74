"""The places that a profile names, compiled into one tree of tags, so that one walk of an element reads them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from lxml import etree

from .paths import SourcePath

Values = list[str | None]
_SHAPES = 500
_TAG, _TEXT = attrgetter("tag"), attrgetter("text")


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

    def conditional(self) -> bool:
        """Whether an attribute's value decides anywhere below which place is read."""
        inside = (*self.children.values(), *self.twins.values())
        return bool(self.condition) or any(node.conditional() for node in inside)


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


@dataclass(slots=True)
class _Plan:
    """Where each slot is in a row of one shape: the number of the element, in document order, whose text it is."""

    values: list[int]
    occupants: list[list[int]] = field(default_factory=list)
    attributes: list[tuple[int, int, int, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class Walker:
    """Reads rows of one kind, and remembers repeated or unexpected elements until `take_faults`.

    A row's shape (the tags in document order and how many children each has) says all about where its values stand:
    the walk is done once per shape, then texts are picked by number. Conditions on attributes forbid that memory.
    """

    def __init__(self, root: Node, width: int, occupant_width: int = 0) -> None:
        self.root = root
        self.width = width
        self.occupant_width = occupant_width
        self.faults: list[Fault] = []
        self.unknown: set[str] = set()
        self._fresh: list[str] = []
        self._plans: dict[tuple[tuple[str, ...], tuple[int, ...]], _Plan] = {}
        by_slot = {slot: name for name, slot in root.attributes}
        self._names = [by_slot.get(slot, "") for slot in range(width)]
        self._remembers = not root.conditional()
        self._number = 0

    def take_faults(self) -> list[Fault]:
        """What was wrong with the rows read since the last call."""
        if not self.faults:
            return []
        faults, self.faults = self.faults, []
        return faults

    def fresh_names(self) -> list[str]:
        """Names of unmapped elements met for the first time since the last call."""
        if not self._fresh:
            return []
        names, self._fresh = self._fresh, []
        return names

    def read_row(self, element: etree._Element, *, first: bool = False) -> tuple[Values, list[Values]]:
        """The row's values by slot, and one list of values per occupant found inside.

        On the `first` row, the names of its attributes are noted too.
        """
        if first:
            for name in element.attrib:
                self._note(name)
        if self.root.leaf:
            return self._read_leaf(element), []
        elements = list(element.iter())
        plan = self._plan(element, elements)
        texts = list(map(_TEXT, elements))
        texts.append(None)
        values = [texts[number] for number in plan.values]
        occupants = [[texts[number] for number in numbers] for numbers in plan.occupants]
        for slot, number, occupant, name in plan.attributes:
            value = elements[number].get(name)
            if value is not None:
                (occupants[occupant - 1] if occupant else values)[slot] = value
        if plan.faults:
            self.faults += plan.faults
        return values, occupants

    def _read_leaf(self, element: etree._Element) -> Values:
        """A row that holds nothing but its attributes and its text."""
        values: Values = list(map(dict(element.items()).get, self._names))  # type: ignore[arg-type]  # lxml gives str
        if self.root.slot >= 0:
            values[self.root.slot] = element.text
        return values

    def _plan(self, element: etree._Element, elements: list[etree._Element]) -> _Plan:
        shape = tuple(map(_TAG, elements)), tuple(map(len, elements))
        plan = self._plans.get(shape)
        if plan is None:
            plan = _Plan([-1] * self.width)
            self._number = 0
            self._take(element, self.root, plan, 0)
            if self._remembers and len(self._plans) < _SHAPES:
                self._plans[shape] = plan
        return plan

    def _take(self, element: etree._Element, node: Node | None, plan: _Plan, occupant: int) -> None:
        """Number this element and all it holds, in document order, and note what its node asks for."""
        number = self._number
        self._number += 1
        if node is None:
            self._number += sum(1 for _ in element.iterdescendants())
            return
        slots = plan.occupants[occupant - 1] if occupant else plan.values
        if node.slot >= 0:
            if slots[node.slot] >= 0:
                plan.faults.append(Fault("repeated_element", node.slot, occupant))
            if node.leaf and len(element):
                plan.faults.append(Fault("unexpected_element", node.slot, occupant))
            slots[node.slot] = number
        for name, slot in node.attributes:
            if any(known[0] == slot and known[2] == occupant for known in plan.attributes):
                plan.faults.append(Fault("repeated_element", slot, occupant))
            plan.attributes.append((slot, number, occupant, name))
        for child in element:
            self._take_child(child, node.children.get(child.tag), plan, occupant)

    def _take_child(self, child: etree._Element, found: Node | None, plan: _Plan, occupant: int) -> None:
        if found is None:
            self._note(child.tag)
        elif found.condition:
            found = found.twins.get(child.get(found.condition) or "", found)
        if found is not None and found.occupant:
            plan.occupants.append([-1] * self.occupant_width)
            occupant = len(plan.occupants)
        self._take(child, found, plan, occupant)

    def _note(self, tag: object) -> None:
        if isinstance(tag, str) and tag not in self.unknown and len(self.unknown) < 1000:
            self.unknown.add(tag)
            self._fresh.append(tag)


def line_of(element: etree._Element) -> int:
    """The line where an element stands.

    Past 65,535 libxml2 keeps no line on elements and lends that of a neighbouring text, counted at its end: the first
    text inside, or the text that follows an empty element (which must have been read by then).
    """
    known: Any = element.sourceline
    line: int = known or 0
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

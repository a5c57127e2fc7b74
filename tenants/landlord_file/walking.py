"""The places that a profile names, read on each row: one walk per shape of row, then texts picked by their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter, itemgetter, methodcaller
from typing import Any, NamedTuple

from lxml import etree

from .paths import SourcePath

Values = Sequence[str | None]
"""The texts of one row by slot; the last one is always None, for what the file does not give."""

Pick = Callable[[Sequence[str | None]], tuple[str | None, ...]]

MOST_ELEMENTS = 20_000
"""Elements that one household may hold; a household of a hundred people has about a thousand."""

MOST_NAMES = 1_000
"""Different names that the profile does not know, before a file is no longer believed."""

_SHAPES = 1_000
_TAG, _TEXT = attrgetter("tag"), attrgetter("text")


class Node:
    """One element of interest: the slot of its text, those of its attributes, its children, its conditional twins."""

    __slots__ = ("attributes", "children", "leaf", "occupant", "slot", "twins")

    def __init__(self) -> None:
        self.slot = -1
        self.attributes: list[tuple[str, int]] = []
        self.children: dict[str, Node] = {}
        self.twins: dict[tuple[str, str], Node] = {}
        self.occupant = False
        self.leaf = True

    def child(self, tag: str, attribute: str, value: str) -> Node:
        """The node for that tag, made if need be; with a condition, its twin for that attribute value."""
        node = self.children.setdefault(tag, Node())
        self.leaf = False
        return node.twins.setdefault((attribute, value), Node()) if attribute else node

    def conditions(self) -> set[str]:
        """The attributes whose value decides, anywhere below, which place is read."""
        found = {attribute for attribute, _ in self.twins}
        return found.union(*(node.conditions() for node in (*self.children.values(), *self.twins.values())))

    def chosen(self, element: etree._Element) -> Node:
        """This node, or its twin for the attributes of that element."""
        for (attribute, value), twin in self.twins.items():
            if element.get(attribute) == value:
                return twin
        return self


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


def picker(numbers: Iterable[int]) -> Pick:
    """What picks those items, and None after them, in one call; -1 is an item that must be None."""
    return itemgetter(*numbers, -1, -1)


class Fault(NamedTuple):
    """Something wrong with a row's shape: kind, slot, occupant number from 1 (0 for the household)."""

    kind: str
    slot: int
    occupant: int
    value: str = ""
    expected: str = ""


@dataclass(slots=True)
class _Draft:
    """A shape being walked: for each slot the number of the element, or of the attribute, whose text it is."""

    values: list[int]
    occupants: list[list[int]] = field(default_factory=list)
    attributes: list[tuple[int, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    number: int = 0


class _Plan(NamedTuple):
    """How a row of one shape is read: its attributes (element's number, name), then what picks each list of values.

    `holders` are the elements that have children, `sizes` how many: with the tags in document order they say it all.
    """

    holders: Callable[[list[etree._Element]], tuple[etree._Element, ...]]
    sizes: tuple[int, ...]
    attributes: list[tuple[int, str]]
    values: Pick
    occupants: list[Pick]
    faults: list[Fault]


class Walker:
    """Reads rows of one kind, and remembers repeated or unexpected elements until `take_faults`.

    A row's shape (the tags in document order, how many children each has, and the attributes that decide) says all
    about where its values stand: the walk is done once per shape, and at each row only compared.
    """

    def __init__(self, slots: Slots, occupant_path: SourcePath | None = None, occupant: Slots | None = None) -> None:
        self.root = compile_row(slots, occupant_path, occupant)
        self.width = len(slots.paths)
        self.occupant_width = len(occupant.paths) if occupant is not None else 0
        self.faults: list[Fault] = []
        self.unknown: set[str] = set()
        self.fresh: list[str] = []
        self._plans: dict[tuple[Any, ...], _Plan] = {}
        self._conditions = [methodcaller("get", name) for name in sorted(self.root.conditions())]
        self._bare = self.root.leaf and self.root.slot < 0

    def take_faults(self) -> list[Fault]:
        """What was wrong with the rows read since the last call."""
        faults, self.faults = self.faults, []
        return faults

    def fresh_names(self) -> list[str]:
        """Names of unmapped elements and attributes met for the first time since the last call."""
        names, self.fresh = self.fresh, []
        return names

    def read_row(self, element: etree._Element) -> tuple[Values, list[Values]]:
        """The row's values by slot, and one list of values per occupant found inside."""
        if self._bare and not len(element):
            return self._read_attributes(element), []
        elements = list(islice(element.iter(), MOST_ELEMENTS + 1))
        if len(elements) > MOST_ELEMENTS:
            self.faults.append(Fault("household_too_large", -1, 0))
            return (None,) * (self.width + 1), []
        shape = (*map(_TAG, elements), *self._deciding(elements)) if self._conditions else tuple(map(_TAG, elements))
        plan = self._plans.get(shape)
        if plan is None or tuple(map(len, plan.holders(elements))) != plan.sizes:
            plan = self._planned(element, elements, shape)
        texts = list(map(_TEXT, elements))
        texts += [elements[number].get(name) for number, name in plan.attributes]
        texts.append(None)
        if plan.faults:
            self.faults += plan.faults
        return plan.values(texts), [pick(texts) for pick in plan.occupants]

    def _deciding(self, elements: list[etree._Element]) -> list[tuple[str | None, ...]]:
        return [tuple(map(get, elements)) for get in self._conditions]

    def _read_attributes(self, element: etree._Element) -> Values:
        """A row that is nothing but its attributes: their names are its shape."""
        shape = tuple(element.keys())
        plan = self._plans.get(shape)
        if plan is None:
            known = {name: place for place, name in enumerate(shape)}
            numbers = [-1] * self.width
            for name, slot in self.root.attributes:
                numbers[slot] = known.pop(name, -1)
            plan = _Plan(itemgetter(0, 0), (), [], picker(numbers), [], [])
            self._note_all(known)
            self._remember(shape, plan)
        texts: list[Any] = [*element.values(), None]
        return plan.values(texts)

    def _remember(self, shape: tuple[Any, ...], plan: _Plan) -> None:
        if len(self._plans) < _SHAPES:
            self._plans[shape] = plan

    def _planned(self, element: etree._Element, elements: list[etree._Element], shape: tuple[Any, ...]) -> _Plan:
        """The plan of a shape met for the first time."""
        draft = _Draft([-1] * self.width)
        self._take(element, self.root, draft, 0)
        after = draft.number

        def pick(numbers: list[int]) -> Pick:
            return picker(number if number >= -1 else after - number - 2 for number in numbers)

        holders = [number for number, inside in enumerate(elements) if len(inside)]
        plan = _Plan(
            itemgetter(0, 0, *holders),
            tuple(len(elements[number]) for number in (0, 0, *holders)),
            draft.attributes,
            pick(draft.values),
            [pick(one) for one in draft.occupants],
            draft.faults,
        )
        self._remember(shape, plan)
        return plan

    def _take(self, element: etree._Element, node: Node, draft: _Draft, occupant: int) -> None:
        """Number this element and all it holds, in document order, and note what its node asks for.

        The text of attribute number n (from 0) is noted as -2 - n: it stands after the texts of all the elements.
        """
        number = draft.number
        draft.number += 1
        slots = draft.occupants[occupant - 1] if occupant else draft.values
        own = dict(node.attributes)
        self._note_all(name for name in element.attrib if name not in own)
        if node.slot >= 0:
            if slots[node.slot] != -1:
                draft.faults.append(Fault("repeated_element", node.slot, occupant))
            if node.leaf and len(element):
                draft.faults.append(Fault("unexpected_element", node.slot, occupant))
            slots[node.slot] = number
        for name, slot in own.items():
            if slots[slot] != -1:
                draft.faults.append(Fault("repeated_element", slot, occupant))
            slots[slot] = -2 - len(draft.attributes)
            draft.attributes.append((number, name))
        for child in element:
            found = node.children.get(child.tag)
            if found is None:
                self._pass_over(child, draft)
            else:
                self._take_child(child, found, draft, occupant)

    def _pass_over(self, element: etree._Element, draft: _Draft) -> None:
        """Count an element that nothing asks for and all it holds, and note their names."""
        for inside in element.iter():
            draft.number += 1
            self._note_all((inside.tag, *inside.attrib))

    def _take_child(self, child: etree._Element, found: Node, draft: _Draft, occupant: int) -> None:
        chosen = found.chosen(child)
        if chosen is found:
            self._note_all(child.get(attribute) for attribute, _ in found.twins)
        if chosen.occupant:
            draft.occupants.append([-1] * self.occupant_width)
            occupant = len(draft.occupants)
        self._take(child, chosen, draft, occupant)

    def _note_all(self, names: Iterable[object]) -> None:
        for name in names:
            if isinstance(name, str) and name not in self.unknown and len(self.unknown) <= MOST_NAMES:
                self.unknown.add(name)
                self.fresh.append(name)


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

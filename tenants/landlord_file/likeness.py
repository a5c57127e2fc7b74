"""What the rows of one kind look like, learned from those that the parser has read, as one regular expression.

The expression takes a row only where its text leaves no doubt: elements and attributes seen before, in the order seen
before, each at most once, their values without `&`, `<`, `>` nor control character. Every other row is the parser's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from .walking import MOST_ELEMENTS, Node, Values, picker

LONGEST = 4 * MOST_ELEMENTS
"""Characters of a row taken from its text: with so few, it can't hold too many elements (`<a/>` takes four)."""

_MOST_PEOPLE = 99
_MOST_COMPILED = 25
_BLANK = r"[ \t\r\n]*+"
_TEXT = r"[^<>&\x00-\x08\x0b-\x1f\ufffe\uffff]"
_QUOTED = r'[^"<>&\x00-\x1f\ufffe\uffff]*+'
_HERE = "\x00"
"""Where the people of a household stand in an expression being written; no XML name holds it."""


class RowMatch(NamedTuple):
    """A row found in a text: its values by slot, those of each occupant inside, where the next one may start."""

    values: Values
    occupants: list[Values]
    end: int


class _Seen:
    """One element as it was seen: its name as written, what the profile asks of it, its attributes and children."""

    __slots__ = ("attributes", "children", "known", "many", "name", "node")

    def __init__(self, name: str, node: Node | None) -> None:
        self.name = name
        self.node = node
        self.attributes: list[str] = []
        self.children: list[_Seen] = []
        self.known: dict[str, _Seen] = {}
        self.many = False


class Likeness:
    """What was learned of one kind of row. `root` is what the profile reads there, `width` how many places it has."""

    def __init__(self, root: Node, width: int, occupant_width: int) -> None:
        self._root, self._width, self._occupant_width = root, width, occupant_width
        self._seen: _Seen | None = None
        self._expression: Expression | None = None
        self._compiled = 0
        self._changed = False
        self.possible = _is_possible(root)
        self.namespaces: dict[str | None, str] = {}
        self.rows = 0

    @property
    def name(self) -> str:
        """The name of these rows as it is written; '' when none was seen."""
        return self._seen.name if self._seen is not None else ""

    def learn(self, element: etree._Element) -> None:
        """One more row that the parser has read."""
        if self._seen is None:
            self._seen = _Seen(_written(element), self._root)
            self.namespaces = dict(element.nsmap)
        if element.nsmap == self.namespaces and _written(element) == self._seen.name:
            self.rows += 1
            self._learn(element, self._seen)

    def _learn(self, element: etree._Element, seen: _Seen) -> None:
        place = 0
        for name in map(str, element.keys()):
            if name in seen.attributes:
                place = seen.attributes.index(name) + 1
            elif not name.startswith("{"):
                seen.attributes.insert(place, name)
                place, self._changed = place + 1, True
        if seen.node is not None and seen.node.slot >= 0:
            return
        place = 0
        before = None
        for child in element:
            known = seen.known.get(child.tag)
            if known is None:
                node = seen.node.children.get(child.tag) if seen.node is not None else None
                known = seen.known[child.tag] = _Seen(_written(child), node)
                seen.children.insert(place, known)
                self._changed = True
            elif known is before and known.node is None and not known.many:
                known.many = self._changed = True
            place, before = seen.children.index(known) + 1, known
            self._learn(child, known)

    def expression(self) -> Expression | None:
        """What takes rows like those seen so far; None when there can be no such thing."""
        if self._changed and self._seen is not None and self.possible and self._compiled < _MOST_COMPILED:
            self._changed = False
            self._compiled += 1
            self._expression = Expression(self._seen, self._width, self._occupant_width)
        return self._expression


class Expression:
    """Takes rows from a text: the household up to its people, each of them, then what follows."""

    def __init__(self, seen: _Seen, width: int, occupant_width: int) -> None:
        slots: list[int] = []
        people: list[_Seen] = []
        head, _, tail = _BLANK.join(("", _element(seen, slots, people), "")).partition(_HERE)
        self._head, self._tail = re.compile(head).match, re.compile(tail).match
        self._pick = picker(_numbers(slots, width))
        self._person = None
        if people:
            slots = []
            self._person = re.compile(_inside(people[0], slots, []) + _BLANK).match
            self._pick_person = picker(_numbers(slots, occupant_width))

    def match(self, text: str, start: int) -> RowMatch | None:
        """The row that starts there, or None when it is not like the others (or not all there)."""
        head = self._head(text, start)
        if head is None:
            return None
        found, end = head.groups(), head.end()
        people: list[Values] = []
        if self._person is not None:
            while (person := self._person(text, end)) is not None:
                people.append(self._pick_person((*person.groups(), None)))
                end = person.end()
            tail = self._tail(text, end)
            if tail is None or len(people) > _MOST_PEOPLE:
                return None
            found, end = found + tail.groups(), tail.end()
        return RowMatch(self._pick((*found, None)), people, end) if end - start <= LONGEST else None


def _is_possible(root: Node) -> bool:
    """Whether a name alone says what each element is, and whether texts and elements are never both asked for."""
    return not (root.conditions() or root.occupant or root.slot >= 0) and all(_is_plain(node) for node in _below(root))


def _is_plain(node: Node) -> bool:
    return node.slot < 0 or (node.leaf and not node.occupant)


def _below(node: Node) -> Iterator[Node]:
    for child in node.children.values():
        yield child
        yield from _below(child)


def _written(element: etree._Element) -> str:
    local = str(element.tag).rpartition("}")[2]
    return f"{element.prefix}:{local}" if element.prefix else local


def _numbers(slots: list[int], width: int) -> list[int]:
    """For each slot the rank of its group, -1 when nothing was seen there."""
    return [slots.index(slot) if slot in slots else -1 for slot in range(width)]


# — the expression, element by element; `slots` are those of its groups, in their order —


def _element(seen: _Seen, slots: list[int], people: list[_Seen]) -> str:
    """The element; for people, only the place where they stand, and `people` gets what they look like."""
    if seen.node is not None and seen.node.occupant:
        people.append(seen)
        return _HERE
    return _inside(seen, slots, people)


def _inside(seen: _Seen, slots: list[int], people: list[_Seen]) -> str:
    """The element itself, from its opening to its end."""
    name, node = re.escape(seen.name), seen.node
    known = dict(node.attributes) if node is not None else {}
    opening = f"<{name}" + "".join(_attribute(each, known, slots) for each in seen.attributes)
    if node is not None and node.slot >= 0:
        slots.append(node.slot)
        content = f"({_TEXT}++)?+"
    elif seen.children:
        content = _BLANK + "".join(_child(each, slots, people) for each in seen.children)
    else:
        content = f"{_TEXT}*+"
    if _HERE in content:
        return f"{opening}>{content}</{name}>"
    return f"{opening}(?:>{content}</{name}>| ?/>)"


def _child(seen: _Seen, slots: list[int], people: list[_Seen]) -> str:
    text = _element(seen, slots, people) + _BLANK
    return text if _HERE in text else f"(?:{text}){'*+' if seen.many else '?+'}"


def _attribute(name: str, known: dict[str, int], slots: list[int]) -> str:
    if name not in known:
        return f'(?: {re.escape(name)}="{_QUOTED}")?+'
    slots.append(known[name])
    return f'(?: {re.escape(name)}="({_QUOTED})")?+'

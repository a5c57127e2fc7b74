"""Where a household's values stand, worked out only when something is wrong: line and XPath, from what was kept."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from .paths import SourcePath
from .profile import MappingProfile
from .spool import StoredRow
from .walking import Slots, find, line_of


def _under(path: str, source: SourcePath) -> str:
    return f"{path}/{source.shown}" if source.shown else path


class ElementPlace:
    """A household that is one element, still in memory."""

    __slots__ = ("_element", "_occupants", "_position", "_profile", "_slots", "line")

    def __init__(
        self, element: etree._Element, position: int, profile: MappingProfile, slots: Slots, occupants: Slots
    ) -> None:
        self._element = element
        self._position = position
        self._profile = profile
        self._slots = slots
        self._occupants = occupants
        self.line = line_of(element)

    def household(self, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of the household; slot -1 is the household itself."""
        path = f"/{self._profile.path.shown}[{self._position}]"
        if slot < 0:
            return self.line, path
        source = self._slots.paths[slot]
        return line_of(find(self._element, source)), _under(path, source)

    def occupant(self, index: int, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of its occupant number `index` (from 0)."""
        inside = self._profile.occupant.path
        steps = [step.tag for step in inside.steps] if inside else []
        people = self._element.findall("/".join(steps)) if steps else [self._element]
        element = people[index] if index < len(people) else self._element
        path = f"/{self._profile.path.shown}[{self._position}]/{inside.shown if inside else ''}[{index + 1}]"
        if slot < 0:
            return line_of(element), path
        source = self._occupants.paths[slot]
        return line_of(find(element, source)), _under(path, source)


class SharedRowsPlace:
    """A household spread over rows that each hold one occupant: [(position, line)]."""

    def __init__(self, rows: list[tuple[int, int]], profile: MappingProfile, slots: Slots, occupants: Slots) -> None:
        self._rows = rows
        self._path = profile.path.shown
        self._slots = slots
        self._occupants = occupants
        self.line = rows[0][1]

    def household(self, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of the household, on its first row."""
        return self._place(0, self._slots, slot)

    def occupant(self, index: int, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of its occupant number `index` (from 0)."""
        return self._place(index, self._occupants, slot)

    def _place(self, index: int, slots: Slots, slot: int) -> tuple[int, str]:
        position, line = self._rows[index]
        path = f"/{self._path}[{position}]"
        return line, _under(path, slots.paths[slot]) if slot >= 0 else path


class RowsPlace:
    """A household made of rows of several lists; `rows` gives the row found in each joined list ('' is its own)."""

    def __init__(
        self,
        row: StoredRow,
        rows: Mapping[str, StoredRow | None],
        people: list[StoredRow],
        profile: MappingProfile,
        slots: list[Slots],
        occupants: Slots,
    ) -> None:
        self._row = row
        self._rows = rows
        self._people = people
        self._profile = profile
        self._slots = slots
        self._occupants = occupants
        self.line = row.line

    def household(self, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of the household, on the row of the list that holds it."""
        own = f"/{self._profile.path.shown}[{self._row.position}]"
        if slot < 0:
            return self.line, own
        names = ("", *(joined.name for joined in self._profile.joins))
        paths = (self._profile.path, *(joined.path for joined in self._profile.joins))
        for name, path, slots in zip(names, paths, self._slots, strict=True):
            if slot < len(slots.paths):
                row = self._rows[name]
                if row is None:
                    return self.line, own
                return row.line, _under(f"/{path.shown}[{row.position}]", slots.paths[slot])
            slot -= len(slots.paths)
        return self.line, own

    def occupant(self, index: int, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of its occupant number `index` (from 0)."""
        inside = self._profile.occupant.path
        shown = inside.shown if inside else ""
        if index < len(self._people):
            person = self._people[index]
            line, path = person.line, f"/{shown}[{person.position}]"
        else:
            line, path = self.line, f"/{self._profile.path.shown}[{self._row.position}]/{shown}[{index + 1}]"
        return line, _under(path, self._occupants.paths[slot]) if slot >= 0 else path

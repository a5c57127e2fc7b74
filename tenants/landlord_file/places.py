"""Where a household's values stand, worked out only when something is wrong: line and XPath, from what was kept."""

from __future__ import annotations

from lxml import etree

from .paths import SourcePath
from .profile import MappingProfile
from .shortcut import Row, TextRow, line_of_row
from .spool import Row as JoinedRow
from .walking import Slots, find, line_of


def _under(path: str, source: SourcePath) -> str:
    return f"{path}/{source.shown}" if source.shown else path


class ElementPlace:
    """A household that is one element, still in memory; the same place serves for all of them, one after the other."""

    def __init__(self, profile: MappingProfile, slots: Slots, occupants: Slots) -> None:
        self._profile = profile
        self._slots = slots
        self._occupants = occupants
        self._row: Row
        self._position = 0
        self.line = 0

    def move(self, row: Row, position: int) -> None:
        """Stand on another household, which is that row and has that rank in the file (from 1)."""
        self._row = row
        self._position = position
        self.line = line_of_row(row)

    def household(self, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of the household; slot -1 is the household itself."""
        path = f"/{self._profile.path.shown}[{self._position}]"
        if slot < 0:
            return self.line, path
        source = self._slots.paths[slot]
        element, before = self._element()
        return before + line_of(find(element, source)), _under(path, source)

    def occupant(self, index: int, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of its occupant number `index` (from 0)."""
        inside = self._profile.occupant.path
        own, before = self._element()
        steps = [step.tag for step in inside.steps] if inside else []
        people = own.findall("/".join(steps)) if steps else [own]
        element = people[index] if index < len(people) else own
        path = f"/{self._profile.path.shown}[{self._position}]/{inside.shown if inside else ''}[{index + 1}]"
        if slot < 0:
            return before + line_of(element), path
        source = self._occupants.paths[slot]
        return before + line_of(find(element, source)), _under(path, source)

    def _element(self) -> tuple[etree._Element, int]:
        """The household's element, and how many lines to add to its own."""
        if isinstance(self._row, TextRow):
            return self._row.element(), self.line - 1
        return self._row, 0


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
    """A household made of rows of several lists, as `Spool.joined` gives them; one place serves for all households."""

    def __init__(self, profile: MappingProfile, slots: list[Slots], occupants: Slots) -> None:
        self._profile = profile
        self._slots = slots
        self._occupants = occupants
        self._lists = [profile.path.shown, *(joined.path.shown for joined in profile.joins)]
        self._row: JoinedRow = ()
        self._people: list[JoinedRow] = []
        self.about = sum(len(known.paths) for known in slots)
        self.line = 0

    def move(self, row: JoinedRow, people: list[JoinedRow]) -> None:
        """Stand on another household: its joined row, and the rows of its people if they are a list apart."""
        self._row = row
        self._people = people
        self.line = row[self.about + 1]

    @property
    def _own(self) -> str:
        return f"/{self._lists[0]}[{self._row[self.about]}]"

    def household(self, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of the household, on the row of the list that holds it."""
        if slot < 0:
            return self.line, self._own
        for number, (path, slots) in enumerate(zip(self._lists, self._slots, strict=True)):
            if slot < len(slots.paths):
                position, line = self._row[self.about + 4 * number : self.about + 4 * number + 2]
                if position is None:
                    break
                return line, _under(f"/{path}[{position}]", slots.paths[slot])
            slot -= len(slots.paths)
        return self.line, self._own

    def occupant(self, index: int, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of its occupant number `index` (from 0)."""
        inside = self._profile.occupant.path
        shown = inside.shown if inside else ""
        if index < len(self._people):
            _, position, line, *_ = self._people[index][-5:]
            path = f"/{shown}[{position}]"
        else:
            line, path = self.line, f"{self._own}/{shown}[{index + 1}]"
        return line, _under(path, self._occupants.paths[slot]) if 0 <= slot < len(self._occupants.paths) else path

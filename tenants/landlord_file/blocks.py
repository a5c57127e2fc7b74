"""Households that follow one another in a file, field by field: what is the same for all of them is done once.

A block says neither more nor less than its records; whoever treats a million households treats columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from operator import attrgetter, itemgetter
from typing import Any

from .profile import HOUSEHOLD_TARGETS, OCCUPANT_TARGETS
from .records import HouseholdRecord, OccupantRecord

Columns = dict[str, Sequence[Any]]
"""Field of the record → its values, in the order of the record's fields."""

_household, _occupant = attrgetter(*HOUSEHOLD_TARGETS), attrgetter(*OCCUPANT_TARGETS)


@dataclass(slots=True)
class Block:
    """`households` and `people` hold the values of each household, and of each person, one household's after another's.

    `sizes` are how many people each household has, `lines` where each starts in the file.
    """

    households: Columns
    people: Columns
    sizes: Sequence[int]
    lines: Sequence[int]

    @classmethod
    def of(cls, records: Sequence[HouseholdRecord]) -> Block:
        """The block of these records."""
        people = [person for each in records for person in each.occupants]
        return cls(
            _columns(HOUSEHOLD_TARGETS, map(_household, records)),
            _columns(OCCUPANT_TARGETS, map(_occupant, people)),
            [len(each.occupants) for each in records],
            [each.line for each in records],
        )

    @classmethod
    def joined(cls, blocks: Sequence[Block]) -> Block:
        """One block after the other."""
        if len(blocks) == 1:
            return blocks[0]
        return cls(
            {name: list(chain.from_iterable(each.households[name] for each in blocks)) for name in HOUSEHOLD_TARGETS},
            {name: list(chain.from_iterable(each.people[name] for each in blocks)) for name in OCCUPANT_TARGETS},
            list(chain.from_iterable(each.sizes for each in blocks)),
            list(chain.from_iterable(each.lines for each in blocks)),
        )

    def __len__(self) -> int:
        return len(self.lines)

    def records(self) -> list[HouseholdRecord]:
        """The household of each place."""
        everyone = list(map(OccupantRecord, *self.people.values()))
        people = [tuple(everyone[end - size : end]) for size, end in zip(self.sizes, self._ends(), strict=True)]
        return list(map(HouseholdRecord, *self.households.values(), people, self.lines))

    def at(self, places: Sequence[int]) -> Block:
        """The households of these places."""
        ends = list(self._ends())
        people = [person for place in places for person in range(ends[place] - self.sizes[place], ends[place])]
        return Block(
            {name: _picked(values, places) for name, values in self.households.items()},
            {name: _picked(values, people) for name, values in self.people.items()},
            _picked(self.sizes, places),
            _picked(self.lines, places),
        )

    def part(self, start: int, stop: int) -> Block:
        """The households from one place up to another, which is not among them."""
        if start == 0 and stop == len(self):
            return self
        first, last = sum(self.sizes[:start]), sum(self.sizes[:stop])
        return Block(
            {name: values[start:stop] for name, values in self.households.items()},
            {name: values[first:last] for name, values in self.people.items()},
            self.sizes[start:stop],
            self.lines[start:stop],
        )

    def leaseholders(self) -> list[int]:
        """For each household, the place in `people` of who signs the lease, else of its first person; -1: nobody."""
        links, found = self.people["link"], []
        for size, end in zip(self.sizes, self._ends(), strict=True):
            start = end - size
            if size and links[start] != "holder" and "holder" in links[start:end]:
                start = links.index("holder", start, end)
            found.append(start if size else -1)
        return found

    def _ends(self) -> accumulate[int]:
        return accumulate(self.sizes)


def _columns(names: Sequence[str], rows: map[tuple[Any, ...]]) -> Columns:
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(names)
    return dict(zip(names, columns, strict=True))


def _picked(values: Sequence[Any], places: Sequence[int]) -> list[Any]:
    return list(itemgetter(*places, 0)(values)[:-1]) if places and values else []

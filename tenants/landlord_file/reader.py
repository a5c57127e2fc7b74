"""A landlord's deposit, read as a stream: XML + mapping profile + code tables → households and anomalies.

    for found in read(open_file, profile, codes):
        ...  # a HouseholdRecord, or an Anomaly

An anomaly of severity FILE is the last thing yielded: the caller must then drop everything that came before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from .assembly import Assembler, missing_tables
from .code_tables import CodeTables
from .places import ElementPlace, SharedRowsPlace
from .profile import MappingProfile
from .reading import Found, Reading
from .records import Anomaly, Severity
from .relational import RelationalReading
from .walking import Fault, Values, Walker, line_of, slots_of
from .watching import Refused
from .wording import anomaly


def read(source: BinaryIO, profile: MappingProfile, codes: CodeTables) -> Iterator[Found]:
    """Households and anomalies of an open binary file, in the order of the file. Never raises for what it contains."""
    missing = missing_tables(profile, codes)
    if missing:
        yield from missing
        return
    reading = _READINGS[profile.relational, profile.group_by is not None](profile, codes)
    count = 0
    try:
        for found in reading.run(source):
            count += 1
            yield found
    except Refused as refused:
        yield refused.anomaly
        return
    if not count:
        yield anomaly("no_household", path=f"/{profile.path.shown}", expected="au moins un ménage")


class _NestedReading(Reading):
    """Each household holds all that concerns it."""

    def __init__(self, profile: MappingProfile, codes: CodeTables) -> None:
        super().__init__(profile)
        self.slots = slots_of(m.source for m in profile.fields if m.source)
        self.occupant_slots = slots_of(m.source for m in profile.occupant.fields if m.source)
        self.walker = Walker(self.slots, profile.occupant.path, self.occupant_slots)
        self.assembler = Assembler(profile, codes, [self.slots], self.occupant_slots)

    def run(self, source: BinaryIO) -> Iterator[Found]:
        """One walk and one assembly per household."""
        walker, assembler = self.walker, self.assembler
        place = ElementPlace(self.profile, self.slots, self.occupant_slots)
        for position, (_, element) in enumerate(self.rows(source, [self.profile.path]), start=1):
            place.move(element, position)
            values, occupants = walker.read_row(element)
            record = assembler.assemble(values, occupants, place, walker.take_faults() if walker.faults else ())
            if assembler.found:
                yield from assembler.found
            if record is not None:
                yield record
            if walker.fresh:
                yield from self.forbidden(walker, element, self.profile.path)


class _RepeatedReading(Reading):
    """One row per occupant, the household's own values repeated on each; the rows of a household follow one another."""

    def __init__(self, profile: MappingProfile, codes: CodeTables) -> None:
        super().__init__(profile)
        assert profile.group_by is not None  # noqa: S101 — chosen by `read` for such profiles only
        self.household = slots_of(m.source for m in profile.fields if m.source)
        self.occupant = slots_of(m.source for m in profile.occupant.fields if m.source)
        self.all = slots_of((profile.group_by, *self.household.paths, *self.occupant.paths))
        self.walker = Walker(self.all)
        self.assembler = Assembler(profile, codes, [self.household], self.occupant)

    def run(self, source: BinaryIO) -> Iterator[Found]:
        """Rows gathered while their key stays the same."""
        group: list[tuple[int, int, Values]] = []
        group_faults: list[Fault] = []
        for position, (_, element) in enumerate(self.rows(source, [self.profile.path]), start=1):
            values, _ = self.walker.read_row(element)
            if group and (not values[0] or values[0] != group[0][2][0]):
                yield from self._household(group, group_faults)
                group, group_faults = [], []
            group.append((position, line_of(element), values))
            group_faults += self.walker.take_faults()
            if self.walker.fresh:
                yield from self.forbidden(self.walker, element, self.profile.path)
        if group:
            yield from self._household(group, group_faults)

    def _household(self, group: list[tuple[int, int, Values]], faults: list[Fault]) -> Iterator[Found]:
        own = [self.all.index(path) for path in self.household.paths]
        people = [self.all.index(path) for path in self.occupant.paths]
        rows = [[values[slot] for slot in own] + [None] for _, _, values in group]
        occupants: list[Values] = [[values[slot] for slot in people] + [None] for _, _, values in group]
        place = SharedRowsPlace([(p, line) for p, line, _ in group], self.profile, self.household, self.occupant)
        found = [Fault(fault.kind, own.index(fault.slot) if fault.slot in own else -1, 0) for fault in faults]
        if any(row != rows[0] for row in rows):
            found.append(Fault("inconsistent_rows", -1, 0))
        record = self.assembler.assemble(rows[0], occupants, place, found)
        yield from self.assembler.found
        if record is not None:
            yield record


_READINGS: dict[tuple[bool, bool], Callable[[MappingProfile, CodeTables], Reading]] = {
    (False, False): _NestedReading,
    (False, True): _RepeatedReading,
    (True, False): RelationalReading,
}


def is_blocking(found: Found) -> bool:
    """Whether this ends the import of the whole file."""
    return isinstance(found, Anomaly) and found.severity is Severity.FILE

"""A landlord's deposit, read as a stream: XML + mapping profile + code tables → households and anomalies.

    for found in read(open_file, profile, codes):
        ...  # a HouseholdRecord, or an Anomaly

`read_blocks` gives the same households by blocks, for whoever has a million of them to treat.

An anomaly of severity FILE is the last thing yielded: the caller must then drop everything that came before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from .assembly import Assembler, missing_tables
from .blocks import Block
from .code_tables import CodeTables
from .places import ElementPlace
from .profile import MappingProfile
from .reading import Assembled, Found, Reading
from .records import Anomaly, HouseholdRecord, Severity
from .relational import RelationalReading
from .repeated import RepeatedReading, ScatteredReading
from .shortcut import Row, TextRow, values_of
from .together import TOGETHER, Gathering
from .walking import Walker, slots_of
from .watching import Refused
from .wording import anomaly


def read(source: BinaryIO, profile: MappingProfile, codes: CodeTables) -> Iterator[Found]:
    """Households and anomalies of an open binary file, in the order of the file. Never raises for what it contains."""
    for found in _read(source, profile, codes):
        if isinstance(found, Block):
            yield from found.records()
        else:
            yield found


def read_blocks(source: BinaryIO, profile: MappingProfile, codes: CodeTables) -> Iterator[Block | Anomaly]:
    """The same, households by blocks."""
    alone: list[HouseholdRecord] = []
    for found in _read(source, profile, codes):
        if isinstance(found, HouseholdRecord):
            alone.append(found)
            if len(alone) < TOGETHER:
                continue
        if alone:
            yield Block.of(alone)
            alone = []
        if not isinstance(found, HouseholdRecord):
            yield found
    if alone:
        yield Block.of(alone)


def _read(source: BinaryIO, profile: MappingProfile, codes: CodeTables) -> Iterator[Assembled]:
    missing = missing_tables(profile, codes)
    if missing:
        yield from missing
        return
    reading = _reading(profile, codes)
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
        self.slots = slots_of(profile.sources())
        self.occupant_slots = slots_of(profile.occupant.sources())
        self.walker = Walker(self.slots, profile.occupant.path, self.occupant_slots)
        self.assembler = Assembler(profile, codes, [self.slots], self.occupant_slots)
        self.place = ElementPlace(profile, self.slots, self.occupant_slots)

    def run(self, source: BinaryIO) -> Iterator[Assembled]:
        """Those taken from the text many at once, the others one by one."""
        walker, gathering = self.walker, Gathering(self.assembler, self._one)
        try:
            for position, (_, row) in enumerate(self.rows(source, [self.profile.path], [walker]), start=1):
                if isinstance(row, TextRow):
                    enough = gathering.add((position, row), row.values, row.occupants, row.line)
                    if enough or walker.fresh:
                        yield from gathering.assembled()
                else:
                    yield from gathering.assembled()
                    yield from self._one((position, row))
                if walker.fresh:
                    yield from self.forbidden(walker, row, self.profile.path)
        except Refused:
            yield from gathering.assembled()
            raise
        yield from gathering.assembled()

    def _one(self, row: tuple[int, Row]) -> Iterator[Assembled]:
        """A household of the file, at its rank."""
        position, own = row
        walker, assembler = self.walker, self.assembler
        self.place.move(own, position)
        values, occupants = values_of(own, walker)
        record = assembler.assemble(values, occupants, self.place, walker.take_faults() if walker.faults else ())
        if assembler.found:
            yield from assembler.found
        if record is not None:
            yield record


def _reading(profile: MappingProfile, codes: CodeTables) -> Reading:
    if profile.relational:
        return RelationalReading(profile, codes)
    if profile.group_by is not None:
        return (ScatteredReading if profile.scattered else RepeatedReading)(profile, profile.group_by, codes)
    return _NestedReading(profile, codes)


def is_blocking(found: Found) -> bool:
    """Whether this ends the import of the whole file."""
    return isinstance(found, Anomaly) and found.severity is Severity.FILE

"""A landlord's deposit, read as a stream: XML + mapping profile + code tables → households and anomalies.

    for found in read(open_file, profile, codes):
        ...  # a HouseholdRecord, or an Anomaly

An anomaly of severity FILE is the last thing yielded: the caller must then drop everything that came before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from .assembly import Assembler, missing_tables
from .code_tables import CodeTables
from .places import ElementPlace
from .profile import MappingProfile
from .reading import Found, Reading
from .records import Anomaly, Severity
from .relational import RelationalReading
from .repeated import RepeatedReading, ScatteredReading
from .shortcut import values_of
from .walking import Walker, slots_of
from .watching import Refused
from .wording import anomaly


def read(source: BinaryIO, profile: MappingProfile, codes: CodeTables) -> Iterator[Found]:
    """Households and anomalies of an open binary file, in the order of the file. Never raises for what it contains."""
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

    def run(self, source: BinaryIO) -> Iterator[Found]:
        """One walk and one assembly per household."""
        walker, assembler = self.walker, self.assembler
        place = ElementPlace(self.profile, self.slots, self.occupant_slots)
        rows = self.rows(source, [self.profile.path], [walker])
        for position, (_, row) in enumerate(rows, start=1):
            place.move(row, position)
            values, occupants = values_of(row, walker)
            record = assembler.assemble(values, occupants, place, walker.take_faults() if walker.faults else ())
            if assembler.found:
                yield from assembler.found
            if record is not None:
                yield record
            if walker.fresh:
                yield from self.forbidden(walker, row, self.profile.path)


def _reading(profile: MappingProfile, codes: CodeTables) -> Reading:
    if profile.relational:
        return RelationalReading(profile, codes)
    if profile.group_by is not None:
        return (ScatteredReading if profile.scattered else RepeatedReading)(profile, profile.group_by, codes)
    return _NestedReading(profile, codes)


def is_blocking(found: Found) -> bool:
    """Whether this ends the import of the whole file."""
    return isinstance(found, Anomaly) and found.severity is Severity.FILE

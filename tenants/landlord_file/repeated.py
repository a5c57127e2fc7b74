"""Deposits of one row per occupant, the household's own values repeated on each of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from .assembly import MOST_OCCUPANTS, Assembler
from .code_tables import CodeTables
from .paths import SourcePath
from .places import SharedRowsPlace
from .profile import MappingProfile
from .reading import Found, Reading
from .records import Anomaly
from .references import ReferenceIndex
from .shortcut import line_of_row, values_of
from .spool import Listed, Spool, extra_of
from .walking import Fault, Values, Walker, picker, slots_of
from .watching import Refused
from .wording import anomaly

_ROWS = "rows"


class _Row(NamedTuple):
    """One row of the file: its rank, its line, the key of its household, its values and what is wrong with it."""

    position: int
    line: int
    key: str
    values: Values
    faults: list[Fault]


class RepeatedReading(Reading):
    """The rows of a household follow one another. A key that comes back later refuses the file: some of the people of
    that household would be missing from what was read of it."""

    def __init__(self, profile: MappingProfile, group_by: SourcePath, codes: CodeTables) -> None:
        super().__init__(profile)
        self.household = slots_of(profile.sources())
        self.occupant = slots_of(profile.occupant.sources())
        self.all = slots_of((group_by, *self.household.paths, *self.occupant.paths))
        self.key_path = group_by
        self.own = [self.all.index(path) for path in self.household.paths]
        self.pick_own = picker(self.own)
        self.pick_person = picker(self.all.index(path) for path in self.occupant.paths)
        self.walker = Walker(self.all)
        self.assembler = Assembler(profile, codes, [self.household], self.occupant)

    def run(self, source: BinaryIO) -> Iterator[Found]:
        """Rows gathered while their key stays the same."""
        group: list[_Row] = []
        met = ReferenceIndex()
        for row in self.gathered(source):
            if isinstance(row, Anomaly):
                yield row
                continue
            if group and (not row.key or row.key != group[0].key):
                yield from self._household(group)
                group = []
            if row.key and not group:
                self._refuse_known(row, met)
            if len(group) <= MOST_OCCUPANTS:
                group.append(row)
        if group:
            yield from self._household(group)

    def gathered(self, source: BinaryIO) -> Iterator[_Row | Anomaly]:
        """The rows, those of a household together; and the warnings met on the way."""
        return self._read(source)

    def _read(self, source: BinaryIO) -> Iterator[_Row | Anomaly]:
        """The rows in the order of the file."""
        rows = self.rows(source, [self.profile.path], [self.walker])
        for position, (_, row) in enumerate(rows, start=1):
            values, _ = values_of(row, self.walker)
            yield _Row(position, line_of_row(row), (values[0] or "").strip(), values, self.walker.take_faults())
            if self.walker.fresh:
                yield from self.forbidden(self.walker, row, self.profile.path)

    def _refuse_known(self, row: _Row, met: ReferenceIndex) -> None:
        first = met.get(row.key)
        if first:
            path = f"/{self.profile.path.shown}[{row.position}]/{self.key_path.shown}"
            raise Refused(anomaly("scattered_rows", line=row.line, path=path, value=row.key, expected=str(first)))
        met.keep(row.key, row.line)

    def _household(self, group: list[_Row]) -> Iterator[Found]:
        rows = [self.pick_own(row.values) for row in group]
        place = SharedRowsPlace(
            [(row.position, row.line) for row in group], self.profile, self.household, self.occupant
        )
        faults = [
            Fault(fault.kind, self.own.index(fault.slot) if fault.slot in self.own else -1, 0)
            for row in group
            for fault in row.faults
        ]
        if any(row != rows[0] for row in rows):
            faults.append(Fault("inconsistent_rows", -1, 0))
        record = self.assembler.assemble(rows[0], [self.pick_person(row.values) for row in group], place, faults)
        yield from self.assembler.found
        if record is not None:
            yield record


class ScatteredReading(RepeatedReading):
    """The rows of a household stand anywhere: they are kept aside, and come back together at the end of the file."""

    def gathered(self, source: BinaryIO) -> Iterator[_Row | Anomaly]:
        """The rows of each household together, in the order of their first ones; the warnings come before them all."""
        width = len(self.all.paths)
        with Spool([Listed(_ROWS, width, 0)]) as spool:
            for row in self._read(source):
                if isinstance(row, Anomaly):
                    yield row
                else:
                    values = (row.key or None, *row.values[1:])
                    spool.add(_ROWS, row.line, values, [], row.faults)
            spool.seal([])
            for *kept, position, line, extra, nothing in spool.gathered(_ROWS):
                yield _Row(position, line, kept[0] or "", (*kept, nothing), extra_of(extra).faults)

"""Deposits made of several lists joined by ids, in any order: rows are kept aside, households come at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import BinaryIO

from .assembly import MOST_OCCUPANTS, Assembler
from .code_tables import CodeTables
from .paths import SourcePath
from .places import RowsPlace
from .profile import JoinedList, MappingProfile
from .reading import Assembled, Reading
from .records import Anomaly
from .shortcut import Row as FileRow
from .shortcut import line_of_row, values_of
from .spool import Citation, Listed, Row, Spool, extra_of
from .together import Gathering
from .walking import Fault, Slots, Values, Walker, slots_of
from .wording import anomaly

_OWN, _PEOPLE = "", "*"
_OWNER = -5
"""Where a person's row says the position of its household's."""
_EXTRA = itemgetter(-2)


@dataclass(frozen=True, slots=True)
class _List:
    """One list of the file: what is read on its rows, the slot of its key (-1: none), all the slots of ids."""

    name: str
    path: SourcePath
    slots: Slots
    walker: Walker
    key: int
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Join:
    """A list cited: where its values and what is known of its row stand in a joined row; the same for who cites it."""

    cited: Citation
    shown: str
    offset: int
    about: int
    citing_offset: int
    citing_about: int


class RelationalReading(Reading):
    """One reading of one file."""

    def __init__(self, profile: MappingProfile, codes: CodeTables) -> None:
        super().__init__(profile)
        self.occupant = slots_of(profile.occupant.sources())
        own, inside = profile.occupant.match, profile.occupant.path if profile.occupant.key is None else None
        self.lists = [
            self._list(_OWN, profile.path, profile.sources(), own, inside),
            *(self._list(joined.name, joined.path, joined.sources(), joined.key) for joined in profile.joins),
        ]
        self.slots = [known.slots for known in self.lists]
        self.joins = self._plan(profile.joins)
        self.apart = profile.occupant.key is not None and profile.occupant.path is not None
        if profile.occupant.key is not None and profile.occupant.path is not None:
            self.lists.append(self._list(_PEOPLE, profile.occupant.path, self.occupant.paths, profile.occupant.key))
        self.place = RowsPlace(profile, self.slots, self.occupant)
        self.assembler = Assembler(profile, codes, self.slots, self.occupant)

    def _list(
        self,
        name: str,
        path: SourcePath,
        sources: tuple[SourcePath, ...],
        key: SourcePath | None,
        inside: SourcePath | None = None,
    ) -> _List:
        """A list with the places read on its rows: those that feed fields, its key, and the ids that it cites."""
        ids = tuple(joined.match for joined in self.profile.joins if joined.via == name)
        ids = (*ids, key) if key is not None else ids
        slots = slots_of((*sources, *ids))
        walker = Walker(slots, inside, self.occupant if inside is not None else None)
        own = slots.index(key) if key is not None else -1
        return _List(name, path, slots, walker, own, tuple(slots.index(one) for one in ids))

    def _plan(self, joins: tuple[JoinedList, ...]) -> list[_Join]:
        offsets: dict[str, int] = {}
        total = 0
        for known in self.lists:
            offsets[known.name], total = total, total + len(known.slots.paths)
        abouts = {known.name: total + 4 * number for number, known in enumerate(self.lists)}
        by_name = {known.name: known for known in self.lists}
        return [
            _Join(
                Citation(joined.name, joined.via, by_name[joined.via].slots.index(joined.match)),
                joined.path.shown,
                offsets[joined.name],
                abouts[joined.name],
                offsets[joined.via],
                abouts[joined.via],
            )
            for joined in joins
        ]

    def run(self, source: BinaryIO) -> Iterator[Assembled]:
        """First every row into the spool, then every household with what its ids cite."""
        with Spool([Listed(known.name, len(known.slots.paths), known.key) for known in self.lists]) as spool:
            paths, walkers = [known.path for known in self.lists], [known.walker for known in self.lists]
            for number, row in self.rows(source, paths, walkers):
                known = self.lists[number]
                self._keep(spool, known, row)
                if known.walker.fresh:
                    yield from self.forbidden(known.walker, row, known.path)
            spool.seal([*(joined.name for joined in self.profile.joins), *([_OWN] if self.apart else [])])
            yield from self._households(spool)
            if self.apart:
                yield from self._orphans(spool)

    def _keep(self, spool: Spool, known: _List, row: FileRow) -> None:
        values, occupants = values_of(row, known.walker)
        for slot in known.ids:
            text = values[slot]
            if text is not None and (not text or text[0] <= " " or text[-1] <= " "):
                values = (*values[:slot], text.strip() or None, *values[slot + 1 :])
        faults = known.walker.take_faults() if known.walker.faults else []
        spool.add(known.name, line_of_row(row), values, occupants, faults)

    def _households(self, spool: Spool) -> Iterator[Assembled]:
        """Every household completed by the lists it cites, and by its people."""
        everyone = spool.attached(_PEOPLE, _OWN) if self.apart else iter(())
        person = next(everyone, None)
        own, gathering = self.place.about, Gathering(self.assembler, self._one)
        for row in spool.joined(_OWN, [join.cited for join in self.joins]):
            people: list[Row] = []
            while person is not None and person[_OWNER] == row[own]:
                if len(people) <= MOST_OCCUPANTS:
                    people.append(person)
                person = next(everyone, None)
            if row[-2] or any(map(_EXTRA, people)):
                yield from gathering.assembled()
                yield from self._one((row, people))
            # rows begin with their values
            elif gathering.add((row, people), row, people, row[own + 1]):
                yield from gathering.assembled()
        yield from gathering.assembled()

    def _one(self, household: tuple[Row, list[Row]]) -> Iterator[Assembled]:
        """A household: its joined row, and the rows of its people."""
        row, people = household
        self.place.move(row, people)
        occupants: list[Values] = people  # type: ignore[assignment]  # rows begin with their values
        faults: list[Fault] = []
        if row[-2] or any(map(_EXTRA, people)):
            occupants, faults = self._odd(row, people)
        record = self.assembler.assemble(row, occupants, self.place, faults)
        if self.assembler.found:
            yield from self.assembler.found
        if record is not None:
            yield record

    def _odd(self, row: Row, people: list[Row]) -> tuple[list[Values], list[Fault]]:
        """The occupants, and the faults of the rows that make up a household: of their shape, and of their ids."""
        faults = [
            Fault(fault.kind, fault.slot, number)
            for number, one in enumerate(people, start=1)
            if one[-2] is not None
            for fault in extra_of(one[-2]).faults
        ]
        if not row[-2]:
            return list(people), faults
        own = extra_of(row[self.place.about + 2])
        faults += own.faults
        if self.apart and row[self.place.about + 3]:
            slot = self.lists[0].key
            faults.append(Fault("ambiguous_link", slot, 0, row[slot], self.profile.path.shown))
        for join in self.joins:
            position, _, extra, twin = row[join.about : join.about + 4]
            faults += [Fault(fault.kind, join.offset + fault.slot, 0) for fault in extra_of(extra).faults]
            if twin or (position is None and row[join.citing_about] is not None):
                slot = join.citing_offset + join.cited.match
                kind = "ambiguous_link" if twin else "broken_link"
                faults.append(Fault(kind, slot, 0, row[slot] or "", join.shown))
        return list(people) or own.occupants, faults

    def _orphans(self, spool: Spool) -> Iterator[Anomaly]:
        own, shown = self.profile.path.shown, self.lists[-1].path.shown
        for position, line, key in spool.orphans(_PEOPLE, _OWN):
            yield anomaly("orphan_row", line=line, path=f"/{shown}[{position}]", value=key, expected=own)

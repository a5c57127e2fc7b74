"""Deposits made of several lists joined by ids, in any order: rows are kept aside, households come at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from .assembly import Assembler
from .code_tables import CodeTables
from .paths import SourcePath
from .places import RowsPlace
from .profile import JoinedList, MappingProfile
from .reading import Found, Reading
from .records import Anomaly
from .spool import Spool, StoredRow
from .walking import Fault, Slots, Values, Walker, compile_row, line_of, slots_of
from .wording import anomaly

_BATCH = 500
_OWN, _PEOPLE = "", "*"


@dataclass(frozen=True, slots=True)
class _List:
    """One list of the file: what is read on its rows, and the slot of the key by which they are cited (-1: none)."""

    name: str
    path: SourcePath
    slots: Slots
    walker: Walker
    key: int


@dataclass(frozen=True, slots=True)
class _Join:
    """One step of completing a household: the list citing (`via`) and where, the list cited, where its values go."""

    name: str
    via: str
    match: int
    width: int
    offset: int
    citing_offset: int
    shown: str


Cited = dict[str, dict[str, list[StoredRow]]]


class RelationalReading(Reading):
    """One reading of one file."""

    def __init__(self, profile: MappingProfile, codes: CodeTables) -> None:
        super().__init__(profile)
        self.occupant = slots_of(m.source for m in profile.occupant.fields if m.source)
        self.lists = [self._own_list(), *map(self._joined_list, profile.joins)]
        self.slots = [known.slots for known in self.lists]
        self.joins = self._plan()
        match = profile.occupant.match
        self.people_match = -1 if match is None else self.slots[0].index(match)
        if profile.occupant.key is not None and profile.occupant.path is not None:
            people = slots_of((*self.occupant.paths, profile.occupant.key))
            walker = Walker(compile_row(people), len(people.paths))
            self.lists.append(_List(_PEOPLE, profile.occupant.path, people, walker, people.index(profile.occupant.key)))
        self.assembler = Assembler(profile, codes, self.slots, self.occupant)
        self.twice: set[str] = set()

    def _matches(self, via: str) -> tuple[SourcePath, ...]:
        own = self.profile.occupant.match
        wanted = tuple(joined.match for joined in self.profile.joins if joined.via == via)
        return (*wanted, own) if own is not None and via == _OWN else wanted

    def _own_list(self) -> _List:
        profile = self.profile
        slots = slots_of((*(m.source for m in profile.fields if m.source), *self._matches(_OWN)))
        inside = profile.occupant.path if profile.occupant.key is None else None
        walker = Walker(compile_row(slots, inside, self.occupant), len(slots.paths), len(self.occupant.paths) + 1)
        match = profile.occupant.match
        return _List(_OWN, profile.path, slots, walker, -1 if match is None else slots.index(match))

    def _joined_list(self, joined: JoinedList) -> _List:
        slots = slots_of((*(m.source for m in joined.fields if m.source), joined.key, *self._matches(joined.name)))
        walker = Walker(compile_row(slots), len(slots.paths))
        return _List(joined.name, joined.path, slots, walker, slots.index(joined.key))

    def _plan(self) -> list[_Join]:
        offsets = {_OWN: 0}
        total = len(self.slots[0].paths)
        by_name = {known.name: known for known in self.lists}
        joins: list[_Join] = []
        for joined in self.profile.joins:
            offsets[joined.name] = total
            width = len(by_name[joined.name].slots.paths)
            match = by_name[joined.via].slots.index(joined.match)
            joins.append(_Join(joined.name, joined.via, match, width, total, offsets[joined.via], joined.path.shown))
            total += width
        return joins

    def run(self, source: BinaryIO) -> Iterator[Found]:
        """First every row into the spool, then every household with what its ids cite."""
        with Spool([known.name for known in self.lists]) as spool:
            yield from self._fill(spool, source)
            spool.seal()
            rows = spool.rows(_OWN)
            while batch := list(islice(rows, _BATCH)):
                cited = self._cited(spool, batch)
                for row in batch:
                    yield from self._household(cited, row)
            if self.people_match >= 0:
                yield from self._orphans(spool)

    def _fill(self, spool: Spool, source: BinaryIO) -> Iterator[Anomaly]:
        for number, element in self.rows(source, [known.path for known in self.lists]):
            known = self.lists[number]
            values, occupants = known.walker.read_row(element, first=spool.count(known.name) == 0)
            key = values[known.key] if known.key >= 0 else None
            spool.add(known.name, key, line_of(element), (values, occupants, known.walker.take_faults()))
            yield from self.forbidden(known.walker, element, known.path)

    def _cited(self, spool: Spool, batch: list[StoredRow]) -> Cited:
        """For each list, the rows that this batch of households cites, by key."""
        cited: Cited = {}
        for join in self.joins:
            citing = batch if join.via == _OWN else [row for rows in cited[join.via].values() for row in rows]
            cited[join.name] = spool.matching(join.name, _keys(citing, join.match))
        if self.people_match >= 0:
            keys = _keys(batch, self.people_match)
            cited[_PEOPLE] = spool.matching(_PEOPLE, keys)
            self.twice = {key for key, rows in spool.positions(_OWN, keys).items() if len(rows) > 1}
        return cited

    def _household(self, cited: Cited, row: StoredRow) -> Iterator[Found]:
        """One household completed by the lists it cites."""
        rows: dict[str, StoredRow | None] = {_OWN: row}
        faults = [Fault(*fault) for fault in row.faults]
        values = row.values
        for join in self.joins:
            citing = rows[join.via]
            key = citing.values[join.match] if citing is not None else None
            found = cited[join.name].get(key, []) if key else []
            rows[join.name] = found[0] if found else None
            values = [*values, *(found[0].values if found else [None] * join.width)]
            if found:
                faults += [Fault(kind, join.offset + slot, 0) for kind, slot, _ in found[0].faults]
            if len(found) != 1 and citing is not None:
                kind = "ambiguous_link" if found else "broken_link"
                faults.append(Fault(kind, join.citing_offset + join.match, 0, key or "", join.shown))
        people = self._people(cited, row, faults)
        place = RowsPlace(row, rows, people, self.profile, self.slots, self.occupant)
        width = len(self.occupant.paths)
        occupants: list[Values] = [[*person.values[:width], None] for person in people] or row.occupants
        yield from self.assembler.assemble([*values, None], occupants, place, faults)

    def _people(self, cited: Cited, row: StoredRow, faults: list[Fault]) -> list[StoredRow]:
        key = row.values[self.people_match] if self.people_match >= 0 else None
        if not key:
            return []
        if key in self.twice:
            faults.append(Fault("ambiguous_link", self.people_match, 0, key, self.profile.path.shown))
        people = cited[_PEOPLE].get(key, [])
        faults += [Fault(kind, slot, n) for n, one in enumerate(people, start=1) for kind, slot, _ in one.faults]
        return people

    def _orphans(self, spool: Spool) -> Iterator[Anomaly]:
        own, shown = self.profile.path.shown, self.lists[-1].path.shown
        for position, line, key in spool.orphans(_PEOPLE, _OWN):
            yield anomaly("orphan_row", line=line, path=f"/{shown}[{position}]", value=key, expected=own)


def _keys(rows: list[StoredRow], slot: int) -> set[str]:
    """The keys that these rows cite at that slot."""
    return {key for row in rows if (key := row.values[slot])}

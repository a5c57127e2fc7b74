"""A landlord's deposit, read as a stream: XML + mapping profile + code tables → households and anomalies.

    for found in read(open_file, profile, codes):
        ...  # a HouseholdRecord, or an Anomaly

An anomaly of severity FILE is the last thing yielded: the caller must then drop everything that came before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from lxml import etree

from .assembly import Assembler, missing_tables
from .code_tables import CodeTables
from .paths import SourcePath
from .places import ElementPlace, RowsPlace, SharedRowsPlace
from .profile import MappingProfile
from .records import Anomaly, HouseholdRecord, Severity
from .spool import Spool, StoredRow
from .streaming import Refused, stream_rows
from .walking import Fault, Values, Walker, compile_row, line_of, slots_of
from .wording import anomaly

Found = HouseholdRecord | Anomaly

_FORBIDDEN = re.compile(
    r"nationalit|n_?i_?r$|(?:numero|num|no|n)_?(?:de_?)?(?:secu|securite_?sociale|ss)$|(?:^|_)nat(?:io)?$|secu(?:rite)?_?soc",
    re.IGNORECASE,
)


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


class _Reading:
    """What the three ways of reading share: the stream of rows and the watch for forbidden information."""

    def __init__(self, profile: MappingProfile, codes: CodeTables) -> None:
        self.profile = profile
        self.ignored = len(profile.ignored)

    def rows(self, source: BinaryIO, paths: Sequence[SourcePath]) -> Iterator[tuple[int, etree._Element]]:
        """Rows of the paths that are read; those that the profile ignores are passed over, and freed."""
        for number, element in stream_rows(source, (*paths, *self.profile.ignored)):
            if number < len(paths):
                yield number, element

    def forbidden(self, walker: Walker, element: etree._Element, path: SourcePath) -> Iterator[Anomaly]:
        """A warning for each name that the survey must not receive, told once."""
        for name in walker.fresh_names():
            local = etree.QName(name).localname
            if _FORBIDDEN.search(local):
                yield anomaly("forbidden_information", line=line_of(element), path=f"/{path.shown}", value=local)


class _NestedReading(_Reading):
    """Each household holds all that concerns it."""

    def __init__(self, profile: MappingProfile, codes: CodeTables) -> None:
        super().__init__(profile, codes)
        self.slots = slots_of(m.source for m in profile.fields if m.source)
        self.occupant_slots = slots_of(m.source for m in profile.occupant.fields if m.source)
        root = compile_row(self.slots, profile.occupant.path, self.occupant_slots)
        self.walker = Walker(root, len(self.slots.paths) + 1, len(self.occupant_slots.paths) + 1)
        self.assembler = Assembler(profile, codes, [self.slots], self.occupant_slots)

    def run(self, source: BinaryIO) -> Iterator[Found]:
        """One walk and one assembly per household."""
        walker, assembler, profile = self.walker, self.assembler, self.profile
        for position, (_, element) in enumerate(self.rows(source, [profile.path]), start=1):
            values, occupants = walker.read_row(element, first=position == 1)
            faults = walker.take_faults()
            place = ElementPlace(element, position, profile, self.slots, self.occupant_slots)
            yield from assembler.assemble(values, occupants, place, faults)
            yield from self.forbidden(walker, element, profile.path)


class _RepeatedReading(_Reading):
    """One row per occupant, the household's own values repeated on each; the rows of a household follow one another."""

    def __init__(self, profile: MappingProfile, codes: CodeTables) -> None:
        super().__init__(profile, codes)
        assert profile.group_by is not None  # noqa: S101 — chosen by `read` for such profiles only
        self.household = slots_of(m.source for m in profile.fields if m.source)
        self.occupant = slots_of(m.source for m in profile.occupant.fields if m.source)
        self.all = slots_of((profile.group_by, *self.household.paths, *self.occupant.paths))
        self.walker = Walker(compile_row(self.all), len(self.all.paths) + 1)
        self.assembler = Assembler(profile, codes, [self.household], self.occupant)

    def run(self, source: BinaryIO) -> Iterator[Found]:
        """Rows gathered while their key stays the same."""
        group: list[tuple[int, int, Values]] = []
        group_faults: list[Fault] = []
        for position, (_, element) in enumerate(self.rows(source, [self.profile.path]), start=1):
            values, _ = self.walker.read_row(element, first=position == 1)
            if group and (not values[0] or values[0] != group[0][2][0]):
                yield from self._household(group, group_faults)
                group, group_faults = [], []
            group.append((position, line_of(element), values))
            group_faults += self.walker.take_faults()
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
        yield from self.assembler.assemble(rows[0], occupants, place, found)


class _RelationalReading(_Reading):
    """Lists joined by ids, in any order: rows are kept aside, households come at the end of the file."""

    def __init__(self, profile: MappingProfile, codes: CodeTables) -> None:
        super().__init__(profile, codes)
        occupant = profile.occupant
        self.occupant_slots = slots_of(m.source for m in occupant.fields if m.source)
        matches: dict[str, list[SourcePath]] = {}
        for joined in profile.joins:
            matches.setdefault(joined.via, []).append(joined.match)
        if occupant.match is not None:
            matches.setdefault("", []).append(occupant.match)
        own = slots_of((*(m.source for m in profile.fields if m.source), *matches.get("", ())))
        self.slots = [own]
        inside = occupant.path if occupant.key is None else None
        people = len(self.occupant_slots.paths) + 1
        self.lists: list[tuple[str, SourcePath, SourcePath | None, Walker]] = [
            ("", profile.path, occupant.match, Walker(compile_row(own, inside, self.occupant_slots), len(own.paths), people))
        ]
        for joined in profile.joins:
            slots = slots_of(
                (*(m.source for m in joined.fields if m.source), joined.key, *matches.get(joined.name, ()))
            )
            self.slots.append(slots)
            self.lists.append((joined.name, joined.path, joined.key, Walker(compile_row(slots), len(slots.paths))))
        if occupant.key is not None and occupant.path is not None:
            self.people = slots_of((*self.occupant_slots.paths, occupant.key))
            walker = Walker(compile_row(self.people), len(self.people.paths))
            self.lists.append((_PEOPLE, occupant.path, occupant.key, walker))
        self.assembler = Assembler(profile, codes, self.slots, self.occupant_slots)

    def run(self, source: BinaryIO) -> Iterator[Found]:
        """First every row into the spool, then every household with what its ids cite."""
        with Spool([name for name, *_ in self.lists]) as spool:
            yield from self._fill(spool, source)
            spool.seal()
            for row in spool.rows(""):
                yield from self._household(spool, row)
            if self.profile.occupant.key is not None:
                yield from self._orphans(spool)

    def _fill(self, spool: Spool, source: BinaryIO) -> Iterator[Anomaly]:
        key_slots = [self._key_slot(number) for number in range(len(self.lists))]
        for number, element in self.rows(source, [path for _, path, *_ in self.lists]):
            name, path, _, walker = self.lists[number]
            values, occupants = walker.read_row(element, first=spool.count(name) == 0)
            key = values[key_slots[number]] if key_slots[number] >= 0 else None
            spool.add(name, key, line_of(element), (values, occupants, walker.take_faults()))
            yield from self.forbidden(walker, element, path)

    def _key_slot(self, number: int) -> int:
        name, _, key, _ = self.lists[number]
        if key is None:
            return -1
        return (self.people if name == _PEOPLE else self.slots[number]).index(key)

    def _household(self, spool: Spool, row: StoredRow) -> Iterator[Found]:
        """One household completed by the lists it cites."""
        rows: dict[str, StoredRow | None] = {"": row}
        faults = [Fault(*fault) for fault in row.faults]
        values = list(row.values)
        offsets = {"": 0}
        for joined, slots in zip(self.profile.joins, self.slots[1:], strict=True):
            citing = rows[joined.via]
            slot = self.slots[self._number(joined.via)].index(joined.match)
            cited = citing.values[slot] if citing is not None else None
            found = spool.matching(joined.name, cited) if cited else []
            if len(found) != 1 and citing is not None:
                kind = "ambiguous_link" if found else "broken_link"
                faults.append(Fault(kind, offsets[joined.via] + slot, 0, cited or "", joined.path.shown))
            rows[joined.name] = found[0] if found else None
            offsets[joined.name] = len(values)
            values += found[0].values if found else [None] * len(slots.paths)
            faults += [Fault(kind, len(values) - len(slots.paths) + at, 0) for f in found[:1] for kind, at, _ in f.faults]
        people = self._people(spool, row, faults)
        faults += [Fault(kind, at, n) for n, one in enumerate(people, start=1) for kind, at, _ in one.faults]
        place = RowsPlace(row, rows, people, self.profile, self.slots, self.occupant_slots)
        occupants = [[*person.values[: len(self.occupant_slots.paths)], None] for person in people]
        yield from self.assembler.assemble([*values, None], occupants or row.occupants, place, faults)

    def _people(self, spool: Spool, row: StoredRow, faults: list[Fault]) -> list[StoredRow]:
        match = self.profile.occupant.match
        if match is None:
            return []
        slot = self.slots[0].index(match)
        key = row.values[slot]
        if not key:
            return []
        if len(spool.matching("", key)) > 1:
            faults.append(Fault("ambiguous_link", slot, 0, key, self.profile.path.shown))
        return spool.matching(_PEOPLE, key)

    def _number(self, name: str) -> int:
        return next(number for number, (known, *_) in enumerate(self.lists) if known == name)

    def _orphans(self, spool: Spool) -> Iterator[Anomaly]:
        path = self.profile.occupant.path
        shown = path.shown if path else ""
        for position, line, key in spool.orphans(_PEOPLE, ""):
            yield anomaly("orphan_row", line=line, path=f"/{shown}[{position}]", value=key, expected=self.profile.path.shown)


_PEOPLE = "*"
_READINGS = {
    (False, False): _NestedReading,
    (False, True): _RepeatedReading,
    (True, False): _RelationalReading,
}


def is_blocking(found: Found) -> bool:
    """Whether this ends the import of the whole file."""
    return isinstance(found, Anomaly) and found.severity is Severity.FILE

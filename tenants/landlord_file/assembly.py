"""From the raw texts of one household to its record: every field converted, every rule checked, every fault located."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .code_tables import CodeTables
from .conversion import ADDRESS_LINE, Converter, Problem, absent, converter
from .profile import HOUSEHOLD_TARGETS, OCCUPANT_TARGETS, FieldMapping, MappingProfile
from .records import Anomaly, HouseholdRecord, OccupantRecord, Severity
from .walking import Fault, Slots, Values
from .wording import anomaly

NOTHING: dict[str, object] = {
    "qpv": None,
    "apl": None,
    "move_in": None,
    "rent": None,
    "surface": None,
    "non_response_years": 0,
    "rank": 0,
    "birth_date": None,
    "cmi": None,
    "dependant": None,
}
"""What a field holds when the file says nothing; '' for all the others."""


_IN_ORDER = list(range(1, 100))


class Place(Protocol):
    """Where one household stands in the file, asked only when something is wrong."""

    @property
    def line(self) -> int:
        """The line where the household starts."""

    def household(self, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of the household; slot -1 is the household itself."""

    def occupant(self, index: int, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of its occupant number `index` (from 0)."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field ready to be filled: its name, the slot of its text, its converter."""

    target: str
    slot: int
    convert: Converter


class ReferenceIndex:
    """References already met and their line, 12 bytes each: an open-addressing table of 64-bit hashes.

    Two different references share a hash about once in 10¹³ pairs of a million: taken as equal.
    """

    def __init__(self) -> None:
        self._mask = 2**10 - 1
        self._count = 0
        self._hashes = array("q", bytes(8 * (self._mask + 1)))
        self._lines = array("I", bytes(4 * (self._mask + 1)))

    def first_line(self, reference: str) -> int | None:
        """The line where this reference was kept, or None."""
        place = self._place(hash(reference) or 1)
        return self._lines[place] if self._hashes[place] else None

    def remember(self, reference: str, line: int) -> None:
        """Keep a reference that is not known yet."""
        known = hash(reference) or 1
        place = self._place(known)
        self._hashes[place], self._lines[place] = known, line
        self._count += 1
        if self._count * 2 > self._mask:
            self._grow()
        return None

    def _place(self, known: int) -> int:
        place = known & self._mask
        while self._hashes[place] and self._hashes[place] != known:
            place = (place + 1) & self._mask
        return place

    def _grow(self) -> None:
        hashes, lines = self._hashes, self._lines
        self._mask = self._mask * 2 + 1
        self._hashes = array("q", bytes(8 * (self._mask + 1)))
        self._lines = array("I", bytes(4 * (self._mask + 1)))
        for known, line in zip(hashes, lines, strict=True):
            if known:
                place = self._place(known)
                self._hashes[place], self._lines[place] = known, line


class Assembler:
    """Builds the records of one file. `household` and `occupant` name the slots of the values given to `assemble`."""

    def __init__(self, profile: MappingProfile, codes: CodeTables, household: list[Slots], occupant: Slots) -> None:
        sources = _household_sources(profile, household)
        self._household = [
            _Field(target, *_fed(sources.get(target), target, profile, codes)) for target in HOUSEHOLD_TARGETS
        ]
        own = {m.target: (m, occupant.index(m.source) if m.source else -1) for m in profile.occupant.fields}
        self._occupant = [_Field(target, *_fed(own.get(target), target, profile, codes)) for target in OCCUPANT_TARGETS]
        self._plan = [(field.slot, field.convert) for field in self._household]
        self._occupant_plan = [(field.slot, field.convert) for field in self._occupant]
        self._slots = {field.target: field.slot for field in self._household}
        self._says_link = "link" in own
        self._says_address = {"address_4", "postcode", "city"} <= sources.keys()
        self._references = ReferenceIndex()
        self._found: list[Anomaly] = []
        self._tenant_ref = ""

    def assemble(
        self, values: Values, occupants: Sequence[Values], place: Place, faults: Iterable[Fault] = ()
    ) -> list[HouseholdRecord | Anomaly]:
        """What this household gives: its anomalies, then its record unless one of them leaves it out."""
        self._found = []
        self._tenant_ref = (values[self._slots["tenant_ref"]] or "").strip()
        for fault in faults:
            self._report_fault(fault, place)
        try:
            fields = [convert[values[slot]] for slot, convert in self._plan]
        except Problem:
            fields = self._convert_slowly(self._household, values, place, 0)
        people = self._people(occupants, place)
        fields += (people, place.line)
        record = HouseholdRecord(*fields)
        self._check(record, place)
        if self._found and any(found.severity is not Severity.WARNING for found in self._found):
            return [*self._found]
        self._references.remember(record.tenant_ref, record.line)
        return [*self._found, record]

    def _people(self, occupants: Sequence[Values], place: Place) -> tuple[OccupantRecord, ...]:
        rows: list[list[Any]] = []
        for number, values in enumerate(occupants, start=1):
            try:
                rows.append([convert[values[slot]] for slot, convert in self._occupant_plan])
            except Problem:
                rows.append(self._convert_slowly(self._occupant, values, place, number))
        ranks = [row[0] for row in rows]
        if ranks == _IN_ORDER[: len(ranks)]:
            return tuple([OccupantRecord(*row) for row in rows])
        ranks = [rank for rank in ranks if rank]
        if len(set(ranks)) < len(ranks):
            self._report("rank_clash", place.household(-1))
        if ranks:
            rows.sort(key=lambda row: row[0] or len(rows))
        return tuple(OccupantRecord(rank, *row[1:]) for rank, row in enumerate(rows, start=1))

    def _convert_slowly(self, fields: list[_Field], values: Values, place: Place, occupant: int) -> list[Any]:
        """The same conversion, field by field, reporting each problem once per place of the file."""
        converted: list[Any] = []
        told: set[tuple[int, str]] = set()
        for field in fields:
            try:
                converted.append(field.convert[values[field.slot]])
            except Problem as problem:
                converted.append(NOTHING.get(field.target, "") if problem.kept is None else problem.kept)
                if (field.slot, problem.kind) in told:
                    continue
                told.add((field.slot, problem.kind))
                where = place.occupant(occupant - 1, field.slot) if occupant else place.household(field.slot)
                value = (values[field.slot] or "").strip()
                self._report(problem.kind, where, value=value, expected=problem.expected, field=field.target)
        return converted

    def _check(self, record: HouseholdRecord, place: Place) -> None:
        """What concerns the household as a whole."""
        if not record.occupants:
            self._report("no_occupant", place.household(-1), expected="au moins un occupant")
        elif self._says_link and "holder" not in (links := [person.link for person in record.occupants]) and all(links):
            self._report("no_holder", place.household(-1), expected="un titulaire")
        if self._says_address and not (record.address_4 and record.postcode and record.city):
            self._report("missing_address", place.household(-1), expected="une voie, un code postal et une ville")
        if record.city and len(record.postcode) + len(record.city) >= ADDRESS_LINE:
            self._report(
                "address_line_too_long",
                place.household(self._slots["city"]),
                value=f"{record.postcode} {record.city}",
                expected=f"{ADDRESS_LINE} caractères au plus (NF Z10-011)",
                field="city",
            )
        if not record.tenant_ref:
            return
        first = self._references.first_line(record.tenant_ref)
        if first is not None:
            where = place.household(self._slots["tenant_ref"])
            self._report("duplicate_reference", where, value=record.tenant_ref, expected=str(first), field="tenant_ref")

    def _report_fault(self, fault: Fault, place: Place) -> None:
        fields = self._occupant if fault.occupant else self._household
        target = next((field.target for field in fields if field.slot == fault.slot), "")
        where = place.occupant(fault.occupant - 1, fault.slot) if fault.occupant else place.household(fault.slot)
        self._report(fault.kind, where, value=fault.value, expected=fault.expected, field=target)

    def _report(
        self, kind: str, where: tuple[int, str], *, value: str = "", expected: str = "", field: str = ""
    ) -> None:
        line, path = where
        self._found.append(
            anomaly(
                kind,
                line=line,
                path=path,
                value=value,
                expected=expected,
                field=field,
                tenant_ref=self._tenant_ref,
            )
        )


def _household_sources(profile: MappingProfile, slots: list[Slots]) -> dict[str, tuple[FieldMapping, int]]:
    """Target → its mapping and its slot, the slots of all lists standing one after the other."""
    sources: dict[str, tuple[FieldMapping, int]] = {}
    offset = 0
    for own, mappings in zip(slots, (profile.fields, *(joined.fields for joined in profile.joins)), strict=True):
        for mapping in mappings:
            sources[mapping.target] = mapping, offset + own.index(mapping.source) if mapping.source else -1
        offset += len(own.paths)
    return sources


def _fed(
    source: tuple[FieldMapping, int] | None, target: str, profile: MappingProfile, codes: CodeTables
) -> tuple[int, Converter]:
    """Slot and converter of a field; slot -1 is the last value, always None, for what the file does not give."""
    nothing = NOTHING.get(target, "")
    if source is None:
        return -1, absent(nothing)
    mapping, slot = source
    if target == "tenant_ref":
        mapping = replace(mapping, required=True)
    return slot, converter(mapping, codes, profile.empty, nothing)


def missing_tables(profile: MappingProfile, codes: CodeTables) -> list[Anomaly]:
    """One blocking anomaly for each code table that the profile needs and that was not given."""
    return [anomaly("missing_table", value=name) for name in sorted(profile.tables()) if codes.get(name) is None]

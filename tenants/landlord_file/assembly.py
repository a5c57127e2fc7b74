"""From the raw texts of one household to its record: every field converted, every rule checked, every fault located."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from operator import call
from typing import Any, Protocol

from .code_tables import CodeTables
from .columns import Column, column
from .conversion import ADDRESS_LINE, Problem, absent, converter
from .profile import HOUSEHOLD_TARGETS, OCCUPANT_TARGETS, FieldMapping, MappingProfile
from .records import Anomaly, HouseholdRecord, OccupantRecord, Severity, addressed_as
from .references import ReferenceIndex
from .walking import Fault, Slots, Values, picker
from .wording import anomaly

NOTHING: dict[str, object] = {
    "qpv": None,
    "apl": None,
    "move_in": None,
    "rent": None,
    "surface": None,
    "non_response_years": 0,
    "frr": None,
    "zrr": None,
    "zus": None,
    "plh_exempt": None,
    "conventioned": None,
    "convention_on": None,
    "exempt_zone_at_move_in": None,
    "large_print": None,
    "rank": 0,
    "birth_date": None,
    "cmi": None,
    "dependant": None,
}
"""What a field holds when the file says nothing; '' for all the others."""

MOST_OCCUPANTS = 99
"""People of one household; more is a broken join or a broken file."""

_NOBODY = (OccupantRecord(0),)
LONGEST_TITLE = len("Mme  ")
"""Characters that stand before a name on an envelope, and between its parts."""

_IN_ORDER = list(range(1, MOST_OCCUPANTS + 1))


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
    """One field ready to be filled: its name, the slot of its text, what converts it, and what converts a whole column
    of it; the slots of the texts to join."""

    target: str
    slot: int
    convert: Callable[[str | None], Any]
    column: Column
    more: tuple[int, ...] = ()
    join: str = " "


class _Row:
    """All the fields of a household, or of an occupant, in the order of the record."""

    def __init__(self, fields: list[_Field]) -> None:
        self.fields = fields
        self._pick = picker(field.slot for field in fields)
        self._converts = [field.convert for field in fields]
        self._joined = [(number, field) for number, field in enumerate(fields) if field.more]

    def convert(self, values: Values) -> list[Any]:
        """Every field, in one go. Raises Problem at the first that can't be taken."""
        return list(map(call, self._converts, self.texts(values)))

    def texts(self, values: Values) -> Values:
        """The text of each field; those that several places feed are joined, leaving out what is empty."""
        texts = self._pick(values)
        if not self._joined:
            return texts
        joined = list(texts)
        for number, field in self._joined:
            joined[number] = self._joined_text(field, values)
        return joined

    def columns(self, rows: Sequence[Values], doubtful: set[int]) -> dict[str, Sequence[Any]]:
        """Every field of many rows, by its name; `doubtful` gets the places of the rows that can't be taken so."""
        if not rows:
            return {field.target: [] for field in self.fields}
        texts = list(zip(*rows, strict=True))
        found = {}
        for field in self.fields:
            own = [self._joined_text(field, values) for values in rows] if field.more else texts[field.slot]
            found[field.target] = field.column(own, doubtful)
        return found

    @staticmethod
    def _joined_text(field: _Field, values: Values) -> str:
        pieces = [(values[slot] or "").strip() for slot in (field.slot, *field.more)]
        return field.join.join(filter(None, pieces))

    def target_of(self, slot: int) -> str:
        """The first field that this slot feeds, or ''."""
        return next((field.target for field in self.fields if field.slot == slot), "")


class Assembler:
    """Builds the records of one file. `household` and `occupant` name the slots of the values given to `assemble`."""

    def __init__(self, profile: MappingProfile, codes: CodeTables, household: list[Slots], occupant: Slots) -> None:
        sources = _household_sources(profile, household)
        own = {m.target: (m, tuple(map(occupant.index, m.sources))) for m in profile.occupant.fields}
        self.household = _row(HOUSEHOLD_TARGETS, sources, profile, codes)
        self.occupant = _row(OCCUPANT_TARGETS, own, profile, codes)
        self._slots = {field.target: field.slot for field in self.household.fields}
        self._occupant_name = next(field.slot for field in self.occupant.fields if field.target == "last_name")
        self.says_link = "link" in own
        self.says_address = {"address_4", "postcode", "city"} <= sources.keys()
        self.references = ReferenceIndex()
        self._values: Values = ()
        self._place: Place
        self._in_order = True
        self.found: list[Anomaly] = []

    def assemble(
        self, values: Values, occupants: Sequence[Values], place: Place, faults: Iterable[Fault] = ()
    ) -> HouseholdRecord | None:
        """The household, or None when one of its anomalies leaves it out; `found` then holds these anomalies."""
        self._values, self._place = values, place
        if self.found:
            self.found = []
        for fault in faults:
            self._report_fault(fault)
            if fault.kind == "household_too_large":
                return None
        if len(occupants) > MOST_OCCUPANTS:
            self._report("too_many_occupants", self._place.household(-1), value=str(len(occupants)))
            occupants = occupants[:MOST_OCCUPANTS]
        try:
            fields = self.household.convert(values)
        except Problem:
            fields = self._convert_slowly(values, 0)
        fields += (self._people(occupants), place.line)
        record = HouseholdRecord(*fields)
        self._check(record)
        if self.found and any(found.severity is not Severity.WARNING for found in self.found):
            return None
        self.references.keep(record.tenant_ref, record.line)
        return record

    def _people(self, occupants: Sequence[Values]) -> tuple[OccupantRecord, ...]:
        convert = self.occupant.convert
        try:
            rows = [convert(own) for own in occupants]
        except Problem:
            rows = [self._convert_slowly(own, n) for n, own in enumerate(occupants, start=1)]
        ranks = [row[0] for row in rows]
        self._in_order = ranks == _IN_ORDER[: len(ranks)] or not any(ranks)
        if ranks == _IN_ORDER[: len(ranks)]:
            return tuple([OccupantRecord(*row) for row in rows])
        ranks = [rank for rank in ranks if rank]
        if len(set(ranks)) < len(ranks):
            self._report("rank_clash", self._place.household(-1))
        if ranks:
            rows.sort(key=lambda row: row[0] or len(rows))
        return tuple(OccupantRecord(rank, *row[1:]) for rank, row in enumerate(rows, start=1))

    def _convert_slowly(self, own: Values, occupant: int) -> list[Any]:
        """The same conversion, field by field, reporting each problem once per place of the file."""
        converted: list[Any] = []
        told: set[tuple[int, str]] = set()
        row = self.occupant if occupant else self.household
        for field, text in zip(row.fields, row.texts(own), strict=False):
            try:
                converted.append(field.convert(text))
            except Problem as problem:
                converted.append(NOTHING.get(field.target, "") if problem.kept is None else problem.kept)
                if (field.slot, problem.kind) in told:
                    continue
                told.add((field.slot, problem.kind))
                where = self._where(occupant, field.slot)
                value = (text or "").strip()
                self._report(problem.kind, where, value=value, expected=problem.expected, field=field.target)
        return converted

    def _check(self, record: HouseholdRecord) -> None:
        """What concerns the household as a whole."""
        if not record.occupants and not any(found.kind == "ambiguous_link" for found in self.found):
            self._report("no_occupant", self._place.household(-1), expected="au moins un occupant")
        elif self.says_link and record.occupants and record.occupants[0].link != "holder":
            links = [person.link for person in record.occupants]
            if "holder" not in links and all(links):
                self._report("no_holder", self._place.household(-1), expected="un titulaire")
        if self.says_address and not (record.address_4 and record.postcode and record.city):
            expected = "une voie, un code postal et une ville"
            self._report("missing_address", self._place.household(-1), expected=expected)
        if len(record.postcode) + len(record.city) >= ADDRESS_LINE and record.city:
            self._report(
                "address_line_too_long",
                self._place.household(self._slots["city"]),
                value=f"{record.postcode} {record.city}",
                expected=f"{ADDRESS_LINE} caractères au plus (NF Z10-011)",
                field="city",
            )
        self._check_addressee(record)
        first = self.references.get(record.tenant_ref)
        if first and record.tenant_ref:
            where = self._place.household(self._slots["tenant_ref"])
            value, expected = record.tenant_ref, str(first)
            self._report("duplicate_reference", where, value=value, expected=expected, field="tenant_ref")

    def _check_addressee(self, record: HouseholdRecord) -> None:
        """The first line of the address, which is the leaseholder's name."""
        people = record.occupants or _NOBODY
        person = next((each for each in people if each.link == "holder"), people[0])
        if len(person.first_name) + len(person.last_name) + LONGEST_TITLE >= ADDRESS_LINE:
            name = addressed_as(person.sex, person.first_name, person.last_name)
            if len(name) > ADDRESS_LINE:
                expected = f"{ADDRESS_LINE} caractères au plus (NF Z10-011)"
                known = self._in_order and record.occupants
                where = self._where(person.rank if known else 0, self._occupant_name if known else -1)
                self._report("addressee_too_long", where, value=name, expected=expected)

    def _where(self, occupant: int, slot: int) -> tuple[int, str]:
        """Line and XPath of a place of the household (occupant 0) or of one of its occupants (from 1)."""
        return self._place.occupant(occupant - 1, slot) if occupant else self._place.household(slot)

    def _report_fault(self, fault: Fault) -> None:
        target = (self.occupant if fault.occupant else self.household).target_of(fault.slot)
        where = self._where(fault.occupant, fault.slot)
        self._report(fault.kind, where, value=fault.value, expected=fault.expected, field=target)

    def _report(
        self, kind: str, where: tuple[int, str], *, value: str = "", expected: str = "", field: str = ""
    ) -> None:
        line, path = where
        reference = (self._values[self._slots["tenant_ref"]] or "").strip()
        self.found.append(
            anomaly(kind, line=line, path=path, value=value, expected=expected, field=field, tenant_ref=reference)
        )


def _row(
    targets: tuple[str, ...],
    sources: dict[str, tuple[FieldMapping, tuple[int, ...]]],
    profile: MappingProfile,
    codes: CodeTables,
) -> _Row:
    return _Row([_fed(sources.get(target), target, profile, codes) for target in targets])


def _household_sources(profile: MappingProfile, slots: list[Slots]) -> dict[str, tuple[FieldMapping, tuple[int, ...]]]:
    """Target → its mapping and its slots, the slots of all lists standing one after the other."""
    sources: dict[str, tuple[FieldMapping, tuple[int, ...]]] = {}
    offset = 0
    for own, mappings in zip(slots, (profile.fields, *(joined.fields for joined in profile.joins)), strict=True):
        for mapping in mappings:
            sources[mapping.target] = mapping, tuple(offset + own.index(source) for source in mapping.sources)
        offset += len(own.paths)
    return sources


def _fed(
    source: tuple[FieldMapping, tuple[int, ...]] | None, target: str, profile: MappingProfile, codes: CodeTables
) -> _Field:
    """The field; slot -1 is the last value, always None, for what the file does not give."""
    nothing = NOTHING.get(target, "")
    if source is None:
        return _Field(target, -1, absent(nothing), lambda texts, _: [nothing] * len(texts))
    mapping, slots = source
    if target == "tenant_ref":
        mapping = replace(mapping, required=True)
    first, *more = slots or (-1,)
    convert = converter(mapping, codes, profile.empty, nothing)
    return _Field(target, first, convert, column(mapping, convert, profile.empty, nothing), tuple(more), mapping.join)


def missing_tables(profile: MappingProfile, codes: CodeTables) -> list[Anomaly]:
    """One blocking anomaly for each code table that the profile needs and that was not given."""
    return [anomaly("missing_table", value=name) for name in sorted(profile.tables()) if codes.get(name) is None]

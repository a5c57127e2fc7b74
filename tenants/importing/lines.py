"""New households as lines of five tables: dwellings, households, occupants; cases and the start of their history.

A block of lines is joined from the records as they stand, then checked as a whole: only when a value holds a sign that
COPY would misread is the block joined again from escaped records.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection

from tenants.importing import rows
from tenants.importing.scoping import Scope
from tenants.importing.tables import ESCAPES, NOTHING, Table, text_of
from tenants.landlord_file.records import HouseholdRecord, OccupantRecord
from tenants.models import CaseEvent, Dwelling, Household, ImportFile, Occupant, SurveyCase

TAB = "\t"
RecordT = TypeVar("RecordT", HouseholdRecord, OccupantRecord)

_HOUSEHOLD_END = (
    *("move_in_on", "rent", "apl", "non_response_years", "exempt_zone_at_move_in", "large_print", "search_name"),
)
_zones = attrgetter(*rows.DWELLING_ZONES)
_UNTOLD = (None,) * len(rows.DWELLING_ZONES)
_dwelling_texts = attrgetter(*rows.DWELLING_TEXTS.values())
_household_texts = attrgetter(*rows.HOUSEHOLD_TEXTS.values())
_occupant_texts = attrgetter(*rows.OCCUPANT_TEXTS.values())


@dataclass(frozen=True, slots=True)
class Arrival:
    """A household that is new to the campaign, with the ids and the reference it is given."""

    record: HouseholdRecord
    pk: int
    dwelling: int
    case: int
    reference: str
    scope: Scope
    # The name it is searched by, once its record is escaped.
    search_name: str | None = None


class PeopleTables:
    """Dwellings, households, occupants."""

    def __init__(self, campaign_id: int) -> None:
        self._campaign = campaign_id
        self._dwellings = Table(
            Dwelling, ("id", "campaign", "reference", *rows.DWELLING_TEXTS, "surface", "qpv", *rows.DWELLING_ZONES)
        )
        self._households = Table(
            Household, ("id", "campaign", "dwelling", "tenant_reference", *rows.HOUSEHOLD_TEXTS, *_HOUSEHOLD_END)
        )
        self._occupants = Table(Occupant, ("household", "row", *rows.OCCUPANT_TEXTS, "birth_date", "cmi", "dependant"))
        self.all = (self._dwellings, self._households, self._occupants)

    def add(self, dwellings: Sequence[tuple[int, HouseholdRecord]], arrivals: Sequence[Arrival]) -> None:
        """The lines of new dwellings (id, the record that describes it) and of new households."""
        people = sum(len(each.record.occupants) for each in arrivals)
        _put(self._dwellings, self._dwelling_lines, dwellings, len(dwellings))
        _put(self._households, self._household_lines, arrivals, len(arrivals))
        _put(self._occupants, self._occupant_lines, arrivals, people)

    def _dwelling_lines(self, dwellings: Sequence[tuple[int, HouseholdRecord]]) -> str:
        campaign, rest = self._campaign, self._dwellings.rest
        return "".join(
            f"{pk}\t{campaign}\t{rows.dwelling_reference(record)}\t{TAB.join(_dwelling_texts(record))}"
            f"\t{_money(record.surface)}\t{'1' if record.qpv else '0'}\t{_zone_text(record)}{rest}"
            for pk, record in dwellings
        )

    def _household_lines(self, arrivals: Sequence[Arrival]) -> str:
        campaign, rest = self._campaign, self._households.rest
        lines = []
        for each in arrivals:
            record = each.record
            name = rows.search_name(record.occupants) if each.search_name is None else each.search_name
            lines.append(
                f"{each.pk}\t{campaign}\t{each.dwelling}\t{record.tenant_ref}\t{TAB.join(_household_texts(record))}"
                f"\t{record.move_in or NOTHING}\t{_money(record.rent)}\t{'1' if record.apl else '0'}"
                f"\t{record.non_response_years}\t{text_of(record.exempt_zone_at_move_in)}"
                f"\t{'1' if record.large_print else '0'}\t{name}{rest}"
            )
        return "".join(lines)

    def _occupant_lines(self, arrivals: Sequence[Arrival]) -> str:
        rest = self._occupants.rest
        return "".join(
            f"{each.pk}\t{person.rank}\t{TAB.join(_occupant_texts(person))}\t{person.birth_date or NOTHING}"
            f"\t{'1' if person.cmi else '0'}\t{'1' if person.dependant else '0'}{rest}"
            for each in arrivals
            for person in each.record.occupants
        )


class CaseTables:
    """Cases and the first line of their history."""

    def __init__(self, campaign_id: int, deposit: ImportFile, now: dt.datetime) -> None:
        self._campaign, self._deposit = campaign_id, deposit.pk
        self._cases = Table(SurveyCase, ("id", "campaign", "household", "reference", "state", "scope", "scope_reason"))
        self._events = Table(CaseEvent, ("case", "occurred_at", "kind", "data"))
        self._when = text_of(connection.ops.adapt_datetimefield_value(now))
        self._told: dict[Scope, tuple[str, str]] = {}
        self.all = (self._cases, self._events)

    def add(self, arrivals: Sequence[Arrival]) -> None:
        """Their lines."""
        cases, events = [], []
        for each in arrivals:
            about, event = self._told.get(each.scope) or self._tell(each.scope)
            cases.append(f"{each.case}\t{self._campaign}\t{each.pk}\t{each.reference}\t{about}")
            events.append(f"{each.case}\t{event}")
        self._cases.write("".join(cases))
        self._events.write("".join(events))

    def _tell(self, scope: Scope) -> tuple[str, str]:
        """What all cases of that scope have in common: the end of their line, and of their event's."""
        kind = "import" if scope.surveyed else "exempt"
        data = text_of(json.dumps({"deposit": self._deposit, "scope": scope.name}))
        told = (
            f"{scope.state.value}\t{text_of(scope.name)}\t{text_of(scope.reason)}{self._cases.rest}",
            f"{self._when}\t{kind}\t{data}{self._events.rest}",
        )
        self._told[scope] = told
        return told


def _put(table: Table, lines: Any, items: Sequence[Any], count: int) -> None:
    """Write the lines of these items, `count` in all; joined again from escaped records if a value would be misread."""
    text = lines(items)
    tabs = len(table.columns) - 1
    if "\\" in text or "\r" in text or text.count("\n") != count or text.count("\t") != count * tabs:
        text = lines([_safe(each) for each in items])
    table.write(text)


def _safe(item: Any) -> Any:
    if isinstance(item, Arrival):
        return replace(item, record=_escaped(item.record), search_name=rows.search_name(item.record.occupants))
    pk, record = item
    return pk, _escaped(record)


def _escaped(record: RecordT) -> RecordT:
    """The same record with every text escaped."""
    changes: dict[str, Any] = {}
    for name in record.__dataclass_fields__:
        value = getattr(record, name)
        if isinstance(value, str):
            changes[name] = value.translate(ESCAPES)
        elif isinstance(value, tuple):
            changes[name] = tuple(_escaped(person) for person in value)
    return replace(record, **changes)


def _zone_text(record: HouseholdRecord) -> str:
    """The columns of the exempt zones; most files tell none of them."""
    told = _zones(record)
    if told == _UNTOLD:
        return _NO_ZONE
    values = zip(rows.DWELLING_ZONES, told, strict=True)
    return TAB.join(text_of(bool(value) if name in rows.YES_OR_NO else value) for name, value in values)


_NO_ZONE = TAB.join("0" if name in rows.YES_OR_NO else NOTHING for name in rows.DWELLING_ZONES)


def _money(value: Decimal | None) -> str:
    """An amount with at most two decimals."""
    if value is None:
        return NOTHING
    text = str(value)
    return text if text.find(".", 0, -3) < 0 else str(value.quantize(rows.CENT))

"""New households as lines of five tables: dwellings, households, occupants; cases and the start of their history.

What a record says becomes text once (`Told`); ids are set before it when they are known. A block of such texts is
checked as a whole by one expression a table, which knows what each column can hold and which signs COPY would misread:
only a block that it refuses is looked at record by record.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import CharField, DecimalField, Model

from tenants.importing import rows
from tenants.importing.scoping import Scope
from tenants.importing.tables import ESCAPES, NOTHING, Table, text_of
from tenants.landlord_file.records import HouseholdRecord
from tenants.models import CaseEvent, Dwelling, Household, ImportFile, Occupant, SurveyCase

TAB = "\t"

# The columns that a record feeds, in the order in which it tells them.
_DWELLING = ("reference", *rows.DWELLING_TEXTS, "surface", "qpv", *rows.DWELLING_ZONES)
_HOUSEHOLD_END = (
    *("move_in_on", "rent", "apl", "non_response_years", "exempt_zone_at_move_in", "large_print", "search_name"),
)
_HOUSEHOLD = ("tenant_reference", *rows.HOUSEHOLD_TEXTS, *_HOUSEHOLD_END)
_OCCUPANT = ("row", *rows.OCCUPANT_TEXTS, "birth_date", "cmi", "dependant")

_zones = attrgetter(*rows.DWELLING_ZONES)
_UNTOLD = (None,) * len(rows.DWELLING_ZONES)
_dwelling_texts = attrgetter(*rows.DWELLING_TEXTS.values())
_household_texts = attrgetter("tenant_ref", *rows.HOUSEHOLD_TEXTS.values())
_occupant_texts = attrgetter(*rows.OCCUPANT_TEXTS.values())

Joined = Callable[[Iterable[str]], str]


class Told(NamedTuple):
    """What a record says of the dwelling, of the household and of each occupant: the fed columns, between tabs."""

    dwelling: str
    household: str
    people: list[str]


class Arrival(NamedTuple):
    """A household that is new to the campaign, with the ids and the reference it is given."""

    told: Told
    pk: int
    dwelling: int
    case: int
    reference: str
    scope: Scope


# ── What records say ─────────────────────────────────────────────────────────────────────────────────────────────────


def told_by(records: Sequence[HouseholdRecord]) -> list[Told] | None:
    """The text of each record; None when a value is too long or too large for its column, or COPY would misread it."""
    told = [_told(record, TAB.join) for record in records]
    dwellings, households, people = zip(*told, strict=True) if told else ((), (), ())
    fit = (
        _FITS[0].fullmatch("\n".join((*dwellings, ""))),
        _FITS[1].fullmatch("\n".join((*households, ""))),
        _FITS[2].fullmatch("\n".join([*(person for own in people for person in own), ""])),
    )
    return told if all(fit) else None


def escaped(records: Sequence[HouseholdRecord]) -> list[Told]:
    """The text of each record, whatever signs it holds."""
    return [_told(record, _joined_escaped) for record in records]


def _joined_escaped(values: Iterable[str]) -> str:
    return TAB.join([value.translate(ESCAPES) for value in values])


def _told(record: HouseholdRecord, joined: Joined) -> Told:
    people = record.occupants
    return Told(
        f"{joined((rows.dwelling_reference(record), *_dwelling_texts(record)))}"
        f"\t{_money(record.surface)}\t{'1' if record.qpv else '0'}\t{_zone_text(record)}",
        f"{joined(_household_texts(record))}\t{record.move_in or NOTHING}\t{_money(record.rent)}"
        f"\t{'1' if record.apl else '0'}\t{record.non_response_years}\t{text_of(record.exempt_zone_at_move_in)}"
        f"\t{'1' if record.large_print else '0'}\t{rows.search_name(people)}",
        [
            f"{person.rank}\t{joined(_occupant_texts(person))}\t{_day(person.birth_date)}"
            f"\t{'1' if person.cmi else '0'}\t{'1' if person.dependant else '0'}"
            for person in people
        ],
    )


@lru_cache(maxsize=50_000)
def _day(value: dt.date | None) -> str:
    return NOTHING if value is None else value.isoformat()


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


# ── What columns hold ────────────────────────────────────────────────────────────────────────────────────────────────


def _fits(model: type[Model], columns: Sequence[str]) -> re.Pattern[str]:
    """Takes lines of these columns whose values all fit, and that COPY reads as they are meant."""
    return re.compile(rf"(?:{TAB.join(_holds(model._meta.get_field(name)) for name in columns)}\n)*+")


def _holds(field: Any) -> str:
    if field.name == "non_response_years":
        return r"\d{1,2}+"
    if isinstance(field, DecimalField):
        return rf"(?:{NOTHING}|-?\d{{1,{field.max_digits - field.decimal_places}}}+(?:\.\d{{1,2}})?+)"
    if isinstance(field, CharField) and field.max_length:
        return rf"[^\t\n\r\\]{{0,{field.max_length}}}+"
    return r"[^\t\n\r\\]*+"


_FITS = (_fits(Dwelling, _DWELLING), _fits(Household, _HOUSEHOLD), _fits(Occupant, _OCCUPANT))


# ── Lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class PeopleTables:
    """Dwellings, households, occupants."""

    def __init__(self, campaign_id: int) -> None:
        self._campaign = campaign_id
        self._dwellings = Table(Dwelling, ("id", "campaign", *_DWELLING))
        self._households = Table(Household, ("id", "campaign", "dwelling", *_HOUSEHOLD))
        self._occupants = Table(Occupant, ("household", *_OCCUPANT))
        self.all = (self._dwellings, self._households, self._occupants)

    def add(self, dwellings: Mapping[int, Told], arrivals: Sequence[Arrival]) -> None:
        """The lines of new dwellings (id → what describes it) and of new households."""
        campaign, rest = self._campaign, self._dwellings.rest
        self._dwellings.write("".join([f"{pk}\t{campaign}\t{told.dwelling}{rest}" for pk, told in dwellings.items()]))
        rest = self._households.rest
        self._households.write(
            "".join([f"{pk}\t{campaign}\t{home}\t{told.household}{rest}" for told, pk, home, *_ in arrivals])
        )
        rest = self._occupants.rest
        self._occupants.write("".join([f"{pk}\t{person}{rest}" for told, pk, *_ in arrivals for person in told.people]))


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

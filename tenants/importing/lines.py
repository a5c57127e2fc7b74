"""New households as lines of five tables: dwellings, households, occupants; cases and the start of their history.

What households say becomes text column by column (`Told`); ids are set before it when they are known. The texts of a
block are checked as a whole by one expression a table, which knows what each column can hold and which signs COPY would
misread: only a block that it refuses is looked at record by record.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain, repeat
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import CharField, DecimalField, Model

from tenants.importing import rows
from tenants.importing.scoping import Scope
from tenants.importing.tables import ESCAPES, NOTHING, Table, text_of
from tenants.landlord_file.blocks import Block
from tenants.models import CaseEvent, Dwelling, Household, ImportFile, Occupant, SurveyCase

TAB = "\t"

# The columns that a record feeds, in the order in which it tells them.
_DWELLING = ("reference", *rows.DWELLING_TEXTS, "surface", "qpv", *rows.DWELLING_ZONES)
_HOUSEHOLD_END = (
    *("move_in_on", "rent", "apl", "non_response_years", "exempt_zone_at_move_in", "large_print", "search_name"),
)
_HOUSEHOLD = ("tenant_reference", *rows.HOUSEHOLD_TEXTS, *_HOUSEHOLD_END)
_OCCUPANT = ("row", *rows.OCCUPANT_TEXTS, "birth_date", "cmi", "dependant")
_DWELLING_TEXTS = tuple(rows.DWELLING_TEXTS.values())
_HOUSEHOLD_TEXTS = tuple(rows.HOUSEHOLD_TEXTS.values())


class Told(NamedTuple):
    """What each household of a block says of its dwelling and of itself, and what each of its people is: the columns
    fed, between tabs. `sizes` are how many people each household has."""

    dwellings: list[str]
    households: list[str]
    people: list[str]
    sizes: Sequence[int]


class Arrivals(NamedTuple):
    """The households of a block, new to the campaign, with the ids and the references that they are given."""

    told: Told
    pks: list[int]
    homes: list[int]
    cases: list[int]
    references: list[str]
    scopes: list[Scope]


# ── What blocks say ──────────────────────────────────────────────────────────────────────────────────────────────────


def told_by(block: Block) -> Told | None:
    """The text of each household; None when a value does not fit its column, or COPY would misread it."""
    told = _told(block, tuple)
    fit = (fits.fullmatch("\n".join((*lines, ""))) for fits, lines in zip(_FITS, told[:3], strict=True))
    return told if all(fit) else None


def escaped(block: Block) -> Told:
    """The text of each household, whatever signs it holds."""
    return _told(block, lambda texts: [text.translate(ESCAPES) for text in texts])


def _told(block: Block, as_text: Callable[[Iterable[str]], Iterable[str]]) -> Told:
    own, persons = block.households, block.people
    texts = {name: as_text(own[name]) for name in (*_DWELLING_TEXTS, "tenant_ref", *_HOUSEHOLD_TEXTS)}
    dwellings = (
        as_text(rows.dwelling_references(block)),
        *(texts[name] for name in _DWELLING_TEXTS),
        map(_money, own["surface"]),
        map(_YES.__getitem__, own["qpv"]),
        *(map((_YES if name in rows.YES_OR_NO else _ANSWERS).__getitem__, own[name]) for name in rows.DWELLING_ZONES),
    )
    households = (
        texts["tenant_ref"],
        *(texts[name] for name in _HOUSEHOLD_TEXTS),
        map(_ANSWERS.__getitem__, own["move_in"]),
        map(_money, own["rent"]),
        map(_YES.__getitem__, own["apl"]),
        map(str, own["non_response_years"]),
        map(_ANSWERS.__getitem__, own["exempt_zone_at_move_in"]),
        map(_YES.__getitem__, own["large_print"]),
        rows.search_names(block),
    )
    people = (
        map(str, persons["rank"]),
        *(as_text(persons[name]) for name in rows.OCCUPANT_TEXTS.values()),
        map(_ANSWERS.__getitem__, persons["birth_date"]),
        map(_YES.__getitem__, persons["cmi"]),
        map(_YES.__getitem__, persons["dependant"]),
    )
    lines = [list(map(TAB.join, zip(*each, strict=True))) for each in (dwellings, households, people)]
    return Told(lines[0], lines[1], lines[2], block.sizes)


class _Answers(dict[Any, str]):
    """A date, an answer that may be missing → its text; dates come back, and are remembered."""

    def __missing__(self, value: Any) -> str:
        text = text_of(value)
        if len(self) < _REMEMBERED:
            self[value] = text
        return text


_REMEMBERED = 50_000
_ANSWERS = _Answers()
_YES = {None: "0", False: "0", True: "1"}


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

    def __init__(self, campaign_id: int, *, straight: bool = False) -> None:
        self._campaign = campaign_id
        self._dwellings = Table(Dwelling, ("id", "campaign", *_DWELLING), straight=straight)
        self._households = Table(Household, ("id", "campaign", "dwelling", *_HOUSEHOLD), straight=straight)
        self._occupants = Table(Occupant, ("household", *_OCCUPANT), straight=straight)
        self.all = (self._dwellings, self._households, self._occupants)

    def add(self, dwellings: Mapping[int, int], arrivals: Arrivals) -> None:
        """The lines of new dwellings (id → place of the household that describes it) and of new households."""
        campaign, rest, (told, pks, homes, *_) = self._campaign, self._dwellings.rest, arrivals
        described = told.dwellings
        lines = [f"{pk}\t{campaign}\t{described[place]}{rest}" for pk, place in dwellings.items()]
        self._dwellings.write("".join(lines))
        rest = self._households.rest
        each = zip(pks, homes, told.households, strict=True)
        self._households.write("".join([f"{pk}\t{campaign}\t{home}\t{line}{rest}" for pk, home, line in each]))
        rest = self._occupants.rest
        owners = chain.from_iterable(map(repeat, pks, told.sizes))
        people = zip(owners, told.people, strict=True)
        self._occupants.write("".join([f"{owner}\t{person}{rest}" for owner, person in people]))


class CaseTables:
    """Cases and the first line of their history."""

    def __init__(self, campaign_id: int, deposit: ImportFile, now: dt.datetime, *, straight: bool = False) -> None:
        self._campaign, self._deposit = campaign_id, deposit.pk
        fed = ("id", "campaign", "household", "reference", "state", "scope", "scope_reason")
        self._cases = Table(SurveyCase, fed, straight=straight)
        self._events = Table(CaseEvent, ("case", "occurred_at", "kind", "data"), straight=straight)
        self._when = text_of(connection.ops.adapt_datetimefield_value(now))
        self._told: dict[Scope, tuple[str, str]] = {}
        self.all = (self._cases, self._events)

    def add(self, arrivals: Arrivals) -> None:
        """Their lines."""
        campaign, ends = self._campaign, [self._told.get(scope) or self._tell(scope) for scope in arrivals.scopes]
        each = zip(arrivals.cases, arrivals.pks, arrivals.references, ends, strict=True)
        self._cases.write(
            "".join([f"{case}\t{campaign}\t{pk}\t{reference}\t{about}" for case, pk, reference, (about, _) in each])
        )
        self._events.write("".join([f"{case}\t{event}" for case, (_, event) in zip(arrivals.cases, ends, strict=True)]))

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

"""A known household and what the file says of it now: every difference, and whether it may be written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import Model

from campaigns.models import Campaign
from campaigns.questionnaire.parsing import load_library
from tenants.case_states import State
from tenants.importing import rows
from tenants.importing.addresses import Decided, accepted_for, as_accepted
from tenants.importing.changes import Detail
from tenants.importing.scoping import Scope
from tenants.landlord_file.records import HouseholdRecord
from tenants.models import Dwelling, Household, Occupant, SurveyCase

# Cases in these states, never sent, follow the landlord's file; the others keep what was printed on their form.
FREE = frozenset({State.PREPARED, State.OUT_OF_SCOPE})
# What is corrected even once the form has left: where and how to write.
ALWAYS = frozenset({*rows.ADDRESS, *rows.CONTACT, "large_print"})
KEPT = "Formulaire déjà envoyé : seuls l'adresse et les moyens de contact sont corrigés, la réponse dira le reste."

_HOUSEHOLD = (*rows.HOUSEHOLD, "search_name")
_LARGE_PRINT = _HOUSEHOLD.index("large_print")
_OCCUPANT = ("row", *rows.OCCUPANT)
_CASE = ("case__pk", "case__state", "case__sent_at", "case__scope", "case__scope_reason")
_START = 4 + len(_CASE)
_MIDDLE = _START + len(_HOUSEHOLD)


@dataclass(frozen=True, slots=True)
class Known:
    """A household as the campaign knows it; `household`, `described` and `people` follow the columns of `rows`.

    `accepted` are the corrections of its address that people accepted: the file that repeats the old lines keeps them.
    """

    pk: int
    reference: str
    left_on: dt.date | None
    dwelling: str
    case: int
    state: State
    sent: bool
    scope: Scope
    household: tuple[Any, ...]
    described: tuple[Any, ...]
    people: tuple[tuple[Any, ...], ...]
    accepted: Decided

    @property
    def free(self) -> bool:
        """Whether nothing was printed for it yet."""
        return self.state in FREE and not self.sent


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: the `table` and `column` it is in, the person's row (0: the household), old and new values."""

    table: str
    column: str
    row: int
    old: Any
    new: Any
    applied: bool


def known_households(campaign: Campaign, references: Sequence[str], *, lock: bool = False) -> dict[str, Known]:
    """The households of the campaign that bear these references; `lock` holds their cases for the transaction."""
    if lock:
        cases = SurveyCase.objects.filter(campaign=campaign, household__tenant_reference__in=references)
        list(cases.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    columns = ("pk", "tenant_reference", "left_on", "dwelling__reference", *_CASE, *_HOUSEHOLD)
    columns += tuple(f"dwelling__{column}" for column in rows.DWELLING)
    told = list(campaign.households.filter(tenant_reference__in=references).values_list(*columns))
    people: dict[int, list[tuple[Any, ...]]] = {row[0]: [] for row in told}
    occupants = Occupant.objects.filter(household__in=people).order_by("household", "row")
    for household, *values in occupants.values_list("household_id", *_OCCUPANT):
        people[household].append(tuple(values))
    accepted = accepted_for(campaign, references)
    return {row[1]: _known(row, people[row[0]], accepted.get(row[1], [])) for row in told}


def _known(row: tuple[Any, ...], people: list[tuple[Any, ...]], accepted: Decided) -> Known:
    pk, reference, left_on, dwelling, case, state, sent_at, scope, reason = row[:_START]
    return Known(
        pk=pk,
        reference=reference,
        left_on=left_on,
        dwelling=dwelling,
        case=case,
        state=State(state),
        sent=sent_at is not None,
        scope=Scope(scope, reason),
        household=row[_START:_MIDDLE],
        described=row[_MIDDLE:],
        people=tuple(people),
        accepted=accepted,
    )


def changes_between(known: Known, record: HouseholdRecord, scope: Scope, *, describes: bool) -> list[Change]:
    """Every difference between a household and its record; `describes`: the record also speaks of the dwelling."""
    told = as_accepted(rows.household_values(record), known.accepted)
    # A household that asked for large print itself keeps it, whatever the file does not say.
    told["large_print"] = told["large_print"] or known.household[_LARGE_PRINT]
    household = tuple(told.values())
    people = tuple((person.rank, *rows.occupant_values(person).values()) for person in record.occupants)
    found: list[Change] = []
    if household != known.household:
        found += _columns("household", _HOUSEHOLD, 0, known.household, household, known.free)
    reference = rows.dwelling_reference(record)
    if reference != known.dwelling:
        found.append(Change("dwelling", "reference", 0, known.dwelling, reference, known.free))
    elif describes:
        described = tuple(rows.dwelling_values(record).values())
        if described != known.described:
            found += _columns("dwelling", tuple(rows.DWELLING), 0, known.described, described, known.free)
    if people != known.people:
        found += _people(known, people)
    if scope != known.scope:
        leaves = not scope.surveyed and known.state is State.SENT
        found.append(Change("case", "scope", 0, known.scope, scope, known.free or leaves))
    return found


def _columns(
    table: str, columns: Sequence[str], row: int, old: Sequence[Any], new: Sequence[Any], free: bool
) -> Iterator[Change]:
    for column, before, after in zip(columns, old, new, strict=True):
        if before != after:
            yield Change(table, column, row, before, after, free or (table == "household" and column in ALWAYS))


def _people(known: Known, told: Iterable[tuple[Any, ...]]) -> Iterator[Change]:
    before = {person[0]: person for person in known.people}
    for person in told:
        row = person[0]
        old = before.pop(row, None)
        if old is None:
            yield Change("occupant", "", row, None, person[1:], known.free)
        elif old != person:
            yield from _columns("occupant", _OCCUPANT[1:], row, old[1:], person[1:], known.free)
    for row, old in before.items():
        yield Change("occupant", "", row, old[1:], None, known.free)


# ── In words ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_MODELS: dict[str, type[Model]] = {"household": Household, "dwelling": Dwelling, "occupant": Occupant}


def in_words(changes: Iterable[Change]) -> list[Detail]:
    """The differences as people read them; what only serves the search is not told."""
    return [
        Detail(label=_label(each), old=_shown(each, each.old), new=_shown(each, each.new), applied=each.applied)
        for each in changes
        if each.column != "search_name"
    ]


def _label(change: Change) -> str:
    if change.table == "case":
        return "périmètre"
    if not change.column:
        return f"occupant {change.row}"
    label = str(_MODELS[change.table]._meta.get_field(change.column).verbose_name)  # type: ignore[union-attr]
    place = {"dwelling": "logement, ", "occupant": f"occupant {change.row}, "}.get(change.table, "")
    return f"{place}{label}"


def _shown(change: Change, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, Scope):
        label = SurveyCase.Scope(value.name).label
        return f"{label} ({value.reason})" if value.reason else label
    if isinstance(value, tuple):
        return _person(dict(zip(_OCCUPANT[1:], value, strict=True)))
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    if change.column in rows.MONEY:
        return f"{value}".replace(".", ",")
    return _choices().get(change.column, {}).get(str(value), str(value)) if change.table == "occupant" else str(value)


def _person(values: dict[str, Any]) -> str:
    name = f"{values['first_name']} {values['last_name']}".strip()
    birth = values["birth_date"]
    return f"{name}, né(e) le {birth:%d/%m/%Y}" if birth else name


@lru_cache(maxsize=1)
def _choices() -> dict[str, dict[str, str]]:
    """What our values of links, statuses and activities are called on the form."""
    prefix = "occupant."
    return {
        field.key.removeprefix(prefix): {choice.value: choice.label for choice in field.choices}
        for _, field in load_library("sls_ops").fields()
        if field.key.startswith(prefix) and field.choices
    }

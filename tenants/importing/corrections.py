"""Known households brought to what the file says now, one by one: only what may still be written, with its event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from campaigns.models import Campaign, User
from tenants.case_states import Move, State
from tenants.importing import rows
from tenants.importing.comparing import Change, Known
from tenants.importing.scoping import Scope
from tenants.landlord_file.records import HouseholdRecord
from tenants.models import Dwelling, Household, ImportFile, Occupant, SurveyCase

_OCCUPANT = tuple(rows.OCCUPANT)


def correct(
    *,
    campaign: Campaign,
    deposit: ImportFile,
    known: Known,
    record: HouseholdRecord,
    changes: Sequence[Change],
    now: dt.datetime,
    actor: User | None,
) -> None:
    """Write the differences that apply. A household that had left is in the survey again."""
    applied = [change for change in changes if change.applied]
    if not applied and known.left_on is None:
        return
    columns: dict[str, Any] = {each.column: each.new for each in applied if each.table == "household"}
    if any(each.table == "dwelling" and each.column == "reference" for each in applied):
        columns["dwelling_id"] = _dwelling(campaign, record).pk
    if known.left_on is not None:
        columns["left_on"] = None
    if columns:
        Household.objects.filter(pk=known.pk).update(**columns)
    described = {each.column: each.new for each in applied if each.table == "dwelling" and each.column != "reference"}
    if described:
        Dwelling.objects.filter(campaign=campaign, reference=known.dwelling).update(**described)
    _correct_people(known.pk, [each for each in applied if each.table == "occupant"])
    case = SurveyCase.objects.get(pk=known.case)
    data = {"deposit": deposit.pk}
    if known.left_on is not None:
        _come_back(case, now=now, actor=actor, data=data)
    for each in applied:
        if each.table == "case":
            _rescope(case, each.new, now=now, actor=actor, data=data)
    if applied:
        case.tell("import", now=now, actor=actor, data=data | {"corrected": True})


def _dwelling(campaign: Campaign, record: HouseholdRecord) -> Dwelling:
    """The dwelling that the household moved to, as the record describes it when it is new."""
    reference, described = rows.dwelling_reference(record), rows.dwelling_values(record)
    return Dwelling.objects.get_or_create(campaign=campaign, reference=reference, defaults=described)[0]


def _correct_people(household: int, changes: Sequence[Change]) -> None:
    columns: dict[int, dict[str, Any]] = {}
    for each in changes:
        if each.column:
            columns.setdefault(each.row, {})[each.column] = each.new
        elif each.new is None:
            Occupant.objects.filter(household_id=household, row=each.row).delete()
        else:
            values = dict(zip(_OCCUPANT, each.new, strict=True))
            Occupant.objects.create(household_id=household, row=each.row, **values)
    for row, values in columns.items():
        Occupant.objects.filter(household_id=household, row=row).update(**values)


def _rescope(case: SurveyCase, scope: Scope, *, now: dt.datetime, actor: User | None, data: dict[str, Any]) -> None:
    case.scope, case.scope_reason = scope.name, scope.reason
    case.save(update_fields=["scope", "scope_reason"])
    told = data | {"scope": scope.name}
    if not scope.surveyed and case.state in {State.PREPARED, State.SENT}:
        case.move(Move.EXEMPT, now=now, actor=actor, data=told)
    elif scope.surveyed and case.state == State.OUT_OF_SCOPE:
        case.move(Move.INCLUDE, now=now, actor=actor, data=told)


def _come_back(case: SurveyCase, *, now: dt.datetime, actor: User | None, data: dict[str, Any]) -> None:
    """Into the survey again, if leaving is what put it aside."""
    last = case.events.filter(kind__in=[Move.LEAVE, Move.EXEMPT]).order_by("-pk").values_list("kind", flat=True).first()
    if case.state == State.OUT_OF_SCOPE and last == Move.LEAVE:
        case.move(Move.COME_BACK if case.sent_at else Move.INCLUDE, now=now, actor=actor, data=data)

"""One field on the operators' screen: what is shown beside it, and what never is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

from campaigns.audit_trail import concerns
from campaigns.questionnaire.schema import Field
from campaigns.questionnaire.values import FieldValueError, show
from returns.acceptance import Doubt
from returns.answers import Address, questionnaire_of
from returns.forms import entry_of, suggestions_for
from returns.keying import direct_answer
from returns.keying_queue import is_referred, is_to_settle
from returns.models import Declaration, KeyingTask
from returns.models.declarations import Source
from returns.turning import turned_on
from tenants.models import Household
from tenants.prefill import prefill_of

_COLUMNS = (
    *(each.name for each in KeyingTask._meta.concrete_fields),
    "campaign__rehearsal",
    "reading__value",
    "reading__box",
    "reading__page__matrix",
    "reading__page__image",
    "reading__page__rotation",
    "reading__page__clues",
)
_DOSSIER = (
    "revision__fingerprint",
    "case__reference",
    *(f"case__household__{each.name}" for each in Household._meta.concrete_fields),
)
DIRECT_WORDS = {
    Source.ONLINE: "Le locataire, en ligne",
    Source.PHONE: "Le locataire, par téléphone",
    Source.CASE_MANAGER: "Le chargé d’affaires",
}
COUNTED = 1000  # fields left to key that are counted for an operator at each field; beyond, there are simply more
State = KeyingTask.State
Purpose = KeyingTask.Purpose


def wanted_field(request: HttpRequest) -> str:
    """The only question that the operator wants now, '' for every question of a dossier."""
    told = request.POST if request.method == "POST" else request.GET
    return str(told.get("champ", ""))[:80]


def work_url(campaign_id: int, field: str) -> str:
    """Where the operator goes on."""
    url = reverse("keying:work", args=[campaign_id])
    return f"{url}?{urlencode({'champ': field})}" if field else url


def tasks_to_show() -> QuerySet[KeyingTask]:
    """Tasks with what `shown` looks at, and nothing more: an operator opens one every two seconds."""
    return KeyingTask.objects.select_related("campaign", "reading__page").only(*_COLUMNS)


def _dossier_of(task: KeyingTask) -> Declaration:
    """The declaration that the field belongs to, with its case. Asked apart: one join of it all is slow to plan."""
    declarations = Declaration.objects.select_related("revision", "case__household").only(*_DOSSIER)
    found: Declaration = declarations.get(case__returns=task.survey_return_id)
    return found


def shown(
    request: HttpRequest,
    task: KeyingTask,
    *,
    text: str = "",
    error: str = "",
    doubt: str = "",
    fragment: bool = False,
    at_desk: bool = False,
) -> TemplateResponse:
    """The page of a field, or the part of it that changes from one field to the next."""
    declaration, only = _dossier_of(task), wanted_field(request)
    case, questionnaire = declaration.case, questionnaire_of(declaration.revision)
    field = questionnaire.find(task.field)
    concerns(request, case.reference)
    people = list(case.household.occupants.order_by("row"))
    settling = is_to_settle(task)
    told: dict[str, Any] = {
        "task": task,
        "reference": case.reference,
        "field": field,
        "entry": entry_of(field),
        "suggestions": suggestions_for(field, people) if task.entries_needed < 2 or settling else [],
        "whole_sheet": not task.reading.page.matrix or not task.reading.box,
        "turned_on": turned_on(task.reading.page),
        "people": people if task.row or not field.double_keying else [],  # how many they are is theirs to tell
        "person": next((each.full_name for each in people if task.row and each.row == task.row), ""),
        "known": _known(task, field, prefill_of(case, questionnaire, people)),
        "earlier": _earlier(task, field) if settling else [],
        "sheet_before": task.reason == Doubt.SECOND_SHEET,
        "reason": task.reason if settling else "",  # it would tell a control from a doubt
        "referred": is_referred(task),
        "only": only,
        "at_desk": at_desk,
        "following": "" if settling else _following(task, only),
        "work_url": work_url(task.campaign_id, only),
        "text": text,
        "error": error,
        "doubt": doubt,
        "rehearsal": task.campaign.rehearsal,
        "here": "supervising" if at_desk else "keying",
    }
    told |= _places(task)
    template = "keying/field.html" if fragment else "keying/task.html"
    return TemplateResponse(request, template, told)


def _following(task: KeyingTask, only: str) -> str:
    url = reverse("keying:following", args=[task.pk])
    return f"{url}?{urlencode({'champ': only})}" if only else url


def _places(task: KeyingTask) -> dict[str, int]:
    """Where the field stands in its dossier; a known answer stands where its field stood."""
    of_return = KeyingTask.objects.filter(survey_return=task.survey_return_id, purpose=Purpose.DOUBT)
    readings = list(of_return.values_list("reading", flat=True))
    waiting = KeyingTask.objects.filter(campaign=task.campaign_id, state__in=[State.OPEN, State.CLAIMED]).counted()
    place = 1 + sum(each < task.reading_id for each in readings)
    left = max(waiting[: COUNTED + 1].count(), 1)
    return {"place": place, "places": max(len(readings), place), "left": min(left, COUNTED), "more": left > COUNTED}


def _known(task: KeyingTask, field: Field, known: Mapping[Address, Any]) -> str:
    """What the landlord knew, where it can't sway the reading: never for what is keyed twice or controlled."""
    if field.double_keying or task.entries_needed > 1 or task.purpose == Purpose.CONTROL:
        return ""
    return show(field, known.get((task.field, task.row)))


def _earlier(task: KeyingTask, field: Field) -> list[tuple[str, str]]:
    """What was read before, for whoever settles; a second operator never sees the first entry."""
    entries = task.entries.filter(arbitration=False).select_related("operator").order_by("pk")
    told = [
        (f"Saisi par {entry.operator.username}", "illisible" if entry.illegible else _said(field, entry.value))
        for entry in entries
    ]
    if task.purpose == Purpose.CONTROL:
        return [("Valeur retenue", _said(field, task.held)), *told]
    if told and task.reading.value is not None:
        told.append(("Lecture automatique", _said(field, task.reading.value)))
    direct = direct_answer(task)
    if direct is not None:
        told.insert(0, (DIRECT_WORDS[direct["source"]], _said(field, direct["value"])))
    return told


def _said(field: Field, value: Any) -> str:
    try:
        return show(field, value) or "champ vide"
    except FieldValueError:
        return str(value)

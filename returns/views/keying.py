"""The keying screens, for keyboard alone: queues, one field at a time, its crop and its page."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from campaigns.audit_trail import concerns
from campaigns.models import Campaign
from campaigns.questionnaire.values import FieldValueError, parse_text, problem, show
from returns import keying
from returns.answers import questionnaire_of
from returns.forms import entry_of, typed_value
from returns.models import KeyingEntry, KeyingTask
from returns.page_images import crop_png, page_png, sheet_png
from returns.views.access import for_operators, operator_of, picture
from tenants.prefill import prefill_of

State = KeyingTask.State
LONGEST_ENTRY = dt.timedelta(minutes=10)
NOTHING_TYPED = "Vous n'avez rien saisi. Si le champ est vide sur la feuille, appuyez sur Échap ; illisible, sur F4."
NOT_YOURS = "Ce champ n'est plus à vous : quelqu'un d'autre l'a repris. Voici le suivant."


@for_operators
@require_safe
def home(request: HttpRequest) -> TemplateResponse:
    """What there is to key, campaign by campaign, and the operator's own day."""
    today = timezone.localdate()
    queues = (
        Campaign.objects.annotate(
            waiting=Count("keying", filter=Q(keying__state=State.OPEN)),
            in_hand=Count("keying", filter=Q(keying__state=State.CLAIMED)),
            disputed=Count("keying", filter=Q(keying__state=State.ARBITRATION)),
            referred=Count("keying", filter=Q(keying__state=State.REFERRED)),
            ever=Count("keying"),
            done=Count("keying", filter=Q(keying__state=State.DONE, keying__done_at__date=today)),
        )
        .filter(ever__gt=0)
        .select_related("landlord")
        .order_by("-waiting", "landlord__name", "pk")
    )
    mine = KeyingEntry.objects.filter(operator=operator_of(request), entered_at__date=today)
    return TemplateResponse(request, "keying/home.html", {"queues": queues, "mine": _day(mine), "here": "keying"})


def _day(entries: QuerySet[KeyingEntry]) -> dict[str, int | None]:
    told = entries.aggregate(count=Count("pk"), milliseconds=Sum("milliseconds"))
    count, spent = told["count"], told["milliseconds"]
    return {"count": count, "per_hour": round(count * 3_600_000 / spent) if spent else None}


@for_operators
@require_safe
def work(request: HttpRequest, campaign: int) -> HttpResponse:
    """The next field of a campaign."""
    found = get_object_or_404(Campaign, pk=campaign)
    task = keying.next_task(operator=operator_of(request), now=timezone.now(), campaign=found)
    if task is None:
        messages.success(request, "Il n'y a plus rien à saisir pour vous dans cette campagne.")
        return redirect("keying:home")
    return _task_page(request, task)


@for_operators
@require_POST
def enter(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an entry, then go on with the next field."""
    task = get_object_or_404(_tasks(), pk=pk)
    if not _holds(request, task):
        messages.warning(request, NOT_YOURS)
        return redirect("keying:work", campaign=task.campaign_id)
    text = request.POST.get("text", "").strip()
    try:
        doubt = _take(request, task, text)
    except FieldValueError as error:
        return _task_page(request, task, text=text, error=str(error))
    except keying.UnableToKey as error:
        messages.warning(request, str(error))
        doubt = ""
    if doubt:
        return _task_page(request, task, text=text, doubt=doubt)
    return redirect("keying:work", campaign=task.campaign_id)


def _take(request: HttpRequest, task: KeyingTask, text: str) -> str:
    """Give the entry to the step; or say what is odd about it, once, so that the operator looks again."""
    field, now, act = keying.field_of(task), timezone.now(), request.POST.get("act", "enter")
    typed = ""
    if act not in {"blank", "illegible"}:
        if not text:
            raise FieldValueError(NOTHING_TYPED)
        typed = typed_value(field, text)
        odd = problem(field, parse_text(field, typed, now.date()), now.date())
        if odd and request.POST.get("sure") != text:
            return odd
    keying.answer(
        task=task,
        operator=operator_of(request),
        text=typed,
        now=now,
        illegible=act == "illegible",
        milliseconds=_milliseconds(request, task),
    )
    return ""


@for_operators
@require_POST
def refer(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a field to the supervisor."""
    task = get_object_or_404(_tasks(), pk=pk)
    try:
        keying.refer(task=task, operator=operator_of(request), note=request.POST.get("note", ""), now=timezone.now())
    except keying.UnableToKey as error:
        messages.warning(request, str(error))
    return redirect("keying:work", campaign=task.campaign_id)


@for_operators
@require_POST
def undo(request: HttpRequest, campaign: int) -> HttpResponse:
    """Take the last entry back."""
    try:
        campaign = keying.undo(operator=operator_of(request), now=timezone.now()).campaign_id
    except keying.UnableToKey as error:
        messages.warning(request, str(error))
    return redirect("keying:work", campaign=campaign)


@for_operators
@require_safe
def crop(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of the field; the sheet when it could not be laid over its layout."""
    task = _task_in_sight(request, pk)
    reading = task.reading
    if not reading.page.matrix or not reading.box:
        return picture(request, f"task {task.pk}", lambda: page_png(reading.page))
    return picture(request, f"task {task.pk}", lambda: crop_png(reading))


@for_operators
@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of the whole page."""
    task = _task_in_sight(request, pk)
    return picture(request, f"task {task.pk}, whole page", lambda: sheet_png(task.reading.page))


def _tasks() -> QuerySet[KeyingTask]:
    return KeyingTask.objects.select_related(
        "campaign", "reading__page", "survey_return__case__campaign", "survey_return__case__household"
    )


def _holds(request: HttpRequest, task: KeyingTask) -> bool:
    return task.state == State.CLAIMED and task.claimed_by_id == request.user.pk


def _task_in_sight(request: HttpRequest, pk: int) -> KeyingTask:
    """The task, for whoever has it in hand and for case managers; nobody else looks at a field."""
    task = get_object_or_404(_tasks(), pk=pk)
    if not _holds(request, task) and not operator_of(request).may_manage:
        raise Http404
    concerns(request, task.survey_return.case.reference)
    return task


def _task_page(
    request: HttpRequest, task: KeyingTask, *, text: str = "", error: str = "", doubt: str = ""
) -> TemplateResponse:
    field = keying.field_of(task)
    case = task.survey_return.case
    concerns(request, case.reference)
    known = prefill_of(case, questionnaire_of(case.declaration.revision)).get((task.field, task.row))
    person = case.household.occupants.filter(row=task.row).first() if task.row else None
    of_return = KeyingTask.objects.filter(survey_return=task.survey_return)
    told = {
        "task": task,
        "field": field,
        "entry": entry_of(field),
        "whole_sheet": not task.reading.page.matrix or not task.reading.box,
        "person": person.full_name if person else "",
        "known": show(field, known),
        "earlier": _earlier(task),
        "place": of_return.filter(state=State.DONE).count() + 1,
        "places": of_return.count(),
        "left": KeyingTask.objects.filter(campaign=task.campaign, state__in=[State.OPEN, State.CLAIMED]).count(),
        "text": text,
        "error": error,
        "doubt": doubt,
        "rehearsal": task.campaign.rehearsal,
        "here": "keying",
    }
    return TemplateResponse(request, "keying/task.html", told)


def _earlier(task: KeyingTask) -> list[tuple[str, str]]:
    """What was entered before, for whoever settles; a second operator never sees the first entry."""
    if not keying.is_to_settle(task):
        return []
    field = keying.field_of(task)
    return [
        (entry.operator.username, "illisible" if entry.illegible else show(field, entry.value) or "champ vide")
        for entry in task.entries.filter(arbitration=False).select_related("operator").order_by("pk")
    ]


def _milliseconds(request: HttpRequest, task: KeyingTask) -> int:
    told = request.POST.get("milliseconds", "")
    spent = (timezone.now() - task.claimed_at) if task.claimed_at else dt.timedelta()
    own = int(told) if told.isdecimal() and len(told) < 10 else int(spent.total_seconds() * 1000)
    return min(max(own, 0), int(LONGEST_ENTRY.total_seconds() * 1000))

"""The keying screens, for keyboard alone: queues, one field at a time, its crop and its page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from campaigns.models import Campaign, User
from campaigns.questionnaire.values import FieldValueError, show
from returns import keying
from returns.forms import entry_of, typed_value
from returns.models import KeyingEntry, KeyingTask
from returns.page_images import NoPicture, crop_png, page_png
from tenants.prefill import prefill_of

State = KeyingTask.State
View = Callable[..., HttpResponse]
LONGEST_ENTRY = dt.timedelta(minutes=10)


def for_operators(view: View) -> View:
    """Only those who key."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not isinstance(request.user, User) or not request.user.may_key:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@for_operators
@require_safe
def home(request: HttpRequest) -> TemplateResponse:
    """What there is to key, campaign by campaign, and the operator's own day."""
    today = timezone.localdate()
    mine = KeyingEntry.objects.filter(operator=request.user, entered_at__date=today)
    queues = (
        Campaign.objects.annotate(
            waiting=Count("keying", filter=Q(keying__state__in=[State.OPEN, State.CLAIMED])),
            to_settle=Count("keying", filter=Q(keying__state__in=[State.ARBITRATION, State.REFERRED])),
            done=Count("keying", filter=Q(keying__state=State.DONE)),
        )
        .filter(Q(waiting__gt=0) | Q(to_settle__gt=0) | Q(done__gt=0))
        .select_related("landlord")
        .order_by("-waiting", "landlord__name")
    )
    return TemplateResponse(request, "keying/home.html", {"queues": queues, "mine": _day(mine)})


def _day(entries: Any) -> dict[str, Any]:
    count = entries.count()
    milliseconds = sum(entries.values_list("milliseconds", flat=True))
    return {"count": count, "per_hour": round(count * 3_600_000 / milliseconds) if milliseconds else None}


@for_operators
@require_safe
def work(request: HttpRequest, campaign: int) -> HttpResponse:
    """The next field of a campaign."""
    found = get_object_or_404(Campaign, pk=campaign)
    task = keying.next_task(operator=_operator(request), now=timezone.now(), campaign=found)
    if task is None:
        messages.success(request, "Il n'y a plus rien à saisir pour vous dans cette campagne.")
        return redirect("keying:home")
    return _task_page(request, task)


@for_operators
@require_POST
def enter(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an entry, then go on with the next field."""
    task = _my_task(request, pk)
    text = request.POST.get("text", "")
    try:
        keying.answer(
            task=task,
            operator=_operator(request),
            text="" if request.POST.get("act") == "blank" else typed_value(keying.field_of(task), text),
            now=timezone.now(),
            illegible=request.POST.get("act") == "illegible",
            milliseconds=_milliseconds(request, task),
        )
    except FieldValueError as error:
        return _task_page(request, task, text=text, error=str(error))
    except keying.UnableToKey as error:
        messages.warning(request, str(error))
    return redirect("keying:work", campaign=task.campaign_id)


@for_operators
@require_POST
def refer(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a field to the supervisor."""
    task = _my_task(request, pk)
    try:
        keying.refer(task=task, operator=_operator(request), note=request.POST.get("note", ""), now=timezone.now())
    except keying.UnableToKey as error:
        messages.warning(request, str(error))
    return redirect("keying:work", campaign=task.campaign_id)


@for_operators
@require_POST
def undo(request: HttpRequest, campaign: int) -> HttpResponse:
    """Take the last entry back."""
    try:
        task = keying.undo(operator=_operator(request), now=timezone.now())
    except keying.UnableToKey as error:
        messages.warning(request, str(error))
        return redirect("keying:work", campaign=campaign)
    return redirect("keying:work", campaign=task.campaign_id)


@for_operators
@require_safe
def crop(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of the field."""
    return _picture(lambda: crop_png(_my_task(request, pk).reading))


@for_operators
@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of the whole page."""
    return _picture(lambda: page_png(_my_task(request, pk).reading.page))


def _picture(draw: Callable[[], bytes]) -> HttpResponse:
    try:
        return HttpResponse(draw(), content_type="image/png")
    except NoPicture as error:
        raise Http404(str(error)) from error


def _operator(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - `for_operators` has seen to it
    return request.user


def _my_task(request: HttpRequest, pk: int) -> KeyingTask:
    """The task, if the operator holds it; nobody looks at a field without having it in hand."""
    tasks = KeyingTask.objects.select_related("reading__page", "survey_return__case__declaration__revision")
    return get_object_or_404(tasks, pk=pk, claimed_by=_operator(request))


def _task_page(request: HttpRequest, task: KeyingTask, *, text: str = "", error: str = "") -> TemplateResponse:
    field = keying.field_of(task)
    case = task.survey_return.case
    questionnaire = case.declaration.revision.questionnaire
    known = prefill_of(case, questionnaire).get((task.field, task.row))
    person = case.household.occupants.filter(row=task.row).first()
    entries = list(task.entries.select_related("operator")) if _settles(task) else []
    return TemplateResponse(
        request,
        "keying/task.html",
        {
            "task": task,
            "field": field,
            "entry": entry_of(field),
            "person": person.full_name if person else "",
            "known": show(field, known) if known is not None else "",
            "earlier": [(entry.operator.username, show(field, entry.value) or "—") for entry in entries],
            "left": KeyingTask.objects.filter(campaign=task.campaign, state__in=[State.OPEN, State.CLAIMED]).count(),
            "text": text,
            "error": error,
            "rehearsal": task.campaign.rehearsal,
        },
        status=422 if error else 200,
    )


def _settles(task: KeyingTask) -> bool:
    """Whether the task is in a case manager's hand to be settled; a second operator never sees the first entry."""
    return bool(task.note) or task.entries.filter(arbitration=False).count() >= task.entries_needed


def _milliseconds(request: HttpRequest, task: KeyingTask) -> int:
    told = request.POST.get("milliseconds", "")
    spent = (timezone.now() - task.claimed_at) if task.claimed_at else dt.timedelta()
    own = int(told) if told.isdigit() else int(spent.total_seconds() * 1000)
    return min(own, int(LONGEST_ENTRY.total_seconds() * 1000))

"""The keying screens, for keyboard alone: queues, one field after the other, its crop and its page."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from campaigns.audit_trail import concerns
from campaigns.models import Campaign
from campaigns.questionnaire.schema import FieldType
from campaigns.questionnaire.values import FieldValueError, parse_text, problem
from campaigns.staff import for_operators, operator_of
from returns import keying
from returns.answers import questionnaire_of
from returns.forms import typed_value
from returns.keying_queue import next_task
from returns.models import FieldReading, KeyingEntry, KeyingTask, Page, SupportingDocument
from returns.page_images import crop_png, page_png, sheet_png, upload_png
from returns.piece_readings import pieces_of
from returns.sheet_readings import ReadSheet, being_keyed, sheets_of
from returns.views.field import shown, tasks_to_show, wanted_field, work_url
from returns.views.papers import picture
from tenants.earliest_days import BOUNDED, earliest_days

State = KeyingTask.State
BOXED = frozenset({FieldType.CHOICE, FieldType.YES_NO, FieldType.TICK})
LONGEST_ENTRY = dt.timedelta(minutes=10)
NOTHING_TYPED = "Vous n'avez rien saisi. Si le champ est vide sur la feuille, appuyez sur Échap ; illisible, sur F4."
NOTHING_LEFT = "Il n'y a plus rien à saisir pour vous dans cette campagne."
NOTHING_LEFT_OF_IT = "Il n'y a plus rien à saisir pour vous sur cette question : passez aux dossiers."
NOT_YOURS = "Ce champ n'est plus à vous : quelqu'un d'autre l'a repris. Voici le suivant."


@for_operators
@require_safe
def home(request: HttpRequest) -> TemplateResponse:
    """What there is to key, campaign by campaign, and the operator's own day."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    counted = ~Q(keying__purpose=KeyingTask.Purpose.SEED)
    queues = (
        Campaign.objects.annotate(
            waiting=Count("keying", filter=Q(keying__state=State.OPEN)),
            in_hand=Count("keying", filter=counted & Q(keying__state=State.CLAIMED)),
            disputed=Count("keying", filter=Q(keying__state=State.ARBITRATION)),
            referred=Count("keying", filter=counted & Q(keying__state=State.REFERRED)),
            ever=Count("keying"),
            done=Count("keying", filter=counted & Q(keying__state=State.DONE, keying__done_at__gte=today)),
        )
        .filter(ever__gt=0)
        .select_related("landlord")
        .order_by("-waiting", "landlord__name", "pk")
    )
    mine = KeyingEntry.objects.filter(operator=operator_of(request), entered_at__gte=today)
    told = {"queues": queues, "questions": _questions(), "mine": _day(mine), "here": "keying"}
    return TemplateResponse(request, "keying/home.html", told)


def _questions() -> list[tuple[Campaign, list[tuple[str, str, int]]]]:
    """The questions that wait, campaign by campaign, the most awaited first: key, name, how many fields."""
    waiting = KeyingTask.objects.filter(state=State.OPEN).values_list("campaign", "field").annotate(n=Count("pk"))
    by_campaign: dict[int, list[tuple[str, int]]] = {}
    for campaign, field, count in waiting.order_by("-n", "field"):
        by_campaign.setdefault(campaign, []).append((field, count))
    told = []
    for campaign in Campaign.objects.filter(pk__in=by_campaign).select_related("landlord").order_by("pk"):
        revision = campaign.current_revision
        names = {field.key: field.name for _, field in questionnaire_of(revision).fields()} if revision else {}
        told.append((campaign, [(key, names.get(key, key), count) for key, count in by_campaign[campaign.pk]]))
    return told


def _day(entries: QuerySet[KeyingEntry]) -> dict[str, int | None]:
    told = entries.aggregate(count=Count("pk"), milliseconds=Sum("milliseconds"))
    count, spent = told["count"], told["milliseconds"]
    return {"count": count, "per_hour": round(count * 3_600_000 / spent) if spent else None}


@for_operators
@require_safe
def work(request: HttpRequest, campaign: int) -> HttpResponse:
    """The next field of a campaign."""
    found = get_object_or_404(Campaign, pk=campaign)
    operator, only = operator_of(request), wanted_field(request)
    task = next_task(operator=operator, now=timezone.now(), campaign=found, field=only, read=tasks_to_show())
    if task is None:
        messages.success(request, NOTHING_LEFT_OF_IT if only else NOTHING_LEFT)
        return redirect("keying:home")
    return shown(request, task)


@for_operators
@require_safe
def following(request: HttpRequest, pk: int) -> HttpResponse:
    """The field after the one in hand, claimed ahead so that it is there at once; nothing when there is none."""
    operator = operator_of(request)
    task = get_object_or_404(KeyingTask, pk=pk, claimed_by=operator.pk, state=State.CLAIMED)
    ahead = next_task(
        operator=operator,
        now=timezone.now(),
        campaign=task.campaign_id,
        field=wanted_field(request),
        after=task,
        read=tasks_to_show(),
    )
    if ahead is None:
        return HttpResponse(status=204)
    return shown(request, ahead, fragment=True)


@for_operators
@require_POST
def enter(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an entry, then go on with the next field.

    A page that swaps fields itself is told 204 when it was taken, 205 when the field was lost, else shown it again.
    """
    task = get_object_or_404(KeyingTask, pk=pk)
    swap = "X-Swap" in request.headers
    onward = redirect("keying:desk") if "desk" in request.POST else redirect(_onward(request, task))
    if not _holds(request, task):
        messages.warning(request, NOT_YOURS)
        return HttpResponse(status=205) if swap else onward
    text, error, doubt = request.POST.get("text", "").strip(), "", ""
    try:
        doubt = _take(request, task, text)
    except FieldValueError as refused:
        error = str(refused)
    except keying.UnableToKey as refused:
        messages.warning(request, str(refused))
        return HttpResponse(status=205) if swap else onward
    if error or doubt:
        again = tasks_to_show().get(pk=task.pk)
        return shown(request, again, text=text, error=error, doubt=doubt, fragment=swap, at_desk="desk" in request.POST)
    return HttpResponse(status=204) if swap else onward


def _onward(request: HttpRequest, task: KeyingTask) -> str:
    return work_url(task.campaign_id, wanted_field(request))


def _take(request: HttpRequest, task: KeyingTask, text: str) -> str:
    """Give the entry to the step; or say what is odd about it, once, so that the operator looks again."""
    field, now, act = keying.field_of(task), timezone.now(), request.POST.get("act", "enter")
    typed = ""
    if act not in {"blank", "illegible"}:
        if not text:
            raise FieldValueError(NOTHING_TYPED)
        typed = typed_value(field, text)
        known = earliest_days(task.survey_return.case) if task.field in BOUNDED else {}
        odd = problem(field, parse_text(field, typed, now.date()), now.date(), known.get((task.field, task.row)))
        if odd and request.POST.get("sure") != text:
            return odd
    keying.answer(
        task=task,
        operator=operator_of(request),
        text=typed,
        field=field,
        now=now,
        illegible=act == "illegible",
        milliseconds=_milliseconds(request, task),
    )
    return ""


@for_operators
@require_POST
def refer(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a field to the supervisor."""
    task = get_object_or_404(KeyingTask, pk=pk)
    try:
        keying.refer(task=task, operator=operator_of(request), note=request.POST.get("note", ""), now=timezone.now())
    except keying.UnableToKey as error:
        messages.warning(request, str(error))
    return redirect(_onward(request, task))


@for_operators
@require_POST
def undo(request: HttpRequest, campaign: int) -> HttpResponse:
    """Take the last entry back."""
    try:
        taken = keying.undo(operator=operator_of(request), now=timezone.now())
    except keying.UnableToKey as error:
        messages.warning(request, str(error))
        return redirect(work_url(campaign, wanted_field(request)))
    only = wanted_field(request)
    return redirect(work_url(taken.campaign_id, only if only == taken.field else ""))


@for_operators
@require_safe
def crop(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of the field; the sheet when it could not be laid over its layout."""
    task = task_in_sight(request, pk)
    return _field_picture(request, task, task.reading, f"task {task.pk}")


@for_operators
@require_safe
def crop_before(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of the same field on the sheet that answered before."""
    task = task_in_sight(request, pk)
    same = FieldReading.objects.filter(field=task.field, row=task.row).select_related("page")
    before = same.filter(survey_return__case=task.survey_return.case_id, survey_return__lt=task.survey_return_id)
    reading = before.order_by("inked", "pk").last()
    if reading is None:
        raise Http404
    return _field_picture(request, task, reading, f"task {task.pk}, before")


def _field_picture(request: HttpRequest, task: KeyingTask, reading: FieldReading, what: str) -> HttpResponse:
    """The field on its sheet; the sheet, where it could not be laid over its layout."""
    if not reading.page.matrix or not reading.box:
        return picture(request, what, lambda: page_png(reading.page))
    boxes = keying.field_of(task).type in BOXED
    return picture(request, what, lambda: crop_png(reading, boxes=boxes))


@for_operators
@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of the whole page."""
    task = task_in_sight(request, pk)
    return picture(request, f"task {task.pk}, whole page", lambda: sheet_png(task.reading.page))


@for_operators
@require_safe
def readings(request: HttpRequest, pk: int) -> TemplateResponse:
    """Everything that was read on the dossier's sheets, but what is still to key."""
    task = task_in_sight(request, pk)
    case = task.survey_return.case
    hidden = being_keyed(case)
    sheets = sheets_of(case, hidden=hidden) + pieces_of(case, hidden=hidden)
    told = {
        "task": task,
        "case": case,
        "sheets": [(each, _picture_of(each, task)) for each in sheets],
        "work_url": work_url(task.campaign_id, wanted_field(request)),
        "rehearsal": task.campaign.rehearsal,
        "here": "keying",
    }
    return TemplateResponse(request, "keying/readings.html", told)


def _picture_of(sheet: ReadSheet, task: KeyingTask) -> str:
    """The address of its picture."""
    if sheet.page is not None:
        return reverse("keying:sheet", args=[task.pk, sheet.page.pk])
    return reverse("keying:uploaded", args=[task.pk, sheet.document.pk]) if sheet.document else ""


@for_operators
@require_safe
def uploaded(request: HttpRequest, pk: int, document: int) -> HttpResponse:
    """The picture of a piece of the same dossier that was sent on line."""
    task = task_in_sight(request, pk)
    case = task.survey_return.case_id
    found = get_object_or_404(SupportingDocument, pk=document, case=case, page=None)
    return picture(request, f"task {task.pk}, piece {found.pk}", lambda: upload_png(found))


@for_operators
@require_safe
def sheet(request: HttpRequest, pk: int, sheet: int) -> HttpResponse:
    """The picture of a sheet of the same dossier."""
    task = task_in_sight(request, pk)
    found = get_object_or_404(Page, pk=sheet, survey_return__case=task.survey_return.case_id)
    return picture(request, f"task {task.pk}, sheet {found.pk}", lambda: sheet_png(found))


def _holds(request: HttpRequest, task: KeyingTask) -> bool:
    return task.state == State.CLAIMED and task.claimed_by_id == request.user.pk


def task_in_sight(request: HttpRequest, pk: int) -> KeyingTask:
    """The task, for whoever has it in hand and for case managers; nobody else looks at a field."""
    tasks = KeyingTask.objects.select_related("campaign", "reading__page", "survey_return__case")
    task = get_object_or_404(tasks, pk=pk)
    if not _holds(request, task) and not operator_of(request).may_manage:
        raise Http404
    concerns(request, task.survey_return.case.reference)
    return task


def _milliseconds(request: HttpRequest, task: KeyingTask) -> int:
    told = request.POST.get("milliseconds", "")
    spent = (timezone.now() - task.claimed_at) if task.claimed_at else dt.timedelta()
    own = int(told) if told.isdecimal() and len(told) < 10 else int(spent.total_seconds() * 1000)
    return min(max(own, 0), int(LONGEST_ENTRY.total_seconds() * 1000))

"""The supervisor's desk: what operators asked about, what they read differently, what a control found."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from campaigns.staff import for_supervisors, operator_of
from returns import keying
from returns.acceptance import Doubt
from returns.keying_queue import UnableToClaim, is_referred, is_to_settle, take
from returns.models import KeyingTask
from returns.views.field import shown, tasks_to_show

BY_PAGE = 50
State = KeyingTask.State


def to_settle() -> QuerySet[KeyingTask]:
    """The fields that wait for a supervisor, oldest first."""
    waiting = KeyingTask.objects.filter(state__in=[State.REFERRED, State.ARBITRATION]).counted()
    return waiting.select_related("campaign__landlord", "survey_return__case").order_by("created_at", "pk")


@for_supervisors
@require_safe
def desk(request: HttpRequest) -> TemplateResponse:
    """Everything that waits for a supervisor."""
    pages = Paginator(to_settle(), BY_PAGE).get_page(request.GET.get("page"))
    lines = [(task, keying.field_of(task).name, _why(task)) for task in pages]
    told = {"pages": pages, "lines": lines, "here": "supervising"}
    return TemplateResponse(request, "keying/supervisor.html", told)


def _why(task: KeyingTask) -> str:
    """What the supervisor is asked, in a few words."""
    if is_referred(task):
        return f"«\u00a0{task.note}\u00a0»"
    if task.purpose == KeyingTask.Purpose.CONTROL:
        return "Le contrôle a lu autre chose que la valeur retenue."
    if task.reason == Doubt.TOLD_BEFORE or keying.direct_answer(task) is not None:
        return "La feuille dit autre chose que le locataire en ligne ou par téléphone."
    return "Deux saisies différentes."


@for_supervisors
@require_safe
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them, taken in hand."""
    task = get_object_or_404(tasks_to_show(), pk=pk)
    if not is_to_settle(task) or task.state == State.DONE:
        messages.info(request, "Ce champ n'attend plus de superviseur.")
        return redirect("keying:desk")
    try:
        take(task=task, operator=operator_of(request), now=timezone.now())
    except UnableToClaim as error:
        messages.warning(request, str(error))
        return redirect("keying:desk")
    return shown(request, task, at_desk=True)


@for_supervisors
@require_POST
def give_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the operator's question, and let the field be keyed."""
    task = get_object_or_404(KeyingTask, pk=pk)
    reply = request.POST.get("reply", "")
    try:
        keying.give_back(task=task, supervisor=operator_of(request), reply=reply, now=timezone.now())
    except keying.UnableToKey as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, "Le champ est rendu aux opérateurs, avec votre réponse.")
    return redirect("keying:desk")

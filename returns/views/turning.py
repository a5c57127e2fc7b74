"""Turning the picture of a paper that came upside down or sideways: at the desks, and where a whole sheet is keyed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from campaigns.audit_trail import concerns
from campaigns.staff import for_operators
from returns import qualification, reconciling
from returns.models import Page, SupportingDocument
from returns.turning import UnableToTurn, turn
from returns.views.field import wanted_field, work_url
from returns.views.keying import task_in_sight


@for_operators
@require_POST
def turn_lost_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A page to reconcile."""
    page = get_object_or_404(reconciling.lost_pages(), pk=pk)
    return _turned(request, page, redirect("keying:lost_page", pk=pk))


@for_operators
@require_POST
def turn_piece(request: HttpRequest, pk: int) -> HttpResponse:
    """A piece to name."""
    document = get_object_or_404(qualification.to_qualify(), pk=pk)
    concerns(request, document.case.reference)
    return _turned(request, document, redirect("keying:piece", pk=pk))


@for_operators
@require_POST
def turn_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """The sheet of a field in hand, whose marks could not be found."""
    task = task_in_sight(request, pk)
    onward = work_url(task.campaign_id, wanted_field(request))
    shown = redirect("keying:settle", pk=pk) if "desk" in request.POST else redirect(onward)
    return _turned(request, task.reading.page, shown)


def _turned(request: HttpRequest, paper: Page | SupportingDocument, shown: HttpResponse) -> HttpResponse:
    """The page that shows it again; 204 to one that turns the picture itself."""
    try:
        turn(paper=paper, rotation=request.POST.get("rotation", ""))
    except UnableToTurn as error:
        messages.warning(request, str(error))
        return shown
    return HttpResponse(status=204) if "X-Swap" in request.headers else shown

"""How good reading and keying are: a page for each campaign, and the operators' own figures."""

from __future__ import annotations

import datetime as dt
import secrets

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from campaigns.models import Campaign
from campaigns.staff import for_supervisors, operator_of
from returns import acceptance_lots, keying_figures
from returns.acceptance_lots import UnableToDraw
from returns.acceptance_report import compose_acceptance
from returns.models import AcceptanceLot
from returns.sampling import limits, parameters
from returns.throughput import throughput

PERIODS = {"jour": ("Aujourd'hui", 1), "semaine": ("Sept jours", 7), "mois": ("Trente jours", 30)}


@for_supervisors
@require_safe
def quality(request: HttpRequest, campaign: int) -> TemplateResponse:
    """One campaign, live."""
    found = get_object_or_404(Campaign.objects.select_related("landlord"), pk=campaign)
    machine, keyed = keying_figures.machine_rates(found), keying_figures.keying_rates(found)
    told = {
        "campaign": found,
        "throughput": throughput(found),
        "machine": machine,
        "machine_total": keying_figures.total("toutes les lectures", machine),
        "missed": [keying_figures.missed_answers(found)],
        "keyed": keyed,
        "keyed_total": keying_figures.total("toutes les saisies", keyed),
        "curve": keying_figures.confidence_curve(found),
        "queue": keying_figures.queue_of(found, now=timezone.now()),
        "lots": acceptance_lots.standings(found),
        "ready": acceptance_lots.ready(found),
        "limits": [(limit, limit.replace(".", ",")) for limit in limits()],
        "usual_limit": parameters()["acceptance"]["default"],
        "source": parameters()["acceptance"]["source"],
        "rehearsal": found.rehearsal,
        "here": "quality",
    }
    return TemplateResponse(request, "keying/quality.html", told)


@for_supervisors
@require_POST
def draw(request: HttpRequest, campaign: int) -> HttpResponse:
    """Draw a lot and its sample."""
    found = get_object_or_404(Campaign, pk=campaign)
    try:
        lot = acceptance_lots.draw_lot(
            campaign=found,
            limit=request.POST.get("limit", ""),
            seed=secrets.token_hex(8),
            now=timezone.now(),
            actor=operator_of(request),
        )
    except UnableToDraw as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"Lot {lot.number} tiré : {lot.sample_size} champs partent en contrôle.")
    return redirect("keying:quality", campaign=found.pk)


@for_supervisors
@require_POST
def key_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a refused lot keyed again as a whole."""
    lot = get_object_or_404(AcceptanceLot.objects.select_related("campaign"), pk=pk)
    try:
        count = acceptance_lots.key_again(lot=lot, now=timezone.now())
    except UnableToDraw as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"Lot {lot.number} : {count} champs repartent en saisie.")
    return redirect("keying:quality", campaign=lot.campaign_id)


@for_supervisors
@require_safe
def lot_report(request: HttpRequest, pk: int) -> HttpResponse:
    """The acceptance report of a lot, as CSV."""
    lot = get_object_or_404(AcceptanceLot.objects.select_related("campaign__landlord"), pk=pk)
    answer = HttpResponse(acceptance_lots.report(lot), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="reception-lot-{lot.number}.csv"'
    return answer


@for_supervisors
@require_safe
def lot_document(request: HttpRequest, pk: int) -> HttpResponse:
    """The same for the landlord, as a PDF."""
    lot = get_object_or_404(AcceptanceLot.objects.select_related("campaign__landlord"), pk=pk)
    answer = HttpResponse(compose_acceptance(lot=lot, now=timezone.now()), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="reception-lot-{lot.number}.pdf"'
    return answer


@for_supervisors
@require_safe
def operators(request: HttpRequest) -> TemplateResponse:
    """Each operator's pace and errors."""
    period = request.GET.get("depuis", "semaine")
    period = period if period in PERIODS else "semaine"
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    lines = keying_figures.operators(since=today - dt.timedelta(days=PERIODS[period][1] - 1))
    told = {
        "lines": lines,
        "rules": parameters()["operators"],
        "target": keying_figures.percent(parameters()["operators"]["target"]),
        "target_place": keying_figures.place_of(parameters()["operators"]["target"]),
        "periods": [(key, label, key == period) for key, (label, _) in PERIODS.items()],
        "here": "operators",
    }
    return TemplateResponse(request, "keying/operators.html", told)

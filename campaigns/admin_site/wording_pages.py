"""The page « Textes et questions »: what a landlord says otherwise than the model, without code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from campaigns import operations
from campaigns.admin_site.tables import actor_of
from campaigns.form_wording import Value, save_wording, worded_items
from campaigns.law.wording import many
from campaigns.models import Campaign
from campaigns.questionnaire.schema import DefinitionError


def show_wording(request: HttpRequest, campaign: Campaign, context: Mapping[str, Any]) -> HttpResponseBase:
    """GET shows the model's words beside the landlord's; POST keeps what differs, or says why the form can't stand."""
    problems: list[str] = []
    told: dict[str, Value] = {}
    if request.method == "POST":
        told = _told(request)
        try:
            kept = save_wording(campaign=campaign, told=told, actor=actor_of(request))
        except operations.UnableToDrawUp as error:
            problems = error.problems
        except operations.OperationRefused as error:
            problems = [str(error)]
        else:
            said = many(kept, "différence enregistrée", "différences enregistrées") if kept else "Rien ne diffère plus"
            messages.success(request, f"{said}. Préparez le formulaire pour en faire une révision.")
            return redirect("admin:campaign_wording", campaign.pk)
    try:
        items = worded_items(campaign, told if problems else {})
    except DefinitionError as error:
        problems, items = [*problems, *error.problems], []
    shown = {
        **context,
        "title": f"Textes et questions · {campaign}",
        "campaign": campaign,
        "items": items,
        "problems": problems,
        "closed": campaign.stage == Campaign.Stage.CLOSED,
        "differences": sum(each.changes for each in items),
    }
    return TemplateResponse(request, "admin/wording.html", shown, status=422 if problems else 200)


def _told(request: HttpRequest) -> dict[str, Value]:
    """The texts as written; a switch that was on the page and is not ticked says no."""
    told: dict[str, Value] = {name: request.POST[name] for name in request.POST if name.count("|") == 2}
    for name in request.POST.getlist("switch"):
        told[name] = name in request.POST
    return told

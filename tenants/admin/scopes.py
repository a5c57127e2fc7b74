"""The step « Périmètre » of the campaign page: who is asked what, and why the others are left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import Count
from django.urls import reverse

from campaigns.admin_site import DONE, WAITING, Action, Figure, Link, Panel, Step, register_step
from campaigns.models import Campaign, User
from tenants.models import SurveyCase
from tenants.survey_scope import UnableToReview, review_scopes

MOST_REASONS = 4


def describe_scopes(campaign: Campaign) -> Panel:
    """How many households in each scope, and the reasons of those left out."""
    options = f"{reverse('admin:campaigns_scopeoption_changelist')}?landlord__id__exact={campaign.landlord_id}"
    links = [Link("Options du bailleur", options)]
    cases = campaign.cases.order_by()
    counts = dict(cases.values_list("scope").annotate(Count("pk")))
    if not counts:
        return Panel(WAITING, "Après l'import du fichier.", links=links)
    url = f"{reverse('admin:tenants_surveycase_changelist')}?campaign__id__exact={campaign.pk}&scope__exact="
    figures = [
        Figure(scope.label, counts[scope.value], url + scope.value)
        for scope in SurveyCase.Scope
        if counts.get(scope.value)
    ]
    reasons = cases.exclude(scope_reason="").values_list("scope_reason").annotate(number=Count("pk"))
    most = reasons.order_by("-number", "scope_reason")[:MOST_REASONS]
    note = " · ".join(f"{number} : {reason}" for reason, number in most)
    actions = () if campaign.stage == Campaign.Stage.CLOSED else ("review",)
    return Panel(DONE, note, figures, links, actions)


def review(campaign: Campaign, actor: User, now: dt.datetime, data: Mapping[str, Any]) -> str:
    """Apply the landlord's options of today to the households that have not answered."""
    done = review_scopes(campaign=campaign, actor=actor, now=now)
    changed = done.exempted + done.included + done.changed
    if not changed:
        return f"Rien n'a changé : {done.examined} dossiers sont dans le bon périmètre."
    return f"{done.exempted} dossiers écartés, {done.included} repris, {done.changed} autres changements de périmètre."


register_step(
    Step(
        key="perimetre",
        order=15,
        title="Périmètre",
        describe=describe_scopes,
        actions=(Action("review", "Appliquer les options du bailleur", review, (UnableToReview,)),),
    )
)

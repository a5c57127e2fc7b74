"""The SLS simulation on a campaign's page: made with the figures of a year, shown by brackets, as picture and table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from campaigns.admin_site import DONE, TROUBLE, WAITING, Action, Figure, Link, Panel, RecordAdmin, Step
from campaigns.legal import law_of
from campaigns.models import Campaign, User
from returns import tasks
from returns.models import Declaration, SlsSimulation
from returns.simulated import shown_of


@admin.register(SlsSimulation)
class SlsSimulationAdmin(RecordAdmin):
    """The simulations of each campaign."""

    list_display = ("campaign", "year", "made_at", "made_by")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter), "year")
    list_select_related = ("campaign__landlord", "made_by")
    ordering = ("-made_at",)
    fields = ("campaign", "year", "made_at", "made_by", "explanation")
    change_form_template = "admin/simulation.html"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The simulation by brackets, as a picture and as a table."""
        found = self.get_object(request, object_id)
        told: dict[str, Any] = {}
        if found is not None:
            told = {"simulation": found, "campaign": found.campaign, "shown": shown_of(found)}
        return super().change_view(request, object_id, form_url, {**told, **(extra_context or {})})


def describe_simulation(campaign: Campaign) -> Panel:
    """The newest simulation, or that none can be made yet."""
    if campaign.survey == Campaign.Survey.OPS:
        return Panel(DONE, "L'enquête OPS seule ne mène à aucun SLS.")
    answered = Declaration.objects.filter(case__campaign=campaign).exists()
    last = SlsSimulation.objects.filter(campaign=campaign).order_by("-made_at", "-pk").first()
    actions = ["simulate"] if answered else []
    if last is None:
        note = (
            "Estimez le SLS à partir des réponses : jamais une facture."
            if answered
            else "Après les premières réponses."
        )
        return Panel(WAITING, note, actions=actions, calm=True)
    if last.explanation:
        return Panel(TROUBLE, last.explanation, links=[_settings(campaign)], actions=actions, calm=True)
    shown = shown_of(last)
    figures = [
        Figure("foyers avec un SLS estimé", shown.households),
        Figure("par mois", shown.monthly),
        Figure("chiffres de", last.year),
    ]
    links = [Link("Voir la simulation", reverse("admin:returns_slssimulation_change", args=[last.pk]))]
    note = f"Estimation du {timezone.localtime(last.made_at):%d/%m/%Y}, jamais une facture."
    return Panel(DONE, note, figures, links, actions, calm=True)


def _settings(campaign: Campaign) -> Link:
    url = f"{reverse('admin:campaigns_legalsettings_add')}?landlord={campaign.landlord_id}"
    return Link("Compléter les réglages juridiques", url)


def years_of(campaign: Campaign) -> list[tuple[str, str]]:
    """The campaign's own year first, then the years whose figures are known."""
    known = [year for year in law_of(campaign.landlord).figures.years() if year != campaign.year]
    own = (str(campaign.year), f"chiffres de {campaign.year}")
    return [own, *((str(year), f"à titre indicatif, chiffres de {year}") for year in known)]


def start_simulation(campaign: Campaign, actor: User, now: dt.datetime, data: Mapping[str, Any]) -> str:
    """Queue the simulation with the figures chosen."""
    offered = dict(years_of(campaign))
    chosen = str(data.get("choice", ""))
    year = int(chosen) if chosen in offered else campaign.year
    transaction.on_commit(lambda: tasks.simulate_sls.delay(campaign=campaign.pk, year=year, actor=actor.pk))
    return "La simulation est lancée : rechargez cette page pour la voir."


SIMULATION = Step(
    key="simulation",
    order=84,
    title="Simulation du SLS",
    describe=describe_simulation,
    actions=(Action("simulate", "Simuler le SLS", start_simulation, choices=years_of),),
)

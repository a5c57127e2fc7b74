"""The dossier de traitement on a campaign's page: volumes, supplies to order, the order as a PDF."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.admin_site import CURRENT, DONE, WAITING, Figure, Link, Panel, RecordAdmin, Step, register_step
from campaigns.models import Campaign
from tenants.models import Purpose, Supply
from tenants.production import UnableToSupply, compose_order, list_supplies, needs_of, record_supply, volumes_of
from tenants.production.stationery import stationery_on
from tenants.production.weights import Scales


@admin.register(Supply)
class SupplyAdmin(RecordAdmin):
    """The supplies; the page of production of a campaign hangs on them."""

    list_display = ("__str__", "campaign", "ordered", "received")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("campaign__landlord",)
    fields = ("campaign", "kind", "description", "grams", "spare_percent", "ordered", "received")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """The page of production, what it posts, the PDF."""
        view = self.admin_site.admin_view
        own = [
            path("production/<int:campaign>/", view(self.production), name="production"),
            path("production/<int:campaign>/dossier.pdf", view(self.order), name="production_order"),
            path("production/<int:campaign>/<slug:kind>/", view(require_POST(self.record)), name="production_supply"),
        ]
        return own + super().get_urls()

    def production(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """Volumes by layout, and each supply: needed, ordered, received, used."""
        found = get_object_or_404(Campaign.objects.select_related("landlord"), pk=campaign)
        return TemplateResponse(
            request, "admin/production.html", {**self.admin_site.each_context(request), **_shown(found)}
        )

    def record(self, request: HttpRequest, campaign: int, kind: str) -> HttpResponse:
        """Keep the figures of one supply."""
        found = get_object_or_404(Campaign.objects.select_related("landlord"), pk=campaign)
        told = {name: value for name, value in request.POST.items() if isinstance(value, str)}
        try:
            supply = record_supply(campaign=found, kind=kind, told=told, today=timezone.localdate())
        except UnableToSupply as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"Enregistré : {supply}.")
        return redirect("admin:production", campaign=campaign)

    def order(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """The dossier de traitement, as it stands now."""
        found = get_object_or_404(Campaign.objects.select_related("landlord"), pk=campaign)
        response = HttpResponse(compose_order(campaign=found, now=timezone.now()), content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="dossier-de-traitement-{found.pk}.pdf"'
        return response


def _shown(campaign: Campaign) -> dict[str, Any]:
    supplies = list_supplies(campaign)
    volumes = volumes_of(campaign)
    scales = Scales.weighing(supplies, Purpose.FORM, stationery_on(campaign.opens_on))
    weights = [(each, scales.grams(each.sheets), scales.bracket(each.sheets)) for each in volumes.variants]
    known = {each.kind for each in supplies}
    return {
        "title": "Dossier de traitement",
        "campaign": campaign,
        "volumes": volumes,
        "weights": weights,
        "needs": needs_of(campaign, volumes, supplies),
        "addable": [(kind, label) for kind, label in Supply.Kind.choices if kind not in known],
    }


def describe_production(campaign: Campaign) -> Panel:
    """What is still to be ordered before the forms leave."""
    if campaign.current_revision is None or campaign.stage == Campaign.Stage.CLOSED:
        return Panel(WAITING if campaign.stage != Campaign.Stage.CLOSED else DONE, links=_links(campaign))
    volumes = volumes_of(campaign)
    lacking = [each for each in needs_of(campaign, volumes, list_supplies(campaign)) if each.lacking]
    page = reverse("admin:production", args=[campaign.pk])
    figures = [
        Figure("plis", volumes.envelopes, page),
        Figure("feuilles", volumes.sheets, page),
        Figure("fournitures à commander", len(lacking), page),
    ]
    note = "À commander : " + ", ".join(f"{each.lacking} {each.supply}" for each in lacking) + "." if lacking else ""
    return Panel(CURRENT if lacking else DONE, note, figures, _links(campaign), calm=True)


def _links(campaign: Campaign) -> list[Link]:
    return [Link("Volumes et fournitures", reverse("admin:production", args=[campaign.pk]))]


register_step(Step(key="production", order=35, title="Dossier de traitement", describe=describe_production))

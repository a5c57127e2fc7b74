"""The corrections proposed for a campaign's addresses: seen old and new, accepted one by one or by kind, refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.admin_site import RecordAdmin, actor_of
from campaigns.models import Campaign
from tenants.importing.addresses import (
    UnableToDecide,
    accept_kind,
    accept_proposal,
    propose_addresses,
    refuse_proposal,
)
from tenants.models import AddressProposal
from tenants.postal_address import HOPELESS, rules_at

LINES = {
    "address_2": "étage, appartement",
    "address_3": "bâtiment",
    "address_4": "voie",
    "address_5": "lieu-dit, boîte postale",
    "postcode": "code postal",
    "city": "ville",
}
PER_PAGE = 50
State = AddressProposal.State


@admin.register(AddressProposal)
class AddressProposalAdmin(RecordAdmin):
    """Every correction proposed, and what became of it."""

    list_display = ("__str__", "household", "kind", "state", "created_at", "decided_at", "decided_by")
    list_filter = (("household__campaign", admin.RelatedOnlyFieldListFilter), "state", "kind")
    list_select_related = ("household__campaign__landlord", "decided_by")
    ordering = ("-pk",)
    fields = ("household", "kind", "before", "after", "state", "created_at", "decided_at", "decided_by")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """The page of a campaign, and the decisions."""
        view = self.admin_site.admin_view
        own = [
            path("campagne/<int:campaign>/", view(self.overview), name="addresses"),
            path("campagne/<int:campaign>/decider/", view(require_POST(self.decide)), name="addresses_decide"),
        ]
        return own + super().get_urls()

    def overview(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """The corrections to decide, by kind, a page at a time."""
        found = get_object_or_404(Campaign.objects.select_related("landlord"), pk=campaign)
        proposals = AddressProposal.objects.filter(household__campaign=found)
        waiting = dict(proposals.waiting().order_by().values_list("kind").annotate(Count("pk")))
        state = request.GET.get("etat") if request.GET.get("etat") in State.values else State.OPEN.value
        kind = request.GET.get("nature", "")
        shown = proposals.filter(state=state).select_related("household__case", "decided_by").order_by("kind", "pk")
        if kind in AddressProposal.Kind.values:
            shown = shown.filter(kind=kind)
        page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
        rules = rules_at(timezone.localdate())
        context = {
            **self.admin_site.each_context(request),
            "title": "Adresses à corriger",
            "campaign": found,
            "kinds": [
                (each, waiting[each.value], each.value not in HOPELESS)
                for each in AddressProposal.Kind
                if each.value in waiting
            ],
            "kind": kind,
            "state": state,
            "states": State.choices,
            "page": page,
            "rows": [(each, _lines(each)) for each in page],
            "query": urlencode({"etat": state, "nature": kind}),
            "norm": rules.norm,
        }
        return TemplateResponse(request, "admin/addresses.html", context)

    def decide(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """Accept one, refuse one, accept all of a kind, or look again at every address."""
        found = get_object_or_404(Campaign, pk=campaign)
        try:
            messages.success(request, _decided(found, request))
        except UnableToDecide as error:
            messages.error(request, str(error))
        query = urlencode({key: request.POST[key] for key in ("etat", "nature", "page") if request.POST.get(key)})
        return redirect(f"{reverse('admin:addresses', args=[campaign])}?{query}")


def _lines(proposal: AddressProposal) -> list[dict[str, Any]]:
    """Line by line, what the landlord wrote and what it should become; None when a person must write it."""
    return [
        {"name": name, "label": LINES[name], "before": line, "after": proposal.after.get(name)}
        for name, line in proposal.before.items()
    ]


def _decided(campaign: Campaign, request: HttpRequest) -> str:
    now, actor, decision = timezone.now(), actor_of(request), request.POST.get("decision", "")
    if decision == "look":
        number = propose_addresses(campaign=campaign, now=now)
        return f"{number} nouvelles propositions." if number > 1 else f"{number} nouvelle proposition."
    if decision == "kind":
        accepted, left = accept_kind(campaign=campaign, kind=request.POST.get("kind", ""), now=now, actor=actor)
        told = f"{accepted} corrections acceptées." if accepted > 1 else f"{accepted} correction acceptée."
        return f"{told} {left} laissées : l’adresse a changé depuis." if left else told
    pk = request.POST.get("proposal", "")
    proposals = AddressProposal.objects.filter(household__campaign=campaign)
    proposal = get_object_or_404(proposals, pk=int(pk) if pk.isdecimal() else 0)
    if decision == "refuse":
        refuse_proposal(proposal=proposal, now=now, actor=actor)
        return "L’adresse reste telle que le bailleur l’a donnée : elle sera imprimée ainsi."
    lines = {name: request.POST[f"line.{name}"] for name in proposal.before if f"line.{name}" in request.POST}
    accept_proposal(proposal=proposal, now=now, actor=actor, lines=lines or None)
    return "La correction est acceptée : c’est elle qui sera imprimée."

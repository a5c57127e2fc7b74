"""The provider's admin site: Django's own, opening on the campaigns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns import operations
from campaigns.admin_site.calendar_pages import show_calendar
from campaigns.admin_site.pages import calendar_of, cards, shown_steps
from campaigns.admin_site.registry import step_of
from campaigns.admin_site.tables import actor_of
from campaigns.admin_site.wording_pages import show_wording
from campaigns.calendar import rearrange
from campaigns.forms import KickOffForm
from campaigns.models import Campaign, Milestone, User


class ProviderAdminSite(AdminSite):
    """Named after what case managers do here."""

    site_header = "Conduite des campagnes"
    site_title = "Enquêtes HLM"
    index_title = "Campagnes"
    index_template = "admin/campaigns.html"
    site_url = None
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        """Case managers only: operators, agents and landlords have screens of their own."""
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff and user.may_manage

    def login(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        """The project's own sign-in page; someone known who has no business here is told so."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index"))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Django's own, after the campaign pages."""
        own: list[URLPattern | URLResolver] = [
            path("campagnes/ouvrir/", self.admin_view(self.kick_off), name="campaign_open"),
            path("campagnes/<int:pk>/", self.admin_view(self.campaign_page), name="campaign_page"),
            path("campagnes/<int:pk>/calendrier/", self.admin_view(self.simulate_calendar), name="campaign_calendar"),
            path("campagnes/<int:pk>/questions/", self.admin_view(self.word_form), name="campaign_wording"),
            path(
                "campagnes/<int:pk>/jalon/",
                self.admin_view(require_POST(self.move_milestone)),
                name="campaign_milestone",
            ),
            path(
                "campagnes/<int:pk>/<slug:step>/<slug:name>/",
                self.admin_view(require_POST(self.act)),
                name="campaign_action",
            ),
        ]
        return own + super().get_urls()

    def index(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> TemplateResponse:
        """The campaigns as cards, open ones first."""
        campaigns = Campaign.objects.select_related("landlord").prefetch_related("milestones")
        today = timezone.localdate()
        open_ones = [
            each for each in campaigns.order_by("rehearsal", "-opens_on") if each.stage != Campaign.Stage.CLOSED
        ]
        closed = [each for each in campaigns.order_by("-closes_on") if each.stage == Campaign.Stage.CLOSED]
        shown = {"open_cards": cards(open_ones, today), "closed_cards": cards(closed, today)}
        return super().index(request, {**shown, **(extra_context or {})})

    def kick_off(self, request: HttpRequest) -> HttpResponse:
        """Open a campaign."""
        form = KickOffForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                campaign = operations.open_campaign(now=timezone.now(), actor=actor_of(request), **form.cleaned_data)
            except operations.OperationRefused as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, "La campagne est ouverte. Son calendrier est proposé : vérifiez-le.")
                return redirect("admin:campaign_page", pk=campaign.pk)
        context = {**self.each_context(request), "title": "Ouvrir une campagne", "form": form}
        return TemplateResponse(request, "admin/kick_off.html", context)

    def campaign_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A campaign: where it stands, what is due next, and every step with its buttons."""
        campaign = _campaign(pk)
        calendar = calendar_of(campaign, timezone.localdate())
        context = {
            **self.each_context(request),
            "title": str(campaign),
            "campaign": campaign,
            "card": cards([campaign], calendar.today)[0],
            "calendar": calendar,
            "steps": shown_steps(campaign, calendar),
        }
        return TemplateResponse(request, "admin/campaign.html", context)

    def act(self, request: HttpRequest, pk: int, step: str, name: str) -> HttpResponseBase:
        """One button, one call to a step; what it says is shown on the page."""
        campaign = _campaign(pk)
        found = step_of(step)
        action = next((each for each in found.actions if each.name == name), None) if found else None
        if action is None:
            raise Http404("Cette action n'existe pas.")
        refusals: tuple[type[Exception], ...] = (operations.OperationRefused, *action.refusals)
        try:
            told = action.run(campaign, actor_of(request), timezone.now(), request.POST)
        except refusals as error:
            messages.error(request, str(error))
        else:
            messages.success(request, told)
        return redirect(f"{reverse('admin:campaign_page', args=[pk])}#etape-{step}")

    def simulate_calendar(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The whole calendar as a picture, what a change of dates would move, and saving it."""
        return show_calendar(request, _campaign(pk), self.each_context(request))

    def word_form(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What the landlord says otherwise than the model: texts, questions, pieces."""
        return show_wording(request, _campaign(pk), self.each_context(request))

    def move_milestone(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Another day for a milestone, unless the law forbids it."""
        campaign = _campaign(pk)
        kind = request.POST.get("kind", "")
        if not campaign.milestones.filter(kind=kind).exists():
            raise Http404("Ce jalon n'existe pas.")
        try:
            due_on = dt.date.fromisoformat(request.POST.get("due_on", ""))
            rearrange(campaign=campaign, dates={kind: due_on}, now=timezone.now(), actor=actor_of(request))
        except ValueError:
            messages.error(request, "Cette date ne se lit pas : choisissez-la dans le calendrier.")
        except operations.OperationRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"« {Milestone.Kind(kind).label} » est prévu le {due_on:%d/%m/%Y}.")
        return redirect(f"{reverse('admin:campaign_page', args=[pk])}#calendrier")


def _campaign(pk: int) -> Campaign:
    return get_object_or_404(Campaign.objects.select_related("landlord", "mapping_profile"), pk=pk)

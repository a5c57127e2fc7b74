"""The cases: found by name, reference or state; each with its household, its history, and what may be decided."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.admin_site import RecordAdmin, actor_of
from campaigns.audit_trail import concerns
from campaigns.legal import law_of
from campaigns.models import Campaign
from tenants import undelivered
from tenants.case_states import MOVES, Move, MoveRefused, State
from tenants.constat import constat_csv
from tenants.deaths import UnableToRecordDeath, record_death
from tenants.history import told
from tenants.importing import searchable
from tenants.large_print import set_large_print
from tenants.legal_dates import CAUSES, UnableToSuspend, legal_dates, resume, suspend
from tenants.models import SurveyCase
from tenants.survey_scope import explanation_of

PRINTS = {
    "large_print": "Les prochains courriers de ce ménage seront en gros caractères.",
    "ordinary_print": "Les prochains courriers de ce ménage seront en caractères ordinaires.",
}


@admin.register(SurveyCase)
class SurveyCaseAdmin(RecordAdmin):
    """One household in one campaign."""

    list_display = ("reference", "tenant", "campaign", "state", "scope", "channel", "agency", "sent_at", "received_at")
    list_filter = (
        ("campaign", admin.RelatedOnlyFieldListFilter),
        "state",
        "scope",
        "channel",
        "late",
        "household__dwelling__agency_name",
    )
    list_select_related = ("campaign__landlord", "household__dwelling")
    ordering = ("-pk",)
    search_fields = ("reference", "household__tenant_reference", "household__search_name")
    search_help_text = "Nom, numéro de dossier ou référence du locataire."
    change_form_template = "admin/case.html"

    @admin.display(description="locataire", ordering="household__search_name")
    def tenant(self, case: SurveyCase) -> str:
        """The landlord's reference."""
        return case.household.tenant_reference

    @admin.display(description="agence", ordering="household__dwelling__agency_name")
    def agency(self, case: SurveyCase) -> str:
        """The agency of the dwelling."""
        return case.household.dwelling.agency_name

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SurveyCase], search_term: str
    ) -> tuple[QuerySet[SurveyCase], bool]:
        """Names are compared without accents or case; a case reference in any case."""
        return super().get_search_results(request, queryset, searchable(search_term))

    def get_urls(self) -> list[URLPattern]:
        """The decisions."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/decision/", view(require_POST(self.decide)), name="case_decision"),
            path("constat/<int:campaign>.csv", view(self.constat), name="constat"),
        ]
        return own + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The household, what it was told, what happened."""
        case = self.get_object(request, object_id)
        if case is not None:
            concerns(request, case.reference)
        return super().change_view(request, object_id, form_url, {**_shown(case), **(extra_context or {})})

    def constat(self, request: HttpRequest, campaign: int) -> HttpResponse:
        """The list of those who have not answered, with every mailing, for the commissaire de justice."""
        found = get_object_or_404(Campaign, pk=campaign)
        response = HttpResponse(constat_csv(found), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="constat-{found.pk}.csv"'
        return response

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Leave the household out, or write down that a letter came back."""
        case = get_object_or_404(SurveyCase, pk=pk)
        try:
            sentence = _decide(case, request)
        except (MoveRefused, undelivered.UnableToRecord, UnableToSuspend, UnableToRecordDeath) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, sentence)
        return redirect("admin:tenants_surveycase_change", pk)


def _shown(case: SurveyCase | None) -> dict[str, Any]:
    if case is None:
        return {}
    events = case.events.select_related("actor").order_by("-occurred_at", "-pk")
    return {
        "case": case,
        "campaign": case.campaign,
        "household": case.household,
        "dwelling": case.household.dwelling,
        "occupants": case.household.occupants.order_by("row"),
        "sendings": case.messages.order_by("-created_at", "-pk"),
        "timeline": [told(event) for event in events],
        "motives": [(motive.value, undelivered.EFFECTS[motive].label) for motive in undelivered.Motive],
        "scope": explanation_of(case),
        "may_exempt": case.state in MOVES[Move.EXEMPT].sources,
        "may_include": case.state == State.OUT_OF_SCOPE and case.sent_at is None,
        "may_return": case.sent_at is not None,
        "legal": legal_dates(case, law=law_of(case.campaign.landlord), today=timezone.localdate()),
        "causes": [(cause.value, label) for cause, label in CAUSES.items()],
    }


def _decide(case: SurveyCase, request: HttpRequest) -> str:
    now, actor, decision = timezone.now(), actor_of(request), request.POST.get("decision")
    comment = request.POST.get("comment", "").strip()
    if decision == "death":
        record_death(case=case, now=now, actor=actor)
        return "Le décès est noté : le dossier est hors enquête, plus rien ne partira."
    if decision in {"large_print", "ordinary_print"}:
        set_large_print(case=case, large=decision == "large_print", now=now, actor=actor)
        return PRINTS[decision]
    if decision in {"exempt", "include"}:
        if not comment:
            raise MoveRefused("Dites pourquoi : la raison reste dans l'historique du dossier.")
        case.move(Move(decision), now=now, actor=actor, data={"comment": comment[:200]})
        return MOVES[Move(decision)].label + "."
    if decision == "suspend":
        suspend(case=case, cause=request.POST.get("cause", ""), now=now, actor=actor)
        return "Les délais de ce dossier sont suspendus."
    if decision == "resume":
        resume(case=case, now=now, actor=actor)
        return "Les délais de ce dossier courent de nouveau."
    effect = undelivered.record_undelivered(
        case=case,
        reason=request.POST.get("reason", ""),
        now=now,
        actor=actor,
    )
    return f"Retour noté : {effect.label}. {effect.to_do}"

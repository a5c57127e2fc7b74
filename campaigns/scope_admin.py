"""The landlords' options on the exemptions of the survey, with their dates, beside what the law's table says."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from campaigns.admin_site import CaseManagerAdmin, actor_of
from campaigns.law.survey_scope import Exemption, known_exemptions
from campaigns.models import ScopeOption


def exemption_labels() -> dict[str, str]:
    """The exemptions of the law's table by key, each with what the table says of it today."""
    return {each.key: f"{each.label} — {_standing(each)}" for each in known_exemptions()}


def _standing(exemption: Exemption) -> str:
    if exemption.ended_on is not None:
        return f"éteinte depuis le {exemption.ended_on:%d/%m/%Y}"
    return "appliquée d'office" if exemption.by_default else "seulement si le bailleur la choisit"


class ScopeOptionForm(forms.ModelForm):  # type: ignore[type-arg]
    """The exemption is chosen among those of the table."""

    exemption = forms.ChoiceField(label="Exemption", choices=lambda: list(exemption_labels().items()))

    class Meta:
        model = ScopeOption
        fields = ("landlord", "exemption", "choice", "valid_from", "valid_until", "reason")


@admin.register(ScopeOption)
class ScopeOptionAdmin(CaseManagerAdmin):
    """One decision of a landlord on one exemption, from one day to another."""

    form = ScopeOptionForm
    list_display = ("landlord", "called", "choice", "valid_from", "valid_until", "reason", "decided_by", "decided_at")
    list_filter = ("landlord", "exemption", "choice")
    list_select_related = ("landlord", "decided_by")
    ordering = ("landlord", "exemption", "-valid_from")

    @admin.display(description="exemption", ordering="exemption")
    def called(self, option: ScopeOption) -> str:
        """The exemption in French."""
        labels = {each.key: each.label for each in known_exemptions()}
        return labels.get(option.exemption, option.exemption)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """A new decision, under a name that reads well."""
        return super().add_view(request, form_url, {"title": "Nouvelle option de périmètre", **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: ScopeOption, form: Any, change: bool) -> None:
        """With who decided."""
        obj.decided_by = actor_of(request)
        super().save_model(request, obj, form, change)

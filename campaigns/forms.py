"""Forms of the case manager's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from campaigns.law.timetable import REPLY_BY, breaches, default_calendar
from campaigns.legal import rules_of
from campaigns.models import Campaign, Landlord
from campaigns.paper_form.branding import LEAST_CONTRAST, BrandingError, contrast_with_white, darkened_to
from campaigns.paper_form.logos import check_weight, logo_of


class KickOffForm(forms.Form):
    """What the kick-off meeting settles; the rest of the calendar follows from these dates."""

    landlord = forms.ModelChoiceField(Landlord.objects.order_by("name"), label="Bailleur")
    survey = forms.ChoiceField(choices=Campaign.Survey.choices, label="Enquête")
    year = forms.IntegerField(
        label="Année", min_value=2000, max_value=2100, help_text="Année N d'application : ressources N-2."
    )
    opens_on = forms.DateField(label="Envoi des formulaires", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    reply_by = forms.DateField(label="Réponse attendue avant le", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    closes_on = forms.DateField(label="Clôture", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    rehearsal = forms.BooleanField(
        label="Répétition", required=False, help_text="Foyers à part, aucun envoi ne sort de la boîte d'envoi."
    )

    def clean(self) -> dict[str, Any]:
        """The dates must be in order and leave the tenants the time that the law gives."""
        told = super().clean() or {}
        if {"opens_on", "reply_by", "closes_on"} <= told.keys():
            rules = rules_of(told["landlord"]) if "landlord" in told else None
            today = timezone.localdate()
            dates = default_calendar(told["opens_on"], told["reply_by"], told["closes_on"], today=today, rules=rules)
            for sentence in breaches({**dates, REPLY_BY: told["reply_by"]}, rules):
                self.add_error(None, sentence)
        return told


class LandlordForm(forms.ModelForm):  # type: ignore[type-arg]  # Django itself takes no argument here
    """A landlord's page: its logo and its colour are checked before anything is stored."""

    class Meta:
        model = Landlord
        fields = "__all__"  # noqa: DJ007 - the page chooses them

    def clean_logo(self) -> Any:
        """The logo as the PNG that papers print."""
        given = self.cleaned_data.get("logo")
        if not isinstance(given, UploadedFile):
            return given
        try:
            check_weight(given.size or 0)  # before a heavy file comes into memory
            content = logo_of(given.read())
        except BrandingError as error:
            raise forms.ValidationError(str(error)) from error
        return ContentFile(content, name="logo.png")

    def clean_accent(self) -> str:
        """A colour that people can read on white paper."""
        accent: str = self.cleaned_data["accent"]
        contrast = contrast_with_white(accent)
        if contrast < LEAST_CONTRAST:
            shown = f"{contrast:.1f}".replace(".", ",")
            raise forms.ValidationError(
                f"Cette couleur est trop claire sur du papier blanc (contraste {shown} ; il faut 4,5). "
                f"La plus proche qui convient : {darkened_to(accent, LEAST_CONTRAST)}."
            )
        return accent

"""The form by which a wave is prepared, and the one by which a contact right is written down."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms

from campaigns.models import Campaign
from tenants import case_states
from tenants.models import ContactMark, Message, PostalService, Purpose, SurveyCase, Wave
from tenants.waves.preparing import CHANNELS, Plan

EMAIL, SMS, LETTER = Message.Channel.EMAIL, Message.Channel.SMS, Message.Channel.LETTER
WIRE = [(EMAIL.value, EMAIL.label), (SMS.value, SMS.label)]
ANY = [("", "aucun"), *Message.Channel.choices]
PURPOSES = [(purpose, Purpose(purpose).label) for purpose in CHANNELS]
RANKS = ("first_channel", "second_channel", "third_channel")


class WaveForm(forms.Form):
    """What a person decides of a wave; `plan()` gives it to the step."""

    purpose = forms.ChoiceField(label="Objet", choices=PURPOSES)
    scheduled_on = forms.DateField(
        label="À partir du", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    first_channel = forms.ChoiceField(
        label="Premier canal", choices=ANY, required=False, help_text="Laissez « aucun » pour l'ordre habituel."
    )
    second_channel = forms.ChoiceField(
        label="Si le premier ne joint pas", choices=ANY, required=False, help_text="Adresse absente, refus, rebond."
    )
    third_channel = forms.ChoiceField(label="En dernier", choices=ANY, required=False)
    consent_needed = forms.MultipleChoiceField(
        label="Accord préalable exigé", choices=WIRE, required=False, widget=forms.CheckboxSelectMultiple
    )
    postal_service = forms.ChoiceField(
        label="Courrier",
        choices=PostalService.choices,
        help_text="Le recommandé électronique ne part qu'aux foyers qui l'ont accepté.",
    )
    agencies = forms.MultipleChoiceField(
        label="Agences",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Aucune cochée : toutes.",
    )
    states = forms.MultipleChoiceField(
        label="Dossiers",
        choices=[(state.value, case_states.LABELS[state]) for state in sorted(case_states.SILENT)],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Aucun coché : tous ceux qui n'ont pas répondu.",
    )
    left_out = forms.CharField(
        label="Dossiers écartés",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Un par ligne : le numéro du dossier, puis la raison.",
    )
    weekly_maximum = forms.IntegerField(label="Envois au plus par foyer et par semaine", min_value=1, max_value=7)
    paper_percent = forms.IntegerField(
        label="Réponses papier attendues pour 100 foyers", min_value=0, max_value=100, help_text="Pour la lecture."
    )
    call_percent = forms.IntegerField(
        label="Appels attendus pour 100 foyers", min_value=0, max_value=100, help_text="Pour le centre d'appels."
    )

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = campaign.dwellings.exclude(agency="").values_list("agency", "agency_name").distinct().order_by("agency")
        agencies = self.fields["agencies"]
        assert isinstance(agencies, forms.MultipleChoiceField)  # noqa: S101 - declared above
        agencies.choices = [(code, name or code) for code, name in known]
        if not agencies.choices:
            del self.fields["agencies"]

    def clean_left_out(self) -> dict[str, str]:
        """Reference → reason."""
        told: dict[str, str] = {}
        for line in str(self.cleaned_data["left_out"]).splitlines():
            reference, _, reason = line.strip().partition(" ")
            if not reference:
                continue
            if not re.fullmatch(r"\w{8}", reference) or not reason.strip(" :-–"):
                raise forms.ValidationError(f"« {line.strip()[:40]} » : écrivez le numéro du dossier puis la raison.")
            told[reference.upper()] = reason.strip(" :-–")
        return told

    def plan(self) -> Plan:
        """The plan as the step wants it; call it on a valid form."""
        told = self.cleaned_data
        return Plan(
            purpose=told["purpose"],
            scheduled_on=told["scheduled_on"],
            channels=[told[rank] for rank in RANKS if told[rank]],
            consent_needed=told["consent_needed"],
            postal_service=told["postal_service"],
            agencies=told.get("agencies", []),
            states=told["states"],
            left_out=told["left_out"],
            weekly_maximum=told["weekly_maximum"],
            paper_percent=told["paper_percent"],
            call_percent=told["call_percent"],
        )


def told_of(wave: Wave) -> dict[str, Any]:
    """A wave as the form shows it."""
    channels = [*wave.channels, "", "", ""][: len(RANKS)]
    return {
        "purpose": wave.purpose,
        "scheduled_on": wave.scheduled_on,
        **dict(zip(RANKS, channels, strict=True)),
        "consent_needed": wave.consent_needed,
        "postal_service": wave.postal_service,
        "agencies": wave.agencies,
        "states": wave.states,
        "left_out": "\n".join(f"{reference} {reason}" for reference, reason in wave.left_out.items()),
        "weekly_maximum": wave.weekly_maximum,
        "paper_percent": wave.paper_percent,
        "call_percent": wave.call_percent,
    }


def new_wave(day: dt.date) -> dict[str, Any]:
    """What an empty form proposes."""
    wave = Wave(purpose=Purpose.REMINDER_DIGITAL, scheduled_on=day)
    return told_of(wave)


class MarkForm(forms.Form):
    """A contact right told by a person: who, which channel, what, and how it is known."""

    reference = forms.CharField(label="Numéro de dossier", max_length=8)
    channel = forms.ChoiceField(label="Canal", choices=ContactMark.Channel.choices)
    kind = forms.ChoiceField(label="Ce qui est dit", choices=ContactMark.Kind.choices)
    how = forms.CharField(
        label="Comment vous le savez", max_length=200, help_text="Par exemple : appel du 3 novembre, courrier signé."
    )

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._campaign = campaign

    def clean_reference(self) -> SurveyCase:
        """The case of that campaign."""
        reference = str(self.cleaned_data["reference"]).strip().upper()
        case = SurveyCase.objects.filter(campaign=self._campaign, reference=reference).select_related("household")
        found = case.first()
        if found is None:
            raise forms.ValidationError(f"Le dossier « {reference} » n'existe pas dans cette campagne.")
        return found

    def address(self) -> str:
        """The address or number of that household for that channel; '' when it has none."""
        household = self.cleaned_data["reference"].household
        by_phone = self.cleaned_data["channel"] == ContactMark.Channel.SMS
        return str(household.mobile if by_phone else household.email)

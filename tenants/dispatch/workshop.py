"""What the forms of one run share, parsed and worked out once; and the order in which they are printed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from campaigns.models import Campaign, QuestionnaireRevision
from campaigns.paper_form.batch_press import BatchPress
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import capacity_for
from campaigns.paper_form.painter import FormFill
from campaigns.paper_form.proofing import Preflight
from campaigns.paper_form.zones import FormLayout
from campaigns.questionnaire.schema import Questionnaire
from tenants.dispatch.batches import Envelope
from tenants.dispatch.fills import Filler, branding_of
from tenants.models import Purpose, SurveyCase
from tenants.production.weights import Scales

Variant = tuple[int, bool]  # occupant rows, and whether in large print


def layouts_of(revision: QuestionnaireRevision) -> dict[Variant, FormLayout]:
    """The layouts of a form."""
    return {(variant.rows, variant.large): variant.layout for variant in revision.layouts.all()}


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every form of a run shares: the approved form, its layouts by rows, the landlord's branding, the scales."""

    campaign: Campaign
    revision: QuestionnaireRevision
    questionnaire: Questionnaire
    layouts: dict[Variant, FormLayout]
    branding: Branding
    scales: Scales
    filler: Filler
    preflights: dict[Variant, Preflight]
    painted: dict[str, bytes]

    @classmethod
    def of(cls, revision: QuestionnaireRevision, *, now: dt.datetime) -> Workshop:
        """Everything parsed once."""
        campaign, questionnaire = revision.campaign, revision.questionnaire
        layouts = layouts_of(revision)
        return cls(
            campaign=campaign,
            revision=revision,
            questionnaire=questionnaire,
            layouts=layouts,
            branding=branding_of(campaign),
            scales=Scales.of(campaign, Purpose.FORM, on=timezone.localdate(now)),
            filler=Filler(campaign, questionnaire, now=now),
            preflights={variant: Preflight(layout) for variant, layout in layouts.items()},
            painted={},
        )

    def variant_for(self, case: SurveyCase) -> Variant:
        """The layout that the household needs: its occupant rows, and whether it is in large print."""
        people = [person.row for person in case.household.occupants.all()]
        return capacity_for(max(people, default=0)), case.household.large_print

    def sheets(self, variant: Variant) -> int:
        """The sheets of a form of that layout."""
        return -(-self.layouts[variant].pages // 2)

    def envelope(self, press: BatchPress, variant: Variant, case: SurveyCase, fill: FormFill) -> Envelope:
        """Print one form; returns its envelope."""
        layout, sheets = self.layouts[variant], self.sheets(variant)
        return Envelope(
            reference=case.reference,
            first_page=press.print(layout, fill),
            pages=layout.pages,
            postcode=case.household.postcode,
            layout=layout.fingerprint,
            grams=self.scales.grams(sheets),
            bracket=self.scales.bracket(sheets),
            sha256=press.digest,
        )


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a form goes: light envelopes first, then thin ones, then the post's own order. Batches never mix groups."""

    bracket: int
    sheets: int
    large: bool
    postcode: str
    reference: str
    pk: int

    @property
    def group(self) -> tuple[int, int, bool]:
        """What all the envelopes of a batch have in common."""
        return self.bracket, self.sheets, self.large

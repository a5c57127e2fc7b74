"""How much there is to print and to put in envelopes, and how much stationery that takes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Max, QuerySet

from campaigns.models import Campaign
from campaigns.paper_form.layout import capacity_for, further_sheets
from tenants.models import PrintBatch, Purpose, Supply, SurveyCase


@dataclass(frozen=True, slots=True)
class Variant:
    """The forms of one layout: occupant rows, pages of one form, how many envelopes, in which print."""

    rows: int
    pages: int
    envelopes: int
    large: bool = False

    @property
    def label(self) -> str:
        """The layout in words."""
        further = sum(map(len, further_sheets(self.rows)))
        told = f"{self.rows} lignes d'occupants" + (f", dont {further} sur feuilles supplémentaires" if further else "")
        return told + (", gros caractères" if self.large else "")

    @property
    def sheets(self) -> int:
        """Sheets in one envelope, printed on both sides."""
        return -(-self.pages // 2)


@dataclass(frozen=True, slots=True)
class Volumes:
    """The forms of a campaign by layout. `unprintable` households are too large for every layout."""

    variants: tuple[Variant, ...]
    unprintable: int = 0

    @property
    def envelopes(self) -> int:
        """All the envelopes."""
        return sum(each.envelopes for each in self.variants)

    @property
    def sheets(self) -> int:
        """All the sheets."""
        return sum(each.envelopes * each.sheets for each in self.variants)

    @property
    def pages(self) -> int:
        """All the printed sides."""
        return sum(each.envelopes * each.pages for each in self.variants)


@dataclass(frozen=True, slots=True)
class Need:
    """One supply: what the forms take, the same with its margin, what handed over batches have used."""

    supply: Supply
    exact: int
    planned: int
    used: int

    @property
    def left(self) -> int:
        """What should lie in stock."""
        return self.supply.received - self.used

    @property
    def lacking(self) -> int:
        """What is still to be ordered for all the forms and their margin; 0 when enough was."""
        return max(0, self.planned - max(self.supply.ordered, self.supply.received))


def volumes_of(campaign: Campaign) -> Volumes:
    """What the forms of all the surveyed households make, printed with the campaign's present layouts."""
    revision = campaign.current_revision
    stored = revision.layouts.values_list("rows", "large", "tables__pages") if revision else ()
    pages = {(rows, large): int(count) for rows, large, count in stored}
    cases = SurveyCase.objects.for_campaign(campaign).surveyed().annotate(people=Max("household__occupants__row"))
    told = cases.values_list("people", "household__large_print").iterator()
    needed = Counter((capacity_for(people or 0), large) for people, large in told)
    known = sorted(each for each in needed if each in pages)
    return Volumes(
        variants=tuple(Variant(each[0], pages[each], needed[each], large=each[1]) for each in known),
        unprintable=sum(count for each, count in needed.items() if each not in pages),
    )


def needs_of(campaign: Campaign, volumes: Volumes, supplies: Sequence[Supply]) -> list[Need]:
    """What each supply must cover; reminders and other letters count once they are composed."""
    forms = campaign.batches.filter(purpose=Purpose.FORM)
    letters = campaign.batches.exclude(purpose=Purpose.FORM)
    extra, (used_forms, used_letters) = _count(letters), (_count(_gone(forms)), _count(_gone(letters)))
    needs = []
    for supply in supplies:
        exact, used = volumes.envelopes, used_forms.envelopes
        if supply.kind == Supply.Kind.PAPER:
            exact, used = volumes.sheets + extra.sheets, used_forms.sheets + used_letters.sheets
        elif supply.kind == Supply.Kind.CARRIER:
            exact, used = exact + extra.envelopes, used + used_letters.envelopes
        planned = -(-exact * (100 + supply.spare_percent) // 100)
        needs.append(Need(supply, exact, planned, used))
    return needs


class _Count(NamedTuple):
    envelopes: int
    sheets: int


def _gone(batches: QuerySet[PrintBatch]) -> QuerySet[PrintBatch]:
    return batches.filter(state=PrintBatch.State.HANDED_OVER)


def _count(batches: QuerySet[PrintBatch]) -> _Count:
    """Envelopes and sheets of the batches, as their manifests tell them."""
    envelopes = sheets = 0
    for batch in batches.order_by("number"):
        with batch.manifest.open("rb") as stored:
            told = json.load(stored)
        envelopes, sheets = envelopes + told["envelopes"], sheets + told["sheets"]
    return _Count(envelopes, sheets)

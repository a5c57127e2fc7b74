"""What an envelope weighs and its class of postage: the campaign's own stationery, the brackets of the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from campaigns.models import Campaign
from tenants.models import Purpose, Supply
from tenants.production.stationery import Stationery, stationery_on
from tenants.production.supplies import list_supplies

WITH_FORMS_ONLY = frozenset({Supply.Kind.REPLY, Supply.Kind.INSERT})


@dataclass(frozen=True, slots=True)
class Scales:
    """Weighs the envelopes of one purpose: `sheet` is one sheet's weight, `empty` all the rest, in grams."""

    sheet: Decimal
    empty: Decimal
    usual: Stationery

    @classmethod
    def of(cls, campaign: Campaign, purpose: str, *, on: dt.date) -> Scales:
        """The scales of a campaign, with the brackets of that day."""
        return cls.weighing(list_supplies(campaign), purpose, stationery_on(on))

    @classmethod
    def weighing(cls, supplies: Sequence[Supply], purpose: str, usual: Stationery) -> Scales:
        """From what is put into an envelope; reply envelopes and inserts go with forms only."""
        form = purpose == Purpose.FORM
        units = {each.kind: each.grams for each in supplies if form or each.kind not in WITH_FORMS_ONLY}
        sheet = units.pop(Supply.Kind.PAPER.value, Decimal(0))
        return cls(sheet, sum(units.values(), Decimal(0)), usual)

    def grams(self, sheets: int) -> Decimal:
        """What an envelope of so many sheets weighs."""
        return self.empty + self.sheet * sheets

    def bracket(self, sheets: int) -> int | None:
        """Its class of postage, by its upper bound in grams; None above them all."""
        return self.usual.bracket_of(self.grams(sheets))

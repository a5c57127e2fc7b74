"""The law as a landlord applies it: the shipped figures and delays under its newest legal settings."""

from __future__ import annotations

import re

from campaigns.law.clocks import ClockRules
from campaigns.law.settings import Law, shipped_law
from campaigns.models import Landlord, LegalSettings

POSTCODE = re.compile(r"^\s*(\d{5})\b", re.MULTILINE)


def law_of(landlord: Landlord) -> Law:
    """The law with the landlord's newest settings; the law alone when it has none. One query."""
    newest = LegalSettings.objects.filter(landlord=landlord).order_by("-entered_at", "-pk").first()
    return newest.law if newest else shipped_law()


def rules_of(landlord: Landlord) -> ClockRules:
    """How a landlord's delays are counted: the holidays of its own address, unless its settings name others."""
    found = POSTCODE.findall(landlord.sender_lines)
    return law_of(landlord).clocks(found[-1] if found else "")

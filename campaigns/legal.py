"""The law as a landlord applies it: the shipped figures and delays under its newest legal settings."""

from __future__ import annotations

from campaigns.law.settings import Law, shipped_law
from campaigns.models import Landlord, LegalSettings


def law_of(landlord: Landlord) -> Law:
    """The law with the landlord's newest settings; the law alone when it has none. One query."""
    newest = LegalSettings.objects.filter(landlord=landlord).order_by("-entered_at", "-pk").first()
    return newest.law if newest else shipped_law()

"""The wording of `tracking.wording` in templates."""

from __future__ import annotations

from django import template

from tracking import wording

register = template.Library()
register.filter("number", wording.number)
register.filter("rate", wording.rate)
register.filter("in_full", wording.in_full)
register.filter("moment", wording.moment)


@register.filter
def percent(share: float | None) -> str:
    """A share as a number from 0 to 100 for a <meter> or an SVG width; 0 when unknown."""
    return f"{(share or 0) * 100:.2f}"


@register.filter
def share_of(part: int, whole: int) -> float | None:
    """`part` of `whole`; None when there is nothing to divide by."""
    return part / whole if whole else None

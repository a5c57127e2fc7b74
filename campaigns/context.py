"""What every template may show: who runs the survey, and for which landlord."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from campaigns.audit_trail import PORTAL_LANDLORD
from campaigns.models import Landlord, User


def provider(request: HttpRequest) -> dict[str, Any]:
    """The provider's name and, when someone of a landlord or a household is here, that landlord and its look."""
    return {"provider_name": settings.PROVIDER_NAME, **_look(_landlord_of(request))}


def _landlord_of(request: HttpRequest) -> Landlord | None:
    user = getattr(request, "user", None)
    if isinstance(user, User):
        return user.landlord
    session = getattr(request, "session", None)
    household_of = session.get(PORTAL_LANDLORD) if session is not None else None
    return Landlord.objects.filter(pk=household_of).first() if household_of else None


def _look(landlord: Landlord | None) -> dict[str, Any]:
    if landlord is None:
        return {}
    look = {"landlord": landlord, "landlord_style_url": reverse("landlord_style", args=[landlord.code])}
    if landlord.logo:
        look["landlord_logo_url"] = reverse("landlord_logo", args=[landlord.code])
    return look

"""Who is at the bailiff's door: a session that holds an access, its landlord's scope, nothing when idle or revoked."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.scope import all_landlords, within
from tenants.models import BailiffAccess

View = Callable[..., HttpResponseBase]
ACCESS, SEEN_AT = "bailiff_access", "bailiff_seen_at"
IDLE = dt.timedelta(minutes=30)
NOBODY = "Ouvrez le lien que vous avez reçu, puis entrez votre code."
GONE = "Vous êtes resté plus de 30 minutes sans rien faire : rouvrez votre lien et entrez votre code."
SHUT = "Votre accès n'est plus ouvert. Demandez-en un autre au chargé d'affaires de l'enquête."


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a bailiff: the access, its campaign, and when."""

    access: BailiffAccess
    now: dt.datetime

    @property
    def campaign(self) -> Campaign:
        """The only campaign that the access opens."""
        return self.access.campaign


def begin(request: HttpRequest, access: BailiffAccess, now: dt.datetime) -> None:
    """Let the bailiff in: a fresh session key, and only ids in the session."""
    request.session.cycle_key()
    request.session[ACCESS] = access.pk
    request.session[SEEN_AT] = now.timestamp()


def leave(request: HttpRequest) -> None:
    """Close the door. Whoever else is signed in with this browser stays so."""
    for name in (ACCESS, SEEN_AT):
        request.session.pop(name, None)
    request.session.cycle_key()


def bailiff_only(view: View) -> View:
    """For views: `view(request, visit, …)` runs, and its answer is drawn, within the landlord of the access."""

    @login_not_required
    @functools.wraps(view)
    def loaded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        now = timezone.now()
        access, reason = _access_of(request, now)
        if access is None:
            leave(request)
            messages.warning(request, reason)
            return redirect("bailiff:shut")
        request.session[SEEN_AT] = now.timestamp()
        with within(landlord=access.campaign.landlord):
            response = view(request, Visit(access, now), *args, **kwargs)
            render = getattr(response, "render", None)
            drawn: HttpResponseBase = render() if callable(render) else response
            return drawn

    return loaded


def _access_of(request: HttpRequest, now: dt.datetime) -> tuple[BailiffAccess | None, str]:
    pk, seen_at = request.session.get(ACCESS), request.session.get(SEEN_AT)
    if pk is None or seen_at is None:
        return None, NOBODY
    if now.timestamp() - seen_at > IDLE.total_seconds():
        return None, GONE
    with all_landlords():  # the access itself says which landlord's scope is entered
        access = BailiffAccess.objects.select_related("campaign__landlord").filter(pk=pk).first()
    if access is None or not access.is_open(now):
        return None, SHUT
    return access, ""

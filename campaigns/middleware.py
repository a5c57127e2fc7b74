"""Every request enters the scope of its landlord, or none; every answer to someone known is private."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from campaigns.models import User
from campaigns.scope import all_landlords, within

# Where the portal keeps the landlord of the household that has come in.
PORTAL_LANDLORD = "portal_landlord"

GetResponse = Callable[[HttpRequest], HttpResponse]


class LandlordScopeMiddleware:
    """A landlord's people see their landlord; the provider's see all; a household its own landlord; others nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if isinstance(user, User) and user.is_active:
            if user.is_landlord:
                with within(landlord=user.landlord):
                    return self.get_response(request)
            with all_landlords():
                return self.get_response(request)
        household_of = request.session.get(PORTAL_LANDLORD)
        if household_of is not None:
            with within(landlord=household_of):
                return self.get_response(request)
        return self.get_response(request)


class PrivateResponsesMiddleware:
    """No cache may keep what a signed-in person or a household has seen (files of `static/` are served before)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        add_never_cache_headers(response)
        return response

"""Every request enters the scope of its landlord, or none, and leaves its trace; no cache keeps what people see."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from campaigns import audit
from campaigns.audit_trail import PORTAL_LANDLORD, source_of, traced
from campaigns.models import User
from campaigns.scope import all_landlords, within

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


class AuditMiddleware:
    """Who does what, from where, is known to whatever records it; the request itself leaves its trace once answered."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with audit.acting(source_of(request)):
            response = self.get_response(request)
            told = traced(request, response)
            if told is not None:
                audit.record(at=timezone.now(), **told)
        return response

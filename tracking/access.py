"""Who may look, at what, and that looking changes nothing.

Every view starts from a loader: what belongs to another landlord does not exist (404). Every view runs under
`read_only`: a statement that is no plain reading is refused before it reaches the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404

from campaigns.models import Campaign, User
from tenants.models import SurveyCase

View = Callable[..., HttpResponseBase]

READING = re.compile(
    r"\s*\(*\s*(SELECT\b(?!.*\bFOR\s+(UPDATE|SHARE))|SAVEPOINT\b|RELEASE\s+SAVEPOINT\b|ROLLBACK\s+TO\b)", re.I | re.S
)


class WritingRefused(Exception):
    """Tracking was about to change something."""


@contextmanager
def reading_only() -> Iterator[None]:
    """Only readings and savepoints pass; anything else raises WritingRefused before it is run."""

    def look(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not READING.match(sql):
            raise WritingRefused(f"Le suivi ne modifie rien : « {sql.split(maxsplit=1)[0]} » est refusé.")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield


def read_only(view: View) -> View:
    """For a view and the rendering of its answer: only the landlord's people, case managers and call agents, and
    nothing is written.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_follow(request.user):
            raise PermissionDenied
        with reading_only():
            response = view(request, *args, **kwargs)
            render = getattr(response, "render", None)
            return render() if callable(render) else response

    return guarded


def may_follow(user: Any) -> bool:
    """Whether the tracking is that person's business: keying operators and households have no use for it."""
    return (
        isinstance(user, User)
        and user.is_active
        and user.role in {User.Role.LANDLORD, User.Role.CASE_MANAGER, User.Role.CALL_AGENT}
    )


def may_see_scans(user: User) -> bool:
    """Whether images and incomes are shown: a call agent answers without them."""
    return user.role != User.Role.CALL_AGENT


def campaigns_of(user: User) -> QuerySet[Campaign]:
    """The campaigns that the person follows."""
    campaigns = Campaign.objects.select_related("landlord")
    return campaigns.filter(landlord=user.landlord_id) if user.is_landlord else campaigns


def cases_of(user: User) -> QuerySet[SurveyCase]:
    """The cases that the person may open."""
    cases = SurveyCase.objects.select_related("campaign__landlord", "household__dwelling")
    return cases.filter(campaign__landlord=user.landlord_id) if user.is_landlord else cases


def campaign_or_404(user: User, pk: int) -> Campaign:
    """The campaign, if it is that person's to follow."""
    return get_object_or_404(campaigns_of(user), pk=pk)


def case_or_404(user: User, reference: str) -> SurveyCase:
    """The case, if it is that person's to open; its reference in any case of letters."""
    return get_object_or_404(cases_of(user), reference=reference.upper())

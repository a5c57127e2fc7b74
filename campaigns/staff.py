"""Which of our people may open a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from campaigns.models import User

View = Callable[..., HttpResponse]


def for_operators(view: View) -> View:
    """Only those who key."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not isinstance(request.user, User) or not request.user.may_key:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def for_supervisors(view: View) -> View:
    """Only case managers, who settle what operators could not."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not isinstance(request.user, User) or not request.user.may_manage:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def operator_of(request: HttpRequest) -> User:
    """The person at the keyboard, behind `for_operators`."""
    assert isinstance(request.user, User)  # noqa: S101 - `for_operators` has seen to it
    return request.user

"""Who may open the operators' screens, and how they show a paper."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from campaigns.models import User
from returns.page_images import NoPicture

View = Callable[..., HttpResponse]

logger = logging.getLogger(__name__)


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


def picture(request: HttpRequest, what: str, draw: Callable[[], bytes]) -> HttpResponse:
    """A picture of somebody's paper: who looked at what is logged, by ids."""
    try:
        drawn = draw()
    except NoPicture as error:
        raise Http404(str(error)) from error
    logger.info("picture shown: %s, to user %s", what, request.user.pk)
    return HttpResponse(drawn, content_type="image/png")

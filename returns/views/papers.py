"""How the operators' screens show a paper."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from returns.page_images import NoPicture

logger = logging.getLogger(__name__)


def picture(request: HttpRequest, what: str, draw: Callable[[], bytes]) -> HttpResponse:
    """A picture of somebody's paper: who looked at what is logged, by ids."""
    try:
        drawn = draw()
    except NoPicture as error:
        raise Http404(str(error)) from error
    logger.info("picture shown: %s, to user %s", what, request.user.pk)
    return HttpResponse(drawn, content_type="image/png")

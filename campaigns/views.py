"""A landlord's look, as files that the strict CSP lets in: its accent colour and its logo."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from campaigns.models import Landlord
from campaigns.paper_form.branding import darkened_to

# Our paper is a warm white: 5.5 on white leaves more than 4.5 (WCAG AA) on it.
LEAST_CONTRAST_ON_SCREEN = 5.5


@login_not_required
@require_safe
def landlord_style(request: HttpRequest, code: str) -> HttpResponse:
    """The landlord's accent as a stylesheet; a colour too pale to read on our paper is darkened until it can be read."""
    landlord = get_object_or_404(Landlord, code=code)
    accent = darkened_to(landlord.accent, LEAST_CONTRAST_ON_SCREEN)
    return HttpResponse(f":root{{--accent:{accent}}}\n", content_type="text/css")


@login_not_required
@require_safe
def landlord_logo(request: HttpRequest, code: str) -> FileResponse:
    """The landlord's logo (PNG)."""
    landlord = get_object_or_404(Landlord, code=code)
    if not landlord.logo:
        raise Http404("Ce bailleur n'a pas de logo.")
    return FileResponse(landlord.logo.open("rb"), content_type="image/png")

"""A landlord's look, as files that the strict CSP lets in: its accent colour and its logo."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from campaigns.branding import contrast_with_white, darkened
from campaigns.models import Landlord


@login_not_required
@require_safe
def landlord_style(request: HttpRequest, code: str) -> HttpResponse:
    """The landlord's accent as a stylesheet; a colour too pale to read on white is darkened until it can be read."""
    landlord = get_object_or_404(Landlord, code=code)
    accent = landlord.accent
    while contrast_with_white(accent) < 4.5:
        accent = darkened(accent)
    return HttpResponse(f":root{{--accent:{accent}}}\n", content_type="text/css")


@login_not_required
@require_safe
def landlord_logo(request: HttpRequest, code: str) -> FileResponse:
    """The landlord's logo (PNG)."""
    landlord = get_object_or_404(Landlord, code=code)
    if not landlord.logo:
        raise Http404("Ce bailleur n'a pas de logo.")
    return FileResponse(landlord.logo.open("rb"), content_type="image/png")

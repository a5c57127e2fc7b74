"""Pages that anybody may read: help, genuineness, privacy, accessibility, legal notice."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def information(request: HttpRequest, page: str) -> HttpResponse:
    """One of the pages of templates/portal/information/."""
    return TemplateResponse(request, f"portal/information/{page}.html")

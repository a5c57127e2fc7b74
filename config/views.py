"""Pages that belong to no app: who goes where after signing in, health, errors."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse

from campaigns.models import User


def home(request: HttpRequest) -> HttpResponseRedirect:
    """Each role starts where its work is."""
    user = request.user
    if isinstance(user, User) and user.is_landlord:
        return redirect("tracking:home")
    if isinstance(user, User) and user.role == User.Role.KEYING_OPERATOR:
        return redirect("keying:home")
    if isinstance(user, User) and user.role == User.Role.CALL_AGENT:
        return redirect("tracking:home")
    return redirect("admin:index")


@login_not_required
def health(request: HttpRequest) -> JsonResponse:
    """Says that the web process and its database answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


@login_not_required
def components(request: HttpRequest) -> TemplateResponse:
    """The components of the visual language, for the people who build screens."""
    if not settings.SHOW_COMPONENTS:
        raise Http404
    return TemplateResponse(request, "components_demo.html")


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form sent from a page that is too old: say so, in French, and how to go on."""
    return render(request, "403_csrf.html", status=403)

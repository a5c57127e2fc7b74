"""Pages that belong to no app: who goes where after signing in, health, errors."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
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


@login_not_required
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that is refused before it is read: say what was too much, and how to go on."""
    told = {"title": "La demande n’a pas été comprise", "text": "Revenez en arrière, puis recommencez."}
    if isinstance(exception, TooManyFilesSent):
        told = {
            "title": "Trop de fichiers en une fois",
            "text": f"Envoyez au plus {settings.DATA_UPLOAD_MAX_NUMBER_FILES} fichiers à la fois. "
            "Aucun des fichiers de cet envoi n’a été gardé ; ceux que vous aviez ajoutés avant le sont.",
        }
    elif isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
        told = {
            "title": "L’envoi est trop gros",
            "text": "Rien n’a été gardé de cet envoi. Envoyez-le en plusieurs fois.",
        }
    return render(request, "400.html", {**told, "back": request.path}, status=400)

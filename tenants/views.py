"""Doors of the carriers (Twilio's reports and replies, unsubscription) and of those who listen to households."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.models import User
from campaigns.scope import across_landlords
from tenants.large_print import set_large_print
from tenants.messaging import sms_reports, unsubscribing
from tenants.models import SurveyCase

LISTENING = frozenset({User.Role.CASE_MANAGER, User.Role.CALL_AGENT})
EMPTY_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


@csrf_exempt
@login_not_required
@require_POST
@across_landlords
def sms_status(request: HttpRequest) -> HttpResponse:
    """Twilio says how far an SMS has gone. 403 unless Twilio signed it, 404 when it is none of ours."""
    if not _signed(request):
        return HttpResponse(status=403)
    known = sms_reports.take_status(key=request.GET.get("envoi", ""), posted=request.POST.dict(), now=timezone.now())
    return HttpResponse(status=204 if known else 404)


@csrf_exempt
@login_not_required
@require_POST
@across_landlords
def sms_reply(request: HttpRequest) -> HttpResponse:
    """Somebody answered an SMS: STOP and wrong numbers are written down. 403 unless Twilio signed it."""
    if not _signed(request):
        return HttpResponse(status=403)
    sms_reports.take_reply(posted=request.POST.dict(), now=timezone.now())
    return HttpResponse(EMPTY_ANSWER, content_type="text/xml; charset=utf-8")


@login_required
@require_POST
def print_size(request: HttpRequest, pk: int) -> HttpResponse:
    """What a household said on the telephone: large print, or no longer. For case managers and call agents."""
    actor = request.user
    if not isinstance(actor, User) or actor.role not in LISTENING:
        raise PermissionDenied
    case = get_object_or_404(SurveyCase.objects.select_related("household"), pk=pk)
    large = request.POST.get("print") == "large"
    set_large_print(case=case, large=large, now=timezone.now(), actor=actor)
    size = "gros caractères" if large else "caractères ordinaires"
    messages.success(request, f"C'est noté : les prochains courriers de ce ménage seront en {size}.")
    return redirect("tracking:case", case.reference)


def _signed(request: HttpRequest) -> bool:
    """Twilio signs the address that we gave it, whatever proxies stand in between."""
    url = f"{settings.TWILIO_CALLBACKS.rstrip('/')}{request.get_full_path()}"
    signature = request.headers.get("X-Twilio-Signature", "")
    return sms_reports.signed_by_twilio(url=url, posted=request.POST.dict(), signature=signature)


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@across_landlords
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One click in the mail program (RFC 8058) posts here; a person who follows the link is asked to confirm."""
    try:
        landlord = unsubscribing.message_of(token).case.campaign.landlord
        if request.method == "POST":
            unsubscribing.unsubscribe(token=token, now=timezone.now())
    except unsubscribing.UnknownLink:
        return TemplateResponse(request, "messages/unsubscribe.html", {"unknown": True}, status=404)
    told = {"landlord": landlord, "done": request.method == "POST"}
    return TemplateResponse(request, "messages/unsubscribe.html", told)

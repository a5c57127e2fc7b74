"""Coming in by code or by link, going out, and what one reads first."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import audit
from campaigns.scope import all_landlords
from campaigns.visitor import address_of
from portal.access import HOME, Standing, Visit, enter, household_only, leave, shown, standing_of
from portal.drafts import draft_of
from portal.forms import EntranceForm
from portal.progress import pieces_of
from tenants import access_codes
from tenants.access_codes import AccessRefused, Refusal
from tenants.models import AccessCode

# Refusals that are about what was typed go to the field; the others are a page's news.
TITLES = {
    Refusal.LOCKED: "Trop d’essais : patientez un peu",
    Refusal.USED: "Nous avons déjà reçu votre réponse",
    Refusal.CLOSED: "On ne peut plus répondre en ligne",
    Refusal.EMPTY: "Ce lien n’est pas complet",
    Refusal.WRONG: "Ce lien n’est pas reconnu",
}
TONES = {Refusal.USED: "success", Refusal.CLOSED: "warning", Refusal.LOCKED: "warning"}


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def entrance(request: HttpRequest) -> HttpResponse:
    """The dossier number and the code."""
    form = EntranceForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return TemplateResponse(request, "portal/entrance.html", {"form": form})
    now = timezone.now()
    try:
        with all_landlords():
            case = access_codes.check_typed(
                reference=form.cleaned_data["reference"],
                code=form.cleaned_data["code"],
                address=address_of(request),
                now=now,
            )
    except AccessRefused as refusal:
        audit.record(action="signin.household_refused", at=now, kind="code", data={"why": refusal.kind.value})
        return TemplateResponse(request, "portal/entrance.html", _refused(form, refusal))
    enter(request, case, now)
    return redirect(HOME[standing_of(case)])


def _refused(form: EntranceForm, refusal: AccessRefused) -> dict[str, Any]:
    if refusal.kind is Refusal.EMPTY:
        form.add_error("code" if form.cleaned_data["reference"].strip() else "reference", str(refusal))
        return {"form": form}
    if refusal.kind is Refusal.WRONG:
        form.add_error("code", str(refusal))
        return {"form": form}
    return {"form": form, "refusal": _told(refusal)}


def _told(refusal: AccessRefused) -> dict[str, str]:
    return {"title": TITLES[refusal.kind], "text": str(refusal), "kind": TONES.get(refusal.kind, "error")}


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """What a QR code or a message opens. Reading it does nothing, since mail scanners read links; the button enters."""
    if request.method != "POST":
        return TemplateResponse(request, "portal/link.html", _landlord_of(token))
    now = timezone.now()
    try:
        with all_landlords():
            case = access_codes.check_link(token=token, now=now)
    except AccessRefused as refusal:
        audit.record(action="signin.household_refused", at=now, kind="link", data={"why": refusal.kind.value})
        return TemplateResponse(request, "portal/link.html", {**_landlord_of(token), "refusal": _told(refusal)})
    enter(request, case, now)
    return redirect(HOME[standing_of(case)])


def _landlord_of(token: str) -> dict[str, Any]:
    """Whose survey it is, so that the household knows at once where it is; nothing else of the case."""
    with all_landlords():
        codes = AccessCode.objects.filter(kind=AccessCode.Kind.LINK, digest=access_codes.link_digest(token))
        found = codes.select_related("case__campaign__landlord").first()
    if found is None:
        return {}
    campaign = found.case.campaign
    look = {"landlord": campaign.landlord, "campaign": campaign, "rehearsal": campaign.rehearsal}
    look["landlord_style_url"] = reverse("landlord_style", args=[campaign.landlord.code])
    if campaign.landlord.logo:
        look["landlord_logo_url"] = reverse("landlord_logo", args=[campaign.landlord.code])
    return look


@household_only(Standing.ANSWER)
@require_safe
def welcome(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Who asks, why, what to prepare, how long, by when, and what happens otherwise."""
    draft = draft_of(visit.case)
    return shown(
        request,
        visit,
        "welcome",
        pieces=pieces_of(draft),
        questionnaire=draft.questionnaire,
        started=bool(draft.seen or draft.answers),
        overdue=visit.today > visit.case.campaign.reply_by,
    )


@login_not_required
@require_POST
def quit_portal(request: HttpRequest) -> HttpResponse:
    """Close the door; the draft stays."""
    leave(request)
    messages.success(request, "Vous avez quitté votre dossier. Vos réponses déjà données sont conservées.")
    return redirect("portal:entrance")


@household_only()
@require_POST
def stay(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Say that somebody is still there: the half hour starts again."""
    return HttpResponse(status=204)

"""The bailiff's pages. Nothing here writes but the bailiff's own visits."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.law.texts import formal_notice_article
from campaigns.scope import all_landlords
from tenants.bailiff.access import Visit, bailiff_only, begin
from tenants.bailiff.access import leave as forget
from tenants.constat.access import DoorShut, enter, note
from tenants.constat.letters import UnableToShow, page_of
from tenants.constat.listing import constat_csv, mailings_of
from tenants.models import BailiffVisit, ConstatPackage, Message, SurveyCase

BY_PAGE = 50
DRAWN = 10  # cases of the random sample
Act = BailiffVisit.Act


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def entrance(request: HttpRequest, token: str) -> HttpResponseBase:
    """The code, told apart from the link, opens the door."""
    error = ""
    if request.method == "POST":
        now = timezone.now()
        try:
            with all_landlords():  # nobody is in a scope yet: the access found says which
                access = enter(token=token, code=request.POST.get("code", ""), now=now)
        except DoorShut as refusal:
            error = str(refusal)
        else:
            begin(request, access, now)
            return redirect("bailiff:home")
    return TemplateResponse(request, "bailiff/entrance.html", {"error": error}, status=403 if error else 200)


@login_not_required
@require_safe
def shut(request: HttpRequest) -> HttpResponse:
    """Why the door is shut, and what to do."""
    return TemplateResponse(request, "bailiff/shut.html")


@login_not_required
@require_POST
def leave(request: HttpRequest) -> HttpResponseBase:
    """Go out."""
    forget(request)
    return redirect("bailiff:shut")


@bailiff_only
@require_safe
def home(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The campaign, its packages, a random sample, and the households that have not answered."""
    words = request.GET.get("q", "").strip()[:80]
    silent = _unanswered(visit)
    found = _searched(silent, words).annotate(sendings=Count("messages", filter=Q(messages__sent_at__isnull=False)))
    pages = Paginator(found.order_by("household__tenant_reference", "pk"), BY_PAGE)
    page = pages.get_page(request.GET.get("page"))
    note(access=visit.access, act=Act.LIST, now=visit.now)
    packages = ConstatPackage.objects.filter(campaign=visit.campaign).order_by("-number")
    newest = packages.first()
    context = {
        "total": pages.count,
        "everyone": silent.count(),
        "surveyed": SurveyCase.objects.for_campaign(visit.campaign).surveyed().count(),
        "cases": page.object_list,
        "number": page.number,
        "pages": pages.num_pages,
        "words": words,
        "query": urlencode({"q": words}) if words else "",
        "packages": packages,
        "sample": _sample(silent, newest) if newest else [],
        "newest": newest,
        "article": formal_notice_article(timezone.localdate(visit.now)),
    }
    return _page(request, visit, "home", context)


@bailiff_only
@require_safe
def case(request: HttpRequest, visit: Visit, reference: str) -> HttpResponse:
    """One household: every mailing that left, when, and what proves it."""
    found = get_object_or_404(_unanswered(visit).for_letters(), reference=reference.upper())
    note(access=visit.access, act=Act.CASE, now=visit.now, subject=found.reference)
    sent = [(each, range(1, _shown(each.message) + 1)) for each in mailings_of(found)]
    return _page(request, visit, "case", {"case": found, "household": found.household, "sent": sent})


@bailiff_only
@require_safe
def letter(request: HttpRequest, visit: Visit, reference: str, pk: int, number: int) -> HttpResponse:
    """One page of a printed letter, codes masked."""
    found = get_object_or_404(_unanswered(visit), reference=reference.upper())
    message = get_object_or_404(Message.objects.told().select_related("batch"), pk=pk, case=found)
    note(access=visit.access, act=Act.LETTER, now=visit.now, subject=f"{found.reference} {message.pk} p{number}")
    try:
        return HttpResponse(page_of(message, number), content_type="image/png")
    except (UnableToShow, FileNotFoundError) as error:
        raise Http404(str(error)) from error


@bailiff_only
@require_safe
def export(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list as it stands now, one line per mailing."""
    note(access=visit.access, act=Act.EXPORT, now=visit.now)
    response = HttpResponse(constat_csv(visit.campaign), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="constat-{visit.campaign.pk}.csv"'
    return response


@bailiff_only
@require_safe
def package(request: HttpRequest, visit: Visit, number: int) -> HttpResponseBase:
    """A sealed package."""
    found = get_object_or_404(ConstatPackage, campaign=visit.campaign, number=number)
    note(access=visit.access, act=Act.PACKAGE, now=visit.now, subject=str(number))
    return FileResponse(
        found.content.open("rb"), as_attachment=True, filename=found.name, content_type="application/zip"
    )


def _unanswered(visit: Visit) -> Any:
    return SurveyCase.objects.for_campaign(visit.campaign).unanswered().select_related("household")


def _searched(silent: Any, words: str) -> Any:
    """By case reference, landlord's reference, or name."""
    if not words:
        return silent
    return silent.filter(
        Q(reference__iexact=words)
        | Q(household__tenant_reference__icontains=words)
        | Q(household__occupants__last_name__icontains=words)
    ).distinct()


def _sample(silent: Any, newest: ConstatPackage) -> list[SurveyCase]:
    """Cases drawn by the digest of the newest package: nobody chooses them, and anyone can draw them again."""

    def rank(reference: str) -> str:
        return hashlib.sha256(f"{newest.manifest_sha256}{reference}".encode()).hexdigest()

    drawn = sorted(silent.values_list("reference", flat=True), key=rank)[:DRAWN]
    return sorted(silent.filter(reference__in=drawn), key=lambda each: drawn.index(each.reference))


def _shown(message: Message) -> int:
    """How many pages of it can be looked at."""
    return message.pages if message.batch_id else 0


def _page(request: HttpRequest, visit: Visit, template: str, context: dict[str, Any]) -> HttpResponse:
    shared = {
        "campaign": visit.campaign,
        "landlord": visit.campaign.landlord,
        "access": visit.access,
        "as_of": visit.now,
        "rehearsal": visit.campaign.rehearsal,
    }
    return TemplateResponse(request, f"bailiff/{template}.html", shared | context)

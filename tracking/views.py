"""The landlord's window: campaigns, dashboard, list of cases, one case. Nothing here writes."""

from __future__ import annotations

import logging
from math import ceil
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from campaigns.models import Campaign, FormProof, User
from returns import acceptance_lots, keying_figures
from returns.acceptance_report import compose_acceptance
from returns.answers import NoQuestionnaire
from returns.models import AcceptanceLot, FieldReading, Page, SupportingDocument
from returns.page_images import NoPicture, masked_sheet_png, sheet_png, upload_png
from returns.piece_readings import pieces_of
from returns.sampling import parameters
from returns.sheet_readings import ReadSheet, access_zones, masks_of, may_be_masked, sheets_of
from returns.throughput import throughput
from tenants.case_states import LABELS, State
from tenants.history import told
from tenants.models import SurveyCase
from tenants.survey_scope import explanation_of
from tracking import case_list, charts, figures, quality, sentences
from tracking.access import campaign_or_404, campaigns_of, case_or_404, cases_of, may_see_scans, read_only
from tracking.case_law import legal_page_of, simulation_of
from tracking.case_page import content_of, next_of
from tracking.definitions import DEFINITIONS
from tracking.wording import BADGES

logger = logging.getLogger(__name__)

SHOWN_IN_PLACE = frozenset({"image/jpeg", "image/png"})


@read_only
@require_safe
def home(request: HttpRequest) -> TemplateResponse:
    """The campaigns, the newest first; an agent also searches a case among all of them."""
    user = _user(request)
    campaigns = list(campaigns_of(user).order_by("rehearsal", "-opens_on", "-pk"))
    counted = figures.counters_of(campaigns)
    words = request.GET.get("q", "").strip()[:120]
    context = {
        "cards": [(campaign, counted[campaign.pk]) for campaign in campaigns],
        "several_landlords": not user.is_landlord,
        "words": words,
        "found": _found_anywhere(user, words) if words else None,
    }
    return _page(request, "tracking/home.html", context)


def _found_anywhere(user: User, words: str) -> list[SurveyCase]:
    """The first cases of every campaign that the words tell."""
    cases = case_list.among(cases_of(user), words).order_by("campaign__rehearsal", "-campaign__opens_on", "pk")
    return list(cases.prefetch_related("household__occupants")[:20])


@read_only
@require_safe
def campaign(request: HttpRequest, pk: int) -> TemplateResponse:
    """The dashboard of one campaign."""
    user = _user(request)
    shown = campaign_or_404(user, pk)
    counters, curve, waves = figures.counters(shown), figures.curve(shown), figures.waves(shown)
    channels = figures.channels(shown)
    context = {
        "campaign": shown,
        "counters": counters,
        "parts": charts.parts(counters),
        "curve": curve,
        "curve_data": charts.curve_data(shown, counters, curve, waves),
        "weeks": charts.by_week(curve, counters.surveyed),
        "channels": channels,
        "effects": quality.effects([wave for wave in waves if wave.collective], curve),
        "others": [wave for wave in waves if not wave.collective],
        "agencies": figures.by_agency(shown),
        "states": figures.states(shown),
        "simulation": None if user.role == User.Role.CALL_AGENT else simulation_of(shown),
        "milestones": shown.milestones.order_by("due_on", "pk"),
        "missing": quality.missing_most(shown),
        "reminded_after_answer": figures.reminded_after_answer(shown),
        "proof": _proof_of(shown),
        "today": timezone.localdate(),
    }
    return _page(request, "tracking/campaign.html", context)


def _proof_of(campaign: Campaign) -> FormProof | None:
    """The BAT that waits, else the last one decided."""
    proofs = FormProof.objects.filter(revision__campaign=campaign).exclude(state=FormProof.State.REPLACED)
    return proofs.order_by("-created_at", "-pk").first()


@read_only
@require_safe
def reading(request: HttpRequest, pk: int) -> TemplateResponse:
    """How well the forms of a campaign were read, and the lots that were controlled."""
    shown = campaign_or_404(_user(request), pk)
    machine, keyed = keying_figures.machine_rates(shown), keying_figures.keying_rates(shown)
    context = {
        "campaign": shown,
        "quality": quality.reading_quality(shown),
        "throughput": throughput(shown),
        "rates": [
            keying_figures.total("Valeurs lues et gardées par la machine", machine),
            keying_figures.total("Valeurs saisies par une personne seule", keyed),
        ],
        "lots": acceptance_lots.standings(shown),
        "source": parameters()["acceptance"]["source"],
    }
    return _page(request, "tracking/reading.html", context)


@read_only
@require_safe
def lot(request: HttpRequest, pk: int) -> HttpResponse:
    """The acceptance report of a lot, as CSV. Who took it is written in the log."""
    user = _user(request)
    found = _lot_or_404(user, pk)
    logger.info("report of lot %s taken by user %s", found.pk, user.pk)
    answer = HttpResponse(acceptance_lots.report(found), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="reception-lot-{found.number}.csv"'
    return answer


@read_only
@require_safe
def lot_document(request: HttpRequest, pk: int) -> HttpResponse:
    """The acceptance report of a lot, as a PDF. Who took it is written in the log."""
    user = _user(request)
    found = _lot_or_404(user, pk)
    logger.info("report of lot %s taken by user %s", found.pk, user.pk)
    answer = HttpResponse(compose_acceptance(lot=found, now=timezone.now()), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="reception-lot-{found.number}.pdf"'
    return answer


def _lot_or_404(user: User, pk: int) -> AcceptanceLot:
    lots = AcceptanceLot.objects.select_related("campaign__landlord").filter(campaign__in=campaigns_of(user))
    return get_object_or_404(lots, pk=pk)


@read_only
@require_safe
def cases(request: HttpRequest, pk: int) -> TemplateResponse:
    """The cases of a campaign, searched and narrowed, fifty a page."""
    shown, wanted = campaign_or_404(_user(request), pk), case_list.Wanted.of(request.GET)
    found = case_list.found(shown, wanted)
    total = found.count()
    pages = max(1, ceil(total / case_list.PAGE))
    asked = request.GET.get("page", "1")
    number = min(max(int(asked), 1), pages) if asked.isdecimal() else 1
    agencies = case_list.agencies(shown)
    context = {
        "campaign": shown,
        "wanted": wanted,
        "chosen": case_list.chosen(wanted, agencies),
        "cases": [(case, BADGES.get(State(case.state), "")) for case in case_list.rows(found, number)],
        "total": total,
        "number": number,
        "pages": pages,
        "groups": [(key, label) for key, (label, _) in case_list.GROUPS.items()],
        "states": [(state.value, label) for state, label in LABELS.items()],
        "agencies": agencies,
        "channels": SurveyCase.Channel.choices,
    }
    return _page(request, "tracking/cases.html", context)


@read_only
@require_safe
def export(request: HttpRequest, pk: int) -> FileResponse:
    """The list as it is narrowed, as CSV. Who took what is written in the log, without names."""
    user = _user(request)
    shown, wanted = campaign_or_404(user, pk), case_list.Wanted.of(request.GET)
    logger.info("case list of campaign %s exported by user %s", shown.pk, user.pk)
    content = case_list.as_csv(case_list.found(shown, wanted))
    name = f"dossiers-{shown.landlord.code}-{shown.survey}-{shown.year}.csv"
    return FileResponse(content, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


@read_only
@require_safe
def case(request: HttpRequest, reference: str) -> TemplateResponse:
    """One household: where its case stands, what it declared, what it sent, what it was told."""
    user = _user(request)
    shown = case_or_404(user, reference)
    open_wide = may_see_scans(user)
    content = content_of(shown, sensitive=open_wide)
    context = {
        "campaign": shown.campaign,
        "case": shown,
        "household": shown.household,
        "dwelling": shown.household.dwelling,
        "occupants": shown.household.occupants.order_by("row"),
        "badge": BADGES.get(State(shown.state), ""),
        "content": content,
        "sentence": sentences.standing(shown, content.missing),
        "to_say": sentences.to_say(shown, content.missing),
        "next": next_of(shown, timezone.localdate()),
        "calling": user.role == User.Role.CALL_AGENT,
        "listening": user.role != User.Role.LANDLORD,
        "open_wide": open_wide,
        "pages": _pages(shown) if open_wide else [],
        "scanned": FieldReading.objects.filter(survey_return__case=shown).exists(),
        "sendings": shown.messages.select_related("batch").order_by("-created_at", "-pk"),
        "complements": shown.complements.order_by("-number"),
        "legal": legal_page_of(
            shown, timezone.localdate(), figures=request.GET.get("chiffres", ""), sensitive=open_wide
        ),
        "scope": explanation_of(shown),
        "timeline": [told(event) for event in shown.events.select_related("actor").order_by("-occurred_at", "-pk")],
    }
    return _page(request, "tracking/case.html", context)


def _pages(case: SurveyCase) -> list[tuple[Page, list[FieldReading], bool]]:
    """The scanned pages with what was read on them, and whether their picture may be shown."""
    pages = Page.objects.filter(survey_return__case=case).exclude(image="").exclude(state=Page.State.BLANK)
    pages = pages.select_related("survey_return__case").prefetch_related("readings")
    shown = pages.order_by("survey_return__received_at", "number", "index")
    return [
        (page, [each for each in page.readings.all() if each.box and each.inked], access_zones(page) is not None)
        for page in shown
    ]


@read_only
@require_safe
def readings(request: HttpRequest, reference: str) -> TemplateResponse:
    """Everything that was read on the sheets of a case, each value on its zone, with how it was decided."""
    user = _user(request)
    shown = case_or_404(user, reference)
    open_wide = may_see_scans(user)
    try:
        sheets = sheets_of(shown, sensitive=open_wide, operators=not user.is_landlord)
        sheets += pieces_of(shown, sensitive=open_wide)
    except NoQuestionnaire:
        sheets = []
    pictures = [(each, _picture_of(each, shown, user)) for each in sheets]
    context = {"campaign": shown.campaign, "case": shown, "sheets": pictures, "open_wide": open_wide}
    return _page(request, "tracking/readings.html", context)


def _picture_of(sheet: ReadSheet, case: SurveyCase, user: User) -> str:
    """The address of its picture; '' when this person may not see it."""
    page, document = sheet.page, sheet.document
    if page is not None:
        shown = access_zones(page) is not None and (may_see_scans(user) or may_be_masked(page))
        return reverse("tracking:page_image", args=[case.reference, page.pk]) if shown else ""
    if document is None or not may_see_scans(user):
        return ""
    return reverse("tracking:document_image", args=[case.reference, document.pk])


@read_only
@require_safe
def page_image(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """The picture of a scanned page of the case. Who looked is in the log.

    The tenant's way into the portal is covered for everyone, and the incomes for a call agent; a sheet on which that
    can't be done is not shown.
    """
    user = _user(request)
    shown = case_or_404(user, reference)
    page = get_object_or_404(Page.objects.select_related("survey_return__case"), pk=pk, survey_return__case=shown)
    masked, ways_in = not may_see_scans(user), access_zones(page)
    if ways_in is None or (masked and not may_be_masked(page)):
        raise Http404
    logger.info("page %s of case %s seen by user %s", page.pk, shown.pk, user.pk)
    try:
        covered = ways_in + (masks_of(page) if masked else [])
        drawn = masked_sheet_png(page, covered) if covered else sheet_png(page)
        return HttpResponse(drawn, content_type="image/png")
    except NoPicture as error:
        raise Http404(str(error)) from error


@read_only
@require_safe
def document(request: HttpRequest, reference: str, pk: int) -> FileResponse:
    """A piece of the case: pictures are shown, anything else is downloaded. Who looked is in the log."""
    user = _user(request)
    shown = case_or_404(user, reference)
    piece = get_object_or_404(SupportingDocument, pk=pk, case=shown)
    _refuse_scans(user)
    if not piece.content or not piece.may_be_shown:
        raise Http404("Cette pièce n'a pas de fichier, ou elle n'est pas encore lue.")
    logger.info("piece %s of case %s seen by user %s", piece.pk, shown.pk, user.pk)
    in_place = piece.media_type in SHOWN_IN_PLACE
    name = f"piece-{shown.reference}-{piece.pk}{EXTENSIONS.get(piece.media_type, '')}"
    content_type = piece.media_type if piece.media_type in EXTENSIONS else "application/octet-stream"
    return FileResponse(piece.content.open("rb"), as_attachment=not in_place, filename=name, content_type=content_type)


@read_only
@require_safe
def document_image(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """The picture of an uploaded piece, at the page where something was read. Who looked is in the log."""
    user = _user(request)
    shown = case_or_404(user, reference)
    piece = get_object_or_404(SupportingDocument, pk=pk, case=shown, page=None)
    _refuse_scans(user)
    logger.info("piece %s of case %s seen by user %s", piece.pk, shown.pk, user.pk)
    try:
        return HttpResponse(upload_png(piece), content_type="image/png")
    except NoPicture as error:
        raise Http404(str(error)) from error


EXTENSIONS = {"image/jpeg": ".jpg", "image/png": ".png", "image/tiff": ".tif", "application/pdf": ".pdf"}


@read_only
@require_safe
def definitions(request: HttpRequest) -> TemplateResponse:
    """What each figure counts."""
    return _page(request, "tracking/definitions.html", {"definitions": DEFINITIONS})


def _refuse_scans(user: User) -> None:
    if not may_see_scans(user):
        raise Http404


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - `read_only` has seen to it
    return request.user


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    """A page of the tracking, dated; a campaign's page wears its landlord's look, also for the provider's people."""
    shown = context.get("campaign")
    extra: dict[str, Any] = {"as_of": timezone.now()}
    if isinstance(shown, Campaign):
        extra["rehearsal"] = shown.rehearsal
    return TemplateResponse(request, template, extra | context)

"""The reconciliation desk and the pieces to name: the paper on the left, the decision beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from campaigns.audit_trail import concerns
from campaigns.staff import for_operators, operator_of
from returns import qualification, reconciling
from returns.answers import declared_context, display_name, questionnaire_of, revision_of
from returns.models import Page, SupportingDocument
from returns.page_images import page_png, sheet_png, upload_png
from returns.qualification import UnableToQualify
from returns.reconciling import UnableToReconcile
from returns.seeing import CODELESS
from returns.suggestions import suggestions_for
from returns.turning import turned_on
from returns.views.papers import picture

BY_PAGE = 50
SHOWN = ("image/jpeg", "image/png", "application/pdf")  # what an uploaded piece may be


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of what waits for a decision, in words; `rows` is the template of its lines, `noun` a French plural."""

    here: str
    title: str
    lead: str
    rows: str
    noun: str
    empty: str
    reassurance: str

    def shown(self, request: HttpRequest, waiting: QuerySet[Any]) -> TemplateResponse:
        """One page of it."""
        lines = Paginator(waiting, BY_PAGE).get_page(request.GET.get("page"))
        return TemplateResponse(request, "keying/listing.html", {"listing": self, "lines": lines, "here": self.here})


LOST_PAGES = Listing(
    here="reconciling",
    title="Pages à rapprocher",
    lead="Ces feuilles numérisées n’ont pas trouvé leur place. Dites où va chacune, ou écartez-la.",
    rows="keying/lost_rows.html",
    noun="pages",
    empty="Aucune page à rapprocher",
    reassurance="Chaque feuille numérisée a trouvé sa place.",
)
PIECES = Listing(
    here="pieces",
    title="Pièces à nommer",
    lead="La machine n’a pas reconnu ces pièces justificatives. Dites ce que chacune est, et à qui elle sert.",
    rows="keying/piece_rows.html",
    noun="pièces",
    empty="Aucune pièce à nommer",
    reassurance="Chaque pièce reçue est reconnue.",
)


@for_operators
@require_safe
def lost_pages(request: HttpRequest) -> TemplateResponse:
    """The pages that nobody could place yet."""
    return LOST_PAGES.shown(request, reconciling.lost_pages())


@for_operators
@require_safe
def lost_page(request: HttpRequest, pk: int) -> TemplateResponse:
    """One of them, and what may be done of it."""
    return _page_shown(request, get_object_or_404(reconciling.lost_pages(), pk=pk))


@for_operators
@require_safe
def lost_page_picture(request: HttpRequest, pk: int) -> HttpResponse:
    """Its picture."""
    page = get_object_or_404(reconciling.lost_pages(), pk=pk)
    return picture(request, f"page {page.pk}", lambda: page_png(page))


@for_operators
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach the page, keep it as a piece, or set it aside; then the next one."""
    page = get_object_or_404(Page.objects.select_related("batch__campaign", "survey_return__case"), pk=pk)
    try:
        piece = _decided(request, page)
    except UnableToReconcile as error:
        if page.state not in reconciling.LOST or page.decided_at:
            messages.warning(request, str(error))
            return redirect("keying:lost_pages")
        return _page_shown(request, page, error=str(error))
    if piece is not None and not piece.kind:
        return redirect("keying:piece", pk=piece.pk)
    if piece is not None:
        messages.success(request, f"La pièce est dans le dossier {piece.case.reference}.")
    following = reconciling.lost_pages().filter(pk__gt=pk).first()
    return redirect("keying:lost_page", pk=following.pk) if following else redirect("keying:lost_pages")


def _decided(request: HttpRequest, page: Page) -> SupportingDocument | None:
    """One call to the step; the piece when the page became one."""
    now, actor = timezone.now(), operator_of(request)
    act, typed = request.POST.get("act", ""), request.POST.get("typed", "")
    if act == "attach":
        code = reconciling.code_of(page) or reconciling.code_typed(typed)
        done = reconciling.attach(page=page, code=code, now=now, actor=actor)
        case = done.survey_return.case if done.survey_return else None
        messages.success(request, f"La feuille est dans le dossier {case.reference if case else ''}.")
        return None
    if act == "piece":
        return reconciling.keep_as_piece(page=page, reference=typed, now=now, actor=actor)
    reconciling.set_aside(page=page, state=act, now=now, actor=actor)
    messages.success(request, "La feuille est écartée.")
    return None


def _page_shown(request: HttpRequest, page: Page, *, error: str = "") -> TemplateResponse:
    told = {
        "page": page,
        "campaign": page.batch.campaign,
        "known": reconciling.code_of(page),
        "suggestions": suggestions_for(page),
        "is_form": page.explanation == CODELESS,
        "turned_on": turned_on(page),
        "aside": [(state.value, why) for state, why in reconciling.ASIDE.items()],
        "left": reconciling.lost_pages().count(),
        "typed": request.POST.get("typed", ""),
        "act": request.POST.get("act", ""),
        "error": error,
        "rehearsal": page.batch.campaign.rehearsal,
        "here": "reconciling",
    }
    return TemplateResponse(request, "keying/lost_page.html", told)


@for_operators
@require_safe
def rescan(request: HttpRequest, pk: int) -> TemplateResponse:
    """A sheet scanned again, beside the first picture of it."""
    page = _rescanned(pk)
    first = page.same_as
    case = page.survey_return.case if page.survey_return else None
    if first is None or case is None:
        raise Http404
    concerns(request, case.reference)
    told = {"page": page, "first": first, "case": case, "rehearsal": page.batch.campaign.rehearsal, "here": ""}
    return TemplateResponse(request, "keying/rescan.html", told)


@for_operators
@require_safe
def rescan_picture(request: HttpRequest, pk: int) -> HttpResponse:
    """One of the two pictures."""
    page = _rescanned(pk)
    return picture(request, f"page {page.pk}", lambda: sheet_png(page))


def _rescanned(pk: int) -> Page:
    """A page that another is the same sheet as, or that is itself the same as another."""
    pages = Page.objects.select_related("batch__campaign", "same_as__batch", "survey_return__case")
    return get_object_or_404(pages.filter(Q(same_as__isnull=False) | Q(rescans__isnull=False)).distinct(), pk=pk)


@for_operators
@require_safe
def pieces(request: HttpRequest) -> TemplateResponse:
    """The pieces whose nature nobody told yet."""
    return PIECES.shown(request, qualification.to_qualify())


@for_operators
@require_safe
def piece(request: HttpRequest, pk: int) -> TemplateResponse:
    """One of them, and what it may be."""
    return _piece_shown(request, get_object_or_404(qualification.to_qualify(), pk=pk))


@for_operators
@require_safe
def piece_picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The scanned page, or the file itself as it was uploaded."""
    document = get_object_or_404(qualification.to_qualify(), pk=pk)
    concerns(request, document.case.reference)
    if document.page is not None:
        scanned = document.page
        return picture(request, f"document {document.pk}", lambda: page_png(scanned))
    if document.media_type not in SHOWN or not document.may_be_shown:
        raise Http404
    if document.rotation:
        return picture(request, f"document {document.pk}", lambda: upload_png(document))
    answer = picture(request, f"document {document.pk}", document.content.read)
    answer["Content-Type"] = document.media_type
    answer["Content-Disposition"] = f'inline; filename="piece-{document.pk}"'
    return answer


@for_operators
@require_POST
def qualify(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what a piece is, or refuse it; then the next one."""
    document = qualification.to_qualify().filter(pk=pk).first()
    if document is None:
        messages.warning(request, "Quelqu'un d'autre vient de nommer cette pièce.")
        return redirect("keying:pieces")
    now, actor = timezone.now(), operator_of(request)
    try:
        if request.POST.get("act") == "refuse":
            why = request.POST.get("why", "")
            qualification.refuse(document=document, explanation=why, now=now, actor=actor)
        else:
            kind, row = _nature(request)
            qualification.qualify(document=document, kind=kind, row=row, now=now, actor=actor)
    except UnableToQualify as error:
        return _piece_shown(request, document, error=str(error))
    following = qualification.to_qualify().filter(pk__gt=pk).first()
    return redirect("keying:piece", pk=following.pk) if following else redirect("keying:pieces")


def _nature(request: HttpRequest) -> tuple[str, int]:
    """What was chosen, e.g. 'tax_notice-2': the kind and the occupant. Raises UnableToQualify."""
    kind, _, row = request.POST.get("nature", "").rpartition("-")
    if not kind or not row.isdecimal():
        raise UnableToQualify("Choisissez ce qu'est la pièce.")
    return kind, int(row)


def _piece_shown(request: HttpRequest, document: SupportingDocument, *, error: str = "") -> TemplateResponse:
    case = document.case
    context = declared_context(case)
    people = [(row, display_name(context, row)) for row in context.rows()]
    natures = []
    for known in questionnaire_of(revision_of(case)).documents:
        owners = people if known.repeated else [(0, "")]
        natures.append((known, [(f"{known.key}-{row}", name) for row, name in owners]))
    told = {
        "document": document,
        "case": case,
        "natures": natures,
        "may_be_shown": document.may_be_shown,
        "is_picture": document.page is not None or document.media_type.startswith("image/"),
        "turned_on": turned_on(document),
        "left": qualification.to_qualify().count(),
        "chosen": request.POST.get("nature", ""),
        "why": request.POST.get("why", ""),
        "error": error,
        "rehearsal": case.campaign.rehearsal,
        "here": "pieces",
    }
    return TemplateResponse(request, "keying/piece.html", told)

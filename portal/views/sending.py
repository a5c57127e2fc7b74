"""Check, send, and what comes after: the receipt, where the case stands, what is still missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.questionnaire import values
from campaigns.questionnaire.schema import Field, FieldType, Section
from portal.access import Standing, Visit, household_only, shown
from portal.drafts import Draft, changing, draft_of
from portal.forms import HonourForm, QuestionForm, spaced
from portal.pieces import waiting
from portal.progress import LEFT, ExpectedPiece, is_roster, open_rows, pages_of, pieces_of, tasks_of
from portal.receipts import Receipt, receipt_of, receipt_pdf
from portal.sending import UnableToSend, send, submission_key
from portal.views.questions import BACK, CHECK
from returns.answers import display_name
from returns.intake import AnswersRefused
from returns.missing import MissingItem, items_of
from returns.models import ComplementRequest, SurveyReturn
from returns.pieces import PieceRefused
from tenants.earliest_days import earliest_days_of_row

LONGEST_LABEL = 50  # characters of a question that fit beside its answer
NOTHING = "Ajoutez au moins une pièce ou une réponse avant d'envoyer."


@dataclass(frozen=True, slots=True)
class Page:
    """One page of answers, to check."""

    title: str
    url: str
    lines: list[tuple[str, str]]


@household_only()
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Every answer with its way back, the declaration on honour, and the button that sends."""
    if visit.standing is not Standing.ANSWER:
        return redirect("portal:status")
    draft = draft_of(visit.case)
    pieces = pieces_of(draft)
    todo = [task for task in tasks_of(draft, pieces) if not task.done]
    form = HonourForm(request.POST or None, initial={"submission": submission_key(visit.case)})
    if request.method == "POST" and not todo and form.is_valid() and _sent(request, visit, form):
        return redirect("portal:status")
    pages = [page for section in pages_of(draft) for page in _pages(draft, section)]
    return shown(request, visit, "review", form=form, pages=pages, pieces=pieces, todo=todo)


def _sent(request: HttpRequest, visit: Visit, form: HonourForm) -> bool:
    """Send; False when it could not be, the form then says why."""
    try:
        send(case=visit.case, submission=form.cleaned_data["submission"], now=visit.now)
    except (UnableToSend, AnswersRefused, PieceRefused) as refusal:
        form.add_error(None, str(refusal))
        form.data = {**request.POST.dict(), "submission": submission_key(visit.case)}
        return False
    return True


def _pages(draft: Draft, section: Section) -> list[Page]:
    return [_page(draft, section, row) for row in open_rows(draft, section)]


def _page(draft: Draft, section: Section, row: int) -> Page:
    seen = draft.context.at_row(row)
    who = display_name(draft.context, row)
    asked = [each for each in draft.questions(section, row) if each.key != LEFT or seen.value(LEFT) is True]
    lines = [(spaced(_called(field)), _told(field, seen.value(field.key))) for field in asked]
    name = "person" if is_roster(section) else "questions"
    address = reverse(f"portal:{name}", args=[section.key, row])
    title = who if is_roster(section) else f"{section.title} : {who}" if who else section.title
    return Page(spaced(title), f"{address}?{BACK}={CHECK}", lines)


def _called(field: Field) -> str:
    """The question's own words where they are few: its short name is for those who work with it."""
    label = field.label.rstrip(" ?")
    return label if len(label) <= LONGEST_LABEL and not field.label.endswith("?") else field.name


def _told(field: Field, value: Any) -> str:
    if value in (None, ""):
        return "Non" if field.type is FieldType.TICK else "Non renseigné"
    return values.show(field, value)


@household_only(Standing.COMPLETE)
@require_http_methods(["GET", "HEAD", "POST"])
def complement(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Exactly what is missing: the questions to answer, the pieces to join, and the button that sends them."""
    draft = draft_of(visit.case)
    items = items_of(draft.dossier)
    asked = visit.case.complements.filter(answered_at=None).order_by("-number").first()
    groups = _groups(draft, items)
    posted = request.POST if request.method == "POST" else None
    forms = [(title, row, _form(draft, visit, fields, row, posted)) for title, row, fields in groups]
    honour = HonourForm(posted, initial={"submission": submission_key(visit.case)})
    ready = posted is not None and all([form.is_valid() for _, _, form in forms])
    if ready:
        with changing(visit.case, now=visit.now) as changed:
            for _, row, form in forms:
                changed.put(row, form.answers)
        if honour.is_valid() and not _brings_something(visit, asked):
            honour.add_error(None, NOTHING)
    if ready and honour.is_valid() and _sent(request, visit, honour):
        messages.success(request, "Votre envoi est bien arrivé.")
        return redirect("portal:status")
    pieces = [piece for piece in pieces_of(draft) if _concerns(piece, items, visit)]
    return shown(request, visit, "complement", asked=asked, forms=forms, honour=honour, pieces=pieces, items=items)


def _brings_something(visit: Visit, asked: ComplementRequest | None) -> bool:
    """Whether there is an answer, a piece or an expected signature to send."""
    draft = draft_of(visit.case)
    signatures = {each.key for _, each in draft.questionnaire.fields() if each.type is FieldType.SIGNATURE}
    signs = asked is not None and any(item["field"] in signatures for item in asked.left)
    return signs or bool(draft.answers) or waiting(visit.case).exists()


def _groups(draft: Draft, items: list[MissingItem]) -> list[tuple[str, int, list[Field]]]:
    """The questions to answer, by person."""
    wanted: dict[int, list[Field]] = {}
    for item in items:
        field = draft.questionnaire.find(item.field) if item.field and not item.document else None
        if field is not None and field.type is not FieldType.SIGNATURE and field not in wanted.get(item.row, []):
            wanted.setdefault(item.row, []).append(field)
    return [(display_name(draft.context, row), row, fields) for row, fields in sorted(wanted.items())]


def _form(draft: Draft, visit: Visit, fields: list[Field], row: int, posted: Any) -> QuestionForm:
    since = earliest_days_of_row(visit.case, row)
    seen = draft.context.at_row(row)
    return QuestionForm(fields, seen=seen, today=visit.today, data=posted, prefix=f"r{row}", free=True, since=since)


def _concerns(piece: ExpectedPiece, items: list[MissingItem], visit: Visit) -> bool:
    """Whether that piece is still asked for, or was deposited for this complement."""
    if any((item.document, item.row) == (piece.document.key, piece.row) for item in items):
        return True
    return any(each.survey_return_id is None for each in piece.files)


@household_only()
@require_safe
def status(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What was received, when, under which number, what is missing, and what happens next."""
    if visit.standing is Standing.ANSWER:
        return redirect("portal:tasks")
    return shown(request, visit, "status", receipt=_receipt(visit))


@household_only()
@require_safe
def receipt(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The receipt as a PDF."""
    told = _receipt(visit)
    response = HttpResponse(receipt_pdf(told), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="recu-{told.number}.pdf"'
    return response


def _receipt(visit: Visit) -> Receipt:
    last = SurveyReturn.objects.filter(case=visit.case).order_by("-received_at", "-pk").first()
    if last is None:
        raise Http404("Aucune réponse n'est encore arrivée pour ce dossier.")
    return receipt_of(visit.case, last)

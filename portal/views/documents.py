"""What the household got by post, to be read on screen or printed again: its form and its letters, accessible."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portal.access import Visit, household_only, shown
from tenants.dispatch import copy_of_form, copy_of_letter, letters_sent


@household_only()
@require_safe
def documents(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list."""
    return shown(request, visit, "documents", letters=letters_sent(visit.case), form_sent=visit.case.sent_at)


@household_only()
@require_safe
def form(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The questionnaire, as it was sent."""
    content = copy_of_form(visit.case, now=visit.now)
    if content is None:
        raise Http404("Aucun questionnaire n'a été envoyé pour ce dossier.")
    return _pdf(content, "questionnaire")


@household_only()
@require_safe
def letter(request: HttpRequest, visit: Visit, number: int) -> HttpResponse:
    """One letter, counted from the oldest."""
    letters = letters_sent(visit.case)[::-1]
    if not 1 <= number <= len(letters):
        raise Http404("Ce courrier n'existe pas dans votre dossier.")
    return _pdf(copy_of_letter(letters[number - 1]), f"courrier-{number}")


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response

"""What the household was sent, accessible, to be read or printed again; and how it wants its letters printed."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from portal.access import Visit, household_only, shown
from returns.complement_messages import as_letter
from tenants.dispatch import copy_of_form, copy_of_letter, letters_sent
from tenants.large_print import set_large_print
from tenants.models import Message, Purpose

ASKED = "C'est noté : vos prochains courriers seront imprimés en gros caractères."
TAKEN_BACK = "C'est noté : vos prochains courriers seront imprimés en caractères ordinaires."


@household_only()
@require_safe
def documents(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The list."""
    return shown(
        request,
        visit,
        "documents",
        letters=letters_sent(visit.case),
        form_sent=visit.case.sent_at,
        household=visit.case.household,
    )


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
    chosen = letters[number - 1]
    told = chosen.purpose == Purpose.COMPLEMENT and chosen.channel != Message.Channel.LETTER
    return _pdf(copy_of_letter(chosen, as_letter(chosen) if told else None), f"courrier-{number}")


@household_only()
@require_POST
def print_size(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The household asks for large print, or takes it back."""
    large = request.POST.get("print") == "large"
    if set_large_print(case=visit.case, large=large, now=visit.now):
        messages.success(request, ASKED if large else TAKEN_BACK)
    return redirect("portal:documents")


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response

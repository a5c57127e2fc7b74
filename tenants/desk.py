"""The desk of returned envelopes, for keyboard alone: scan the code, one key for the motive, next."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from campaigns.staff import for_operators, operator_of
from tenants import carriers
from tenants.models import Message, ReturnedEnvelope
from tenants.undelivered import EFFECTS, Motive, UnableToRecord, record_return, undo_return

RECENT = 8
BY = {Message.Channel.EMAIL: "par e-mail", Message.Channel.SMS: "par SMS"}


@for_operators
@require_safe
def returned(request: HttpRequest) -> HttpResponse:
    """The next envelope: its code, then its motive and what follows from each."""
    code = request.GET.get("code", "").strip()
    context: dict[str, Any] = {"code": code, "motives": list(enumerate(EFFECTS.items(), start=1))}
    if code:
        try:
            found = carriers.letter_of(code)
        except carriers.UnknownLetter as error:
            context["error"] = str(error)
        else:
            context |= {"letter": found.message, "source": found.source, "already": _standing(found.message)}
    mine = ReturnedEnvelope.objects.filter(recorded_by=operator_of(request)).select_related("case", "message")
    context["recent"] = [
        (envelope, EFFECTS[Motive(envelope.motive)]) for envelope in mine.order_by("-recorded_at", "-pk")[:RECENT]
    ]
    context["undoable"] = next((each.pk for each, _ in context["recent"] if each.undone_at is None), None)
    context["today"] = mine.filter(recorded_at__date=timezone.localdate(), undone_at=None).count()
    return TemplateResponse(request, "keying/returned.html", context | {"here": "returned"})


def _standing(message: Message) -> str:
    """The motive already noted for that letter, '' when it has not come back."""
    envelope = ReturnedEnvelope.objects.filter(message=message, undone_at=None).first()
    return EFFECTS[Motive(envelope.motive)].label if envelope else ""


@for_operators
@require_POST
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """Note the motive of one letter, say what follows, and go on to the next envelope."""
    letter = get_object_or_404(Message.objects.select_related("case"), pk=pk, channel=Message.Channel.LETTER)
    source = request.POST.get("source", "")
    try:
        done = record_return(
            case=letter.case,
            reason=request.POST.get("motive", ""),
            now=timezone.now(),
            actor=operator_of(request),
            message=letter,
            source=source if source in ReturnedEnvelope.Source.values else ReturnedEnvelope.Source.HAND,
        )
    except UnableToRecord as error:
        messages.error(request, str(error))
        return redirect("messages:returned")
    copied = f" Le foyer est aussi prévenu {BY[Message.Channel(done.copied_by)]}." if done.copied_by else ""
    messages.success(request, f"Dossier {letter.case.reference} : {done.effect.label}. {done.effect.to_do}{copied}")
    return redirect("messages:returned")


@for_operators
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own note back."""
    operator = operator_of(request)
    envelopes = ReturnedEnvelope.objects.select_related("case")
    mine = envelopes if operator.may_manage else envelopes.filter(recorded_by=operator)
    envelope = get_object_or_404(mine, pk=pk)
    try:
        undo_return(envelope=envelope, now=timezone.now(), actor=operator)
    except UnableToRecord as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Dossier {envelope.case.reference} : le retour est annulé, rien n'a changé.")
    return redirect("messages:returned")

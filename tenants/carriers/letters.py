"""Which letter a code names: an envelope's own bar code, a page code of its form, or a case reference keyed by hand."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from campaigns.paper_form import envelope_code, page_code
from tenants.models import Message, Purpose, ReturnedEnvelope, SurveyCase


class UnknownLetter(Exception):
    """No letter of ours bears that code; the message says what to do."""


@dataclass(frozen=True, slots=True)
class FoundLetter:
    """The letter, and how its code was read (`ReturnedEnvelope.Source`)."""

    message: Message
    source: str


def letter_of(text: str) -> FoundLetter:
    """The letter named by a code as scanned or typed. Raises UnknownLetter.

    An envelope's code names one letter; a page code names the form of its case; a bare reference the last letter that
    left.
    """
    code = "".join(text.split()).upper().replace("_", "-")
    if not code:
        raise UnknownLetter("Scannez le code du pli, ou tapez le numéro de dossier.")
    if code.startswith("E1"):
        return FoundLetter(_by_envelope(code), ReturnedEnvelope.Source.SCAN)
    if code.startswith("F1"):
        return FoundLetter(_by_page(code), ReturnedEnvelope.Source.SCAN)
    return FoundLetter(_by_reference(code), ReturnedEnvelope.Source.HAND)


def _by_envelope(code: str) -> Message:
    try:
        read = envelope_code.parse(code)
    except envelope_code.UnreadableEnvelopeCode as error:
        raise UnknownLetter(f"{error} Scannez-le de nouveau, ou tapez le numéro de dossier.") from error
    found = _letters(read.case).filter(batch__number=read.batch).first()
    if found is None:
        raise UnknownLetter(f"Le pli {read} n'est pas l'un des nôtres, ou n'est pas encore parti.")
    return found


def _by_page(code: str) -> Message:
    try:
        read = page_code.parse(code)
    except page_code.UnreadablePageCode as error:
        raise UnknownLetter(f"{error} Scannez-le de nouveau, ou tapez le numéro de dossier.") from error
    letters = _letters(read.case)
    purpose = Purpose.COMPLEMENT if read.is_return_sheet else Purpose.FORM
    found = letters.filter(purpose=purpose).first()
    if found is None:
        raise UnknownLetter(f"Aucun envoi de ce genre n'est parti pour le dossier {read.case}.")
    return found


def _by_reference(reference: str) -> Message:
    if not SurveyCase.objects.filter(reference=reference).exists():
        raise UnknownLetter(f"Le dossier « {reference[:20]} » n'existe pas. Il compte 8 caractères.")
    found = _letters(reference).first()
    if found is None:
        raise UnknownLetter(f"Aucun courrier n'est encore parti pour le dossier {reference}.")
    return found


def _letters(reference: str) -> QuerySet[Message]:
    """The letters of a case that left, the newest first."""
    letters: QuerySet[Message] = Message.objects.filter(
        case__reference=reference, channel=Message.Channel.LETTER, sent_at__isnull=False
    ).exclude(state=Message.State.CANCELLED)
    return letters.select_related("case__campaign__landlord", "case__household", "batch").order_by("-sent_at", "-pk")

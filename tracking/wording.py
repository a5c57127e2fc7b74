"""How the tracking says things: days, moments, numbers, rates, and a case's history. No database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.utils import timezone
from django.utils.formats import date_format

from campaigns.models import User
from tenants import undelivered
from tenants.case_states import MOVES, Move, State
from tenants.models import CaseEvent, Message, Purpose, SurveyCase

NARROW = "\u202f"
NO_BREAK = "\u00a0"
UNKNOWN = "—"

# How the badge of a state looks: the word says it all, the colour only helps.
BADGES: Mapping[State, str] = MappingProxyType(
    {
        State.COMPLETE: "success",
        State.RESTITUTED: "success",
        State.RECEIVED: "info",
        State.INCOMPLETE: "warning",
        State.UNDELIVERED: "warning",
        State.NON_RESPONDENT: "danger",
    }
)

# What a case's history tells beside the moves of its state.
EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "import": "Fichier du bailleur importé",
        "message_sent": "Envoi parti",
        "message_delivered": "Envoi distribué",
        "message_failed": "Envoi en échec",
        "message_bounced": "Envoi non distribué",
        "message_uncertain": "Envoi au sort inconnu",
        "message_cancelled": "Envoi annulé",
        "email_refused": "E-mail non envoyé",
        "undelivered": "Pli revenu",
        "received_again": "Nouvelle réponse reçue",
        "received_out_of_scope": "Réponse reçue d’un ménage hors enquête",
        "transcribed": "Formulaire lu",
        "handwritten_note": "Mention manuscrite sur le formulaire",
        "page_attached": "Feuille du formulaire rapprochée",
        "page_set_aside": "Feuille écartée",
        "document_attached": "Pièce rapprochée",
        "document_qualified": "Pièce identifiée",
        "complement_requested": "Compléments demandés",
        "forbidden_data_erased": "Donnée interdite effacée",
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the history, as the timeline component wants it."""

    at: dt.datetime
    title: str
    text: str
    actor: str
    strong: bool


def number(value: int) -> str:
    """1 204, with a narrow space that never breaks."""
    return f"{value:,}".replace(",", NARROW)


def rate(share: float | None) -> str:
    """62,4 %; a dash when there is nothing to divide by."""
    return UNKNOWN if share is None else f"{share * 100:.1f}".replace(".", ",") + f"{NO_BREAK}%"


def in_full(day: dt.date) -> str:
    """Mardi 3 mars 2026, without the capital; of a moment, its day in Paris."""
    if isinstance(day, dt.datetime):
        day = timezone.localtime(day).date()
    number_of_day = "1er" if day.day == 1 else str(day.day)
    return f"{date_format(day, 'l')} {number_of_day} {date_format(day, 'F Y')}"


def moment(at: dt.datetime) -> str:
    """Mardi 3 mars 2026 à 14 h 05, without the capital, in Paris."""
    local = timezone.localtime(at)
    return f"{in_full(at)} à {local.hour}{NO_BREAK}h{NO_BREAK}{local.minute:02d}"


def capital(words: str) -> str:
    """The same words with a first capital; the others are left as they are (SMS)."""
    return words[:1].upper() + words[1:]


def plural(count: int, one: str, many: str) -> str:
    """« 1 dossier », « 3 dossiers »; zero is singular in French."""
    return f"{number(count)}{NO_BREAK}{one if count < 2 else many}"


def told(event: CaseEvent) -> Told:
    """An event in French, with who did it."""
    move = MOVES.get(Move(event.kind)) if event.kind in set(Move) else None
    title = move.label if move else EVENTS.get(event.kind, "Note au dossier")
    return Told(event.occurred_at, title, _detail(event), name_of(event.actor), move is not None)


def name_of(user: User | None) -> str:
    """How a person of the house is named; '' when nobody acted."""
    return (user.get_full_name() or user.get_username()) if user else ""


def _detail(event: CaseEvent) -> str:
    """What the event's data adds, in words; never a personal value."""
    data, words = event.data, []
    if data.get("purpose") in Purpose.values:
        words.append(Purpose(data["purpose"]).label)
    if data.get("channel") in Message.Channel.values:
        words.append(Message.Channel(data["channel"]).label)
    elif data.get("channel") in SurveyCase.Channel.values:
        words.append(SurveyCase.Channel(data["channel"]).label)
    if data.get("receipt"):
        words.append(f"reçu n°{NO_BREAK}{data['receipt']}")
    if isinstance(data.get("missing"), int):
        words.append(plural(data["missing"], "élément manque", "éléments manquent"))
    if data.get("reason") in set(undelivered.Motive):
        words.append(undelivered.EFFECTS[undelivered.Motive(data["reason"])].label)
    if data.get("corrected"):
        words.append("données corrigées")
    if data.get("comment"):
        words.append(str(data["comment"]))
    return ", ".join(words)

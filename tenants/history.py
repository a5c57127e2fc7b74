"""A case's history in French: what each of its events says, and who acted. No database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from campaigns.models import User
from tenants import undelivered
from tenants.case_states import MOVES, Move
from tenants.legal_dates import CAUSES, Cause
from tenants.models import CaseEvent, Message, Purpose, SurveyCase

NO_BREAK = "\u00a0"
# What a case's history tells beside the moves of its state.
EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "import": "Fichier du bailleur importé",
        "address": "Adresse corrigée",
        "address_kept": "Adresse gardée telle quelle",
        "renumbered": "Nouvelle référence du locataire donnée par le bailleur, dossier gardé",
        "left_after_answer": "Ménage absent du fichier du bailleur, réponse gardée",
        "message_sent": "Envoi parti",
        "reprint_asked": "Nouvelle impression demandée",
        "message_delivered": "Envoi distribué",
        "message_failed": "Envoi en échec",
        "message_bounced": "Envoi non distribué",
        "message_uncertain": "Envoi au sort inconnu",
        "message_cancelled": "Envoi annulé",
        "email_refused": "E-mail non envoyé",
        "message_queued": "Envoi remis en attente",
        "contact_mark": "Droit de contact noté",
        "contact_mark_lifted": "Droit de contact levé",
        "large_print": "Courriers en gros caractères demandés",
        "ordinary_print": "Retour aux courriers ordinaires",
        "undelivered": "Pli revenu",
        "undelivered_undone": "Retour de pli annulé",
        "registered_deposited": "Recommandé déposé",
        "registered_presented": "Recommandé présenté au domicile",
        "registered_signed": "Avis de réception signé",
        "registered_refused": "Recommandé refusé",
        "registered_unclaimed": "Recommandé non réclamé",
        "constat": "Absence de réponse constatée",
        "clock_suspended": "Délais légaux suspendus",
        "clock_resumed": "Délais légaux repris",
        "constat_sealed": "Constat scellé",
        "posted": "Pli déposé à La Poste",
        "received_again": "Nouvelle réponse reçue",
        "received_out_of_scope": "Réponse reçue d’un ménage hors enquête",
        "transcribed": "Formulaire lu",
        "reading_corrected": "Une lecture corrigée après contrôle",
        "handwritten_note": "Mention manuscrite sur le formulaire",
        "answer_unread": "Réponse illisible : la valeur connue du bailleur est gardée",
        "sheets_missing": "Feuilles du formulaire absentes du lot numérisé",
        "page_attached": "Feuille du formulaire rapprochée",
        "page_set_aside": "Feuille écartée",
        "document_attached": "Pièce rapprochée",
        "document_qualified": "Pièce identifiée",
        "document_read": "Pièce envoyée en ligne lue",
        "document_unreadable": "Pièce envoyée en ligne illisible",
        "complement_requested": "Compléments demandés",
        "complement_reminded": "Compléments rappelés",
        "complement_partly_received": "Une partie des compléments est arrivée",
        "forbidden_data_erased": "Donnée interdite effacée",
        "rule_decided": "Règle examinée par nos services",
        "scope_reviewed": "Périmètre revu",
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
        missing = data["missing"]
        words.append(f"{missing}{NO_BREAK}{'élément manque' if missing < 2 else 'éléments manquent'}")
    words += _reasons(data)
    if data.get("scope") in SurveyCase.Scope.values:
        words.append(f"périmètre : {SurveyCase.Scope(data['scope']).label}")
    if data.get("corrected"):
        words.append("données corrigées")
    if data.get("comment"):
        words.append(str(data["comment"]))
    return ", ".join(words)


def _reasons(data: Mapping[str, Any]) -> list[str]:
    """Why an envelope came back, why the clocks stand still, how a legal date was counted."""
    words = []
    if data.get("reason") in set(undelivered.Motive):
        words.append(undelivered.EFFECTS[undelivered.Motive(data["reason"])].label)
    if data.get("cause") in set(Cause):
        words.append(CAUSES[Cause(data["cause"])])
    if data.get("explained"):
        words.append(" ".join(data["explained"].get("steps", ())))
    return words

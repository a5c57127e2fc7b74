"""The states of a survey case and the moves allowed between them: the only place where they are written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a case stands. The values are stored."""

    PREPARED = "prepared"
    SENT = "sent"
    RECEIVED = "received"
    INCOMPLETE = "incomplete"
    COMPLETE = "complete"
    RESTITUTED = "restituted"
    UNDELIVERED = "undelivered"
    OUT_OF_SCOPE = "out_of_scope"
    NON_RESPONDENT = "non_respondent"


LABELS: dict[State, str] = {
    State.PREPARED: "à envoyer",
    State.SENT: "sans réponse",
    State.RECEIVED: "en traitement",
    State.INCOMPLETE: "incomplet",
    State.COMPLETE: "complet",
    State.RESTITUTED: "restitué",
    State.UNDELIVERED: "pli non distribué",
    State.OUT_OF_SCOPE: "hors enquête",
    State.NON_RESPONDENT: "non-répondant",
}
CHOICES = [(state.value, label) for state, label in LABELS.items()]

# The landlord's three counters, each state in exactly one, out-of-scope cases in none (a test holds it).
PROCESSED = frozenset({State.COMPLETE, State.RESTITUTED})
IN_PROGRESS = frozenset({State.RECEIVED, State.INCOMPLETE})
NOT_RECEIVED = frozenset({State.PREPARED, State.SENT, State.UNDELIVERED, State.NON_RESPONDENT})

# Those who have not answered: the only ones a reminder may ever reach.
SILENT = frozenset({State.SENT, State.UNDELIVERED})
# Those who were written to and never answered: what a constat lists.
UNANSWERED = SILENT | {State.NON_RESPONDENT}


@dataclass(frozen=True, slots=True)
class Transition:
    """A move: the states it may start from, the one it leads to, and what the timeline says."""

    sources: frozenset[State]
    target: State
    label: str


class Move(StrEnum):
    """The names of the moves."""

    SEND = "send"
    EXEMPT = "exempt"
    INCLUDE = "include"
    LEAVE = "leave"
    COME_BACK = "come_back"
    RECEIVE = "receive"
    ASK_COMPLEMENT = "ask_complement"
    COMPLETE = "complete"
    RESTITUTE = "restitute"
    RETURN_TO_SENDER = "return_to_sender"
    RESEND = "resend"
    TAKE_RETURN_BACK = "take_return_back"
    GIVE_UP = "give_up"
    REOPEN = "reopen"


MOVES: dict[Move, Transition] = {
    Move.SEND: Transition(frozenset({State.PREPARED}), State.SENT, "Formulaire envoyé"),
    Move.EXEMPT: Transition(
        frozenset({State.PREPARED, State.SENT, State.UNDELIVERED, State.NON_RESPONDENT}),
        State.OUT_OF_SCOPE,
        "Dossier hors enquête",
    ),
    Move.INCLUDE: Transition(frozenset({State.OUT_OF_SCOPE}), State.PREPARED, "Dossier remis dans l'enquête"),
    Move.LEAVE: Transition(
        frozenset({State.PREPARED, State.SENT, State.UNDELIVERED, State.NON_RESPONDENT}),
        State.OUT_OF_SCOPE,
        "Ménage parti, absent du fichier du bailleur",
    ),
    Move.COME_BACK: Transition(
        frozenset({State.OUT_OF_SCOPE}), State.SENT, "Ménage revenu dans le fichier du bailleur"
    ),
    Move.RECEIVE: Transition(
        frozenset({State.SENT, State.UNDELIVERED, State.NON_RESPONDENT, State.INCOMPLETE, State.RECEIVED}),
        State.RECEIVED,
        "Réponse reçue",
    ),
    Move.ASK_COMPLEMENT: Transition(
        frozenset({State.RECEIVED, State.INCOMPLETE}), State.INCOMPLETE, "Dossier incomplet"
    ),
    Move.COMPLETE: Transition(frozenset({State.RECEIVED, State.INCOMPLETE}), State.COMPLETE, "Dossier complet"),
    Move.RESTITUTE: Transition(frozenset({State.COMPLETE}), State.RESTITUTED, "Dossier restitué"),
    Move.RETURN_TO_SENDER: Transition(frozenset({State.SENT}), State.UNDELIVERED, "Pli non distribué"),
    Move.RESEND: Transition(frozenset({State.UNDELIVERED}), State.SENT, "Formulaire renvoyé"),
    Move.TAKE_RETURN_BACK: Transition(frozenset({State.UNDELIVERED}), State.SENT, "Retour de pli annulé"),
    Move.GIVE_UP: Transition(
        frozenset({State.SENT, State.UNDELIVERED}), State.NON_RESPONDENT, "Sans réponse après mise en demeure"
    ),
    Move.REOPEN: Transition(
        frozenset({State.RESTITUTED, State.COMPLETE}), State.RECEIVED, "Réponse nouvelle après traitement"
    ),
}


class MoveRefused(Exception):
    """The table does not allow the move from the state the case is in."""


def target_of(move: Move, state: State) -> State:
    """Where `move` leads from `state`. Raises MoveRefused."""
    transition = MOVES[move]
    if state not in transition.sources:
        raise MoveRefused(f"« {transition.label} » n'est pas possible pour un dossier « {LABELS[state]} ».")
    return transition.target

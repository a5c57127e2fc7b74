"""The death of a tenant who had not answered: everything stops at once, and the dossier is put aside."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from campaigns.models import User
from tenants.case_states import UNANSWERED, Move, State
from tenants.models import Message, SurveyCase

TOLD = "Le décès du locataire a été signalé."


class UnableToRecordDeath(Exception):
    """The dossier can't be put aside for a death; the message says what to do."""


def record_death(*, case: SurveyCase, now: dt.datetime, actor: User | None = None) -> None:
    """Put the dossier of a deceased tenant aside: nothing more leaves, nothing is owed for a silence.

    What waits is cancelled; a letter already composed is taken out at the hand-over; a dossier already told to the
    landlord as non-respondent is told again, out of the survey, by the next delivery. Raises UnableToRecordDeath.
    """
    with transaction.atomic():
        current = SurveyCase.objects.select_for_update(of=("self",)).get(pk=case.pk)
        state = State(current.state)
        if state is State.OUT_OF_SCOPE:
            raise UnableToRecordDeath("Ce dossier est déjà hors enquête.")
        if state not in UNANSWERED | {State.PREPARED}:
            told = "Le ménage a répondu : corrigez sa déclaration (personne partie, motif décès)."
            raise UnableToRecordDeath(told)
        current.move(Move.EXEMPT, now=now, actor=actor, data={"cause": "death", "comment": TOLD})
        waiting = Message.objects.filter(case=current, state=Message.State.QUEUED)
        for message in waiting.order_by("pk"):
            Message.objects.filter(pk=message.pk).update(state=Message.State.CANCELLED, explanation=TOLD)
            data = {"message": message.pk, "channel": message.channel, "purpose": message.purpose}
            current.tell("message_cancelled", now=now, actor=actor, data=data)
    case.refresh_from_db()

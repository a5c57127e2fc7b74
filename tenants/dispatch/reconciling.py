"""What the print house says of each envelope of a batch, held against what it was given.

A spoiled or missing envelope is printed again by itself, when its letter is still due; the batch is whole once every
envelope has been told of.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count

from campaigns.models import User
from tenants.dispatch.reprints import LOST, UnableToReprint, ask_reprint
from tenants.models import Message, PrintBatch, Purpose, SurveyCase

Production = Message.Production
WORDS = {
    Production.SPOILED: "Pli gâché chez l'imprimeur.",
    Production.MISSING: "Pli manquant chez l'imprimeur.",
}


class UnableToReconcile(Exception):
    """What the print house says cannot be that of this envelope; the message says why."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The envelopes of a batch by what the print house says; `pulled` were withdrawn before they left."""

    produced: int
    spoiled: int
    missing: int
    untold: int
    pulled: int

    @property
    def given(self) -> int:
        """Envelopes that the print house received."""
        return self.produced + self.spoiled + self.missing + self.untold

    @property
    def whole(self) -> bool:
        """Whether every envelope has been told of."""
        return self.given > 0 and not self.untold


def reconcile(batch: PrintBatch) -> Reconciliation:
    """Where the batch stands."""
    letters = Message.objects.filter(batch=batch)
    pulled = letters.filter(state=Message.State.CANCELLED, production="").count()
    rest = letters.exclude(state=Message.State.CANCELLED, production="")
    counts = dict(rest.order_by().values_list("production").annotate(Count("pk")))
    told = {state: counts.get(state.value, 0) for state in Production if state.value}
    return Reconciliation(
        produced=told[Production.PRODUCED],
        spoiled=told[Production.SPOILED],
        missing=told[Production.MISSING],
        untold=counts.get("", 0),
        pulled=pulled,
    )


def record_outcome(*, message: Message, outcome: str, now: dt.datetime, actor: User | None = None) -> bool:
    """Write down what became of an envelope; False when it was known. Raises UnableToReconcile.

    A spoiled or missing one has told nobody anything: its letter has failed, the delays that it started are undone, and
    it is printed again when it is still due.
    """
    if outcome not in Production.values:
        raise UnableToReconcile(f"« {outcome} » n'est pas un sort connu.")
    with transaction.atomic():
        letter = (
            Message.objects.select_for_update(of=("self",)).select_related("case__campaign", "batch").get(pk=message.pk)
        )
        if letter.batch is None or letter.batch.state != PrintBatch.State.HANDED_OVER:
            raise UnableToReconcile("Ce pli n'a pas été remis à l'imprimeur.")
        if letter.production == outcome:
            return False
        if letter.production:
            raise UnableToReconcile(f"Ce pli est déjà « {letter.get_production_display()} » : la ligne le contredit.")
        if letter.state == Message.State.CANCELLED:
            raise UnableToReconcile("Ce pli a été retiré : il ne devait plus partir.")
        letter.production = outcome
        letter.save(update_fields=["production"])
        if outcome in LOST:
            _undo(letter, now, actor)
    message.production = outcome
    return True


def _undo(letter: Message, now: dt.datetime, actor: User | None) -> None:
    words = WORDS[Production(letter.production)]
    Message.objects.filter(pk=letter.pk).update(state=Message.State.FAILED, explanation=words)
    if letter.purpose == Purpose.FORMAL_NOTICE:
        SurveyCase.objects.filter(pk=letter.case_id).update(formal_notice_at=None)
    told = {"message": letter.pk, "purpose": letter.purpose, "wave": letter.wave}
    letter.case.tell(f"envelope_{letter.production}", now=now, actor=actor, data=told)
    try:
        ask_reprint(message=letter, now=now, actor=actor)
    except UnableToReprint as error:
        Message.objects.filter(pk=letter.pk).update(explanation=f"{words} {error}"[:300])

"""The life of a recommandé, event by event, and what each changes for the legal clock.

The clock of a formal notice starts at the first presentation (`presented_at`, read by `legal_dates`): a letter signed,
refused or unclaimed has been presented; one that never reached the address starts nothing and is undone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.db import IntegrityError, transaction

from campaigns.models import User
from tenants.models import CarrierFile, Message, RegisteredEvent, RegisteredLetter, ReturnedEnvelope
from tenants.undelivered import Motive, UnableToRecord, record_return

State = RegisteredLetter.State
# What the newest event makes of the letter: further events never bring it back.
RANKS = MappingProxyType({State.WAITING: 0, State.DEPOSITED: 1, State.PRESENTED: 2})
LAST = 3  # signed, refused, unclaimed, unknown, access: the end
PRESENTED = frozenset({State.PRESENTED, State.SIGNED, State.REFUSED, State.UNCLAIMED})
MOTIVES: Mapping[str, Motive] = MappingProxyType(
    {
        State.REFUSED: Motive.REFUSED,
        State.UNCLAIMED: Motive.UNCLAIMED,
        State.UNKNOWN: Motive.UNKNOWN,
        State.ACCESS: Motive.ACCESS,
    }
)


class UnableToFollow(Exception):
    """The event cannot be that of this letter; the message says why."""


def record_event(
    *,
    letter: RegisteredLetter,
    kind: str,
    occurred_at: dt.datetime,
    now: dt.datetime,
    number: str = "",
    source: CarrierFile | None = None,
    actor: User | None = None,
) -> bool:
    """Write down what the carrier says of a letter. False when it was known. Raises UnableToFollow.

    Events may come in any order: the first presentation is the earliest told, the end is the first told.
    """
    _check(letter, kind, occurred_at, now, number)
    with transaction.atomic():
        current = RegisteredLetter.objects.select_for_update(of=("self",)).get(pk=letter.pk)
        try:
            with transaction.atomic():
                RegisteredEvent.objects.create(
                    letter=current, kind=kind, occurred_at=occurred_at, recorded_at=now, source=source
                )
        except IntegrityError:
            return False
        ended = _rank(current.state) == LAST
        if ended and _rank(kind) == LAST and current.state != kind:
            raise UnableToFollow(f"Ce recommandé est déjà « {current.get_state_display()} » : la ligne le contredit.")
        _stamp(current, State(kind), occurred_at, number)
        told = {"message": current.message_id, "number": current.number, "on": occurred_at.date().isoformat()}
        current.message.case.tell(f"registered_{kind}", now=now, actor=actor, data=told)
        _apply(current, kind, now, actor)
    letter.refresh_from_db()
    return True


def _rank(state: str) -> int:
    return RANKS.get(State(state), LAST)


def _check(letter: RegisteredLetter, kind: str, occurred_at: dt.datetime, now: dt.datetime, number: str) -> None:
    if kind not in set(State) - {State.WAITING}:
        raise UnableToFollow(f"L'événement « {kind} » n'est pas l'un de ceux d'un recommandé.")
    if occurred_at > now:
        raise UnableToFollow("Un événement ne peut pas être dans l'avenir.")
    if letter.message.sent_at is None:
        raise UnableToFollow("Ce recommandé n'est pas encore remis : aucun événement n'est possible.")
    if occurred_at.date() < letter.message.sent_at.date():
        raise UnableToFollow("Cet événement précède la remise du recommandé.")
    if number and letter.number and number != letter.number:
        raise UnableToFollow(f"Ce pli porte déjà le numéro de recommandé {letter.number}.")


def _stamp(letter: RegisteredLetter, kind: RegisteredLetter.State, at: dt.datetime, number: str) -> None:
    fields: dict[str, Any] = {"number": letter.number or number}
    if kind == State.DEPOSITED:
        fields["deposited_at"] = min(letter.deposited_at or at, at)
    if kind in PRESENTED:
        fields["presented_at"] = min(letter.presented_at or at, at)
    if _rank(kind) == LAST:
        fields["closed_at"] = letter.closed_at or at
    if _rank(kind) > _rank(letter.state):
        fields["state"] = kind
    for name, value in fields.items():
        setattr(letter, name, value)
    letter.save(update_fields=list(fields))
    if letter.presented_at is not None:
        proof = letter.message.proof | {"presented_on": letter.presented_at.date().isoformat()}
        Message.objects.filter(pk=letter.message_id).update(proof=proof)


def _apply(letter: RegisteredLetter, kind: str, now: dt.datetime, actor: User | None) -> None:
    """Signed: it arrived. Come back: with the effect of its motive."""
    message = Message.objects.get(pk=letter.message_id)
    if kind == State.SIGNED:
        Message.objects.filter(pk=message.pk, state=Message.State.SENT).update(state=Message.State.DELIVERED)
    motive = MOTIVES.get(kind)
    if motive is None:
        return
    if ReturnedEnvelope.objects.filter(message=message, undone_at=None).exists():
        return  # its envelope was scanned at the desk before the carrier's file said so
    try:
        record_return(
            case=message.case,
            reason=motive,
            now=now,
            actor=actor,
            message=message,
            source=ReturnedEnvelope.Source.FILE,
        )
    except UnableToRecord as error:
        raise UnableToFollow(str(error)) from error

"""An answer arrives, by whatever channel: the case moves, its codes die, a receipt is given. Once per submission."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from campaigns.models import User
from returns.complements import open_request
from returns.late_answers import queue_late_answer
from returns.models import SurveyReturn
from tenants import access_codes
from tenants.case_states import Move, State
from tenants.models import SurveyCase

REOPENED = frozenset({State.COMPLETE, State.RESTITUTED})


class SubmissionRefused(ValueError):
    """The submission key already belongs to another case."""


def already_received(*, case: SurveyCase, submission: str) -> SurveyReturn | None:
    """The return made earlier from that submission, if any. Raises SubmissionRefused when it is another case's."""
    found = SurveyReturn.objects.filter(submission=submission).first()
    if found is not None and found.case_id != case.pk:
        raise SubmissionRefused("Cet envoi a déjà été enregistré pour un autre dossier.")
    return found


def arrive(
    *,
    case: SurveyCase,
    channel: str,
    submission: str,
    now: dt.datetime,
    actor: User | None = None,
    request: int = 0,
) -> SurveyReturn:
    """Record that an answer of the case arrived, inside the caller's transaction; the same submission gives one return.

    It answers the complement request of number `request` (read on a return sheet), else the one that is open, if any.
    A finished case is opened again. A case left out of the survey keeps its state: its answer is kept and told.
    """
    with transaction.atomic():
        case = SurveyCase.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=case.pk)
        earlier = already_received(case=case, submission=submission)
        if earlier is not None:
            return earlier
        asked = case.complements.filter(number=request).first() if request else None
        asked = asked or open_request(case)
        number = SurveyReturn.objects.filter(case=case).count() + 1
        receipt = f"{case.campaign.year % 100:02d}-{case.reference}-{number}"
        _move(case, now=now, actor=actor, data={"channel": channel, "receipt": receipt})
        _stamp(case, channel=channel, now=now)
        access_codes.revoke_all(case=case, now=now)
        made = SurveyReturn.objects.create(
            case=case,
            channel=channel,
            received_at=now,
            receipt=receipt,
            submission=submission,
            taken_by=actor,
            complement=asked,
        )
        queue_late_answer(made=made, now=now)
        return made


def _move(case: SurveyCase, *, now: dt.datetime, actor: User | None, data: dict[str, Any]) -> None:
    state = State(case.state)
    if state is State.OUT_OF_SCOPE:
        case.tell("received_out_of_scope", now=now, actor=actor, data=data)
        return
    if state is State.RECEIVED:
        case.tell("received_again", now=now, actor=actor, data=data)
        return
    if state is State.PREPARED:  # the form reached the household by a way that nobody recorded
        case.move(Move.SEND, now=now, actor=actor, data={"inferred": True})
    case.move(Move.REOPEN if state in REOPENED else Move.RECEIVE, now=now, actor=actor, data=data)


def _stamp(case: SurveyCase, *, channel: str, now: dt.datetime) -> None:
    """The channel of the first answer, and whether this one came after the campaign's closing."""
    case.channel = case.channel or channel
    case.late = case.late or timezone.localdate(now) > case.campaign.closes_on
    if case.received_at is None:
        case.received_at = now
    case.save(update_fields=["channel", "late", "received_at"])

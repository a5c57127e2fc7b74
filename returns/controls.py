"""Fields keyed again to measure: a share of what the machine kept alone, filled or empty, and fields whose answer is
known.

Neither holds a dossier back. Which fields are drawn depends on their number alone, so that doing it again changes
nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q

from campaigns.models import Campaign, User
from returns import sampling
from returns.models import AcceptanceLot, FieldReading, KeyingEntry, KeyingTask, SurveyReturn

Purpose = KeyingTask.Purpose
State = KeyingTask.State
CONTROL = "contrôle de qualité"
_NAMES = {True: "control", False: "blank"}


def draw_controls(
    *, campaign: Campaign, survey_return: SurveyReturn, kept: Iterable[FieldReading], now: dt.datetime
) -> int:
    """Have a share of what the machine kept alone keyed blind, filled fields and empty ones; returns how many."""
    shares = {True: sampling.parameters()["controls"]["share"], False: sampling.blank_share(*missed_answers(campaign))}
    drawn = [each for each in kept if sampling.is_drawn(f"{_NAMES[each.inked]} {each.pk}", shares[each.inked])]
    made = [control_of(each, survey_return, campaign, held=each.value, now=now) for each in drawn]
    KeyingTask.objects.bulk_create(made)
    return len(made)


def missed_answers(campaign: Campaign) -> tuple[int, int]:
    """How many of the zones judged empty bore an answer, and how many were looked at blind."""
    looked = KeyingTask.objects.filter(campaign=campaign, purpose=Purpose.CONTROL, machine_right__isnull=False)
    told = looked.filter(reading__accepted=True, reading__inked=False).aggregate(
        missed=Count("pk", filter=Q(machine_right=False)), checked=Count("pk")
    )
    return told["missed"], told["checked"]


def control_of(
    reading: FieldReading,
    survey_return: SurveyReturn,
    campaign: Campaign,
    *,
    held: Any,
    now: dt.datetime,
    lot: AcceptanceLot | None = None,
) -> KeyingTask:
    """The field to key again, not saved; `held` is the value that was kept."""
    return KeyingTask(
        campaign=campaign,
        survey_return=survey_return,
        reading=reading,
        purpose=Purpose.CONTROL,
        lot=lot,
        held=held,
        field=reading.field,
        row=reading.row,
        reason=CONTROL,
        created_at=now,
    )


def known_answer_before(
    candidate: KeyingTask, *, operator: User, after: KeyingTask | None, now: dt.datetime
) -> KeyingTask | None:
    """A field whose answer is known, claimed for the operator in place of the candidate; None most of the time.

    Only between two dossiers, never two in a row, and never a sheet that the operator has already keyed.
    """
    if candidate.state not in {State.OPEN, State.CLAIMED} or not sampling.is_drawn(
        f"seed {operator.pk} {candidate.pk}", sampling.parameters()["seeds"]["share"]
    ):
        return None
    before = after or _last_keyed(operator)
    if before is None or before.purpose == Purpose.SEED or before.survey_return_id == candidate.survey_return_id:
        return None
    source = _agreed(candidate, operator)
    if source is None:
        return None
    return KeyingTask.objects.create(
        campaign_id=source.campaign_id,
        survey_return_id=source.survey_return_id,
        reading_id=source.reading_id,
        purpose=Purpose.SEED,
        held=_answer(source),
        field=source.field,
        row=source.row,
        reason=source.reason,
        entries_needed=source.entries_needed,
        state=State.CLAIMED,
        claimed_by=operator,
        claimed_at=now,
        created_at=now,
    )


def _last_keyed(operator: User) -> KeyingTask | None:
    last = KeyingEntry.objects.filter(operator=operator).select_related("task").order_by("-entered_at", "-pk").first()
    return last.task if last else None


def _agreed(candidate: KeyingTask, operator: User) -> KeyingTask | None:
    """A field of the same question on which two people agreed, of the same campaign, that the operator never saw."""
    agreed = KeyingTask.objects.filter(
        campaign=candidate.campaign_id, purpose=Purpose.DOUBT, state=State.DONE, field=candidate.field
    ).exclude(reading__tasks__entries__operator=operator)
    same = Count("entries", filter=Q(entries__right=True, entries__value__isnull=False))
    return agreed.annotate(same=same).filter(same__gte=2).order_by("?").first()


def _answer(task: KeyingTask) -> Any:
    return task.entries.filter(right=True).order_by("pk").values_list("value", flat=True)[0]

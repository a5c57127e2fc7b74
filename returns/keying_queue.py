"""Which field an operator gets next. Two operators never hold the same one; an abandoned one comes back after `LEASE`.

A task is claimed by compare-and-swap. Dossier by dossier, or one field at a time over many dossiers; a case manager
first gets what is to be settled. Now and then, between two dossiers, the field is one whose answer is known.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery

from campaigns.models import Campaign, User
from returns import controls
from returns.models import KeyingEntry, KeyingTask

State = KeyingTask.State
Purpose = KeyingTask.Purpose
LEASE = dt.timedelta(minutes=5)
TRIES = 20  # claims lost to faster colleagues before giving up


class UnableToClaim(Exception):
    """Somebody else has the field; the message says so, in French."""


def next_task(
    *,
    operator: User,
    now: dt.datetime,
    campaign: Campaign | None = None,
    field: str = "",
    after: KeyingTask | None = None,
) -> KeyingTask | None:
    """The operator's task in hand, else a fresh one, claimed; None when nothing is left for this operator.

    `field`: only that question, over every dossier. `after`: the task on the screen now, whose follower is prepared.
    """
    in_hand = _in_hand(operator=operator, now=now, campaign=campaign, field=field, after=after)
    if in_hand is not None:
        return in_hand
    for _ in range(TRIES):
        candidate = _candidate(operator=operator, now=now, campaign=campaign, field=field)
        if candidate is None:
            return None
        known = controls.known_answer_before(candidate, operator=operator, after=after, now=now)
        if known is not None:
            return known
        if _claim(candidate, operator=operator, now=now):
            return candidate
    return None


def take(*, task: KeyingTask, operator: User, now: dt.datetime) -> KeyingTask:
    """Claim that very task, for a supervisor who chose it. Raises UnableToClaim."""
    mine = task.state == State.CLAIMED and task.claimed_by_id == operator.pk
    free = task.state in {State.REFERRED, State.ARBITRATION} or _lapsed(task, now)
    if not mine and not (free and _claim(task, operator=operator, now=now)):
        raise UnableToClaim("Quelqu'un d'autre a pris ce champ : choisissez-en un autre.")
    return task


def is_to_settle(task: KeyingTask) -> bool:
    """Whether a case manager decides the field: it was referred, or its independent entries disagree."""
    return is_referred(task) or task.entries.filter(arbitration=False).count() >= task.entries_needed


def is_referred(task: KeyingTask) -> bool:
    """Whether an operator's question on it waits for an answer."""
    return bool(task.note) and not task.reply


def _in_hand(
    *, operator: User, now: dt.datetime, campaign: Campaign | None, field: str, after: KeyingTask | None
) -> KeyingTask | None:
    claimed = KeyingTask.objects.filter(state=State.CLAIMED, claimed_by=operator, claimed_at__gt=now - LEASE)
    held = _narrowed(claimed, campaign, field)
    if after is not None:
        held = held.exclude(pk=after.pk)
    return held.order_by("claimed_at", "pk").first()


def _narrowed(tasks: QuerySet[KeyingTask], campaign: Campaign | None, field: str) -> QuerySet[KeyingTask]:
    if campaign is not None:
        tasks = tasks.filter(campaign=campaign)
    return tasks.filter(field=field) if field else tasks


def _candidate(*, operator: User, now: dt.datetime, campaign: Campaign | None, field: str) -> KeyingTask | None:
    """What the operator may take first: for a case manager what is to be settled, then abandoned and fresh fields."""
    tasks = _narrowed(KeyingTask.objects.exclude(purpose=Purpose.SEED), campaign, field)
    # One within the other: a plan that starts from all of the operator's entries would do so for every field it skips.
    keyed_it = KeyingEntry.objects.filter(task=OuterRef("pk"), operator=operator)
    seen = Exists(KeyingTask.objects.filter(Exists(keyed_it), reading=OuterRef("reading")))
    # Most of what the operator has seen is told by the task itself: only what is left is looked for among the entries.
    queues = [tasks.exclude(first_by=operator).filter(~seen, state=State.OPEN)]
    lapsed = tasks.filter(state=State.CLAIMED, claimed_at__lte=now - LEASE)
    if lapsed.exists():  # seldom: what follows counts entries
        keyed: Any = Count("entries", filter=Q(entries__arbitration=False))
        settling = Q(keyed__gte=F("entries_needed")) | (~Q(note="") & Q(reply=""))
        queues.insert(0, lapsed.annotate(keyed=keyed).exclude(settling).filter(~seen))
        if operator.may_manage:
            queues.insert(0, lapsed.annotate(keyed=keyed).filter(settling))
    if operator.may_manage:
        queues.insert(0, tasks.filter(state__in=[State.ARBITRATION, State.REFERRED]))
    for queue in queues:
        found = KeyingTask.objects.filter(pk=Subquery(queue.order_by("pk").values("pk")[:1])).first()
        if found is not None:
            return found
    return None


def _lapsed(task: KeyingTask, now: dt.datetime) -> bool:
    return task.state == State.CLAIMED and (task.claimed_at is None or task.claimed_at <= now - LEASE)


def _claim(task: KeyingTask, *, operator: User, now: dt.datetime) -> bool:
    same = KeyingTask.objects.filter(pk=task.pk, state=task.state, claimed_at=task.claimed_at)
    if same.update(state=State.CLAIMED, claimed_by=operator, claimed_at=now) != 1:
        return False
    task.state, task.claimed_by, task.claimed_at = State.CLAIMED.value, operator, now
    return True

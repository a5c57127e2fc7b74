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
    campaign: Campaign | int | None = None,
    field: str = "",
    after: KeyingTask | None = None,
    read: QuerySet[KeyingTask] | None = None,
) -> KeyingTask | None:
    """The operator's task in hand, else a fresh one, claimed; None when nothing is left for this operator.

    `field`: only that question, over every dossier. `after`: the task on the screen now, whose follower is prepared.
    `read`: what is read together with the task, for whoever shows it.
    """
    read = KeyingTask.objects.all() if read is None else read
    tasks = _narrowed(campaign, field)
    held, abandoned = _claimed(tasks, operator=operator, now=now)
    in_hand = next((pk for pk in held if after is None or pk != after.pk), None)
    if in_hand is not None:
        return read.get(pk=in_hand)
    queues = _queues(tasks.exclude(purpose=Purpose.SEED), operator=operator, now=now, abandoned=abandoned)
    for _ in range(TRIES):
        candidate = _first_of(queues, read)
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
    return is_referred(task) or len(task.independent_entries()) >= task.entries_needed


def is_referred(task: KeyingTask) -> bool:
    """Whether an operator's question on it waits for an answer."""
    return bool(task.note) and not task.reply


def _narrowed(campaign: Campaign | int | None, field: str) -> QuerySet[KeyingTask]:
    tasks = KeyingTask.objects.filter(campaign=campaign) if campaign is not None else KeyingTask.objects.all()
    return tasks.filter(field=field) if field else tasks


def _claimed(tasks: QuerySet[KeyingTask], *, operator: User, now: dt.datetime) -> tuple[list[int], bool]:
    """The tasks that the operator holds, longest held first, and whether somebody has abandoned one."""
    oldest = now - LEASE
    claimed = tasks.filter(Q(claimed_by=operator.pk) | Q(claimed_at__lte=oldest), state=State.CLAIMED)
    told = list(claimed.order_by("claimed_at", "pk").values_list("pk", "claimed_at", "purpose"))
    held = [pk for pk, since, _ in told if since is not None and since > oldest]
    return held, any(since <= oldest and purpose != Purpose.SEED for _, since, purpose in told if since is not None)


def _queues(
    tasks: QuerySet[KeyingTask], *, operator: User, now: dt.datetime, abandoned: bool
) -> list[QuerySet[KeyingTask]]:
    """What the operator may take: for a case manager first what is to be settled, then abandoned and fresh fields."""
    # One within the other: a plan that starts from all of the operator's entries would do so for every field it skips.
    keyed_it = KeyingEntry.objects.filter(task=OuterRef("pk"), operator=operator.pk)
    seen = Exists(KeyingTask.objects.filter(Exists(keyed_it), reading=OuterRef("reading")))
    # Most of what the operator has seen is told by the task itself: only what is left is looked for among the entries.
    queues = [tasks.exclude(first_by=operator.pk).filter(~seen, state=State.OPEN)]
    if abandoned:  # seldom: what follows counts entries
        lapsed = tasks.filter(state=State.CLAIMED, claimed_at__lte=now - LEASE)
        keyed: Any = Count("entries", filter=Q(entries__arbitration=False))
        settling = Q(keyed__gte=F("entries_needed")) | (~Q(note="") & Q(reply=""))
        queues.insert(0, lapsed.annotate(keyed=keyed).exclude(settling).filter(~seen))
        if operator.may_manage:
            queues.insert(0, lapsed.annotate(keyed=keyed).filter(settling))
    if operator.may_manage:
        queues.insert(0, tasks.filter(state__in=[State.ARBITRATION, State.REFERRED]))
    return queues


def _first_of(queues: list[QuerySet[KeyingTask]], read: QuerySet[KeyingTask]) -> KeyingTask | None:
    """The first field of the first queue that has one."""
    for queue in queues:
        found = list(read.filter(pk=Subquery(queue.order_by("pk").values("pk")[:1])))
        if found:
            return found[0]
    return None


def _lapsed(task: KeyingTask, now: dt.datetime) -> bool:
    return task.state == State.CLAIMED and (task.claimed_at is None or task.claimed_at <= now - LEASE)


def _claim(task: KeyingTask, *, operator: User, now: dt.datetime) -> bool:
    same = KeyingTask.objects.filter(pk=task.pk, state=task.state, claimed_at=task.claimed_at)
    if same.update(state=State.CLAIMED, claimed_by=operator.pk, claimed_at=now) != 1:
        return False
    task.state, task.claimed_by, task.claimed_at = State.CLAIMED.value, operator, now
    return True

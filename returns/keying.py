"""Vidéo-codage: the next field to key, what an operator typed, double keying and arbitration.

Two operators never hold the same task: a task is claimed by compare-and-swap, and comes back after `LEASE`.
A sensitive field is done when two independent readings agree: two operators, or one operator and the machine.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q

from campaigns.models import Campaign, User
from campaigns.questionnaire.schema import Field
from campaigns.questionnaire.values import parse_text
from returns import transcription
from returns.answers import questionnaire_of
from returns.models import Declaration, KeyingEntry, KeyingTask, SurveyReturn
from returns.models.declarations import Source

State = KeyingTask.State
LEASE = dt.timedelta(minutes=5)
TRIES = 20  # claims lost to faster colleagues before giving up


class UnableToKey(Exception):
    """The entry can't be taken; the message says why, in French."""


def next_task(*, operator: User, now: dt.datetime, campaign: Campaign | None = None) -> KeyingTask | None:
    """The operator's task in hand, else a fresh one, claimed; None when nothing is left for this operator.

    Dossier by dossier, so that the operator keeps the household in mind. A case manager first gets what is to be
    arbitrated or was referred.
    """
    held = KeyingTask.objects.filter(state=State.CLAIMED, claimed_by=operator, claimed_at__gt=now - LEASE)
    if campaign is not None:
        held = held.filter(campaign=campaign)
    in_hand = held.order_by("-claimed_at", "-pk").first()  # an entry just taken back comes before the field after it
    if in_hand is not None:
        return in_hand
    for _ in range(TRIES):
        candidate = _candidate(operator=operator, now=now, campaign=campaign)
        if candidate is None:
            return None
        if _claim(candidate, operator=operator, now=now):
            candidate.refresh_from_db()
            return candidate
    return None


def _candidate(*, operator: User, now: dt.datetime, campaign: Campaign | None) -> KeyingTask | None:
    """What the operator may take first: for a case manager what is to be settled, then abandoned and fresh fields."""
    tasks = KeyingTask.objects.filter(campaign=campaign) if campaign is not None else KeyingTask.objects.all()
    mine = Exists(KeyingEntry.objects.filter(task=OuterRef("pk"), operator=operator))
    queues = [tasks.filter(~mine, state=State.OPEN)]
    lapsed = tasks.filter(state=State.CLAIMED, claimed_at__lte=now - LEASE)
    if lapsed.exists():  # seldom: what follows counts entries
        keyed = Count("entries", filter=Q(entries__arbitration=False))
        settling = Q(keyed__gte=F("entries_needed")) | ~Q(note="")
        queues.insert(0, lapsed.annotate(keyed=keyed).exclude(settling).filter(~mine))
        if operator.may_manage:
            queues.insert(0, lapsed.annotate(keyed=keyed).filter(settling))
    if operator.may_manage:
        queues.insert(0, tasks.filter(state__in=[State.ARBITRATION, State.REFERRED]))
    return next((found for queue in queues if (found := queue.order_by("pk").first()) is not None), None)


def is_to_settle(task: KeyingTask) -> bool:
    """Whether a case manager decides the field: it was referred, or its independent entries disagree."""
    return bool(task.note) or task.entries.filter(arbitration=False).count() >= task.entries_needed


def _claim(task: KeyingTask, *, operator: User, now: dt.datetime) -> bool:
    same = KeyingTask.objects.filter(pk=task.pk, state=task.state, claimed_at=task.claimed_at)
    return same.update(state=State.CLAIMED, claimed_by=operator, claimed_at=now) == 1


def answer(
    *,
    task: KeyingTask,
    operator: User,
    text: str,
    now: dt.datetime,
    illegible: bool = False,
    milliseconds: int = 0,
) -> KeyingTask:
    """Take what the operator typed ('' for a blank field) and settle the task if enough is known.

    Raises UnableToKey when the task is no longer the operator's, FieldValueError when the text is no such value.
    """
    field = field_of(task)
    value = None if illegible or not text.strip() else parse_text(field, text, now.date())
    with transaction.atomic():
        tasks = KeyingTask.objects.select_related("reading", "survey_return__case__campaign")
        locked = tasks.select_for_update(of=("self",)).get(pk=task.pk)
        if locked.state != State.CLAIMED or locked.claimed_by_id != operator.pk:
            raise UnableToKey("Ce champ a été repris par quelqu'un d'autre. Passez au suivant.")
        earlier = list(locked.entries.filter(arbitration=False))
        arbitrating = bool(locked.note) or len(earlier) >= locked.entries_needed
        KeyingEntry.objects.create(
            task=locked,
            operator=operator,
            value=value,
            illegible=illegible,
            arbitration=arbitrating,
            entered_at=now,
            milliseconds=milliseconds,
        )
        known = [(entry.value, entry.illegible) for entry in earlier]
        _settle(locked, known=known, told=(value, illegible), final=arbitrating, now=now)
        if locked.state == State.DONE:
            _finish(locked, now=now)
    return locked


def _settle(
    task: KeyingTask,
    *,
    known: list[tuple[Any, bool]],
    told: tuple[Any, bool],
    final: bool,
    now: dt.datetime,
) -> None:
    machine = (task.reading.value, False) if task.reading.value is not None else None
    agreed = final or task.entries_needed <= 1 or told in known or told == machine
    if agreed:
        _record(task, value=told[0], now=now)
        task.state, task.done_at = State.DONE, now
    elif len(known) + 1 < task.entries_needed:
        task.state, task.claimed_by, task.claimed_at = State.OPEN, None, None
    else:
        task.state, task.claimed_by, task.claimed_at = State.ARBITRATION, None, None
    task.save(update_fields=["state", "done_at", "claimed_by", "claimed_at"])


def _record(task: KeyingTask, *, value: Any, now: dt.datetime) -> None:
    declaration = Declaration.objects.select_for_update().get(case=task.survey_return.case_id)
    if value is None:
        declaration.answers.get(task.field, {}).pop(str(task.row), None)
    else:
        declaration.record(task.field, task.row, value, source=Source.KEYING)
    declaration.updated_at = now
    declaration.version += 1
    declaration.save(update_fields=["answers", "updated_at", "version"])


def _finish(task: KeyingTask, *, now: dt.datetime) -> None:
    left = KeyingTask.objects.filter(survey_return=task.survey_return).exclude(state=State.DONE)
    if not left.exists():
        transcription.finish(survey_return=task.survey_return, now=now)


def refer(*, task: KeyingTask, operator: User, note: str, now: dt.datetime) -> None:
    """Hand the field to a supervisor, with a note that says what is odd. Raises UnableToKey."""
    if not note.strip():
        raise UnableToKey("Dites en quelques mots au superviseur ce qui pose question.")
    mine = KeyingTask.objects.filter(pk=task.pk, state=State.CLAIMED, claimed_by=operator)
    if mine.update(state=State.REFERRED, note=note.strip()[:300], claimed_by=None, claimed_at=None) != 1:
        raise UnableToKey("Ce champ a été repris par quelqu'un d'autre. Passez au suivant.")


def undo(*, operator: User, now: dt.datetime) -> KeyingTask:
    """Take the operator's last entry back, as long as its return is not finished; the task is the operator's again.

    Raises UnableToKey when there is none, its dossier is closed, or a colleague has taken the field up since.
    """
    with transaction.atomic():
        entry = KeyingEntry.objects.filter(operator=operator).order_by("-entered_at", "-pk").first()
        if entry is None:
            raise UnableToKey("Il n'y a rien à annuler : vous n'avez encore rien saisi.")
        task = KeyingTask.objects.select_for_update(of=("self",)).select_related("survey_return").get(pk=entry.task_id)
        if task.survey_return.state != SurveyReturn.State.OPEN:
            raise UnableToKey("Il n'y a rien à annuler : le dernier dossier est déjà clos.")
        elsewhere = task.state == State.REFERRED or (task.state == State.CLAIMED and task.claimed_by_id != operator.pk)
        if elsewhere or task.entries.filter(pk__gt=entry.pk).exists():
            raise UnableToKey("Un collègue a repris ce champ à son tour : demandez au superviseur.")
        if task.state == State.DONE:
            _record(task, value=None, now=now)
        entry.delete()
        task.state, task.claimed_by, task.claimed_at, task.done_at = State.CLAIMED, operator, now, None
        task.save(update_fields=["state", "claimed_by", "claimed_at", "done_at"])
    return task


def field_of(task: KeyingTask) -> Field:
    """The question that the task asks."""
    declarations = Declaration.objects.select_related("revision").defer("revision__definition")
    return questionnaire_of(declarations.get(case__returns=task.survey_return_id).revision).find(task.field)

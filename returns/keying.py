"""Vidéo-codage: what an operator typed, double keying and arbitration, the supervisor, undo.

A field keyed twice is done when two independent readings agree: two operators, or one operator and the machine. Besides
those that the questionnaire says are sensitive, a share of the others is keyed twice, as the operator's own errors
call for. What an independent look tells of an entry is written on it: operators' figures rest on that.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q

from campaigns.models import Campaign, User
from campaigns.questionnaire.schema import Field, FieldType
from campaigns.questionnaire.values import parse_text
from returns import sampling, transcription
from returns.answers import questionnaire_numbered
from returns.completeness import settle
from returns.keying_queue import is_referred
from returns.models import Declaration, KeyingEntry, KeyingTask, SurveyReturn
from returns.models.declarations import DIRECT, Source
from returns.reading.names import says_the_same

State = KeyingTask.State
Purpose = KeyingTask.Purpose
RECALL = dt.timedelta(seconds=30)  # how long a dossier rests after its last field, so that the entry can be taken back
MARKED = frozenset({FieldType.TICK, FieldType.SIGNATURE})
GONE = "Ce champ a été repris par quelqu'un d'autre. Passez au suivant."
_SETTLED_WITH = (
    *(each.name for each in KeyingTask._meta.concrete_fields),
    "reading__value",
    "reading__inked",
    "campaign__double_keying",
    "survey_return__case",
)
Told = tuple[Any, bool]  # the value, and whether it can't be read


class UnableToKey(Exception):
    """The entry can't be taken; the message says why, in French."""


def answer(
    *,
    task: KeyingTask,
    operator: User,
    text: str,
    now: dt.datetime,
    illegible: bool = False,
    milliseconds: int = 0,
    field: Field | None = None,
) -> KeyingTask:
    """Take what the operator typed ('' for a blank field) and settle the task if enough is known.

    `field` is the question that the task asks, for whoever has it already.
    Raises UnableToKey when the task is no longer the operator's, FieldValueError when the text is no such value.
    """
    field = field_of(task) if field is None else field
    value = None if illegible or not text.strip() else parse_text(field, text, now.date())
    if task.purpose == Purpose.CONTROL and task.held is None and value is False and field.type in MARKED:
        value = None  # a box without a tick is an empty one
    with transaction.atomic():
        locked = _locked(task.pk)
        if locked.state != State.CLAIMED or locked.claimed_by_id != operator.pk:
            raise UnableToKey(GONE)
        others = locked.independent_entries()
        arbitrating = is_referred(locked) or len(others) >= locked.entries_needed
        entry = KeyingEntry.objects.create(
            task=locked,
            operator_id=operator.pk,
            value=value,
            illegible=illegible,
            arbitration=arbitrating,
            entered_at=now,
            milliseconds=milliseconds,
        )
        if not arbitrating and not others:
            locked.first_by_id = operator.pk
        if not arbitrating and _wants_a_second_look(locked, operator):
            locked.entries_needed = 2
        _settle(locked, entry, others, now=now)
    return locked


def _locked(pk: int) -> KeyingTask:
    """The task, for one writer at a time."""
    tasks = KeyingTask.objects.select_related("reading", "campaign", "survey_return").only(*_SETTLED_WITH)
    return tasks.select_for_update(of=("self",)).get(pk=pk)


def _wants_a_second_look(task: KeyingTask, operator: User) -> bool:
    """Whether a field that one entry would do for is in the sample that this operator's errors call for."""
    if task.purpose != Purpose.DOUBT or task.entries_needed > 1 or not task.campaign.double_keying:
        return False
    errors, checked = record_of(operator)
    return sampling.is_drawn(f"double {task.pk}", sampling.double_share(errors, checked))


def record_of(operator: User) -> tuple[int, int]:
    """How many of the operator's last entries that somebody else looked at were wrong, and how many were looked at."""
    looked = KeyingEntry.objects.filter(operator=operator, right__isnull=False).order_by("-pk")
    verdicts = list(looked.values_list("right", flat=True)[: sampling.parameters()["operators"]["window"]])
    return verdicts.count(False), len(verdicts)


def _settle(task: KeyingTask, entry: KeyingEntry, others: list[KeyingEntry], *, now: dt.datetime) -> None:
    """What follows from an entry, beside the independent ones before it."""
    told = (entry.value, entry.illegible)
    agreed = _is_agreed(task, told, [(each.value, each.illegible) for each in others])
    if agreed and not entry.arbitration and _household_said_otherwise(task, entry.value):
        task.state, task.claimed_by, task.claimed_at = State.ARBITRATION, None, None
        task.entries_needed = len(others) + 1
    elif entry.arbitration or agreed:
        _judge(task, entry, others)
        task.state, task.done_at = State.DONE, now
        _keep(task, told, now=now)
    elif len(others) + 1 < task.entries_needed:
        task.state, task.claimed_by, task.claimed_at = State.OPEN, None, None
    else:
        task.state, task.claimed_by, task.claimed_at = State.ARBITRATION, None, None
    task.save(
        update_fields=[
            "state",
            "done_at",
            "claimed_by",
            "claimed_at",
            "entries_needed",
            "first_by",
            "machine_right",
            "conforming",
        ]
    )


def _household_said_otherwise(task: KeyingTask, value: Any) -> bool:
    """Whether a sheet, now that it is keyed, contradicts what the household told on line, by telephone or to us."""
    if task.purpose != Purpose.DOUBT or value is None:
        return False
    before = direct_answer(task)
    return before is not None and not says_the_same(before["value"], value)


def direct_answer(task: KeyingTask) -> dict[str, Any] | None:
    """What the household itself told at the field's place, with its `source`; None when only sheets speak of it."""
    answers = Declaration.objects.filter(case=task.survey_return.case_id).values_list("answers", flat=True).get()
    found: dict[str, Any] | None = answers.get(task.field, {}).get(str(task.row))
    return found if found is not None and found["source"] in DIRECT else None


def _is_agreed(task: KeyingTask, told: Told, others: list[Told]) -> bool:
    """Whether nobody else need look."""
    if task.purpose == Purpose.SEED:
        return True
    if task.purpose == Purpose.CONTROL:
        return told == (task.held, False)
    seen_too = not told[1] and says_the_same(task.reading.value, told[0])
    return task.entries_needed <= 1 or told in others or seen_too


def _judge(task: KeyingTask, entry: KeyingEntry, others: list[KeyingEntry]) -> None:
    """Write on each entry, and on the reading, whether what was settled agrees with it."""
    told = (entry.value, entry.illegible)
    looked_at = bool(others) or task.entries_needed > 1 or task.purpose == Purpose.CONTROL
    truth = (task.held, False) if task.purpose == Purpose.SEED else told
    for each in [*others, *([] if entry.arbitration else [entry])]:
        agrees = (each.value, each.illegible) == truth
        known = agrees or not each.illegible
        each.right = agrees if known and (looked_at or task.purpose == Purpose.SEED) else None
    KeyingEntry.objects.bulk_update([*others, entry], ["right"])
    if task.purpose == Purpose.SEED:
        return
    judged_empty = task.purpose == Purpose.CONTROL and not task.reading.inked
    if judged_empty and not entry.illegible:
        task.machine_right = entry.value is None
    elif task.reading.value is not None and not entry.illegible:
        task.machine_right = says_the_same(task.reading.value, entry.value)
    if task.purpose == Purpose.CONTROL:
        task.conforming = told == (task.held, False) if not entry.illegible else None


def _keep(task: KeyingTask, told: Told, *, now: dt.datetime) -> None:
    """Declare what was settled. A control changes the declaration when the value kept was wrong, and says so."""
    if task.purpose == Purpose.DOUBT:
        _record(task, value=told[0], now=now)
    elif task.purpose == Purpose.CONTROL and task.conforming is False:
        _record(task, value=told[0], now=now)
        case = task.survey_return.case
        case.tell("reading_corrected", now=now, data={"field": task.field, "row": task.row})
        settle(case=case, now=now)


def _record(task: KeyingTask, *, value: Any, now: dt.datetime) -> None:
    declaration = Declaration.objects.select_for_update().get(case=task.survey_return.case_id)
    found = declaration.answers.get(task.field, {}).get(str(task.row))
    if found is not None and found["source"] in DIRECT and (value is None or found["value"] == value):
        return  # an empty or illegible field takes nothing back of what the household told; the same adds nothing
    if value is None:
        declaration.take_back(task.field, task.row)
    else:
        declaration.record(task.field, task.row, value, source=Source.KEYING)
    _save(declaration, now=now)


def _unrecord(task: KeyingTask, *, now: dt.datetime) -> None:
    """Take back what was keyed: what it took the place of holds again."""
    declaration = Declaration.objects.select_for_update().get(case=task.survey_return.case_id)
    found = declaration.answers.get(task.field, {}).get(str(task.row))
    if found is not None and found["source"] == Source.KEYING:
        declaration.undo(task.field, task.row)
        _save(declaration, now=now)


def _save(declaration: Declaration, *, now: dt.datetime) -> None:
    declaration.updated_at = now
    declaration.version += 1
    declaration.save(update_fields=["answers", "replaced", "updated_at", "version"])


def close_keyed(*, now: dt.datetime, campaign: Campaign | None = None, rest: dt.timedelta = RECALL) -> int:
    """Finish the returns whose last field was keyed at least `rest` ago; returns how many. Safe to repeat."""
    tasks = KeyingTask.objects.filter(survey_return=OuterRef("pk"), purpose=Purpose.DOUBT)
    keyed = SurveyReturn.objects.filter(Exists(tasks), ~Exists(tasks.holding()), state=SurveyReturn.State.OPEN)
    if campaign is not None:
        keyed = keyed.filter(case__campaign=campaign)
    last = Max("keying__done_at", filter=Q(keying__purpose=Purpose.DOUBT))
    rested = list(keyed.annotate(last=last).filter(last__lte=now - rest).select_related("case").order_by("pk"))
    for survey_return in rested:
        transcription.finish(survey_return=survey_return, now=now)
    return len(rested)


def refer(*, task: KeyingTask, operator: User, note: str, now: dt.datetime) -> None:
    """Hand the field to a supervisor, with a note that says what is odd. Raises UnableToKey."""
    if not note.strip():
        raise UnableToKey("Dites en quelques mots au superviseur ce qui pose question.")
    mine = KeyingTask.objects.filter(pk=task.pk, state=State.CLAIMED, claimed_by=operator)
    if mine.update(state=State.REFERRED, note=note.strip()[:300], reply="", claimed_by=None, claimed_at=None) != 1:
        raise UnableToKey(GONE)


def give_back(*, task: KeyingTask, supervisor: User, reply: str, now: dt.datetime) -> None:
    """Answer an operator's question and put the field back in the queue, for anyone to key. Raises UnableToKey."""
    if not reply.strip():
        raise UnableToKey("Dites aux opérateurs comment lire ce champ avant de le leur rendre.")
    with transaction.atomic():
        locked = _locked(task.pk)
        free = locked.state == State.REFERRED or (
            locked.state == State.CLAIMED and locked.claimed_by_id == supervisor.pk
        )
        if not free or not is_referred(locked):
            raise UnableToKey(GONE)
        locked.state, locked.reply = State.OPEN, reply.strip()[:300]
        locked.claimed_by = locked.claimed_at = None
        locked.save(update_fields=["state", "reply", "claimed_by", "claimed_at"])


def undo(*, operator: User, now: dt.datetime) -> KeyingTask:
    """Take the operator's last entry back, as long as its return is not finished; the task is the operator's again.

    Raises UnableToKey when there is none, its dossier is closed, or a colleague has taken the field up since.
    """
    with transaction.atomic():
        entry = KeyingEntry.objects.filter(operator=operator).order_by("-entered_at", "-pk").first()
        if entry is None:
            raise UnableToKey("Il n'y a rien à annuler : vous n'avez encore rien saisi.")
        returns = SurveyReturn.objects.select_for_update(of=("self",))
        closed = returns.get(keying=entry.task_id).state != SurveyReturn.State.OPEN
        task = _locked(entry.task_id)
        corrected = task.purpose == Purpose.CONTROL and entry.arbitration
        if corrected or (closed and task.purpose == Purpose.DOUBT):
            raise UnableToKey("Il n'y a rien à annuler : le dernier dossier est déjà clos.")
        elsewhere = task.state == State.REFERRED or (task.state == State.CLAIMED and task.claimed_by_id != operator.pk)
        if elsewhere or task.entries.filter(pk__gt=entry.pk).exists():
            raise UnableToKey("Un collègue a repris ce champ à son tour : demandez au superviseur.")
        if task.state == State.DONE and task.purpose == Purpose.DOUBT:
            _unrecord(task, now=now)
        entry.delete()
        task.entries.update(right=None)
        _hand_again(task, operator, now=now)
    return task


def _hand_again(task: KeyingTask, operator: User, *, now: dt.datetime) -> None:
    """Make the field the operator's again, before any other that is prepared."""
    held = KeyingTask.objects.filter(state=State.CLAIMED, claimed_by=operator).order_by("claimed_at").first()
    first = held.claimed_at - dt.timedelta(seconds=1) if held is not None and held.claimed_at else now
    task.state, task.claimed_by, task.claimed_at, task.done_at = State.CLAIMED, operator, min(first, now), None
    task.machine_right = task.conforming = None
    entered = task.entries.filter(arbitration=False).order_by("pk").first()
    task.first_by_id = entered.operator_id if entered is not None else None
    told = ["state", "claimed_by", "claimed_at", "done_at", "first_by", "machine_right", "conforming"]
    task.save(update_fields=told)


def field_of(task: KeyingTask) -> Field:
    """The question that the task asks."""
    declaration = Declaration.objects.filter(case__returns=task.survey_return_id)
    return questionnaire_numbered(*declaration.values_list("revision", "revision__fingerprint").get()).find(task.field)

"""Made-up keying operators: they type what the tenant wrote, and err as often as people do."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from campaigns.models import Campaign, User
from campaigns.questionnaire.schema import Field, FieldType
from campaigns.questionnaire.values import show
from returns import keying
from returns.keying_queue import next_task
from returns.models import KeyingTask, RehearsedTenant
from returns.rehearsal.meaning import Meaning

# Errors per field of a single keying: 0.37 in 1,000 (Paulsen 2012, PLoS ONE 7(4):e35087, table 2).
ERROR_RATE = 0.00037
DIGIT_TYPES = {FieldType.DIGITS, FieldType.MONEY, FieldType.INTEGER, FieldType.DATE}


def key_everything(
    *, campaign: Campaign, operators: Sequence[User], supervisor: User, now: dt.datetime, seed: str
) -> int:
    """Key every open task, operator after operator, then arbitrate. Returns the number of entries made."""
    waiting = KeyingTask.objects.filter(campaign=campaign).exclude(state=KeyingTask.State.DONE)
    if not waiting.exists():
        return 0
    chance = random.Random(seed)
    entries = 0
    for person in (*operators, *operators, supervisor):
        meanings = Meanings()
        while (task := next_task(operator=person, now=now, campaign=campaign)) is not None:
            text = _typed(task, meanings.of(task), chance)
            keying.answer(task=task, operator=person, text=text, now=now, milliseconds=1800)
            entries += 1
    keying.close_keyed(now=now, campaign=campaign, rest=dt.timedelta())
    return entries


class Meanings:
    """What the tenant of the dossier in hand means: fields come dossier by dossier."""

    def __init__(self) -> None:
        self._case: int | None = None
        self._meaning = Meaning({})

    def of(self, task: KeyingTask) -> Meaning:
        """The meaning of the tenant whose sheet the task shows."""
        case = task.survey_return.case_id
        if case != self._case:
            self._case, self._meaning = case, Meaning(RehearsedTenant.objects.get(case=case).meaning)
        return self._meaning


def _typed(task: KeyingTask, meaning: Meaning, chance: random.Random) -> str:
    value = meaning.written(task.field, task.row)
    if value is None:
        return ""
    field = keying.field_of(task)
    text = show(field, value)
    return _slip(field, text, chance) if chance.random() < ERROR_RATE else text


def _slip(field: Field, text: str, chance: random.Random) -> str:
    """The same text with one digit replaced, in fields made of digits."""
    places = [place for place, symbol in enumerate(text) if symbol.isdigit()]
    if field.type not in DIGIT_TYPES or not places:
        return text
    place = chance.choice(places[-2:])
    return text[:place] + chance.choice("0123456789") + text[place + 1 :]

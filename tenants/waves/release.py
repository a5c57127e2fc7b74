"""Letting a wave go: each household is decided upon again, then its message stored; the carriers do the rest.

Run again, it takes up where it stopped: a message is unique for a case, a channel and a wave. What a day cannot bear
waits for the next one.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from campaigns.law.texts import formal_notice_article
from campaigns.models import User
from campaigns.operations import OperationRefused, complete_milestone
from tenants import dispatch
from tenants.messaging import Text, UnableToQueue, draft, queue, queue_together, render
from tenants.models import Message, PostalService, Purpose, SurveyCase, Wave
from tenants.waves.capacity import Room
from tenants.waves.reasons import FULL_DAY, NO_CHANNEL, PASSING, TOLD, UNPRINTABLE
from tenants.waves.selection import Selector, Way, each_case, each_chunk

LEASE = dt.timedelta(minutes=30)
State = Wave.State


class UnableToRelease(Exception):
    """The wave is not armed, somebody else is letting it go, or nothing can be printed."""


@dataclass
class Tally:
    """What a wave did, or would do: the population, who is told by what channel, who is left out and why."""

    population: int = 0
    told: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    samples: dict[str, Text] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether nobody is left for another day."""
        return not PASSING & self.excluded.keys()


def release(*, wave: Wave, today: dt.date, now: dt.datetime, actor: User | None = None) -> Tally:
    """Queue what the wave may tell today; it is done when nobody is left for another day. Raises UnableToRelease."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    if not Wave.objects.filter(free, pk=wave.pk, state=State.ARMED).update(claimed_at=now):
        wave.refresh_from_db()
        if wave.state == State.ARMED:
            raise UnableToRelease("Cette vague est déjà en train de partir : attendez quelques minutes.")
        raise UnableToRelease(f"Cette vague est « {wave.get_state_display()} » : rien ne part.")
    try:
        tally = _forms(wave, today, now) if wave.purpose == Purpose.FORM else _messages(wave, today, now)
        if tally.finished:
            _finish(wave, now)
    finally:
        Wave.objects.filter(pk=wave.pk).update(claimed_at=None)
    wave.refresh_from_db()
    return tally


def _finish(wave: Wave, now: dt.datetime) -> None:
    Wave.objects.filter(pk=wave.pk, state=State.ARMED).update(state=State.DONE, finished_at=now)
    if wave.milestone:
        complete_milestone(campaign=wave.campaign, kind=wave.milestone, now=now)


def _messages(wave: Wave, today: dt.date, now: dt.datetime) -> Tally:
    tally, room = Tally(), Room.of(wave, today=today)
    selector = Selector(wave, today=today, now=now)
    for cases in each_chunk(wave):
        chosen = []
        for case in cases:
            tally.population += 1
            decided = selector.decide(case)
            if not isinstance(decided, Way):
                tally.excluded[decided] += 1
            elif not room.take(decided.channel):
                tally.excluded[FULL_DAY] += 1
            else:
                chosen.append((case, decided))
        _tell(selector, tally, chosen, now)
    return tally


def _tell(selector: Selector, tally: Tally, chosen: list[tuple[SurveyCase, Way]], now: dt.datetime) -> None:
    """Store the messages of some households: together, save those that travel by a service of their own."""
    drafts = []
    for case, way in chosen:
        if way.service == PostalService.SIMPLE:
            drafted = _drafted(selector, case, way, now)
            if drafted is None:
                tally.excluded[NO_CHANNEL] += 1
            else:
                drafts.append(drafted)
            continue
        outcome = tell(selector=selector, case=case, way=way, now=now)
        if isinstance(outcome, str):
            tally.excluded[outcome] += 1
        else:
            _count(tally, way.channel, outcome)
    stored = queue_together(drafts)
    for message in stored:
        _count(tally, message.channel, Text(message.subject, message.body))
    if len(stored) < len(drafts):
        tally.excluded[TOLD] += len(drafts) - len(stored)


def _count(tally: Tally, channel: str, text: Text) -> None:
    tally.told[channel] += 1
    tally.samples.setdefault(channel, text)


def _addressed(selector: Selector, case: SurveyCase, way: Way, text: Text) -> dict[str, Any]:
    """What every message of the wave is made of, drafted or queued."""
    return {
        "case": case,
        "channel": way.channel,
        "purpose": selector.wave.purpose,
        "wave": selector.history.code(case),
        "recipient": way.recipient,
        "subject": text.subject,
        "body": text.body,
    }


def _drafted(selector: Selector, case: SurveyCase, way: Way, now: dt.datetime) -> Message | None:
    """The message of one household, not stored yet; None when its address cannot be used."""
    wave = selector.wave
    text = words(wave=wave, case=case, channel=way.channel, on=selector.today)
    try:
        message = draft(**_addressed(selector, case, way, text), now=now)
    except UnableToQueue:
        return None
    message.sending_wave = wave
    return message


def tell(*, selector: Selector, case: SurveyCase, way: Way, now: dt.datetime) -> Text | str:
    """Store the message of one household; its words, or why it was not stored after all."""
    wave = selector.wave
    text = words(wave=wave, case=case, channel=way.channel, on=selector.today)
    try:
        message = queue(**_addressed(selector, case, way, text), now=now, sending_wave=wave, service=way.service)
    except UnableToQueue:
        return NO_CHANNEL
    return TOLD if message is None else text


def words(*, wave: Wave, case: SurveyCase, channel: str, on: dt.date) -> Text:
    """What that household is told by that channel on that day. Raises UnableToWrite."""
    more: dict[str, Any] = {}
    if wave.purpose == Purpose.FORMAL_NOTICE:
        article = formal_notice_article(on)
        more = {"article_title": article.title, "article_text": article.text}
    return render(case=case, channel=channel, purpose=wave.purpose, on=on, **more)


def _forms(wave: Wave, today: dt.date, now: dt.datetime) -> Tally:
    """The first sending: the forms of today's share are composed in print batches."""
    try:
        unprintable = dispatch.left_out(campaign=wave.campaign)
        tally, chosen = chosen_forms(wave, unprintable, today=today, now=now)
        dispatch.compose_forms(campaign=wave.campaign, now=now, only=chosen, sending_wave=wave)
    except (OperationRefused, dispatch.UnableToCompose) as error:
        raise UnableToRelease(str(error)) from error
    return tally


def chosen_forms(
    wave: Wave, unprintable: dict[str, str], *, today: dt.date, now: dt.datetime
) -> tuple[Tally, list[int]]:
    """Whose form is printed today, by case id, and why the others are not."""
    tally, room = Tally(), Room.of(wave, today=today)
    selector = Selector(wave, today=today, now=now)
    chosen = []
    for case in each_case(wave):
        tally.population += 1
        decided = UNPRINTABLE if case.reference in unprintable else selector.decide(case)
        if not isinstance(decided, Way):
            tally.excluded[decided] += 1
        elif not room.take(decided.channel):
            tally.excluded[FULL_DAY] += 1
        else:
            tally.told[decided.channel] += 1
            chosen.append(case.pk)
    return tally, chosen

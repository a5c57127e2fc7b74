"""When a channel fails, the next one of the plan: bounce → SMS → letter; a wrong number, a refusal, an envelope back.

What was lost is a row (`followed_at` is empty); this reads such rows, so nothing depends on having been there when the
carrier spoke.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import groupby

from django.db import transaction

from campaigns.models import Campaign
from tenants.models import Message, SurveyCase, Wave
from tenants.waves.capacity import Room
from tenants.waves.reasons import FULL_DAY, PASSING
from tenants.waves.release import tell
from tenants.waves.selection import LOST, Selector, Way, for_deciding

MOST_AT_ONCE = 500
GONE = "gone"


def follow_up(*, today: dt.date, now: dt.datetime, campaign: Campaign | None = None) -> Counter[str]:
    """Tell by another channel those whose message was lost: channel → how many, and reason → how many for the others.

    A household that answered meanwhile is left alone; one that can only be told another day is tried again then.
    """
    lost = Message.objects.filter(
        sending_wave__state__in=[Wave.State.ARMED, Wave.State.DONE],
        case__campaign__stage=Campaign.Stage.FIELD,
        state__in=LOST,
        followed_at=None,
    )
    if campaign is not None:
        lost = lost.filter(case__campaign=campaign)
    found = lost.select_related("sending_wave__campaign__landlord").order_by("sending_wave", "pk")[:MOST_AT_ONCE]
    outcomes: Counter[str] = Counter()
    for wave, messages in groupby(found, key=lambda message: message.sending_wave):
        assert wave is not None  # noqa: S101 - the query asks for it
        selector, room = Selector(wave, today=today, now=now), Room.of(wave, today=today)
        for message in messages:
            outcomes[_follow(message, selector, room, now)] += 1
    return outcomes


def _follow(message: Message, selector: Selector, room: Room, now: dt.datetime) -> str:
    """What was done about one lost message."""
    with transaction.atomic():
        SurveyCase.objects.select_for_update().get(pk=message.case_id)
        case = for_deciding(selector.wave).filter(pk=message.case_id).first()
        decided = selector.decide(case) if case is not None else GONE
        if case is not None and isinstance(decided, Way):
            if not room.take(decided.channel):
                return FULL_DAY
            told = tell(selector=selector, case=case, way=decided, now=now)
            decided = told if isinstance(told, str) else decided
        if decided in PASSING:
            return str(decided)
        Message.objects.filter(pk=message.pk).update(followed_at=now)
    return decided.channel if isinstance(decided, Way) else decided

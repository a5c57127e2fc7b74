"""How many households a day can bear: envelopes printed, forms that will be read, calls that will be taken.

A cap without a campaign is shared by all campaigns. What a wave will bring is told by its own percentages; a cap is
kept over what was already queued on the same day, by whatever wave.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from django.db.models import Count, Q
from django.utils import timezone

from tenants.models import DailyCapacity, Message, Wave

Resource = DailyCapacity.Resource
DAYS_AHEAD = 400  # a wave that takes longer is told as such


@dataclass(frozen=True, slots=True)
class Cap:
    """What is left of a resource today, and how much of it one household takes by each channel."""

    resource: str
    per_day: int
    left: Fraction
    by_letter: Fraction
    by_wire: Fraction

    def cost(self, channel: str) -> Fraction:
        """What telling one household by that channel takes."""
        return self.by_letter if channel == Message.Channel.LETTER else self.by_wire


class Room:
    """What a day still bears for a wave; `take` is asked before each household."""

    def __init__(self, caps: list[Cap]) -> None:
        self.caps = caps
        self._left = [cap.left for cap in caps]

    @classmethod
    def of(cls, wave: Wave, *, today: dt.date, empty: bool = False) -> Room:
        """The caps of that day, less what was already queued; `empty` for a day when nothing was."""
        if wave.campaign.rehearsal:
            return cls([])
        return cls([_cap(wave, row, today, empty=empty) for row in _in_force(wave, today)])

    def take(self, channel: str) -> bool:
        """Whether one more household fits; its place is taken."""
        after = [left - cap.cost(channel) for left, cap in zip(self._left, self.caps, strict=True)]
        if any(left < 0 for left in after):
            return False
        self._left = after
        return True

    def fit(self, channel: str, count: int) -> int:
        """How many of so many households fit, all at once; their places are taken."""
        bounds = [
            math.floor(left / cap.cost(channel))
            for left, cap in zip(self._left, self.caps, strict=True)
            if cap.cost(channel)
        ]
        taken = max(0, min([count, *bounds]))
        self._left = [left - taken * cap.cost(channel) for left, cap in zip(self._left, self.caps, strict=True)]
        return taken


def days_needed(wave: Wave, told: Mapping[str, int], *, today: dt.date) -> list[int]:
    """How many households are told on each day until all are, in the order of their channels; [] when none is."""
    waiting = [(channel, count) for channel, count in told.items() if count]
    days: list[int] = []
    while waiting and len(days) < DAYS_AHEAD:
        room = Room.of(wave, today=today, empty=bool(days))
        done, rest = 0, []
        for channel, count in waiting:
            taken = room.fit(channel, count)
            done += taken
            if taken < count:
                rest.append((channel, count - taken))
        if not done and days:
            break
        days.append(done)
        waiting = rest
    return days


def _in_force(wave: Wave, today: dt.date) -> list[DailyCapacity]:
    """The newest of each resource, the campaign's own and the shared one: both hold."""
    rows = DailyCapacity.objects.filter(Q(campaign=wave.campaign) | Q(campaign=None), since__lte=today)
    newest = {(row.resource, row.campaign_id): row for row in rows.order_by("since")}
    return list(newest.values())


def _cap(wave: Wave, row: DailyCapacity, today: dt.date, *, empty: bool) -> Cap:
    letter, wire = _weights(wave)[Resource(row.resource)]
    used = Fraction(0) if empty else _used(row, today)
    return Cap(row.resource, row.per_day, max(Fraction(0), row.per_day - used), letter, wire)


def _weights(wave: Wave) -> dict[Resource, tuple[Fraction, Fraction]]:
    """What one household told by letter, or by wire, takes of each resource."""
    paper, calls = Fraction(wave.paper_percent, 100), Fraction(wave.call_percent, 100)
    return {
        Resource.PRINTING: (Fraction(1), Fraction(0)),
        Resource.READING: (paper, paper),
        Resource.CALLS: (calls, calls),
    }


def _used(row: DailyCapacity, today: dt.date) -> Fraction:
    """What the messages queued on that day already take of the resource."""
    start = timezone.make_aware(dt.datetime.combine(today, dt.time.min))
    messages = Message.objects.filter(created_at__gte=start, created_at__lt=start + dt.timedelta(days=1))
    messages = messages.exclude(state=Message.State.CANCELLED).exclude(sending_wave=None)
    messages = messages.filter(case__campaign__rehearsal=False)
    if row.campaign_id is not None:
        messages = messages.filter(case__campaign=row.campaign_id)
    used = Fraction(0)
    for pk, letters, others in messages.values_list("sending_wave").annotate(
        letters=Count("pk", filter=Q(channel=Message.Channel.LETTER)),
        others=Count("pk", filter=~Q(channel=Message.Channel.LETTER)),
    ):
        letter, wire = _weights(Wave.objects.get(pk=pk))[Resource(row.resource)]
        used += letters * letter + others * wire
    return used

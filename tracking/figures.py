"""How far a campaign is, each figure defined once: dashboard, API, bilan and admin all read them here.

Read-only. Rates are shares of the surveyed cases, those out of scope left aside; `None` when there is nobody to survey.
What is behind the figures (pieces, reading, mail) is in `quality`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from campaigns.models import Campaign
from tenants import case_states
from tenants.case_states import LABELS, State
from tenants.models import Message, Purpose, SurveyCase
from tenants.waves import immunity

PRESSING = (Purpose.REMINDER_DIGITAL, Purpose.REMINDER_LETTER, Purpose.FORMAL_NOTICE)
COLLECTIVE = frozenset({Purpose.FORM.value, *(purpose.value for purpose in PRESSING)})


@dataclass(frozen=True, slots=True)
class Counters:
    """The landlord's three counters, and what they are counted on. The three always add up to `surveyed`."""

    surveyed: int
    processed: int
    in_progress: int
    not_received: int
    out_of_scope: int

    @property
    def answered(self) -> int:
        """Cases with at least one answer."""
        return self.processed + self.in_progress

    @property
    def return_rate(self) -> float | None:
        """Share of the surveyed cases that answered, complete or not."""
        return self.answered / self.surveyed if self.surveyed else None

    @property
    def completion_rate(self) -> float | None:
        """Share of the surveyed cases that are complete."""
        return self.processed / self.surveyed if self.surveyed else None


@dataclass(frozen=True, slots=True)
class AgencyLine:
    """The counters of one agency (`code` '' for dwellings without one)."""

    code: str
    name: str
    counters: Counters


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """First answers of one day, and since the start; by channel."""

    day: dt.date
    paper: int
    online: int
    phone: int
    cumulated: int

    @property
    def answers(self) -> int:
        """First answers of the day."""
        return self.paper + self.online + self.phone


@dataclass(frozen=True, slots=True)
class Channel:
    """First answers by one channel."""

    value: str
    label: str
    answers: int


@dataclass(frozen=True, slots=True)
class Wave:
    """One mailing of one day: what left by each channel."""

    purpose: str
    label: str
    day: dt.date
    channels: dict[str, int]

    @property
    def collective(self) -> bool:
        """Whether it speaks to many at once; complements and receipts follow each household's own answer."""
        return self.purpose in COLLECTIVE

    @property
    def sent(self) -> int:
        """All that left that day, whatever the channel."""
        return sum(self.channels.values())

    @property
    def by_channel(self) -> list[tuple[str, int]]:
        """What left by each channel, in words, in the order of the channels."""
        return [(each.label, self.channels[each.value]) for each in Message.Channel if each.value in self.channels]


def _counters(by_state: Counter[str]) -> Counters:
    def total(states: frozenset[State]) -> int:
        return sum(by_state[state.value] for state in states)

    processed, in_progress = total(case_states.PROCESSED), total(case_states.IN_PROGRESS)
    not_received = total(case_states.NOT_RECEIVED)
    return Counters(
        surveyed=processed + in_progress + not_received,
        processed=processed,
        in_progress=in_progress,
        not_received=not_received,
        out_of_scope=by_state[State.OUT_OF_SCOPE.value],
    )


def counters(campaign: Campaign) -> Counters:
    """The campaign's counters."""
    return counters_of([campaign])[campaign.pk]


def counters_of(campaigns: Iterable[Campaign]) -> dict[int, Counters]:
    """The counters of several campaigns by primary key, in one query."""
    found: dict[int, Counter[str]] = {campaign.pk: Counter() for campaign in campaigns}
    lines = SurveyCase.objects.filter(campaign__in=list(found)).values("campaign", "state").annotate(n=Count("pk"))
    for line in lines:
        found[line["campaign"]][line["state"]] = line["n"]
    return {pk: _counters(by_state) for pk, by_state in found.items()}


def states(campaign: Campaign) -> list[tuple[State, str, int]]:
    """How many cases are in each state, in the order of a case's life; empty states included."""
    lines = SurveyCase.objects.for_campaign(campaign).values("state").annotate(n=Count("pk")).values_list("state", "n")
    found = dict(lines)
    return [(state, label, found.get(state.value, 0)) for state, label in LABELS.items()]


def by_agency(campaign: Campaign) -> list[AgencyLine]:
    """The counters of each agency, by code; dwellings without one come last."""
    lines = (
        SurveyCase.objects.for_campaign(campaign)
        .values("household__dwelling__agency", "household__dwelling__agency_name", "state")
        .annotate(n=Count("pk"))
        .order_by("household__dwelling__agency")
        .values_list("household__dwelling__agency", "household__dwelling__agency_name", "state", "n")
    )
    found: dict[str, Counter[str]] = {}
    called: dict[str, str] = {}
    for code, name, state, n in lines:
        found.setdefault(code, Counter())[state] += n
        called[code] = called.get(code) or name
    codes = sorted(found, key=lambda code: (code == "", code))
    return [AgencyLine(code, called[code] or code or "Sans agence", _counters(found[code])) for code in codes]


def curve(campaign: Campaign) -> list[CurvePoint]:
    """First answers of surveyed cases per day, from the first to the last, days without any left out."""
    lines = (
        SurveyCase.objects.for_campaign(campaign)
        .surveyed()
        .filter(received_at__isnull=False)
        .annotate(day=TruncDate("received_at"))
        .values("day")
        .annotate(
            paper=Count("pk", filter=Q(channel=SurveyCase.Channel.PAPER)),
            online=Count("pk", filter=Q(channel=SurveyCase.Channel.ONLINE)),
            phone=Count("pk", filter=Q(channel=SurveyCase.Channel.PHONE)),
            n=Count("pk"),
        )
        .order_by("day")
    )
    points, cumulated = [], 0
    for line in lines:
        cumulated += line["n"]
        points.append(CurvePoint(line["day"], line["paper"], line["online"], line["phone"], cumulated))
    return points


def channels(campaign: Campaign) -> list[Channel]:
    """First answers of surveyed cases by channel, channels without any included."""
    lines = (
        SurveyCase.objects.for_campaign(campaign)
        .surveyed()
        .exclude(channel="")
        .values("channel")
        .annotate(n=Count("pk"))
        .values_list("channel", "n")
    )
    found = dict(lines)
    return [Channel(each.value, each.label, found.get(each.value, 0)) for each in SurveyCase.Channel]


def waves(campaign: Campaign) -> list[Wave]:
    """The mailings that left, by purpose and day of departure."""
    lines = (
        Message.objects.filter(case__campaign=campaign, sent_at__isnull=False)
        .annotate(day=TruncDate("sent_at"))
        .values("purpose", "day", "channel")
        .annotate(n=Count("pk"))
        .order_by("day", "purpose")
    )
    found: dict[tuple[str, dt.date], dict[str, int]] = {}
    for line in lines:
        found.setdefault((line["purpose"], line["day"]), {})[line["channel"]] = line["n"]
    labels = dict(Message.purpose.field.flatchoices)
    return [Wave(purpose, labels[purpose], day, told) for (purpose, day), told in found.items()]


def reminded_after_answer(campaign: Campaign) -> int:
    """Reminders and formal notices that left a household after one of its answers. The rule of the house: 0."""
    return immunity.reminded_after_answer(campaign).count()

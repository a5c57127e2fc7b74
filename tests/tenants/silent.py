"""What the tests of reminders share: milestones and silent households."""

from __future__ import annotations

import datetime as dt

from campaigns.models import Campaign, Milestone
from tenants import waves
from tenants.models import SurveyCase, Wave
from tests.factories.campaigns import UserFactory
from tests.factories.tenants import CaseFactory

SENT_AT = dt.datetime(2026, 10, 12, 8, 0, tzinfo=dt.UTC)


def due(campaign: Campaign, kind: str, day: dt.date) -> Milestone:
    return Milestone.objects.create(campaign=campaign, kind=kind, due_on=day)


def silent(campaign: Campaign, **told: object) -> SurveyCase:
    return CaseFactory(campaign=campaign, state="sent", sent_at=SENT_AT, **told)


def armed(milestone: Milestone, now: dt.datetime) -> Wave:
    """The wave of a milestone, prepared by one person and armed by another."""
    wave = waves.of_milestone(milestone=milestone, now=now)
    wave = waves.change(wave=wave, plan=waves.plan_of(wave), now=now, actor=UserFactory())
    count = waves.try_out(wave=wave, today=milestone.due_on, now=now).count
    waves.arm(wave=wave, confirmed=str(count), now=now, today=milestone.due_on, actor=UserFactory())
    return wave

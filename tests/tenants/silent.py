"""What the tests of reminders share: milestones and silent households."""

from __future__ import annotations

import datetime as dt

from campaigns.models import Campaign, Milestone
from tenants.models import SurveyCase
from tests.factories.tenants import CaseFactory

SENT_AT = dt.datetime(2026, 10, 12, 8, 0, tzinfo=dt.UTC)


def due(campaign: Campaign, kind: str, day: dt.date) -> Milestone:
    return Milestone.objects.create(campaign=campaign, kind=kind, due_on=day)


def silent(campaign: Campaign, **told: object) -> SurveyCase:
    return CaseFactory(campaign=campaign, state="sent", sent_at=SENT_AT, **told)

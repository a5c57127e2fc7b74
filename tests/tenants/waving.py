"""What the tests of waves share: a day, and waves prepared or gone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.models import Campaign, User
from tenants import waves
from tenants.models import Wave
from tests.factories.campaigns import UserFactory

DAY = dt.date(2026, 11, 3)  # a Tuesday
NOW = dt.datetime(2026, 11, 3, 9, 0, tzinfo=dt.UTC)


def prepared(campaign: Campaign, purpose: str = "reminder_digital", **told: Any) -> Wave:
    plan = waves.Plan(purpose=purpose, scheduled_on=DAY, **told)
    return waves.prepare(campaign=campaign, plan=plan, now=NOW, actor=UserFactory())


def gone(campaign: Campaign, second: User, purpose: str = "reminder_digital", **told: Any) -> Wave:
    """A wave armed and let go."""
    wave = prepared(campaign, purpose, **told)
    count = waves.try_out(wave=wave, today=DAY, now=NOW).count
    waves.arm(wave=wave, confirmed=str(count), now=NOW, today=DAY, actor=second)
    waves.release(wave=wave, today=DAY, now=NOW)
    return wave

"""The ticks of the schedule that write to households."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail

from campaigns.models import Campaign, Landlord, Milestone
from tenants import tasks
from tenants.models import Message, PrintBatch, Wave
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import MessageFactory
from tests.tenants.silent import armed, due, silent

Kind = Milestone.Kind


@pytest.fixture
def campaign(db: None) -> Campaign:
    return CampaignFactory(stage=Campaign.Stage.FIELD)


class TestTasks:
    def test_the_daily_tick_queues_what_is_due_and_composes_the_letters(
        self, campaign: Campaign, settings: Any, tmp_path: Path
    ) -> None:
        settings.MEDIA_ROOT = tmp_path
        milestone = due(campaign, Kind.REMINDER_LETTER, dt.date(2026, 11, 23))
        case = silent(campaign)
        armed(milestone, dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC))
        CampaignFactory()

        with time_machine.travel(dt.datetime(2026, 11, 23, 8, 5, tzinfo=dt.UTC), tick=False):
            tasks.send_due()
            tasks.send_due()

        batch = PrintBatch.objects.get()
        assert batch.state == PrintBatch.State.COMPOSED
        assert [message.case for message in batch.messages.all()] == [case]

    def test_a_wave_that_nobody_has_armed_sends_nothing_in_a_real_campaign(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_LETTER, dt.date(2026, 11, 23))
        silent(campaign)

        with time_machine.travel(dt.datetime(2026, 11, 23, 8, 5, tzinfo=dt.UTC), tick=False):
            tasks.send_due()

        assert not Message.objects.exists()
        assert Wave.objects.get().state == Wave.State.PREPARED

    def test_a_campaign_that_cannot_be_printed_stops_no_other(
        self, campaign: Campaign, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.MEDIA_ROOT = tmp_path
        other = CampaignFactory(stage=Campaign.Stage.FIELD)
        for each in (campaign, other):
            milestone = due(each, Kind.REMINDER_LETTER, dt.date(2026, 11, 23))
            silent(each)
            armed(milestone, dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC))
        Landlord.objects.filter(pk=campaign.landlord_id).update(accent="#FFFF00")

        with time_machine.travel(dt.datetime(2026, 11, 23, 8, 5, tzinfo=dt.UTC), tick=False):
            tasks.send_due()

        assert PrintBatch.objects.get().campaign == other
        assert f"campaign {campaign.pk}" in caplog.text

    def test_the_delivery_tick_hands_over_all_that_waits(self, campaign: Campaign) -> None:
        for _ in range(3):
            MessageFactory(case=silent(campaign))

        tasks.deliver_messages()

        assert Message.objects.told().count() == len(mail.outbox) == 3

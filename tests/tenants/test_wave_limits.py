"""What bounds a wave: the day's capacity, its cost, the promise to those who answered; forms and notices."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from campaigns.models import Campaign, User
from tenants import waves
from tenants.case_states import Move
from tenants.dispatch import compose_letters
from tenants.messaging import deliver_waiting
from tenants.messaging.contact_rights import mark
from tenants.models import ChannelPrice, DailyCapacity, Message, PrintBatch, RegisteredLetter, SurveyCase, Wave
from tenants.undelivered import address_mended, record_undelivered
from tenants.waves import costs, immunity
from tenants.waves.reasons import FULL_DAY, NO_POST
from tests.factories.campaigns import CampaignFactory, UserFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.printing import content
from tests.tenants.silent import silent
from tests.tenants.waving import DAY, NOW, gone, prepared

State = Message.State


@pytest.fixture
def campaign(db: None) -> Campaign:
    return CampaignFactory(stage=Campaign.Stage.FIELD)


@pytest.fixture
def second(db: None) -> User:
    """The person who arms."""
    return UserFactory()


class TestCapacity:
    def test_a_day_bears_so_many_envelopes_and_the_rest_waits(self, campaign: Campaign, second: User) -> None:
        for _ in range(5):
            silent(campaign)
        DailyCapacity.objects.create(campaign=campaign, resource="printing", since=DAY, per_day=2)
        wave = prepared(campaign, "reminder_letter")
        assert waves.try_out(wave=wave, today=DAY, now=NOW).days == [2, 2, 1]
        waves.arm(wave=wave, confirmed="5", now=NOW, today=DAY, actor=second)

        queued = []
        for day in range(3):
            moment = NOW + dt.timedelta(days=day)
            for _ in range(2):  # the second run of a day adds nothing
                waves.release(wave=wave, today=moment.date(), now=moment) if wave.state == Wave.State.ARMED else None
            queued.append(Message.objects.count())

        assert queued == [2, 4, 5]
        assert wave.state == Wave.State.DONE

    def test_calls_and_readings_are_shared_by_all_campaigns(self, campaign: Campaign, second: User) -> None:
        other = CampaignFactory(stage=Campaign.Stage.FIELD)
        for each in (campaign, other):
            for _ in range(4):
                silent(each)
        DailyCapacity.objects.create(resource="calls", since=DAY, per_day=1)
        gone(campaign, second, call_percent=25)

        trial = waves.try_out(wave=prepared(other, call_percent=25), today=DAY, now=NOW)

        assert Message.objects.count() == 4
        assert trial.days == [0, 4]

    def test_a_cap_is_the_newest_in_force(self, campaign: Campaign) -> None:
        for _ in range(3):
            silent(campaign)
        for since, cap in ((DAY - dt.timedelta(days=9), 1), (DAY, 3), (DAY + dt.timedelta(days=1), 0)):
            DailyCapacity.objects.create(campaign=campaign, resource="printing", since=since, per_day=cap)

        assert waves.try_out(wave=prepared(campaign, "reminder_letter"), today=DAY, now=NOW).days == [3]

    def test_who_is_put_off_is_said(self, campaign: Campaign, second: User) -> None:
        silent(campaign)
        silent(campaign)
        DailyCapacity.objects.create(campaign=campaign, resource="reading", since=DAY, per_day=1)
        wave = prepared(campaign, paper_percent=100)
        waves.arm(wave=wave, confirmed="2", now=NOW, today=DAY, actor=second)

        tally = waves.release(wave=wave, today=DAY, now=NOW)

        assert tally.excluded == {FULL_DAY: 1}
        assert wave.state == Wave.State.ARMED


class TestCosts:
    def test_the_estimate_is_kept_and_the_actual_cost_counts_what_left(
        self, campaign: Campaign, second: User, settings: Any, tmp_path: Path
    ) -> None:
        settings.OUTBOX_DIR = tmp_path
        for item, amount in (("email", "0.0025"), ("sms", "0.07")):
            ChannelPrice.objects.create(campaign=campaign, item=item, since=DAY, amount=Decimal(amount))
        for _ in range(4):
            silent(campaign)
        silent(campaign, household__email="")
        wave = gone(campaign, second)
        SurveyCase.objects.filter(household__email="").first().move(Move.RECEIVE, now=NOW)  # type: ignore[union-attr]

        deliver_waiting(now=NOW)

        estimate = [costs.CostLine.of(line) for line in Wave.objects.get(pk=wave.pk).estimate]
        assert {line.item: line.amount for line in estimate} == {"email": Decimal("0.01"), "sms": Decimal("0.07")}
        assert costs.total(estimate) == Decimal("0.08")
        spent = costs.actual(campaign=campaign, wave=wave)
        assert [(line.item, line.units, line.amount) for line in spent] == [("email", 4, Decimal("0.01"))]

    def test_a_price_of_another_day_counts_for_its_days(self, campaign: Campaign) -> None:
        for since, amount in ((DAY, "1.00"), (DAY + dt.timedelta(days=2), "2.00")):
            ChannelPrice.objects.create(campaign=campaign, item="sms", since=since, amount=Decimal(amount))
        for day, units in ((1, 1), (2, 3)):
            moment = NOW + dt.timedelta(days=day)
            MessageFactory(case=silent(campaign), channel="sms", state=State.DELIVERED, sent_at=moment, units=units)

        [line] = costs.actual(campaign=campaign)

        assert (line.messages, line.units, line.amount) == (2, 4, Decimal("7.00"))

    def test_a_missing_price_is_never_zero(self, campaign: Campaign) -> None:
        silent(campaign)

        trial = waves.try_out(wave=prepared(campaign), today=DAY, now=NOW)

        assert trial.cost[0].amount is None
        assert trial.total is None


class TestImmunity:
    def test_the_metric_sees_what_must_never_be(self, campaign: Campaign) -> None:
        case = silent(campaign)
        fine = MessageFactory(case=case, state=State.SENT, sent_at=NOW)
        case.move(Move.RECEIVE, now=NOW + dt.timedelta(minutes=1))
        assert not immunity.reminded_after_answer(campaign).exists()

        crossed = MessageFactory(
            case=case, channel="sms", state=State.DELIVERED, sent_at=NOW + dt.timedelta(minutes=2), wave="x"
        )

        assert list(immunity.reminded_after_answer(campaign)) == [crossed]
        assert fine not in immunity.reminded_after_answer(campaign)

    def test_what_is_held_back_is_counted(self, campaign: Campaign, second: User) -> None:
        case = silent(campaign)
        gone(campaign, second)
        case.move(Move.RECEIVE, now=NOW)

        deliver_waiting(now=NOW)

        assert immunity.pulled_back(campaign) == 1
        assert immunity.reminded_after_answer(campaign).count() == 0


class TestFormsAndNotices:
    def test_a_first_sending_composes_its_share_in_a_batch(
        self, approved: Campaign, printing_room: None, second: User
    ) -> None:
        for _ in range(3):
            CaseFactory(campaign=approved)
        CaseFactory(campaign=approved, household__city="")
        DailyCapacity.objects.create(campaign=approved, resource="printing", since=DAY, per_day=2)
        wave = prepared(approved, "form")
        waves.arm(wave=wave, confirmed="3", now=NOW, today=DAY, actor=second)

        waves.release(wave=wave, today=DAY, now=NOW)

        batch = PrintBatch.objects.get()
        assert (batch.envelopes, batch.messages.filter(sending_wave=wave).count()) == (2, 2)
        assert wave.state == Wave.State.ARMED
        waves.release(wave=wave, today=DAY + dt.timedelta(days=1), now=NOW + dt.timedelta(days=1))
        assert Message.objects.filter(sending_wave=wave).count() == 3
        assert wave.state == Wave.State.DONE

    def test_an_electronic_notice_only_goes_to_who_agreed(
        self, campaign: Campaign, second: User, printing_room: None
    ) -> None:
        agrees = silent(campaign)
        silent(campaign)
        told = {"landlord": campaign.landlord, "channel": "lre", "how": "formulaire signé", "now": NOW}
        consent = mark(address=agrees.household.email, kind="consent", actor=second, **told)
        late = dt.date(2026, 12, 15)
        wave = prepared(campaign, "formal_notice", postal_service="lre")
        waves.arm(wave=wave, confirmed="1", now=NOW, today=late, actor=second)

        waves.release(wave=wave, today=late, now=NOW)

        letter = RegisteredLetter.objects.get()
        assert (letter.message.case, letter.message.service, letter.consent) == (agrees, "lre", consent)
        assert compose_letters(campaign=campaign, purpose="formal_notice", now=NOW) is None
        batch = compose_letters(campaign=campaign, purpose="formal_notice", service="lre", now=NOW)
        assert batch is not None
        manifest = json.loads(content(batch.manifest))
        assert manifest["recipients"] == {agrees.reference: agrees.household.email}

    def test_a_notice_that_never_arrived_leaves_again_once_the_address_is_mended(
        self, campaign: Campaign, second: User
    ) -> None:
        case, late = silent(campaign, household__email="", household__mobile=""), dt.date(2026, 12, 15)
        wave = prepared(campaign, "formal_notice")
        waves.arm(wave=wave, confirmed="1", now=NOW, today=late, actor=second)
        waves.release(wave=wave, today=late, now=NOW)
        Message.objects.update(state=State.SENT, sent_at=NOW)
        record_undelivered(case=case, reason="access", now=NOW)
        assert waves.follow_up(today=late, now=NOW) == {NO_POST: 1}
        assert waves.follow_up(today=late, now=NOW) == {}

        address_mended(case=case, now=NOW)

        assert waves.follow_up(today=late, now=NOW) == {"letter": 1}
        assert [message.wave for message in Message.objects.order_by("pk")] == [wave.code, f"{wave.code}-2"]

"""Waves: prepared by one, armed by another, let go within limits, followed up when a channel fails."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from campaigns.models import Campaign, User
from tenants import waves
from tenants.case_states import Move
from tenants.messaging import deliver_waiting
from tenants.messaging.contact_rights import mark
from tenants.models import Message, SurveyCase, Wave
from tenants.waves.reasons import NO_ADDRESS, OTHER_AGENCY, OTHER_STATE, TOLD, TOO_OFTEN
from tests.factories.campaigns import CampaignFactory, UserFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.silent import SENT_AT, silent
from tests.tenants.waving import DAY, NOW, gone, prepared

State = Message.State


@pytest.fixture
def campaign(db: None) -> Campaign:
    return CampaignFactory(stage=Campaign.Stage.FIELD)


@pytest.fixture
def second(db: None) -> User:
    """The person who arms."""
    return UserFactory()


class TestArming:
    def test_the_person_who_prepared_may_not_arm(self, campaign: Campaign) -> None:
        silent(campaign)
        wave = prepared(campaign)
        assert wave.prepared_by is not None

        with pytest.raises(waves.UnableToArm, match="une autre personne"):
            waves.arm(wave=wave, confirmed="1", now=NOW, today=DAY, actor=wave.prepared_by)

    def test_the_database_itself_refuses_one_person_for_both(self, campaign: Campaign) -> None:
        wave = prepared(campaign)

        with pytest.raises(IntegrityError), transaction.atomic():
            Wave.objects.filter(pk=wave.pk).update(armed_by=wave.prepared_by)

    @pytest.mark.parametrize(
        ("typed", "told"), [("", "en chiffres"), ("deux", "en chiffres"), ("1", "2 foyers"), ("20", "2 foyers")]
    )
    def test_the_count_must_be_typed(self, campaign: Campaign, second: User, typed: str, told: str) -> None:
        silent(campaign)
        silent(campaign)
        wave = prepared(campaign)

        with pytest.raises(waves.UnableToArm, match=told):
            waves.arm(wave=wave, confirmed=typed, now=NOW, today=DAY, actor=second)

        wave.refresh_from_db()
        assert wave.state == Wave.State.PREPARED

    def test_an_answer_between_the_page_and_the_button_changes_the_count(
        self, campaign: Campaign, second: User
    ) -> None:
        cases = [silent(campaign) for _ in range(2)]
        wave = prepared(campaign)
        cases[0].move(Move.RECEIVE, now=NOW)

        with pytest.raises(waves.UnableToArm, match="1 foyers seraient prévenus à présent"):
            waves.arm(wave=wave, confirmed="2", now=NOW, today=DAY, actor=second)

    def test_nothing_leaves_a_wave_that_is_not_armed(self, campaign: Campaign) -> None:
        silent(campaign)

        with pytest.raises(waves.UnableToRelease, match="à armer"):
            waves.release(wave=prepared(campaign), today=DAY, now=NOW)

        assert not Message.objects.exists()

    def test_a_wave_changed_after_its_preparation_is_prepared_by_who_changed_it(self, campaign: Campaign) -> None:
        silent(campaign)
        wave, other = prepared(campaign), UserFactory()

        wave = waves.change(wave=wave, plan=waves.plan_of(wave), now=NOW, actor=other)

        with pytest.raises(waves.UnableToArm, match="une autre personne"):
            waves.arm(wave=wave, confirmed="1", now=NOW, today=DAY, actor=other)

    def test_only_case_managers_arm_and_only_in_the_field(self, campaign: Campaign, second: User) -> None:
        silent(campaign)
        wave = prepared(campaign)
        with pytest.raises(waves.UnableToArm, match="chargé d'affaires"):
            waves.arm(wave=wave, confirmed="1", now=NOW, today=DAY, actor=UserFactory(keying=True))
        Campaign.objects.filter(pk=campaign.pk).update(stage=Campaign.Stage.CLOSED)

        with pytest.raises(waves.UnableToArm, match="close"):
            waves.arm(wave=wave, confirmed="1", now=NOW, today=DAY, actor=second)

    def test_armed_it_is_not_changed_any_more_but_may_be_cancelled(self, campaign: Campaign, second: User) -> None:
        silent(campaign)
        wave = gone(campaign, second)
        with pytest.raises(waves.UnableToPrepare, match="ne se modifie plus"):
            waves.change(wave=wave, plan=waves.plan_of(wave), now=NOW)
        Wave.objects.filter(pk=wave.pk).update(state=Wave.State.ARMED)

        assert waves.cancel(wave=wave, now=NOW) == 1

        assert Message.objects.get().state == State.CANCELLED
        with pytest.raises(waves.UnableToPrepare, match="déjà"):
            waves.cancel(wave=wave, now=NOW)


class TestPlan:
    @pytest.mark.parametrize(
        ("told", "problem"),
        [
            ({"purpose": "receipt"}, "premier envoi"),
            ({"channels": ["email", "email"]}, "une fois chacun"),
            ({"purpose": "reminder_letter", "channels": ["sms"]}, "courrier"),
            ({"postal_service": "registered"}, "Seule une mise en demeure"),
            ({"states": ["received"]}, "n'ont pas répondu"),
            ({"weekly_maximum": 0}, "Entre 1 et 7"),
            ({"call_percent": 101}, "entre 0 et 100"),
            ({"scheduled_on": dt.date(2026, 10, 1)}, "ne précède pas"),
            ({"left_out": {"XXXXXXXX": "décès"}}, "n'existe pas"),
            ({"left_out": {"XXXXXXXX": " "}}, "Dites pourquoi"),
        ],
    )
    def test_a_plan_that_cannot_be_is_refused_with_its_reason(
        self, campaign: Campaign, told: dict[str, Any], problem: str
    ) -> None:
        plan = {"purpose": "reminder_digital", "scheduled_on": DAY} | told

        with pytest.raises(waves.UnableToPrepare, match=problem):
            waves.prepare(campaign=campaign, plan=waves.Plan(**plan), now=NOW)

        assert not Wave.objects.exists()


class TestSelection:
    def test_the_trial_tells_counts_reasons_and_the_very_words(self, campaign: Campaign) -> None:
        silent(campaign, household__dwelling__agency="AG01")
        silent(campaign, household__dwelling__agency="AG01", household__email="")
        silent(campaign, household__dwelling__agency="AG02")
        CaseFactory(campaign=campaign, state="undelivered", sent_at=SENT_AT, household__dwelling__agency="AG01")
        dead = silent(campaign, household__dwelling__agency="AG01")
        wave = prepared(campaign, agencies=["AG01"], states=["sent"], left_out={dead.reference: "décès signalé"})

        trial = waves.try_out(wave=wave, today=DAY, now=NOW)

        assert dict(trial.tally.told) == {"email": 1, "sms": 1}
        assert dict(trial.tally.excluded) == {OTHER_AGENCY: 1, OTHER_STATE: 1, "Écarté : décès signalé": 1}
        assert {sample.way.channel for sample in trial.samples} == {"email", "sms"}
        assert all(sample.text is not None and "[lien personnel]" in sample.text.body for sample in trial.samples)
        assert not Message.objects.exists()

    def test_the_list_has_one_line_a_household(self, campaign: Campaign) -> None:
        told, left_out = silent(campaign), silent(campaign, household__dwelling__agency="=AG")
        wave = prepared(campaign, left_out={left_out.reference: "tutelle en cours"})

        lines = waves.decisions_csv(wave=wave, today=DAY, now=NOW).decode("utf-8-sig").splitlines()

        assert len(lines) == 3
        assert any(told.reference in line and "e-mail" in line for line in lines)
        assert any(left_out.reference in line and "écarté;Écarté : tutelle en cours" in line for line in lines)

    @pytest.mark.parametrize(("maximum", "told"), [(1, 0), (2, 1)])
    def test_a_household_is_not_written_to_more_often_than_allowed(
        self, campaign: Campaign, maximum: int, told: int
    ) -> None:
        case = silent(campaign)
        MessageFactory(case=case, purpose="complement", wave="c", state=State.SENT, sent_at=NOW - dt.timedelta(days=2))
        MessageFactory(case=case, purpose="receipt", wave="r", state=State.SENT, sent_at=NOW)
        wave = prepared(campaign, weekly_maximum=maximum)

        tally = waves.try_out(wave=wave, today=DAY, now=NOW).tally

        assert tally.told.total() == told
        assert tally.excluded[TOO_OFTEN] == 1 - told
        assert waves.try_out(wave=wave, today=DAY, now=NOW + dt.timedelta(days=6)).count == 1

    def test_a_channel_that_needs_consent_waits_for_it(self, campaign: Campaign) -> None:
        agrees = silent(campaign, household__email="", household__mobile="0639980001")
        silent(campaign, household__email="", household__mobile="0639980002", household__city="")
        told = {"landlord": campaign.landlord, "channel": "sms", "now": NOW}
        mark(address="06 39 98 00 01", kind="consent", how="appel", case=agrees, **told)
        wave = prepared(campaign, channels=["sms"], consent_needed=["sms"])

        tally = waves.try_out(wave=wave, today=DAY, now=NOW).tally

        assert dict(tally.told) == {"sms": 1}
        assert "n'a pas donné son accord" in next(iter(tally.excluded))

    @pytest.mark.parametrize(
        ("channel", "kind", "used"),
        [
            ("email", "complaint", "sms"),
            ("email", "unsubscribed", "sms"),
            ("email", "wrong", "sms"),
            ("sms", "stop", "email"),
        ],
    )
    def test_a_refusal_closes_its_channel_only(self, campaign: Campaign, channel: str, kind: str, used: str) -> None:
        case = silent(campaign)
        address = case.household.email if channel == "email" else case.household.mobile
        mark(landlord=campaign.landlord, channel=channel, address=address, kind=kind, how="dit au téléphone", now=NOW)

        assert dict(waves.try_out(wave=prepared(campaign), today=DAY, now=NOW).tally.told) == {used: 1}

    def test_nobody_can_be_told_who_has_no_address_at_all(self, campaign: Campaign) -> None:
        silent(campaign, household__email="pas une adresse", household__mobile="", household__city="")

        tally = waves.try_out(wave=prepared(campaign), today=DAY, now=NOW).tally

        assert dict(tally.excluded) == {NO_ADDRESS: 1}

    def test_a_second_wave_of_reminders_tells_again_a_second_formal_notice_never(
        self, campaign: Campaign, second: User
    ) -> None:
        silent(campaign)
        gone(campaign, second, weekly_maximum=7)
        again = prepared(campaign, weekly_maximum=7)
        notice = {"purpose": "formal_notice", "wave": "formal_notice", "channel": "letter", "state": State.SENT}
        MessageFactory(case=SurveyCase.objects.get(), sent_at=NOW, **notice)

        assert waves.try_out(wave=again, today=DAY, now=NOW).count == 1
        late = dt.date(2026, 12, 15)
        tally = waves.try_out(wave=prepared(campaign, "formal_notice"), today=late, now=NOW).tally
        assert dict(tally.excluded) == {TOLD: 1}


class TestFallback:
    def test_each_channel_that_fails_gives_way_to_the_next(self, campaign: Campaign, second: User) -> None:
        silent(campaign)
        wave = gone(campaign, second)
        order = []
        for _ in range(4):
            last = Message.objects.latest("pk")
            order.append(last.channel)
            Message.objects.filter(pk=last.pk).update(state=State.BOUNCED, sent_at=NOW)
            waves.follow_up(today=DAY, now=NOW)

        assert order[:3] == ["email", "sms", "letter"]
        assert Message.objects.filter(sending_wave=wave, channel="email").count() == 1

    def test_one_who_answered_meanwhile_is_left_alone(self, campaign: Campaign, second: User) -> None:
        case = silent(campaign)
        gone(campaign, second)
        Message.objects.update(state=State.BOUNCED, sent_at=NOW)
        case.move(Move.RECEIVE, now=NOW)

        assert waves.follow_up(today=DAY, now=NOW) == {"gone": 1}
        assert waves.follow_up(today=DAY, now=NOW) == {}
        assert Message.objects.count() == 1

    def test_a_refusal_known_after_the_selection_is_seen_at_the_hand_over(
        self, campaign: Campaign, second: User
    ) -> None:
        case = silent(campaign)
        gone(campaign, second)
        told = {"landlord": campaign.landlord, "channel": "email", "how": "dit au téléphone", "now": NOW}
        mark(address=case.household.email, kind="wrong", **told)

        assert deliver_waiting(now=NOW).failed == 1
        waves.follow_up(today=DAY, now=NOW)

        assert [message.channel for message in Message.objects.waiting()] == ["sms"]

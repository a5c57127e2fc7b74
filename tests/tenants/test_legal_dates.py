"""The legal dates of a case: what each proof starts, what stops or suspends it, and what may be done when."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.law.settings import parse_settings, shipped_law
from campaigns.legal import law_of
from campaigns.models import Campaign, LegalSettings, Milestone
from tenants.history import told
from tenants.legal_dates import (
    LegalDates,
    UnableToSuspend,
    legal_dates,
    resume,
    suspend,
    with_proofs,
)
from tenants.models import Message, Posting, PrintBatch, Purpose, RegisteredLetter, SurveyCase
from tenants.reminders import send_due
from tenants.undelivered import record_undelivered
from tests.factories.campaigns import CampaignFactory, LandlordFactory
from tests.factories.tenants import CaseFactory, MessageFactory

D = dt.date
TODAY = D(2026, 12, 20)
SENT_ON = D(2026, 10, 12)
LAW = shipped_law()


def at(day: D, hour: int = 10) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), dt.UTC)


@pytest.fixture
def campaign(db: None) -> Campaign:
    return CampaignFactory(stage=Campaign.Stage.FIELD)


def sent_case(campaign: Campaign, day: D = SENT_ON, **fields: Any) -> SurveyCase:
    return CaseFactory(campaign=campaign, state="sent", sent_at=at(day), **fields)


def mailed(case: SurveyCase, day: D, purpose: Purpose = Purpose.FORM, **fields: Any) -> Message:
    return MessageFactory(
        case=case, channel="letter", purpose=purpose, wave=f"{purpose}-{day}", state="sent", sent_at=at(day), **fields
    )


def of(case: SurveyCase, today: D = TODAY, law: Any = LAW) -> LegalDates:
    return legal_dates(SurveyCase.objects.get(pk=case.pk), law=law, today=today)


class TestReply:
    def test_nothing_sent_starts_nothing(self, campaign: Campaign) -> None:
        found = of(CaseFactory(campaign=campaign))

        assert (found.reply, found.notice_from, found.explanations) == (None, None, ())
        assert not found.may_notice(TODAY)

    def test_the_month_runs_from_the_sending(self, campaign: Campaign) -> None:
        found = of(sent_case(campaign))

        assert found.reply is not None
        assert found.notice_from is not None
        assert (found.reply.date, found.notice_from.date) == (D(2026, 11, 12), D(2026, 11, 13))
        assert not found.may_notice(D(2026, 11, 12))
        assert found.may_notice(D(2026, 11, 13))

    def test_the_posts_own_slip_prevails_over_our_hand_over(self, campaign: Campaign) -> None:
        case = sent_case(campaign)
        batch = PrintBatch(
            campaign=campaign, purpose=Purpose.FORM, number=3, envelopes=1, pages=4, composed_at=at(D(2026, 10, 10))
        )
        batch.save()
        mailed(case, D(2026, 10, 12), batch=batch)
        Posting(
            batch=batch, posted_at=at(D(2026, 10, 14)), reference="B-77", envelopes=1, recorded_at=at(D(2026, 10, 15))
        ).save()

        found = of(case).reply

        assert found is not None
        assert found.date == D(2026, 11, 16)  # 14 November is a Saturday
        assert "lot 3, bordereau B-77" in found.text

    def test_an_address_that_was_wrong_starts_nothing_until_it_is_mended(self, campaign: Campaign) -> None:
        case = sent_case(campaign)
        mailed(case, D(2026, 10, 12))
        record_undelivered(case=case, reason="unknown", now=at(D(2026, 10, 20)))
        assert of(case).reply is None

        mailed(case, D(2026, 11, 3))

        found = of(case).reply
        assert found is not None
        assert (found.running_since, found.date) == (D(2026, 11, 3), D(2026, 12, 3))
        assert "de nouveau" in found.text

    def test_a_refused_letter_has_reached_its_address(self, campaign: Campaign) -> None:
        case = sent_case(campaign)
        mailed(case, D(2026, 10, 12))
        record_undelivered(case=case, reason="refused", now=at(D(2026, 10, 20)))

        found = of(case).reply
        assert found is not None
        assert found.date == D(2026, 11, 12)

    def test_holidays_are_those_of_where_the_tenant_lives(self, campaign: Campaign) -> None:
        there = sent_case(campaign, D(2028, 11, 26), household__postcode="67000")
        here = sent_case(campaign, D(2028, 11, 26))

        assert [each.reply.date for each in (of(here), of(there)) if each.reply] == [D(2028, 12, 26), D(2028, 12, 27)]

    def test_days_are_counted_in_the_tenants_own_hours(self, campaign: Campaign) -> None:
        case = CaseFactory(
            campaign=campaign,
            state="sent",
            sent_at=dt.datetime(2026, 10, 12, 21, tzinfo=dt.UTC),
            household__postcode="97400",
        )

        found = of(case).reply
        assert found is not None
        assert found.running_since == D(2026, 10, 13)


class TestFormalNotice:
    def test_fifteen_days_from_its_sending(self, campaign: Campaign) -> None:
        case = sent_case(campaign, formal_notice_at=at(D(2026, 12, 1)))
        mailed(case, D(2026, 12, 1), Purpose.FORMAL_NOTICE)

        found = of(case)

        assert found.notice is not None
        assert found.non_response_from is not None
        assert (found.notice.date, found.non_response_from.date) == (D(2026, 12, 16), D(2026, 12, 17))
        assert [found.may_give_up(D(2026, 12, day)) for day in (16, 17)] == [False, True]

    def test_a_registered_letter_runs_from_its_first_presentation(self, campaign: Campaign) -> None:
        case = sent_case(campaign, formal_notice_at=at(D(2026, 12, 1)))
        letter = mailed(case, D(2026, 12, 1), Purpose.FORMAL_NOTICE)
        RegisteredLetter(message=letter, number="1A 234", presented_at=at(D(2026, 12, 4))).save()

        found = of(case).notice

        assert found is not None
        assert found.date == D(2026, 12, 21)
        assert "recommandé n° 1A 234" in found.text

    def test_one_that_came_back_unknown_runs_nothing(self, campaign: Campaign) -> None:
        case = sent_case(campaign, formal_notice_at=at(D(2026, 12, 1)))
        mailed(case, D(2026, 12, 1), Purpose.FORMAL_NOTICE)
        record_undelivered(case=case, reason="unknown", now=at(D(2026, 12, 8)))

        assert of(case).notice is None
        assert not of(case).may_give_up(D(2027, 3, 1))

    def test_an_ops_survey_alone_has_none(self, campaign: Campaign) -> None:
        case = sent_case(campaign, scope="ops", formal_notice_at=at(D(2026, 12, 1)))

        found = of(case)

        assert (found.notice_from, found.notice, found.non_response_from) == (None, None, None)
        assert found.reply is not None
        assert "L442-5" in found.reply.source


class TestPenaltyAndRefund:
    def test_the_penalty_is_that_of_the_ops_survey(self, campaign: Campaign) -> None:
        silent, answered = (sent_case(campaign, scope="sls_ops") for _ in range(2))
        SurveyCase.objects.filter(pk=answered.pk).update(received_at=at(D(2026, 11, 2)))

        assert [str(each.penalty.amount) for each in (of(silent), of(answered)) if each.penalty] == ["15.24", "0"]
        assert of(sent_case(campaign)).penalty is None

    def test_a_landlord_asks_its_own_amount(self, campaign: Campaign) -> None:
        law = parse_settings('source = "Délibération"\n[ops]\namount = "7.62"\nper_month = "0"')

        found = of(sent_case(campaign, scope="ops"), law=law).penalty

        assert found is not None
        assert str(found.amount) == "7.62"

    def test_an_overpayment_is_given_back_within_two_months_of_a_complete_answer(self, campaign: Campaign) -> None:
        case = sent_case(campaign, formal_notice_at=at(D(2026, 12, 1)))
        SurveyCase.objects.filter(pk=case.pk).update(
            received_at=at(D(2027, 1, 20)), completed_at=at(D(2027, 1, 25)), state="complete"
        )

        found = of(case).refund_by

        assert found is not None
        assert found.date == D(2027, 3, 25)

    def test_an_answer_within_the_fifteen_days_owes_nothing_back(self, campaign: Campaign) -> None:
        case = sent_case(campaign, formal_notice_at=at(D(2026, 12, 1)))
        SurveyCase.objects.filter(pk=case.pk).update(
            received_at=at(D(2026, 12, 16)), completed_at=at(D(2026, 12, 18)), state="complete"
        )

        assert of(case).refund_by is None


class TestAnswer:
    def test_an_answer_stops_the_clocks(self, campaign: Campaign) -> None:
        case = sent_case(campaign, received_at=at(D(2026, 11, 2)))

        found = of(case)

        assert (found.notice_from, found.answered_on) == (None, D(2026, 11, 2))
        assert not found.may_notice(TODAY)

    def test_an_answer_within_the_fifteen_days_gives_nothing_up(self, campaign: Campaign) -> None:
        in_time, late = (
            sent_case(campaign, formal_notice_at=at(D(2026, 12, 1)), received_at=at(D(2026, 12, day)))
            for day in (16, 17)
        )

        assert of(in_time).non_response_from is None
        assert of(late).non_response_from is not None
        assert not of(late).may_give_up(TODAY)


class TestSuspension:
    def test_a_suspension_holds_the_notice_then_pushes_the_month_back(self, campaign: Campaign) -> None:
        case = sent_case(campaign)
        suspend(case=case, cause="dispute", now=at(D(2026, 10, 20)))

        held = of(case, D(2026, 12, 1))
        assert held.suspended == "dispute"
        assert not held.may_notice(D(2027, 6, 1))

        resume(case=case, now=at(D(2026, 10, 30)))
        found = of(case).reply
        assert found is not None
        assert found.date == D(2026, 11, 23)
        assert "contestation en cours" in found.text

    def test_difficulties_waive_the_penalty(self, campaign: Campaign) -> None:
        case = sent_case(campaign, scope="ops")
        suspend(case=case, cause="difficulty", now=at(D(2026, 12, 1)))

        found = of(case).penalty
        assert found is not None
        assert found.amount == 0

    def test_what_cannot_be_suspended_or_resumed_says_why(self, campaign: Campaign) -> None:
        case = sent_case(campaign)
        with pytest.raises(UnableToSuspend, match="raison"):
            suspend(case=case, cause="humeur", now=at(TODAY))
        with pytest.raises(UnableToSuspend, match="ne sont pas suspendus"):
            resume(case=case, now=at(TODAY))
        suspend(case=case, cause="landlord", now=at(TODAY))
        with pytest.raises(UnableToSuspend, match="déjà suspendus"):
            suspend(case=case, cause="landlord", now=at(TODAY))
        with pytest.raises(UnableToSuspend, match="Aucun délai ne court"):
            suspend(case=CaseFactory(campaign=campaign), cause="landlord", now=at(TODAY))


def test_many_cases_cost_a_fixed_number_of_queries(campaign: Campaign) -> None:
    def queries(count: int) -> int:
        for _ in range(count):
            mailed(sent_case(campaign), D(2026, 10, 12))
        with CaptureQueriesContext(
            connection,
        ) as seen:
            for case in with_proofs(SurveyCase.objects.for_campaign(campaign)):
                assert legal_dates(case, law=LAW, today=TODAY).reply is not None
        return len(seen)

    assert queries(1) == queries(5)


def test_the_newest_settings_of_the_landlord_apply(db: None) -> None:
    landlord, rival = LandlordFactory(), LandlordFactory()
    for days in (2, 4):
        text = f'source = "Délibération"\n[clocks]\npostal_days = {days}'
        LegalSettings(landlord=landlord, text=text, agreed_by="Directrice").save()

    assert law_of(landlord).postal_days == 4
    assert law_of(rival) is LAW


def test_the_history_says_how_the_fifteen_days_were_counted(campaign: Campaign) -> None:
    case = sent_case(campaign, formal_notice_at=at(D(2026, 12, 1)))
    Milestone(campaign=campaign, kind=Milestone.Kind.NON_RESPONSE, due_on=D(2026, 12, 17)).save()

    send_due(campaign=campaign, today=D(2026, 12, 17), now=at(D(2026, 12, 17)))

    event = case.events.get(kind="give_up")
    assert event.data["explained"]["date"] == "2026-12-16"
    assert "mercredi 16 décembre 2026" in told(event).text

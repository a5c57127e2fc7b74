"""Who is reminded on which day, by what channel, and who never is."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from campaigns.law.texts import formal_notice_text
from campaigns.legal import law_of
from campaigns.models import Campaign, Milestone
from tenants.case_states import Move, State
from tenants.legal_dates import legal_dates
from tenants.messaging import deliver_waiting
from tenants.models import CaseEvent, Message, Purpose, SurveyCase
from tenants.reminders import send_due
from tenants.undelivered import record_undelivered
from tenants.waves.reasons import ANSWERED, NO_ADDRESS, NO_NOTICE, NO_POST, NOT_SLS, RUNNING, TOLD, TOO_SOON
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.silent import SENT_AT, armed, due, silent

OVERDUE = dt.date(2026, 11, 13)  # the legal month ended on 12 November


Kind = Milestone.Kind


@pytest.fixture
def campaign(db: None) -> Campaign:
    return CampaignFactory(stage=Campaign.Stage.FIELD)


def run(campaign: Campaign, today: dt.date, *, dry_run: bool = False):  # type: ignore[no-untyped-def]
    now = dt.datetime.combine(today, dt.time(9, 5), dt.UTC)
    return send_due(campaign=campaign, today=today, now=now, dry_run=dry_run)


class TestDigital:
    day = dt.date(2026, 11, 2)

    def test_the_silent_are_told_by_email_else_sms_else_letter(self, campaign: Campaign) -> None:
        milestone = due(campaign, Kind.REMINDER_DIGITAL, self.day)
        silent(campaign)
        silent(campaign, household__email="")
        silent(campaign, household__email="", household__mobile="02 47 00 00 00")

        [step] = run(campaign, self.day).steps

        assert dict(step.told) == {"email": 1, "sms": 1, "letter": 1}
        assert Message.objects.waiting().count() == 3
        milestone.refresh_from_db()
        assert milestone.done_at is not None

    def test_those_who_answered_or_were_not_asked_are_left_alone(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, self.day)
        for state in set(State) - {State.SENT, State.UNDELIVERED}:
            CaseFactory(campaign=campaign, state=state.value)

        [step] = run(campaign, self.day).steps

        assert (step.population, step.told.total()) == (0, 0)

    def test_a_household_that_mail_does_not_reach_is_told_by_email_only(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, self.day)
        CaseFactory(campaign=campaign, state="undelivered", sent_at=SENT_AT)
        CaseFactory(campaign=campaign, state="undelivered", sent_at=SENT_AT, household__email="", household__mobile="")

        [step] = run(campaign, self.day).steps

        assert dict(step.told) == {"email": 1}
        assert dict(step.excluded) == {NO_POST: 1}

    def test_a_channel_that_failed_before_is_not_tried_again(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, self.day)
        case = silent(campaign)
        MessageFactory(case=case, purpose=Purpose.FORM, wave="form", state=Message.State.FAILED)

        [step] = run(campaign, self.day).steps

        assert dict(step.told) == {"sms": 1}

    def test_a_household_without_any_address_is_reported(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, self.day)
        silent(campaign, household__email="", household__mobile="", household__city="")

        [step] = run(campaign, self.day).steps

        assert dict(step.excluded) == {NO_ADDRESS: 1}

    def test_an_invalid_email_falls_back_to_the_next_channel(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, self.day)
        silent(campaign, household__email="pas une adresse")

        [step] = run(campaign, self.day).steps

        assert dict(step.told) == {"sms": 1}

    def test_a_run_cut_short_is_finished_by_the_next_and_nobody_is_told_twice(self, campaign: Campaign) -> None:
        milestone = due(campaign, Kind.REMINDER_DIGITAL, self.day)
        for _ in range(3):
            silent(campaign)
        run(campaign, self.day)
        Message.objects.order_by("pk")[0].delete()
        Milestone.objects.filter(pk=milestone.pk).update(done_at=None)

        [step] = run(campaign, self.day).steps

        assert (dict(step.told), dict(step.excluded)) == ({"email": 1}, {TOLD: 2})
        assert Message.objects.count() == 3

    def test_a_done_milestone_is_not_played_again(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, self.day)
        silent(campaign)

        assert [len(run(campaign, self.day).steps) for _ in range(2)] == [1, 0]

    def test_nothing_leaves_before_its_day(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, self.day)
        silent(campaign)

        assert run(campaign, self.day - dt.timedelta(days=1)).steps == []

    def test_nothing_leaves_outside_the_field(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, self.day)
        silent(campaign)
        campaign.stage = Campaign.Stage.CLOSED

        report = run(campaign, self.day)

        assert report.steps == []
        assert "close" in report.note

    def test_another_campaigns_households_are_left_alone(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, self.day)
        silent(CampaignFactory(stage=Campaign.Stage.FIELD))

        assert run(campaign, self.day).queued == 0

    def test_a_dry_run_tells_all_and_writes_nothing(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, self.day)
        due(campaign, Kind.FORMAL_NOTICE, self.day)
        silent(campaign)
        silent(campaign, household__email="")

        report = run(campaign, self.day, dry_run=True)

        digital, notice = report.steps
        assert dict(digital.told) == {"email": 1, "sms": 1}
        assert digital.samples["email"].subject
        assert dict(notice.excluded) == {TOO_SOON: 2}
        assert not Message.objects.exists()
        assert not CaseEvent.objects.exists()
        assert not Milestone.objects.exclude(done_at=None).exists()
        assert json.dumps(report.as_table())


class TestFormalNotice:
    def test_the_letter_reproduces_the_whole_article_and_says_how_to_answer(self, campaign: Campaign) -> None:
        due(campaign, Kind.FORMAL_NOTICE, OVERDUE)
        case = silent(campaign)

        run(campaign, OVERDUE)

        message = Message.objects.get(case=case)
        landlord = campaign.landlord
        assert message.channel == "letter"
        assert formal_notice_text(OVERDUE) in message.body
        assert message.subject.startswith("Mise en demeure")
        for needed in ("mettons en demeure", "quinze jours", "12 octobre 2026", landlord.hotline, landlord.name):
            assert needed in message.body
        assert message.recipient.splitlines()[-1] == "37000 TOURS"

    @pytest.mark.parametrize(("today", "told"), [(OVERDUE, 1), (OVERDUE - dt.timedelta(days=1), 0)])
    def test_it_waits_for_the_end_of_the_legal_month_of_each_case(
        self, campaign: Campaign, today: dt.date, told: int
    ) -> None:
        milestone = due(campaign, Kind.FORMAL_NOTICE, today)
        silent(campaign)
        late = silent(campaign)
        SurveyCase.objects.filter(pk=late.pk).update(sent_at=SENT_AT + dt.timedelta(days=10))

        [step] = run(campaign, today).steps

        milestone.refresh_from_db()
        assert step.told.total() == told
        assert step.excluded[TOO_SOON] == 2 - told
        assert milestone.done_at is None

    def test_a_case_too_recent_is_told_on_a_later_day(self, campaign: Campaign) -> None:
        milestone = due(campaign, Kind.FORMAL_NOTICE, OVERDUE)
        silent(campaign)
        late = silent(campaign)
        SurveyCase.objects.filter(pk=late.pk).update(sent_at=SENT_AT + dt.timedelta(days=10))
        run(campaign, OVERDUE)

        sunday_put_off = OVERDUE + dt.timedelta(days=11)  # the month ends on Sunday 22 November: art. 642 CPC
        assert run(campaign, sunday_put_off - dt.timedelta(days=1)).queued == 0
        [step] = run(campaign, sunday_put_off).steps

        milestone.refresh_from_db()
        assert step.told.total() == 1
        assert Message.objects.filter(case=late).exists()
        assert milestone.done_at is not None

    def test_an_ops_household_gets_none(self, campaign: Campaign) -> None:
        due(campaign, Kind.FORMAL_NOTICE, OVERDUE)
        silent(campaign, scope="ops")

        [step] = run(campaign, OVERDUE).steps

        assert dict(step.excluded) == {NOT_SLS: 1}

    @pytest.mark.parametrize("kind", [Kind.FORMAL_NOTICE, Kind.REMINDER_LETTER])
    def test_no_letter_goes_where_mail_does_not_arrive(self, campaign: Campaign, kind: str) -> None:
        due(campaign, kind, OVERDUE)
        CaseFactory(campaign=campaign, state="undelivered", sent_at=SENT_AT)

        [step] = run(campaign, OVERDUE).steps

        assert dict(step.excluded) == {NO_POST: 1}
        assert not Message.objects.exists()

    def test_a_form_that_came_back_does_not_hold_the_step_of_the_others(self, campaign: Campaign) -> None:
        milestone = due(campaign, Kind.FORMAL_NOTICE, OVERDUE)
        silent(campaign)
        case = silent(campaign)
        MessageFactory(case=case, channel="letter", purpose="form", wave="form", state="sent", sent_at=SENT_AT)
        record_undelivered(case=case, reason="unknown", now=SENT_AT)
        assert not legal_dates(case, law=law_of(campaign.landlord), today=OVERDUE).may_notice(OVERDUE)
        report = run(campaign, OVERDUE)
        milestone.refresh_from_db()

        assert report.queued == 1
        assert milestone.done_at is not None

    def test_a_notice_that_came_back_may_be_sent_again_once_the_address_is_mended(self, campaign: Campaign) -> None:
        due(campaign, Kind.FORMAL_NOTICE, OVERDUE)
        case = silent(campaign)
        MessageFactory(
            case=case, channel="letter", purpose="formal_notice", wave="formal_notice", state=Message.State.BOUNCED
        )

        run(campaign, OVERDUE)

        assert Message.objects.waiting().get().wave == "formal_notice-2"


class TestNonResponse:
    notice = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)

    @pytest.mark.parametrize(
        ("today", "state"), [(dt.date(2026, 12, 16), State.SENT), (dt.date(2026, 12, 17), State.NON_RESPONDENT)]
    )
    def test_fifteen_whole_days_must_have_passed(self, campaign: Campaign, today: dt.date, state: State) -> None:
        due(campaign, Kind.NON_RESPONSE, dt.date(2026, 12, 2))
        case = silent(campaign, formal_notice_at=self.notice)

        [step] = run(campaign, today).steps

        case.refresh_from_db()
        assert case.state == state
        assert step.moved == (state is State.NON_RESPONDENT)
        assert step.excluded[RUNNING] == (state is State.SENT)

    def test_nobody_is_given_up_without_a_formal_notice(self, campaign: Campaign) -> None:
        milestone = due(campaign, Kind.NON_RESPONSE, dt.date(2026, 12, 17))
        case = silent(campaign)

        [step] = run(campaign, dt.date(2026, 12, 31)).steps

        case.refresh_from_db()
        milestone.refresh_from_db()
        assert case.state == State.SENT
        assert dict(step.excluded) == {NO_NOTICE: 1}
        assert milestone.done_at is None

    def test_a_household_that_mail_does_not_reach_is_not_given_up(self, campaign: Campaign) -> None:
        due(campaign, Kind.NON_RESPONSE, dt.date(2026, 12, 17))
        case = CaseFactory(campaign=campaign, state="undelivered", sent_at=SENT_AT, formal_notice_at=self.notice)

        [step] = run(campaign, dt.date(2026, 12, 31)).steps

        case.refresh_from_db()
        assert case.state == State.UNDELIVERED
        assert dict(step.excluded) == {NO_POST: 1}

    def test_a_dry_run_gives_nobody_up(self, campaign: Campaign) -> None:
        due(campaign, Kind.NON_RESPONSE, dt.date(2026, 12, 17))
        case = silent(campaign, formal_notice_at=self.notice)

        [step] = run(campaign, dt.date(2026, 12, 31), dry_run=True).steps

        case.refresh_from_db()
        assert step.moved == 1
        assert case.state == State.SENT

    def test_an_answer_faster_than_the_run_wins(self, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        due(campaign, Kind.NON_RESPONSE, dt.date(2026, 12, 17))
        case = silent(campaign, formal_notice_at=self.notice)
        move = SurveyCase.move

        def overtaken(self: SurveyCase, what: Move, **told: object) -> None:
            SurveyCase.objects.filter(pk=self.pk).update(state="received")
            move(self, what, **told)  # type: ignore[arg-type]

        monkeypatch.setattr(SurveyCase, "move", overtaken)
        [step] = run(campaign, dt.date(2026, 12, 31)).steps

        case.refresh_from_db()
        assert case.state == State.RECEIVED
        assert dict(step.excluded) == {ANSWERED: 1}


@pytest.mark.django_db
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["answer", "remind", "deliver", "reopen"]), st.integers(0, 2)), max_size=14
    )
)
def test_no_reminder_is_ever_told_to_a_case_that_answered_before_the_hand_over(
    steps: list[tuple[str, int]],
) -> None:
    Message.objects.all().delete()
    campaign = CampaignFactory(stage=Campaign.Stage.FIELD)
    cases = [silent(campaign, household__occupants=1) for _ in range(3)]
    milestone = due(campaign, Kind.REMINDER_DIGITAL, dt.date(2026, 11, 2))
    now = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)
    answered: dict[int, dt.datetime] = {}
    for action, which in steps:
        now += dt.timedelta(minutes=1)
        if action == "answer" and cases[which].pk not in answered:
            SurveyCase.objects.get(pk=cases[which].pk).move(Move.RECEIVE, now=now)
            answered[cases[which].pk] = now
        elif action == "remind":
            send_due(campaign=campaign, today=now.date(), now=now)
        elif action == "deliver":
            deliver_waiting(now=now)
        elif action == "reopen":
            Milestone.objects.filter(pk=milestone.pk).update(done_at=None)

    for message in Message.objects.told():
        assert message.sent_at is not None
        assert message.case_id not in answered or message.sent_at < answered[message.case_id]
    told = [message.case_id for message in Message.objects.told()]
    assert len(told) == len(set(told))


class TestCommand:
    def test_it_tells_what_would_be_done(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, dt.date(2026, 11, 2))
        silent(campaign)
        out = StringIO()

        call_command("send_due", campaign=campaign.pk, on=dt.date(2026, 11, 2), dry_run=True, as_json=True, stdout=out)

        told = json.loads(out.getvalue())
        assert told["queued"] == 1
        assert told["steps"][0]["told"] == {"email": 1}
        assert not Message.objects.exists()

    def test_people_get_a_table_and_a_sample(self, campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
        milestone = due(campaign, Kind.REMINDER_DIGITAL, dt.date(2026, 11, 2))
        silent(campaign)
        armed(milestone, dt.datetime(2026, 10, 30, 9, tzinfo=dt.UTC))

        call_command("send_due", campaign=campaign.pk, on=dt.date(2026, 11, 2))

        told = capsys.readouterr().out
        assert "1 e-mail" in told
        assert "[lien personnel]" in told

    def test_a_wave_to_arm_is_said_and_nothing_leaves(self, campaign: Campaign) -> None:
        due(campaign, Kind.REMINDER_DIGITAL, dt.date(2026, 11, 2))
        silent(campaign)

        with pytest.raises(CommandError, match="À armer d'abord par une deuxième personne"):
            call_command("send_due", campaign=campaign.pk, on=dt.date(2026, 11, 2), stdout=StringIO())

        assert not Message.objects.exists()

    def test_an_unknown_campaign_is_refused(self, db: None) -> None:
        with pytest.raises(CommandError, match="n'existe pas"):
            call_command("send_due", campaign=0)

"""What is told to households: stored once, withdrawn when it crosses an answer, in words that fit."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.core import mail
from django.db import connection, connections

from campaigns.models import Campaign
from campaigns.scope import all_landlords
from tenants.case_states import Move
from tenants.messaging import (
    UnableToQueue,
    deliver_waiting,
    delivery,
    mobile_number,
    outcomes,
    queue,
    settle_uncertain,
)
from tenants.messaging.contract import Receipt
from tenants.models import CaseEvent, Message, Purpose, SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.carriers import Postman
from tests.tenants.telling import MORNING, an_email

State = Message.State


class TestQueue:
    def test_the_same_wave_is_told_once(self, case: SurveyCase) -> None:
        an_email(case)

        again = queue(
            case=case,
            channel="email",
            purpose="reminder_digital",
            wave="reminder_digital",
            recipient="autre@exemple.example",
            subject="",
            body="",
            now=MORNING,
        )

        assert again is None
        assert Message.objects.count() == 1

    def test_a_title_on_several_lines_becomes_one(self, case: SurveyCase) -> None:
        message = queue(
            case=case,
            channel="email",
            purpose="receipt",
            wave="receipt",
            recipient="a@exemple.example",
            subject="Votre\nenquête",
            body="x",
            now=MORNING,
        )

        assert message is not None
        assert message.subject == "Votre enquête"

    @pytest.mark.parametrize(
        ("channel", "recipient"),
        [("sms", "02 47 00 00 00"), ("sms", "pas un numéro"), ("email", "sans arobase"), ("letter", "  ")],
    )
    def test_an_unreachable_recipient_is_refused(self, case: SurveyCase, channel: str, recipient: str) -> None:
        with pytest.raises(UnableToQueue):
            queue(
                case=case,
                channel=channel,
                purpose="receipt",
                wave="x",
                recipient=recipient,
                subject="",
                body="",
                now=MORNING,
            )

        assert not Message.objects.exists()

    @pytest.mark.parametrize(
        ("written", "number"),
        [
            ("06 39 98 00 00", "+33639980000"),
            ("+33 (0)7.49.12.34.56", "+33749123456"),
            ("0692 12 34 56", "+262692123456"),
            ("02 47 00 00 00", ""),
            ("+44 7911 123456", ""),
            ("06 39 98", ""),
            ("", ""),
        ],
    )
    def test_only_french_mobiles_get_sms(self, written: str, number: str) -> None:
        assert mobile_number(written) == number


class TestHandOver:
    def test_a_reminder_is_withdrawn_when_the_answer_came_first(self, case: SurveyCase) -> None:
        message = an_email(case)
        case.move(Move.RECEIVE, now=MORNING)

        report = deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert report.cancelled == 1
        assert message.state == State.CANCELLED
        assert "en traitement" in message.explanation
        assert not mail.outbox
        assert CaseEvent.objects.filter(case=case, kind="message_cancelled").exists()

    def test_a_complement_is_withdrawn_when_the_case_is_complete(self, case: SurveyCase) -> None:
        SurveyCase.objects.filter(pk=case.pk).update(state="complete")
        message = MessageFactory(case=case, purpose=Purpose.COMPLEMENT, wave="complement-1")

        deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert message.state == State.CANCELLED

    def test_a_receipt_leaves_whatever_the_state(self, case: SurveyCase) -> None:
        case.move(Move.RECEIVE, now=MORNING)
        MessageFactory(case=case, purpose=Purpose.RECEIPT, wave="receipt")

        assert deliver_waiting(now=MORNING).sent == 1

    def test_a_closed_campaign_reminds_nobody(self, case: SurveyCase) -> None:
        an_email(case)
        Campaign.objects.filter(pk=case.campaign_id).update(stage=Campaign.Stage.CLOSED)

        assert deliver_waiting(now=MORNING).cancelled == 1

    def test_letters_wait_for_their_print_batch(self, case: SurveyCase) -> None:
        message = MessageFactory(case=case, channel="letter", purpose=Purpose.REMINDER_LETTER)

        assert deliver_waiting(now=MORNING).taken == 0
        message.refresh_from_db()
        assert message.state == State.QUEUED

    def test_a_worker_killed_between_claim_and_outcome_leaves_a_doubt_for_a_person(self, case: SurveyCase) -> None:
        message = an_email(case)
        Message.objects.filter(pk=message.pk).update(state=State.SENDING, claimed_at=MORNING)

        assert deliver_waiting(now=MORNING + outcomes.LEASE).taken == 0
        report = deliver_waiting(now=MORNING + outcomes.LEASE + dt.timedelta(seconds=1))

        message.refresh_from_db()
        assert report.uncertain == 1
        assert message.state == State.UNCERTAIN
        assert not mail.outbox

    @pytest.mark.parametrize(("left", "state"), [(True, State.SENT), (False, State.QUEUED)])
    def test_a_person_settles_the_doubt_once(self, case: SurveyCase, left: bool, state: str) -> None:
        message = MessageFactory(case=case, state=State.UNCERTAIN, claimed_at=MORNING)

        assert settle_uncertain(message=message, left=left, now=MORNING)
        assert not settle_uncertain(message=message, left=not left, now=MORNING)

        message.refresh_from_db()
        assert message.state == state

    def test_a_fault_of_ours_stops_no_other_message_and_logs_no_name(
        self, case: SurveyCase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        first = an_email(case, "premier@exemple.example")
        an_email(CaseFactory(sent=True))
        send = delivery.EmailChannel.send

        def broken(self: delivery.EmailChannel, outgoing: delivery.Outgoing) -> Receipt:
            if outgoing.key == first.pk:
                raise KeyError("premier@exemple.example")
            return send(self, outgoing)

        monkeypatch.setattr(delivery.EmailChannel, "send", broken)
        report = deliver_waiting(now=MORNING)

        assert (report.uncertain, report.sent) == (1, 1)
        assert f"message {first.pk}" in caplog.text
        assert "premier@" not in caplog.text

    def test_the_limit_is_kept_and_the_oldest_go_first(self, case: SurveyCase) -> None:
        first = an_email(case)
        an_email(CaseFactory(sent=True))

        deliver_waiting(now=MORNING, limit=1)

        assert [message.pk for message in Message.objects.told()] == [first.pk]

    def test_a_second_run_tells_nothing_again(self, case: SurveyCase, postman: Postman) -> None:
        an_email(case)

        assert [deliver_waiting(now=MORNING).sent for _ in range(3)] == [1, 0, 0]
        assert len(postman.accepted) == 1

    @pytest.mark.postgres
    @pytest.mark.django_db(transaction=True)
    def test_workers_at_the_same_time_send_each_message_once(self, postman: Postman) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("the in-memory test database of SQLite has one writer")
        with all_landlords():
            campaign = CampaignFactory(stage=Campaign.Stage.FIELD)
            for number in range(40):
                an_email(CaseFactory(sent=True, campaign=campaign), f"foyer{number}@exemple.example")
        start = threading.Barrier(4)
        sent: list[int] = []

        def work() -> None:
            try:
                with all_landlords():
                    start.wait(timeout=30)
                    sent.append(deliver_waiting(now=MORNING).sent)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sum(sent) == 40
        assert len({str(email["To"]) for email in postman.accepted}) == len(postman.accepted) == 40

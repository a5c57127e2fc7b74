"""What is told to households: once, by a real server, with its proof; and what happens when carriers fail."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection, connections
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Campaign
from campaigns.scope import all_landlords
from tenants import access_codes
from tenants.case_states import Move
from tenants.messaging import (
    UnableToQueue,
    deliver_waiting,
    delivery,
    gsm7,
    mobile_number,
    queue,
    render,
    settle_uncertain,
)
from tenants.messaging.texts import LINK, UnableToWrite, french_day
from tenants.models import AccessCode, CaseEvent, Message, Purpose, SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.carriers import Postman, Switchboard, free_port, smtp_server, twilio_stub

State = Message.State
MORNING = dt.datetime(2026, 10, 1, 9, 0, tzinfo=dt.UTC)  # a Thursday, 11 h in Paris
NIGHT = dt.datetime(2026, 10, 1, 19, 0, tzinfo=dt.UTC)  # 21 h in Paris
SUNDAY = dt.datetime(2026, 10, 4, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def case(db: None) -> SurveyCase:
    return CaseFactory(sent=True, campaign__stage=Campaign.Stage.FIELD)


@pytest.fixture
def postman() -> Iterator[Postman]:
    with smtp_server() as (postman, port):
        server = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1"}
        with override_settings(EMAIL_PORT=port, EMAIL_TIMEOUT=10, **server):
            yield postman


@pytest.fixture
def board() -> Iterator[Switchboard]:
    with (
        twilio_stub() as board,
        override_settings(
            SMS_BACKEND="tenants.messaging.sms.TwilioBackend",
            TWILIO_ACCOUNT_SID="AC0",
            TWILIO_AUTH_TOKEN="secret",
            TWILIO_SENDER="Enquete",
            TWILIO_API_BASE=board.url,
        ),
    ):
        yield board


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Path]:
    with override_settings(OUTBOX_DIR=tmp_path):
        yield tmp_path


def an_email(case: SurveyCase, recipient: str = "foyer@exemple.example", body: str = "Bonjour,\n") -> Message:
    message = queue(
        case=case,
        channel=Message.Channel.EMAIL,
        purpose=Purpose.REMINDER_DIGITAL,
        wave="reminder_digital",
        recipient=recipient,
        subject="Votre enquête",
        body=body,
        now=MORNING,
    )
    assert message is not None
    return message


def an_sms(case: SurveyCase, number: str = "06 39 98 00 00") -> Message:
    message = queue(
        case=case,
        channel=Message.Channel.SMS,
        purpose=Purpose.REMINDER_DIGITAL,
        wave="reminder_digital",
        recipient=number,
        subject="",
        body=f"Bonjour {LINK}",
        now=MORNING,
    )
    assert message is not None
    return message


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


class TestEmail:
    def test_it_arrives_in_text_and_html_with_an_identifier_and_a_proof(
        self, case: SurveyCase, postman: Postman
    ) -> None:
        message = an_email(case, body="Bonjour,\n\nRépondez avant le 20 novembre.\n")

        report = deliver_waiting(now=MORNING)

        message.refresh_from_db()
        [received] = postman.accepted
        text, page = [part.get_payload(decode=True).decode() for part in received.get_payload()]
        assert (report.sent, report.taken) == (1, 1)
        assert message.state == State.SENT
        assert message.sent_at == MORNING
        assert received["Message-ID"] == message.provider_id == message.proof["message_id"]
        assert case.campaign.landlord.name in str(received["From"])
        assert received["Reply-To"] == case.campaign.landlord.contact_email
        assert text.split() == message.body.split()
        assert "<p>Répondez avant le 20 novembre.</p>" in page
        assert message.proof["sha256"] == hashlib.sha256(message.body.encode()).hexdigest()
        assert CaseEvent.objects.get(case=case).kind == "message_sent"

    def test_what_a_household_wrote_is_escaped_in_the_html(self, case: SurveyCase, postman: Postman) -> None:
        an_email(case, body="Bonjour <script>alert(1)</script> & l'équipe\n")

        deliver_waiting(now=MORNING)

        page = postman.accepted[0].get_payload()[1].get_payload(decode=True).decode()
        assert "<script>" not in page

    def test_the_personal_link_works_and_stands_nowhere_in_the_database(
        self, case: SurveyCase, postman: Postman
    ) -> None:
        message = an_email(case, body=f"Votre lien : {LINK}\n")

        deliver_waiting(now=MORNING)

        text = postman.accepted[0].get_payload()[0].get_payload(decode=True).decode()
        found = re.search(r"/a/([\w-]{22})", text)
        assert found is not None
        assert access_codes.check_link(token=found[1], now=MORNING) == case
        assert AccessCode.objects.get().wave == "reminder_digital"
        assert found[1] not in str(list(Message.objects.values())) + str(list(AccessCode.objects.values()))
        message.refresh_from_db()
        assert LINK in message.body

    def test_a_refused_recipient_fails_for_good(self, case: SurveyCase, postman: Postman) -> None:
        message = an_email(case, "inconnu@exemple.example")

        report = deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert report.failed == 1
        assert message.state == State.FAILED
        assert "550" in message.explanation
        assert deliver_waiting(now=MORNING + dt.timedelta(days=1)).taken == 0

    def test_a_full_mailbox_is_tried_again_later_then_given_up(self, case: SurveyCase, postman: Postman) -> None:
        message = an_email(case, "plein@exemple.example")

        report = deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert report.retried == 1
        assert (message.state, message.attempts) == (State.QUEUED, 1)
        assert deliver_waiting(now=MORNING + dt.timedelta(minutes=4)).taken == 0
        for day in range(1, 9):
            deliver_waiting(now=MORNING + dt.timedelta(days=day))
        message.refresh_from_db()
        assert (message.state, message.attempts) == (State.FAILED, delivery.MOST_ATTEMPTS)

    def test_a_line_cut_during_the_hand_over_is_a_doubt_never_tried_again(
        self, case: SurveyCase, postman: Postman
    ) -> None:
        message = an_email(case, "coupure@exemple.example")
        other = an_email(CaseFactory(sent=True, campaign=case.campaign))

        report = deliver_waiting(now=MORNING)

        message.refresh_from_db()
        other.refresh_from_db()
        assert report.uncertain == 1
        assert message.state == State.UNCERTAIN
        assert other.state == State.SENT
        assert deliver_waiting(now=MORNING + dt.timedelta(days=1)).taken == 0

    def test_a_server_that_is_away_costs_only_time(self, case: SurveyCase) -> None:
        message = an_email(case)
        away = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1"}

        with override_settings(EMAIL_PORT=free_port(), **away):
            report = deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert report.retried == 1
        assert message.state == State.QUEUED
        assert "ne répond pas" in message.explanation
        assert deliver_waiting(now=MORNING + dt.timedelta(minutes=6)).sent == 1

    def test_an_address_that_breaks_headers_fails_for_good(self, case: SurveyCase) -> None:
        message = MessageFactory(case=case, recipient="a@exemple.example\nBcc: b@exemple.example")

        deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert message.state == State.FAILED
        assert not mail.outbox

    def test_a_document_is_joined(self, case: SurveyCase, postman: Postman) -> None:
        queue(
            case=case,
            channel="email",
            purpose="receipt",
            wave="receipt",
            recipient="a@exemple.example",
            subject="Accusé",
            body="Merci.",
            now=MORNING,
            document=b"%PDF-1.4 recu",
        )

        deliver_waiting(now=MORNING)

        [joined] = [part for part in postman.accepted[0].walk() if part.get_content_type() == "application/pdf"]
        assert joined.get_payload(decode=True) == b"%PDF-1.4 recu"


class TestTwilio:
    def test_an_sms_goes_out_with_its_personal_link_and_the_identifier_is_kept(
        self, case: SurveyCase, board: Switchboard
    ) -> None:
        message = an_sms(case)

        deliver_waiting(now=MORNING)

        message.refresh_from_db()
        [request] = board.received
        assert request["path"] == "/2010-04-01/Accounts/AC0/Messages.json"
        assert request["auth"] == "Basic " + base64.b64encode(b"AC0:secret").decode()
        assert (request["To"], request["From"]) == ("+33639980000", "Enquete")
        assert re.fullmatch(rf"Bonjour {re.escape(settings.PORTAL_URL)}/a/[\w-]{{22}}", request["Body"])
        assert message.state == State.SENT
        assert message.provider_id == message.proof["sid"] == f"SM{1:032d}"
        assert message.proof["sha256"] == hashlib.sha256(request["Body"].encode()).hexdigest()

    def test_a_breakdown_after_accepting_is_a_doubt_and_never_a_second_sms(
        self, case: SurveyCase, board: Switchboard
    ) -> None:
        message = an_sms(case)
        board.answers["+33639980000"] = (500, {"code": 20500, "message": "Internal Server Error", "status": 500})

        report = deliver_waiting(now=MORNING)
        for day in (1, 2, 3, 5, 6):
            deliver_waiting(now=MORNING + dt.timedelta(days=day))

        message.refresh_from_db()
        assert report.uncertain == 1
        assert message.state == State.UNCERTAIN
        assert len(board.received) == 1

    def test_a_line_cut_after_the_request_is_a_doubt(self, case: SurveyCase, board: Switchboard) -> None:
        message = an_sms(case)
        board.answers["+33639980000"] = None

        deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert message.state == State.UNCERTAIN
        assert len(board.received) == 1

    @pytest.mark.parametrize(
        ("code", "told"), [(21211, "le numéro n'existe pas"), (21610, "STOP"), (30999, "code 30999")]
    )
    def test_a_refusal_fails_for_good_and_is_explained(
        self, case: SurveyCase, board: Switchboard, code: int, told: str
    ) -> None:
        message = an_sms(case)
        board.answers["+33639980000"] = (400, {"code": code, "message": "refused", "status": 400})

        deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert message.state == State.FAILED
        assert told in message.explanation

    @pytest.mark.parametrize("status", [401, 429])
    def test_our_own_account_or_pace_refused_is_tried_again(
        self, case: SurveyCase, board: Switchboard, status: int
    ) -> None:
        message = an_sms(case)
        board.answers["+33639980000"] = (status, {"code": 20003, "message": "no", "status": status})

        deliver_waiting(now=MORNING)
        board.answers.clear()
        deliver_waiting(now=MORNING + dt.timedelta(hours=1))

        message.refresh_from_db()
        assert message.state == State.SENT

    def test_nobody_listening_costs_only_time(self, case: SurveyCase, board: Switchboard) -> None:
        message = an_sms(case)

        with override_settings(TWILIO_API_BASE=f"http://127.0.0.1:{free_port()}"):
            report = deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert report.retried == 1
        assert message.state == State.QUEUED

    @pytest.mark.parametrize("when", [NIGHT, SUNDAY, MORNING.replace(hour=5, minute=59)])
    def test_no_phone_rings_at_night_or_on_sunday(
        self, case: SurveyCase, board: Switchboard, when: dt.datetime
    ) -> None:
        an_sms(case)
        an_email(CaseFactory(sent=True, campaign=case.campaign))

        report = deliver_waiting(now=when)

        assert report.sent == 1
        assert not board.received
        assert Message.objects.waiting().get().channel == "sms"


class TestOutbox:
    def test_an_sms_is_kept_as_a_file(self, case: SurveyCase, outbox: Path) -> None:
        message = an_sms(case)

        deliver_waiting(now=MORNING)

        told = json.loads((outbox / f"sms-{message.pk}.json").read_text())
        assert told["to"] == "+33639980000"
        assert settings.PORTAL_URL in told["text"]

    def test_a_rehearsal_never_leaves_the_outbox_whatever_the_settings_say(
        self, db: None, postman: Postman, board: Switchboard, outbox: Path
    ) -> None:
        campaign = CampaignFactory(rehearsal=True, stage=Campaign.Stage.FIELD)
        an_email(CaseFactory(sent=True, campaign=campaign))
        an_sms(CaseFactory(sent=True, campaign=campaign))

        report = deliver_waiting(now=MORNING)

        assert report.sent == 2
        assert not postman.accepted
        assert not board.received
        assert sorted(path.suffix for path in outbox.iterdir()) == [".eml", ".json"]
        assert {message.proof["backend"] for message in Message.objects.all()} == {"outbox"}


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

        assert deliver_waiting(now=MORNING + delivery.LEASE).taken == 0
        report = deliver_waiting(now=MORNING + delivery.LEASE + dt.timedelta(seconds=1))

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

        def broken(self: delivery.EmailChannel, outgoing: delivery.Outgoing) -> delivery.Receipt:
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


class TestTexts:
    @pytest.mark.parametrize("purpose", [Purpose.FORM, Purpose.REMINDER_DIGITAL])
    def test_an_email_says_who_asks_why_by_when_and_how(self, case: SurveyCase, purpose: Purpose) -> None:
        text = render(case=case, channel="email", purpose=purpose, on=dt.date(2026, 11, 2))

        landlord = case.campaign.landlord
        for needed in (landlord.name, landlord.hotline, "20 novembre 2026", "ressources de votre foyer", LINK, "loi"):
            assert needed in text.subject + text.body or (needed == "loi" and "légale" in text.body)
        assert "Objet" not in text.subject
        assert "\n\n\n" not in text.body

    @pytest.mark.parametrize("channel", ["email", "letter"])
    def test_a_complement_lists_every_missing_item_and_how_to_send_it(self, case: SurveyCase, channel: str) -> None:
        items = [
            {"sentence": "Loïc : il manque l'avis d'impôt.", "how": "Envoyez une copie."},
            {"sentence": "La signature manque.", "how": "Signez & renvoyez."},
        ]

        told = {"items": items, "due_on": dt.date(2026, 12, 1)}
        text = render(case=case, channel=channel, purpose=Purpose.COMPLEMENT, on=dt.date(2026, 11, 16), **told)

        assert (
            "– Loïc : il manque l'avis d'impôt. Envoyez une copie.\n– La signature manque. Signez & renvoyez.\n\n"
            in (text.body)
        )
        assert "avant le 1er décembre 2026" in text.body

    @pytest.mark.parametrize("name", ["Val Habitat", "Société anonyme d'habitations à loyer modéré de la Vallée " * 2])
    def test_an_sms_fits_in_160_places_of_its_alphabet_with_link_help_and_stop(
        self, case: SurveyCase, name: str
    ) -> None:
        case.campaign.landlord.name = name[:120]
        with override_settings(PORTAL_URL="https://enquete.exemple.example"):
            text = render(case=case, channel="sms", purpose=Purpose.REMINDER_DIGITAL, on=dt.date(2026, 11, 2)).body
            whole = text.replace(LINK, access_codes.link_url("x" * 22))

        assert gsm7.length(whole) <= 160
        assert set(whole) <= gsm7.BASIC | gsm7.DOUBLE
        assert case.campaign.landlord.hotline in whole
        assert "STOP" in whole
        assert not re.search(r"€|pénal|suppl|mise en demeure", whole)

    def test_an_sms_that_cannot_fit_is_refused_loudly(self, case: SurveyCase) -> None:
        with override_settings(PORTAL_URL=f"https://{'tres-' * 20}long.example"), pytest.raises(UnableToWrite):
            render(case=case, channel="sms", purpose=Purpose.REMINDER_DIGITAL, on=dt.date(2026, 11, 2))

    @given(st.text())
    def test_whatever_is_written_ends_in_the_sms_alphabet(self, text: str) -> None:
        assert set(gsm7.in_gsm7(text)) <= gsm7.BASIC | gsm7.DOUBLE

    def test_french_keeps_the_accents_that_sms_know(self) -> None:
        assert gsm7.in_gsm7("L’enquête reçue à Noël, où ? « Œuvre »") == 'L\'enquete recue à Noel, où ? "OEuvre"'

    def test_the_first_of_the_month_is_written_1er(self) -> None:
        assert french_day(dt.date(2026, 12, 1)) == "1er décembre 2026"

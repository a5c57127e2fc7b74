"""A real SMTP server and a stub in the place of Twilio: proofs, refusals, doubts."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.test import override_settings

from campaigns.models import Campaign
from tenants import access_codes
from tenants.messaging import (
    deliver_waiting,
    delivery,
    queue,
)
from tenants.messaging.texts import LINK
from tenants.models import AccessCode, CaseEvent, Message, SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.carriers import Postman, Switchboard, free_port, twilio_stub
from tests.tenants.telling import MORNING, NIGHT, SUNDAY, an_email, an_sms

State = Message.State


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

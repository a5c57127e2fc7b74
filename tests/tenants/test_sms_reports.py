"""What Twilio reports: signed callbacks in any order, STOP, wrong numbers, and its list that settles doubts."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from campaigns.models import Campaign
from tenants.messaging import UnableToWrite, deliver_waiting, delivery, sms_reports
from tenants.messaging.segments import segments
from tenants.messaging.sms import callback_of, sender_of
from tenants.messaging.texts import _short
from tenants.models import CaseEvent, ContactMark, Message, SurveyCase
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.carriers import Switchboard, twilio_stub
from tests.tenants.telling import MORNING, an_sms

State = Message.State
OURS = "https://enquete.exemple.example"
SID = "SM" + "0" * 32
NUMBER = "+33639980000"


@pytest.fixture(autouse=True)
def _account() -> Iterator[None]:
    with override_settings(TWILIO_AUTH_TOKEN="secret", TWILIO_ACCOUNT_SID="AC0", TWILIO_CALLBACKS=OURS):
        yield


@pytest.fixture
def board() -> Iterator[Switchboard]:
    with (
        twilio_stub() as board,
        override_settings(SMS_BACKEND="tenants.messaging.sms.TwilioBackend", TWILIO_API_BASE=board.url),
    ):
        yield board


@pytest.fixture
def sent(case: SurveyCase) -> Message:
    """An SMS that Twilio took."""
    message = MessageFactory(case=case, channel="sms", recipient=NUMBER, state=State.SENT, sent_at=MORNING)
    Message.objects.filter(pk=message.pk).update(provider_id=SID)
    message.refresh_from_db()
    return message


def called_back(url: str, *, signer: str = "secret", **posted: str) -> Any:
    """Post as Twilio does, signed with the account's secret."""
    signature = RequestValidator(signer).compute_signature(url, posted)
    path = url.removeprefix(OURS)
    return Client(headers={"X-Twilio-Signature": signature}).post(path, posted)


def status(message: Message, told: str, code: str = "", sid: str = SID) -> Any:
    posted = {"MessageSid": sid, "MessageStatus": told} | ({"ErrorCode": code} if code else {})
    return called_back(callback_of(message.pk), **posted)


class TestStatus:
    def test_a_delivered_sms_is_said_so_once(self, sent: Message) -> None:
        answers = [status(sent, told).status_code for told in ("sent", "delivered", "delivered")]

        sent.refresh_from_db()
        assert answers == [204, 204, 204]
        assert sent.state == State.DELIVERED
        assert CaseEvent.objects.filter(kind="message_delivered").count() == 1

    @pytest.mark.parametrize("order", list(itertools.permutations(["queued", "sent", "delivered"])))
    def test_the_order_of_the_callbacks_does_not_matter(self, sent: Message, order: tuple[str, ...]) -> None:
        for told in order:
            status(sent, told)

        sent.refresh_from_db()
        assert (sent.state, sent.proof["status"]) == (State.DELIVERED, "delivered")

    @pytest.mark.parametrize(
        ("code", "marked"),
        [("30003", []), ("30005", ["dead"]), ("30006", ["dead"]), ("30007", []), ("21610", ["stop"]), ("", [])],
    )
    def test_an_undelivered_sms_comes_back_with_its_cause(self, sent: Message, code: str, marked: list[str]) -> None:
        status(sent, "undelivered", code)

        sent.refresh_from_db()
        assert sent.state == State.BOUNCED
        assert sent.explanation.startswith("SMS non distribué")
        assert list(ContactMark.objects.values_list("kind", flat=True)) == marked

    def test_a_forged_signature_is_refused(self, sent: Message) -> None:
        posted = {"MessageSid": SID, "MessageStatus": "failed"}

        assert called_back(callback_of(sent.pk), signer="autre", **posted).status_code == 403
        assert Client().post("/messages/sms/statut/", posted).status_code == 403

        sent.refresh_from_db()
        assert sent.state == State.SENT

    def test_a_callback_about_somebody_else_is_unknown(self, sent: Message) -> None:
        assert status(sent, "delivered", sid="SM" + "9" * 32).status_code == 404
        assert status(sent, "on-its-way").status_code == 404

    def test_without_a_secret_nothing_is_believed(self, sent: Message) -> None:
        with override_settings(TWILIO_AUTH_TOKEN=""):
            assert status(sent, "delivered").status_code == 403

    def test_a_callback_settles_a_doubt(self, sent: Message) -> None:
        Message.objects.filter(pk=sent.pk).update(
            state=State.UNCERTAIN, provider_id="", sent_at=None, claimed_at=MORNING
        )

        status(sent, "delivered")

        sent.refresh_from_db()
        assert (sent.state, sent.provider_id, sent.sent_at) == (State.DELIVERED, SID, MORNING)

    def test_a_callback_faster_than_our_own_write_is_not_lost(
        self, case: SurveyCase, board: Switchboard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message, record = an_sms(case), delivery.record_success

        def overtaken(*args: Any) -> int:
            status(message, "delivered", sid=f"SM{1:032d}")
            return record(*args)

        monkeypatch.setattr(delivery, "record_success", overtaken)
        deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert message.state == State.DELIVERED

    def test_each_sms_asks_for_its_own_callback(self, case: SurveyCase, board: Switchboard) -> None:
        message = an_sms(case)

        deliver_waiting(now=MORNING)

        assert board.received[0]["StatusCallback"] == f"{OURS}/messages/sms/statut/?envoi={message.pk}"


class TestReplies:
    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("STOP", "stop"),
            ("stop svp", "stop"),
            ("Arrêt", "stop"),
            ("Vous vous trompez de numéro", "wrong"),
            ("mauvais numéro, merci", "wrong"),
            ("Stop c'est fait depuis lundi dernier", None),
            ("J'ai déjà répondu", None),
            ("", None),
        ],
    )
    def test_what_people_answer(self, sent: Message, text: str, kind: str | None) -> None:
        answer = called_back(f"{OURS}/messages/sms/reponse/", From=NUMBER, Body=text)

        assert answer.status_code == 200
        assert b"<Response>" in answer.content
        assert list(ContactMark.objects.values_list("kind", flat=True)) == ([kind] if kind else [])

    def test_stop_holds_for_each_landlord_who_wrote_and_for_the_next_campaign(self, sent: Message) -> None:
        other = CaseFactory(sent=True, campaign__stage=Campaign.Stage.FIELD)
        MessageFactory(case=other, channel="sms", recipient=NUMBER, state=State.SENT)
        called_back(f"{OURS}/messages/sms/reponse/", From=NUMBER, Body="STOP", OptOutType="STOP")
        called_back(f"{OURS}/messages/sms/reponse/", From=NUMBER, Body="STOP", OptOutType="STOP")

        again = an_sms(CaseFactory(sent=True, campaign__landlord=sent.case.campaign.landlord, campaign__year=2028))
        deliver_waiting(now=MORNING)

        again.refresh_from_db()
        assert ContactMark.objects.count() == 2
        assert again.state == State.FAILED
        assert "STOP" in again.explanation

    def test_an_unsigned_reply_is_refused(self, sent: Message) -> None:
        assert Client().post("/messages/sms/reponse/", {"From": NUMBER, "Body": "STOP"}).status_code == 403
        assert not ContactMark.objects.exists()


class TestRefusals:
    @pytest.mark.parametrize(("code", "kind"), [(21610, "stop"), (21211, "dead"), (21614, "dead")])
    def test_what_a_refusal_teaches_is_kept(self, case: SurveyCase, board: Switchboard, code: int, kind: str) -> None:
        board.answers[NUMBER] = (400, {"code": code, "message": "no", "status": 400})
        an_sms(case)

        assert deliver_waiting(now=MORNING).failed == 1

        assert ContactMark.objects.get().kind == kind


class TestReconciliation:
    def test_one_that_answered_by_a_failure_after_taking_it_is_found(
        self, case: SurveyCase, board: Switchboard
    ) -> None:
        for number in range(5):  # Twilio's list has several pages
            board.kept[f"SM{90 + number:032d}"] = {"sid": f"SM{90 + number:032d}", "to": NUMBER, "body": "autre"}
        board.answers[NUMBER] = (500, {"code": 20500, "message": "oops", "status": 500})
        message = an_sms(case)
        deliver_waiting(now=MORNING)

        done = sms_reports.reconcile(now=MORNING + dt.timedelta(minutes=11))

        message.refresh_from_db()
        assert (done.found, done.unknown) == (1, 0)
        assert message.state == State.SENT
        assert board.kept[message.provider_id]["to"] == NUMBER
        assert len(board.received) == 1

    def test_one_that_twilio_does_not_know_waits_for_a_person(self, case: SurveyCase, board: Switchboard) -> None:
        message = MessageFactory(
            case=case, channel="sms", recipient=NUMBER, body="Bonjour", state=State.UNCERTAIN, claimed_at=MORNING
        )

        done = sms_reports.reconcile(now=MORNING + dt.timedelta(hours=1))

        message.refresh_from_db()
        assert (done.found, done.unknown) == (0, 1)
        assert message.state == State.UNCERTAIN
        assert "ne connaît pas" in message.explanation

    def test_the_sms_of_another_household_is_not_taken_for_it(self, case: SurveyCase, board: Switchboard) -> None:
        other = CaseFactory(sent=True, campaign=case.campaign)
        an_sms(other)
        deliver_waiting(now=MORNING)
        message = an_sms(case)
        Message.objects.filter(pk=message.pk).update(state=State.UNCERTAIN, claimed_at=MORNING)

        assert sms_reports.reconcile(now=MORNING + dt.timedelta(hours=1)).found == 0

    @pytest.mark.parametrize(
        ("told", "code", "state"),
        [("delivered", None, "delivered"), ("undelivered", 30005, "bounced"), ("sent", None, "sent")],
    )
    def test_one_of_which_no_callback_spoke_is_asked_for(
        self, case: SurveyCase, board: Switchboard, told: str, code: int | None, state: str
    ) -> None:
        message = an_sms(case)
        deliver_waiting(now=MORNING)
        message.refresh_from_db()
        board.kept[message.provider_id] |= {"status": told, "error_code": code}

        assert sms_reports.reconcile(now=MORNING + dt.timedelta(minutes=59)).told == 0
        assert sms_reports.reconcile(now=MORNING + dt.timedelta(hours=2)).told == 1
        assert sms_reports.reconcile(now=MORNING + dt.timedelta(hours=3)).told == 0

        message.refresh_from_db()
        assert message.state == state


class TestText:
    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("", 0),
            *((text * count, 1) for text, count in (("a", 160), ("é", 160), ("€", 80), ("ê", 70), ("😀", 35))),
            *((text * count, 2) for text, count in (("a", 161), ("€", 81), ("ê", 71), ("a", 306), ("😀", 36))),
            ("a" * 307, 3),
            ("a" * 152 + "€" * 5, 2),
        ],
    )
    def test_segments_are_those_that_are_charged(self, text: str, count: int) -> None:
        assert segments(text) == count

    @given(st.text(max_size=400), st.text(max_size=50))
    def test_a_longer_text_is_never_charged_less(self, text: str, more: str) -> None:
        plain = "".join(letter for letter in text + more if not "\ud800" <= letter <= "\udfff")
        start = "".join(letter for letter in text if not "\ud800" <= letter <= "\udfff")

        assert segments(start) <= segments(plain)

    @pytest.mark.parametrize(
        ("name", "sender"),
        [
            ("Touraine Logement", "Touraine"),
            ("Élan-Habitat", "Elan"),
            ("OPH", "OPH"),
            ("Intercommunalité", "Intercommun"),
            ("37", "Enquete"),
        ],
    )
    def test_the_landlord_is_the_sender(self, name: str, sender: str) -> None:
        assert sender_of(name) == sender

    @pytest.mark.parametrize("words", ["25 €", "120 euros", "mise en demeure", "un huissier", "une pénalité"])
    def test_no_amount_and_no_threat_is_sent_by_sms(self, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tenants.messaging.texts.render_to_string", lambda *_: f"Bonjour, {words}")

        with pytest.raises(UnableToWrite, match="ni montant ni menace"):
            _short("x.txt", {"landlord_name": "Touraine Logement"})

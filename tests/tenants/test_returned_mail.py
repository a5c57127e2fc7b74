"""Bounces and complaints: what each is, which message it speaks of, what follows; and where they are collected."""

from __future__ import annotations

import mailbox
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from tenants import tasks, waves
from tenants.messaging import bounces, deliver_waiting, mailboxes, returned_mail
from tenants.messaging.contact_rights import mark
from tenants.messaging.email import seal
from tenants.models import CaseEvent, ContactMark, Message, ReturnedMail, SurveyCase
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.carriers import Postman
from tests.tenants.returned_mails import KINDS, POSTFIX_UNKNOWN, filled
from tests.tenants.telling import MORNING, an_email

State = Message.State
BOUNCING = "retours@exemple.example"


def about(message: Message, text: str) -> bytes:
    return filled(text, key=message.pk, seal=seal(message.pk, message.recipient))


@pytest.fixture
def sent(case: SurveyCase) -> Message:
    """An e-mail that left."""
    return MessageFactory(case=case, state=State.SENT, sent_at=MORNING)


class TestKinds:
    @pytest.mark.parametrize("name", KINDS)
    def test_each_kind_is_told_from_the_others(self, name: str) -> None:
        text, kind = KINDS[name]

        told = bounces.classify(filled(text, key=7, seal="0123456789abcdef"))

        assert told.kind == kind
        assert told.marks[0] == (7, "0123456789abcdef")

    @pytest.mark.parametrize("content", [b"", b"\x00\xff" * 50, b"Content-Type: multipart/report\r\n\r\n", b"To: x"])
    def test_rubbish_is_for_a_person(self, content: bytes) -> None:
        assert bounces.classify(content).kind == "other"

    @given(st.binary(max_size=400))
    def test_nothing_that_comes_in_breaks_the_reading(self, content: bytes) -> None:
        assert bounces.classify(content).kind in ReturnedMail.Kind.values

    def test_a_report_cut_at_any_byte_is_still_read(self) -> None:
        whole = filled(POSTFIX_UNKNOWN, key=7, seal="0123456789abcdef")

        kinds = {bounces.classify(whole[:end]).kind for end in range(0, len(whole), 7)}

        assert kinds <= set(ReturnedMail.Kind.values)


class TestEffects:
    @pytest.mark.parametrize(
        ("name", "state", "marks"),
        [
            ("a virtual mailbox that does not exist", State.BOUNCED, ["dead"]),
            ("a full mailbox", State.BOUNCED, []),
            ("a block list", State.BOUNCED, []),
            ("a challenge", State.BOUNCED, []),
            ("a warning of delay", State.SENT, []),
            ("an absence", State.SENT, []),
            ("a person's answer", State.SENT, []),
            ("a complaint", State.SENT, ["complaint"]),
        ],
    )
    def test_what_follows_from_each(self, sent: Message, name: str, state: str, marks: list[str]) -> None:
        taken = returned_mail.take(content=about(sent, KINDS[name][0]), now=MORNING)

        sent.refresh_from_db()
        assert taken is not None
        assert taken.message == sent
        assert sent.state == state
        assert list(ContactMark.objects.values_list("kind", flat=True)) == marks
        assert (CaseEvent.objects.filter(kind="message_bounced").count() == 1) is (state == State.BOUNCED)

    def test_the_same_one_twice_is_one(self, sent: Message) -> None:
        content = about(sent, POSTFIX_UNKNOWN)
        returned_mail.take(content=content, now=MORNING)

        assert returned_mail.take(content=content, now=MORNING) is None
        assert CaseEvent.objects.filter(kind="message_bounced").count() == 1

    def test_a_forged_identifier_touches_nothing(self, sent: Message) -> None:
        taken = returned_mail.take(content=filled(POSTFIX_UNKNOWN, key=sent.pk, seal="0" * 16), now=MORNING)

        sent.refresh_from_db()
        assert taken is not None
        assert taken.message is None
        assert sent.state == State.SENT

    def test_a_bounce_settles_a_doubt(self, sent: Message) -> None:
        Message.objects.filter(pk=sent.pk).update(state=State.UNCERTAIN, sent_at=None, claimed_at=MORNING)
        sent.refresh_from_db()

        returned_mail.take(content=about(sent, POSTFIX_UNKNOWN), now=MORNING)

        sent.refresh_from_db()
        assert (sent.state, sent.sent_at) == (State.BOUNCED, MORNING)

    def test_the_household_is_then_told_by_sms(self, case: SurveyCase) -> None:
        plan = waves.Plan(purpose="reminder_digital", scheduled_on=MORNING.date(), weekly_maximum=7)
        case.campaign.opens_on = MORNING.date()
        wave = waves.prepare(campaign=case.campaign, plan=plan, now=MORNING)
        waves.arm_unattended(wave=wave, now=MORNING)
        waves.release(wave=wave, today=MORNING.date(), now=MORNING)
        deliver_waiting(now=MORNING)
        first = Message.objects.get()
        assert first.channel == "email"

        returned_mail.take(content=about(first, POSTFIX_UNKNOWN), now=MORNING)
        for _ in range(2):
            waves.follow_up(today=MORNING.date(), now=MORNING)

        second = Message.objects.exclude(pk=first.pk).get()
        assert (second.channel, second.state) == ("sms", State.QUEUED)

    def test_an_address_known_as_dead_is_not_written_to_again(self, case: SurveyCase) -> None:
        message = an_email(case)
        landlord = case.campaign.landlord
        mark(
            landlord=landlord, channel="email", address="FOYER@exemple.example ", kind="dead", how="rebond", now=MORNING
        )

        report = deliver_waiting(now=MORNING)

        message.refresh_from_db()
        assert report.failed == 1
        assert message.state == State.FAILED
        assert not mail.outbox


class TestEnvelope:
    def test_each_e_mail_bounces_to_an_address_of_its_own(
        self, case: SurveyCase, postman: Postman, settings: Any
    ) -> None:
        settings.BOUNCE_ADDRESS = BOUNCING
        message = an_email(case)

        deliver_waiting(now=MORNING)

        [received] = postman.accepted
        expected = f"retours+enquete-{message.pk}-{seal(message.pk, message.recipient)}@exemple.example"
        assert received["X-MailFrom"] == expected
        assert settings.DEFAULT_FROM_EMAIL in received["From"]
        assert bounces.classify(f"To: {expected}\r\n\r\n".encode()).marks[0][0] == message.pk

    def test_an_address_that_the_server_refuses_for_good_is_marked(self, case: SurveyCase, postman: Postman) -> None:
        an_email(case, "inconnu@exemple.example")

        assert deliver_waiting(now=MORNING).failed == 1
        assert ContactMark.objects.get().kind == "dead"


class Imap(socketserver.StreamRequestHandler):
    """As much of an IMAP4rev1 server as a reader of one folder needs (RFC 3501)."""

    def handle(self) -> None:
        self.say("* OK IMAP4rev1 ready")
        while line := self.rfile.readline().decode().strip():
            tag, command, *rest = line.split(" ")
            if not self.answer(tag, command.upper(), rest):
                return

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def answer(self, tag: str, command: str, rest: list[str]) -> bool:
        mails: dict[int, bytes] = self.server.mails  # type: ignore[attr-defined]
        deleted: set[int] = self.server.deleted  # type: ignore[attr-defined]
        if command == "CAPABILITY":
            self.say("* CAPABILITY IMAP4rev1")
        elif command == "LOGIN" and rest[-1].strip('"') != "secret":
            self.say(f"{tag} NO [AUTHENTICATIONFAILED] no")
            return True
        elif command == "SELECT":
            self.say(f"* {len(mails)} EXISTS")
        elif command == "UID" and rest[0].upper() == "SEARCH":
            self.say("* SEARCH " + " ".join(str(uid) for uid in mails if uid not in deleted))
        elif command == "UID" and rest[0].upper() == "FETCH":
            content = mails[int(rest[1])]
            self.wfile.write(f"* 1 FETCH (UID {rest[1]} BODY[] {{{len(content)}}}\r\n".encode() + content + b")\r\n")
        elif command == "UID" and rest[0].upper() == "STORE":
            deleted.add(int(rest[1]))
        elif command == "EXPUNGE":
            for uid in deleted:
                mails.pop(uid, None)
        self.say(f"{tag} OK done")
        return command != "LOGOUT"


@contextmanager
def imap_server(mails: dict[int, bytes]) -> Iterator[int]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Imap)
    server.mails, server.deleted = mails, set()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class TestCollection:
    def test_a_maildir_is_emptied_once(self, sent: Message, settings: Any, tmp_path: Path) -> None:
        box = mailbox.Maildir(tmp_path / "retours", create=True)
        box.add(about(sent, POSTFIX_UNKNOWN))
        settings.BOUNCE_MAILBOX = f"maildir:{tmp_path / 'retours'}"

        tasks.collect_returned_mail()
        tasks.collect_returned_mail()

        sent.refresh_from_db()
        assert sent.state == State.BOUNCED
        assert ReturnedMail.objects.count() == 1
        assert len(mailbox.Maildir(tmp_path / "retours")) == 0

    def test_an_mbox_is_emptied_by_the_command(self, sent: Message, settings: Any, tmp_path: Path) -> None:
        box = mailbox.mbox(tmp_path / "retours.mbox")
        box.add(about(sent, KINDS["a complaint"][0]))
        box.flush()
        settings.BOUNCE_MAILBOX = f"mbox:{tmp_path / 'retours.mbox'}"
        out = StringIO()

        call_command("collect_returned_mail", stdout=out)

        assert "1 signalé comme indésirable" in out.getvalue()
        assert len(mailbox.mbox(tmp_path / "retours.mbox")) == 0

    def test_an_imap_folder_is_emptied(self, sent: Message, settings: Any) -> None:
        mails = {4: about(sent, POSTFIX_UNKNOWN), 9: about(sent, KINDS["an absence"][0])}
        with imap_server(mails) as port:
            settings.BOUNCE_MAILBOX, settings.BOUNCE_PASSWORD = f"imap://retours@127.0.0.1:{port}/INBOX", "secret"
            counts = returned_mail.collect(now=MORNING)

        assert counts == {"unknown": 1, "absence": 1}
        assert mails == {}

    def test_a_reader_that_dies_leaves_the_e_mail_to_the_next(
        self, sent: Message, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        box = mailbox.Maildir(tmp_path / "retours", create=True)
        box.add(about(sent, POSTFIX_UNKNOWN))
        settings.BOUNCE_MAILBOX = f"maildir:{tmp_path / 'retours'}"

        def dies(**told: object) -> None:
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr(returned_mail, "take", dies)
            with pytest.raises(SystemExit):
                returned_mail.collect(now=MORNING)

        assert returned_mail.collect(now=MORNING) == {"unknown": 1}

    @pytest.mark.parametrize(
        ("address", "told"),
        [
            ("maildir:/nulle/part", "n'existe pas"),
            ("pop3://serveur", "commence par"),
            ("imap://x@127.0.0.1:1/INBOX", "ne répond pas"),
        ],
    )
    def test_a_mailbox_that_cannot_be_read_is_said(self, db: None, settings: Any, address: str, told: str) -> None:
        settings.BOUNCE_MAILBOX = address

        with pytest.raises(CommandError, match=told):
            call_command("collect_returned_mail")

    def test_a_wrong_password_is_said_without_it(self, db: None, settings: Any) -> None:
        with imap_server({}) as port:
            settings.BOUNCE_MAILBOX, settings.BOUNCE_PASSWORD = f"imap://retours@127.0.0.1:{port}/INBOX", "mauvais"
            with pytest.raises(mailboxes.MailboxUnavailable, match="refuse notre connexion"):
                returned_mail.collect(now=MORNING)

    def test_files_may_be_given_by_hand(self, sent: Message, tmp_path: Path) -> None:
        path = tmp_path / "retour.eml"
        path.write_bytes(about(sent, POSTFIX_UNKNOWN))
        out = StringIO()

        call_command("collect_returned_mail", path, path, stdout=out)

        assert out.getvalue().splitlines() == ["1 déjà relevé", "1 adresse inconnue"]

    def test_without_a_mailbox_the_command_says_what_to_set(self, db: None) -> None:
        with pytest.raises(CommandError, match="BOUNCE_MAILBOX"):
            call_command("collect_returned_mail")


def test_a_household_without_a_case_in_the_field_is_not_followed(case: SurveyCase) -> None:
    other = CaseFactory(state="complete", campaign=case.campaign)
    MessageFactory(case=other, state=State.BOUNCED, sent_at=MORNING)

    assert waves.follow_up(today=MORNING.date(), now=MORNING) == {}

"""Letters and hand-over: fresh codes, nothing told to whoever answered, delays that start when batches leave."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import transaction

from campaigns.exchange import LandlordExchange, SftpAccount
from campaigns.exchange_accounts import embedded_password, embedded_server
from campaigns.law.texts import formal_notice_article
from campaigns.models import Campaign, Milestone
from campaigns.paper_form import page_code
from tenants import access_codes
from tenants.case_states import Move
from tenants.dispatch import (
    UnableToCompose,
    UnableToHandOver,
    compose_forms,
    compose_letters,
    hand_over,
)
from tenants.dispatch.letters import parts_of
from tenants.models import AccessCode, CaseEvent, Message, PrintBatch, Purpose, SurveyCase
from tenants.reminders import send_due
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory
from tests.tenants.printing import (
    LATER,
    NOW,
    Recorder,
    codes_on,
    complement,
    composed,
    content,
    households,
    stored_files,
    text_of,
)

pytestmark = pytest.mark.usefixtures("printing_room")


@pytest.fixture
def silent(db: None) -> list[SurveyCase]:
    """Three households who have not answered, and whose letters of formal notice wait."""
    campaign = CampaignFactory(stage=Campaign.Stage.FIELD)
    cases = [CaseFactory(campaign=campaign, state="sent", sent_at=NOW) for _ in range(3)]
    Milestone.objects.create(campaign=campaign, kind="formal_notice", due_on=LATER.date())
    send_due(campaign=campaign, today=LATER.date(), now=LATER)
    return cases


class TestLetters:
    def test_waiting_letters_become_one_batch_with_fresh_codes(self, silent: list[SurveyCase]) -> None:
        campaign = silent[0].campaign

        batch = compose_letters(campaign=campaign, purpose=Purpose.FORMAL_NOTICE, now=LATER)

        assert batch is not None
        assert (batch.envelopes, batch.purpose) == (3, "formal_notice")
        document = content(batch.document)
        assert json.loads(content(batch.manifest))["warnings"] == {}
        for message in batch.messages.select_related("case"):
            text = text_of(document, message.first_page - 1, message.pages)
            code = next(word for word in text.split() if len(word) == 14 and word.count("-") == 2)
            case = message.case
            assert message.state == Message.State.SENDING
            assert access_codes.check_typed(reference=case.reference, code=code, address="", now=LATER) == case
            [url] = [found for n in range(message.pages) for found in codes_on(document, message.first_page - 1 + n)]
            assert access_codes.check_link(token=url.rpartition("/")[2], now=LATER) == case

    def test_the_formal_notice_prints_the_whole_article(self, silent: list[SurveyCase]) -> None:
        batch = compose_letters(campaign=silent[0].campaign, purpose=Purpose.FORMAL_NOTICE, now=LATER)

        assert batch is not None
        message = batch.messages.order_by("first_page")[0]
        printed = "".join(text_of(content(batch.document), 0, message.pages).split())
        for paragraph in formal_notice_article(LATER.date()).paragraphs:
            wanted = "".join(paragraph.replace("'", "’").split())
            for start in range(0, len(wanted) - 30, 30):
                assert wanted[start : start + 30].strip("“”") in printed.replace("'", "’")

    def test_whoever_answered_since_is_left_out(self, silent: list[SurveyCase]) -> None:
        silent[0].move(Move.RECEIVE, now=LATER)

        batch = compose_letters(campaign=silent[0].campaign, purpose=Purpose.FORMAL_NOTICE, now=LATER)

        assert batch is not None
        assert batch.envelopes == 2
        assert Message.objects.get(case=silent[0]).state == Message.State.CANCELLED

    def test_nothing_due_makes_no_batch_but_cancels(self, silent: list[SurveyCase]) -> None:
        for case in silent:
            case.move(Move.RECEIVE, now=LATER)

        assert compose_letters(campaign=silent[0].campaign, purpose=Purpose.FORMAL_NOTICE, now=LATER) is None
        assert not PrintBatch.objects.exists()
        assert set(Message.objects.values_list("state", flat=True)) == {Message.State.CANCELLED}

    def test_a_disk_error_leaves_the_letters_waiting(
        self, silent: list[SurveyCase], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(self: FileSystemStorage, name: str, written: Any) -> str:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(FileSystemStorage, "_save", full)
        with pytest.raises(UnableToCompose, match="No space left"):
            compose_letters(campaign=silent[0].campaign, purpose=Purpose.FORMAL_NOTICE, now=LATER)

        assert Message.objects.waiting().count() == 3
        assert not AccessCode.objects.exists()
        assert stored_files() == []

    def test_a_complement_lists_what_is_missing_and_brings_a_sheet_to_send_back(self, silent: list[SurveyCase]) -> None:
        case = silent[0]
        SurveyCase.objects.filter(pk=case.pk).update(state="incomplete")
        for number in (1, 2):
            complement(case, number)

        batch = compose_letters(campaign=case.campaign, purpose=Purpose.COMPLEMENT, now=LATER)

        assert batch is not None
        document = content(batch.document)
        text = text_of(document, 0, batch.pages)
        assert "Il manque l'avis d'impôt de Loïc." in text.replace("’", "'").replace("\r\n", " ")
        codes = [
            page_code.parse(found) for n in range(batch.pages) for found in codes_on(document, n) if "F1-" in found
        ]
        assert [(code.case, code.layout) for code in codes] == [(case.reference, "00000000")]
        assert sorted(Message.objects.filter(purpose="complement").values_list("wave", "state")) == [
            ("complement-1", "cancelled"),
            ("complement-2", "sending"),
        ]


def test_a_stored_text_becomes_the_parts_of_a_letter() -> None:
    body = "Madame,\n\nIl manque :\n\n– un avis\n– une copie\n\nMerci.\n\n§ Article 1\n\nPremier.\n\nSecond.\n"

    assert parts_of(body) == (
        ["Madame,", "Il manque :"],
        ["un avis", "une copie"],
        ["Merci."],
        "Article 1",
        ["Premier.", "Second."],
    )


class TestHandOver:
    def test_the_files_leave_with_the_manifest_last_and_the_proof_is_written(self, silent: list[SurveyCase]) -> None:
        batch = composed(silent)
        exchange = Recorder()

        hand_over(batch=batch, now=LATER, exchange=exchange)

        assert [Path(name).suffix for _, name, _ in exchange.delivered] == [".pdf", ".csv", ".json"]
        assert {folder for folder, _, _ in exchange.delivered} == {"restitution"}
        assert hashlib.sha256(exchange.delivered[0][2]).hexdigest() == batch.sha256
        assert batch.state == PrintBatch.State.HANDED_OVER
        for message in batch.messages.all():
            assert (message.state, message.sent_at) == (Message.State.SENT, LATER)
            assert message.proof["document_sha256"] == batch.sha256
            assert message.proof["handed_over_at"] == LATER.isoformat()
            assert CaseEvent.objects.filter(case=message.case_id, kind="message_sent").count() == 1

    def test_the_formal_notice_runs_from_the_hand_over(self, silent: list[SurveyCase]) -> None:
        batch = composed(silent)
        silent[0].refresh_from_db()
        assert silent[0].formal_notice_at is None
        posted = LATER + dt.timedelta(days=2)

        hand_over(batch=batch, now=posted)

        for case in silent:
            case.refresh_from_db()
            assert case.formal_notice_at == posted

    def test_the_legal_month_runs_from_the_hand_over_of_the_forms(self, approved: Campaign) -> None:
        [case] = households(approved, 1)
        [batch] = compose_forms(campaign=approved, now=NOW)

        hand_over(batch=batch, now=NOW + dt.timedelta(days=3))

        case.refresh_from_db()
        assert case.sent_at == NOW + dt.timedelta(days=3)

    def test_a_household_that_answered_since_is_taken_out_of_the_pdf(
        self, silent: list[SurveyCase], django_capture_on_commit_callbacks: Any
    ) -> None:
        batch = composed(silent)
        before = stored_files()
        first = batch.messages.order_by("first_page")[0]
        first.case.move(Move.RECEIVE, now=LATER)
        exchange = Recorder()

        with django_capture_on_commit_callbacks(execute=True):
            hand_over(batch=batch, now=LATER, exchange=exchange)

        document = exchange.delivered[0][2]
        manifest = json.loads(exchange.delivered[2][2])
        text = text_of(document, 0, batch.pages)
        first.refresh_from_db()
        first.case.refresh_from_db()
        assert batch.envelopes == manifest["envelopes"] == 2
        assert manifest["taken_out"] == [first.case.reference]
        assert hashlib.sha256(document).hexdigest() == manifest["sha256"] == batch.sha256
        assert first.case.reference not in text
        assert first.case.reference.encode() not in document
        assert first.state == Message.State.CANCELLED
        assert first.case.formal_notice_at is None
        for message in batch.messages.exclude(pk=first.pk).select_related("case"):
            assert message.case.reference in text_of(document, message.first_page - 1, 1)
        assert not set(before) & set(stored_files())
        assert len(stored_files()) == 3

    def test_a_hand_over_undone_with_all_around_it_leaves_the_batch_its_files(self, silent: list[SurveyCase]) -> None:
        batch = composed(silent)
        before = set(stored_files())
        silent[0].move(Move.RECEIVE, now=LATER)

        with transaction.atomic():
            hand_over(batch=batch, now=LATER, exchange=Recorder())
            transaction.set_rollback(True)

        batch.refresh_from_db()
        assert before <= set(stored_files())
        assert batch.state == PrintBatch.State.COMPOSED
        assert content(batch.manifest)

    def test_a_batch_whose_households_all_answered_delivers_nothing(self, silent: list[SurveyCase]) -> None:
        batch = composed(silent)
        for case in silent:
            case.move(Move.RECEIVE, now=LATER)
        exchange = Recorder()

        hand_over(batch=batch, now=LATER, exchange=exchange)

        assert exchange.delivered == []
        assert (batch.envelopes, batch.pages) == (0, 0)
        assert not Message.objects.told().exists()

    def test_twice_is_once(self, silent: list[SurveyCase]) -> None:
        batch = composed(silent)
        exchange = Recorder()
        hand_over(batch=batch, now=LATER, exchange=exchange)

        hand_over(batch=PrintBatch.objects.get(pk=batch.pk), now=LATER + dt.timedelta(days=1), exchange=exchange)

        assert len(exchange.delivered) == 3
        assert set(Message.objects.values_list("sent_at", flat=True)) == {LATER}

    def test_a_rehearsal_never_reaches_the_print_house(self, silent: list[SurveyCase], settings: Any) -> None:
        Campaign.objects.filter(pk=silent[0].campaign_id).update(rehearsal=True)
        batch = composed(silent)
        exchange = Recorder()

        hand_over(batch=batch, now=LATER, exchange=exchange)

        assert exchange.delivered == []
        assert sorted(path.suffix for path in Path(settings.OUTBOX_DIR).iterdir()) == [".csv", ".json", ".pdf"]

    def test_a_print_house_that_cannot_be_reached_leaves_the_batch_to_hand_over(self, silent: list[SurveyCase]) -> None:
        batch = composed(silent)

        class Away:
            def deliver(self, folder: str, name: str, content: BinaryIO) -> int:
                raise ConnectionError("down")

        with pytest.raises(ConnectionError):
            hand_over(batch=batch, now=LATER, exchange=Away())

        batch.refresh_from_db()
        assert batch.state == PrintBatch.State.COMPOSED
        assert not Message.objects.told().exists()
        hand_over(batch=batch, now=LATER, exchange=Recorder())
        assert Message.objects.told().count() == 3

    def test_the_print_house_gets_the_batch_by_sftp_and_the_landlord_never_does(
        self, silent: list[SurveyCase], tmp_path: Path, settings: Any
    ) -> None:
        settings.VAR_DIR = tmp_path
        batch = composed(silent)
        with embedded_server() as server:

            def account(username: str) -> SftpAccount:
                secret = embedded_password(username)
                return SftpAccount("127.0.0.1", server.port, username, (server.host_key,), password=secret)

            with (
                LandlordExchange(account(batch.campaign.landlord.sftp_username)) as landlords,
                pytest.raises(UnableToHandOver, match="codes d'accès"),
            ):
                hand_over(batch=batch, now=LATER, exchange=landlords)
            with LandlordExchange(account("imprimeur")) as print_house:
                print_house.prepare()
                hand_over(batch=batch, now=LATER, exchange=print_house)
                files = {
                    name: print_house.open(f"restitution/{name}").read()
                    for name in print_house.listdir("restitution")[1]
                }

        [document] = [content for name, content in files.items() if name.endswith(".pdf")]
        assert hashlib.sha256(document).hexdigest() == batch.sha256
        assert len(files) == 3
        assert batch.state == PrintBatch.State.HANDED_OVER

    def test_a_missing_file_is_said(self, silent: list[SurveyCase]) -> None:
        batch = composed(silent)
        batch.document.storage.delete(batch.document.name)

        with pytest.raises(UnableToHandOver, match="manque sur le disque"):
            hand_over(batch=batch, now=LATER, exchange=Recorder())

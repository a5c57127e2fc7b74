"""What leaves on paper: the proof, the forms, the letters; nothing printed twice, nothing told to whoever answered."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import hashlib
import io
import json
from pathlib import Path
from typing import Any, BinaryIO

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import CommandError, call_command
from django.test import override_settings

from campaigns import operations
from campaigns.exchange import LandlordExchange, SftpAccount
from campaigns.exchange_accounts import embedded_password, embedded_server
from campaigns.law.texts import formal_notice_article
from campaigns.models import Campaign, FormProof, Landlord, Milestone, User
from campaigns.paper_form import page_code
from tenants import access_codes
from tenants.case_states import Move, State
from tenants.dispatch import (
    UnableToCompose,
    UnableToHandOver,
    compose_forms,
    compose_letters,
    compose_proof,
    forms,
    hand_over,
    left_out,
)
from tenants.dispatch.fills import postal_lines
from tenants.dispatch.letters import parts_of
from tenants.messaging import queue, render
from tenants.models import AccessCode, CaseEvent, Message, PrintBatch, Purpose, SurveyCase
from tenants.reminders import send_due
from tests.factories.campaigns import CampaignFactory, LandlordFactory, UserFactory
from tests.factories.tenants import CaseFactory, HouseholdFactory

NOW = dt.datetime(2026, 10, 12, 7, 0, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 11, 16, 8, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _media(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "LARGEST_HOUSEHOLD", 7)  # fewer layouts to draw up
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.OUTBOX_DIR = tmp_path / "outbox"
    settings.PORTAL_URL = "https://enquete.exemple.example"


@pytest.fixture
def approved(db: None) -> Campaign:
    """A campaign whose form is approved."""
    campaign = CampaignFactory()
    approve(campaign)
    return campaign


def approve(campaign: Campaign) -> FormProof:
    revision = operations.draw_up_revision(campaign=campaign, now=NOW)
    proof = operations.present_proof(revision=revision, document=b"%PDF-1.4", now=NOW)
    manager: User = UserFactory()
    operations.approve_proof(proof=proof, actor=manager, now=NOW, comment="Accord de la directrice par téléphone")
    campaign.refresh_from_db()
    return proof


def households(campaign: Campaign, *sizes: int) -> list[SurveyCase]:
    return [CaseFactory(campaign=campaign, household__occupants=size) for size in sizes]


def content(stored: Any) -> bytes:
    with stored.open("rb") as file:
        return bytes(file.read())


def codes_on(document: bytes, page: int) -> list[str]:
    """The 2D codes of one page, counted from 0."""
    pdf = pypdfium2.PdfDocument(document)
    try:
        image = pdf[page].render(scale=200 / 72, grayscale=True).to_numpy().squeeze()
    finally:
        pdf.close()
    return [found.text for found in zxingcpp.read_barcodes(image)]


def text_of(document: bytes, first: int = 0, count: int = 1) -> str:
    pdf = pypdfium2.PdfDocument(document)
    try:
        return "\n".join(pdf[page].get_textpage().get_text_range() for page in range(first, first + count))
    finally:
        pdf.close()


def stored_files() -> list[Path]:
    folder = Path(default_storage.path("batches"))
    return sorted(folder.iterdir()) if folder.exists() else []


class TestForms:
    def test_every_prepared_case_gets_its_form_and_is_sent(self, approved: Campaign) -> None:
        cases = households(approved, 1, 3, 3, 6)
        CaseFactory(campaign=approved, state="out_of_scope")

        [batch] = compose_forms(campaign=approved, now=NOW)

        assert batch.envelopes == 4
        for case in cases:
            case.refresh_from_db()
            message = Message.objects.get(case=case)
            assert (case.state, case.sent_at) == (State.SENT, NOW)
            assert case.layout_rows > case.household.occupants.count()
            assert (message.channel, message.purpose, message.state) == ("letter", "form", Message.State.SENDING)
            assert message.batch == batch
            assert message.proof["document_sha256"] == batch.sha256
        approved.refresh_from_db()
        assert approved.stage == Campaign.Stage.FIELD

    def test_manifest_and_index_tell_the_pdf_to_the_byte_and_to_the_page(self, approved: Campaign) -> None:
        cases = households(approved, 1, 2, 5)

        [batch] = compose_forms(campaign=approved, now=NOW)

        document = content(batch.document)
        manifest = json.loads(content(batch.manifest))
        lines = list(csv.DictReader(io.StringIO(content(batch.index).decode("utf-8-sig")), delimiter=";"))
        with pikepdf.open(io.BytesIO(document)) as pdf:
            assert len(pdf.pages) == manifest["pages"] == batch.pages
        assert hashlib.sha256(document).hexdigest() == manifest["sha256"] == batch.sha256
        assert manifest["envelopes"] == batch.envelopes == 3
        told = manifest["pages_per_envelope"]
        assert sum(each["pages"] for each in told) == batch.pages
        assert [each["reference"] for each in told] == [line["référence"] for line in lines]
        assert {each["reference"] for each in told} == {case.reference for case in cases}
        assert (manifest["first_reference"], manifest["last_reference"]) == (
            told[0]["reference"],
            told[-1]["reference"],
        )
        assert manifest["document"] == Path(batch.document.name).name
        assert manifest["rehearsal"] is False

    def test_every_page_carries_the_code_of_its_own_case_and_the_qr_code_opens_it(self, approved: Campaign) -> None:
        households(approved, 1, 4)

        [batch] = compose_forms(campaign=approved, now=NOW)

        document = content(batch.document)
        for message in Message.objects.filter(batch=batch).select_related("case"):
            for number in range(message.pages):
                found = codes_on(document, message.first_page - 1 + number)
                [code] = [page_code.parse(text) for text in found if text.startswith("F1-")]
                assert (code.case, code.page) == (message.case.reference, number + 1)
                assert code.layout == message.proof["layout"]
            [url] = [text for text in codes_on(document, message.first_page - 1) if "://" in text]
            token = url.removeprefix("https://enquete.exemple.example/a/")
            assert access_codes.check_link(token=token, now=NOW) == message.case

    def test_the_printed_code_opens_the_case_and_the_known_values_are_printed(self, approved: Campaign) -> None:
        [case] = households(approved, 2)

        [batch] = compose_forms(campaign=approved, now=NOW)

        text = text_of(content(batch.document), 0, batch.pages)
        code = next(word for word in text.split() if len(word) == 14 and word.count("-") == 2)
        opened = access_codes.check_typed(reference=case.reference, code=code, address="192.0.2.1", now=NOW)
        assert opened == case
        assert "20 novembre 2026" in text
        assert "14/03/1981" in text
        assert "06 39 98 00 00" in text
        assert "8 RUE DES ÉRABLES" in text

    def test_batches_are_of_the_size_asked_and_same_layouts_lie_together(self, approved: Campaign) -> None:
        households(approved, 1, 5, 1, 5, 1)
        seen: list[tuple[int, int]] = []

        batches = compose_forms(
            campaign=approved, now=NOW, size=2, progress=lambda done, total: seen.append((done, total))
        )

        assert [batch.number for batch in batches] == [1, 2, 3]
        assert [batch.envelopes for batch in batches] == [2, 2, 1]
        assert seen == [(2, 5), (4, 5), (5, 5)]
        layouts = [
            each["layout"] for batch in batches for each in json.loads(content(batch.manifest))["pages_per_envelope"]
        ]
        assert len(set(layouts)) == 2
        assert layouts == sorted(layouts, key=layouts.index)

    def test_nothing_is_printed_without_an_approved_proof(self, db: None) -> None:
        campaign = CampaignFactory()
        households(campaign, 1)
        operations.draw_up_revision(campaign=campaign, now=NOW)

        with pytest.raises(operations.UnableToPrint, match="Aucun BAT"):
            compose_forms(campaign=campaign, now=NOW)

    def test_nothing_is_printed_once_what_was_approved_has_changed(self, approved: Campaign) -> None:
        households(approved, 1)
        Landlord.objects.filter(pk=approved.landlord_id).update(hotline="09 99 99 99 99")

        with pytest.raises(operations.UnableToPrint, match="n'est plus ce que le bailleur a approuvé"):
            compose_forms(campaign=approved, now=NOW)

        assert not PrintBatch.objects.exists()

    def test_a_second_run_prints_nothing_again(self, approved: Campaign) -> None:
        households(approved, 1, 2)
        compose_forms(campaign=approved, now=NOW)

        assert compose_forms(campaign=approved, now=NOW) == []
        assert PrintBatch.objects.count() == 1

    def test_a_household_that_comes_later_gets_the_next_batch(self, approved: Campaign) -> None:
        households(approved, 1)
        compose_forms(campaign=approved, now=NOW)
        [late] = households(approved, 2)

        [batch] = compose_forms(campaign=approved, now=LATER)

        late.refresh_from_db()
        assert batch.number == 2
        assert late.state == State.SENT

    def test_cases_that_cannot_be_printed_stay_prepared_and_say_why(self, approved: Campaign) -> None:
        [good, nobody, crowd] = households(approved, 1, 0, operations.LARGEST_HOUSEHOLD + 5)
        nowhere = CaseFactory(campaign=approved, household__city="")

        [batch] = compose_forms(campaign=approved, now=NOW)

        assert [message.case for message in batch.messages.all()] == [good]
        told = left_out(campaign=approved)
        assert "aucun occupant" in told[nobody.reference]
        assert "trop grand" in told[crowd.reference]
        assert "code postal" in told[nowhere.reference]
        assert set(told) == {nobody.reference, crowd.reference, nowhere.reference}

    def test_a_full_disk_leaves_nothing(self, approved: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        cases = households(approved, 1, 2)
        save = FileSystemStorage._save

        def full(self: FileSystemStorage, name: str, written: Any) -> str:
            if name.endswith(".json"):
                raise OSError(errno.ENOSPC, "No space left on device")
            return save(self, name, written)

        monkeypatch.setattr(FileSystemStorage, "_save", full)
        with pytest.raises(OSError, match="No space left"):
            compose_forms(campaign=approved, now=NOW)
        monkeypatch.undo()

        assert stored_files() == []
        assert_nothing_left(cases)
        [batch] = compose_forms(campaign=approved, now=NOW)
        assert batch.number == 1

    def test_a_batch_that_does_not_add_up_leaves_nothing(
        self, approved: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cases = households(approved, 1, 2)
        monkeypatch.setattr(forms.access_codes, "drawn_code", lambda: "ABCD2345EFGH")
        monkeypatch.setattr(
            forms.access_codes,
            "issue_typed_many",
            lambda *, cases, wave, now: {case.pk: "ABCD-2345-EFGH" for case in cases},
        )

        with pytest.raises(UnableToCompose, match="deux fois"):
            compose_forms(campaign=approved, now=NOW)

        assert stored_files() == []
        assert_nothing_left(cases)

    def test_a_failing_batch_keeps_the_batches_before_it(
        self, approved: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        households(approved, 1, 1, 1)
        write = forms.write

        def broken(batch: PrintBatch, **told: Any) -> PrintBatch:
            if batch.number == 2:
                raise UnableToCompose("panne")
            return write(batch, **told)

        monkeypatch.setattr(forms, "write", broken)
        with pytest.raises(UnableToCompose):
            compose_forms(campaign=approved, now=NOW, size=2)
        monkeypatch.undo()

        assert SurveyCase.objects.filter(state="sent").count() == 2
        [rest] = compose_forms(campaign=approved, now=NOW, size=2)
        assert (rest.number, rest.envelopes) == (2, 1)
        assert len(stored_files()) == 6

    def test_one_households_values_are_on_no_other_households_pages(self, approved: Campaign) -> None:
        first = CaseFactory(campaign=approved, household__occupants=1)
        second = CaseFactory(campaign=approved, household__occupants=1)
        for case, name in ((first, "Aubépine"), (second, "Bruyère")):
            case.household.occupants.update(last_name=name)

        [batch] = compose_forms(campaign=approved, now=NOW)

        document = content(batch.document)
        for case, own, others in ((first, "Aubépine", "Bruyère"), (second, "Bruyère", "Aubépine")):
            message = Message.objects.get(case=case)
            text = text_of(document, message.first_page - 1, message.pages).lower()
            assert own.lower() in text
            assert others.lower() not in text

    def test_the_form_also_goes_by_email_only_where_the_landlord_wants_it(self, approved: Campaign) -> None:
        households(approved, 1)
        CaseFactory(campaign=approved, household__email="")
        CaseFactory(campaign=approved, household__email="pas une adresse")

        with override_settings(EMAIL_WITH_FORM=True):
            compose_forms(campaign=approved, now=NOW)

        assert Message.objects.filter(channel="email", purpose="form").count() == 1
        assert CaseEvent.objects.filter(kind="email_refused").count() == 1

    def test_what_does_not_print_as_told_is_listed_in_the_manifest(self, approved: Campaign) -> None:
        [case] = households(approved, 1)
        case.household.occupants.update(last_name="Élodée" + "\U0001f600")

        [batch] = compose_forms(campaign=approved, now=NOW)

        assert case.reference in json.loads(content(batch.manifest))["warnings"]

    def test_ordinary_households_raise_no_warning(self, approved: Campaign) -> None:
        households(approved, 1, 3, 7)

        [batch] = compose_forms(campaign=approved, now=NOW)

        assert json.loads(content(batch.manifest))["warnings"] == {}


def assert_nothing_left(cases: list[SurveyCase]) -> None:
    for case in cases:
        case.refresh_from_db()
        assert case.state == State.PREPARED
    for model in (PrintBatch, Message, AccessCode, CaseEvent):
        assert not model.objects.exists()


def test_the_address_follows_the_postal_standard(db: None) -> None:
    household = HouseholdFactory(
        address_2="Étage 2", address_3="Bât. C", address_4="8 bis, rue de l'Écluse", city="Saint-Pierre-des-Corps"
    )

    assert postal_lines(household) == [
        "Mme Inès ÉLODÉE",
        "Étage 2",
        "Bât. C",
        "8 BIS RUE DE L ÉCLUSE",
        "37000 SAINT PIERRE DES CORPS",
    ]


class TestProof:
    def test_it_shows_the_hardest_households_and_matches_no_case(self, db: None) -> None:
        campaign = CampaignFactory()
        cases = households(campaign, 1, 2, 7)
        cases[1].household.occupants.update(last_name="De La Rochefoucauld-Montmorency-Saint-Germain")
        revision = operations.draw_up_revision(campaign=campaign, now=NOW)

        proof = compose_proof(revision=revision, now=NOW)

        document = content(proof.document)
        with pikepdf.open(io.BytesIO(document)) as pdf:
            pages = len(pdf.pages)
        codes = {
            page_code.parse(text).case for n in range(pages) for text in codes_on(document, n) if text[:3] == "F1-"
        }
        text = text_of(document, 0, pages)
        assert proof.state == FormProof.State.OPEN
        assert codes == {"SPECIMEN"}
        assert "Rochefoucauld" in text
        assert not any(case.reference in text for case in cases)
        assert not AccessCode.objects.exists()

    def test_without_households_it_shows_invented_ones(self, db: None) -> None:
        revision = operations.draw_up_revision(campaign=CampaignFactory(), now=NOW)

        proof = compose_proof(revision=revision, now=NOW)

        assert "ROCHEFOUCAULD" in text_of(content(proof.document)).upper()

    def test_a_campaign_goes_to_the_approval_of_its_proof(self, db: None) -> None:
        campaign = CampaignFactory()
        revision = operations.draw_up_revision(campaign=campaign, now=NOW)

        proof = compose_proof(revision=revision, now=NOW)
        operations.approve_proof(proof=proof, actor=UserFactory(), now=NOW, comment="Accord par e-mail")

        campaign.refresh_from_db()
        assert campaign.stage == Campaign.Stage.APPROVED


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
        with pytest.raises(OSError, match="No space left"):
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


def complement(case: SurveyCase, number: int) -> None:
    items = [{"sentence": "Il manque l'avis d'impôt de Loïc.", "how": "Envoyez-en une copie."}]
    text = render(
        case=case, channel="letter", purpose="complement", on=LATER.date(), items=items, due_on=dt.date(2026, 12, 1)
    )
    queue(
        case=case,
        channel="letter",
        purpose="complement",
        wave=f"complement-{number}",
        recipient="x",
        subject=text.subject,
        body=text.body,
        now=LATER,
    )


def test_a_stored_text_becomes_the_parts_of_a_letter() -> None:
    body = "Madame,\n\nIl manque :\n\n– un avis\n– une copie\n\nMerci.\n\n§ Article 1\n\nPremier.\n\nSecond.\n"

    assert parts_of(body) == (
        ["Madame,", "Il manque :"],
        ["un avis", "une copie"],
        ["Merci."],
        "Article 1",
        ["Premier.", "Second."],
    )


class Recorder:
    """An exchange that remembers what was delivered, in order."""

    def __init__(self) -> None:
        self.delivered: list[tuple[str, str, bytes]] = []

    def deliver(self, folder: str, name: str, content: BinaryIO) -> int:
        self.delivered.append((folder, name, content.read()))
        return len(self.delivered[-1][2])


class TestHandOver:
    def test_the_files_leave_with_the_manifest_last_and_the_proof_is_written(self, silent: list[SurveyCase]) -> None:
        batch = composed(silent)
        exchange = Recorder()

        hand_over(batch=batch, now=LATER, exchange=exchange)

        assert [Path(name).suffix for _, name, _ in exchange.delivered] == [".pdf", ".csv", ".json"]
        assert {folder for folder, _, _ in exchange.delivered} == {"depot"}
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

    def test_a_household_that_answered_since_is_taken_out_of_the_pdf(self, silent: list[SurveyCase]) -> None:
        batch = composed(silent)
        before = stored_files()
        first = batch.messages.order_by("first_page")[0]
        first.case.move(Move.RECEIVE, now=LATER)
        exchange = Recorder()

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
                files = {file.name: print_house.open(f"depot/{file.name}").read() for file in print_house.incoming()}

        [document] = [content for name, content in files.items() if name.endswith(".pdf")]
        assert hashlib.sha256(document).hexdigest() == batch.sha256
        assert len(files) == 3
        assert batch.state == PrintBatch.State.HANDED_OVER

    def test_a_missing_file_is_said(self, silent: list[SurveyCase]) -> None:
        batch = composed(silent)
        batch.document.storage.delete(batch.document.name)

        with pytest.raises(UnableToHandOver, match="manque sur le disque"):
            hand_over(batch=batch, now=LATER, exchange=Recorder())


def composed(cases: list[SurveyCase]) -> PrintBatch:
    campaign = Campaign.objects.get(pk=cases[0].campaign_id)
    batch = compose_letters(campaign=campaign, purpose=Purpose.FORMAL_NOTICE, now=LATER)
    assert batch is not None
    return batch


class TestCommand:
    def test_it_copies_the_batches_and_their_manifests(self, approved: Campaign, tmp_path: Path) -> None:
        households(approved, 1, 2)
        out = io.StringIO()

        call_command("make_forms", campaign=approved.pk, out=tmp_path / "lots", size=1, as_json=True, stdout=out)

        told = json.loads(out.getvalue())
        assert told["forms"] == 2
        assert len(told["batches"]) == 2
        assert len(list((tmp_path / "lots").glob("*.pdf"))) == 2
        for batch in told["batches"]:
            document = (tmp_path / "lots" / batch["document"]).read_bytes()
            assert hashlib.sha256(document).hexdigest() == batch["sha256"]

    def test_it_fails_when_a_case_could_not_be_printed(self, approved: Campaign, tmp_path: Path) -> None:
        CaseFactory(campaign=approved, household__city="")
        errors = io.StringIO()

        with pytest.raises(SystemExit) as ended:
            call_command("make_forms", campaign=approved.pk, out=tmp_path, stdout=io.StringIO(), stderr=errors)

        assert ended.value.code == 1
        assert "code postal" in errors.getvalue()

    def test_without_an_approved_proof_it_says_so(self, db: None, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="Aucun BAT"):
            call_command("make_forms", campaign=CampaignFactory().pk, out=tmp_path)

    @pytest.mark.parametrize(("told", "size"), [("n'existe pas", 1), ("au moins un pli", 0)])
    def test_nonsense_is_refused(self, db: None, tmp_path: Path, told: str, size: int) -> None:
        campaign = 0 if size else CampaignFactory(landlord=LandlordFactory()).pk

        with pytest.raises(CommandError, match=told):
            call_command("make_forms", campaign=campaign, out=tmp_path, size=size)

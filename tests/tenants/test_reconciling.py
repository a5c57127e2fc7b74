"""What the print house receives, what it says of each envelope, and what is printed again."""

from __future__ import annotations

import datetime as dt
import io
import json
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy
import pikepdf
import pypdfium2
import pytest
import zxingcpp

from campaigns.exchange import LandlordExchange
from campaigns.exchange_accounts import account_of, embedded_server
from campaigns.models import Campaign, Landlord
from campaigns.paper_form.envelope_code import EnvelopeCode
from campaigns.paper_form.envelope_proof import envelope_digests
from tenants import carriers
from tenants.dispatch import (
    UnableToHandOver,
    UnableToReconcile,
    UnableToReprint,
    ask_reprint,
    compose_forms,
    compose_letters,
    exchange_of,
    hand_over,
    reconcile,
    record_outcome,
    record_posting,
)
from tenants.dispatch.batches import envelopes_of
from tenants.dispatch.letters import waiting_letters
from tenants.models import AccessCode, CaseEvent, Message, PrintBatch, PrintShop, Purpose, SurveyCase
from tests.tenants.printing import LATER, NOW, content, households, text_of

pytestmark = pytest.mark.usefixtures("printing_room")

REPORTED = LATER + dt.timedelta(days=2)
State, Production = Message.State, Message.Production


@pytest.fixture
def batch(approved: Campaign) -> PrintBatch:
    """Three forms of one weight, composed."""
    households(approved, 2, 2, 2)
    [batch] = compose_forms(campaign=approved, now=NOW)
    return batch


@pytest.fixture
def given(batch: PrintBatch) -> PrintBatch:
    """The same, handed over."""
    return hand_over(batch=batch, now=LATER)


def letters(batch: PrintBatch) -> list[Message]:
    return list(Message.objects.filter(batch=batch).select_related("case").order_by("first_page"))


def report(*lines: str) -> bytes:
    return "\r\n".join(["CODE;STATUT", *lines]).encode()


def code_of(message: Message) -> str:
    assert message.batch is not None
    return str(EnvelopeCode(message.case.reference, message.batch.number))


class TestRelease:
    def test_a_pdf_that_changed_since_does_not_leave(self, batch: PrintBatch) -> None:
        with Path(batch.document.path).open("ab") as stored:
            stored.write(b"%")

        with pytest.raises(UnableToHandOver, match="n'est plus celui qui a été composé"):
            hand_over(batch=batch, now=LATER)

        batch.refresh_from_db()
        assert batch.state == PrintBatch.State.COMPOSED

    def test_an_envelope_that_nobody_wrote_down_does_not_leave(self, batch: PrintBatch) -> None:
        odd = letters(batch)[1]
        Message.objects.filter(pk=odd.pk).delete()

        with pytest.raises(UnableToHandOver, match=f"2 plis attendus, 3 composés ; à vérifier : {odd.case.reference}"):
            hand_over(batch=batch, now=LATER)

    def test_a_code_that_opens_two_cases_does_not_leave(self, batch: PrintBatch) -> None:
        first, second = (AccessCode.objects.filter(case=each.case, kind="link").get() for each in letters(batch)[:2])
        AccessCode.objects.filter(pk=second.pk).update(digest=first.digest)

        with pytest.raises(UnableToHandOver, match="ouvriraient deux dossiers"):
            hand_over(batch=batch, now=LATER)

    def test_each_envelope_is_proved_by_its_own_digest_and_what_is_left_keeps_it(self, batch: PrintBatch) -> None:
        before = {each.reference: each.sha256 for each in envelopes_of(batch)}
        gone = letters(batch)[0].case
        SurveyCase.objects.filter(pk=gone.pk).update(state="received", received_at=NOW)

        hand_over(batch=batch, now=LATER)

        kept = envelopes_of(batch)
        with pikepdf.open(io.BytesIO(content(batch.document))) as pdf:
            found = envelope_digests(pdf, [(each.first_page, each.pages) for each in kept])
        manifest = json.loads(content(batch.manifest))
        assert [before[each.reference] for each in kept] == [each.sha256 for each in kept] == found
        assert {message.proof["envelope_sha256"] for message in letters(batch)[1:]} == set(found)
        assert (manifest["taken_out"], manifest["revision"], manifest["warnings"]) == ([gone.reference], 1, {})


class TestSheetMarks:
    @staticmethod
    def marks(document: bytes) -> list[str]:
        """The inserter's code of each page, '' without one."""
        pdf, found = pypdfium2.PdfDocument(document), []
        for page in pdf:
            grey = numpy.ascontiguousarray(page.render(scale=300 / 72, grayscale=True).to_numpy().squeeze()[:, :160])
            codes = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.DataMatrix]))
            found.append("".join(code.text for code in codes))
        pdf.close()
        return found

    def test_a_shop_that_wants_them_reads_on_each_recto_what_the_index_says(self, batch: PrintBatch) -> None:
        answered = letters(batch)[1].case
        SurveyCase.objects.filter(pk=answered.pk).update(state="received", received_at=NOW)

        hand_over(batch=batch, now=LATER, shop=PrintShop.objects.create(name="Presse du Val", sheet_marks=True))

        told = [line.split(";")[-1].split() for line in content(batch.index).decode("utf-8-sig").split("\r\n")[1:-1]]
        seen = self.marks(content(batch.document))
        assert [code for codes in told for code in codes] == seen[::2]
        assert set(seen[1::2]) == {""}
        assert [codes[-1][:6] for codes in told] == ["000001", "000002"]
        assert all(codes[-1][6:8] == codes[-1][8:] for codes in told)
        with pikepdf.open(io.BytesIO(content(batch.document))) as pdf:
            kept = envelopes_of(batch)
            assert envelope_digests(pdf, [(each.first_page, each.pages) for each in kept]) == [e.sha256 for e in kept]

    def test_a_second_try_marks_each_sheet_once(self, batch: PrintBatch) -> None:
        shop = PrintShop.objects.create(name="Presse du Val", sheet_marks=True)

        class Away:
            def deliver(self, folder: str, name: str, content: BinaryIO) -> int:
                raise ConnectionError

        with pytest.raises(ConnectionError):
            hand_over(batch=batch, now=LATER, shop=shop, exchange=Away())
        batch.refresh_from_db()
        hand_over(batch=batch, now=LATER, shop=shop)

        with pikepdf.open(io.BytesIO(content(batch.document))) as pdf:
            assert {len(page.Contents) for page in list(pdf.pages)[::2]} == {2}

    def test_others_get_none(self, given: PrintBatch) -> None:
        assert set(self.marks(content(given.document))) == {""}


class TestReport:
    def test_produced_spoiled_missing_and_untold_are_counted(self, given: PrintBatch) -> None:
        first, second, _ = letters(given)

        taken = carriers.take_file(
            name="compte-rendu.csv",
            content=report(f"{code_of(first)};Produit", f"{code_of(second)};gâché"),
            now=REPORTED,
        )

        standing = reconcile(given)
        assert (taken.file.kind, taken.file.taken, taken.file.problems) == ("produced", 2, [])
        assert (standing.given, standing.produced, standing.spoiled, standing.missing, standing.untold) == (
            3,
            1,
            1,
            0,
            1,
        )
        assert not standing.whole

    def test_a_spoiled_envelope_is_printed_again_with_fresh_codes_in_another_batch(self, given: PrintBatch) -> None:
        spoiled = letters(given)[0]
        codes = set(AccessCode.objects.filter(case=spoiled.case).values_list("digest", flat=True))

        record_outcome(message=spoiled, outcome="spoiled", now=REPORTED)
        assert waiting_letters(given.campaign) == [("form", "simple")]
        again = compose_letters(campaign=given.campaign, purpose=Purpose.FORM, now=REPORTED)

        assert again is not None
        assert (again.number, again.envelopes) == (2, 1)
        [message] = letters(again)
        assert (message.case, message.wave, message.proof["instead_of"]) == (spoiled.case, "form-r1", spoiled.pk)
        assert spoiled.case.reference in text_of(content(again.document), 0, again.pages)
        assert AccessCode.objects.filter(case=spoiled.case).exclude(digest__in=codes).count() == 2
        hand_over(batch=again, now=REPORTED + dt.timedelta(days=1))
        spoiled.case.refresh_from_db()
        assert spoiled.case.sent_at == REPORTED + dt.timedelta(days=1)
        assert set(CaseEvent.objects.filter(case=spoiled.case).values_list("kind", flat=True)) >= {
            "envelope_spoiled",
            "reprint_asked",
        }

    def test_what_is_spoiled_is_not_posted(self, given: PrintBatch) -> None:
        record_outcome(message=letters(given)[0], outcome="missing", now=REPORTED)

        posting = record_posting(batch=given, posted_at=REPORTED, now=REPORTED)

        assert posting.envelopes == 2

    def test_who_answered_meanwhile_gets_no_second_copy(self, given: PrintBatch) -> None:
        letter = letters(given)[0]
        SurveyCase.objects.filter(pk=letter.case_id).update(state="received", received_at=REPORTED)

        record_outcome(message=letter, outcome="spoiled", now=REPORTED)

        letter.refresh_from_db()
        assert letter.state == State.FAILED
        assert "n'est plus en attente" in letter.explanation
        assert waiting_letters(given.campaign) == []

    def test_the_same_report_twice_changes_nothing(self, given: PrintBatch) -> None:
        lines = report(*(f"{code_of(each)};PRODUIT" for each in letters(given)))
        carriers.take_file(name="a.csv", content=lines, now=REPORTED)

        again = carriers.take_file(name="b.csv", content=lines + b"\r\n", now=REPORTED)

        assert (again.file.taken, again.file.known) == (0, 3)
        assert reconcile(given).whole

    def test_bad_lines_are_told_with_their_number(self, given: PrintBatch) -> None:
        first, second, third = letters(given)
        record_outcome(message=first, outcome="produced", now=REPORTED)
        wrong = code_of(third)[:-1] + ("A" if code_of(third)[-1] != "A" else "C")

        taken = carriers.take_file(
            name="cr.csv",
            content=report(f"{code_of(first)};MANQUANT", f"{code_of(second)};fondu", f"{wrong};PRODUIT", ";PRODUIT"),
            now=REPORTED,
        )

        told = [problem["message"] for problem in taken.file.problems]
        assert "cr.csv, ligne 2 : Ce pli est déjà « produit »" in told[0]
        assert "cr.csv, ligne 3 : le statut « fondu » n'est pas connu" in told[1]
        assert "cr.csv, ligne 4 : Le caractère de contrôle" in told[2]
        assert "cr.csv, ligne 5 : Scannez le code" in told[3]

    def test_an_envelope_that_was_not_handed_over_has_no_outcome(self, batch: PrintBatch) -> None:
        with pytest.raises(UnableToReconcile, match="pas été remis"):
            record_outcome(message=letters(batch)[0], outcome="produced", now=REPORTED)

    def test_an_envelope_pulled_before_it_left_is_not_awaited(self, batch: PrintBatch) -> None:
        SurveyCase.objects.filter(pk=letters(batch)[0].case_id).update(state="received", received_at=NOW)
        hand_over(batch=batch, now=LATER)

        standing = reconcile(batch)

        assert (standing.given, standing.pulled) == (2, 1)


class TestOnDemand:
    def test_a_copy_on_demand_starts_no_delay_and_may_withdraw_the_codes(self, given: PrintBatch) -> None:
        letter = letters(given)[0]

        ask_reprint(message=letter, now=REPORTED, withdraw_codes=True)
        assert not AccessCode.objects.filter(case=letter.case, revoked_at=None).exists()
        batch = compose_letters(campaign=given.campaign, purpose=Purpose.FORM, now=REPORTED)
        assert batch is not None
        hand_over(batch=batch, now=REPORTED)

        letter.case.refresh_from_db()
        assert letter.case.sent_at == LATER
        assert AccessCode.objects.filter(case=letter.case, revoked_at=None).count() == 2

    def test_it_is_asked_once_at_a_time_and_then_again(self, given: PrintBatch) -> None:
        letter = letters(given)[0]
        ask_reprint(message=letter, now=REPORTED)
        with pytest.raises(UnableToReprint, match="attend déjà"):
            ask_reprint(message=letter, now=REPORTED)
        batch = compose_letters(campaign=given.campaign, purpose=Purpose.FORM, now=REPORTED)
        assert batch is not None
        hand_over(batch=batch, now=REPORTED)

        assert ask_reprint(message=letter, now=REPORTED).wave == "form-r2"

    def test_an_answer_before_the_batch_cancels_the_copy(self, given: PrintBatch) -> None:
        letter = letters(given)[0]
        again = ask_reprint(message=letter, now=REPORTED)
        SurveyCase.objects.filter(pk=letter.case_id).update(state="received", received_at=REPORTED)

        assert compose_letters(campaign=given.campaign, purpose=Purpose.FORM, now=REPORTED) is None

        again.refresh_from_db()
        assert again.state == State.CANCELLED

    def test_what_was_never_composed_is_not_printed_again(self, given: PrintBatch) -> None:
        letter = letters(given)[0]
        letter.batch_id = None

        with pytest.raises(UnableToReprint, match="déjà composé"):
            ask_reprint(message=letter, now=REPORTED)


def test_the_batch_goes_by_sftp_and_the_report_comes_back(batch: PrintBatch, settings: Any, tmp_path: Any) -> None:
    settings.VAR_DIR = tmp_path
    shop = PrintShop.objects.create(name="Presse du Val", sftp_username="imprimeur", sheet_marks=True)
    with embedded_server() as server:
        settings.SFTP_PORT = server.port
        exchange = exchange_of(shop)
        assert exchange is not None
        with exchange:
            exchange.prepare()
            hand_over(batch=batch, now=LATER, exchange=exchange, shop=shop)
            names = exchange.listdir("restitution")[1]
        theirs = LandlordExchange(account_of(Landlord(sftp_username="imprimeur")))
        with theirs:
            lines = report(*(f"{code_of(each)};PRODUIT" for each in letters(batch)))
            theirs.deliver("depot", "compte-rendu.csv", BytesIO(lines))
            [file] = carriers.collect_files(exchange=theirs, now=REPORTED, pause=0.01)
            receipts = theirs.listdir("accuses")[1]

    assert sorted(name.rpartition(".")[2] for name in names) == ["csv", "json", "pdf"]
    assert file.taken == 3
    assert receipts == ["compte-rendu.csv.rapport.txt"]
    assert reconcile(batch).whole
    assert [each.account.username for each in carriers.report_exchanges()] == ["imprimeur"]
    assert exchange_of(PrintShop(name="À la main")) is None

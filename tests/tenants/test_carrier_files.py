"""Registered mail and returned envelopes: by file, by SFTP, by their code; their effects on the law's clock."""

from __future__ import annotations

import datetime as dt
import itertools
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from campaigns.exchange import LandlordExchange
from campaigns.exchange_accounts import account_of, embedded_server
from campaigns.law.settings import shipped_law
from campaigns.models import Campaign, Landlord
from campaigns.paper_form import envelope_code
from campaigns.paper_form.envelope_code import EnvelopeCode
from campaigns.paper_form.page_code import SYMBOLS, PageCode
from tenants import carriers
from tenants.case_states import State
from tenants.legal_dates import legal_dates
from tenants.models import (
    CarrierFile,
    CaseEvent,
    Message,
    PrintBatch,
    RegisteredEvent,
    RegisteredLetter,
    ReturnedEnvelope,
    SurveyCase,
)
from tests.factories.tenants import CaseFactory, MessageFactory

POSTED = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 12, 22, 9, 0, tzinfo=dt.UTC)
SENT_AT = dt.datetime(2026, 10, 12, 8, 0, tzinfo=dt.UTC)
PRESENTED = "03/12/2026"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def letter(db: None) -> RegisteredLetter:
    """A formal notice that left by registered mail in batch 12."""
    case = CaseFactory(
        state="sent",
        sent_at=SENT_AT,
        formal_notice_at=POSTED,
        campaign__stage=Campaign.Stage.FIELD,
        household__email="",
    )
    batch = PrintBatch.objects.create(
        campaign=case.campaign,
        purpose="formal_notice",
        number=12,
        service="registered",
        state="handed_over",
        envelopes=1,
        pages=4,
        sha256="0" * 64,
        composed_at=POSTED,
        handed_over_at=POSTED,
    )
    message = MessageFactory(
        case=case,
        channel="letter",
        purpose="formal_notice",
        wave="formal_notice",
        service="registered",
        state="sent",
        sent_at=POSTED,
        batch=batch,
    )
    return RegisteredLetter.objects.create(message=message)


def code_of(letter: RegisteredLetter) -> str:
    return str(EnvelopeCode(letter.message.case.reference, 12))


def told(*lines: str, heading: str = "CODE;NUMERO;EVENEMENT;DATE") -> bytes:
    return "\r\n".join([heading, *lines, ""]).encode("cp1252")


def take(content: bytes, name: str = "suivi.csv") -> CarrierFile:
    return carriers.take_file(name=name, content=content, now=NOW).file


def fifteen_days_end(letter: RegisteredLetter) -> dt.date | None:
    case = SurveyCase.objects.get(pk=letter.message.case_id)
    notice = legal_dates(case, law=shipped_law(), today=NOW.date()).notice
    return notice.date if notice else None


class TestRegistered:
    def test_the_fifteen_days_run_from_the_first_presentation(self, letter: RegisteredLetter) -> None:
        assert fifteen_days_end(letter) is None
        take(told(f"{code_of(letter)};1A 123;DÉPÔT;01/12/2026 18:00"))
        assert fifteen_days_end(letter) is None

        take(told(f";1A 123;Présenté;{PRESENTED}", "\r\n"))

        letter.refresh_from_db()
        assert (letter.number, letter.state) == ("1A 123", "presented")
        assert fifteen_days_end(letter) == dt.date(2026, 12, 18)

    @pytest.mark.parametrize(
        ("word", "state", "case_state", "runs"),
        [
            ("AR signé", "signed", State.SENT, True),
            ("REFUSE", "refused", State.SENT, True),
            ("Non réclamé", "unclaimed", State.SENT, True),
            ("Inconnu", "unknown", State.UNDELIVERED, False),
            ("Défaut accès", "access", State.UNDELIVERED, False),
        ],
    )
    def test_each_end_has_its_effect_on_the_clock(
        self, letter: RegisteredLetter, word: str, state: str, case_state: State, runs: bool
    ) -> None:
        code = code_of(letter)
        first = [f"{code};1A 123;PRESENTE;{PRESENTED}"] if runs else []

        file = take(told(f"{code};1A 123;DEPOT;01/12/2026", *first, f"{code};1A 123;{word};10/12/2026"))

        letter.refresh_from_db()
        case = SurveyCase.objects.get(pk=letter.message.case_id)
        assert file.problems == []
        assert (letter.state, case.state) == (state, case_state)
        assert (case.formal_notice_at is not None) is runs
        assert fifteen_days_end(letter) == (dt.date(2026, 12, 18) if runs else None)

    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_events_may_come_in_any_order_and_twice(self, letter: RegisteredLetter, order: tuple[int, ...]) -> None:
        lines = [
            f"{code_of(letter)};1A 123;DEPOT;01/12/2026 18:00",
            f"{code_of(letter)};1A 123;PRESENTE;{PRESENTED} 10:00",
            f"{code_of(letter)};1A 123;DISTRIBUE;05/12/2026 11:00",
        ]
        for place in order:
            take(told(lines[place]), name=f"suivi-{place}.csv")
        again = take(told(*lines), name="tout.csv")

        letter.refresh_from_db()
        assert (again.taken, again.known, letter.state) == (0, 3, "signed")
        assert letter.presented_at is not None
        assert letter.presented_at.date() == dt.date(2026, 12, 3)
        assert RegisteredEvent.objects.count() == 3

    def test_bad_lines_are_told_one_by_one_and_the_good_ones_taken(self, letter: RegisteredLetter) -> None:
        code = code_of(letter)
        file = take(
            told(
                f"{code};1A 123;DEPOT;01/12/2026",
                f"{code};1A 123;ENVOLÉ;01/12/2026",
                f"{code};1A 123;PRESENTE;32/12/2026",
                f"{code};1A 123;PRESENTE;24/12/2026",
                f"{code};1A 123;PRESENTE;20/11/2026",
                f"{code[:-1]}?;1A 123;PRESENTE;{PRESENTED}",
                f"{code};9Z 999;PRESENTE;{PRESENTED}",
            )
        )

        assert file.taken == 1
        assert [problem["line"] for problem in file.problems] == [3, 4, 5, 6, 7, 8]
        words = ("n'est pas connu", "JJ/MM/AAAA", "dans l'avenir", "précède la remise", "code de pli", "déjà le numéro")
        for problem, word in zip(file.problems, words, strict=True):
            assert word in problem["message"]
            assert problem["message"].startswith(f"suivi.csv, ligne {problem['line']} : ")

    def test_two_ends_that_contradict_each_other_are_said(self, letter: RegisteredLetter) -> None:
        code = code_of(letter)

        file = take(told(f"{code};1A 123;DISTRIBUE;05/12/2026", f"{code};1A 123;REFUSE;06/12/2026"))

        assert "le contredit" in file.problems[0]["message"]
        assert RegisteredEvent.objects.count() == 1

    def test_the_same_file_twice_is_once(self, letter: RegisteredLetter) -> None:
        content = told(f"{code_of(letter)};1A 123;DEPOT;01/12/2026")
        take(content)

        assert carriers.take_file(name="autre-nom.csv", content=content, now=NOW).already
        assert CarrierFile.objects.count() == 1


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "problem"),
        [(b"", "est vide"), (b" \n", "est vide"), (b"A;B\n1;2\n", "en-tête"), (b"\x00\x01", "en-tête")],
    )
    def test_a_file_that_is_none_of_ours_is_refused_whole(self, db: None, content: bytes, problem: str) -> None:
        with pytest.raises(carriers.UnableToTake, match=problem):
            take(content)

        assert not CarrierFile.objects.exists()

    def test_returned_envelopes_come_by_file_with_their_motive(self, letter: RegisteredLetter) -> None:
        heading = "CODE;MOTIF;DATE"
        lines = [f"{code_of(letter)};Destinataire inconnu à l’adresse;10/12/2026", "ZZZZZZZZ;REFUSE;", "x;DISPARU;"]
        file = take("\n".join([heading, *lines]).encode())

        case = SurveyCase.objects.get()
        assert (file.taken, len(file.problems)) == (1, 2)
        assert (case.state, case.formal_notice_at) == (State.UNDELIVERED, None)
        assert ReturnedEnvelope.objects.get().source == "file"
        again = take("\n".join([heading, lines[0], ""]).encode(), name="bis.csv")
        assert (again.taken, again.known) == (0, 1)

    def test_the_command_says_what_was_refused(self, letter: RegisteredLetter, tmp_path: Path) -> None:
        path = tmp_path / "suivi.csv"
        path.write_bytes(told(f"{code_of(letter)};1A 123;DEPOT;01/12/2026", "x;y;DEPOT;01/12/2026"))
        out, wrong = StringIO(), StringIO()

        with time_machine.travel(NOW, tick=False), pytest.raises(CommandError, match="1 lignes refusées"):
            call_command("take_carrier_file", path, stdout=out, stderr=wrong)

        assert "1 lignes prises" in out.getvalue()
        assert "suivi.csv, ligne 3" in wrong.getvalue()

    def test_files_dropped_by_sftp_are_taken_once_and_answered(
        self, letter: RegisteredLetter, settings: Any, tmp_path: Path
    ) -> None:
        settings.VAR_DIR, settings.CARRIER_SFTP_USERNAME = tmp_path, "transporteur"
        with embedded_server() as server:
            account = account_of(Landlord(sftp_username="transporteur"), port=server.port, host_key=server.host_key)
            with LandlordExchange(account) as exchange:
                exchange.prepare()
                exchange.deliver("depot", "suivi.csv", BytesIO(told(f"{code_of(letter)};1A 123;DEPOT;01/12/2026")))
                exchange.deliver("depot", "faux.csv", BytesIO(b"A;B\n"))
                taken = carriers.collect_files(exchange=exchange, now=NOW, pause=0)
                again = carriers.collect_files(exchange=exchange, now=NOW, pause=0)
                reports = {
                    name: exchange.open(f"accuses/{name}").read().decode() for name in exchange.listdir("accuses")[1]
                }

        assert [file.name for file in taken] == ["suivi.csv"]
        assert again == []
        assert any("Lignes prises : 1." in text for text in reports.values())
        assert any("Fichier refusé" in text for text in reports.values())


class TestCodes:
    @given(
        case=st.text("3467ACDEFGHJKMNPQRTWXY9", min_size=8, max_size=8),
        batch=st.integers(1, 9_999_999),
        at=st.integers(0),
    )
    def test_a_code_is_read_back_and_one_wrong_character_never(self, case: str, batch: int, at: int) -> None:
        code = str(EnvelopeCode(case, batch))
        assert envelope_code.parse(f" {code.lower()} ") == EnvelopeCode(case, batch)
        assert envelope_code.parse(code.replace("-", "")) == EnvelopeCode(case, batch)

        place = 3 + at % (len(code) - 3)
        if code[place] != "-":
            other = SYMBOLS[(SYMBOLS.index(code[place]) + 1) % 36]
            with pytest.raises(envelope_code.UnreadableEnvelopeCode):
                envelope_code.parse(code[:place] + other + code[place + 1 :])

    def test_a_code_names_its_own_letter_not_the_last_one(self, letter: RegisteredLetter) -> None:
        case = letter.message.case
        later = MessageFactory(
            case=case, channel="letter", purpose="reminder_letter", state="sent", sent_at=NOW, wave="x"
        )
        form = MessageFactory(case=case, channel="letter", purpose="form", state="sent", sent_at=SENT_AT, wave="form")

        assert carriers.letter_of(code_of(letter)).message == letter.message
        assert carriers.letter_of(str(PageCode(case.reference, 1, "0123ABCD"))).message == form
        assert carriers.letter_of(case.reference.lower()).message == later

    @pytest.mark.parametrize(
        ("code", "problem"),
        [
            ("", "Scannez"),
            ("E1-XXXXXXXX-0001-0", "contrôle"),
            ("F1-quelque", "code de page"),
            ("ABCDEFGH", "n'existe pas"),
        ],
    )
    def test_a_code_of_nothing_is_said(self, db: None, code: str, problem: str) -> None:
        with pytest.raises(carriers.UnknownLetter, match=problem):
            carriers.letter_of(code)

    def test_nothing_has_left_yet(self, db: None) -> None:
        case = CaseFactory()

        with pytest.raises(carriers.UnknownLetter, match="encore parti"):
            carriers.letter_of(case.reference)
        with pytest.raises(carriers.UnknownLetter, match="pas l'un des nôtres"):
            carriers.letter_of(str(EnvelopeCode(case.reference, 3)))
        assert not CaseEvent.objects.exists()
        assert not Message.objects.exists()

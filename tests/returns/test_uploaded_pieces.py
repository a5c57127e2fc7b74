"""Pieces sent on line: read in the background, covered before any of our people sees them, lost by nobody."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pikepdf
import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image
from reportlab.pdfgen import canvas
from stdnum.fr import nir

from returns import tasks, uploaded_pieces
from returns.intake import receive_online
from returns.models import SupportingDocument, SurveyReturn
from returns.pieces import UploadedPiece
from returns.qualification import UnableToQualify, qualify, refuse, to_qualify
from returns.rehearsal.authority import Authority
from returns.rehearsal.printed_pieces import other_piece, tax_notice
from returns.seeing_pieces import page_of_upload, see_upload
from returns.uploaded_pieces import LEASE, MOST_TRIES, read_piece, read_return, waiting_returns
from tenants.case_states import State
from tenants.models import SurveyCase
from tests.factories.campaigns import RevisionFactory, UserFactory
from tests.factories.tenants import CaseFactory
from tests.returns.conftest import COMPLETE

Reading = SupportingDocument.Reading
BODY = "2840576451089"
NIR = BODY + nir.calc_check_digits(BODY)
NUMBERS = tuple(f"{first}{int(first) % 511:03d}" for first in ("1234567890", "2345678901"))
BLANK = slice(2039, 2139), slice(1300, 1600)  # of a sheet at 200 dpi: right of the number, where nothing is printed
STAMP = slice(2050, 2090), slice(170, 500)  # where the number is written


@cache
def with_nir() -> np.ndarray:
    """A sheet of a school certificate where somebody has printed a social security number."""
    page = other_piece(kind="school_certificate", name="Jean Dupré", seed="a").copy()
    cv2.putText(page, NIR, (150, page.shape[0] - 250), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 0, 4)
    return page


@cache
def notice(row: int, *, authority: Authority | None = None) -> np.ndarray:
    """A tax notice of one person, with its signed code when somebody signs it."""
    name = ("Marie Nguyễn", "Paul Martin")[row - 1]
    return tax_notice(
        names=(name,),
        income_year=2025,
        income=20_000 + row,
        notice_reference=f"26000123456{row}8",
        tax_numbers=(NUMBERS[row - 1],),
        authority=authority,
    )


def saved(kind: str, *pages: np.ndarray) -> bytes:
    """The pages as one file."""
    first, *others = (Image.fromarray(page).convert("RGB") for page in pages)
    out = io.BytesIO()
    more = {"save_all": True, "append_images": others} if others else {}
    first.save(out, kind, **more)
    return out.getvalue()


def covered(grey: np.ndarray) -> bool:
    """Whether the place of the number is black, and the paper around it is not."""
    return float(grey[STAMP].mean()) < 40 and float(grey[BLANK].mean()) > 200


class TestFiles:
    """What becomes of each sort of file; no database."""

    def test_a_photo_is_covered(self):
        seen = see_upload(saved("JPEG", with_nir()), media_type="image/jpeg")

        assert seen.piece.kind == "school_certificate"
        assert covered(page_of_upload(seen.content, 0))

    def test_a_pdf_is_made_again_from_its_pictures_so_that_no_text_stays_behind(self):
        seen = see_upload(_printed_pdf(), media_type="application/pdf")

        with pikepdf.open(io.BytesIO(seen.content)) as pdf:
            assert len(pdf.pages) == 1
            assert "/Font" not in pdf.pages[0].obj.Resources
        assert NIR.encode() in _printed_pdf()
        assert NIR.encode() not in seen.content
        assert float(page_of_upload(seen.content, 0)[1090:1120, 220:500].mean()) < 60

    def test_a_tiff_keeps_its_pages_and_is_covered(self):
        blank = np.full((200, 150), 255, np.uint8)
        seen = see_upload(saved("TIFF", blank, with_nir()), media_type="image/tiff")

        assert Image.open(io.BytesIO(seen.content)).n_frames == 2
        assert covered(page_of_upload(seen.content, 1))

    def test_a_photo_with_a_plain_grey_side_is_not_taken_for_a_truncated_one(self):
        assert see_upload(photo(128), media_type="image/jpeg").content == b""

    def test_a_file_where_nothing_is_to_be_covered_is_kept_as_it_is(self):
        authority = Authority.minted()
        content = saved("JPEG", notice(1, authority=authority))

        seen = see_upload(content, media_type="image/jpeg", certificates=(authority.certificates,))

        assert (seen.content, seen.piece.certified) == (b"", True)
        assert seen.piece.read["tax_reference_income"] == 20_001

    def test_two_notices_in_one_file_are_two_pieces(self):
        authority = Authority.minted()
        content = saved("PDF", notice(1, authority=authority), notice(2, authority=authority))

        seen = see_upload(content, media_type="application/pdf", certificates=(authority.certificates,))

        assert seen.piece.read["tax_numbers"] == [NUMBERS[0]]
        [(other, image)] = seen.further
        assert (other.certified, other.read["tax_numbers"]) == (True, [NUMBERS[1]])
        assert page_of_upload(image, 0).shape == (2339, 1654)


@cache
def _printed_pdf() -> bytes:
    """A page of text, not of pictures, as software makes them; nothing in it is packed."""
    out = io.BytesIO()
    pen = canvas.Canvas(out, pagesize=(595, 842), pageCompression=0)
    pen.setFont("Helvetica", 16)
    pen.drawString(72, 760, "Livret de famille : acte de mariage")
    pen.drawString(72, 440, NIR)
    pen.save()
    return out.getvalue()


@pytest.fixture
def case(db: None) -> SurveyCase:
    """A household that has its form and has not answered."""
    made: SurveyCase = CaseFactory(sent=True)
    RevisionFactory(campaign=made.campaign)
    return made


@pytest.fixture
def sent(case: SurveyCase, later: dt.datetime) -> Callable[..., SurveyReturn]:
    """Send complete answers with these files: content, kind, row."""

    def send(*files: tuple[bytes, str, int]) -> SurveyReturn:
        documents = [UploadedPiece("piece", content, kind, row) for content, kind, row in files]
        return receive_online(case=case, answers=COMPLETE, documents=documents, submission="envoi-1", now=later)

    return send


def photo(tone: int = 255) -> bytes:
    """A photo too small for anything to be read."""
    return saved("JPEG", np.full((170, 120), tone, np.uint8))


def only_piece() -> SupportingDocument:
    """The one piece there is."""
    return SupportingDocument.objects.select_related("case__campaign").get()


def test_the_case_waits_for_the_reading_then_settles(case, sent, later):
    made = sent((photo(201), "tax_notice", 1), (photo(202), "tax_notice", 2))
    case.refresh_from_db()
    assert (case.state, waiting_returns(now=later)) == (State.RECEIVED, [made.pk])

    tasks.read_pieces(made.pk)

    case.refresh_from_db()
    assert (case.state, waiting_returns(now=later)) == (State.COMPLETE, [])
    assert {each.reading_state for each in SupportingDocument.objects.all()} == {Reading.READ}
    assert case.events.filter(kind="document_read").count() == 2


def test_the_number_is_gone_from_the_storage_too(case, sent, later, django_capture_on_commit_callbacks):
    made = sent((saved("JPEG", with_nir()), "school_certificate", 0))
    came = only_piece().content.name

    with django_capture_on_commit_callbacks(execute=True):
        read_return(survey_return=made, now=later)

    document = only_piece()
    assert not default_storage.exists(came)
    assert covered(page_of_upload(document.content.read(), 0))
    assert document.kind == "school_certificate"


def test_nobody_but_the_household_sees_it_before(case, sent, later, client):
    made = sent((photo(), "tax_notice", 1))
    document = only_piece()
    client.force_login(UserFactory())
    address = reverse("tracking:document", args=[case.reference, document.pk])
    page = reverse("tracking:case", args=[case.reference])

    assert client.get(address).status_code == 404
    assert "en cours de lecture" in client.get(page).content.decode()

    read_return(survey_return=made, now=later)

    assert client.get(address).status_code == 200
    assert address in client.get(page).content.decode()


def test_what_was_read_is_shown_on_the_image(case, sent, later, client):
    made = sent((saved("JPEG", notice(1)), "tax_notice", 1))
    read_return(survey_return=made, now=later)
    client.force_login(UserFactory())

    shown = client.get(reverse("tracking:readings", args=[case.reference])).content.decode()

    picture = reverse("tracking:document_image", args=[case.reference, only_piece().pk])
    assert picture in shown
    assert "20\u202f001 €" in shown
    assert client.get(picture)["Content-Type"] == "image/png"


def test_a_reader_that_died_is_replaced_and_the_one_that_comes_back_changes_nothing(sent, later):
    made = sent((photo(), "tax_notice", 1))
    dead = only_piece()
    assert uploaded_pieces._claim(dead, now=later)
    assert waiting_returns(now=later + LEASE / 2) == []
    assert read_piece(document=only_piece(), now=later + LEASE / 2).reading_state == Reading.READING
    after = later + LEASE + dt.timedelta(seconds=1)
    assert waiting_returns(now=after) == [made.pk]

    read_return(survey_return=made, now=after)
    version = only_piece().claimed_at
    uploaded_pieces._fail(dead, now=after)

    assert (only_piece().reading_state, only_piece().claimed_at) == (Reading.READ, version)


def test_a_file_that_kills_its_readers_or_cannot_be_opened_waits_for_a_person_who_asks_again(case, sent, later):
    made = sent((photo(), "tax_notice", 1), (photo(9), "tax_notice", 2))
    deadly, broken = SupportingDocument.objects.order_by("row")
    SupportingDocument.objects.filter(pk=deadly.pk).update(tries=MOST_TRIES)
    with default_storage.open(broken.content.name, "wb") as file:
        file.write(b"%PDF-1.7 rien")

    read_return(survey_return=made, now=later)

    case.refresh_from_db()
    assert case.state == State.RECEIVED
    assert list(to_qualify()) == [deadly, broken]
    for document in to_qualify():
        assert not document.may_be_shown
        with pytest.raises(UnableToQualify, match="refusez-la"):
            qualify(document=document, kind="tax_notice", row=1, now=later)
        refuse(document=document, explanation="Illisible", now=later)
    case.refresh_from_db()
    assert case.state == State.INCOMPLETE


def test_the_queue_being_down_loses_nothing(sent, later, monkeypatch):
    made = sent((photo(), "tax_notice", 1))

    def down(*args, **kwargs):
        raise tasks.OperationalError("no broker")

    with monkeypatch.context() as broken:
        broken.setattr(tasks.read_pieces, "apply_async", down)
        tasks.wake_reader_of_pieces(made.pk)
    assert only_piece().reading_state == Reading.WAITING
    tasks.redrive()
    assert only_piece().reading_state == Reading.READ

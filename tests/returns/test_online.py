"""Answers sent on line: judged, kept once, settled at once."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from PIL import Image

from returns.answers import context_of, declaration_of
from returns.arrivals import SubmissionRefused
from returns.intake import AnswersRefused, receive_online
from returns.models import ComplementRequest, Declaration, SupportingDocument, SurveyReturn
from returns.pieces import PieceRefused, UploadedPiece
from returns.uploaded_pieces import read_return
from tenants import access_codes
from tenants.case_states import State
from tests.factories.campaigns import RevisionFactory, UserFactory
from tests.factories.tenants import CaseFactory
from tests.returns.conftest import COMPLETE

pytestmark = pytest.mark.django_db


def photo(tone: int = 255) -> bytes:
    """A photo of a blank sheet, of that grey."""
    out = io.BytesIO()
    Image.new("L", (120, 170), tone).save(out, "JPEG")
    return out.getvalue()


def notice(row: int) -> UploadedPiece:
    """A tax notice for that occupant."""
    return UploadedPiece(name=f"avis-{row}.jpg", content=photo(200 + row), kind="tax_notice", row=row)


@pytest.fixture
def case(db):
    """A household that has its form and has not answered."""
    made = CaseFactory(sent=True)
    RevisionFactory(campaign=made.campaign)
    return made


def send(case, now, answers=None, documents=(), submission="envoi-1", **more) -> SurveyReturn:
    """Send on line, and have the pieces read; a complete declaration unless told otherwise."""
    made = receive_online(
        case=case,
        answers=COMPLETE if answers is None else answers,
        documents=documents,
        submission=submission,
        now=now,
        **more,
    )
    read_return(survey_return=made, now=now)
    return made


def test_a_complete_declaration_completes_the_case(case, later):
    made = send(case, later, documents=[notice(1), notice(2)])
    case.refresh_from_db()
    assert case.state == State.COMPLETE
    assert (case.channel, case.received_at, case.late) == ("online", later, False)
    assert made.state == SurveyReturn.State.TRANSCRIBED
    assert made.receipt == f"27-{case.reference}-1"
    assert declaration_of(case).values() == COMPLETE
    assert [event.kind for event in case.events.order_by("pk")][:1] == ["receive"]


def test_the_same_submission_again_gives_the_same_receipt(case, later):
    first = send(case, later, documents=[notice(1)])
    again = send(case, later + dt.timedelta(minutes=1), documents=[notice(1)])
    assert again == first
    assert SurveyReturn.objects.count() == 1
    assert SupportingDocument.objects.count() == 1
    assert declaration_of(case).version == 1


def test_a_submission_of_another_case_is_refused(case, later):
    send(case, later)
    other = CaseFactory(sent=True, campaign=case.campaign)
    with pytest.raises(SubmissionRefused):
        send(other, later)


def test_what_is_missing_is_asked_and_a_second_sending_completes(case, later):
    send(case, later, documents=[notice(1)])
    case.refresh_from_db()
    assert case.state == State.INCOMPLETE
    assert [item["row"] for item in ComplementRequest.objects.get().items] == [2]
    made = send(case, later, answers={}, documents=[notice(2)], submission="envoi-2")
    case.refresh_from_db()
    assert case.state == State.COMPLETE
    assert made.receipt.endswith("-2")
    assert declaration_of(case).values() == COMPLETE


def test_the_access_codes_die_at_receipt(case, later):
    access_codes.issue_typed(case=case, wave="form", now=later)
    send(case, later)
    assert not case.access_codes.filter(revoked_at=None, wave="form").exists()


def test_what_equals_the_landlords_file_is_not_copied(case, later):
    send(case, later, answers={("occupant.activity", 1): "stable", ("household.size", 0): 3})
    assert declaration_of(case).values() == {("household.size", 0): 3}


def test_an_answer_is_taken_back_by_nothing_or_by_what_was_known(case, later):
    send(case, later, answers={("occupant.activity", 1): "retired", ("household.size", 0): 3})
    send(case, later, answers={("occupant.activity", 1): "stable", ("household.size", 0): None}, submission="envoi-2")
    assert declaration_of(case).values() == {}


def test_what_the_form_does_not_ask_is_not_kept(case, later):
    """Somebody who left has no incomes to tell; a signature is for paper."""
    gone = {
        ("occupant.left", 2): True,
        ("occupant.left_on", 2): "2026-03-01",
        ("occupant.left_reason", 2): "separation",
        ("signature.signed", 0): True,
    }
    send(case, later, answers={**COMPLETE, **gone})
    kept = declaration_of(case).values()
    assert ("occupant.tax_reference_income", 2) not in kept
    assert ("signature.signed", 0) not in kept
    assert kept["occupant.left_reason", 2] == "separation"


def test_unticking_a_departure_forgets_its_date(case, later):
    gone = {("occupant.left", 2): True, ("occupant.left_on", 2): "2026-03-01"}
    send(case, later, answers=gone)
    send(case, later, answers={**gone, ("occupant.left", 2): None}, submission="envoi-2")
    assert declaration_of(case).values() == {}


@pytest.mark.parametrize(
    ("address", "value", "told"),
    [
        (("household.size", 0), 31, "ne peut pas dépasser 30"),
        (("household.size", 0), "trois", "n'est pas lisible"),
        (("household.size", 1), 3, "n'est pas dans le formulaire"),
        (("occupant.birth_date", 0), "1984-02-03", "n'est pas dans le formulaire"),
        (("occupant.birth_date", 31), "1984-02-03", "n'est pas dans le formulaire"),
        (("occupant.tax_number", 1), "1234567890123", "n'est pas exact"),
        (("occupant.nationality", 1), "x", "n'est pas dans le formulaire"),
    ],
)
def test_an_answer_that_cannot_be_kept_refuses_the_whole_with_its_place(case, later, address, value, told):
    with pytest.raises(AnswersRefused) as refused:
        send(case, later, answers={**COMPLETE, address: value})
    assert told in refused.value.problems[address]
    case.refresh_from_db()
    assert case.state == State.SENT
    assert not Declaration.objects.exists()


@pytest.mark.parametrize(
    ("piece", "told"),
    [
        (UploadedPiece("vide.jpg", b"", "tax_notice", 1), "0 octet"),
        (UploadedPiece("rib.jpg", photo(), "rib", 0), "n'est pas demandée"),
        (UploadedPiece("avis.jpg", photo(), "tax_notice", 99), "personne inconnue"),
    ],
)
def test_a_piece_that_cannot_be_taken_refuses_the_whole(case, later, piece, told):
    with pytest.raises(PieceRefused, match=told):
        send(case, later, documents=[notice(1), piece])
    case.refresh_from_db()
    assert case.state == State.SENT
    assert not SupportingDocument.objects.exists()


def test_the_same_file_may_serve_two_people_once_each(case, later):
    content = photo(199)
    pieces = [UploadedPiece("avis.jpg", content, "tax_notice", row) for row in (1, 2, 2)]
    send(case, later, documents=pieces)
    assert sorted(SupportingDocument.objects.values_list("row", flat=True)) == [1, 2]


def test_an_answer_after_the_closing_is_kept_and_marked_late(case):
    send(case, dt.datetime(2027, 1, 4, 9, 0, tzinfo=dt.UTC), documents=[notice(1), notice(2)])
    case.refresh_from_db()
    assert (case.late, case.state) == (True, State.COMPLETE)


def test_an_answer_after_the_restitution_opens_the_case_again(case, later):
    send(case, later, documents=[notice(1), notice(2)])
    type(case).objects.filter(pk=case.pk).update(state=State.RESTITUTED.value)
    send(case, later, answers={("household.size", 0): 4}, submission="envoi-2")
    case.refresh_from_db()
    assert case.state == State.COMPLETE
    assert context_of(case).value("household.size") == 4
    assert case.events.filter(kind="reopen").count() == 1


def test_an_answer_of_a_household_left_out_is_kept_without_moving_it(case, later):
    type(case).objects.filter(pk=case.pk).update(state=State.OUT_OF_SCOPE.value)
    send(case, later)
    case.refresh_from_db()
    assert case.state == State.OUT_OF_SCOPE
    assert case.events.filter(kind="received_out_of_scope").count() == 1
    assert declaration_of(case).values() == COMPLETE


def test_an_answer_taken_on_the_phone_says_who_took_it(case, later):
    agent = UserFactory(calling=True)
    made = send(case, later, channel="phone", actor=agent)
    assert (made.channel, made.taken_by) == ("phone", agent)
    assert declaration_of(case).answers["household.size"]["0"]["source"] == "phone"


def test_the_draft_is_gone_once_sent(case, later):
    declaration = declaration_of(case)
    declaration.draft = {"household.size": {"0": 2}}
    declaration.save()
    send(case, later)
    assert declaration_of(case).draft == {}

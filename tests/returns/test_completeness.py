"""What is missing and why, and what becomes of the case."""

from __future__ import annotations

import datetime as dt

import pytest

from returns.completeness import documents_expected, missing_items, settle
from returns.models import ComplementRequest, Finding, KeyingTask, SupportingDocument
from returns.qualification import UnableToQualify, qualify, refuse, to_qualify
from returns.rules.dossier import dossier_of
from tenants.case_states import State
from tests.factories.campaigns import UserFactory
from tests.factories.returns import DocumentFactory, PageFactory, ReadingFactory, ReturnFactory
from tests.returns.conftest import signed_notice

pytestmark = pytest.mark.django_db


def test_nothing_is_missing_from_a_complete_case(family, declare, notices, later):
    declare()
    assert missing_items(family) == []
    assert settle(case=family, now=later).state == State.COMPLETE
    assert not ComplementRequest.objects.exists()


def test_a_required_question_left_blank_is_missing(family, declare, notices):
    declare({("household.size", 0): None, ("occupant.tax_reference_income", 2): None})
    size, income = missing_items(family)
    assert (size.rule, size.field, size.row, size.who) == ("required", "household.size", 0, "")
    assert size.sentence == (
        "Merci de répondre à la question « Combien de personnes vivent dans le logement au 1er janvier 2027 »."
    )
    assert (income.field, income.row, income.who) == ("occupant.tax_reference_income", 2, "Loïc Élodée")
    assert income.sentence.startswith("Loïc Élodée : ")


def test_a_question_that_is_not_asked_is_never_missing(family, declare, notices):
    """A person who left answers for the departure, no longer for incomes."""
    declare(
        {
            ("occupant.left", 2): True,
            ("occupant.left_on", 2): "2026-03-01",
            ("occupant.tax_reference_income", 2): None,
        }
    )
    assert [(item.field, item.row) for item in missing_items(family)] == [("occupant.left_reason", 2)]


def test_a_newcomer_must_be_described(family, declare, notices):
    declare({("occupant.first_name", 4): "Ana"})
    missing = {item.field for item in missing_items(family) if item.row == 4}
    assert missing == {"occupant.last_name", "occupant.birth_date", "occupant.link"}


def test_an_unsigned_form_asks_once_for_date_and_signature(family, declare, notices):
    declare(channel="paper")
    [item] = missing_items(family)
    assert (item.rule, item.field) == ("RG01", "signature.signed")
    assert "en ligne" in item.how


def test_a_signed_form_without_its_date_asks_for_the_date(family, declare, notices):
    declare({("signature.signed", 0): True}, channel="paper")
    assert [item.field for item in missing_items(family)] == ["signature.signed_on"]


def test_a_certified_income_need_not_be_declared(family, declare):
    declare({("occupant.tax_reference_income", 1): None})
    DocumentFactory(case=family, **signed_notice(1, "ELODEE INES", 21_501))
    DocumentFactory(case=family, row=2)
    assert missing_items(family) == []


def test_the_words_are_those_of_the_rule(family, declare, later):
    declare()
    settle(case=family, now=later)
    items = missing_items(family)
    findings = Finding.objects.filter(case=family, settled_at=None).order_by("row")
    assert [item.message for item in items] == [finding.message for finding in findings]
    assert [item.row for item in items] == [1, 2]
    assert {item.document for item in items} == {"tax_notice"}


def test_a_warning_does_not_keep_a_case_incomplete(family, declare, notices, later):
    declare({("household.resource_fall", 0): True})
    assert settle(case=family, now=later).state == State.COMPLETE
    assert Finding.objects.get(case=family, settled_at=None).rule == "RG14"


def test_an_exempt_household_is_complete_without_income_papers(family, declare, later):
    """APL or QPV: the SLS does not apply, so neither incomes nor notices are asked."""
    declare({("occupant.tax_reference_income", 1): None, ("occupant.tax_reference_income", 2): None})
    type(family).objects.filter(pk=family.pk).update(scope="none")
    assert settle(case=family, now=later).state == State.COMPLETE


def test_an_incomplete_case_is_asked_for_what_is_missing_then_completes(family, declare, later):
    declare()
    DocumentFactory(case=family, row=1)
    assert settle(case=family, now=later).state == State.INCOMPLETE
    request = ComplementRequest.objects.get(case=family)
    DocumentFactory(case=family, row=2)
    next_day = later + dt.timedelta(days=1)
    assert settle(case=family, now=next_day).state == State.COMPLETE
    request.refresh_from_db()
    assert request.answered_at == next_day


def test_settling_again_changes_nothing(family, declare, later):
    declare()
    for _ in range(3):
        settle(case=family, now=later)
    assert ComplementRequest.objects.count() == 1
    assert family.events.filter(kind="ask_complement").count() == 1


@pytest.mark.parametrize("state", [State.SENT, State.OUT_OF_SCOPE, State.RESTITUTED, State.NON_RESPONDENT])
def test_a_case_not_in_treatment_does_not_move(state, family, declare, notices, later):
    declare()
    type(family).objects.filter(pk=family.pk).update(state=state.value)
    assert settle(case=family, now=later).state == state


def test_nothing_moves_while_a_field_is_to_be_keyed(family, declare, notices, later):
    declare()
    reading = ReadingFactory(survey_return=family.returns.get())
    task = KeyingTask.objects.create(
        campaign=family.campaign,
        survey_return=reading.survey_return,
        reading=reading,
        field=reading.field,
        reason="lecture incertaine",
        created_at=later,
    )
    assert settle(case=family, now=later).state == State.RECEIVED
    task.state = KeyingTask.State.DONE
    task.save()
    assert settle(case=family, now=later).state == State.COMPLETE


def test_nothing_moves_while_a_return_is_being_read(family, declare, notices, later):
    declare()
    ReturnFactory(case=family)
    assert settle(case=family, now=later).state == State.RECEIVED


def test_nothing_moves_while_a_sheet_lies_unread_until_it_is_scanned_again(family, declare, notices, later):
    declare()
    lost = PageFactory(survey_return=family.returns.get(), state="unregistered", number=2)
    assert settle(case=family, now=later).state == State.RECEIVED
    PageFactory(survey_return=lost.survey_return, number=2)
    assert settle(case=family, now=later).state == State.COMPLETE


def test_a_piece_that_nobody_named_is_qualified_before_anything_is_asked(family, declare, later):
    declare()
    DocumentFactory(case=family, row=1)
    unknown = DocumentFactory(case=family, kind="")
    assert settle(case=family, now=later).state == State.RECEIVED
    assert list(to_qualify(family.campaign)) == [unknown]
    actor = UserFactory()
    qualify(document=unknown, kind="tax_notice", row=2, now=later, actor=actor)
    family.refresh_from_db()
    assert family.state == State.COMPLETE
    assert family.events.get(kind="document_qualified").actor == actor


def test_a_refused_piece_is_asked_again(family, declare, notices, later):
    declare()
    refuse(document=notices[1], explanation="Page blanche.", now=later)
    family.refresh_from_db()
    assert family.state == State.INCOMPLETE
    assert SupportingDocument.objects.get(pk=notices[1].pk).explanation == "Page blanche."


def test_a_piece_is_qualified_as_a_piece_of_the_form_only(family, declare, later):
    declare()
    unknown = DocumentFactory(case=family, kind="")
    with pytest.raises(UnableToQualify, match="n'est pas une pièce"):
        qualify(document=unknown, kind="rib", row=0, now=later)
    with pytest.raises(UnableToQualify, match="tout le foyer"):
        qualify(document=unknown, kind="union_proof", row=2, now=later)
    with pytest.raises(UnableToQualify, match="pourquoi"):
        refuse(document=unknown, explanation=" ", now=later)


def test_the_expected_pieces_follow_the_answers(family, declare):
    declare({("occupant.cmi", 1): True})
    expected = [(document.key, row) for document, row in documents_expected(dossier_of(family))]
    assert expected == [("tax_notice", 1), ("tax_notice", 2), ("cmi_card", 1)]

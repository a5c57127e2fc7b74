"""Batches of scans: every page in exactly one state, whatever its order and orientation; nothing lost or doubled."""

from __future__ import annotations

import datetime as dt

import cv2
import pytest

from returns.answers import declaration_of
from returns.intake import read_batch, receive_scans
from returns.models import FieldReading, KeyingTask, Page, ScanBatch, SupportingDocument, SurveyReturn
from tenants import access_codes
from tenants.case_states import State
from tests.factories.campaigns import RevisionFactory
from tests.factories.tenants import CaseFactory
from tests.returns.sheets import (
    blank,
    paper,
    printed,
    return_sheet,
    scanned,
    sign,
    states,
    tick,
    upside_down,
    variant_of,
    write_letters,
)

pytestmark = pytest.mark.django_db

LETTER = "Certificat de scolarite\nannee 2026-2027\nLe directeur"


def test_the_pages_of_a_form_make_one_return_of_its_case(case, variant, received, later):
    access_codes.issue_typed(case=case, wave="form", now=later)
    batch = received(printed(variant.layout, case))
    assert (batch.state, batch.pages_expected) == (ScanBatch.State.READ, variant.layout.pages)
    assert set(states(batch)) == {Page.State.MATCHED}
    made = SurveyReturn.objects.get()
    assert (made.case, made.channel, made.receipt) == (case, "paper", f"27-{case.reference}-1")
    assert [page.number for page in made.pages.order_by("index")] == list(range(1, variant.layout.pages + 1))
    case.refresh_from_db()
    assert (case.channel, case.received_at) == ("paper", later)
    assert not case.access_codes.filter(wave="form", revoked_at=None).exists()
    assert declaration_of(case).revision == variant.revision


def test_two_cases_mixed_in_any_order_and_upside_down_find_their_way(case, other, variant, received):
    ours, theirs = printed(variant.layout, case), printed(variant.layout, other)
    tick(ours, variant.layout, "occupant.activity", 1, "retired")
    tick(theirs, variant.layout, "occupant.activity", 1, "unemployed")
    sheets = [
        sheet if number % 2 else upside_down(sheet)
        for number, pair in enumerate(zip(reversed(ours), theirs, strict=True))
        for sheet in pair
    ]
    batch = received(sheets)
    assert set(states(batch)) == {Page.State.MATCHED}
    for made, activity in ((case, "retired"), (other, "unemployed")):
        numbers = sorted(Page.objects.filter(survey_return__case=made).values_list("number", flat=True))
        assert numbers == list(range(1, variant.layout.pages + 1))
        assert declaration_of(made).values()["occupant.activity", 1] == activity


def test_what_is_ticked_is_declared_and_what_is_written_is_keyed(case, variant, received):
    sheets = printed(variant.layout, case)
    tick(sheets, variant.layout, "occupant.activity", 2, "retired")
    tick(sheets, variant.layout, "occupant.cmi", 1, "yes")
    sign(sheets, variant.layout)
    write_letters(sheets, variant.layout, "occupant.first_name", 4, "Lou")
    received(sheets)
    kept = declaration_of(case).values()
    assert kept["occupant.activity", 2] == "retired"
    assert kept["occupant.cmi", 1] is True
    assert kept["signature.signed", 0] is True
    tasks = KeyingTask.objects.filter(survey_return__case=case)
    assert [(task.field, task.row) for task in tasks] == [("occupant.first_name", 4)]
    case.refresh_from_db()
    assert case.state == State.RECEIVED


def test_a_further_sheet_is_read_and_keyed_like_any_page_of_its_form(case, campaign, received):
    variant = variant_of(RevisionFactory(campaign=campaign), 20)
    sheets = printed(variant.layout, case)
    tick(sheets, variant.layout, "occupant.activity", 18, "retired")
    write_letters(sheets, variant.layout, "occupant.first_name", 19, "Lou")
    first = next(zone.page for zone in variant.layout.zones if zone.row == 17)
    batch = received(sheets[first - 1 : first + 1])
    assert states(batch) == [Page.State.MATCHED, Page.State.MATCHED]
    assert declaration_of(case).values()["occupant.activity", 18] == "retired"
    [task] = KeyingTask.objects.filter(survey_return__case=case)
    assert (task.field, task.row) == ("occupant.first_name", 19)


def test_what_is_written_beside_the_questions_is_told_in_the_history(case, variant, received):
    sheets = printed(variant.layout, case)
    cv2.putText(sheets[1], "Attention, je demenage", (250, 2180), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 40, 4, cv2.LINE_AA)
    received(sheets)
    assert list(Page.objects.filter(unexpected_ink=True).values_list("number", flat=True)) == [2]
    assert case.events.get(kind="handwritten_note").data["pages"] == [2]


def test_two_ticked_boxes_go_to_a_person(case, variant, received):
    sheets = printed(variant.layout, case)
    tick(sheets, variant.layout, "occupant.activity", 1, "retired")
    tick(sheets, variant.layout, "occupant.activity", 1, "disabled")
    received(sheets)
    task = KeyingTask.objects.get(field="occupant.activity", row=1)
    assert task.reason == "plusieurs cases cochées"
    assert ("occupant.activity", 1) not in declaration_of(case).values()


def test_a_form_without_any_doubt_is_settled_at_once(case, variant, received):
    received(printed(variant.layout, case))
    case.refresh_from_db()
    assert case.state == State.INCOMPLETE
    assert SurveyReturn.objects.get().state == SurveyReturn.State.TRANSCRIBED
    missing = case.complements.get().items
    assert "RG01" in {item["rule"] for item in missing}


def test_a_blank_page_is_told_and_changes_nothing(case, variant, received):
    batch = received([*printed(variant.layout, case)[:2], blank()])
    assert states(batch) == [Page.State.MATCHED, Page.State.MATCHED, Page.State.BLANK]


def test_a_page_of_another_campaign_is_foreign(case, variant, received):
    """The same layout, but a case that is not of this campaign: another landlord's, for instance."""
    stranger = CaseFactory(sent=True, reference="GHJKMNP3")
    batch = received([printed(variant.layout, stranger)[1], printed(variant.layout, case)[1]])
    assert states(batch) == [Page.State.FOREIGN, Page.State.MATCHED]
    assert "n'est pas de cette campagne" in batch.pages.get(index=0).explanation
    stranger.refresh_from_db()
    assert stranger.state == State.SENT


def test_a_page_of_an_unknown_layout_is_foreign(case, variant, received):
    from campaigns.paper_form.layout import lay_out

    unknown = lay_out(variant.revision.questionnaire, 8)
    batch = received([printed(unknown, case)[1]])
    assert states(batch) == [Page.State.FOREIGN]
    case.refresh_from_db()
    assert case.state == State.SENT


def test_a_paper_behind_a_form_is_a_piece_of_its_case(case, other, variant, received):
    sheets = [printed(variant.layout, case)[1], paper(LETTER), printed(variant.layout, other)[1]]
    batch = received(sheets)
    assert states(batch) == [Page.State.MATCHED, Page.State.DOCUMENT, Page.State.MATCHED]
    document = SupportingDocument.objects.get()
    assert (document.case, document.kind, document.certified) == (case, "school_certificate", False)
    assert document.content.name == document.page.image.name


def test_a_paper_behind_nothing_waits_for_a_person(campaign, case, variant, received):
    batch = received([paper(LETTER), printed(variant.layout, case)[1]])
    assert states(batch) == [Page.State.UNMATCHED, Page.State.MATCHED]
    assert "rapprocher" in batch.pages.get(index=0).explanation
    assert not SupportingDocument.objects.exists()


def test_a_paper_behind_a_foreign_page_is_nobodys(case, variant, received):
    sheets = [printed(variant.layout, case)[1], printed(variant.layout, "ZZZZZZZZ")[1], paper(LETTER)]
    batch = received(sheets)
    assert states(batch) == [Page.State.MATCHED, Page.State.FOREIGN, Page.State.UNMATCHED]


def test_a_sheet_whose_marks_are_gone_is_kept_for_a_new_scan(case, variant, received, later):
    sheet = printed(variant.layout, case)[1]
    for mark in variant.layout.marks[:3]:
        left, top, right, bottom = (round(side * 200 / 25.4) for side in (mark.x, mark.y, mark.right, mark.bottom))
        sheet[top - 12 : bottom + 12, left - 12 : right + 12] = 255
    batch = received([sheet[::-1, ::-1]])
    assert states(batch) == [Page.State.UNREGISTERED]
    assert batch.pages.get().rotation == 180  # its code tells the way up: who keys it sees it so
    case.refresh_from_db()
    assert case.state == State.RECEIVED  # the household did answer: no reminder, no complement request
    received([printed(variant.layout, case)[1]])
    case.refresh_from_db()
    assert case.state == State.INCOMPLETE


def test_the_same_file_twice_is_one_batch_and_says_so(campaign, case, variant, received, later):
    sheets = printed(variant.layout, case)
    first = received(sheets)
    again = receive_scans(campaign=campaign, name="copie.tif", content=scanned(sheets), now=later)
    assert again == first
    assert (first.already_received, again.already_received) == (False, True)
    assert read_batch(batch=again, now=later).state == ScanBatch.State.READ
    assert Page.objects.count() == variant.layout.pages
    assert SurveyReturn.objects.count() == 1


def test_the_same_sheets_in_another_file_are_duplicates(case, variant, received):
    sheets = printed(variant.layout, case)
    tick(sheets, variant.layout, "occupant.activity", 1, "retired")
    received(sheets)
    batch = received([upside_down(sheet) for sheet in sheets], name="encore.tif")
    assert set(states(batch)) == {Page.State.DUPLICATE}
    assert SurveyReturn.objects.count() == 1
    assert "Déjà reçue" in batch.pages.first().explanation


def test_a_second_form_that_says_something_else_is_a_new_return(case, variant, received, later):
    received(printed(variant.layout, case))
    sheets = printed(variant.layout, case)
    sign(sheets, variant.layout)
    batch = received(sheets, now=later + dt.timedelta(days=9))
    assert states(batch).count(Page.State.MATCHED) == 1
    assert SurveyReturn.objects.count() == 2
    assert declaration_of(case).values() == {("signature.signed", 0): True}


# ── Files that cannot be read ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "vide (0 octet)"),
        (b"II*\0 un fichier abime", "lot.tif"),
        (b"ceci n'est pas une image", "n'est ni une image"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_explanation_and_kept(campaign, variant, later, content, told):
    batch = receive_scans(campaign=campaign, name="lot.tif", content=content, now=later)
    batch = read_batch(batch=batch, now=later)
    assert batch.state == ScanBatch.State.REFUSED
    assert told in batch.explanation
    with batch.content.open("rb") as kept:
        assert kept.read() == content
    assert read_batch(batch=batch, now=later).state == ScanBatch.State.REFUSED


def test_a_truncated_file_loses_no_page_that_can_be_read(case, variant, campaign, later):
    whole = scanned(printed(variant.layout, case)[:2])
    batch = receive_scans(campaign=campaign, name="lot.tif", content=whole[: len(whole) * 2 // 3], now=later)
    batch = read_batch(batch=batch, now=later)
    if batch.state == ScanBatch.State.REFUSED:
        assert "endommagé" in batch.explanation
    else:
        assert batch.pages_expected == batch.pages.count()
        assert Page.State.UNMATCHED in states(batch)


def test_pieces_behind_the_sheet_of_a_demand_join_their_case(campaign, case, other, variant, received):
    """The sheet is the one that the product prints at the end of a letter."""
    batch = received([printed(variant.layout, other)[1], *return_sheet(case), paper(LETTER)])

    assert states(batch) == [Page.State.MATCHED, Page.State.MATCHED, Page.State.DOCUMENT]
    document = SupportingDocument.objects.get()
    assert (document.case, document.kind) == (case, "school_certificate")
    assert document.survey_return.case == case
    case.refresh_from_db()
    assert case.state == State.INCOMPLETE
    assert not FieldReading.objects.filter(survey_return__case=case).exists()


def test_the_sheet_of_another_campaign_s_demand_is_foreign(case, variant, received):
    stranger = CaseFactory(sent=True, reference="GHJKMNP3")

    batch = received([*return_sheet(stranger), paper(LETTER)])

    assert states(batch) == [Page.State.FOREIGN, Page.State.UNMATCHED]

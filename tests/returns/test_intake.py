"""Batches of scans: every page in exactly one state, whatever its order and orientation; nothing lost or doubled."""

from __future__ import annotations

import datetime as dt
import io
import json

import cv2
import pytest
from django.core.management import CommandError, call_command

from returns import intake, scan_pages
from returns.answers import declaration_of
from returns.intake import BatchTaken, PagesLost, read_batch, receive_scans, waiting_batches
from returns.models import FieldReading, KeyingTask, Page, ScanBatch, SupportingDocument, SurveyReturn
from returns.tasks import read_scan_batch, redrive
from tenants import access_codes
from tenants.case_states import State
from tests.factories.campaigns import CampaignFactory, RevisionFactory
from tests.factories.tenants import CaseFactory
from tests.returns.sheets import (
    blank,
    paper,
    printed,
    scanned,
    sign,
    tick,
    upside_down,
    variant_of,
    write_letters,
)

pytestmark = pytest.mark.django_db

LETTER = "Certificat de scolarite\nannee 2026-2027\nLe directeur"


@pytest.fixture
def variant(campaign):
    """The form of the campaign, for four people."""
    return variant_of(RevisionFactory(campaign=campaign))


@pytest.fixture
def case(campaign):
    """A household that has its form."""
    return CaseFactory(campaign=campaign, sent=True, reference="ACDEF346")


@pytest.fixture
def other(campaign):
    """Another one."""
    return CaseFactory(campaign=campaign, sent=True, reference="QRTWXY97")


@pytest.fixture
def received(campaign, later):
    """Receive and read a batch of sheets."""

    def read(sheets, *, name="lot.tif", now=later) -> ScanBatch:
        batch = receive_scans(campaign=campaign, name=name, content=scanned(sheets), now=now)
        return read_batch(batch=batch, now=now)

    return read


def states(batch: ScanBatch) -> list[str]:
    """The state of each page, in order."""
    return list(batch.pages.order_by("index").values_list("state", flat=True))


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
    batch = received([sheet])
    assert states(batch) == [Page.State.UNREGISTERED]
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


# ── Readers that die, meet or lose pages ─────────────────────────────────────────────────────────────────────────────


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def killed_after(monkeypatch):
    """Make the reader die after so many pages."""

    def arm(pages: int) -> None:
        keep = scan_pages.PageKeeper.keep
        left = [pages]

        def dying(self, seen):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return keep(self, seen)

        monkeypatch.setattr(scan_pages.PageKeeper, "keep", dying)

    return arm


def test_a_batch_whose_reader_died_is_taken_up_where_it_stopped(
    campaign, case, variant, later, killed_after, monkeypatch
):
    sheets = [*printed(variant.layout, case), paper(LETTER)]
    batch = receive_scans(campaign=campaign, name="lot.tif", content=scanned(sheets), now=later)
    with monkeypatch.context():
        killed_after(2)
        with pytest.raises(Killed):
            read_batch(batch=batch, now=later)
    monkeypatch.undo()
    assert Page.objects.count() == 2
    assert waiting_batches(now=later) == []
    with pytest.raises(BatchTaken):
        read_batch(batch=batch, now=later + dt.timedelta(minutes=1))
    after = later + intake.LEASE + dt.timedelta(seconds=1)
    assert waiting_batches(now=after) == [batch.pk]
    assert read_batch(batch=batch, now=after).state == ScanBatch.State.READ
    assert batch.pages.count() == len(sheets)
    assert SurveyReturn.objects.count() == 1
    assert SupportingDocument.objects.count() == 1
    assert FieldReading.objects.values("page", "field", "row").distinct().count() == FieldReading.objects.count()
    assert [page.image.name for page in batch.pages.order_by("index")] == [
        f"pages/{batch.pk}/{index:05d}.jpg" for index in range(len(sheets))
    ]


def test_a_reader_that_lost_its_claim_stops(campaign, case, variant, later):
    batch = receive_scans(campaign=campaign, name="lot.tif", content=scanned(printed(variant.layout, case)), now=later)
    ScanBatch.objects.update(state=ScanBatch.State.READING, claimed_at=later)
    keeper = scan_pages.PageKeeper(batch, claim=later - intake.LEASE, now=later)
    seen = intake.see_pages(intake.open_pages(scanned([blank()])), {})
    with pytest.raises(BatchTaken):
        keeper.keep(next(seen))
    assert not Page.objects.exists()


def test_pages_that_go_missing_are_an_error_and_the_batch_stays_open(campaign, case, variant, later, monkeypatch):
    batch = receive_scans(campaign=campaign, name="lot.tif", content=scanned(printed(variant.layout, case)), now=later)
    keep = scan_pages.PageKeeper.keep
    monkeypatch.setattr(scan_pages.PageKeeper, "keep", lambda self, seen: None if seen.index == 1 else keep(self, seen))
    with pytest.raises(PagesLost, match=f"{variant.layout.pages} pages dans le fichier"):
        read_batch(batch=batch, now=later)
    batch.refresh_from_db()
    assert batch.state == ScanBatch.State.READING


def test_a_page_that_the_reader_stumbles_over_does_not_hold_back_the_others(case, variant, received, monkeypatch):
    from returns import seeing

    read_form = seeing.read_form

    def stumbling(grey, placed, layout, questions):
        if placed.code.page == 2:
            raise ValueError("une image impossible")
        return read_form(grey, placed, layout, questions)

    monkeypatch.setattr(seeing, "read_form", stumbling)
    batch = received(printed(variant.layout, case)[:3])
    assert states(batch) == [Page.State.MATCHED, Page.State.UNMATCHED, Page.State.MATCHED]
    left = batch.pages.get(index=1)
    assert "attend une personne" in left.explanation
    assert left.image


def test_every_page_is_counted_once_whatever_the_mix(case, variant, received):
    sheets = [
        blank(),
        paper(LETTER),
        *printed(variant.layout, case),
        printed(variant.layout, case)[1],
        paper(LETTER),
        printed(variant.layout, "ZZZZZZZZ")[0],
    ]
    batch = received(sheets)
    assert batch.pages.count() == batch.pages_expected == len(sheets)
    assert states(batch)[-3:] == [Page.State.DUPLICATE, Page.State.DOCUMENT, Page.State.FOREIGN]


def test_pages_read_by_other_processes_give_the_same_result(campaign, case, variant, later):
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    content = scanned([*printed(variant.layout, case), blank()])
    batch = receive_scans(campaign=campaign, name="lot.tif", content=content, now=later)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        read_batch(batch=batch, now=later, pool=pool)
    assert states(batch) == [Page.State.MATCHED] * variant.layout.pages + [Page.State.BLANK]


# ── Tasks and commands ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_queue_reads_a_batch_once(campaign, case, variant, later):
    content = scanned(printed(variant.layout, case)[1:2])
    batch = receive_scans(campaign=campaign, name="lot.tif", content=content, now=later)
    read_scan_batch(batch.pk)
    read_scan_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.pages.count()) == (ScanBatch.State.READ, 1)


def test_a_batch_forgotten_by_the_queue_is_driven_again(campaign, case, variant, later):
    content = scanned(printed(variant.layout, case)[1:2])
    batch = receive_scans(campaign=campaign, name="lot.tif", content=content, now=later)
    redrive()
    batch.refresh_from_db()
    assert batch.state == ScanBatch.State.READ


def test_the_command_reads_files_and_folders_and_tells_their_pages(campaign, case, variant, tmp_path):
    (tmp_path / "a.tif").write_bytes(scanned([printed(variant.layout, case)[1], blank()]))
    out = io.StringIO()
    call_command("read_scans", str(tmp_path), campaign=campaign.pk, jobs=1, json=True, stdout=out)
    told = json.loads(out.getvalue())
    assert told["pages"] == 2
    assert told["files"][0]["pages"] == {"matched": 1, "blank": 1}
    out = io.StringIO()
    call_command("read_scans", str(tmp_path), campaign=campaign.pk, jobs=1, stdout=out)
    assert "(déjà reçu)" in out.getvalue()


def test_the_command_fails_when_a_file_is_refused_missing_or_the_campaign_unknown(campaign, variant, tmp_path):
    wrong = tmp_path / "vide.tif"
    wrong.write_bytes(b"")
    with pytest.raises(CommandError, match="1 fichier"):
        call_command("read_scans", str(wrong), campaign=campaign.pk, jobs=1, stdout=io.StringIO())
    with pytest.raises(CommandError, match="n'existe pas"):
        call_command("read_scans", str(tmp_path / "rien.tif"), campaign=campaign.pk, jobs=1, stdout=io.StringIO())
    with pytest.raises(CommandError, match="n'existe pas"):
        call_command("read_scans", str(wrong), campaign=0, jobs=1, stdout=io.StringIO())


def test_a_batch_of_another_campaign_never_reaches_a_case(campaign, case, variant, later):
    """The same sheet, handed to the wrong campaign."""
    wrong = CampaignFactory(landlord=campaign.landlord, year=2028)
    variant_of(RevisionFactory(campaign=wrong))
    batch = receive_scans(campaign=wrong, name="lot.tif", content=scanned(printed(variant.layout, case)), now=later)
    read_batch(batch=batch, now=later)
    assert set(states(batch)) == {Page.State.FOREIGN}

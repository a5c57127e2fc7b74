"""Readers that die, meet, lose pages or are driven again: what was read stays, nothing is read twice."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from django.core.management import CommandError, call_command

from returns import intake, scan_pages
from returns.intake import BatchTaken, PagesLost, read_batch, receive_scans, waiting_batches
from returns.models import FieldReading, Page, ScanBatch, SupportingDocument, SurveyReturn
from returns.tasks import read_scan_batch, redrive
from tests.factories.campaigns import CampaignFactory, RevisionFactory
from tests.returns.sheets import (
    blank,
    paper,
    printed,
    scanned,
    states,
    variant_of,
)

pytestmark = pytest.mark.django_db
LETTER = "Certificat de scolarite\nannee 2026-2027\nLe directeur"


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

    def stumbling(grey, placed, layout, questions, *, today):
        if placed.code.page == 2:
            raise ValueError("une image impossible")
        return read_form(grey, placed, layout, questions, today=today)

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

"""Batches as they come: separators, sheets taken two at once, rescans, strangers. Counts in are counts out."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import closing

import cv2
import numpy as np
import pypdfium2
import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from campaigns.paper_form.page_code import PageCode
from campaigns.paper_form.page_code import return_sheet as return_code
from returns.intake import LEASE
from returns.models import Page, ScanBatch, SurveyReturn
from returns.reading.separators import is_separator
from returns.scan_pages import PageKeeper
from returns.seen import SeenPage, SeenPiece, Sight
from returns.separator_sheet import separator_sheet
from returns.sheet_gaps import Why, gaps, missing_pages
from tests.factories.returns import ScanBatchFactory
from tests.factories.tenants import CaseFactory
from tests.returns.sheets import PER_MM, blank, paper, printed, states

pytestmark = pytest.mark.django_db
LETTER = "Certificat de scolarite\nannee 2026-2027"
State = Page.State


def separator(pattern: str = "wnnw", *, sideways: bool = False) -> np.ndarray:
    """A sheet with a patch code: wide and narrow bars."""
    sheet, y = blank(), 40.0
    for bar in pattern:
        height = 5.1 if bar == "w" else 2.0
        top, bottom = round(y * PER_MM), round((y + height) * PER_MM)
        sheet[top:bottom, round(40 * PER_MM) : round(170 * PER_MM)] = 10
        y += height + 2.0
    return np.ascontiguousarray(np.rot90(sheet)) if sideways else sheet


# ── Separators ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pattern", ["wnnw", "wnwn", "nwnw", "nwwn", "wwnn", "nnww"])
@pytest.mark.parametrize("sideways", [False, True])
def test_every_patch_code_separates(pattern, sideways):
    assert is_separator(separator(pattern, sideways=sideways), 200)


@pytest.mark.parametrize("quarters", [0, 1, 2])
@pytest.mark.parametrize("dpi", [150, 200, 300])
def test_the_sheet_that_we_print_separates(dpi, quarters):
    with closing(pypdfium2.PdfDocument(separator_sheet())) as document:
        page = document[0].render(scale=dpi / 72, grayscale=True).to_numpy().squeeze()

    assert is_separator(np.ascontiguousarray(np.rot90(page, quarters)), dpi)


def test_the_separator_sheet_is_printed_from_the_administration(client, manager):
    client.force_login(manager)

    answer = client.get(reverse("admin:separator_sheet"))

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.parametrize("pattern", ["wwww", "nnnn", "wnn"])
def test_other_bars_do_not(pattern):
    assert not is_separator(separator(pattern), 200)


def test_no_page_of_the_form_nor_letter_separates(variant):
    for sheet in [*printed(variant.layout, "ACDEF346"), paper(LETTER), blank()]:
        assert not is_separator(sheet, 200)


def test_what_follows_a_separator_is_no_piece_of_the_form_before(case, variant, received):
    batch = received([printed(variant.layout, case)[1], separator(), paper(LETTER)])
    assert states(batch) == [State.MATCHED, State.SEPARATOR, State.UNMATCHED]


# ── Missing and doubled sheets ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({1, 2, 3, 4, 5, 6}, []),
        ({1, 2, 5, 6}, [((3, 4), Why.TWO_AT_ONCE)]),
        ({1, 2}, [((3, 4, 5, 6), Why.NOT_THERE)]),
        ({3, 4}, [((1, 2, 5, 6), Why.NOT_THERE)]),
        ({1, 3, 5}, [((2, 4, 6), Why.ONE_SIDE)]),
        (set(), [((1, 2, 3, 4, 5, 6), Why.NOT_THERE)]),
    ],
)
def test_what_is_missing_is_told_with_its_reason(seen, told):
    assert gaps(seen, 6) == told


@given(st.sets(st.integers(1, 16)), st.integers(1, 8).map(lambda sheets: 2 * sheets))
def test_every_page_is_seen_or_missing_once(seen, length):
    missing = [page for pages, _ in gaps(seen, length) for page in pages]
    assert sorted([*missing, *(page for page in seen if page <= length)]) == list(range(1, length + 1))


def test_two_sheets_taken_at_once_are_told_until_they_come(case, variant, received, admin_client):
    sheets = printed(variant.layout, case)
    batch = received([*sheets[:2], *sheets[4:]])
    [missing] = missing_pages(batch)
    assert (missing.case, missing.pages, missing.why) == (case, (3, 4), Why.TWO_AT_ONCE)
    assert case.events.get(kind="sheets_missing").data["pages"] == [3, 4]
    text = admin_client.get(reverse("admin:returns_scanbatch_change", args=[batch.pk])).content.decode()
    assert "prises ensemble" in text
    assert "le compte y est" in text
    received(sheets[2:4], name="suite.tif")
    assert missing_pages(batch) == []


def test_a_sheet_scanned_again_frees_the_one_that_had_lost_its_marks(case, variant, received):
    sheet = printed(variant.layout, case)[1]
    spoilt = sheet.copy()
    for mark in variant.layout.marks[:3]:
        left, top, right, bottom = (round(side * PER_MM) for side in (mark.x, mark.y, mark.right, mark.bottom))
        spoilt[top - 12 : bottom + 12, left - 12 : right + 12] = 255
    first = received([spoilt])
    assert states(first) == [State.UNREGISTERED]
    received([sheet], name="encore.tif")
    assert states(first) == [State.DUPLICATE]
    assert "Numérisée de nouveau" in first.pages.get().explanation


def test_a_page_scanned_too_coarsely_says_so(case, variant, received):
    small = cv2.resize(paper(LETTER), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    batch = received([np.asarray(small)])
    assert states(batch) == [State.UNMATCHED]
    assert "50 points par pouce" in batch.pages.get().explanation


def test_a_piece_goes_to_the_occupant_whose_name_it_bears(case, variant, received):
    case.household.occupants.filter(row=3).update(first_name="Zelie", last_name="Morel")
    [_, piece] = received([printed(variant.layout, case)[1], paper(f"{LETTER}\nEleve : MOREL Zelie")]).pages.order_by(
        "index"
    )
    assert (piece.document.kind, piece.document.row) == ("school_certificate", 3)


# ── Counts in are counts out, whatever comes and whenever the reader dies ────────────────────────────────────────────


def sequence(seed: int, references: list[str], layout: str) -> list[SeenPage]:
    """A batch as the reader sees it: any mix, in any order."""
    chance = random.Random(seed)
    pages = []
    for index in range(chance.randint(5, 40)):
        sight = chance.choice(list(Sight))
        code = PageCode(
            chance.choice([*references, "ZZZZZZZZ"]), chance.randint(1, 6), chance.choice([layout, "0BAD0BAD"])
        )
        if sight is Sight.RETURN_SHEET:
            code = return_code(code.case)
        coded = sight in {Sight.FORM, Sight.UNREGISTERED, Sight.RETURN_SHEET, Sight.FOREIGN}
        image = f"image {seed} {chance.randint(0, 60)}".encode()
        piece = SeenPiece(kind=chance.choice(["", "tax_notice"])) if sight is Sight.LOOSE else None
        pages.append(SeenPage(index, sight, image=image, code=code if coded else None, piece=piece))
    return pages


@pytest.mark.parametrize("seed", range(12))
def test_each_page_has_one_end_and_a_reader_that_dies_changes_nothing(campaign, variant, later, seed):
    whole = _kept(campaign, variant, later, seed, "AAAAAAAA", dies=False)
    in_pieces = _kept(campaign, variant, later, seed, "BBBBBBBB", dies=True)
    assert whole == in_pieces
    assert whole.total() == len(sequence(seed, ["AAAAAAAA"], variant.fingerprint))


def _kept(campaign, variant, later, seed: int, reference: str, *, dies: bool) -> Counter[tuple[int, str]]:
    """The states of the pages once kept, by index; the reader may die between any two."""
    CaseFactory(campaign=campaign, sent=True, reference=reference)
    batch = ScanBatchFactory(campaign=campaign, state=ScanBatch.State.READING, claimed_at=later)
    pages = sequence(seed, [reference], variant.fingerprint)
    keeper = PageKeeper(batch, claim=later, now=later)
    for place, seen in enumerate(pages):
        if dies and place % 3 == 2:
            later += LEASE
            ScanBatch.objects.filter(pk=batch.pk).update(claimed_at=later)
            keeper = PageKeeper(batch, claim=later, now=later)
            for page in batch.pages.order_by("index"):
                keeper.resume(page)
        keeper.keep(seen)
    assert SurveyReturn.objects.filter(case__reference=reference).count() <= 1
    return Counter(batch.pages.values_list("index", "state"))


def test_the_page_of_a_batch_tells_how_each_page_ended(campaign, case, variant, received, admin_client):
    batch = received([printed(variant.layout, case)[1], separator(), paper(LETTER), blank()])
    text = admin_client.get(reverse("admin:returns_scanbatch_change", args=[batch.pk])).content.decode()
    assert "le compte y est" in text
    for label in ("Rattachée", "Séparatrice", "À rapprocher", "Blanche"):
        assert label in text
    lost = batch.pages.get(state=State.UNMATCHED)
    assert reverse("keying:lost_page", args=[lost.pk]) in text

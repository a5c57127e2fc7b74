"""Scan files of several dossiers: put together from JPEG pages, read back page by page, whatever one page is."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns.intake import read_batch, receive_scans
from returns.models import Page, ScanBatch
from returns.reading.images import open_pages
from returns.reading.scanned import FILLING, ScannedPage
from returns.rehearsal.scanner import WEAR, Quality, as_jpeg, jpeg_tiff, wear
from tests.factories.campaigns import RevisionFactory
from tests.factories.tenants import CaseFactory
from tests.returns.sheets import printed, variant_of

QUALITY = 85


def _page(level: int, height: int = 120, width: int = 90) -> np.ndarray:
    return np.full((height, width), level, dtype=np.uint8)


@settings(max_examples=25)
@given(
    levels=st.lists(st.integers(0, 255).filter(lambda level: level != FILLING), min_size=1, max_size=6),
    odd=st.integers(81, 84),
)
def test_a_file_gives_its_pages_back_in_order(levels: list[int], odd: int) -> None:
    content = jpeg_tiff([as_jpeg(_page(level, width=odd), QUALITY) for level in levels])

    pages = list(open_pages(content, name="lot.tif"))

    assert all(isinstance(page, ScannedPage) for page in pages)
    assert [round(float(page.grey.mean()) - level) for page, level in zip(pages, levels, strict=True)] == [0] * len(
        levels
    )


def test_the_same_seed_wears_a_page_the_same_way() -> None:
    page = _page(255, 400, 300)

    once, again, other = (wear(page, np.random.default_rng(seed), WEAR[Quality.MEDIUM]) for seed in (3, 3, 4))

    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


@pytest.mark.parametrize("quality", Quality)
def test_noise_is_as_strong_as_the_quality_says(quality: Quality) -> None:
    grey = wear(_page(140, 900, 700), np.random.default_rng(5), WEAR[quality])[300:600, 200:500]

    local = grey.astype(float) - grey.astype(float).mean(axis=0, keepdims=True)
    assert WEAR[quality].noise * 0.7 < local.std() < WEAR[quality].noise * 2 + 4


def test_a_broken_page_in_the_middle_does_not_lose_the_others(db: None, now: dt.datetime) -> None:
    revision = RevisionFactory()
    layout = variant_of(revision).layout
    cases = [CaseFactory(campaign=revision.campaign, layout_rows=layout.rows) for _ in range(2)]
    sheets = [as_jpeg(sheet, QUALITY) for case in cases for sheet in printed(layout, case)]
    broken = len(sheets) // 2 - 1
    content = jpeg_tiff(sheets).replace(sheets[broken], bytes(len(sheets[broken])))

    batch = receive_scans(campaign=revision.campaign, name="lot.tif", content=content, now=now)
    read_batch(batch=batch, now=now)

    batch.refresh_from_db()
    assert batch.state == ScanBatch.State.READ
    assert batch.pages_expected == len(sheets)
    states = list(Page.objects.filter(batch=batch).order_by("index").values_list("state", flat=True))
    assert states.pop(broken) == Page.State.UNMATCHED
    assert set(states) == {Page.State.MATCHED}

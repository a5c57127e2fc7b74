"""A reader killed three times in one batch: what comes out is what a reader left in peace gives, to the last field."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from returns.intake import LEASE, receive_scans
from returns.models import ScanBatch
from returns.rehearsal.pens import Pen
from tests.returns.intake_process import MOMENTS, NOW
from tests.returns.sheets import paper, printed, scanned

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the other process works on a copy of the database"),
]
DATABASE = "base.sqlite3"
OUTCOME = (
    'SELECT "index", number, state, digest, survey_return_id, image FROM returns_page ORDER BY "index"',
    "SELECT page_id, field, row, value, inked, accepted, reason FROM returns_fieldreading ORDER BY 1, 2, 3",
    "SELECT field, row, state, purpose FROM returns_keyingtask ORDER BY 1, 2, 4",
    "SELECT case_id, kind, sha256 FROM returns_supportingdocument ORDER BY 1, 2, 3",
    "SELECT case_id, state FROM returns_surveyreturn ORDER BY 1",
    "SELECT case_id, answers FROM returns_declaration ORDER BY 1",
    "SELECT case_id, kind FROM tenants_caseevent ORDER BY 1, 2",
    "SELECT state, pages_expected FROM returns_scanbatch",
)


def reading(batch: ScanBatch, folder: Path, minutes: int, *moment: str) -> subprocess.CompletedProcess[str]:
    """A process that reads the batch, with the database and the files of that folder."""
    command = [sys.executable, "-m", "tests.returns.intake_process", str(folder / DATABASE), str(folder)]
    command += [str(batch.pk), str(minutes), *moment]
    return subprocess.run(command, check=False, env=os.environ, timeout=240, capture_output=True, text=True)


def outcome(folder: Path) -> list[list[Any]]:
    """Everything that the reading of a batch leaves behind."""
    with sqlite3.connect(folder / DATABASE) as base:
        return [base.execute(query).fetchall() for query in OUTCOME]


def images(media: Path) -> dict[str, bytes]:
    """The pages kept, by name."""
    return {str(path.relative_to(media)): path.read_bytes() for path in sorted(media.glob("pages/**/*.jpg"))}


def test_a_reader_killed_at_its_worst_moments_loses_nothing_and_doubles_nothing(
    campaign, case, other, variant, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path / "received"
    written = printed(variant.layout, case)
    answers = {("household.size", 0): 3, ("household.phone", 0): "0639980001"}
    filled = [Pen(1).fill_page(sheet, variant.layout, page, answers) for page, sheet in enumerate(written, start=1)]
    sheets = [*filled[:2], paper("Certificat de scolarite\nannee 2026-2027"), *printed(variant.layout, other)[:2]]
    batch = receive_scans(campaign=campaign, name="lot.tif", content=scanned(sheets), now=NOW)
    place, killed, whole = Path(settings.MEDIA_ROOT), tmp_path / "killed", tmp_path / "whole"
    for folder in (killed, whole):
        shutil.copytree(place, folder)
        connection.connection.execute("VACUUM INTO ?", [str(folder / DATABASE)])
    later = int(LEASE.total_seconds() / 60) + 1

    ends = [reading(batch, killed, later * turn, moment).returncode for turn, moment in enumerate(MOMENTS)]
    again = reading(batch, killed, later * len(MOMENTS))
    left_in_peace = reading(batch, whole, 0)

    assert ends == [-signal.SIGKILL] * len(MOMENTS)
    assert (again.returncode, left_in_peace.returncode) == (0, 0), again.stderr + left_in_peace.stderr
    assert outcome(killed) == outcome(whole)
    assert images(killed) == images(whole)
    assert len(images(killed)) == len(sheets)

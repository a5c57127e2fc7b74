"""A worker killed while it composes: taken up again, the same files to the byte, nobody twice, nothing left over."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from campaigns import operations
from campaigns.models import Campaign
from tenants.dispatch import compose_forms
from tenants.models import AccessCode, Message, PrintBatch
from tests.factories.campaigns import CampaignFactory
from tests.tenants.compose_process import SIZE, drawn_alike
from tests.tenants.printing import NOW, approve, households

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the other process works on a copy of the database"),
]
COUNTS = (
    "SELECT COUNT(*) FROM tenants_printbatch",
    "SELECT COUNT(*) FROM tenants_message",
    "SELECT COUNT(*) FROM tenants_accesscode",
    "SELECT COUNT(DISTINCT case_id) FROM tenants_message",
)
SECOND_BATCH_HALF_STORED = 4  # its PDF is there, its index and its manifest are not


@pytest.fixture
def campaign(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """Five households to print: three batches."""
    monkeypatch.setattr(operations, "LARGEST_HOUSEHOLD", 1)
    settings.MEDIA_ROOT = tmp_path / "whole"
    campaign = CampaignFactory()
    approve(campaign)
    households(campaign, 1, 1, 1, 1, 1)
    return campaign


def stored(media: Path) -> dict[str, bytes]:
    """The files of batches by name."""
    return {path.name: path.read_bytes() for path in (media / "batches").iterdir()}


def test_a_composition_killed_half_way_is_taken_up_to_the_same_bytes(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, media = str(tmp_path / "copy.sqlite3"), tmp_path / "killed"
    connection.connection.execute("VACUUM INTO ?", [database])
    command = [sys.executable, "-m", "tests.tenants.compose_process", database, str(media), str(campaign.pk)]

    killed = subprocess.run([*command, str(SECOND_BATCH_HALF_STORED)], check=False, env=os.environ, timeout=240)
    left = stored(media)
    again = subprocess.run(command, check=False, env=os.environ, timeout=240, capture_output=True, text=True)

    assert killed.returncode == -signal.SIGKILL
    assert len(left) == SECOND_BATCH_HALF_STORED
    assert again.returncode == 0, again.stderr
    drawn_alike(monkeypatch.setattr)
    assert len(compose_forms(campaign=campaign, now=NOW, size=SIZE)) == 3
    assert stored(media) == stored(tmp_path / "whole")
    with sqlite3.connect(database) as base:
        told = [base.execute(query).fetchone()[0] for query in COUNTS]
    assert told == [PrintBatch.objects.count(), Message.objects.count(), AccessCode.objects.count(), 5]

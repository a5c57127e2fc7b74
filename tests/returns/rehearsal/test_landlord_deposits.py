"""The demonstration's other deposits: files on disk that arrive by SFTP, each in a campaign to prepare."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from campaigns.models import Campaign
from returns.rehearsal.landlord_deposits import Folder, take_deposits

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
SAMPLES = Path(__file__).parents[2] / "samples"
PLANTED, PROPOSALS = 8, 2  # anomalies of each file; kinds of address that we propose to mend
FOLDERS = (Folder(SAMPLES / "landlord_a", "nested"), Folder(SAMPLES / "landlord_b", "relational"))


@pytest.mark.django_db
def test_both_sample_deposits_are_imported_and_dropping_them_again_adds_nothing(settings, tmp_path) -> None:
    settings.VAR_DIR = tmp_path
    taken = take_deposits(folders=FOLDERS, now=NOW)
    assert [(each.files, each.added_by_second_drop) for each in taken] == [(3, 0), (3, 0)]
    assert [each.anomalies for each in taken] == [PLANTED + PROPOSALS] * 2
    assert [each.households for each in taken] == [394, 394]
    for each in taken:
        assert each.campaign.stage == Campaign.Stage.PREPARATION
        assert not each.campaign.rehearsal


@pytest.mark.django_db
def test_a_demonstration_played_again_keeps_the_campaigns_it_made(settings, tmp_path) -> None:
    settings.VAR_DIR = tmp_path
    first, again = (take_deposits(folders=FOLDERS[:1], now=NOW)[0] for _ in range(2))
    assert again.campaign == first.campaign
    assert again.households == first.households


@pytest.mark.parametrize("told", ["nowhere:nested", str(SAMPLES / "landlord_a")], ids=["no folder", "no profile"])
def test_a_deposit_that_is_not_there_is_refused_before_anything_is_played(told) -> None:
    with pytest.raises(CommandError, match="indiquez un dossier"):
        call_command("rehearse", deposit=[told])

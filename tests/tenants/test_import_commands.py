"""The commands and the task that bring deposits in."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from campaigns.exchange import INCOMING, RECEIPTS, LandlordExchange
from campaigns.exchange_accounts import account_of, embedded_server
from campaigns.models import Campaign
from tenants import importing, tasks
from tenants.models import Household, ImportFile
from tests.factories.campaigns import CampaignFactory

pytestmark = pytest.mark.django_db

SAMPLE = Path(__file__).parents[1] / "samples" / "landlord_a"


def import_a(campaign, *more, file=SAMPLE / "locataires.xml"):
    """Run the command on landlord A's files and give its exit status."""
    codes = str(SAMPLE / "tables_correspondance.csv")
    options = ["--campaign", str(campaign.pk), "--profile", "nested", "--codes", codes]
    try:
        call_command("import_households", str(file), *options, *more)
    except SystemExit as status:
        return status.code
    return 0


class TestImportHouseholds:
    def test_a_deposit_with_anomalies_is_imported_and_ends_with_status_1(self, campaign, capsys):
        assert import_a(campaign, "--rules", str(SAMPLE / "regles_gestion.csv"), "--json") == 1
        told = json.loads(capsys.readouterr().out)
        assert (told["created"], told["left_out"], len(told["anomalies"])) == (394, 6, 10)
        assert campaign.households.count() == 394
        campaign.refresh_from_db()
        assert campaign.rules_document

    def test_a_clean_file_ends_with_status_0(self, campaign, capsys, tmp_path):
        text = (SAMPLE / "locataires.xml").read_text(encoding="utf-8").splitlines(keepends=True)
        file = tmp_path / "propre.xml"
        file.write_text("".join([*text[:5], text[-1]]), encoding="utf-8")
        assert import_a(campaign, file=file) == 0
        assert "3 ménages lus" in capsys.readouterr().out

    def test_the_second_time_nothing_happens_and_it_says_so(self, campaign, capsys):
        import_a(campaign)
        capsys.readouterr()
        assert import_a(campaign) == 0
        assert "déjà été importé" in capsys.readouterr().out

    def test_a_corrected_file_waits_until_its_changes_were_read(self, campaign, capsys, tmp_path):
        import_a(campaign)
        file = tmp_path / "corrige.xml"
        text = (SAMPLE / "locataires.xml").read_text(encoding="utf-8")
        file.write_text(text.replace("54 RUE DE EVRARD", "5699 RUE DE EVRARD"), encoding="utf-8")
        capsys.readouterr()
        assert import_a(campaign, "--json", file=file) == 1
        told = json.loads(capsys.readouterr().out)
        assert (told["state"], told["corrected"]) == ("examined", 1)
        assert not campaign.households.filter(address_4__startswith="5699 RUE").exists()
        import_a(campaign, "--accept", file=file)
        assert "1 corrigé" in capsys.readouterr().out
        assert campaign.households.filter(address_4__startswith="5699 RUE").count() == 1

    def test_a_dry_run_keeps_nothing_at_all(self, campaign, capsys):
        before = set(default_storage.listdir("deposits")[1]) if default_storage.exists("deposits") else set()
        assert import_a(campaign, "--dry-run", "--json") == 1
        assert json.loads(capsys.readouterr().out)["created"] == 394
        assert not ImportFile.objects.exists()
        assert not Household.objects.exists()
        campaign.refresh_from_db()
        assert campaign.mapping_profile is None
        assert set(default_storage.listdir("deposits")[1]) == before

    @pytest.mark.usefixtures("server")
    def test_a_dry_run_may_tell_the_landlord_and_still_keeps_nothing(self, campaign):
        assert import_a(campaign, "--dry-run", "--tell", "--json") == 1
        with LandlordExchange(account_of(campaign.landlord)) as exchange:
            told, listed = (
                exchange.open(f"{RECEIPTS}/locataires.xml.essai.{name}").read().decode("utf-8-sig")
                for name in ("txt", "anomalies.csv")
            )
        assert "RIEN N'EST IMPORTÉ" in told
        assert "394 ménages lus" in told
        assert "acceptez" not in told
        assert listed.count("\r\n") == 1 + 10
        assert not Household.objects.exists()

    def test_only_a_dry_run_needs_to_be_told(self, campaign):
        with pytest.raises(CommandError, match="dry-run"):
            import_a(campaign, "--tell")

    def test_a_broken_file_ends_with_status_1_and_its_reason(self, campaign, capsys, tmp_path):
        file = tmp_path / "casse.xml"
        file.write_bytes((SAMPLE / "locataires.xml").read_bytes()[:5000])
        assert import_a(campaign, file=file) == 1
        assert "rien n'a été importé" in capsys.readouterr().out

    def test_what_cannot_be_done_is_told(self, campaign, tmp_path):
        with pytest.raises(CommandError, match="La campagne 999999"):
            call_command("import_households", str(SAMPLE / "locataires.xml"), "--campaign", "999999")
        with pytest.raises(CommandError, match="ne se lit pas"):
            import_a(campaign, file=tmp_path / "absent.xml")
        with pytest.raises(CommandError, match="Choisissez d'abord le profil"):
            call_command("import_households", str(SAMPLE / "locataires.xml"), "--campaign", str(CampaignFactory().pk))
        codes = tmp_path / "codes.csv"
        codes.write_text("rien\n")
        with pytest.raises(CommandError, match=r"codes\.csv"):
            import_a(campaign, "--codes", str(codes))


@pytest.fixture
def server(tmp_path, settings):
    """The built-in SFTP server, where the settings say it is."""
    settings.VAR_DIR = tmp_path
    with embedded_server() as running:
        settings.SFTP_PORT = running.port
        yield running


class TestFetching:
    def drop(self, landlord):
        with LandlordExchange(account_of(landlord)) as exchange:
            for name in ("locataires.xml", "tables_correspondance.csv"):
                exchange.deliver(INCOMING, name, io.BytesIO((SAMPLE / name).read_bytes()))

    def test_the_command_brings_in_what_was_dropped(self, server, campaign, capsys, monkeypatch):
        monkeypatch.setattr("tenants.importing.collection.time.sleep", lambda seconds: None)
        importing.adopt_profile(campaign=campaign, name="nested")
        self.drop(campaign.landlord)
        call_command("fetch_landlord_files", "--json")
        (told,) = json.loads(capsys.readouterr().out)
        assert [each["state"] for each in told["deposits"]] == ["imported", "imported"]
        call_command("fetch_landlord_files")
        assert "0 fichier relevé" in capsys.readouterr().out

    def test_the_task_feeds_the_real_campaign_of_the_latest_year(self, server, landlord, monkeypatch):
        monkeypatch.setattr("tenants.importing.collection.time.sleep", lambda seconds: None)
        CampaignFactory(landlord=landlord, year=2026)
        CampaignFactory(landlord=landlord, year=2029, stage=Campaign.Stage.CLOSED)
        CampaignFactory(landlord=landlord, year=2028, rehearsal=True)
        current = CampaignFactory(landlord=landlord, year=2027)
        importing.adopt_profile(campaign=current, name="nested")
        self.drop(landlord)
        tasks.fetch_landlord_files()
        assert set(Household.objects.values_list("campaign", flat=True)) == {current.pk}

    def test_an_exchange_out_of_reach_is_told_and_fails(self, campaign, capsys, settings, tmp_path):
        settings.VAR_DIR, settings.SFTP_PORT = tmp_path, 9
        with pytest.raises(SystemExit):
            call_command("fetch_landlord_files")
        assert "Impossible de" in capsys.readouterr().out

"""System checks and the commands about a form's definition."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from campaigns import checks, operations
from campaigns.models import Campaign


class TestChecks:
    def test_the_library_that_is_shipped_is_consistent(self):
        assert checks.library_is_consistent(None) == []

    def test_a_broken_library_is_an_error(self, monkeypatch):
        monkeypatch.setattr(checks.consistency, "check", lambda form: ["Question « x » : rien."])
        assert {each.id for each in checks.library_is_consistent(None)} == {"campaigns.E001"}

    def test_an_sms_backend_that_does_not_exist_is_an_error(self, settings):
        assert checks.sms_backend_exists(None) == []
        settings.SMS_BACKEND = "tenants.messaging.sms.PigeonBackend"
        (found,) = checks.sms_backend_exists(None)
        assert found.id == "campaigns.E002"
        assert "PigeonBackend" in found.msg

    def test_a_machine_without_tesseract_is_warned(self, monkeypatch):
        monkeypatch.setattr(checks.shutil, "which", lambda name: None)
        assert [each.id for each in checks.tesseract_reads_french(None)] == ["campaigns.W001"]

    def test_tesseract_without_french_is_warned(self, monkeypatch, tmp_path):
        program = tmp_path / "tesseract"
        program.write_text("#!/bin/sh\necho 'List of available languages (1):'\necho eng\n")
        program.chmod(0o755)
        monkeypatch.setattr(checks.shutil, "which", lambda name: str(program))
        assert [each.id for each in checks.tesseract_reads_french(None)] == ["campaigns.W002"]
        program.write_text("#!/bin/sh\necho eng\necho fra\n")
        assert checks.tesseract_reads_french(None) == []

    def test_a_missing_typeface_is_warned(self, settings, tmp_path):
        settings.NODE_MODULES = tmp_path
        assert [each.id for each in checks.fonts_are_installed(None)] == ["campaigns.W003"]


class TestCheckDefinition:
    @pytest.mark.parametrize("key", ["sls", "ops", "sls_ops"])
    def test_the_library_passes(self, capsys, key):
        call_command("check_definition", key, "--json")
        told = json.loads(capsys.readouterr().out)
        assert told["problems"] == []
        assert told["fields"] > 5

    def test_a_broken_definition_fails_with_every_problem(self, capsys, tmp_path):
        file = tmp_path / "essai.toml"
        file.write_text('key = "essai"\ntitle = "Essai"\nsurvey = "sls"\nsections = []\ncouleur = "bleu"\n')
        with pytest.raises(SystemExit) as status:
            call_command("check_definition", str(file))
        assert status.value.code == 1
        assert "couleur" in capsys.readouterr().err

    def test_a_form_without_a_question_fails(self, capsys, tmp_path):
        file = tmp_path / "essai.json"
        file.write_text(json.dumps({"key": "essai", "title": "Essai", "survey": "sls", "sections": []}))
        with pytest.raises(SystemExit):
            call_command("check_definition", str(file), "--json")
        assert "aucune rubrique" in json.loads(capsys.readouterr().out)["problems"][0]

    def test_a_missing_or_unreadable_file_is_told(self, tmp_path):
        with pytest.raises(CommandError, match="n'existe pas"):
            call_command("check_definition", str(tmp_path / "rien.toml"))
        file = tmp_path / "essai.toml"
        file.write_text("= = =")
        with pytest.raises(CommandError, match="ne se lit pas"):
            call_command("check_definition", str(file))


@pytest.mark.django_db
class TestFormLayout:
    def test_every_zone_is_told_in_millimetres(self, capsys, campaign, now):
        revision = operations.draw_up_revision(campaign=campaign, now=now)
        call_command("form_layout", "--campaign", str(campaign.pk), "--rows", "2", "--json")
        (told,) = json.loads(capsys.readouterr().out)
        layout = revision.layouts.get(rows=2, large=False)
        assert told["fingerprint"] == layout.fingerprint
        assert len(told["zones"]) == len(layout.layout.zones) > 20
        zone = told["zones"][0]
        assert {"field", "row", "kind", "value", "page", "x", "y", "w", "h"} <= set(zone)
        assert all(0 < each["x"] < 210 and 0 < each["y"] < 297 for each in told["zones"])

    def test_people_get_a_table(self, capsys, campaign, now):
        operations.draw_up_revision(campaign=campaign, now=now)
        call_command("form_layout", "--campaign", str(campaign.pk), "--rows", "2")
        assert "Maquette" in capsys.readouterr().out

    def test_what_is_not_there_is_told(self, campaign, now):
        with pytest.raises(CommandError, match="pas encore de formulaire"):
            call_command("form_layout", "--campaign", str(campaign.pk))
        operations.draw_up_revision(campaign=campaign, now=now)
        with pytest.raises(CommandError, match="Aucune maquette de 99 lignes"):
            call_command("form_layout", "--campaign", str(campaign.pk), "--rows", "99")
        missing = Campaign.objects.count() + 1000
        with pytest.raises(CommandError, match="n'existe pas"):
            call_command("form_layout", "--campaign", str(missing))

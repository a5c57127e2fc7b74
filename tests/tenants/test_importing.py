"""The landlord's deposits, imported whole or not at all, once, and corrected later."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from campaigns import operations
from campaigns.models import Campaign, current_tables
from campaigns.scope import within
from tenants import importing
from tenants.case_states import Move, State
from tenants.models import CaseEvent, Dwelling, Household, ImportFile, Occupant, SurveyCase
from tests.factories.campaigns import CampaignFactory, ScopeOptionFactory
from tests.tenants.depositing import LANDLORDS, deposit_of, imported, ready, sample, truth

pytestmark = pytest.mark.django_db


class TestSamples:
    @pytest.mark.parametrize("letter", LANDLORDS)
    def test_every_good_household_is_imported(self, letter, now):
        campaign = ready(letter, now)
        deposit, report = imported(campaign, sample(letter), now)
        assert report.created == campaign.households.count() == campaign.cases.count() == 394
        assert report.left_out == 6
        assert report.warnings == 4  # two planted, two kinds of addresses to correct
        assert (deposit.state, deposit.households, deposit.refused) == ("imported", 394, 6)
        assert deposit.imported_at == now

    @pytest.mark.parametrize("letter", LANDLORDS)
    def test_every_planted_anomaly_is_recorded_with_its_place(self, letter, now):
        deposit, _ = imported(ready(letter, now), sample(letter), now)
        planted = deposit.anomalies.exclude(expected="NF Z10-011")
        told = {(each.tenant_reference, each.kind) for each in planted}
        assert told == {(each["tenant_ref"], each["kind"]) for each in truth(letter)["anomalies"]}
        for each in planted:
            assert each.line > 1
            assert each.path.startswith("/")
            assert each.message.endswith(".")

    def test_the_two_dialects_say_the_same_households(self, now):
        told = []
        for letter in LANDLORDS:
            campaign = ready(letter, now)
            imported(campaign, sample(letter), now)
            people = Occupant.objects.filter(household__campaign=campaign).order_by(
                "household__tenant_reference", "row"
            )
            columns = ("household__tenant_reference", "row", "link", "birth_date", "cmi", "last_name")
            told.append([(*row[:-1], row[-1].upper().replace("’", "'")) for row in people.values_list(*columns)])
        assert told[0] == told[1]
        assert len(told[0]) > 394

    def test_columns_hold_what_the_file_says(self, now):
        campaign = ready("a", now)
        imported(campaign, sample("a"), now)
        household = campaign.households.get(tenant_reference="00100018")
        assert (household.city, household.lease_reference) == ("LA RICHE", "L21000002")
        assert household.search_name == "guibert thibault"
        assert household.dwelling.estate_name == "Résidence de l'Écluse"
        assert str(household.dwelling.surface) == "19.46"
        assert [person.link for person in household.occupants.order_by("row")] == ["holder", "spouse"]
        assert household.occupants.get(row=2).cmi is True

    def test_the_sample_codes_let_the_form_be_drawn_up(self, now):
        campaign = ready("b", now)
        assert current_tables(campaign)["LIEN"].lines.get(code="CCB").value == "partner"
        assert operations.draw_up_revision(campaign=campaign, now=now).number == 1


class TestScope:
    def test_a_household_larger_than_the_form_is_imported_whole(self, now):
        campaign = ready("a", now)
        head, one = sample("a").decode().split("\n<Locataire>")[:2]
        child = re.search(r'<Occupant rang="3">.*?</Occupant>', one)[0]
        more = "".join(
            child.replace('rang="3"', f'rang="{row}"').replace("Dominique", f"Enfant {chr(61 + row)}")
            for row in range(4, 20)
        )
        content = f"{head}\n<Locataire>{one.replace(child, child + more)}\n</EnqueteSLS>".encode()
        deposit, report = imported(campaign, content, now)
        assert (report.created, report.left_out) == (1, 0)
        assert not deposit.anomalies.exclude(expected="NF Z10-011").exists()
        rows = Occupant.objects.filter(household__campaign=campaign).order_by("row").values_list("row", flat=True)
        assert list(rows) == list(range(1, 20))

    def test_exempt_households_are_out_of_an_sls_survey_with_the_reason(self, now):
        campaign = ready("a", now)
        _, report = imported(campaign, sample("a"), now)
        for case in campaign.cases.select_related("household__dwelling"):
            household, dwelling = case.household, case.household.dwelling
            exempt = household.apl or dwelling.qpv or dwelling.financing == "PLI"
            assert (case.state == State.OUT_OF_SCOPE) == exempt
            assert (case.scope == "none") == bool(case.scope_reason) == exempt
        assert 0 < report.exempt == campaign.cases.filter(state=State.OUT_OF_SCOPE).count() < 394

    def test_they_answer_the_ops_part_of_a_double_survey(self, now):
        campaign = ready("a", now, survey="sls_ops", year=2028)
        _, report = imported(campaign, sample("a"), now)
        assert report.exempt == 0
        assert set(campaign.cases.values_list("scope", flat=True)) == {"ops", "sls_ops"}
        assert not campaign.cases.filter(scope="ops", scope_reason="").exists()

    def test_a_landlord_may_give_an_exemption_up(self, now):
        campaign = ready("a", now)
        ScopeOptionFactory(landlord=campaign.landlord, exemption="apl")
        imported(campaign, sample("a"), now)
        cases = campaign.cases.filter(household__apl=True, household__dwelling__qpv=False)
        assert cases.exclude(household__dwelling__financing="PLI").filter(state=State.PREPARED).exists()

    def test_every_case_starts_its_history(self, now):
        campaign = ready("a", now)
        imported(campaign, sample("a"), now)
        events = CaseEvent.objects.filter(case__campaign=campaign)
        assert events.count() == campaign.cases.count()
        assert set(events.values_list("kind", flat=True)) == {"import", "exempt"}

    def test_a_rival_landlord_sees_none_of_it(self, now, rivals):
        imported(ready("a", now, landlord=rivals[0]), sample("a"), now)
        with within(landlord=rivals[1]):
            assert not Household.objects.exists()
            assert not SurveyCase.objects.exists()
            assert not ImportFile.objects.exists()


class TestOnce:
    def test_the_same_content_twice_is_one_deposit_and_one_import(self, now):
        campaign = ready("a", now)
        deposit, _ = imported(campaign, sample("a"), now)
        before = CaseEvent.objects.count()
        again, created = importing.receive_deposit(
            campaign=campaign, kind=deposit.kind, name="autre-nom.xml", content=sample("a"), now=now
        )
        assert (again, created) == (deposit, False)
        report = importing.import_households(deposit=again, now=now)
        assert report.already
        assert "déjà été importé" in report.sentence
        assert CaseEvent.objects.count() == before

    def test_a_dry_run_tells_all_and_writes_nothing(self, now):
        campaign = ready("a", now)
        deposit = deposit_of(campaign, sample("a"), now)
        report = importing.import_households(deposit=deposit, now=now, dry_run=True)
        assert (report.created, report.left_out, report.dry_run) == (394, 6, True)
        deposit.refresh_from_db()
        assert deposit.state == ImportFile.State.RECEIVED
        assert not campaign.households.exists()
        assert not deposit.anomalies.exists()

    def test_progress_is_told(self, now):
        counts = []
        deposit = deposit_of(ready("a", now), sample("a"), now)
        importing.import_households(deposit=deposit, now=now, progress=counts.append)
        assert counts[-1] == 394


class TestRefused:
    def test_a_truncated_file_leaves_nothing_behind(self, now, monkeypatch):
        monkeypatch.setattr("tenants.importing.examining.CHUNK", 50)
        campaign = ready("a", now)
        deposit, report = imported(campaign, sample("a")[:200_000], now)
        assert report.refused
        assert report.imported == 0
        assert (deposit.state, deposit.imported_at) == ("refused", None)
        assert deposit.anomalies.get(severity="file").line > 1
        for model in (Household, Dwelling, SurveyCase, Occupant):
            assert not model.objects.exists()

    def test_a_broken_correction_leaves_the_campaign_as_it_was(self, now):
        campaign = ready("a", now)
        imported(campaign, sample("a"), now)
        before = list(campaign.households.order_by("pk").values_list("tenant_reference", "city", "search_name"))
        _, report = imported(campaign, sample("a").replace(b"JOUE LES TOURS", b"CHINON")[:-400], now)
        assert report.refused
        assert list(campaign.households.order_by("pk").values_list("tenant_reference", "city", "search_name")) == before

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (b"", "empty_file"),
            (b"%PDF-1.7", "not_xml"),
            (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "x">]><EnqueteSLS/>', "doctype"),
            (b"<EnqueteSLS></EnqueteSLS>", "no_household"),
        ],
    )
    def test_a_file_that_is_no_deposit_is_refused_in_words(self, now, content, kind):
        deposit, report = imported(ready("a", now), content, now)
        assert report.refused
        assert deposit.anomalies.get().kind == kind
        assert deposit.anomalies.get().message in deposit.explanation

    def test_without_its_code_tables_a_file_is_refused_and_can_be_tried_again(self, now):
        campaign = CampaignFactory()
        importing.adopt_profile(campaign=campaign, name="nested")
        deposit, report = imported(campaign, sample("a"), now)
        assert report.refused
        assert set(deposit.anomalies.values_list("kind", flat=True)) == {"missing_table"}
        codes = deposit_of(campaign, sample("a", "tables_correspondance.csv"), now, ImportFile.Kind.CODES)
        importing.import_codes(deposit=codes, now=now)
        deposit.refresh_from_db()
        assert importing.import_households(deposit=deposit, now=now).created == 394
        assert deposit.anomalies.count() == 10

    def test_a_campaign_without_a_profile_imports_nothing(self, now):
        deposit = deposit_of(CampaignFactory(), sample("a"), now)
        with pytest.raises(importing.UnableToImport, match="profil d'import"):
            importing.import_households(deposit=deposit, now=now)

    def test_a_closed_campaign_takes_no_household(self, now):
        campaign = ready("a", now, stage=Campaign.Stage.CLOSED)
        with pytest.raises(importing.UnableToImport, match="close"):
            imported(campaign, sample("a"), now)

    def test_an_unknown_profile_is_refused_with_those_that_exist(self):
        with pytest.raises(importing.UnableToImport, match="nested, relational"):
            importing.adopt_profile(campaign=CampaignFactory(), name="martien")

    def test_a_value_that_no_column_holds_leaves_its_household_out(self, now):
        text = sample("a").replace("Résidence code".encode(), b"Residence code")
        text = text.replace(b"<Agence>AG04</Agence>", b"<Agence>AG04</Agence>", 1)
        text = text.replace(b"<Ville>LA RICHE</Ville>", b"<Ville>" + b"X" * 70 + b"</Ville>", 1)
        deposit, report = imported(ready("a", now), text, now)
        assert report.created == 393
        assert deposit.anomalies.get(kind="too_long").tenant_reference == "00100018"


class TestCorrections:
    def corrected(self, now, old, new, after=None):
        campaign = ready("a", now)
        imported(campaign, sample("a"), now)
        if after:
            after(campaign)
        text = sample("a").decode()
        assert old in text
        deposit, report = imported(campaign, text.replace(old, new, 1).encode(), now)
        return campaign, deposit, report

    def test_a_corrected_file_changes_only_what_changed(self, now):
        campaign, _, report = self.corrected(now, "31 RUE ÉRIC TANGUY", "33 RUE ÉRIC TANGUY")
        assert (report.created, report.corrected, report.unchanged, report.absent) == (0, 1, 393, 0)
        assert campaign.households.get(tenant_reference="00100011").address_4 == "33 RUE ÉRIC TANGUY"
        case = SurveyCase.objects.get(household__tenant_reference="00100011")
        assert case.events.filter(kind="import", data__corrected=True).count() == 1

    def test_an_occupant_who_left_the_file_leaves_the_household(self, now):
        row = re.search(r'<Occupant rang="2">.*?</Occupant>', sample("a").decode())[0]
        campaign, _, report = self.corrected(now, row, "")
        assert report.corrected == 1
        rows = Occupant.objects.filter(household=campaign.households.get(tenant_reference="00100004"))
        assert list(rows.order_by("row").values_list("row", flat=True)) == [1, 2]

    def test_a_newly_exempt_household_leaves_the_survey_and_may_come_back(self, now):
        first = sample("a").decode()
        campaign, _, report = self.corrected(now, "<APL>N</APL>", "<APL>O</APL>")
        case = campaign.cases.get(household__tenant_reference="00100004")
        assert (report.corrected, case.state, case.scope) == (1, State.OUT_OF_SCOPE, "none")
        imported(campaign, (first + "\n").encode(), now)
        case.refresh_from_db()
        assert (case.state, case.scope) == (State.PREPARED, "sls")
        assert list(case.events.order_by("pk").values_list("kind", flat=True))[1:3] == [Move.EXEMPT, "import"]

    def test_a_household_missing_from_the_file_leaves_the_survey(self, now):
        household = re.search(r"<Locataire><Reference>00100018<.*?</Locataire>", sample("a").decode())[0]
        campaign, deposit, report = self.corrected(now, household, "")
        assert (report.absent, report.departed) == (1, 1)
        assert deposit.changes.get(kind="departure").tenant_reference == "00100018"
        assert campaign.cases.filter(household__tenant_reference="00100018", state=State.OUT_OF_SCOPE).exists()
        assert campaign.households.get(tenant_reference="00100018").left_on == timezone.localdate(now)

    def test_an_arrival_is_a_new_case(self, now):
        household = re.search(r"<Locataire><Reference>00100018<.*?</Locataire>", sample("a").decode())[0]
        arrival = household.replace("00100018", "00999999").replace("LG0000002", "LG9999999")
        campaign, _, report = self.corrected(now, household, household + arrival)
        assert (report.created, report.unchanged) == (1, 394)
        assert campaign.cases.filter(household__tenant_reference="00999999").exists()

    def test_a_household_already_sent_keeps_its_form_but_not_its_old_address(self, now):
        def send(campaign):
            campaign.cases.get(household__tenant_reference="00100018").move(Move.SEND, now=now)

        campaign, deposit, report = self.corrected(now, "<Nom>Guibert</Nom>", "<Nom>Guilbert</Nom>", after=send)
        assert report.kept == 1
        assert deposit.anomalies.get(kind="form_already_sent").tenant_reference == "00100018"
        household = campaign.households.get(tenant_reference="00100018")
        assert household.occupants.get(row=1).last_name == "Guibert"
        imported(campaign, sample("a").replace(b"54 RUE DE EVRARD", b"56 RUE DE EVRARD"), now)
        household.refresh_from_db()
        assert household.address_4 == "56 RUE DE EVRARD"

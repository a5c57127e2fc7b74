"""The landlord's deposits, imported whole or not at all, once, and corrected later."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from campaigns import operations
from campaigns.exchange import ARCHIVE, INCOMING, RECEIPTS, ExchangeRefused, LandlordExchange
from campaigns.exchange_accounts import account_of, embedded_server
from campaigns.models import Campaign
from campaigns.scope import within
from tenants import importing
from tenants.case_states import Move, State
from tenants.models import CaseEvent, Dwelling, Household, ImportFile, Occupant, SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import ImportAnomalyFactory

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parents[1] / "samples"
LANDLORDS = {
    "a": ("landlord_a", "nested", "locataires.xml"),
    "b": ("landlord_b", "relational", "EXP_ENQ_2027.XML"),
}


def sample(letter, name=None):
    folder, _, households = LANDLORDS[letter]
    return (SAMPLES / folder / (name or households)).read_bytes()


def truth(letter):
    return json.loads((SAMPLES / LANDLORDS[letter][0] / "truth.json").read_text(encoding="utf-8"))


def deposit_of(campaign, content, now, kind=ImportFile.Kind.HOUSEHOLDS, name="locataires.xml"):
    return importing.receive_deposit(campaign=campaign, kind=kind, name=name, content=content, now=now)[0]


def ready(letter, now, **changes):
    """A campaign whose codes are imported and whose profile is chosen."""
    campaign = CampaignFactory(**changes)
    importing.adopt_profile(campaign=campaign, name=LANDLORDS[letter][1])
    codes = deposit_of(campaign, sample(letter, "tables_correspondance.csv"), now, ImportFile.Kind.CODES, "tables.csv")
    importing.import_codes(deposit=codes, now=now)
    return campaign


def imported(campaign, content, now):
    deposit = deposit_of(campaign, content, now)
    return deposit, importing.import_households(deposit=deposit, now=now)


class TestSamples:
    @pytest.mark.parametrize("letter", LANDLORDS)
    def test_every_good_household_is_imported(self, letter, now):
        campaign = ready(letter, now)
        deposit, report = imported(campaign, sample(letter), now)
        assert report.created == campaign.households.count() == campaign.cases.count() == 394
        assert report.left_out == 6
        assert report.warnings == 2
        assert (deposit.state, deposit.households, deposit.refused) == ("imported", 394, 6)
        assert deposit.imported_at == now

    @pytest.mark.parametrize("letter", LANDLORDS)
    def test_every_planted_anomaly_is_recorded_with_its_place(self, letter, now):
        deposit, _ = imported(ready(letter, now), sample(letter), now)
        told = {(each.tenant_reference, each.kind) for each in deposit.anomalies.all()}
        assert told == {(each["tenant_ref"], each["kind"]) for each in truth(letter)["anomalies"]}
        for each in deposit.anomalies.all():
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
        assert campaign.codes.get(table="LIEN", code="CCB").value == "partner"
        assert operations.draw_up_revision(campaign=campaign, now=now).number == 1


class TestScope:
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
        campaign = ready("a", now, waived_exemptions=["apl"])
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
        monkeypatch.setattr("tenants.importing.writing.CHUNK", 50)
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
        assert deposit.anomalies.count() == 8

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

    def test_a_household_missing_from_the_file_is_told_and_kept(self, now):
        household = re.search(r"<Locataire><Reference>00100018<.*?</Locataire>", sample("a").decode())[0]
        campaign, deposit, report = self.corrected(now, household, "")
        assert report.absent == 1
        assert deposit.anomalies.get(kind="household_absent").tenant_reference == "00100018"
        assert campaign.cases.filter(household__tenant_reference="00100018", state=State.PREPARED).exists()

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


class TestCodesAndRules:
    def test_new_codes_are_added_and_values_set_by_people_are_kept(self, now):
        campaign = ready("a", now)
        campaign.codes.filter(table="LIEN", code="99").update(value="other")
        count = campaign.codes.count()
        content = b"table;code;libelle\nLIEN;99;Autre\nLIEN;77;Bru\n"
        deposit = importing.import_codes(deposit=deposit_of(campaign, content, now, ImportFile.Kind.CODES), now=now)
        assert campaign.codes.count() == count + 1
        assert campaign.codes.get(table="LIEN", code="99").value == "other"
        assert campaign.codes.get(table="LIEN", code="77").value == ""
        assert "Bru" in deposit.anomalies.get(kind="unmapped_code").message

    def test_a_value_given_by_a_person_is_used_to_read_the_file(self, now):
        campaign = ready("a", now)
        content = b"table;code;libelle\nLIEN;77;Bru\n"
        importing.import_codes(deposit=deposit_of(campaign, content, now, ImportFile.Kind.CODES), now=now)
        campaign.codes.filter(table="LIEN", code="77").update(value="other")
        imported(campaign, sample("a").replace(b"<Lien>03</Lien>", b"<Lien>77</Lien>", 1), now)
        assert Occupant.objects.filter(household__campaign=campaign, link="other").exists()

    def test_codes_that_contradict_each_other_are_refused(self, now):
        campaign = CampaignFactory()
        content = b"table;code;libelle\nLIEN;01;Titulaire\nLIEN;01;Enfant\n"
        deposit = importing.import_codes(deposit=deposit_of(campaign, content, now, ImportFile.Kind.CODES), now=now)
        assert deposit.state == ImportFile.State.REFUSED
        assert "Ligne 3" in deposit.explanation
        assert not campaign.codes.exists()

    @pytest.mark.parametrize("letter", LANDLORDS)
    def test_rules_are_kept_with_the_campaign(self, letter, now):
        campaign = CampaignFactory()
        content = sample(letter, "regles_gestion.csv")
        deposit = importing.keep_rules(deposit=deposit_of(campaign, content, now, ImportFile.Kind.RULES), now=now)
        campaign.refresh_from_db()
        assert deposit.state == ImportFile.State.IMPORTED
        assert campaign.rules_document.read() == content

    def test_rules_without_their_titles_are_refused(self, now):
        campaign = CampaignFactory()
        deposit = importing.keep_rules(
            deposit=deposit_of(campaign, b"RG01;Signature", now, ImportFile.Kind.RULES), now=now
        )
        assert deposit.state == ImportFile.State.REFUSED
        campaign.refresh_from_db()
        assert not campaign.rules_document


class TestRecognition:
    @pytest.mark.parametrize("letter", LANDLORDS)
    def test_the_three_files_of_a_landlord_are_told_apart(self, letter):
        names = {
            LANDLORDS[letter][2]: ImportFile.Kind.HOUSEHOLDS,
            "tables_correspondance.csv": ImportFile.Kind.CODES,
            "regles_gestion.csv": ImportFile.Kind.RULES,
        }
        for name, kind in names.items():
            assert importing.recognise(name, sample(letter, name)[:4096]) == kind

    def test_a_file_of_another_kind_is_refused_with_what_is_expected(self):
        with pytest.raises(importing.UnableToImport, match="table, code, libelle"):
            importing.recognise("photo.jpg", b"\xff\xd8\xff")


class TestTelling:
    def test_the_receipt_names_the_file_its_checksum_and_the_outcome(self, now):
        deposit, report = imported(ready("a", now), sample("a"), now)
        receipt = importing.receipt_of(deposit, now)
        assert deposit.sha256 in receipt
        assert "01/10/2026 à 11:00" in receipt
        assert report.sentence in receipt
        assert "8 anomalie(s)" in receipt

    def test_the_list_of_anomalies_opens_in_a_spreadsheet(self, now):
        deposit, _ = imported(ready("a", now), sample("a"), now)
        rows = list(csv.reader(io.StringIO(importing.anomalies_csv(deposit.anomalies.all())), delimiter=";"))
        assert len(rows) == 9
        assert rows[0][0] == "\ufeffligne"

    def test_a_value_cannot_become_a_formula(self):
        anomaly = ImportAnomalyFactory(value="=HYPERLINK(1)")
        assert "'=HYPERLINK(1)" in importing.anomalies_csv([anomaly])

    @pytest.mark.parametrize(
        ("name", "searched"),
        [(("Élodée", "Inès"), "elodee ines"), (("D'Œuvre-Château",), "d oeuvre chateau"), (("ŁUKASZ  ",), "łukasz")],
    )
    def test_names_are_searched_without_accents(self, name, searched):
        assert importing.searchable(*name) == searched


@pytest.fixture
def exchange(tmp_path, settings, landlord):
    """The landlord's folders on the built-in SFTP server."""
    settings.VAR_DIR = tmp_path
    with embedded_server() as server:
        folders = LandlordExchange(account_of(landlord, port=server.port, host_key=server.host_key))
        yield folders
        folders.close()


class TestExchange:
    def drop(self, exchange, letter, *names):
        for name in names:
            exchange.deliver(INCOMING, name, io.BytesIO(sample(letter, name)))

    def fetch(self, campaign, exchange, now):
        return importing.fetch_deposits(campaign=campaign, exchange=exchange, now=now, pause=0.01)

    def test_the_three_files_are_imported_in_the_right_order_whatever_the_order_they_came_in(
        self, exchange, campaign, now
    ):
        importing.adopt_profile(campaign=campaign, name="nested")
        self.drop(exchange, "a", "locataires.xml", "regles_gestion.csv", "tables_correspondance.csv")
        deposits = self.fetch(campaign, exchange, now)
        assert [each.kind for each in deposits] == ["codes", "rules", "households"]
        assert {each.state for each in deposits} == {"imported"}
        assert campaign.households.count() == 394
        assert exchange.listdir(INCOMING)[1] == []
        assert len(exchange.listdir(ARCHIVE)[1]) == 3

    def test_every_file_gets_a_receipt_and_its_anomalies(self, exchange, campaign, now):
        importing.adopt_profile(campaign=campaign, name="nested")
        self.drop(exchange, "a", "locataires.xml", "tables_correspondance.csv")
        self.fetch(campaign, exchange, now)
        told = exchange.listdir(RECEIPTS)[1]
        assert "locataires.xml.accuse.txt" in told
        assert "tables_correspondance.csv.accuse.txt" in told
        receipt = exchange.open(f"{RECEIPTS}/locataires.xml.accuse.txt").read().decode()
        assert "394 ménages lus" in receipt
        report = exchange.open(f"{RECEIPTS}/locataires.xml.anomalies.csv").read().decode("utf-8-sig")
        assert "31/02/1981" in report

    def test_the_same_files_dropped_again_change_nothing(self, exchange, campaign, now):
        importing.adopt_profile(campaign=campaign, name="nested")
        for _ in range(2):
            self.drop(exchange, "a", "locataires.xml", "tables_correspondance.csv")
            self.fetch(campaign, exchange, now)
        assert ImportFile.objects.count() == 2
        assert CaseEvent.objects.count() == 394
        assert len(exchange.listdir(ARCHIVE)[1]) == 4

    def test_households_that_came_before_their_codes_are_imported_once_these_arrive(self, exchange, campaign, now):
        importing.adopt_profile(campaign=campaign, name="nested")
        self.drop(exchange, "a", "locataires.xml")
        (deposit,) = self.fetch(campaign, exchange, now)
        assert deposit.state == "refused"
        self.drop(exchange, "a", "tables_correspondance.csv")
        self.fetch(campaign, exchange, now)
        assert campaign.households.count() == 394

    def test_a_file_of_another_kind_is_told_and_put_away(self, exchange, campaign, now):
        exchange.deliver(INCOMING, "photo.jpg", io.BytesIO(b"\xff\xd8\xff\xe0"))
        assert self.fetch(campaign, exchange, now) == []
        assert "NON RECONNU" in exchange.open(f"{RECEIPTS}/photo.jpg.accuse.txt").read().decode()
        assert exchange.listdir(INCOMING)[1] == []

    def test_without_a_profile_the_file_is_kept_and_says_what_it_waits_for(self, exchange, campaign, now):
        self.drop(exchange, "a", "tables_correspondance.csv", "locataires.xml")
        deposit = self.fetch(campaign, exchange, now)[-1]
        assert deposit.state == "received"
        assert "profil d'import" in deposit.explanation
        importing.adopt_profile(campaign=campaign, name="nested")
        assert importing.process(deposit=deposit, now=now).state == "imported"

    def test_an_empty_exchange_gives_nothing(self, exchange, campaign, now):
        assert self.fetch(campaign, exchange, now) == []

    def test_a_landlord_cannot_enter_the_folders_of_another(self, exchange, landlord):
        account = account_of(landlord, port=exchange.account.port, host_key=exchange.account.host_keys[0])
        intruder = LandlordExchange(replace(account, username="un-autre"))
        with pytest.raises(ExchangeRefused):
            intruder.incoming()

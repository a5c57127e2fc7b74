"""Codes, rules and receipts of a landlord, and the files that come through the exchange."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from campaigns.exchange import ARCHIVE, INCOMING, RECEIPTS, ExchangeRefused, LandlordExchange
from campaigns.exchange_accounts import account_of, embedded_server
from campaigns.models import current_tables
from tenants import importing
from tenants.models import CaseEvent, ImportFile, Occupant
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import ImportAnomalyFactory
from tests.tenants.depositing import LANDLORDS, deposit_of, imported, ready, sample

pytestmark = pytest.mark.django_db


class TestCodesAndRules:
    def test_new_codes_are_added_and_values_set_by_people_are_kept(self, now, manager):
        campaign = ready("a", now)
        told = current_tables(campaign)["LIEN"]
        importing.complete_table(table=told, values={"99": "other"}, now=now, actor=manager)
        content = "table;code;libelle\nLIEN;99;Hébergé\nLIEN;77;Bru\n".encode()
        deposit = importing.import_codes(deposit=deposit_of(campaign, content, now, ImportFile.Kind.CODES), now=now)
        table = current_tables(campaign)["LIEN"]
        assert (table.version, table.lines.count()) == (3, told.lines.count() + 1)
        assert table.lines.get(code="99").value == "other"
        assert table.lines.get(code="77").value == ""
        assert "Bru" in deposit.anomalies.get(kind="unmapped_code").message
        assert "8 codes déjà connus" in deposit.anomalies.get(kind="kept_code").message

    def test_a_value_given_by_a_person_is_used_to_read_the_file(self, now):
        campaign = ready("a", now)
        content = b"table;code;libelle\nLIEN;77;Bru\n"
        importing.import_codes(deposit=deposit_of(campaign, content, now, ImportFile.Kind.CODES), now=now)
        importing.complete_table(table=current_tables(campaign)["LIEN"], values={"77": "other"}, now=now)
        imported(campaign, sample("a").replace(b"<Lien>03</Lien>", b"<Lien>77</Lien>", 1), now)
        assert Occupant.objects.filter(household__campaign=campaign, link="other").exists()

    def test_codes_that_contradict_each_other_are_refused(self, now):
        campaign = CampaignFactory()
        content = b"table;code;libelle\nLIEN;01;Titulaire\nLIEN;01;Enfant\n"
        deposit = importing.import_codes(deposit=deposit_of(campaign, content, now, ImportFile.Kind.CODES), now=now)
        assert deposit.state == ImportFile.State.REFUSED
        assert "ligne 3" in deposit.explanation
        assert not campaign.code_tables.exists()

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
        assert "10 anomalie(s)" in receipt

    def test_the_list_of_anomalies_opens_in_a_spreadsheet(self, now):
        deposit, _ = imported(ready("a", now), sample("a"), now)
        rows = list(csv.reader(io.StringIO(importing.anomalies_csv(deposit.anomalies.all())), delimiter=";"))
        assert len(rows) == 11
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
        result = exchange.open(f"{RECEIPTS}/locataires.xml.resultat.txt").read().decode()
        assert "394 ménages lus" in result
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

"""Tables de correspondance: versions that never change, completed by people, pinned by the BAT."""

from __future__ import annotations

import pytest
from django.urls import reverse

from campaigns import operations
from campaigns.code_tables import differences, lines_of, reuse_tables
from campaigns.models import CodeMapping, VersionIsFinal, current_tables, landlord_codes
from returns.restitution.columns import columns_of
from tenants import dispatch, importing
from tenants.importing import deposits
from tenants.importing.code_tables import UnableToComplete, complete_table, review, values_without_code
from tenants.models import ImportFile
from tests.factories.campaigns import CampaignFactory, LandlordFactory, RevisionFactory, code_table
from tests.tenants.depositing import deposit_of, imported, ready, sample

pytestmark = pytest.mark.django_db
SITUATIONS = {
    "C": ("Célibataire", "single"),
    "M": ("Marié", "married"),
    "P": ("Pacsé", "pacs"),
    "U": ("Union libre", "cohabiting"),
    "D": ("Divorcé", "divorced"),
    "S": ("Séparé", "separated"),
    "V": ("Veuf", "widowed"),
}
NAME = "SITUATION_FAMILIALE"
LINKS = {"TIT": ("Titulaire", "holder"), "E": ("Enfant", "child"), "BRU": ("Bru", "")}


@pytest.fixture
def desk(client, manager):
    """A signed-in case manager."""
    client.force_login(manager)
    return client


class TestVersions:
    def test_a_version_never_changes(self, campaign):
        table = code_table(campaign, "LIEN", {"TIT": ("Titulaire", "holder")})
        line = table.lines.get()
        for change in (table.save, line.save, lambda: CodeMapping.objects.update(value="")):
            with pytest.raises(VersionIsFinal):
                change()

    def test_the_same_lines_make_no_version(self, campaign):
        first = code_table(campaign, "LIEN", {"TIT": ("Titulaire", "holder")})
        assert code_table(campaign, "LIEN", {"TIT": ("Titulaire", "holder")}) == first
        assert code_table(campaign, "LIEN", {"TIT": ("Titulaire", "")}).version == 2

    def test_two_versions_are_compared_in_french(self, campaign):
        before = code_table(campaign, "LIEN", {"TIT": ("Titulaire", "holder"), "X": ("Autre", "")})
        after = code_table(campaign, "LIEN", {"TIT": ("Locataire", "holder"), "ENF": ("Enfant", "child")})
        assert [each.sentence for each in differences(lines_of(before), lines_of(after))] == [
            "Code « TIT » : son libellé passe de « Titulaire » à « Locataire ».",
            "Le code « ENF » (Enfant) est ajouté.",
            "Le code « X » (Autre) est retiré.",
        ]

    def test_another_campaign_s_tables_are_reused_but_not_a_rival_s(self, campaign, now):
        source = CampaignFactory(landlord=campaign.landlord, year=2026)
        rival = CampaignFactory(landlord=LandlordFactory())
        code_table(source, "LIEN", {"TIT": ("Titulaire", "holder")})
        code_table(rival, "AGENCE", {"A": ("Nord", "")})
        assert reuse_tables(campaign=campaign, source=source, now=now) == 1
        assert reuse_tables(campaign=campaign, source=source, now=now) == 0
        assert reuse_tables(campaign=campaign, source=rival, now=now) == 0
        assert list(current_tables(campaign)) == ["LIEN"]

    def test_a_deposit_that_says_the_same_makes_no_version(self, now):
        campaign = ready("a", now)
        again = sample("a", "tables_correspondance.csv") + b"\n"
        importing.import_codes(deposit=deposit_of(campaign, again, now, ImportFile.Kind.CODES), now=now)
        assert set(campaign.code_tables.values_list("version", flat=True)) == {1}

    def test_tables_written_in_xml_are_recognised_and_put_to_use(self, campaign, now):
        content = "<codes><LIEN><l code='TIT' libelle='Titulaire'/><l code='ENF' libelle='Enfant'/></LIEN></codes>"
        name = "tables_correspondance.xml"
        kind = importing.recognise(name, content.encode())
        assert kind == ImportFile.Kind.CODES
        importing.import_codes(deposit=deposit_of(campaign, content.encode(), now, kind, name), now=now)
        assert dict(current_tables(campaign)["LIEN"].lines.values_list("code", "value")) == {
            "TIT": "holder",
            "ENF": "child",
        }

    @pytest.mark.parametrize("letter", ["a", "b"])
    def test_a_file_of_households_is_not_taken_for_codes(self, letter):
        assert importing.recognise("codes_et_locataires.xml", sample(letter)[:4096]) == ImportFile.Kind.HOUSEHOLDS

    @pytest.mark.parametrize(
        "content",
        [
            "<export><codes nom='LIEN'><c><code>TIT</code><libelle>Titulaire</libelle></c>"
            "<c><code>ENF</code><libelle>Enfant</libelle></c></codes></export>",
            "<r><date>2027-01-01</date><v table='LIEN' id='1' label='A'/><v table='LIEN' id='2' label='B'/></r>",
            "<a><LIEN>" + "".join(f"<l code='{n}'>Lien {n}</l>\n" for n in range(2_000)) + "</LIEN></a>",
        ],
        ids=["elements", "attributes", "longer than what is looked at"],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_codes_are_recognised_by_what_the_file_holds_when_its_name_tells_nothing(self, content, encoding):
        head = content.encode(encoding)[: deposits.HEAD]
        assert importing.recognise("EXP0412.xml", head) == ImportFile.Kind.CODES

    @pytest.mark.parametrize(
        "content",
        [
            "<x>" + "<m code='1' libelle='A'><nom>B</nom><loyer>1</loyer><p n='1'/><p n='2'/></m>" * 9 + "</x>",
            "<x><m><agence code='1'>Nord</agence><nom>B</nom></m><m><agence code='2'>Sud</agence><nom>D</nom></m></x>",
            "<x>" + "<m id='1' label='A' nom='B' prenom='C' ne='1980' rue='D' cp='37000'/>" * 9 + "</x>",
            "<x><l code='1' libelle='un seul'/></x>",
            "<!DOCTYPE x><x><l code='1' libelle='A'/><l code='2' libelle='B'/></x>",
            "<",
        ],
    )
    def test_what_holds_more_than_codes_is_a_file_of_households(self, content):
        assert importing.recognise("EXP0412.xml", content.encode()) == ImportFile.Kind.HOUSEHOLDS

    def test_a_fault_names_its_file_and_its_line(self, campaign, now):
        content = b"table;code;libelle\nLIEN;01;Titulaire\nLIEN;01;Enfant\n"
        importing.import_codes(deposit=deposit_of(campaign, content, now, ImportFile.Kind.CODES, "t.csv"), now=now)
        anomaly = campaign.deposits.get().anomalies.get()
        assert (anomaly.line, anomaly.severity) == (3, "file")
        assert "t.csv" in anomaly.message

    def test_codes_that_no_column_can_hold_are_refused_with_their_table(self, campaign, now):
        content = f"table;code;libelle\nLIEN;{'9' * 41};Titulaire\n".encode()
        deposit = importing.import_codes(deposit=deposit_of(campaign, content, now, ImportFile.Kind.CODES), now=now)
        assert deposit.state == ImportFile.State.REFUSED
        assert "LIEN" in deposit.explanation

    def test_meanings_are_understood_before_any_profile_is_chosen(self, campaign, now):
        content = sample("b", "tables_correspondance.csv")
        importing.import_codes(deposit=deposit_of(campaign, content, now, ImportFile.Kind.CODES), now=now)
        assert current_tables(campaign)["LIEN"].lines.get(code="CCB").value == "partner"
        assert not current_tables(campaign)["AGENCE"].lines.exclude(value="").exists()


class TestMissing:
    def test_both_sides_of_what_is_missing_are_told(self, campaign):
        table = code_table(campaign, "LIEN", LINKS)
        found = review(table)
        assert found.without_value == ["BRU (Bru)"]
        assert "Conjoint" in found.without_code
        assert "Titulaire" not in found.without_code

    def test_a_table_kept_as_it_is_lacks_nothing(self, campaign):
        found = review(code_table(campaign, "AGENCE", {"A1": ("Nord", "")}))
        assert (found.wanted, found.without_code, found.without_value) == ([], [], [])

    def test_a_value_that_is_none_of_ours_is_refused(self, campaign, now):
        table = code_table(campaign, NAME, SITUATIONS)
        with pytest.raises(UnableToComplete, match="bru"):
            complete_table(table=table, values={"C": "bru"}, now=now)
        with pytest.raises(UnableToComplete, match="au moins un code"):
            complete_table(table=table, values={}, removed=list(SITUATIONS), now=now)

    def test_an_older_version_is_not_completed(self, campaign, now):
        table = code_table(campaign, NAME, SITUATIONS)
        complete_table(table=table, values={"C": ""}, now=now)
        with pytest.raises(UnableToComplete, match="plus récente"):
            complete_table(table=table, values={"M": ""}, now=now)


class TestProof:
    def test_a_table_that_lost_all_its_values_keeps_the_form_from_being_drawn_up(self, campaign, now):
        code_table(campaign, NAME, {"C": ("Célibataire", "")})
        with pytest.raises(operations.UnableToDrawUp, match=NAME):
            operations.draw_up_revision(campaign=campaign, now=now)

    def test_the_approved_version_is_what_answers_are_written_in(self, campaign, landlord_user, now):
        code_table(campaign, NAME, SITUATIONS)
        revision = RevisionFactory(campaign=campaign)
        proof = operations.present_proof(revision=revision, document=b"%PDF", now=now)
        operations.approve_proof(proof=proof, actor=landlord_user, now=now)
        pinned = code_table(campaign, NAME, SITUATIONS | {"C": ("Seul", "single"), "Z": ("Autre", "")})
        assert pinned.version == 2
        assert revision.code_tables.get().version == 1
        assert landlord_codes(campaign)[NAME]["single"] == "C"
        assert columns_of(campaign).codes[NAME]["married"] == "M"
        assert operations.approved_revision(campaign) == revision

    def test_codes_that_change_before_the_signature_ask_for_another_proof(self, campaign, landlord_user, now):
        code_table(campaign, NAME, SITUATIONS)
        proof = operations.present_proof(revision=RevisionFactory(campaign=campaign), document=b"%PDF", now=now)
        code_table(campaign, NAME, SITUATIONS | {"Z": ("Autre", "")})
        with pytest.raises(operations.UnableToDecide, match="codes"):
            operations.approve_proof(proof=proof, actor=landlord_user, now=now)

    def test_new_codes_after_the_bat_make_a_new_revision_to_approve(self, campaign, landlord_user, now, monkeypatch):
        monkeypatch.setattr(operations, "LARGEST_HOUSEHOLD", 1)
        code_table(campaign, NAME, SITUATIONS)
        revision = operations.draw_up_revision(campaign=campaign, now=now)
        proof = operations.present_proof(revision=revision, document=b"%PDF", now=now)
        operations.approve_proof(proof=proof, actor=landlord_user, now=now)
        assert operations.draw_up_revision(campaign=campaign, now=now) == revision
        code_table(campaign, NAME, SITUATIONS | {"Z": ("Autre", "")})
        assert operations.draw_up_revision(campaign=campaign, now=now).number == 2

    def test_a_value_that_households_hold_and_the_table_lost_blocks_the_proof(self, now):
        campaign = ready("a", now)
        imported(campaign, sample("a"), now)
        assert values_without_code(campaign) == []
        lost = current_tables(campaign)
        complete_table(table=lost["AGENCE"], values={}, removed=["AG05"], now=now)
        complete_table(table=lost["LIEN"], values={"10": ""}, now=now)
        told = values_without_code(campaign)
        assert told == [
            "Table AGENCE : « AG05 », que portent des ménages, n'y est plus.",
            "Table LIEN : « child », que portent des ménages, n'y est plus.",
        ]
        with pytest.raises(dispatch.UnableToCompose, match="AG05"):
            dispatch.compose_proof(revision=RevisionFactory(campaign=campaign), now=now)


class TestPages:
    def test_the_tables_of_a_campaign_tell_what_they_leave_open(self, desk, campaign):
        code_table(campaign, "LIEN", LINKS)
        text = desk.get(reverse("admin:code_tables", args=[campaign.pk])).content.decode()
        assert "BRU (Bru)" in text
        assert "Conjoint" in text

    def test_no_table_says_how_to_give_one(self, desk, campaign):
        assert "dépose par SFTP" in desk.get(reverse("admin:code_tables", args=[campaign.pk])).content.decode()

    def test_our_value_is_chosen_beside_a_code(self, desk, campaign, manager):
        table = code_table(campaign, "LIEN", LINKS)
        url = reverse("admin:code_table_complete", args=[table.pk])
        data = {"value.0": "holder", "value.1": "child", "value.2": "other", "remove.1": "on"}
        assert "version 2 est enregistrée" in desk.post(url, data, follow=True).content.decode()
        newest = current_tables(campaign)["LIEN"]
        assert [(line.code, line.value) for line in lines_of(newest)] == [("TIT", "holder"), ("BRU", "other")]
        assert newest.created_by == manager
        text = desk.get(reverse("admin:campaigns_codetable_change", args=[newest.pk])).content.decode()
        assert "notre valeur passe de « aucune » à « other »" in text
        assert "Le code « E » (Enfant) est retiré." in text

    def test_what_is_refused_says_why(self, desk, campaign):
        table = code_table(campaign, "LIEN", {"TIT": ("Titulaire", "holder")})
        url = reverse("admin:code_table_complete", args=[table.pk])
        assert "au moins un code" in desk.post(url, {"remove.0": "on"}, follow=True).content.decode()

    def test_the_landlords_people_have_no_door_here(self, client, landlord_user, campaign):
        client.force_login(landlord_user)
        assert client.get(reverse("admin:code_tables", args=[campaign.pk])).status_code in (302, 403)

"""Writing a profile from a sample: begun, tried beside its XML, corrected, saved as a version, compared."""

from __future__ import annotations

import io
import tomllib

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import MappingProfile
from tenants.admin.profile_form import form_of, tables_of
from tenants.importing import profile_studio
from tenants.importing.profile_studio import (
    UnableToWriteProfile,
    begin_draft,
    checked,
    keep_tables,
    save_profile,
    try_draft,
)
from tenants.landlord_file.profile import ProfileError
from tenants.landlord_file.profile_files import PROFILES, parse_profile, shipped_profiles
from tenants.landlord_file.profile_text import differences, understood, written
from tenants.models import ProfileDraft
from tests.factories.campaigns import CampaignFactory, LandlordFactory
from tests.tenants.depositing import deposit_of, ready, sample

SHIPPED = {name: tomllib.loads((PROFILES / f"{name}.toml").read_text(encoding="utf-8")) for name in shipped_profiles()}


def posted(tables):
    """What the page posts when nothing is touched."""
    form = form_of(tables, {})
    data = dict(form.structure)
    for join in form.joins:
        data |= {f"join.{join.number}.{key}": getattr(join, key) for key in ("name", "path", "key", "match", "via")}
    for row in form.rows():
        data |= {f"{row.target}.{key}": getattr(row, key) for key in ("path", "type", "detail", "table")}
        data[f"{row.target}.list"] = row.section
    return data


class TestText:
    @pytest.mark.parametrize("name", SHIPPED)
    def test_a_profile_is_written_and_understood_again(self, name):
        assert understood(written(SHIPPED[name])) == SHIPPED[name]

    @given(st.dictionaries(st.text(min_size=1), st.text() | st.booleans() | st.integers() | st.lists(st.text())))
    def test_whatever_its_texts_a_profile_survives_writing(self, fields):
        tables = {"name": "essai", "household": {"path": "A/B", "fields": {"x": fields} if fields else {}}}
        assert understood(written(tables))["household"]["fields"] == tables["household"]["fields"]

    def test_a_text_that_is_not_toml_names_its_line(self):
        with pytest.raises(ProfileError, match="ligne 2"):
            understood('name = "x"\nhousehold =\n')

    def test_what_changes_between_versions_is_told_field_by_field(self):
        after = understood(written(SHIPPED["nested"]))
        after["household"]["fields"]["rent"]["cents"] = True
        after["household"]["fields"]["lease_ref"] = "Bail/Ref"
        del after["household"]["fields"]["email"]
        assert differences(SHIPPED["nested"], after) == [
            "« numéro de bail » : chemin : « Bail/Numero » devient « Bail/Ref ».",
            "« loyer » : montant en centimes : rien devient oui.",
            "« adresse électronique » n'est plus lu (c'était « Contact/Courriel »).",
        ]
        assert differences(after, after) == []


class TestForm:
    @pytest.mark.parametrize("name", SHIPPED)
    def test_a_profile_comes_back_from_its_table_as_it_went(self, name):
        before, after = parse_profile(SHIPPED[name]), parse_profile(tables_of(posted(SHIPPED[name]), SHIPPED[name]))
        assert set(after.household_fields()) == set(before.household_fields())
        assert set(after.occupant.fields) == set(before.occupant.fields)
        assert [(each.path, each.key, each.match) for each in after.joins] == [
            (each.path, each.key, each.match) for each in before.joins
        ]

    def test_what_the_page_does_not_show_is_kept(self):
        before = understood(written(SHIPPED["nested"]))
        before["empty"] = ["NULL"]
        before["household"]["fields"]["city"] = {"source": "Adresse/Ville", "default": "TOURS"}
        after = tables_of(posted(before), before)
        assert after["empty"] == ["NULL"]
        assert after["household"]["fields"]["city"]["default"] == "TOURS"

    @pytest.mark.parametrize(
        ("kind", "detail", "options"),
        [
            ("comma", "", {"type": "decimal", "separator": ","}),
            ("cents", "", {"type": "decimal", "cents": True}),
            ("date", "YYYYMMDD", {"type": "date", "format": "YYYYMMDD"}),
            ("boolean", "O, X / N", {"type": "boolean", "true": ["O", "X"], "false": ["N"]}),
            ("code", "1 = M, 2 = F", {"type": "code", "values": {"1": "M", "2": "F"}}),
            ("text", "{a}|{rent}", {"pattern": "{a}|{rent}"}),
        ],
    )
    def test_one_precision_says_what_each_type_needs(self, kind, detail, options):
        data = posted(SHIPPED["nested"]) | {"rent.type": kind, "rent.detail": detail}
        fed = tables_of(data, SHIPPED["nested"])["household"]["fields"]["rent"]
        assert fed == {"source": "Bail/LoyerHC"} | options

    def test_each_problem_stands_beside_its_field(self):
        tables = tables_of(posted(SHIPPED["relational"]) | {"rent.type": "text"}, SHIPPED["relational"])
        tables["joins"]["dwelling"]["key"] = "//"
        tables["household"]["path"] = ""
        with pytest.raises(UnableToWriteProfile) as refused:
            checked(tables)
        form = form_of(tables, {})
        form.place_problems(refused.value.problems)
        assert [row.target for row in form.household if row.errors] == ["rent"]
        assert "decimal" in next(row for row in form.household if row.target == "rent").errors[0]
        assert [each.name for each in form.joins if each.errors] == ["dwelling"]
        assert form.structure_errors


@pytest.mark.django_db
class TestDraft:
    @pytest.fixture
    def media(self, settings, tmp_path):
        """A folder of its own for the samples."""
        settings.MEDIA_ROOT = tmp_path
        return tmp_path

    @pytest.fixture
    def draft(self, media, now, manager):
        """A draft on the second landlord's deposit, whose codes are known."""
        campaign = ready("b", now)
        campaign.mapping_profile = None
        campaign.save()
        return begin_draft(campaign=campaign, now=now, actor=manager, deposit=deposit_of(campaign, sample("b"), now))

    def test_the_first_households_are_read_beside_their_xml(self, draft):
        trial = try_draft(draft=draft, tables=draft.tables)
        assert len(trial.households) == 10
        first = trial.households[0]
        assert [piece.split()[0] for piece in first.excerpt.pieces] == ["<CTR", "<LOG", "<PER", "<PER", "<PER"]
        assert ("loyer", "647.99") in first.values
        assert ("situation familiale", "Divorcé(e)") in first.people[0]
        assert trial.read + trial.left_out >= 398
        assert any("1981-02-31" in message for _, message, _ in trial.kinds)
        assert any(each.anomalies and not each.values for each in trial.households)

    def test_joined_lists_too_long_to_be_read_at_once_still_show_their_xml(self, draft, monkeypatch):
        monkeypatch.setattr(profile_studio, "MOST_BYTES", 1_000)
        trial = try_draft(draft=draft, tables=draft.tables)
        assert "extrait" in trial.refused
        assert [len(trial.households), trial.read] == [10, 0]

    def test_tables_that_are_missing_are_asked_for(self, media, campaign, now, manager):
        draft = begin_draft(campaign=campaign, now=now, actor=manager, deposit=deposit_of(campaign, sample("a"), now))
        assert "LIEN" in try_draft(draft=draft, tables=draft.tables).refused

    def test_what_is_saved_is_a_version_and_the_campaign_s_profile(self, draft, now, manager):
        stored, new = save_profile(draft=draft, tables=draft.tables, name="Export X", now=now, actor=manager)
        draft.campaign.refresh_from_db()
        assert (stored.version, new, draft.campaign.mapping_profile) == (1, True, stored)
        assert (stored.definition["name"], stored.note) == ("Export X", "d'après locataires.xml")
        assert not ProfileDraft.objects.exists()

    def test_a_change_is_the_next_version_and_no_change_is_none(self, draft, now, manager):
        first, _ = save_profile(draft=draft, tables=draft.tables, name="X", now=now, actor=manager)
        again = begin_draft(
            campaign=draft.campaign, now=now, actor=manager, deposit=draft.deposit, tables=first.definition
        )
        assert save_profile(draft=again, tables=again.tables, name="X", now=now, actor=manager) == (first, False)
        again = begin_draft(campaign=draft.campaign, now=now, actor=manager, deposit=draft.deposit)
        changed = again.tables | {"title": "Autre titre"}
        second, new = save_profile(draft=again, tables=changed, name="X", now=now, actor=manager)
        assert (second.version, second.definition["version"], new) == (2, 2, True)

    def test_a_faulty_profile_is_not_saved_and_the_draft_stays(self, draft, now, manager):
        faulty = draft.tables | {"household": {"path": "EXPORT/CONTRATS/CTR", "fields": {}}}
        keep_tables(draft=draft, tables=faulty)
        with pytest.raises(UnableToWriteProfile, match="tenant_ref"):
            save_profile(draft=draft, tables=faulty, name="X", now=now, actor=manager)
        with pytest.raises(UnableToWriteProfile, match="nom"):
            save_profile(draft=draft, tables=draft.tables, name=" ", now=now, actor=manager)
        assert not MappingProfile.objects.filter(name="X").exists()
        assert ProfileDraft.objects.get().tables == faulty

    def test_an_uploaded_sample_goes_with_its_draft(
        self, media, campaign, now, manager, django_capture_on_commit_callbacks
    ):
        upload = SimpleUploadedFile("essai.xml", sample("a"))
        draft = begin_draft(campaign=campaign, now=now, actor=manager, upload=upload)
        assert list(media.rglob("*essai.xml"))
        with django_capture_on_commit_callbacks(execute=True):
            save_profile(draft=draft, tables=draft.tables, name="X", now=now, actor=manager)
        assert not list(media.rglob("*essai.xml"))

    @pytest.mark.parametrize(
        ("content", "words"), [(b"", "vide"), (b"<a><b>", "mal form"), (b"PK\x03\x04zip", "ZIP"), (b"<a/>", "aucun")]
    )
    def test_a_sample_that_cannot_be_read_is_refused(self, campaign, now, manager, content, words):
        upload = SimpleUploadedFile("essai.xml", content)
        with pytest.raises(UnableToWriteProfile, match=words):
            begin_draft(campaign=campaign, now=now, actor=manager, upload=upload)
        assert not ProfileDraft.objects.exists()

    def test_a_sample_is_needed_and_not_too_long(self, campaign, now, manager):
        with pytest.raises(UnableToWriteProfile, match="Choisissez"):
            begin_draft(campaign=campaign, now=now, actor=manager)
        long = ContentFile(b"<a/>", name="long.xml")
        long.size = 65_000_000
        with pytest.raises(UnableToWriteProfile, match="64 Mo"):
            begin_draft(campaign=campaign, now=now, actor=manager, upload=long)

    # ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def test_the_studio_shows_errors_in_place_and_loses_nothing(self, draft, client, manager):
        client.force_login(manager)
        url = reverse("admin:profile_draft", args=[draft.campaign_id, draft.pk])
        data = posted(draft.tables) | {"rent.detail": "", "move_in.detail": "AAAA", "action": "preview", "name": "X"}
        text = client.post(url, data).content.decode()
        assert "1 point à corriger" in text
        assert "YYYY" in text
        draft.refresh_from_db()
        assert draft.tables["household"]["fields"]["move_in"]["format"] == "AAAA"
        assert 'value="AAAA"' in client.get(url).content.decode()
        assert "pas encore enregistré" in client.post(url, data | {"action": "save"}).content.decode()

    def test_the_expert_view_is_the_same_profile(self, draft, client, manager):
        client.force_login(manager)
        url = reverse("admin:profile_draft", args=[draft.campaign_id, draft.pk])
        text = written(draft.tables).replace("@LOY", "@LOYER")
        client.post(url, {"action": "text", "text": text})
        draft.refresh_from_db()
        assert draft.tables["household"]["fields"]["rent"]["source"] == "@LOYER"
        answer = client.post(url, {"action": "text", "text": "household = ["}).content.decode()
        assert "TOML" in answer
        assert "household = [" in answer

    def test_a_draft_is_given_up(self, draft, client, manager):
        client.force_login(manager)
        url = reverse("admin:profile_draft", args=[draft.campaign_id, draft.pk])
        assert client.post(url, {"action": "drop"}).status_code == 302
        assert not ProfileDraft.objects.exists()

    def test_a_draft_belongs_to_its_campaign(self, draft, client, manager):
        client.force_login(manager)
        other = CampaignFactory(landlord=LandlordFactory())
        assert client.get(reverse("admin:profile_draft", args=[other.pk, draft.pk])).status_code == 404

    def test_a_bad_sample_is_told_on_the_page(self, media, client, manager, campaign):
        client.force_login(manager)
        url = reverse("admin:profile_start", args=[campaign.pk])
        answer = client.post(url, {"sample": io.BytesIO(b"<a><b>")})
        assert "mal formé" in answer.content.decode()

    def test_versions_are_compared_and_chosen(self, draft, client, manager, now):
        client.force_login(manager)
        first, _ = save_profile(draft=draft, tables=draft.tables, name="X", now=now, actor=manager)
        again = begin_draft(campaign=draft.campaign, now=now, actor=manager, deposit=draft.deposit)
        second, _ = save_profile(draft=again, tables=again.tables | {"empty": ["NC"]}, name="X", now=now, actor=manager)
        text = client.get(reverse("admin:campaigns_mappingprofile_change", args=[second.pk])).content.decode()
        assert "Valeurs vides est maintenant lu" in text
        client.post(reverse("admin:profile_use", args=[first.pk]), {"campaign": draft.campaign_id})
        draft.campaign.refresh_from_db()
        assert draft.campaign.mapping_profile == first

    def test_a_rival_landlord_s_campaign_does_not_take_the_profile(self, draft, client, manager, now):
        client.force_login(manager)
        stored, _ = save_profile(draft=draft, tables=draft.tables, name="X", now=now, actor=manager)
        rival = CampaignFactory(landlord=LandlordFactory())
        answer = client.post(reverse("admin:profile_use", args=[stored.pk]), {"campaign": rival.pk})
        assert answer.status_code == 404

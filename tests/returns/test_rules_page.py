"""The page of a campaign's règles de gestion: encode, try, save, account for each line, confirm what waits."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from campaigns.models import LandlordRule, RuleVersion
from campaigns.operations import draw_up_revision
from campaigns.rule_encoding import line_decisions, own_rules
from returns.models import Finding, RuleTrial
from returns.rules.trial import try_rule
from tests.factories.campaigns import UserFactory
from tests.factories.returns import NOW
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db

DOCUMENT = (Path(__file__).parents[1] / "samples/landlord_a/regles_gestion.csv").read_bytes()
TYPED = {
    "code": "RG30",
    "label": "Enfant majeur",
    "per_occupant": "yes",
    "expression": 'occupant.link = "child" et occupant.age < 18',
    "requires": "document",
    "document_key": "school_certificate",
    "field_key": "",
    "severity": "blocking",
    "message": "Merci d'envoyer le certificat de scolarité.",
}


@pytest.fixture
def manage(client, manager):
    client.force_login(manager)
    return client


@pytest.fixture
def page(campaign):
    return reverse("admin:rules_page", args=[campaign.pk])


@pytest.fixture
def post(manage, page):
    def posted(action, **told):
        return manage.post(page, {"action": action, **told}, follow=True)

    return posted


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_an_empty_campaign_says_what_to_do(manage, page):
    told = text_of(manage.get(page))

    assert "Aucune règle n’est encore encodée" in told
    assert "n’a pas encore déposé ses règles" in told
    assert 'data-insert="occupant.birth_date"' in told


def test_a_rule_is_tried_at_once_on_the_campaign_s_households(campaign, post):
    for people in (3, 3, 2):
        CaseFactory(campaign=campaign, household__occupants=people)

    told = text_of(post("try", **TYPED))

    assert "se déclencherait sur <strong>2</strong> des 3 foyers" in told
    assert "Personne n’a encore répondu" in told
    assert "Zoé Élodée" in told
    assert "Âge au 1er janvier de l&#x27;enquête : <strong>15</strong>" in told
    assert not LandlordRule.objects.exists()


class TestTheWholeCampaign:
    """A campaign larger than what a page tries at once."""

    @pytest.fixture(autouse=True)
    def _households(self, campaign, monkeypatch):
        for people in (3, 3, 2):
            CaseFactory(campaign=campaign, household__occupants=people)
        monkeypatch.setattr("returns.views.rules.try_rule", partial(try_rule, most=2))

    def test_the_sample_offers_it_and_a_worker_does_it(self, post, django_capture_on_commit_callbacks):
        assert "Essayer sur les 3 foyers" in text_of(post("try", **TYPED))

        with django_capture_on_commit_callbacks(execute=True):
            waiting = post("try_all", **TYPED)
        trial = RuleTrial.objects.get()
        assert "0 sur 3 foyers" in text_of(waiting)
        assert f'data-progress="{reverse("admin:rules_trial", args=[trial.campaign_id, trial.pk])}"' in text_of(waiting)
        where = waiting.redirect_chain[0][0]
        assert where.endswith(f"?essai={trial.pk}#essai")

        state = waiting.client.get(reverse("admin:rules_trial", args=[trial.campaign_id, trial.pk])).json()
        assert state == {"value": 3, "max": 3, "text": "3 sur 3 foyers", "done": True}
        told = text_of(waiting.client.get(where))
        assert "se déclencherait sur <strong>2</strong> des 3 foyers" in told
        assert "Toute la campagne a été essayée" in told
        assert 'value="RG30"' in told
        assert "Échantillon" not in told

    def test_a_wrong_condition_is_told_and_not_tried(self, post):
        told = text_of(post("try_all", **TYPED | {"expression": "occupant.nothing = 1"}))

        assert "entry--wrong" in told
        assert not RuleTrial.objects.exists()

    def test_an_interrupted_one_may_be_asked_again(self, manage, post):
        post("try_all", **TYPED)
        RuleTrial.objects.update(state="running", examined=1, seen_at=NOW)

        told = text_of(manage.get(self.page()))

        assert "L’essai a été interrompu." in told
        assert "1 sur 3 foyers" in told

    def page(self):
        trial = RuleTrial.objects.get()
        return f"{reverse('admin:rules_page', args=[trial.campaign_id])}?essai={trial.pk}"

    def test_that_of_another_campaign_is_not_shown(self, manage, page):
        other = CaseFactory().campaign
        told = text_of(manage.get(f"{page}?essai=999999999"))
        assert "Essai sur toute la campagne" not in told
        assert manage.get(reverse("admin:rules_trial", args=[other.pk, 1])).status_code == 404


def test_a_rule_is_tried_before_any_import(post):
    assert "La condition est correcte" in text_of(post("try", **TYPED))


@pytest.mark.parametrize("action", ["try", "save"])
def test_a_wrong_condition_is_told_where_it_stands_and_nothing_is_lost(post, action):
    told = text_of(post(action, **{**TYPED, "expression": "occupant.agee < 18"}))

    assert "Caractère 1" in told
    assert "Vouliez-vous dire occupant.age" in told
    assert "occupant.agee &lt; 18" in told
    assert TYPED["message"].replace("'", "&#x27;") in told
    assert not LandlordRule.objects.exists()


def test_a_rule_is_saved_listed_edited_and_withdrawn(campaign, manage, page, post, manager):
    assert "La règle RG30 est enregistrée (version 1)" in text_of(post("save", **TYPED))
    post("save", **{**TYPED, "message": "Autre message."})

    listed = text_of(manage.get(page))
    assert "« Lien » est « Enfant »" in listed
    assert "Autre message." in listed
    assert manager.get_full_name() in listed
    edited = text_of(manage.get(page, {"code": "RG30"}))
    assert "Règle RG30" in edited
    assert 'value="school_certificate" selected' in edited
    assert "son historique reste" in text_of(post("withdraw", code="RG30"))
    assert own_rules(campaign) == []
    assert RuleVersion.objects.count() == 3
    assert "n&#x27;est pas encodée" in text_of(post("withdraw", code="RG30"))


def test_a_rule_of_the_model_is_left_out_and_taken_back(campaign, post):
    assert "écartée" in text_of(post("switch", code="RG10", on="no"))
    campaign.refresh_from_db()
    assert campaign.overlay == {"rules": {"RG10": {"off": True}}}
    assert "reprise" in text_of(post("switch", code="RG10", on="yes"))


def test_the_landlord_s_document_is_shown_line_by_line_and_accounted_for(campaign, manage, page, post):
    campaign.rules_document.save("regles_gestion.csv", ContentFile(DOCUMENT))
    shown = manage.get(page)
    assert "18 lignes à traiter" in text_of(shown)
    lines = shown.context["book"].lines

    assert "Ligne 2 : c&#x27;est noté" in text_of(post("line", digest=lines[0].line.digest, codes="rg01"))
    post("line", digest=lines[1].line.digest, codes="", reason="Reprise l'an prochain.")

    told = text_of(manage.get(page))
    assert "16 lignes à traiter" in told
    assert "Reprise l&#x27;an prochain." in told
    assert [each.codes for each in line_decisions(campaign).values()] == [["RG01"], []]
    assert "RG99" in text_of(post("line", digest=lines[2].line.digest, codes="RG99"))
    assert "rechargez la page" in text_of(post("line", digest="rien", codes="RG01"))
    assert "rechargez la page" in text_of(post("line", codes="RG01"))


def test_a_rule_is_begun_from_a_line_which_it_then_encodes(campaign, manage, page, post):
    campaign.rules_document.save("regles_gestion.csv", ContentFile(DOCUMENT))
    line = manage.get(page).context["book"].lines[8].line

    begun = manage.get(page, {"line": line.digest})
    assert "Ligne 10 du document" in text_of(begun)
    assert (begun.context["rule"].code, begun.context["rule"].label) == ("RG09", "Naissance")
    for code in ("RG09", "RG09-B"):
        manage.post(f"{page}?line={line.digest}", {**TYPED, "action": "save", "code": code})

    assert line_decisions(campaign)[line.digest].codes == ["RG09", "RG09-B"]


def test_a_document_is_deposited_and_given_back(campaign, manage, post):
    uploaded = SimpleUploadedFile("regles.csv", DOCUMENT)
    assert "est gardé avec la campagne" in text_of(post("document", document=uploaded))
    assert "type attendu" in text_of(post("document", document=SimpleUploadedFile("r.exe", b"MZ")))
    assert "Choisissez un fichier" in text_of(post("document"))

    got = manage.get(reverse("admin:rules_document", args=[campaign.pk]))
    assert b"".join(got.streaming_content) == DOCUMENT


def test_a_change_after_the_last_revision_is_said(campaign, manage, page, post, now):
    draw_up_revision(campaign=campaign, now=now)
    post("save", **TYPED)

    told = text_of(manage.get(page))

    assert "Pas encore dans le BAT" in told
    assert "Règle « Enfant majeur » (RG30) : ajout" in told


def test_differences_that_can_t_be_applied_are_told_not_a_crash(campaign, manage, page):
    campaign.overlay = {"fields": {"nothing": {"label": "x"}}}
    campaign.save()

    told = text_of(manage.get(page))

    assert "elle n&#x27;existe pas dans ce questionnaire" in told
    assert manage.get(reverse("admin:campaign_page", args=[campaign.pk])).status_code == 200


def test_the_campaign_page_says_what_is_left_to_encode(campaign, manage):
    campaign.rules_document.save("regles_gestion.csv", ContentFile(DOCUMENT))

    told = text_of(manage.get(reverse("admin:campaign_page", args=[campaign.pk])))

    assert "lignes à traiter" in told
    assert reverse("admin:rules_page", args=[campaign.pk]) in told


def test_what_waits_for_us_is_decided_on_its_page(campaign, manage):
    case = CaseFactory(campaign=campaign, state="received")
    waiting = {"severity": "blocking", "message": "À voir.", "found_at": NOW, "confirmation": "awaited"}
    finding = Finding.objects.create(case=case, rule="RG30", row=3, **waiting)
    url = reverse("admin:rules_confirmations", args=[campaign.pk])

    told = text_of(manage.get(url))
    assert "1 dossier attend votre avis" in told
    assert case.reference in told
    refused = manage.post(url, {"finding": finding.pk, "decision": "refuse", "comment": ""}, follow=True)
    assert "quelques mots" in text_of(refused)
    assert "Des dossiers attendent votre avis" in text_of(
        manage.get(reverse("admin:campaign_page", args=[campaign.pk]))
    )
    finding.delete()
    assert "Aucun dossier n’attend votre avis" in text_of(manage.get(url))


def test_an_unknown_action_or_campaign_is_not_found(manage, page, post):
    assert post("explode").status_code == 404
    assert manage.get(reverse("admin:rules_page", args=[999_999])).status_code == 404


@pytest.mark.parametrize("role", ["keying", "of_landlord"])
def test_nobody_else_enters(client, page, role):
    client.force_login(UserFactory(**{role: True}))

    assert client.get(page, follow=True).status_code == 403


def test_a_rule_in_the_list_leads_to_its_page(campaign, manage, page, post):
    post("save", **TYPED)
    rule = LandlordRule.objects.get()

    shown = manage.get(reverse("admin:campaigns_landlordrule_change", args=[rule.pk]))

    assert shown.url.startswith(page)

"""The case manager's administration: who enters, what the pages show, what the buttons do."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.contrib import admin
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils.html import escape

from campaigns import operations
from campaigns.admin_site import Panel, Step, registry
from campaigns.models import Campaign, FormProof
from tenants import importing
from tenants.case_states import Move, State
from tenants.models import ImportFile, PrintBatch, SurveyCase
from tests.factories.campaigns import CampaignFactory, LandlordFactory, UserFactory
from tests.factories.tenants import (
    NOW,
    CaseFactory,
    ImportAnomalyFactory,
    ImportFileFactory,
    MessageFactory,
)

pytestmark = pytest.mark.django_db

SAMPLE = Path(__file__).parents[1] / "samples" / "landlord_a"
STEPS = ["import", "formulaire", "bat", "impression", "retours", "saisie", "complements", "relances", "cloture"]


@pytest.fixture
def desk(client, manager):
    """A case manager's browser."""
    client.force_login(manager)
    return client


@pytest.fixture
def opened(landlord, now):
    """A campaign with its calendar."""
    return operations.open_campaign(
        landlord=landlord,
        survey="sls",
        year=2027,
        opens_on=dt.date(2026, 10, 12),
        reply_by=dt.date(2026, 11, 20),
        closes_on=dt.date(2027, 1, 8),
        now=now,
    )


def page(campaign):
    return reverse("admin:campaign_page", args=[campaign.pk])


def press(desk, campaign, step, name, **data):
    """Press a button of the campaign page and give what the page then says."""
    response = desk.post(reverse("admin:campaign_action", args=[campaign.pk, step, name]), data, follow=True)
    return response.content.decode()


class TestDoor:
    def test_somebody_unknown_is_sent_to_sign_in(self, client, campaign):
        for url in (reverse("admin:index"), page(campaign)):
            response = client.get(url, follow=True)
            assert response.redirect_chain[-1][0].startswith(reverse("login"))

    @pytest.mark.parametrize("role", ["keying", "calling", "of_landlord"])
    def test_others_than_case_managers_are_refused(self, client, campaign, role):
        client.force_login(UserFactory(**{role: True}, is_staff=True))
        assert client.get(reverse("admin:login")).status_code == 403
        assert client.get(page(campaign), follow=True).status_code == 403

    def test_a_case_manager_who_is_no_superuser_may_work(self, client, opened):
        client.force_login(UserFactory(is_superuser=False))
        assert client.get(page(opened)).status_code == 200
        assert client.get(reverse("admin:tenants_surveycase_changelist")).status_code == 200
        assert client.get(reverse("admin:campaigns_user_changelist")).status_code == 403

    def test_nothing_can_be_deleted(self, desk, rf, manager):
        request = rf.get("/")
        request.user = manager
        for model, table in admin.site._registry.items():
            if model._meta.app_label in {"campaigns", "tenants", "returns"}:
                assert not table.has_delete_permission(request), model
                assert "delete_selected" not in table.get_actions(request), model


class TestHome:
    def test_an_empty_house_says_where_to_begin(self, desk):
        assert "Aucune campagne n’est ouverte" in desk.get(reverse("admin:index")).content.decode()

    def test_a_card_shows_stage_counters_and_what_is_due(self, desk, opened):
        CaseFactory(campaign=opened, state=State.COMPLETE)
        CaseFactory(campaign=opened, sent=True)
        text = desk.get(reverse("admin:index")).content.decode()
        assert escape(opened.landlord.name) in text
        assert "en préparation" in text
        assert "Réception et import du fichier" in text
        figures = re.findall(r"<dt>([^<]+)</dt>\s*<dd>(\d+)</dd>", text)
        assert figures == [("traitées", "1"), ("en cours", "0"), ("non réceptionnées", "1")]

    def test_more_campaigns_cost_no_more_queries(self, desk, opened, django_assert_max_num_queries):
        for _ in range(8):
            CampaignFactory()
        with django_assert_max_num_queries(15):
            desk.get(reverse("admin:index"))


class TestKickOff:
    def told(self, chosen, **changes):
        return {
            "landlord": chosen.pk,
            "survey": "sls",
            "year": "2027",
            "opens_on": "2026-10-12",
            "reply_by": "2026-11-20",
            "closes_on": "2027-01-08",
            **changes,
        }

    def test_a_campaign_is_opened_with_its_calendar(self, desk, landlord):
        assert desk.get(reverse("admin:campaign_open")).status_code == 200
        response = desk.post(reverse("admin:campaign_open"), self.told(landlord))
        campaign = Campaign.objects.get()
        assert response.url == page(campaign)
        assert campaign.milestones.count() == 11

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"reply_by": "2026-10-20"}, "part trop tôt"),
            ({"closes_on": "2026-12-10"}, "avant la clôture"),
            ({"reply_by": "2026-10-01", "opens_on": "2026-10-12"}, "part trop tôt"),
            ({"landlord": ""}, "obligatoire"),
        ],
    )
    def test_what_the_law_forbids_is_told_on_the_form(self, desk, landlord, changes, sentence):
        text = desk.post(reverse("admin:campaign_open"), self.told(landlord, **changes)).content.decode()
        assert sentence in text
        assert not Campaign.objects.exists()

    def test_a_second_campaign_of_the_same_year_is_refused(self, desk, landlord):
        desk.post(reverse("admin:campaign_open"), self.told(landlord))
        text = desk.post(reverse("admin:campaign_open"), self.told(landlord)).content.decode()
        assert "déjà une campagne" in text


class TestCampaignPage:
    def test_it_shows_every_step_in_order(self, desk, opened):
        text = desk.get(page(opened)).content.decode()
        places = [text.index(f'id="etape-{key}"') for key in [*STEPS, "restitution"]]
        assert places == sorted(places)
        assert "Prochaine échéance" in text or "En retard" in text

    def test_a_campaign_that_does_not_exist_is_not_found(self, desk):
        assert desk.get(reverse("admin:campaign_page", args=[999])).status_code == 404

    def test_a_rehearsal_is_marked(self, desk):
        text = desk.get(page(CampaignFactory(rehearsal=True))).content.decode()
        assert 'class="rehearsal"' in text
        assert 'class="rehearsal"' not in desk.get(page(CampaignFactory())).content.decode()

    def test_the_buttons_lead_from_the_file_to_the_field(self, desk, opened, now):
        assert "profil « nested v1 »" in press(desk, opened, "import", "profile", choice="nested")
        for name, kind in (("tables_correspondance.csv", "codes"), ("locataires.xml", "households")):
            content = (SAMPLE / name).read_bytes()
            deposit, _ = importing.receive_deposit(campaign=opened, kind=kind, name=name, content=content, now=now)
            desk.post(reverse("admin:deposit_process", args=[deposit.pk]))
        assert opened.households.count() == 394
        assert "révision 1 est prête" in press(desk, opened, "formulaire", "draw_up")
        assert "Rien n&#x27;a changé" in press(desk, opened, "formulaire", "draw_up")
        assert "épreuve est composée" in press(desk, opened, "bat", "compose")
        proof = FormProof.objects.get()
        desk.post(
            reverse("admin:proof_decision", args=[proof.pk]), {"decision": "approve", "comment": "Courriel du 1er"}
        )
        proof.refresh_from_db()
        assert proof.state == "approved"
        opened.cases.filter(state=State.PREPARED, pk__gt=opened.cases.order_by("pk")[20].pk).update(state="sent")
        assert "composition est lancée" in press(desk, opened, "impression", "compose")
        assert "remis" in press(desk, opened, "impression", "hand_over")
        opened.refresh_from_db()
        assert opened.stage == Campaign.Stage.FIELD
        assert {batch.state for batch in opened.batches.all()} == {PrintBatch.State.HANDED_OVER}

    def test_a_refusal_is_told_on_the_page(self, desk, opened):
        assert "Aucun BAT" in press(desk, opened, "impression", "compose")
        assert "n&#x27;existe pas" in press(desk, opened, "import", "profile", choice="martien")
        assert "il n&#x27;y a rien à clore" in press(desk, opened, "cloture", "close")

    def test_a_button_that_does_not_exist_is_not_found(self, desk, opened):
        for step, name in (("import", "rien"), ("rien", "rien")):
            url = reverse("admin:campaign_action", args=[opened.pk, step, name])
            assert desk.post(url).status_code == 404
            assert desk.get(url).status_code == 405

    def test_a_milestone_is_moved_unless_the_law_forbids_it(self, desk, opened):
        url = reverse("admin:campaign_milestone", args=[opened.pk])
        text = desk.post(url, {"kind": "constat", "due_on": "2026-12-02"}, follow=True).content.decode()
        assert "02/12/2026" in text
        text = desk.post(url, {"kind": "formal_notice", "due_on": "2026-10-20"}, follow=True).content.decode()
        assert "L441-9" in text
        assert "ne se lit pas" in desk.post(url, {"kind": "constat", "due_on": "demain"}, follow=True).content.decode()
        assert desk.post(url, {"kind": "rien", "due_on": "2026-12-02"}).status_code == 404

    def test_another_app_puts_its_own_step_on_the_page(self, desk, opened, monkeypatch):
        monkeypatch.setattr(registry, "_steps", dict(registry._steps))
        registry.register_step(Step("bilan", 100, "Réunion de bilan", lambda campaign: Panel(note="À fixer.")))
        assert "Réunion de bilan" in desk.get(page(opened)).content.decode()


class TestProof:
    @pytest.fixture
    def proof(self, campaign, now):
        revision = operations.draw_up_revision(campaign=campaign, now=now)
        return operations.present_proof(revision=revision, document=b"%PDF-1.7", now=now)

    def test_its_page_shows_the_document_and_asks_for_the_decision(self, desk, proof):
        text = desk.get(reverse("admin:campaigns_formproof_change", args=[proof.pk])).content.decode()
        assert "Enregistrer l’approbation" in text
        assert "première épreuve" in text
        response = desk.get(reverse("admin:proof_document", args=[proof.pk]))
        assert response["Content-Type"] == "application/pdf"
        assert b"".join(response.streaming_content) == b"%PDF-1.7"

    def test_a_decision_without_a_word_is_refused(self, desk, proof):
        url = reverse("admin:proof_decision", args=[proof.pk])
        assert "Indiquez qui" in desk.post(url, {"decision": "approve"}, follow=True).content.decode()
        proof.refresh_from_db()
        assert proof.state == "open"

    def test_a_refusal_is_recorded_with_its_reason(self, desk, proof):
        url = reverse("admin:proof_decision", args=[proof.pk])
        desk.post(url, {"decision": "refuse", "comment": "Logo trop petit"})
        proof.refresh_from_db()
        assert (proof.state, proof.comment) == ("refused", "Logo trop petit")
        text = desk.get(page(proof.revision.campaign)).content.decode()
        assert "Refusé : Logo trop petit" in text

    def test_the_second_revision_says_what_changes(self, desk, proof, now):
        campaign = proof.revision.campaign
        campaign.overlay = {"fields": {"household.phone": {"label": "Votre numéro"}}}
        second = operations.draw_up_revision(campaign=campaign, now=now)
        url = reverse("admin:campaigns_questionnairerevision_change", args=[second.pk])
        text = desk.get(url).content.decode()
        assert "« Votre numéro »" in text
        assert "case à cocher" in text


class TestRecords:
    def test_a_deposit_shows_its_anomalies_and_gives_them_as_csv(self, desk):
        anomaly = ImportAnomalyFactory()
        url = reverse("admin:tenants_importfile_change", args=[anomaly.deposit.pk])
        text = desk.get(url).content.decode()
        assert anomaly.path in text
        assert "31/02/2023" in text
        response = desk.get(reverse("admin:deposit_anomalies", args=[anomaly.deposit.pk]))
        assert response["Content-Disposition"] == f'attachment; filename="anomalies-{anomaly.deposit.pk}.csv"'
        assert "00100004" in response.content.decode("utf-8-sig")
        file = desk.get(reverse("admin:deposit_file", args=[anomaly.deposit.pk]))
        assert b"".join(file.streaming_content) == anomaly.deposit.content.read()

    def test_a_deposit_that_cannot_be_imported_says_why(self, desk):
        deposit = ImportFileFactory()
        text = desk.post(reverse("admin:deposit_process", args=[deposit.pk]), follow=True).content.decode()
        assert "profil d&#x27;import" in text
        deposit.refresh_from_db()
        assert deposit.state == ImportFile.State.RECEIVED

    def test_the_files_of_a_batch_are_downloaded(self, desk, campaign):
        batch = PrintBatch(campaign=campaign, purpose="form", number=1, envelopes=1, pages=4, composed_at=NOW)
        for name in ("document", "index", "manifest"):
            getattr(batch, name).save(f"lot-1.{name}", ContentFile(name.encode()), save=False)
        batch.save()
        for name in ("document", "index", "manifest"):
            response = desk.get(reverse("admin:batch_file", args=[batch.pk, name]))
            assert b"".join(response.streaming_content) == name.encode()
        assert desk.get(reverse("admin:batch_file", args=[batch.pk, "campaign"])).status_code == 404
        assert "Manifeste" in desk.get(reverse("admin:tenants_printbatch_changelist")).content.decode()

    def test_the_outbox_shows_the_words_of_a_message(self, desk):
        message = MessageFactory(case__campaign__rehearsal=True)
        assert desk.get(reverse("admin:tenants_message_changelist")).status_code == 200
        text = desk.get(reverse("admin:tenants_message_change", args=[message.pk])).content.decode()
        assert "avons pas reçu votre réponse" in text
        assert 'class="rehearsal"' in text

    def test_a_campaign_is_read_with_its_own_landlords_profiles_only(self, desk, campaign):
        importing.adopt_profile(campaign=campaign, name="nested")
        rival = CampaignFactory(landlord=LandlordFactory())
        importing.adopt_profile(campaign=rival, name="relational")
        text = desk.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk])).content.decode()
        assert "nested v1" in text
        assert "relational v1" not in text


class TestCases:
    def found(self, desk, words):
        text = desk.get(reverse("admin:tenants_surveycase_changelist"), {"q": words}).content.decode()
        return set(re.findall(r'<th class="field-reference"><a [^>]*>(\w{8})</a>', text))

    @pytest.mark.parametrize("words", ["Élodée", "ELODEE inès", "00000042"])
    def test_a_case_is_found_by_name_or_reference(self, desk, words):
        wanted = CaseFactory(household__tenant_reference="00000042")
        CaseFactory(household__search_name="durand paul")
        assert self.found(desk, words) == {wanted.reference}
        assert self.found(desk, wanted.reference.lower()) == {wanted.reference}

    def test_its_page_shows_the_household_and_its_history(self, desk, manager, now):
        case = CaseFactory()
        case.move(Move.SEND, now=now, actor=manager)
        case.tell("une chose inconnue", now=now)
        text = desk.get(reverse("admin:tenants_surveycase_change", args=[case.pk])).content.decode()
        assert "Inès Élodée" in text
        assert "Formulaire envoyé" in text
        assert "Note au dossier" in text
        assert "une chose inconnue" not in text
        assert case.household.tenant_reference in text

    def test_a_household_is_left_out_for_a_reason_and_taken_back(self, desk):
        case = CaseFactory()
        url = reverse("admin:case_decision", args=[case.pk])
        assert "Dites pourquoi" in desk.post(url, {"decision": "exempt"}, follow=True).content.decode()
        text = desk.post(url, {"decision": "exempt", "comment": "Bail résilié"}, follow=True).content.decode()
        case.refresh_from_db()
        assert case.state == State.OUT_OF_SCOPE
        assert "Bail résilié" in text
        desk.post(url, {"decision": "include", "comment": "Erreur"})
        case.refresh_from_db()
        assert case.state == State.PREPARED

    def test_a_letter_that_came_back_is_written_down(self, desk):
        case = CaseFactory(sent=True)
        url = reverse("admin:case_decision", args=[case.pk])
        text = desk.get(reverse("admin:tenants_surveycase_change", args=[case.pk])).content.decode()
        motive = re.search(r'<option value="(\w+)">', text)[1]
        assert "Retour noté" in desk.post(url, {"reason": motive}, follow=True).content.decode()
        assert "n&#x27;existe pas" in desk.post(url, {"reason": "perdu"}, follow=True).content.decode()

    def test_a_prepared_case_has_no_letter_to_come_back(self, desk):
        case = CaseFactory()
        text = desk.post(reverse("admin:case_decision", args=[case.pk]), {"reason": "refused"}, follow=True)
        assert "Rien n&#x27;a encore été envoyé" in text.content.decode()

    def test_a_case_is_never_edited_by_hand(self, desk):
        case = CaseFactory()
        response = desk.post(reverse("admin:tenants_surveycase_change", args=[case.pk]), {"state": "complete"})
        assert response.status_code == 403
        assert SurveyCase.objects.get().state == State.PREPARED


def test_no_page_needs_an_inline_style_or_script(desk, opened, now):
    revision = operations.draw_up_revision(campaign=opened, now=now)
    proof = operations.present_proof(revision=revision, document=b"%PDF", now=now)
    case, deposit, message = CaseFactory(), ImportAnomalyFactory().deposit, MessageFactory()
    for url in (
        reverse("admin:index"),
        page(opened),
        reverse("admin:campaign_open"),
        reverse("admin:tenants_surveycase_changelist"),
        reverse("admin:tenants_surveycase_change", args=[case.pk]),
        reverse("admin:tenants_importfile_change", args=[deposit.pk]),
        reverse("admin:tenants_message_change", args=[message.pk]),
        reverse("admin:campaigns_formproof_change", args=[proof.pk]),
        reverse("admin:campaigns_campaign_change", args=[opened.pk]),
    ):
        response = desk.get(url)
        text = response.content.decode()
        assert response.status_code == 200, url
        assert " style=" not in text, url
        assert "<style" not in text, url
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", text), url
        assert not re.search(r"\son\w+=", text), url

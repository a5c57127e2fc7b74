"""A deposit's pages: what it changes, who is left out and why, ten thousand anomalies, and the decision."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tenants import importing, tasks
from tenants.admin import deposits as pages
from tenants.case_states import Move
from tenants.models import ImportAnomaly, ImportFile
from tests.factories.tenants import ImportAnomalyFactory, ImportFileFactory, MessageFactory
from tests.tenants.depositing import deposit_of, imported, ready
from tests.tenants.test_import_corrections import LEAVER, STAYER, changed, household, small

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, manager):
    """A case manager's browser."""
    client.force_login(manager)
    return client


def page(deposit):
    return reverse("admin:tenants_importfile_change", args=[deposit.pk])


def text_of(response):
    return " ".join(response.content.decode().split())


class TestCorrection:
    @pytest.fixture
    def deposit(self, now):
        """A corrected deposit that waits: one departure, written to by letter."""
        campaign = ready("a", now)
        imported(campaign, small(), now)
        case = campaign.cases.get(household__tenant_reference=LEAVER)
        case.move(Move.SEND, now=now)
        MessageFactory(case=case, channel="letter", purpose="form", wave="form", state="sent", sent_at=now)
        text = changed("<APL>N</APL>", "<APL>O</APL>").decode().replace(household(LEAVER), "")
        deposit = deposit_of(campaign, text.encode(), now)
        importing.bring_households(deposit=deposit, now=now)
        return deposit

    def test_it_says_what_it_would_change_before_anything_changes(self, desk, deposit):
        text = text_of(desk.get(page(deposit)))
        assert "Ce que ce dépôt changerait" in text
        assert "Accepter et importer" in text
        assert "hors enquête" in text
        assert "Bénéficiaire de l&#x27;APL" in text
        campaign = text_of(desk.get(reverse("admin:campaign_page", args=[deposit.campaign_id])))
        assert "Un fichier corrigé attend votre accord" in campaign
        assert page(deposit) in campaign

    def test_each_change_is_read_old_then_new_and_each_departure_with_what_was_sent(self, desk, deposit):
        url = reverse("admin:deposit_changes", args=[deposit.pk])
        text = text_of(desk.get(f"{url}?nature=correction"))
        assert "Bénéficiaire de l&#x27;APL : <del>non</del> → <ins>oui</ins>" in text
        assert STAYER in text
        text = text_of(desk.get(f"{url}?nature=departure"))
        assert "01/10/2026 : formulaire d&#x27;enquête, courrier" in text
        assert "plus aucun envoi ni relance" in text

    def test_the_list_is_downloaded(self, desk, deposit):
        response = desk.get(reverse("admin:deposit_changes_file", args=[deposit.pk]))
        assert response["Content-Disposition"] == f'attachment; filename="changements-{deposit.pk}.csv"'
        content = b"".join(response.streaming_content).decode("utf-8-sig")
        assert f"départ;{LEAVER}" in content

    def test_the_button_applies_it_once(self, desk, deposit, manager):
        url = reverse("admin:deposit_process", args=[deposit.pk])
        assert desk.get(url).status_code == 405
        text = text_of(desk.post(url, follow=True))
        deposit.refresh_from_db()
        assert (deposit.state, deposit.accepted_by) == ("imported", manager)
        assert "Ce que ce dépôt a changé" in text
        assert "Accepter et importer" not in text
        desk.post(url)
        assert deposit.campaign.cases.get(household__tenant_reference=LEAVER).events.filter(kind="leave").count() == 1

    def test_when_the_campaign_has_moved_the_new_changes_are_to_be_read(self, desk, deposit, now):
        deposit.campaign.cases.get(household__tenant_reference=STAYER).move(Move.EXEMPT, now=now)
        deposit.campaign.cases.filter(household__tenant_reference=LEAVER).update(state="received", received_at=now)
        text = text_of(desk.post(reverse("admin:deposit_process", args=[deposit.pk]), follow=True))
        assert "n&#x27;est plus ce qui vous a été montré" in text
        deposit.refresh_from_db()
        assert deposit.state == ImportFile.State.EXAMINED
        assert "Réponse déjà reçue" in deposit.changes.get(kind="departure").effect

    def test_a_large_file_is_left_to_the_queue(self, desk, deposit, manager, monkeypatch):
        monkeypatch.setattr(pages, "BY_THE_QUEUE", 10)
        text = text_of(desk.post(reverse("admin:deposit_process", args=[deposit.pk]), follow=True))
        assert "L’import est lancé" in text
        deposit.refresh_from_db()
        assert (deposit.state, deposit.accepted_by) == ("imported", manager)


class TestFirst:
    def test_a_file_may_be_checked_without_importing_it(self, desk, now):
        campaign = ready("a", now)
        deposit = deposit_of(campaign, small(), now)
        assert "Vérifier sans importer" in text_of(desk.get(page(deposit)))
        text = text_of(desk.post(reverse("admin:deposit_examine", args=[deposit.pk]), follow=True))
        assert not campaign.households.exists()
        assert "date impossible" in text
        assert "référence en double" in text
        desk.post(reverse("admin:deposit_process", args=[deposit.pk]))
        assert campaign.households.count() > 30

    def test_what_keeps_it_from_being_read_is_told(self, desk):
        deposit = ImportFileFactory()
        text = text_of(desk.post(reverse("admin:deposit_examine", args=[deposit.pk]), follow=True))
        assert "profil d&#x27;import" in text

    def test_a_deposit_without_changes_says_so(self, desk):
        text = text_of(desk.get(reverse("admin:deposit_changes", args=[ImportFileFactory().pk])))
        assert "ne change aucun ménage connu" in text

    def test_the_queue_writes_what_keeps_a_deposit_from_being_imported(self, manager):
        deposit = ImportFileFactory(state=ImportFile.State.EXAMINED)
        tasks.put_deposit_to_use(deposit.pk, manager.pk)
        deposit.refresh_from_db()
        assert "profil d'import" in deposit.explanation


class TestManyAnomalies:
    @pytest.fixture
    def deposit(self):
        """Ten thousand anomalies of two kinds."""
        deposit = ImportFileFactory()
        told = {"deposit": deposit, "severity": "warning", "message": "À vérifier."}
        ImportAnomaly.objects.bulk_create(
            ImportAnomaly(
                kind="bad_email" if line % 10 else "bad_mobile", line=line, tenant_reference=f"{line:08d}", **told
            )
            for line in range(1, 10_001)
        )
        return deposit

    def test_they_are_counted_by_kind_and_read_by_pages(self, desk, deposit, django_assert_max_num_queries):
        with django_assert_max_num_queries(20):
            text = text_of(desk.get(page(deposit)))
        assert text.count("À vérifier.") == pages.PER_PAGE + 2
        assert "Page 1 sur 200" in text
        assert "adresse électronique fausse" in text
        last = text_of(desk.get(f"{page(deposit)}?page=200"))
        assert "00010000" in last
        assert "Page suivante" not in last

    def test_they_are_filtered_by_kind_and_by_tenant(self, desk, deposit):
        text = text_of(desk.get(f"{page(deposit)}?nature=bad_mobile"))
        assert "Page 1 sur 20" in text
        assert "nature=bad_mobile&amp;page=2" in text
        text = text_of(desk.get(f"{page(deposit)}?nature=bad_mobile&locataire=0000999"))
        assert "Téléphone mobile faux : 1" in text
        assert "Aucune anomalie ne répond" in text_of(desk.get(f"{page(deposit)}?locataire=zzz"))


def test_only_the_providers_people_decide(client, landlord_user, now):
    deposit = ImportAnomalyFactory(deposit__campaign__landlord=landlord_user.landlord).deposit
    client.force_login(landlord_user)
    for name in ("deposit_process", "deposit_examine"):
        assert client.post(reverse(f"admin:{name}", args=[deposit.pk])).status_code in {302, 403, 404}
    for name in ("deposit_changes", "deposit_changes_file", "deposit_anomalies"):
        assert client.get(reverse(f"admin:{name}", args=[deposit.pk])).status_code in {302, 403, 404}
    deposit.refresh_from_db()
    assert deposit.state == ImportFile.State.RECEIVED

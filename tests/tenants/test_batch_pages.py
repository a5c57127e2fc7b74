"""The page of a print batch: handing it over, taking the print house's report, printing a letter again."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from campaigns.exchange_accounts import embedded_server
from campaigns.models import Campaign, User
from campaigns.paper_form.envelope_code import EnvelopeCode
from tenants.dispatch import compose_forms, exchange_of, hand_over
from tenants.models import Message, PrintBatch, PrintShop
from tests.factories.campaigns import UserFactory
from tests.tenants.printing import LATER, NOW, households

pytestmark = pytest.mark.usefixtures("printing_room")


@pytest.fixture
def batch(approved: Campaign) -> PrintBatch:
    households(approved, 2, 2)
    [batch] = compose_forms(campaign=approved, now=NOW)
    return batch


@pytest.fixture
def desk(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def page_of(batch: PrintBatch) -> str:
    return reverse("admin:tenants_printbatch_change", args=[batch.pk])


def test_a_composed_batch_tells_its_weights_and_is_handed_over_by_hand(desk: Client, batch: PrintBatch) -> None:
    page = desk.get(page_of(batch)).content.decode()
    assert "jusqu’à 35 g" in page
    assert "en main propre" in page

    answer = desk.post(reverse("admin:batch_hand_over", args=[batch.pk]), {"shop": ""}, follow=True)

    batch.refresh_from_db()
    assert batch.state == PrintBatch.State.HANDED_OVER
    assert "Le lot est remis." in answer.content.decode()
    assert "sans nouvelles" in answer.content.decode()


def test_a_batch_goes_to_the_shop_chosen(desk: Client, batch: PrintBatch, settings: Any, tmp_path: Any) -> None:
    settings.VAR_DIR = tmp_path
    shop = PrintShop.objects.create(name="Presse du Val", sftp_username="imprimeur")
    with embedded_server() as server:
        settings.SFTP_PORT = server.port
        exchange = exchange_of(shop)
        assert exchange is not None
        with exchange:
            exchange.prepare()
            answer = desk.post(reverse("admin:batch_hand_over", args=[batch.pk]), {"shop": str(shop.pk)}, follow=True)
            names = exchange.listdir("restitution")[1]

    assert "remis à Presse du Val" in answer.content.decode()
    assert len(names) == 3
    batch.refresh_from_db()
    assert batch.shop == shop


def test_a_shop_that_cannot_be_reached_keeps_the_batch_here(
    desk: Client, batch: PrintBatch, settings: Any, tmp_path: Any
) -> None:
    settings.VAR_DIR = tmp_path
    settings.SFTP_PORT = 1
    shop = PrintShop.objects.create(name="Presse du Val", sftp_username="imprimeur")

    answer = desk.post(reverse("admin:batch_hand_over", args=[batch.pk]), {"shop": str(shop.pk)}, follow=True)

    batch.refresh_from_db()
    assert batch.state == PrintBatch.State.COMPOSED
    assert "errorlist" in answer.content.decode() or 'class="error"' in answer.content.decode()


def test_the_report_is_taken_and_a_spoiled_letter_is_listed(desk: Client, batch: PrintBatch) -> None:
    hand_over(batch=batch, now=LATER)
    spoiled, good = Message.objects.filter(batch=batch).select_related("case").order_by("first_page")
    lines = [
        f"{EnvelopeCode(spoiled.case.reference, batch.number)};GACHE",
        f"{good.case.reference};PRODUIT",
        "?;PRODUIT",
    ]
    file = SimpleUploadedFile("cr.csv", "\n".join(["CODE;STATUT", *lines]).encode())

    answer = desk.post(reverse("admin:batch_report", args=[batch.pk]), {"file": file}, follow=True).content.decode()

    assert "Lignes prises : 2." in answer
    assert "csv, ligne 4 : Le dossier « ? »" in answer
    assert "Chaque pli remis a son compte rendu" in answer
    assert f"Dossier {spoiled.case.reference}</a>" in answer
    assert Message.objects.waiting().filter(case=spoiled.case, wave="form-r1").exists()


def test_a_file_of_another_kind_is_refused_in_words(desk: Client, batch: PrintBatch) -> None:
    hand_over(batch=batch, now=LATER)
    url = reverse("admin:batch_report", args=[batch.pk])

    wrong = desk.post(url, {"file": SimpleUploadedFile("x.csv", b"a;b\n1;2")}, follow=True)
    assert "« x.csv », ligne 1" in wrong.content.decode()
    assert "Choisissez le compte rendu" in desk.post(url, follow=True).content.decode()


def test_a_letter_is_printed_again_from_its_own_page(desk: Client, batch: PrintBatch) -> None:
    hand_over(batch=batch, now=LATER)
    letter = Message.objects.filter(batch=batch).earliest("pk")
    assert (
        "Réimprimer ce courrier" in desk.get(reverse("admin:tenants_message_change", args=[letter.pk])).content.decode()
    )

    url = reverse("admin:reprint", args=[letter.pk])
    first = desk.post(url, {"withdraw": "on"}, follow=True).content.decode()
    second = desk.post(url, follow=True).content.decode()

    assert "réimprimé avec le prochain lot" in first
    assert "attend déjà" in second
    assert not letter.case.access_codes.filter(revoked_at=None).exists()


def test_print_houses_are_kept_by_case_managers(desk: Client, db: None) -> None:
    url = reverse("admin:tenants_printshop_add")

    refused = desk.post(url, {"name": "Presse", "sftp_username": "Presse du Val"})
    desk.post(url, {"name": "Presse", "sftp_username": "presse", "sheet_marks": "on"})

    assert "en minuscules, sans espace" in refused.content.decode()
    assert PrintShop.objects.get().sheet_marks


@pytest.mark.parametrize("role", [{"of_landlord": True}, {"keying": True}, {"calling": True}])
def test_others_do_not_enter(client: Client, batch: PrintBatch, role: dict[str, bool]) -> None:
    client.force_login(UserFactory(**role))

    assert client.get(page_of(batch)).status_code in (302, 403, 404)
    assert client.post(reverse("admin:batch_hand_over", args=[batch.pk])).status_code in (302, 403, 404)
    batch.refresh_from_db()
    assert batch.state == PrintBatch.State.COMPOSED

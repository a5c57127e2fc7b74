"""Depositing pieces: what is refused and why, what is kept, what is shown."""

from __future__ import annotations

import io

import pikepdf
import pytest
from django.test import Client
from PIL import Image

from tenants.models import SurveyCase
from tests.portal.walking import photo, upload

pytestmark = pytest.mark.django_db


def pdf(password: str = "") -> bytes:
    out = io.BytesIO()
    document = pikepdf.new()
    document.add_blank_page()
    document.save(out, encryption=pikepdf.Encryption(user=password, owner=password) if password else False)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("vide.jpg", b"", "est vide (0 octet)"),
        ("lettre.docx", b"PK\x03\x04" + b"x" * 50, "ni une photo"),
        ("coupee.jpg", photo()[:200], "endommagé"),
        ("avis.pdf", pdf("secret"), "mot de passe"),
        ("photo.heic", b"\x00\x00\x00\x18ftypheic" + b"x" * 50, "HEIC"),
    ],
)
def test_a_file_that_cannot_be_taken_gets_its_own_words(household, case, name, content, words) -> None:
    page = upload(household, "tax_notice", 1, (name, content))

    text = page.content.decode()
    assert page.status_code == 200
    assert words in text
    assert "<title>Erreur" in text
    assert not case.documents.exists()


def test_a_file_too_big_is_refused(household: Client, case: SurveyCase, settings) -> None:
    settings.UPLOAD_MAX_BYTES = 1000

    page = upload(household, "tax_notice", 1, ("avis.jpg", photo("red", (900, 900))))

    assert "dépasse 20 Mo" in page.content.decode()
    assert not case.documents.exists()


def test_too_many_files_at_once_get_a_page_in_french(household: Client, case: SurveyCase, settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2

    page = upload(household, "tax_notice", 1, *[(f"page-{number}.jpg", photo()) for number in range(3)])

    text = page.content.decode()
    assert page.status_code == 400
    assert "au plus 2 fichiers à la fois" in text
    assert 'href="/pieces/tax_notice/1/"' in text
    assert not case.documents.exists()


def test_no_file_is_said_plainly(household: Client) -> None:
    assert "Choisissez une photo" in household.post("/pieces/tax_notice/1/", {}).content.decode()


def test_the_button_pressed_once_the_file_is_there_is_no_error(household: Client) -> None:
    upload(household, "tax_notice", 1, ("avis.jpg", photo()))
    assert upload(household, "tax_notice", 1).status_code == 302


def test_one_bad_file_does_not_lose_the_others(household: Client, case: SurveyCase) -> None:
    page = upload(household, "tax_notice", 1, ("vide.jpg", b""), ("avis.jpg", photo()), ("avis.pdf", pdf()))

    assert "est vide" in page.content.decode()
    assert sorted(case.documents.values_list("media_type", flat=True)) == ["application/pdf", "image/jpeg"]


def test_the_same_file_twice_is_kept_once(household: Client, case: SurveyCase) -> None:
    for _ in range(2):
        upload(household, "tax_notice", 1, ("avis.jpg", photo()))

    assert case.documents.count() == 1


def test_a_photo_is_shown_and_a_pdf_downloaded(household: Client, case: SurveyCase) -> None:
    upload(household, "tax_notice", 1, ("avis.jpg", photo("white", (900, 1200))), ("avis.pdf", pdf()))
    image, document = case.documents.get(media_type="image/jpeg"), case.documents.get(media_type="application/pdf")

    shown = household.get(f"/pieces/fichier/{image.pk}")
    small = household.get(f"/pieces/fichier/{image.pk}?apercu")
    downloaded = household.get(f"/pieces/fichier/{document.pk}")

    assert shown["Content-Type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(small.content)).size) <= 360
    assert downloaded["Content-Disposition"].startswith("attachment")
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in shown["Cache-Control"]
    for each in (shown, downloaded):
        each.close()


def test_a_file_is_taken_back_with_its_content(
    household: Client, case: SurveyCase, django_capture_on_commit_callbacks
) -> None:
    upload(household, "tax_notice", 1, ("avis.jpg", photo()))
    piece = case.documents.get()

    with django_capture_on_commit_callbacks(execute=True):
        household.post(f"/pieces/fichier/{piece.pk}/retirer/")

    assert not case.documents.exists()
    assert not piece.content.storage.exists(piece.content.name)


def test_a_piece_that_is_not_asked_for_has_no_page(household: Client) -> None:
    assert household.get("/pieces/death_certificate/0/").status_code == 404
    assert household.get("/pieces/tax_notice/3/").status_code == 404


def test_saying_that_one_does_not_have_it_can_be_taken_back(household: Client) -> None:
    household.post("/pieces/tax_notice/1/", {"action": "later"})
    assert "Plus tard" in household.get("/pieces/").content.decode()

    household.post("/pieces/tax_notice/1/", {"action": "later"})
    assert "Plus tard" not in household.get("/pieces/").content.decode()

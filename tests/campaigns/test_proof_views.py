"""The landlord's look and its decision on a proof, over HTTP."""

from __future__ import annotations

import datetime as dt
import io
import re

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from campaigns import operations
from campaigns.models import Campaign, FormProof, Landlord, User
from campaigns.paper_form.branding import contrast_with_white, darkened_to
from campaigns.views import LEAST_CONTRAST_ON_SCREEN
from tests.factories.campaigns import RevisionFactory, UserFactory

pytestmark = pytest.mark.django_db


def document() -> bytes:
    """A proof of two pages."""
    stream = io.BytesIO()
    canvas = Canvas(stream, invariant=1)
    for word in ("un", "deux"):
        canvas.drawString(100, 100, word)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


@pytest.fixture
def proof(campaign: Campaign, now: dt.datetime) -> FormProof:
    """A proof that waits for the landlord."""
    return operations.present_proof(revision=RevisionFactory(campaign=campaign), document=document(), now=now)


@pytest.fixture
def as_landlord(client: Client, landlord_user: User) -> Client:
    """A browser signed in as the landlord."""
    client.force_login(landlord_user)
    return client


def test_the_landlord_sees_each_page_and_keeps_the_file(as_landlord: Client, proof: FormProof) -> None:
    page = as_landlord.get(reverse("proof", args=[proof.pk])).content.decode()
    picture = as_landlord.get(reverse("proof_page", args=[proof.pk, 2]))
    file = as_landlord.get(reverse("proof_document", args=[proof.pk]))

    assert page.count("proof-page") == 2
    assert "premier formulaire présenté" in page
    assert Image.open(io.BytesIO(picture.content)).format == "PNG"
    assert b"".join(file) == document()
    assert as_landlord.get(reverse("proof_page", args=[proof.pk, 3])).status_code == 404


def test_the_landlord_approves(as_landlord: Client, proof: FormProof, landlord_user: User) -> None:
    response = as_landlord.post(reverse("proof", args=[proof.pk]), {"decision": "approve", "comment": ""}, follow=True)

    proof.refresh_from_db()
    assert (proof.state, proof.decided_by) == (FormProof.State.APPROVED, landlord_user)
    assert "Bon à tirer approuvé" in response.content.decode()
    assert 'name="decision"' not in response.content.decode()


def test_a_refusal_says_what_must_change(as_landlord: Client, proof: FormProof) -> None:
    url = reverse("proof", args=[proof.pk])

    empty = as_landlord.post(url, {"decision": "refuse", "comment": "  "})
    told = as_landlord.post(url, {"decision": "refuse", "comment": "Le numéro d'appel est faux."}, follow=True)

    assert empty.status_code == 422
    assert "Dites en quelques mots ce qui doit changer" in empty.content.decode()
    proof.refresh_from_db()
    assert proof.state == FormProof.State.REFUSED
    assert "Le numéro d&#x27;appel est faux." in told.content.decode()


def test_what_was_typed_is_kept_when_the_form_has_changed_since(as_landlord: Client, proof: FormProof) -> None:
    Landlord.objects.update(hotline="02 00 00 00 00")

    response = as_landlord.post(reverse("proof", args=[proof.pk]), {"decision": "approve", "comment": "Parfait"})

    assert response.status_code == 422
    assert "ont changé depuis ce BAT" in response.content.decode()
    assert ">Parfait</textarea>" in response.content.decode()


def test_a_new_proof_tells_what_changed(as_landlord: Client, proof: FormProof, campaign: Campaign, now) -> None:
    revision = RevisionFactory(campaign=campaign, number=proof.revision.number + 1)
    definition = revision.definition | {"title": "Un autre titre"}
    type(revision).objects.filter(pk=revision.pk).update(definition=definition)
    revision.refresh_from_db()
    later = operations.present_proof(revision=revision, document=document(), now=now)

    page = as_landlord.get(reverse("proof", args=[later.pk])).content.decode()

    assert "« Un autre titre »" in page
    assert "Remplacé" in as_landlord.get(reverse("proof", args=[proof.pk])).content.decode()


@pytest.mark.parametrize("name", ["proof", "proof_document", "proof_page"])
def test_a_rival_never_sees_the_proof(client: Client, proof: FormProof, name: str) -> None:
    client.force_login(UserFactory(of_landlord=True))
    url = reverse(name, args=[proof.pk, 1] if name == "proof_page" else [proof.pk])

    assert client.get(url).status_code == 404
    if name == "proof":
        assert client.post(url, {"decision": "approve"}).status_code == 404
        proof.refresh_from_db()
        assert proof.state == FormProof.State.OPEN


def test_only_those_who_decide_come_in(client: Client, proof: FormProof) -> None:
    client.force_login(UserFactory(calling=True))

    assert client.get(reverse("proof", args=[proof.pk])).status_code == 403


def test_a_case_manager_says_who_agreed(client: Client, proof: FormProof, manager: User) -> None:
    client.force_login(manager)
    url = reverse("proof", args=[proof.pk])

    assert client.post(url, {"decision": "approve"}).status_code == 422
    assert client.post(url, {"decision": "approve", "comment": "Mme Morin, par e-mail."}).status_code == 302


@pytest.mark.parametrize("accent", ["#1F5F5B", "#FFF3B0", "#FFFFFF", "#E8A0A0", "#000000"])
def test_the_accent_on_screen_can_always_be_read(client: Client, landlord: Landlord, accent: str) -> None:
    Landlord.objects.update(accent=accent)

    response = client.get(reverse("landlord_style", args=[landlord.code]))

    (shown,) = re.findall(r"--accent:(#[0-9A-Fa-f]{6})", response.content.decode())
    assert response["Content-Type"].startswith("text/css")
    assert contrast_with_white(shown) >= LEAST_CONTRAST_ON_SCREEN
    assert shown == accent or contrast_with_white(accent) < LEAST_CONTRAST_ON_SCREEN


def test_contrast_follows_the_standard() -> None:
    assert contrast_with_white("#FFFFFF") == pytest.approx(1)
    assert contrast_with_white("#000000") == pytest.approx(21)
    assert contrast_with_white("#767676") == pytest.approx(4.54, abs=0.01)
    assert darkened_to("#1F5F5B", 4.5) == "#1F5F5B"

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

from campaigns import covered, operations, proof_pictures
from campaigns.covered import changes_between
from campaigns.models import Campaign, FormProof, Landlord, LayoutVariant, User
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


@pytest.mark.parametrize("name", ["proof", "proof_document", "proof_page", "proof_comparison"])
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


def presented(campaign: Campaign, now: dt.datetime, *words: str, **changes: object) -> FormProof:
    """A later proof, of a revision of its own, whose pages say `words`."""
    newest = campaign.revisions.latest("number")
    revision = RevisionFactory(campaign=campaign, number=newest.number + 1)
    if changes:
        type(revision).objects.filter(pk=revision.pk).update(definition=revision.definition | changes)
        revision.refresh_from_db()
    stream = io.BytesIO()
    canvas = Canvas(stream, invariant=1)
    for word in words:
        canvas.drawString(100, 100, word)
        canvas.showPage()
    canvas.save()
    return operations.present_proof(revision=revision, document=stream.getvalue(), now=now)


class TestChanges:
    def test_they_are_told_by_what_they_touch(self, proof: FormProof, campaign: Campaign, now: dt.datetime) -> None:
        landlord = campaign.landlord
        landlord.hotline, landlord.accent = "09 99 99 99 99", "#7a1f3d"
        landlord.save()
        campaign.reply_by += dt.timedelta(days=10)
        campaign.save()
        later = presented(campaign, now, "un", title="Un autre titre")

        told = {group.title: " ".join(group.lines) for group in changes_between(proof, later)}

        assert "« Un autre titre »" in told["Questions, pièces et règles"]
        assert "Numéro d'aide : «" in told["Textes, adresses et logo"]
        assert "devient «\u00a009 99 99 99 99\u00a0»" in told["Textes, adresses et logo"]
        assert "Couleur" in told["Textes, adresses et logo"]
        assert "et non plus le" in told["Dates et documents"]
        assert changes_between(later, later) == []

    def test_a_layout_that_moves_says_which_pages(
        self, campaign: Campaign, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(operations, "LARGEST_HOUSEHOLD", 3)
        first = operations.draw_up_revision(campaign=campaign, now=now)
        before = operations.present_proof(revision=first, document=document(), now=now)
        second = RevisionFactory(campaign=campaign, number=first.number + 1)
        for variant in first.layouts.all():
            tables = variant.tables | {
                "texts": [each | {"x": each["x"] + (each["page"] == 2)} for each in variant.tables["texts"]]
            }
            LayoutVariant.objects.create(
                revision=second, rows=variant.rows, large=variant.large, fingerprint="A", tables=tables
            )
        after = operations.present_proof(revision=second, document=document(), now=now)

        [told] = [group.lines for group in changes_between(before, after) if group.title == "Mise en page"]

        assert told == (
            "Toutes les maquettes : la page 2 est redessinée.",
            "Toutes les maquettes en gros caractères : la page 2 est redessinée.",
        )

    @pytest.mark.parametrize(
        ("pages", "told"), [([1, 2, 3, 6], "1 à 3 et 6"), ([2, 3], "2 et 3"), ([1, 3, 4, 5, 9], "1, 3 à 5 et 9")]
    )
    def test_pages_are_told_as_people_say_them(self, pages: list[int], told: str) -> None:
        assert covered._spans(pages) == told


class TestComparison:
    def test_only_pages_that_look_otherwise_are_shown_with_what_differs_in_yellow(
        self, as_landlord: Client, proof: FormProof, campaign: Campaign, now: dt.datetime
    ) -> None:
        later = presented(campaign, now, "un", "autre chose", "trois")

        page = as_landlord.get(reverse("proof_comparison", args=[later.pk])).content.decode()
        picture = as_landlord.get(reverse("proof_difference", args=[later.pk, 2]))
        pixels = Image.open(io.BytesIO(picture.content)).getcolors(100_000)

        assert re.findall(r'id="page-\d+">\s*Page (\d+)', page) == ["2", "3"]
        assert "Sans changement : page 1." in page
        assert "L’épreuve précédente n’a pas cette page" in page
        assert proof_pictures.HIGHLIGHT in {colour for _, colour in pixels or ()}
        assert as_landlord.get(reverse("proof_difference", args=[later.pk, 4])).status_code == 404

    def test_the_first_proof_has_nothing_to_be_held_against(self, as_landlord: Client, proof: FormProof) -> None:
        assert as_landlord.get(reverse("proof_comparison", args=[proof.pk])).status_code == 404
        assert as_landlord.get(reverse("proof_difference", args=[proof.pk, 1])).status_code == 404

    def test_pages_are_compared_with_those_that_showed_the_same(self, proof: FormProof, now: dt.datetime) -> None:
        proof.contents = [{"title": "Formulaire", "first": 1, "pages": 1}, {"title": "Relance", "first": 2, "pages": 1}]
        proof.save()
        stream = io.BytesIO()
        canvas = Canvas(stream, invariant=1)
        for word in ("un", "nouveau", "deux"):
            canvas.drawString(100, 100, word)
            canvas.showPage()
        canvas.save()
        later = operations.present_proof(
            revision=proof.revision,
            document=stream.getvalue(),
            now=now,
            contents=[{"title": "Formulaire", "first": 1, "pages": 2}, {"title": "Relance", "first": 3, "pages": 1}],
        )

        changed = proof_pictures.changed_pages(proof, later)

        assert [(pair.title, pair.old, pair.new) for pair in changed] == [("Formulaire", None, 2)]

    def test_letters_differ_word_by_word(self, proof: FormProof, now: dt.datetime) -> None:
        later = operations.present_proof(revision=proof.revision, document=document(), now=now)
        later.covered["letters"]["complement"] = later.covered["letters"]["complement"].replace(
            "sans attendre", "tout de suite"
        )

        [told] = changes_between(proof, later)

        assert told.title == "Courriers"
        assert told.lines == (
            "Demande de compléments : «\u00a0sans attendre\u00a0» devient «\u00a0tout de suite\u00a0».",
        )


class TestRemarks:
    def test_both_sides_talk_page_by_page(
        self, client: Client, proof: FormProof, landlord_user: User, manager: User
    ) -> None:
        url = reverse("proof_remark", args=[proof.pk])
        client.force_login(landlord_user)
        client.post(url, {"page": "2", "text": "Le titre est trop petit."})
        client.force_login(manager)
        client.post(url, {"page": "", "text": "Ce sera corrigé."})

        page = client.get(reverse("proof", args=[proof.pk])).content.decode()

        assert [(each.page, each.author) for each in proof.remarks.all()] == [(2, landlord_user), (None, manager)]
        assert page.index("Le titre est trop petit.") < page.index("Ce sera corrigé.")

    @pytest.mark.parametrize(
        ("told", "words"),
        [
            ({"text": "  "}, "Écrivez votre remarque"),
            ({"text": "x" * 2001}, "2000 caractères au plus"),
            ({"text": "Trop petit", "page": "3"}, "pas de page 3"),
        ],
    )
    def test_what_cannot_be_kept_is_said_and_typed_words_stay(
        self, as_landlord: Client, proof: FormProof, told: dict[str, str], words: str
    ) -> None:
        response = as_landlord.post(reverse("proof_remark", args=[proof.pk]), told)

        assert response.status_code == 422
        assert words in response.content.decode()
        assert told["text"].strip()[:1999] in response.content.decode()
        assert not proof.remarks.exists()

    def test_a_decided_proof_takes_no_more(
        self, as_landlord: Client, proof: FormProof, landlord_user: User, now
    ) -> None:
        operations.approve_proof(proof=proof, actor=landlord_user, now=now)

        response = as_landlord.post(reverse("proof_remark", args=[proof.pk]), {"text": "Encore un mot"})

        assert response.status_code == 422
        assert "Ajouter la remarque" not in response.content.decode()

    def test_a_rival_says_nothing(self, client: Client, proof: FormProof) -> None:
        client.force_login(UserFactory(of_landlord=True))

        assert client.post(reverse("proof_remark", args=[proof.pk]), {"text": "Bonjour"}).status_code == 404


def test_all_the_versions_are_listed(
    as_landlord: Client, proof: FormProof, campaign: Campaign, now: dt.datetime
) -> None:
    later = presented(campaign, now, "un")

    page = as_landlord.get(reverse("proof", args=[later.pk])).content.decode()

    assert f"Révision {later.revision.number} (celle-ci)" in page
    assert reverse("proof", args=[proof.pk]) in page

"""Who comes in, who does not and why, and how long the door stays open."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from campaigns.models import Campaign
from campaigns.visitor import address_of
from tenants import access_codes
from tenants.models import AccessCode, SurveyCase
from tests.factories.tenants import CaseFactory
from tests.portal.walking import HOUSEHOLD, photo, upload

pytestmark = pytest.mark.django_db
WRONG = "ABCD-2345-EFGH"


@pytest.mark.parametrize(
    "written",
    [str.lower, lambda text: text.replace("-", " "), lambda text: f" {text} "],
    ids=["small letters", "spaces", "around"],
)
def test_the_code_opens_in_any_case_and_spacing(client: Client, case: SurveyCase, code: str, written) -> None:
    answer = client.post("/", {"reference": written(case.reference), "code": written(code)})

    assert answer["Location"] == "/bienvenue/"
    assert client.get("/bienvenue/").status_code == 200


@pytest.mark.parametrize(
    ("reference", "code", "words"),
    [
        ("", "", "Écrivez votre identifiant"),
        (None, "", "Écrivez votre identifiant"),
        (None, WRONG, "ne vont pas ensemble"),
    ],
)
def test_an_empty_and_a_wrong_code_have_each_their_words(client, case, reference, code, words) -> None:
    page = client.post("/", {"reference": case.reference if reference is None else reference, "code": code})

    text = page.content.decode()
    assert words in text
    assert "<title>Erreur" in text
    assert "Appelez" in text or "appeler" in text


def test_five_failures_close_the_door_for_a_while(client: Client, case: SurveyCase, code: str) -> None:
    for _ in range(5):
        client.post("/", {"reference": case.reference, "code": WRONG})

    page = client.post("/", {"reference": case.reference, "code": code}).content.decode()

    assert "patientez un peu" in page
    assert "attendez" in page


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "198.51.100.1"),
        (1, "", "198.51.100.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "made-up, 203.0.113.9", "203.0.113.9"),
        (2, "made-up, 203.0.113.9, 198.51.100.7", "203.0.113.9"),
        (2, "203.0.113.9", "198.51.100.1"),
    ],
)
def test_the_visitor_s_address_is_the_one_our_proxies_wrote(rf, settings, proxies, forwarded, expected) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", headers={"x-forwarded-for": forwarded}, REMOTE_ADDR="198.51.100.1")

    assert address_of(request) == expected


def test_behind_a_proxy_one_visitor_s_failures_leave_the_others_alone(client: Client, settings, db: None) -> None:
    settings.TRUSTED_PROXIES = 1
    first, second = (CaseFactory(state="sent") for _ in range(2))
    for number in range(access_codes.BY_ADDRESS.failures):
        given = {"reference": f"{first.reference[:-3]}{number:03d}", "code": WRONG}
        client.post("/", given, headers={"x-forwarded-for": "203.0.113.9"})
    given = {"reference": second.reference, "code": WRONG}

    same = client.post("/", given, headers={"x-forwarded-for": "203.0.113.9"}).content.decode()
    other = client.post("/", given, headers={"x-forwarded-for": "203.0.113.10"}).content.decode()

    assert "patientez un peu" in same
    assert "ne vont pas ensemble" in other


def test_a_code_already_used_says_that_the_answer_came(client: Client, case: SurveyCase, code: str, present) -> None:
    access_codes.revoke_all(case=case, now=present)

    page = client.post("/", {"reference": case.reference, "code": code}).content.decode()

    assert "Nous avons déjà reçu votre réponse" in page
    assert case.campaign.landlord.hotline in page


def test_a_closed_campaign_says_so_at_the_door_and_inside(household: Client, case: SurveyCase, code: str) -> None:
    Campaign.objects.filter(pk=case.campaign_id).update(stage=Campaign.Stage.CLOSED)

    inside = household.get("/etapes/", follow=True).content.decode()
    at_the_door = Client().post("/", {"reference": case.reference, "code": code}).content.decode()

    assert "est close" in inside
    assert "On ne peut plus répondre en ligne" in at_the_door


def test_reading_a_link_opens_nothing_and_spends_nothing(client: Client, case: SurveyCase, present) -> None:
    token = access_codes.issue_link(case=case, wave="dispatch", now=present)

    page = client.get(f"/a/{token}")

    assert escape(case.campaign.landlord.name) in page.content.decode()
    assert client.get("/etapes/")["Location"] == "/"
    assert AccessCode.objects.get(kind="link").used_at is None
    assert client.post(f"/a/{token}")["Location"] == "/bienvenue/"
    assert client.get("/etapes/").status_code == 200


def test_an_unknown_link_says_what_to_do(client: Client) -> None:
    page = client.post("/a/inconnu").content.decode()

    assert "pas reconnu" in page
    assert "Entrer avec mon code" in page


@pytest.mark.parametrize(
    "address", ["/bienvenue/", "/etapes/", "/pieces/", "/verifier/", "/suivi-du-dossier/", "/completer/"]
)
def test_nobody_reads_a_page_without_coming_in(client: Client, address: str) -> None:
    answer = client.get(address, follow=True)

    assert answer.redirect_chain == [("/", 302)]
    assert "pour continuer" in answer.content.decode()


def test_half_an_hour_of_silence_closes_the_door_and_keeps_the_answers(case: SurveyCase) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        code = access_codes.issue_typed(case=case, wave="dispatch", now=start)
        household = Client()
        household.post("/", {"reference": case.reference, "code": code})
        household.post("/questions/household/0/", HOUSEHOLD)
        clock.shift(dt.timedelta(minutes=29))
        assert household.get("/etapes/").status_code == 200
        clock.shift(dt.timedelta(minutes=31))

        answer = household.get("/etapes/", follow=True)

        assert answer.redirect_chain == [("/", 302)]
        assert "30 minutes" in answer.content.decode()
        household.post("/", {"reference": case.reference, "code": code})
        assert household.get("/questions/household/0/").context["form"]["household-size"].value() == "3"


def test_saying_that_one_is_still_there_starts_the_half_hour_again(case: SurveyCase) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        code = access_codes.issue_typed(case=case, wave="dispatch", now=start)
        household = Client()
        household.post("/", {"reference": case.reference, "code": code})
        clock.shift(dt.timedelta(minutes=20))
        assert household.post("/rester/").status_code == 204
        clock.shift(dt.timedelta(minutes=20))

        assert household.get("/etapes/").status_code == 200


def test_leaving_closes_the_door(household: Client) -> None:
    household.post("/quitter/")

    assert household.get("/etapes/")["Location"] == "/"


def test_another_household_s_piece_does_not_exist(household: Client, case: SurveyCase, present) -> None:
    upload(household, "tax_notice", 1, ("avis.jpg", photo()))
    piece = case.documents.get()
    neighbour = CaseFactory(campaign=case.campaign, sent=True)
    theirs = access_codes.issue_typed(case=neighbour, wave="dispatch", now=present)
    other = Client()
    other.post("/", {"reference": neighbour.reference, "code": theirs})

    assert household.get(f"/pieces/fichier/{piece.pk}").status_code == 200
    assert other.get(f"/pieces/fichier/{piece.pk}").status_code == 404
    assert other.post(f"/pieces/fichier/{piece.pk}/retirer/").status_code == 404


@pytest.mark.parametrize("page", ["aide", "authenticite", "donnees-personnelles", "mentions-legales", "accessibilite"])
def test_anybody_reads_the_information_pages(client: Client, page: str) -> None:
    assert client.get(f"/{page}/").status_code == 200


def test_a_rehearsal_says_so_on_every_page(household: Client, case: SurveyCase) -> None:
    Campaign.objects.filter(pk=case.campaign_id).update(rehearsal=True)

    assert "Répétition" in household.get("/etapes/").content.decode()

"""A household answers: comes in, goes through the pages, joins its pieces, sends, reads its receipt."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from returns.answers import context_of
from returns.models import Declaration, SupportingDocument, SurveyReturn
from tenants import access_codes
from tenants.models import Household, SurveyCase
from tests.portal.walking import HOUSEHOLD, answer_everything, photo, put_off_pieces, send, upload

pytestmark = [pytest.mark.django_db, pytest.mark.journey]


def declared(case: SurveyCase) -> dict[tuple[str, int], Any]:
    return Declaration.objects.get(case=case).values()


def test_the_whole_way_with_pieces_makes_a_complete_case(household: Client, case: SurveyCase) -> None:
    answer_everything(household)
    for row in (1, 2):
        assert (
            upload(household, "tax_notice", row, (f"avis{row}.jpg", photo("white", (300 + row, 400)))).status_code
            == 302
        )

    sent = send(household)

    assert sent.status_code == 302, sent.content.decode()
    assert sent["Location"] == "/suivi-du-dossier/"
    case.refresh_from_db()
    assert case.state == "complete"
    answers = declared(case)
    assert answers["occupant.tax_reference_income", 1] == 21450
    assert answers["household.size", 0] == 3
    assert ("occupant.last_name", 1) not in answers
    documents = SupportingDocument.objects.filter(case=case)
    assert sorted(documents.values_list("kind", "row")) == [("tax_notice", 1), ("tax_notice", 2)]
    assert not documents.filter(survey_return=None).exists()


def test_the_receipt_tells_the_number_what_came_and_prints_as_pdf(household: Client, case: SurveyCase) -> None:
    answer_everything(household)
    upload(household, "tax_notice", 1, ("avis.jpg", photo()))
    put_off_pieces(household, *_still_expected(household))
    send(household)

    page = household.get("/suivi-du-dossier/").content.decode()
    pdf = household.get("/suivi-du-dossier/recu.pdf")

    receipt = SurveyReturn.objects.get(case=case).receipt
    assert receipt in page
    assert "Inès Élodée" in page
    assert pdf["Content-Type"] == "application/pdf"
    assert b"".join(pdf).startswith(b"%PDF-")


def _still_expected(client: Client) -> list[int]:
    return [piece.row for piece in client.get("/pieces/").context["unsettled"]]


def test_nothing_changed_leaves_the_landlord_s_data_alone(household: Client, case: SurveyCase) -> None:
    page = household.get("/personnes/occupants/").content.decode()
    assert "Rien n’a changé, continuer" in page

    answer_everything(household)

    told = Declaration.objects.get(case=case).draft
    assert not [key for key in told if key.startswith("occupant.") and key != "occupant.tax_reference_income"]
    assert household.get("/etapes/").context["todo"].key == "pieces"


def test_what_was_known_and_is_emptied_is_sent_as_emptied(household: Client, case: SurveyCase) -> None:
    answer_everything(household)
    emptied = {**HOUSEHOLD, "household-phone": "", "household-email": " "}
    assert household.post("/questions/household/0/", emptied).status_code == 302
    assert 'value="06 39 98 00 00"' not in household.get("/questions/household/0/").content.decode()
    put_off_pieces(household, 1, 2)

    send(household)

    answers = declared(case)
    assert (answers["household.phone", 0], answers["household.email", 0]) == ("", "")
    seen = context_of(case)
    assert seen.value("household.phone") == ""


def test_an_answer_emptied_before_sending_is_no_answer(household: Client, case: SurveyCase) -> None:
    type(case.household).objects.update(mobile="", email="")
    answer_everything(household)
    household.post("/questions/household/0/", {**HOUSEHOLD, "household-phone": ""})
    put_off_pieces(household, 1, 2)

    send(household)

    assert ("household.phone", 0) not in declared(case)
    assert declared(case)["household.email", 0] == "foyer@exemple.example"


def test_a_putting_off_lets_the_rest_go_and_asks_for_what_is_missing(household: Client, case: SurveyCase) -> None:
    answer_everything(household)
    put_off_pieces(household, 1, 2)

    send(household)

    case.refresh_from_db()
    assert case.state == "incomplete"
    page = household.get("/suivi-du-dossier/").content.decode()
    assert "Il manque encore" in page
    assert "avis d&#x27;impôt" in page


def test_a_newcomer_is_added_counts_and_can_be_taken_back(household: Client, case: SurveyCase) -> None:
    child = {
        "occupant-last_name": "Élodée",
        "occupant-first_name": "Anaïs",
        "occupant-birth_date_day": "5",
        "occupant-birth_date_month": "9",
        "occupant-birth_date_year": "2026",
        "occupant-link": "child",
    }
    added = household.post(household.get("/personnes/occupants/ajouter/")["Location"], child)

    assert added.status_code == 302
    assert "suite=1" in added["Location"], "a child calls for one more question"
    more = household.get(added["Location"]).content.decode()
    assert "Votre réponse appelle une précision" in more
    assert household.post(added["Location"], {**child, "occupant-dependant": "oui"}).status_code == 302
    assert "Anaïs" in household.get("/personnes/occupants/").content.decode()
    assert ("birth_certificate", 4) in [
        (piece.document.key, piece.row) for piece in household.get("/pieces/").context["pieces"]
    ]

    assert household.post("/personnes/occupants/4/retirer/").status_code == 302
    assert "Anaïs" not in household.get("/personnes/occupants/").content.decode()


def test_pressing_twice_adds_one_person(household: Client) -> None:
    address = household.get("/personnes/occupants/ajouter/")["Location"]
    child = {
        "occupant-last_name": "Élodée",
        "occupant-first_name": "Anaïs",
        "occupant-birth_date_day": "5",
        "occupant-birth_date_month": "9",
        "occupant-birth_date_year": "2026",
        "occupant-link": "child",
    }

    for _ in range(2):
        household.post(address, child)

    assert household.get("/personnes/occupants/").content.decode().count("person__name") == 4
    assert household.get("/personnes/occupants/9/").status_code == 404


def test_a_piece_of_somebody_taken_back_is_not_sent(household: Client, case: SurveyCase) -> None:
    answer_everything(household)
    mother = {
        "occupant-last_name": "Nguyễn",
        "occupant-first_name": "Thị Hoa",
        "occupant-birth_date_day": "5",
        "occupant-birth_date_month": "9",
        "occupant-birth_date_year": "1950",
        "occupant-link": "ascendant",
    }
    household.post("/personnes/occupants/4/", mother)
    assert upload(household, "identity", 4, ("carte.jpg", photo("blue"))).status_code == 302
    household.post("/personnes/occupants/4/retirer/")
    put_off_pieces(household, 1, 2)

    assert send(household).status_code == 302
    assert not case.documents.exists()


def test_a_complement_without_anything_new_is_not_sent(household: Client, case: SurveyCase) -> None:
    answer_everything(household)
    put_off_pieces(household, 1, 2)
    send(household)
    honour = household.get("/completer/").context["honour"]

    page = household.post("/completer/", {"honour": "on", "submission": honour["submission"].value()})

    assert "Ajoutez au moins une pièce" in page.content.decode()
    assert SurveyReturn.objects.filter(case=case).count() == 1


def test_a_form_that_came_incomplete_on_paper_is_completed_on_line(
    client: Client, case: SurveyCase, present: Any
) -> None:
    SurveyCase.objects.filter(pk=case.pk).update(state="incomplete", channel="paper")
    client.post(f"/a/{access_codes.issue_link(case=case, wave='complement-1', now=present)}")

    page = client.get("/completer/")
    wrong = client.post("/completer/", {"r0-household-size": "trois"}).content.decode()
    key = page.context["honour"]["submission"].value()
    sent = client.post("/completer/", {"r0-household-size": "3", "honour": "on", "submission": key})

    assert [row for _, row, _ in page.context["forms"]] == [0, 1, 2]
    assert "Écrivez un nombre entier" in wrong
    assert sent["Location"] == "/suivi-du-dossier/"
    assert declared(case) == {("household.size", 0): 3}
    case.refresh_from_db()
    assert case.state == "incomplete"


def test_a_newcomer_sent_is_declared(household: Client, case: SurveyCase) -> None:
    answer_everything(household)
    mother = {
        "occupant-last_name": "Nguyễn",
        "occupant-first_name": "Thị Hoa",
        "occupant-birth_date_day": "5",
        "occupant-birth_date_month": "9",
        "occupant-birth_date_year": "1950",
        "occupant-link": "ascendant",
        "occupant-status": "widowed",
        "occupant-activity": "retired",
    }
    location = household.post(household.get("/personnes/occupants/ajouter/")["Location"], mother)["Location"]
    household.post(location, mother)
    household.post("/questions/resources/4/", {"occupant-tax_reference_income": "0"})
    for piece in household.get("/pieces/").context["unsettled"]:
        household.post(f"/pieces/{piece.document.key}/{piece.row}/", {"action": "later"})

    assert send(household).status_code == 302
    answers = declared(case)
    assert answers["occupant.last_name", 4] == "Nguyễn"
    assert answers["occupant.tax_reference_income", 4] == 0


def test_a_departure_removes_the_person_from_incomes_and_pieces(household: Client, case: SurveyCase) -> None:
    wrong = household.post("/personnes/occupants/2/depart/", {"occupant-left_reason": "separation"})
    assert wrong.status_code == 200
    assert "Indiquez cette date" in wrong.content.decode()

    gone = {
        "occupant-left_on_day": "1",
        "occupant-left_on_month": "6",
        "occupant-left_on_year": "2026",
        "occupant-left_reason": "separation",
    }
    assert household.post("/personnes/occupants/2/depart/", gone).status_code == 302

    assert "Ne vit plus ici" in household.get("/personnes/occupants/").content.decode()
    assert household.get("/questions/resources/2/").status_code == 404
    pieces = [(piece.document.key, piece.row) for piece in household.get("/pieces/").context["pieces"]]
    assert pieces == [("tax_notice", 1), ("separation_proof", 0)]

    assert household.post("/personnes/occupants/2/toujours-la/").status_code == 302
    assert household.get("/questions/resources/2/").status_code == 200


def test_a_departure_before_moving_in_is_asked_about_once_and_then_believed(
    household: Client, case: SurveyCase
) -> None:
    Household.objects.filter(case=case).update(move_in_on=dt.date(2019, 5, 1))
    url = "/personnes/occupants/2/depart/"
    left = {"occupant-left_on_day": "15", "occupant-left_on_month": "6", "occupant-left_reason": "departure"}
    early, later = left | {"occupant-left_on_year": "2014"}, left | {"occupant-left_on_year": "2015"}

    page = household.post(url, early)
    assert page.status_code == 200
    assert "entrée dans le logement (01/05/2019)" in page.content.decode()
    assert 'value="2014-06-15"' in page.content.decode()
    # another day is another question
    assert household.post(url, later | {"occupant-left_on-sure": "2014-06-15"}).status_code == 200
    assert household.post(url, later | {"occupant-left_on-sure": "2015-06-15"}).status_code == 302

    assert "Ne vit plus ici" in household.get("/personnes/occupants/").content.decode()


def test_a_correction_is_kept_and_shown_on_the_check_page(household: Client) -> None:
    page = household.get("/personnes/occupants/1/")
    form = page.context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value()}
    born = form["occupant-birth_date"].value().split("/")
    data |= {f"occupant-birth_date_{part}": told for part, told in zip(("day", "month", "year"), born, strict=True)}
    data["occupant-last_name"] = "Martin"

    assert household.post("/personnes/occupants/1/?retour=verifier", data).status_code == 302
    assert "Inès Martin" in household.get("/verifier/").content.decode()


def test_a_mistake_keeps_what_was_written_and_says_so_twice(household: Client) -> None:
    page = household.post("/questions/household/0/", {**HOUSEHOLD, "household-size": "douze"})

    text = page.content.decode()
    assert page.status_code == 200
    assert "<title>Erreur" in text
    assert text.count("Écrivez un nombre entier") == 2
    assert 'value="douze"' in text
    assert 'href="#id_household-size"' in text


def test_the_couple_s_shared_notice_is_copied(household: Client) -> None:
    household.post(
        "/questions/resources/1/",
        {"occupant-tax_reference_income": "21450", "occupant-notice_reference": "1234567890123"},
    )
    assert "Reprendre les chiffres donnés pour Inès Élodée" in household.get("/questions/resources/2/").content.decode()

    household.post("/questions/resources/2/", {"copy": "1"})

    form = household.get("/questions/resources/2/").context["form"]
    assert form["occupant-notice_reference"].value() == "1234567890123"


def test_pressing_twice_sends_once(household: Client, case: SurveyCase) -> None:
    answer_everything(household)
    put_off_pieces(household, 1, 2)
    key = household.get("/verifier/").context["form"]["submission"].value()

    for _ in range(3):
        answer = household.post("/verifier/", {"honour": "on", "submission": key})
        assert answer["Location"] == "/suivi-du-dossier/"

    assert SurveyReturn.objects.filter(case=case).count() == 1


def test_sending_asks_for_the_declaration_on_honour(household: Client, case: SurveyCase) -> None:
    answer_everything(household)
    put_off_pieces(household, 1, 2)

    page = send(household, honour="")

    assert "elle remplace votre signature" in page.content.decode()
    assert not SurveyReturn.objects.filter(case=case).exists()


def test_a_page_older_than_the_case_is_not_sent(household: Client, case: SurveyCase) -> None:
    answer_everything(household)
    put_off_pieces(household, 1, 2)

    page = send(household, submission="0" * 48)

    assert "plus à jour" in page.content.decode()
    assert not SurveyReturn.objects.filter(case=case).exists()


def test_nothing_leaves_before_everything_is_answered(household: Client, case: SurveyCase) -> None:
    household.post("/questions/household/0/", HOUSEHOLD)

    page = send(household)

    assert "Il reste quelque chose à faire" in page.content.decode()
    assert not SurveyReturn.objects.filter(case=case).exists()


def test_another_device_finds_the_answers(household: Client, case: SurveyCase, code: str) -> None:
    household.post("/questions/household/0/", {**HOUSEHOLD, "household-phone": "02 47 11 22 33"})

    other = Client()
    other.post("/", {"reference": case.reference, "code": code})

    assert other.get("/questions/household/0/").context["form"]["household-phone"].value() == "02 47 11 22 33"


def test_the_complement_s_link_shows_only_what_is_missing_and_takes_it(
    household: Client, case: SurveyCase, present: Any
) -> None:
    answer_everything(household)
    upload(household, "tax_notice", 1, ("avis.jpg", photo()))
    put_off_pieces(household, *_still_expected(household))
    send(household)
    case.refresh_from_db()
    assert case.state == "incomplete"
    token = access_codes.issue_link(case=case, wave="complement-1", now=present)

    client = Client()
    landing = client.post(f"/a/{token}")
    page = client.get("/completer/")

    assert landing["Location"] == "/completer/"
    assert [(piece.document.key, piece.row) for piece in page.context["pieces"]] == [("tax_notice", 2)]
    assert page.context["forms"] == []
    assert client.get("/etapes/")["Location"] == "/completer/"
    assert upload(client, "tax_notice", 2, ("avis2.jpg", photo("grey"))).status_code == 302
    honour = client.get("/completer/").context["honour"]
    assert client.post("/completer/", {"honour": "on", "submission": honour["submission"].value()}).status_code == 302
    case.refresh_from_db()
    assert case.state == "complete"
    assert SurveyReturn.objects.filter(case=case).count() == 2


def test_no_address_names_the_case(household: Client, case: SurveyCase) -> None:
    for page in ("/bienvenue/", "/etapes/", "/personnes/occupants/", "/pieces/"):
        addresses = re.findall(r'(?:href|action|src)="([^"]*)"', household.get(page).content.decode())

        assert addresses
        assert not [address for address in addresses if case.reference in address]

"""What one page says of a case, to the landlord and to an agent."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from lxml import html
from PIL import Image

from returns.models import SupportingDocument
from tenants.case_states import LABELS, MOVES, Move, State
from tenants.history import told
from tenants.models import SurveyCase
from tests.factories.returns import DocumentFactory, PageFactory, ReadingFactory
from tracking import sentences, wording
from tracking.case_page import SAID

pytestmark = pytest.mark.django_db


def main(client: Client, case: SurveyCase) -> str:
    """What is read on the case's page."""
    response = client.get(reverse("tracking:case", args=[case.reference]))
    assert response.status_code == 200
    return " ".join(html.document_fromstring(response.content.decode()).xpath("//main")[0].text_content().split())


def jpeg() -> ContentFile:
    """A white A4 sheet at 50 dpi."""
    stream = io.BytesIO()
    Image.new("L", (413, 585), 255).save(stream, "JPEG")
    return ContentFile(stream.getvalue(), name="page.jpg")


def test_the_page_tells_who_what_came_and_what_is_missing(as_landlord: Client, answered_case: SurveyCase) -> None:
    answered_case.tell("receive", now=answered_case.received_at, data={"channel": "paper", "receipt": "27-X-1"})

    shown = main(as_landlord, answered_case)

    assert "Mme Inès ÉLODÉE" in shown
    assert "La réponse est arrivée le mardi 20 octobre 2026" in shown
    assert "Ce qui manque" in shown
    assert "Avis d'impôt 2026" in shown
    assert "23 456 €" in shown
    assert "En ligne" in shown
    assert "Formulaire d'enquête Courrier, envoyé le lundi 12 octobre 2026" in shown
    assert "Réponse reçue mardi 20 octobre 2026, 10:00 courrier, reçu n° 27-X-1" in shown


def test_an_agent_reads_the_words_to_say_and_no_income(as_agent: Client, answered_case: SurveyCase) -> None:
    SurveyCase.objects.filter(pk=answered_case.pk).update(state="incomplete")
    PageFactory(survey_return=answered_case.returns.get(), image=jpeg())

    shown = main(as_agent, answered_case)

    assert "À dire au locataire" in shown
    assert "Nous avons bien reçu votre réponse le mardi 20 octobre 2026. Il nous manque encore :" in shown
    assert "23 456" not in shown
    assert SAID in shown
    assert "Pages numérisées" not in shown


def test_a_change_of_what_the_landlord_knew_is_marked(as_landlord: Client, answered_case: SurveyCase) -> None:
    declaration = answered_case.declaration
    declaration.record("occupant.first_name", 1, "Agnès", source="reading", confidence=0.87)
    declaration.save()

    assert "Prénom Inès Agnès modifié Lecture automatique, sûre à 87,0 %" in main(as_landlord, answered_case)


def test_a_case_nobody_answered_asks_for_nothing(as_landlord: Client, make_case) -> None:
    shown = main(as_landlord, make_case("sent"))

    assert "aucune réponse n’est arrivée" in shown
    assert "Ce qui manque" not in shown


def test_a_case_before_its_form_is_still_shown(as_landlord: Client, make_case, field) -> None:
    case = make_case("prepared")
    field.revisions.all().delete()

    assert "Aucune réponse pour l’instant" in main(as_landlord, case)


def test_pieces_are_told_expected_received_and_refused(as_landlord: Client, answered_case: SurveyCase) -> None:
    DocumentFactory(case=answered_case, kind="identity", state=SupportingDocument.State.REFUSED, explanation="Floue.")
    DocumentFactory(case=answered_case, kind="", row=0)

    shown = main(as_landlord, answered_case)

    assert "À recevoir" in shown
    assert "Floue. Refusée" in shown
    assert "Pièce à identifier" in shown


def test_a_scan_is_shown_flat_with_what_was_read_on_it(as_landlord: Client, answered_case: SurveyCase) -> None:
    scale = 413 / 210
    page = PageFactory(
        survey_return=answered_case.returns.get(), image=jpeg(), matrix=[scale, 0, 0, 0, scale, 0, 0, 0, 1]
    )
    ReadingFactory(page=page, survey_return=page.survey_return, box=[10, 20, 30, 8])
    ReadingFactory(page=page, survey_return=page.survey_return, field="other", box=[10, 40, 30, 8], accepted=False)

    shown = as_landlord.get(reverse("tracking:case", args=[answered_case.reference])).content.decode()
    picture = as_landlord.get(reverse("tracking:page_image", args=[answered_case.reference, page.pk]))

    assert 'x="10.00" y="20.00" width="30.00" height="8.00"' in shown
    assert shown.count("sheet__zone--doubt") == 1
    assert Image.open(io.BytesIO(picture.content)).size == (1260, 1782)


def test_a_page_whose_picture_is_lost_is_not_found(as_landlord: Client, answered_case: SurveyCase) -> None:
    page = PageFactory(survey_return=answered_case.returns.get(), image=ContentFile(b"no picture", name="p.jpg"))

    assert as_landlord.get(reverse("tracking:page_image", args=[answered_case.reference, page.pk])).status_code == 404


@pytest.mark.parametrize(
    ("media_type", "told", "placing"),
    [
        ("image/png", "image/png", "inline"),
        ("application/pdf", "application/pdf", "attachment"),
        ("text/html", "application/octet-stream", "attachment"),
    ],
)
def test_only_pictures_open_in_the_browser(as_landlord, answered_case, media_type, told, placing) -> None:
    piece = DocumentFactory(case=answered_case, media_type=media_type)

    response = as_landlord.get(reverse("tracking:document", args=[answered_case.reference, piece.pk]))

    assert response["Content-Type"] == told
    assert response["Content-Disposition"].startswith(placing)


# --- Words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_each_state_has_its_sentences(make_case, state: State) -> None:
    case = make_case(state.value)

    assert sentences.standing(case, []).endswith(".")
    assert all(sentence[-1] in ".:" for sentence in sentences.to_say(case, []))
    assert state in LABELS


@pytest.mark.parametrize("move", list(Move))
def test_each_move_is_told_in_french(make_case, now, move: Move) -> None:
    line = told(make_case("sent").tell(move.value, now=now))

    assert (line.title, line.strong) == (MOVES[move].label, True)


def test_an_event_nobody_named_is_a_note_and_says_no_value(make_case, now) -> None:
    event = make_case("sent").tell("something_new", now=now, data={"income": 23456})

    assert (told(event).title, told(event).text) == ("Note au dossier", "")


def test_days_numbers_and_rates_are_french() -> None:
    assert wording.in_full(dt.date(2026, 3, 3)) == "mardi 3 mars 2026"
    assert wording.in_full(dt.date(2026, 3, 1)) == "dimanche 1er mars 2026"
    assert wording.moment(dt.datetime(2026, 3, 2, 23, 5, tzinfo=dt.UTC)) == "mardi 3 mars 2026 à 0\u00a0h\u00a005"
    assert wording.number(12_045) == "12\u202f045"
    assert wording.rate(0.62449) == "62,4\u00a0%"
    assert wording.rate(None) == "—"
    assert wording.plural(0, "dossier", "dossiers") == "0\u00a0dossier"
    assert wording.plural(2, "dossier", "dossiers") == "2\u00a0dossiers"
    assert wording.capital("relance par SMS") == "Relance par SMS"

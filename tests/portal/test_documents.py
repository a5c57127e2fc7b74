"""The documents page: the form and the letters that were sent, as accessible PDFs, and nobody else's."""

from __future__ import annotations

import datetime as dt
import io

import pdfua
import pypdfium2
import pytest
import zxingcpp
from django.test import Client

from campaigns.models import Campaign
from campaigns.paper_form import page_code
from returns.models import ComplementRequest
from tenants.dispatch import compose_forms, compose_letters
from tenants.messaging import queue, render
from tenants.models import Message, Purpose, SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import CaseFactory
from tests.tenants.printing import NOW, approve

pytestmark = pytest.mark.django_db
LATER = dt.datetime(2026, 11, 2, 8, 0, tzinfo=dt.UTC)


@pytest.fixture
def field_campaign(settings, tmp_path) -> Campaign:
    """A campaign whose forms are printed."""
    settings.MEDIA_ROOT = tmp_path / "media"
    campaign = CampaignFactory()
    CaseFactory(campaign=campaign, household__occupants=2)
    CaseFactory(campaign=campaign, household__large_print=True)
    approve(campaign)
    compose_forms(campaign=campaign, now=NOW)
    return campaign


@pytest.fixture
def case(field_campaign: Campaign) -> SurveyCase:
    """The household in ordinary print, reminded by post."""
    case = SurveyCase.objects.for_letters().filter(household__large_print=False).get()
    text = render(case=case, channel="letter", purpose=Purpose.REMINDER_LETTER, on=LATER.date())
    queue(
        case=case,
        channel="letter",
        purpose=Purpose.REMINDER_LETTER,
        wave="r",
        recipient="x",
        subject=text.subject,
        body=text.body,
        now=LATER,
    )
    compose_letters(campaign=field_campaign, purpose=Purpose.REMINDER_LETTER, now=LATER)
    Message.objects.filter(case=case).update(state=Message.State.SENT, sent_at=LATER)
    return case


def pdf_of(answer) -> bytes:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    return answer.content


def findings(content: bytes, tmp_path) -> tuple[object, ...]:
    path = tmp_path / "copy.pdf"
    path.write_bytes(content)
    return pdfua.validate(str(path)).findings


def test_the_form_comes_back_with_its_page_codes_and_is_accessible(
    household: Client, case: SurveyCase, tmp_path
) -> None:
    content = pdf_of(household.get("/documents/questionnaire.pdf"))

    printed = Message.objects.get(case=case, purpose=Purpose.FORM).proof["layout"]
    document = pypdfium2.PdfDocument(io.BytesIO(content))
    told = zxingcpp.read_barcodes(document[1].render(scale=200 / 72, grayscale=True).to_numpy().squeeze())
    document.close()
    assert page_code.PageCode(case.reference, 2, printed) in {
        page_code.parse(each.text) for each in told if each.text.startswith("F1-")
    }
    assert findings(content, tmp_path) == ()


def test_a_letter_comes_back_without_its_code(household: Client, case: SurveyCase, tmp_path) -> None:
    page = household.get("/documents/").content.decode()
    content = pdf_of(household.get("/documents/courrier-1.pdf"))

    document = pypdfium2.PdfDocument(io.BytesIO(content))
    text = document[0].get_textpage().get_text_range()
    document.close()
    assert "courrier-1.pdf" in page
    assert case.reference in text
    assert "code d" not in text.split("Répondez en ligne")[-1] or "Répondez en ligne" not in text
    assert findings(content, tmp_path) == ()


def test_a_letter_that_was_not_sent_is_not_found(household: Client) -> None:
    assert household.get("/documents/courrier-2.pdf").status_code == 404
    assert household.get("/documents/courrier-0.pdf").status_code == 404


@pytest.mark.parametrize("address", ["/documents/", "/documents/questionnaire.pdf", "/documents/courrier-1.pdf"])
def test_without_a_code_nothing_is_shown(client: Client, case: SurveyCase, address: str) -> None:
    assert client.get(address).status_code == 302


def test_the_household_asks_for_large_print_itself(household: Client, case: SurveyCase) -> None:
    page = household.post("/documents/gros-caracteres/", {"print": "large"}, follow=True).content.decode()

    case.household.refresh_from_db()
    assert case.household.large_print
    assert "vos prochains courriers seront imprimés en gros caractères" in page
    assert case.events.get(kind="large_print").actor is None
    household.post("/documents/gros-caracteres/", {"print": "ordinary"})
    case.household.refresh_from_db()
    assert not case.household.large_print


def test_a_request_told_by_email_is_read_as_a_letter_behind_the_portal(
    household: Client, case: SurveyCase, tmp_path
) -> None:
    item = {"sentence": "Il manque l'avis d'impôt de Loïc.", "how": "Envoyez-en une copie.", "key": "k"}
    ComplementRequest.objects.create(case=case, number=1, items=[item], due_on=dt.date(2026, 12, 1), asked_at=LATER)
    words = {"case": case, "purpose": Purpose.COMPLEMENT, "on": LATER.date(), "due_on": dt.date(2026, 12, 1)}
    text = render(channel="email", items=[item], **words)
    told = {"case": case, "purpose": Purpose.COMPLEMENT, "wave": "complement-1", "subject": text.subject}
    later = LATER + dt.timedelta(days=1)
    message = queue(channel="email", recipient="a@exemple.fr", body=text.body, now=later, data={"number": 1}, **told)
    Message.objects.filter(pk=message.pk).update(state=Message.State.SENT, sent_at=later)

    content = pdf_of(household.get("/documents/courrier-2.pdf"))

    assert "« Vos documents »" in text.body
    assert not message.document
    document = pypdfium2.PdfDocument(io.BytesIO(content))
    first = document[0].get_textpage().get_text_range().replace("\u00a0", " ")
    sheet = zxingcpp.read_barcodes(document[1].render(scale=200 / 72, grayscale=True).to_numpy().squeeze())
    document.close()
    assert "avis d’impôt de Loïc" in first.replace("'", "’")
    assert "1er décembre 2026" in first
    assert [page_code.parse(each.text).request for each in sheet] == [1]
    assert findings(content, tmp_path) == ()


def test_what_was_told_by_sms_is_named_and_read_as_a_letter(household: Client, case: SurveyCase) -> None:
    told = {"case": case, "channel": "sms", "purpose": Purpose.REMINDER_DIGITAL, "wave": "s", "subject": ""}
    message = queue(recipient="06 39 98 00 12", body="Bonjour", now=LATER, **told)
    Message.objects.filter(pk=message.pk).update(state=Message.State.SENT, sent_at=LATER + dt.timedelta(days=1))

    page = household.get("/documents/").content.decode()

    assert "Relance par e-mail ou SMS, le" in page
    assert pdf_of(household.get("/documents/courrier-2.pdf")).startswith(b"%PDF")

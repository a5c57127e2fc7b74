"""Operators at work in a real browser: a whole dossier without a mouse, every screen quiet and legible."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.base import ContentFile
from playwright.sync_api import Page, expect

from campaigns.models import Campaign
from campaigns.paper_form.page_code import PageCode
from returns.models import KeyingEntry, KeyingTask
from returns.models import Page as SheetPage
from tests.factories.campaigns import PASSWORD, CampaignFactory, UserFactory
from tests.factories.keying import INCOME, SIZE, case_of, form_sheet, handwritten_return
from tests.factories.returns import PageFactory, ScanBatchFactory
from tests.journeys.conftest import DESK, PHONE

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
SERIOUS = {"serious", "critical"}
SMALL_DESK = {"width": 1024, "height": 768}
WRITTEN = [
    (SIZE, 0, "3"),  # one field to key after the other, in the order of the pages
    ("household.email", 0, "ines@exemple.fr"),
    ("occupant.last_name", 2, "DURAND"),
    (INCOME, 1, "21500"),
]


@pytest.fixture
def campaign() -> Campaign:
    """A rehearsal in the field, every field keyed once."""
    return CampaignFactory(stage=Campaign.Stage.FIELD, double_keying=False, rehearsal=True)


def signed_in(page: Page, live_server: Any, username: str, path: str = "/saisie/") -> Page:
    """Sign in by keyboard, then go there."""
    page.fill("#id_username", username)
    page.fill("#id_password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.goto(f"{live_server.url}{path}")
    return page


def judged(page: Page) -> Page:
    """What axe finds serious, and whether the page scrolls sideways or shows a broken picture."""
    page.wait_for_load_state("networkidle")
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["help"]) for each in found if each["impact"] in SERIOUS] == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert page.evaluate("[...document.images].every(i => i.loading === 'lazy' || i.naturalWidth > 0)")
    return page


def key(page: Page, pressed: str, *, typed: str = "") -> None:
    """Type, then press the key that leads to another page."""
    page.keyboard.type(typed)
    with page.expect_navigation():
        page.keyboard.press(pressed)


def swap(page: Page, pressed: str, *, typed: str = "") -> None:
    """Type, then press the key that brings the next field in the place of this one, without leaving the page."""
    before = page.locator("#entry").get_attribute("action")
    page.keyboard.type(typed)
    page.keyboard.press(pressed)
    expect(page.locator("#entry")).not_to_have_attribute("action", before or "")
    expect(page.locator("#text")).to_be_focused()


@pytest.mark.parametrize("viewport", [DESK, SMALL_DESK], ids=["1440", "1024"])
def test_a_dossier_is_keyed_without_a_mouse(
    live_server: Any, open_page: OpenPage, campaign: Campaign, viewport: dict[str, int]
) -> None:
    survey_return = handwritten_return(campaign, WRITTEN)
    operator = UserFactory(keying=True)
    page = open_page(f"{live_server.url}/saisie/", viewport=viewport, bypass_csp=True)
    judged(signed_in(page, live_server, operator.username))
    page.focus("a:has-text('Commencer')")
    key(page, "Enter")

    swap(judged(page), "Enter", typed="2")
    key(page, "Control+z")
    assert page.locator("#text").input_value() == ""
    page.keyboard.type("33")
    page.keyboard.press("Enter")
    expect(page.locator("[role=alert]")).to_contain_text("ne peut pas dépasser 30")
    judged(page).keyboard.press("Escape")
    swap(page, "Enter", typed="3")
    page.keyboard.type("ines@or")
    page.keyboard.press("Tab")
    expect(page.locator("#text")).to_have_value("ines@orange.fr")
    swap(judged(page), "Enter")
    page.keyboard.press("F3")
    expect(page.locator(".keying__frame")).to_have_attribute("data-zoom", "1.5")
    page.keyboard.press("F6")
    key(page, "Enter", typed="adresse coupée")
    page.keyboard.type("21 500")
    page.keyboard.press("F2")
    assert page.locator("#page").evaluate("node => node.open")
    page.evaluate("() => Promise.all([...document.images].map(image => image.decode()))")
    key(judged(page), "Enter")

    values = list(KeyingEntry.objects.order_by("pk").values_list("value", "illegible"))
    assert values == [(3, False), ("ines@orange.fr", False), (21500, False)]
    assert KeyingTask.objects.get(state="referred").note == "adresse coupée"
    assert KeyingEntry.objects.filter(milliseconds=0).count() == 0
    assert case_of(survey_return).state == "received"


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["1440", "390"])
def test_one_question_over_many_dossiers_then_the_supervisor(
    live_server: Any, open_page: OpenPage, campaign: Campaign, viewport: dict[str, int]
) -> None:
    for _ in range(2):
        handwritten_return(campaign, WRITTEN[:3])
    page = open_page(f"{live_server.url}/saisie/", viewport=viewport, bypass_csp=True)
    signed_in(page, live_server, UserFactory(keying=True).username)
    page.focus(".keying-questions a:text-is('Nom')")
    key(page, "Enter")
    page.keyboard.type("b")
    expect(page.locator("#suggestions")).to_be_hidden()
    page.keyboard.press("Escape")
    swap(judged(page), "F4")
    key(page, "F8")
    expect(judged(page).locator("h1")).to_have_text("Tout ce qui a été lu")
    key(page, "Enter")
    page.keyboard.press("F6")
    key(page, "Enter", typed="deux noms")
    assert KeyingTask.objects.filter(field="occupant.last_name", state="done").count() == 1

    manager = open_page(f"{live_server.url}/saisie/", viewport=viewport, bypass_csp=True)
    signed_in(manager, live_server, UserFactory().username, "/saisie/superviseur/")
    expect(judged(manager).locator("tbody tr")).to_have_count(1)
    manager.focus("a:has-text('Traiter')")
    key(manager, "Enter")
    judged(manager).keyboard.press("F6")
    key(manager, "Enter", typed="gardez le second")
    assert KeyingTask.objects.get(field="occupant.last_name", state="open").reply == "gardez le second"
    for address in (f"qualite/{campaign.pk}/", "operateurs/"):
        manager.goto(f"{live_server.url}/saisie/{address}")
        judged(manager)


def test_the_desk_places_a_sheet_and_names_a_piece(live_server: Any, open_page: OpenPage, campaign: Campaign) -> None:
    survey_return = handwritten_return(campaign, WRITTEN[:1])
    case, variant = case_of(survey_return), campaign.revisions.get().layouts.get()
    batch = ScanBatchFactory(campaign=campaign)
    for index in (3, 4):
        image = form_sheet(variant.layout, case.reference, 2 if index == 3 else 1)
        PageFactory(
            survey_return=None,
            batch=batch,
            index=index,
            state="unmatched",
            digest=f"empreinte {index}",
            image=ContentFile(image, name="p.jpg"),
        )
    code = PageCode(case=case.reference, page=2, layout=variant.fingerprint)
    page = open_page(f"{live_server.url}/saisie/", viewport=SMALL_DESK, bypass_csp=True)
    judged(signed_in(page, live_server, UserFactory(keying=True).username, "/saisie/rapprochement/"))
    page.focus("a:has-text('Traiter')")
    key(page, "Enter")
    page.keyboard.type("F1-")
    page.keyboard.press("F9")
    expect(page.locator("#paper")).to_have_attribute("src", re.compile(r"sens=270"))
    expect(page.locator("#typed")).to_have_value("F1-")  # turning leaves what is being typed
    page.fill("#typed", "")
    key(judged(page), "Enter", typed=str(code)[:-1])
    assert "code de page" in judged(page).locator("[role=alert]").inner_text()
    page.fill("#typed", str(code).lower())
    key(page, "Enter")

    page.fill("#typed", case.reference)
    with page.expect_navigation():
        page.click("text=C’est une pièce du dossier")
    judged(page).check("[name=nature] >> nth=0")
    with page.expect_navigation():
        page.click("text=Enregistrer")

    assert judged(page).url.endswith("/saisie/pieces/")
    assert case.documents.get().kind == "tax_notice"
    assert SheetPage.objects.filter(batch=batch).values_list("state", flat=True).order_by("index")[0] == "matched"
    assert KeyingTask.objects.filter(reason="feuille lue par une personne").exists()

"""A household answers on its phone, in a real browser: each page legible and quiet, without scripts too."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page

from campaigns.models import Campaign
from tenants import access_codes
from tenants.models import SurveyCase
from tests.factories.campaigns import CampaignFactory, RevisionFactory
from tests.factories.tenants import CaseFactory
from tests.journeys.conftest import DESK, PHONE

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
SERIOUS = {"serious", "critical"}
CODE = "ABCD-2345-EFGH"


@pytest.fixture
def case() -> SurveyCase:
    """Two adults and a child, whose form was sent and who have months to answer."""
    today = timezone.localdate()
    campaign = CampaignFactory(
        stage=Campaign.Stage.FIELD,
        opens_on=today - dt.timedelta(days=10),
        reply_by=today + dt.timedelta(days=20),
        closes_on=today + dt.timedelta(days=60),
    )
    RevisionFactory(campaign=campaign)
    return CaseFactory(campaign=campaign, sent=True)


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    """The photo of a tax notice."""
    out = io.BytesIO()
    Image.new("RGB", (900, 1200), "beige").save(out, "JPEG")
    path = tmp_path / "avis.jpg"
    path.write_bytes(out.getvalue())
    return path


def judged(page: Page, faults: list[str]) -> Page:
    """Note what axe finds serious on this page, and whether it scrolls sideways."""
    page.wait_for_load_state()
    found = Axe().run(page).response["violations"]
    faults += [f"{page.url} {each['id']}: {each['help']}" for each in found if each["impact"] in SERIOUS]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append(f"{page.url} scrolls sideways")
    return page


def press(page: Page, label: str) -> None:
    """Press the main button of a page and wait for the next one."""
    with page.expect_navigation():
        page.locator(".button", has_text=label).last.click()


def come_in(page: Page, case: SurveyCase) -> None:
    """Type the pair of the letter, badly spaced."""
    code = access_codes.issue_typed(case=case, wave="dispatch", now=timezone.now())
    page.fill("#id_reference", case.reference.lower())
    page.fill("#id_code", code.lower().replace("-", " "))
    press(page, "Entrer")


def fill_incomes(page: Page, *incomes: str, faults: list[str]) -> None:
    """One page per adult."""
    for income in incomes:
        judged(page, faults).fill("#id_occupant-tax_reference_income", income)
        press(page, "Enregistrer et continuer")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_household_answers_from_its_letter_to_its_receipt(
    live_server: Any, open_page: OpenPage, case: SurveyCase, notice: Path, viewport: dict[str, int]
) -> None:
    faults: list[str] = []
    page = judged(open_page(f"{live_server.url}/", viewport=viewport, bypass_csp=True), faults)
    page.fill("#id_reference", case.reference)
    page.fill("#id_code", CODE)
    press(page, "Entrer")
    assert page.evaluate("document.activeElement.classList.contains('error-summary')")
    judged(page, faults)
    come_in(page, case)

    press(judged(page, faults), "Commencer")
    press(judged(page, faults), "Commencer")
    judged(page, faults).fill("#id_household-size", "3")
    press(page, "Enregistrer et continuer")
    press(judged(page, faults), "Rien n’a changé, continuer")
    fill_incomes(page, "21 450", "18300", faults=faults)
    press(judged(page, faults), "Enregistrer et continuer")
    press(judged(page, faults), "Joindre la première pièce")
    page.set_input_files("#fichiers", notice)
    page.wait_for_selector(".file")
    press(judged(page, faults), "Continuer")
    press(judged(page, faults), "Joindre la première pièce")
    press(judged(page, faults), "Je n’ai pas ce document maintenant")
    press(page, "Continuer")
    judged(page, faults).check("#id_honour")
    press(page, "Envoyer ma réponse")
    judged(page, faults)

    assert page.url.endswith("/suivi-du-dossier/")
    case.refresh_from_db()
    assert case.state == "incomplete"
    page.click("text=Compléter maintenant")
    assert "Loïc Élodée" in judged(page, faults).inner_text(".tasks")
    assert faults == []


def test_the_pages_beside_the_way_are_as_legible(live_server: Any, open_page: OpenPage, case: SurveyCase) -> None:
    faults: list[str] = []
    token = access_codes.issue_link(case=case, wave="dispatch", now=timezone.now())
    page = judged(open_page(f"{live_server.url}/a/{token}", viewport=PHONE, bypass_csp=True), faults)
    press(page, "Ouvrir mon dossier")

    for address in (
        "personnes/occupants/1",
        "personnes/occupants/3/depart",
        "personnes/occupants/ajouter",
        "aide",
        "authenticite",
        "donnees-personnelles",
        "mentions-legales",
        "accessibilite",
    ):
        page.goto(f"{live_server.url}/{address}/")
        judged(page, faults)

    assert faults == []


def test_the_same_way_works_without_scripts_under_the_strict_policy(
    live_server: Any, open_page: OpenPage, case: SurveyCase, notice: Path
) -> None:
    page = open_page(f"{live_server.url}/", viewport=PHONE, javascript=False)
    come_in(page, case)
    page.goto(f"{live_server.url}/pieces/tax_notice/1/")
    page.set_input_files("#fichiers", notice)
    press(page, "Ajouter")

    assert page.locator(".file").count() == 1
    page.goto(f"{live_server.url}/personnes/occupants/")
    press(page, "Rien n’a changé, continuer")
    assert page.url.endswith("/questions/household/0/")


def test_no_page_offends_the_strict_policy(live_server: Any, open_page: OpenPage, case: SurveyCase) -> None:
    """`open_page` fails the test on any line in the console: a refused style or script writes one."""
    page = open_page(f"{live_server.url}/", viewport=PHONE)
    come_in(page, case)

    for address in (
        "bienvenue",
        "etapes",
        "questions/household/0",
        "personnes/occupants",
        "pieces",
        "verifier",
        "aide",
    ):
        answer = page.goto(f"{live_server.url}/{address}/")
        assert answer is not None
        assert answer.status == 200


def test_a_link_opens_by_one_tap(live_server: Any, open_page: OpenPage, case: SurveyCase) -> None:
    token = access_codes.issue_link(case=case, wave="dispatch", now=timezone.now())
    page = open_page(f"{live_server.url}/a/{token}", viewport=PHONE)

    press(page, "Ouvrir mon dossier")

    assert page.url.endswith("/bienvenue/")

"""A case manager at the règles de gestion in a real browser: words added by touch, a rule tried, both widths quiet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.base import ContentFile
from django.urls import reverse
from playwright.sync_api import Page

from campaigns.models import Campaign
from returns.models import Finding
from tests.factories.campaigns import PASSWORD, UserFactory
from tests.factories.returns import NOW
from tests.factories.tenants import CaseFactory
from tests.journeys.conftest import DESK, PHONE
from tests.returns.encoding import SAMPLES, encode_all

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]


@pytest.fixture
def ready(campaign: Campaign, now: Any) -> Campaign:
    """Two lines of the document decided, a few households imported."""
    document = (SAMPLES / "landlord_b/regles_gestion.csv").read_bytes()
    campaign.rules_document.save("regles_gestion.csv", ContentFile(document))
    encode_all(campaign, "landlord_b", actor=UserFactory(username="charge"), now=now)
    campaign.rule_lines.order_by("-pk").first().delete()
    for people in (3, 4, 2, 5):
        CaseFactory(campaign=campaign, household__occupants=people)
    return campaign


def judged(page: Page, name: str) -> None:
    """What axe finds serious, whether the page scrolls sideways; kept as a picture where a folder is given."""
    page.wait_for_load_state("networkidle")
    if folder := os.environ.get("SCREENS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in {"serious", "critical"}] == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_rule_is_written_tried_and_saved(ready: Campaign, live_server: Any, open_page: OpenPage, viewport: Any):
    path = reverse("admin:rules_page", args=[ready.pk])
    page = open_page(f"{live_server.url}{path}", viewport=viewport)
    page.fill("#id_username", "charge")
    page.fill("#id_password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    judged(page, f"rules-{viewport['width']}")

    page.fill("#code", "RG40")
    page.fill("#label", "Enfant mineur")
    page.check("input[name=per_occupant][value=yes]")
    page.locator("#expression").press_sequentially("occupant.ag")
    page.click("button[data-insert='occupant.age']")
    page.locator("#expression").press_sequentially("<")
    page.fill("#message", "Merci d'envoyer le certificat de scolarité.")
    page.select_option("#requires", "document")
    page.select_option("#document_key", "school_certificate")
    with page.expect_navigation():
        page.click("button[value=try]")
    assert "s'arrête trop tôt" in page.inner_text(".wrong")
    judged(page, f"rules-wrong-{viewport['width']}")

    page.fill("#expression", page.input_value("#expression") + " 18")
    with page.expect_navigation():
        page.click("button[value=try]")
    assert "sur 3 des 4 foyers" in page.inner_text("#essai")
    judged(page, f"rules-tried-{viewport['width']}")

    with page.expect_navigation():
        page.click("button[value=save]")
    assert "RG40 est enregistrée" in page.inner_text(".messagelist")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_what_waits_is_legible(ready: Campaign, live_server: Any, open_page: OpenPage, viewport: Any):
    told = {"severity": "blocking", "message": "L'avis d'impôt reçu n'est pas complet.", "found_at": NOW}
    for case in ready.cases.all()[:2]:
        Finding.objects.create(case=case, rule="RG02-PAGES", row=1, confirmation="awaited", **told)
    page = open_page(f"{live_server.url}{reverse('admin:rules_confirmations', args=[ready.pk])}", viewport=viewport)
    page.fill("#id_username", "charge")
    page.fill("#id_password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")

    judged(page, f"confirm-{viewport['width']}")
    assert page.locator(".waiting > li").count() == 2

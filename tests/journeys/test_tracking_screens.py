"""The landlord's screens in a browser: legible at both sizes, drawn by scripts, whole without them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from campaigns.models import Campaign
from tenants.importing import searchable
from tests.factories.campaigns import PASSWORD, CampaignFactory, RevisionFactory, UserFactory
from tests.factories.returns import DeclarationFactory, DocumentFactory, ReturnFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.journeys.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.journey, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
SENT = dt.datetime(2026, 10, 12, 8, 0, tzinfo=dt.UTC)
STATES = ("complete", "complete", "incomplete", "received", "sent", "undelivered", "out_of_scope")
BOTH = pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])


@pytest.fixture
def screens(live_server: Any) -> dict[str, str]:
    """The addresses of a campaign in the field, by name; its landlord signs in as « bailleur »."""
    campaign = CampaignFactory(stage=Campaign.Stage.FIELD, landlord__accent="#C8102E")
    UserFactory(of_landlord=True, landlord=campaign.landlord, username="bailleur")
    revision = RevisionFactory(campaign=campaign)
    for place, state in enumerate(STATES):
        answered = state in {"complete", "incomplete", "received"}
        received = SENT + dt.timedelta(days=3 + place) if answered else None
        case = CaseFactory(
            campaign=campaign,
            state=state,
            sent_at=SENT,
            received_at=received,
            channel="online" if answered else "",
            household__search_name=searchable("Élodée", "Inès"),
        )
        MessageFactory(case=case, channel="letter", purpose="form", state="sent", sent_at=SENT)
        if state == "incomplete":
            DeclarationFactory(case=case, revision=revision, told={("household.size", 0): 3})
            ReturnFactory(case=case, channel="online", received_at=received)
            DocumentFactory(case=case, row=1)
            reference = case.reference
    paths = {
        "home": reverse("tracking:home"),
        "dashboard": reverse("tracking:campaign", args=[campaign.pk]),
        "list": reverse("tracking:cases", args=[campaign.pk]),
        "case": reverse("tracking:case", args=[reference]),
        "definitions": reverse("tracking:definitions"),
    }
    return {name: f"{live_server.url}{path}" for name, path in paths.items()}


def signed_in(open_page: OpenPage, url: str, **how: Any) -> Page:
    """A page opened by the landlord, through the sign-in screen."""
    page = open_page(f"{url.split('/suivi/')[0]}{reverse('login')}?next=/suivi/", **how)
    page.fill("[name=username]", "bailleur")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/suivi/")
    page.goto(url)
    return page


@BOTH
def test_every_screen_is_accessible_and_fits(
    screens: dict[str, str], open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = signed_in(open_page, screens["home"], viewport=viewport, bypass_csp=True)

    for name, url in screens.items():
        page.goto(url)
        results = Axe().run(page)
        assert results.violations_count == 0, f"{name}: {results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"], name


def test_the_curve_is_drawn_under_the_strict_policy(screens: dict[str, str], open_page: OpenPage) -> None:
    page = signed_in(open_page, screens["dashboard"])

    page.wait_for_selector("ol.waves")

    drawn = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(each => each)"
    assert page.locator("#curve").evaluate(drawn)
    assert page.locator("ol.waves li").all_text_contents() == ["12 oct. : formulaire d'enquête"]


def test_without_scripts_the_figures_are_all_there(screens: dict[str, str], open_page: OpenPage) -> None:
    page = signed_in(open_page, screens["dashboard"], javascript=False)

    page.get_by_text("Les chiffres semaine par semaine").click()

    assert page.get_by_role("row", name="lundi 12 octobre 2026").first.is_visible()
    assert not page.locator("#curve").is_visible()
    assert page.locator("meter").count() >= 5


def test_a_counter_leads_to_a_case_by_the_keyboard(screens: dict[str, str], open_page: OpenPage) -> None:
    page = signed_in(open_page, screens["dashboard"])

    page.locator("a.stat", has_text="En cours").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**groupe=en-cours")
    page.fill("[name=q]", "elodee")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=elodee**")

    assert page.locator("tbody tr").count() == 2
    assert page.locator("#groupe").input_value() == "en-cours"

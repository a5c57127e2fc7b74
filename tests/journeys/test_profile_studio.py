"""A landlord's relational export, never seen before: from nothing to its households, with the mouse only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.models import Campaign, MappingProfile
from tenants import importing
from tenants.models import ImportFile, ProfileDraft
from tests.factories.campaigns import CampaignFactory, UserFactory
from tests.journeys.conftest import DESK, PHONE
from tests.journeys.test_keying_browser import judged, signed_in
from tests.tenants.depositing import deposit_of, sample

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
FILE = Path(__file__).parents[1] / "samples" / "landlord_b" / "EXP_ENQ_2027.XML"


@pytest.fixture
def campaign(settings: Any, tmp_path: Path) -> Campaign:
    """A campaign whose code tables are deposited, and nothing else."""
    settings.MEDIA_ROOT = tmp_path / "media"
    campaign = CampaignFactory()
    now = timezone.now()
    codes = deposit_of(campaign, sample("b", "tables_correspondance.csv"), now, ImportFile.Kind.CODES, "tables.csv")
    importing.import_codes(deposit=codes, now=now)
    return campaign


def test_from_an_unknown_file_to_its_households_with_the_mouse(
    live_server: Any, open_page: OpenPage, campaign: Campaign
) -> None:
    deposit = deposit_of(campaign, sample("b"), timezone.now(), name="EXP_ENQ_2027.XML")
    page = open_page(f"{live_server.url}/admin/", viewport=DESK, bypass_csp=True)
    signed_in(page, live_server, UserFactory().username, f"/admin/campagnes/{campaign.pk}/")
    page.click("text=Écrire un profil")
    judged(page).click("text=Chercher les champs")
    judged(page)
    assert page.input_value("[name='rent.path']") == "@LOY"
    assert page.input_value("[name='join.0.path']") == "EXPORT/LOGEMENTS/LOG"
    assert "647.99" in page.inner_text("#read-rent")
    assert "CTR NUM" in page.locator(".xml").first.inner_text()
    assert not ImportFile.objects.filter(pk=deposit.pk, state="imported").exists()

    page.click("text=Enregistrer une version")
    page.wait_for_url(f"**/campagnes/{campaign.pk}/#etape-import")
    stored = MappingProfile.objects.get()
    assert (stored.version, stored.landlord) == (1, campaign.landlord)
    assert not ProfileDraft.objects.exists()

    page.click("#etape-import a.door:has-text('Dépôts')")
    page.click("#result_list a:has-text('EXP_ENQ_2027.XML')")
    page.click("button:has-text('Importer')")
    page.wait_for_load_state("networkidle")
    assert campaign.households.count() > 380


def test_what_is_changed_is_seen_at_once(live_server: Any, open_page: OpenPage, campaign: Campaign) -> None:
    page = open_page(f"{live_server.url}/admin/", viewport=PHONE)
    address = f"/admin/campaigns/mappingprofile/atelier/{campaign.pk}/"
    signed_in(page, live_server, UserFactory().username, address)
    page.set_input_files("#sample", FILE)
    page.click("text=Chercher les champs")
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.ok):
        page.fill("[name='rent.path']", "@NR")
        page.keyboard.press("Tab")
    expect(page.locator("#read-rent")).to_have_text("0")
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.ok):
        page.fill("[name='move_in.detail']", "AAAA")
        page.keyboard.press("Tab")
    expect(page.locator("#errors-move_in")).to_contain_text("YYYY")
    assert "1 point à corriger" in page.inner_text("#told")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

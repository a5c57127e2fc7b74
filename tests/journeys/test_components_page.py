"""The page of components in a browser: legible, reachable, sent once. What holds here holds for every screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route

from tests.journeys.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Page]
BOTH = pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, select, summary')]
    .map(element => [element.outerHTML, (element.closest('label') ?? element).getBoundingClientRect()])
    .filter(([, box]) => box.height < 44 || box.width < 44)
    .map(([markup]) => markup)"""


@BOTH
def test_no_accessibility_fault_is_found(live_server: Any, open_page: OpenPage, viewport: dict[str, int]) -> None:
    page = open_page(f"{live_server.url}/composants/", viewport=viewport, bypass_csp=True)

    results = Axe().run(page)

    assert results.violations_count == 0, results.generate_report()


@BOTH
def test_nothing_overflows_and_targets_are_large(
    live_server: Any, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = open_page(f"{live_server.url}/composants/", viewport=viewport)

    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert page.evaluate(SMALL_TARGETS) == []


def test_the_page_reads_at_twice_the_size(live_server: Any, open_page: OpenPage) -> None:
    """A 640-pixel window at 200 % is 320 pixels wide (WCAG 1.4.10)."""
    page = open_page(f"{live_server.url}/composants/", viewport={"width": 320, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_typeface_is_our_own(live_server: Any, open_page: OpenPage) -> None:
    page = open_page(f"{live_server.url}/composants/")

    page.evaluate("document.fonts.ready")

    assert page.evaluate("[...document.fonts].some(f => f.family.includes('Atkinson') && f.status === 'loaded')")


def test_the_first_key_leads_past_the_header(live_server: Any, open_page: OpenPage) -> None:
    page = open_page(f"{live_server.url}/composants/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "contenu"


def test_a_form_pressed_twice_is_sent_once(live_server: Any, open_page: OpenPage) -> None:
    page = open_page(f"{live_server.url}/composants/")
    sent: list[str] = []

    def hold(route: Route) -> None:
        sent.append(route.request.method)
        route.fulfill(status=204)  # the browser stays where it is

    page.route("**/composants/", hold)
    page.evaluate("document.querySelector('.actions button').type = 'submit'")
    button = page.locator(".actions button").first

    button.click()
    button.click(force=True)
    page.wait_for_timeout(300)

    assert sent == ["POST"]
    assert button.text_content() == "Enregistrement…"


def test_a_long_piece_of_work_is_followed_to_its_end(live_server: Any, open_page: OpenPage) -> None:
    page = open_page(f"{live_server.url}/composants/")
    states = iter(
        [
            {"value": 350, "max": 400, "text": "350 sur 400", "done": False},
            {"value": 400, "max": 400, "text": "400 sur 400", "done": True, "next": "/composants/?done"},
        ]
    )
    page.route("**/progress/", lambda route: route.fulfill(json=next(states)))
    page.evaluate(
        """async () => {
            const box = document.querySelector('.progress');
            box.dataset.progress = '/progress/';
            box.dataset.every = '100';
            const { followProgress } = await import('/static/js/progress.js');
            followProgress(box);
        }"""
    )

    page.wait_for_url("**/composants/?done")


def test_the_page_is_whole_without_scripts(live_server: Any, open_page: OpenPage) -> None:
    page = open_page(f"{live_server.url}/composants/", javascript=False)

    assert page.locator("h1").first.text_content() == "Composants"
    assert page.locator(".button").count() >= 5

"""A request refused before any view has read it still gets a page in French."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_request_too_big_says_so(client: Client, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 50

    page = client.post("/", {"reference": "x" * 200})

    assert page.status_code == 400
    assert "L’envoi est trop gros" in page.content.decode()


def test_too_many_answers_at_once_say_so(client: Client, settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2

    page = client.post("/", {f"field-{number}": "x" for number in range(4)})

    assert page.status_code == 400
    assert "L’envoi est trop gros" in page.content.decode()


def test_an_unknown_host_gets_a_plain_refusal(client: Client) -> None:
    page = client.get("/", headers={"host": "ailleurs.example"})

    assert page.status_code == 400
    assert "La demande n’a pas été comprise" in page.content.decode()

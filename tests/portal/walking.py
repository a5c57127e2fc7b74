"""The way through the pages, as a household walks it."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image


def photo(colour: str = "white", size: tuple[int, int] = (300, 400)) -> bytes:
    """A photo of a piece."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


def upload(client: Client, kind: str, row: int, *files: tuple[str, bytes]) -> Any:
    """Deposit files for a piece."""
    told = [SimpleUploadedFile(name, content) for name, content in files]
    return client.post(f"/pieces/{kind}/{row}/", {"files": told})


HOUSEHOLD = {
    "household-phone": "06 39 98 00 00",
    "household-email": "foyer@exemple.example",
    "household-apl": "non",
    "household-size": "3",
}
INCOMES = {1: "21 450", 2: "18 300"}


def answer_everything(client: Client) -> None:
    """The shortest way: nothing changed, two incomes, pieces later."""
    assert client.post("/questions/household/0/", HOUSEHOLD).status_code == 302
    assert client.post("/personnes/occupants/").status_code == 302
    for row, income in INCOMES.items():
        sent = client.post(f"/questions/resources/{row}/", {"occupant-tax_reference_income": income})
        assert sent.status_code == 302
    assert client.post("/questions/changes/0/", {"household-resource_fall": "non"}).status_code == 302


def put_off_pieces(client: Client, *rows: int) -> None:
    """No tax notice at hand."""
    for row in rows:
        assert client.post(f"/pieces/tax_notice/{row}/", {"action": "later"}).status_code == 302


def send(client: Client, **changes: str) -> Any:
    """Read the check page, tick the box, press the button."""
    page = client.get("/verifier/")
    form = page.context["form"]
    return client.post("/verifier/", {"honour": "on", "submission": form["submission"].value(), **changes})

"""Logos: what papers can print is kept as PNG, all the rest is refused by a sentence that says what to do."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from campaigns.forms import LandlordForm
from campaigns.models import Landlord
from campaigns.paper_form.branding import Branding, BrandingError
from campaigns.paper_form.logos import logo_of
from tests.factories.campaigns import UserFactory

SVG = b"""<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100">
<rect width="300" height="100" rx="20" fill="#1f5d57"/></svg>"""


def image(kind: str, mode: str = "RGB", size: tuple[int, int] = (400, 120)) -> bytes:
    stream = BytesIO()
    Image.new(mode, size).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [image("PNG"), image("PNG", "RGBA"), image("PNG", "P"), image("PNG", "L"), image("JPEG"), SVG],
    ids=["png", "transparent", "palette", "grey", "jpeg", "svg"],
)
def test_what_prints_is_kept_as_png(content: bytes) -> None:
    kept = logo_of(content)

    with Image.open(BytesIO(kept)) as opened:
        assert opened.format == "PNG"
        assert opened.mode in ("RGB", "RGBA")
    assert Branding(name="Val d'Orme", logo=kept).logo == kept


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (bytes(40_000_000), "pèse 40,0 Mo"),
        (b"", "vide"),
        (image("JPEG", "CMYK"), "CMJN"),
        (image("PNG")[:60], "abîmée"),
        (b"GIF89a", "PNG ou JPEG"),
        (b"%PDF-1.7", "PNG ou JPEG"),
        (image("PNG", size=(40, 20)), "trop petit"),
        (image("PNG", size=(4001, 20)), "4000 pixels"),
        (SVG.replace(b"</svg>", b"<g>"), "abîmé"),
        (SVG.replace(b"<rect", b"<text>Val</text><rect"), "texte"),
        (SVG.replace(b"<rect", b"<script>1</script><rect"), "programme"),
        (SVG.replace(b"<rect", b"<image href='http://ailleurs.example/a.png'/><rect"), "extérieure"),
        (SVG.replace(b"<svg", b"<!DOCTYPE svg [<!ENTITY a 'a'>]><svg"), "extérieure"),
        (SVG.replace(b"0 0 300 100", b"0 0 1 100000"), "dimensions"),
        (SVG.replace(b' viewBox="0 0 300 100"', b""), "dimensions"),
    ],
    ids=[f"refused {number}" for number in range(15)],
)
def test_what_does_not_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(BrandingError, match=told):
        logo_of(content)


@pytest.mark.parametrize(("accent", "fine"), [("#1F5F5B", True), ("#FFD54F", False)])
def test_a_pale_colour_is_refused_with_one_that_suits(db: None, *, accent: str, fine: bool) -> None:
    form = LandlordForm({"accent": accent})
    form.is_valid()

    assert ("accent" not in form.errors) is fine
    assert fine or "La plus proche qui convient : #" in form.errors["accent"][0]


@pytest.mark.django_db
def test_a_heavy_upload_is_refused_on_the_page_and_stores_nothing(
    client: Client, landlord: Landlord, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    client.force_login(UserFactory())
    url = reverse("admin:campaigns_landlord_change", args=[landlord.pk])
    form = client.get(url).context["adminform"].form
    values = {name: form.initial.get(name) or "" for name in form.fields if name != "logo"}

    page = client.post(url, {**values, "hotline": "02 99 99 99 99", "logo": ContentFile(bytes(40_000_000), "logo.png")})

    landlord.refresh_from_db()
    assert "pèse 40,0 Mo" in page.content.decode()
    assert not landlord.logo
    assert landlord.hotline != "02 99 99 99 99"
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]

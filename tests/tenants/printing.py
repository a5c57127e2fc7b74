"""What the tests of print batches share: approved campaigns, readers of PDF pages, a recording exchange."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pikepdf
import pypdfium2
import zxingcpp
from django.core.files.storage import default_storage

from campaigns import operations
from campaigns.models import Campaign, FormProof, User
from tenants.dispatch import (
    compose_letters,
)
from tenants.messaging import queue, render
from tenants.models import PrintBatch, Purpose, SurveyCase
from tests.factories.campaigns import UserFactory
from tests.factories.tenants import CaseFactory

NOW = dt.datetime(2026, 10, 12, 7, 0, tzinfo=dt.UTC)


LATER = dt.datetime(2026, 11, 16, 8, 0, tzinfo=dt.UTC)


def approve(campaign: Campaign) -> FormProof:
    revision = operations.draw_up_revision(campaign=campaign, now=NOW)
    proof = operations.present_proof(revision=revision, document=b"%PDF-1.4", now=NOW)
    manager: User = UserFactory()
    operations.approve_proof(proof=proof, actor=manager, now=NOW, comment="Accord de la directrice par téléphone")
    campaign.refresh_from_db()
    return proof


def households(campaign: Campaign, *sizes: int) -> list[SurveyCase]:
    return [CaseFactory(campaign=campaign, household__occupants=size) for size in sizes]


def content(stored: Any) -> bytes:
    with stored.open("rb") as file:
        return bytes(file.read())


def codes_on(document: bytes, page: int) -> list[str]:
    """The 2D codes of one page, counted from 0."""
    pdf = pypdfium2.PdfDocument(document)
    try:
        image = pdf[page].render(scale=200 / 72, grayscale=True).to_numpy().squeeze()
    finally:
        pdf.close()
    return [found.text for found in zxingcpp.read_barcodes(image)]


def text_of(document: bytes, first: int = 0, count: int = 1) -> str:
    pdf = pypdfium2.PdfDocument(document)
    try:
        return "\n".join(pdf[page].get_textpage().get_text_range() for page in range(first, first + count))
    finally:
        pdf.close()


def blank_pdf(pages: int) -> bytes:
    stream = BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page()
        pdf.save(stream)
    return stream.getvalue()


def stored_files() -> list[Path]:
    folder = Path(default_storage.path("batches"))
    return sorted(folder.iterdir()) if folder.exists() else []


def composed(cases: list[SurveyCase]) -> PrintBatch:
    campaign = Campaign.objects.get(pk=cases[0].campaign_id)
    batch = compose_letters(campaign=campaign, purpose=Purpose.FORMAL_NOTICE, now=LATER)
    assert batch is not None
    return batch


def complement(case: SurveyCase, number: int) -> None:
    items = [{"sentence": "Il manque l'avis d'impôt de Loïc.", "how": "Envoyez-en une copie."}]
    text = render(
        case=case, channel="letter", purpose="complement", on=LATER.date(), items=items, due_on=dt.date(2026, 12, 1)
    )
    queue(
        case=case,
        channel="letter",
        purpose="complement",
        wave=f"complement-{number}",
        recipient="x",
        subject=text.subject,
        body=text.body,
        now=LATER,
    )


class Recorder:
    """An exchange that remembers what was delivered, in order."""

    def __init__(self) -> None:
        self.delivered: list[tuple[str, str, bytes]] = []

    def deliver(self, folder: str, name: str, content: BinaryIO) -> int:
        self.delivered.append((folder, name, content.read()))
        return len(self.delivered[-1][2])

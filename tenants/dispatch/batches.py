"""A print batch on disk: one PDF, its index for the print house, its manifest; all three or nothing."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db.models import Max
from django.db.models.fields.files import FieldFile

from campaigns.models import Campaign
from campaigns.paper_form.envelope_code import EnvelopeCode
from tenants.models import PrintBatch

INDEX_HEADS = ("ordre", "référence", "première page", "pages", "feuilles", "code postal", "maquette", "code du pli")


class UnableToCompose(Exception):
    """The batch cannot be composed; nothing of it is left. The message says what to mend."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One household's pages in the PDF; `first_page` counts from 1. `layout` is '' for a letter."""

    reference: str
    first_page: int
    pages: int
    postcode: str
    layout: str = ""

    @property
    def sheets(self) -> int:
        """Sheets of paper, printed on both sides."""
        return -(-self.pages // 2)


@contextmanager
def unless_broken(batch: PrintBatch) -> Iterator[None]:
    """Whatever goes wrong inside, the files already written for the batch are removed."""
    try:
        yield
    except BaseException:
        for stored in files_of(batch):
            if stored.name:
                remove(stored.storage, stored.name)
        raise


def files_of(batch: PrintBatch) -> tuple[FieldFile, FieldFile, FieldFile]:
    """PDF, index, manifest: in the order they are handed over, so that the manifest says that all is there."""
    return batch.document, batch.index, batch.manifest


def remove(storage: Storage, name: str) -> None:
    """Delete a stored file; a disk that fails again must not hide the first failure."""
    with contextlib.suppress(OSError):
        storage.delete(name)


def next_number(campaign: Campaign) -> int:
    """The number of the campaign's next batch; call it with the campaign locked."""
    return (PrintBatch.objects.filter(campaign=campaign).aggregate(Max("number"))["number__max"] or 0) + 1


def write(
    batch: PrintBatch, *, document: bytes, envelopes: Sequence[Envelope], now: dt.datetime, **told: Any
) -> PrintBatch:
    """Store PDF, index and manifest, check that they agree, and save the batch. `told` joins the manifest.

    Raises UnableToCompose when the envelopes are not the pages of the PDF, one after another.
    """
    _check(envelopes)
    batch.envelopes = len(envelopes)
    batch.pages = sum(envelope.pages for envelope in envelopes)
    batch.sha256 = hashlib.sha256(document).hexdigest()
    stem = f"c{batch.campaign_id}-lot-{batch.number:04d}-{batch.purpose}"
    batch.document.save(f"{stem}.pdf", ContentFile(document), save=False)
    batch.index.save(f"{stem}.csv", ContentFile(index_of(envelopes, batch.number)), save=False)
    manifest = manifest_of(batch, envelopes, now=now, **told)
    batch.manifest.save(f"{stem}.json", ContentFile(manifest), save=False)
    batch.save()
    return batch


def _check(envelopes: Sequence[Envelope]) -> None:
    page = 1
    for envelope in envelopes:
        if envelope.first_page != page or envelope.pages < 1:
            raise UnableToCompose(f"Le pli du dossier {envelope.reference} n'est pas à sa place dans le lot.")
        page += envelope.pages
    if len({envelope.reference for envelope in envelopes}) != len(envelopes):
        raise UnableToCompose("Un même dossier figure deux fois dans le lot.")


def index_of(envelopes: Sequence[Envelope], batch: int) -> bytes:
    """The index: one line an envelope, for the print house (CSV, semicolons, UTF-8 with a mark).

    The code of the envelope is to be printed on it as a bar code: it names the letter when the envelope comes back.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerow(INDEX_HEADS)
    for order, each in enumerate(envelopes, start=1):
        code = EnvelopeCode(each.reference, batch)
        place = (order, each.reference, each.first_page, each.pages, each.sheets)
        writer.writerow((*place, each.postcode, each.layout, str(code)))
    return stream.getvalue().encode("utf-8-sig")


def manifest_of(batch: PrintBatch, envelopes: Sequence[Envelope], *, now: dt.datetime, **told: Any) -> bytes:
    """The manifest (JSON): what the print house must find, to the page and to the byte."""
    return json.dumps(
        {
            "campaign": batch.campaign_id,
            "landlord": batch.campaign.landlord.code,
            "rehearsal": batch.campaign.rehearsal,
            "batch": batch.number,
            "purpose": batch.purpose,
            "composed_at": now.isoformat(),
            "document": batch.document.name.rpartition("/")[2],
            "sha256": batch.sha256,
            "envelopes": batch.envelopes,
            "pages": batch.pages,
            "sheets": sum(each.sheets for each in envelopes),
            "first_reference": envelopes[0].reference if envelopes else "",
            "last_reference": envelopes[-1].reference if envelopes else "",
            "pages_per_envelope": [
                {
                    "reference": each.reference,
                    "first_page": each.first_page,
                    "pages": each.pages,
                    "sheets": each.sheets,
                    "layout": each.layout,
                }
                for each in envelopes
            ],
            **told,
        },
        ensure_ascii=False,
        indent=1,
    ).encode()


def envelopes_of(batch: PrintBatch) -> list[Envelope]:
    """The envelopes that the stored manifest tells."""
    with batch.manifest.open("rb") as stored:
        told = json.load(stored)
    with batch.index.open("rb") as stored:
        lines = list(csv.reader(io.StringIO(stored.read().decode("utf-8-sig"), newline=""), delimiter=";"))[1:]
    return [
        Envelope(
            reference=each["reference"],
            first_page=each["first_page"],
            pages=each["pages"],
            postcode=line[5],
            layout=each["layout"],
        )
        for each, line in zip(told["pages_per_envelope"], lines, strict=True)
    ]

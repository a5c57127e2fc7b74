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
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db.models import Max
from django.db.models.fields.files import FieldFile

from campaigns.models import Campaign
from campaigns.paper_form.batch_check import UnsoundError, sound
from campaigns.paper_form.envelope_code import EnvelopeCode
from campaigns.paper_form.envelope_proof import art_digests, envelope_digests
from campaigns.paper_form.sheet_code import sheet_codes
from tenants.models import PrintBatch

INDEX_HEADS = (
    "ordre",
    "référence",
    "première page",
    "dernière page",
    "pages",
    "feuilles",
    "code postal",
    "poids (g)",
    "tranche (g)",
    "maquette",
    "code du pli",
    "codes des feuilles",
)


FOLDER = "batches"  # of the storage, as `PrintBatch` says
# What every manifest tells.
USUAL = frozenset(
    (
        *("campaign", "landlord", "rehearsal", "batch", "purpose", "composed_at", "written_at"),
        *("document", "sha256", "envelopes", "pages", "sheets", "first_reference", "last_reference"),
        *("art", "pages_per_envelope"),
    )
)


class UnableToCompose(Exception):
    """The batch cannot be composed; nothing of it is left. The message says what to mend."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One household's pages in the PDF; `first_page` counts from 1. `layout` is '' for a letter.

    `grams` is what the filled envelope weighs, `bracket` its class of postage (None beyond the last). `sha256` covers
    what its pages say, whatever else is in the file (`campaigns.paper_form.envelope_proof`).
    """

    reference: str
    first_page: int
    pages: int
    postcode: str
    layout: str = ""
    grams: Decimal = Decimal(0)
    bracket: int | None = None
    sha256: str = ""

    @property
    def sheets(self) -> int:
        """Sheets of paper, printed on both sides."""
        return -(-self.pages // 2)

    @property
    def last_page(self) -> int:
        """The last of its pages."""
        return self.first_page + self.pages - 1


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


def number_batch(batch: PrintBatch) -> None:
    """Give the batch its number, with the campaign locked; what a killed composition left under it is removed.

    A worker that dies while it composes leaves no row, but may leave files whose codes open nothing.
    """
    batch.number = next_number(batch.campaign)
    storage = batch.document.storage
    with contextlib.suppress(FileNotFoundError):
        for name in storage.listdir(FOLDER)[1]:
            if name.startswith(_stem(batch)):
                remove(storage, f"{FOLDER}/{name}")


def _stem(batch: PrintBatch) -> str:
    return f"c{batch.campaign_id}-lot-{batch.number:04d}-{batch.purpose}"


def write(
    batch: PrintBatch, *, document: bytes, envelopes: Sequence[Envelope], now: dt.datetime, **told: Any
) -> PrintBatch:
    """Store PDF, index and manifest, check that they agree, and save the batch. `told` joins the manifest.

    Raises UnableToCompose when the envelopes are not the pages of the PDF, one after another, when the PDF is
    not sound, or when the disk is full.
    """
    _check(envelopes)
    batch.envelopes = len(envelopes)
    batch.pages = sum(envelope.pages for envelope in envelopes)
    envelopes, art = _proved(document, batch.pages, envelopes)
    batch.sha256 = hashlib.sha256(document).hexdigest()
    stem = _stem(batch)
    _keep(batch.document, f"{stem}.pdf", document)
    _keep(batch.index, f"{stem}.csv", index_of(envelopes, batch.number))
    manifest = manifest_of(batch, envelopes, now=now, **told, art=art)
    _keep(batch.manifest, f"{stem}.json", manifest)
    batch.save()
    return batch


def _proved(document: bytes, pages: int, envelopes: Sequence[Envelope]) -> tuple[list[Envelope], dict[str, str]]:
    """The envelopes, each with its digest, and the digests of the art that their pages share."""
    if not envelopes:
        return [], {}
    try:
        with sound(document, pages) as pdf:
            if all(each.sha256 for each in envelopes):
                return list(envelopes), art_digests(pdf)
            digests = envelope_digests(pdf, [(each.first_page, each.pages) for each in envelopes])
            proved = [replace(each, sha256=digest) for each, digest in zip(envelopes, digests, strict=True)]
            return proved, art_digests(pdf)
    except UnsoundError as error:
        wrong = " ".join(error.faults[:5])
        raise UnableToCompose(f"Lot annulé, son PDF ne peut pas être imprimé. {wrong}") from error


def _keep(place: FieldFile, name: str, content: bytes) -> None:
    """Store one file whole, or nothing of it. Raises UnableToCompose when the disk does not take it."""
    path = place.storage.get_available_name(place.field.generate_filename(place.instance, name))
    try:
        place.save(name, ContentFile(content), save=False)
    except OSError as error:
        remove(place.storage, path)
        raise UnableToCompose(
            f"Le fichier « {name} » n'a pas pu être écrit ({error.strerror}) : rien du lot n'est gardé. "
            "Faites de la place sur le disque, puis relancez la composition."
        ) from error


def _check(envelopes: Sequence[Envelope]) -> None:
    page = 1
    for envelope in envelopes:
        if envelope.first_page != page or envelope.pages < 1:
            raise UnableToCompose(f"Le pli du dossier {envelope.reference} n'est pas à sa place dans le lot.")
        if envelope.pages % 2:
            raise UnableToCompose(f"Le pli du dossier {envelope.reference} finit au milieu d'une feuille.")
        page += envelope.pages
    if len({envelope.reference for envelope in envelopes}) != len(envelopes):
        raise UnableToCompose("Un même dossier figure deux fois dans le lot.")


def index_of(envelopes: Sequence[Envelope], batch: int) -> bytes:
    """The index: one line an envelope, for the print house (CSV, semicolons, UTF-8 with a mark).

    The code of the envelope is to be printed on it as a bar code: it names the letter when the envelope comes back.
    The codes of its sheets are what an inserter reads, whether they are printed or not.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerow(INDEX_HEADS)
    for order, each in enumerate(envelopes, start=1):
        place = (order, each.reference, each.first_page, each.last_page, each.pages, each.sheets, each.postcode)
        weight = (str(each.grams).replace(".", ","), each.bracket or "")
        codes = (str(EnvelopeCode(each.reference, batch)), " ".join(sheet_codes(order, each.sheets)))
        writer.writerow((*place, *weight, each.layout, *codes))
    return stream.getvalue().encode("utf-8-sig")


def manifest_of(batch: PrintBatch, envelopes: Sequence[Envelope], *, now: dt.datetime, **told: Any) -> bytes:
    """The manifest (JSON): what the print house must find, to the page and to the byte. One line an envelope."""
    head = {
        "campaign": batch.campaign_id,
        "landlord": batch.campaign.landlord.code,
        "rehearsal": batch.campaign.rehearsal,
        "batch": batch.number,
        "purpose": batch.purpose,
        "composed_at": batch.composed_at.isoformat(),
        "written_at": now.isoformat(),
        "document": batch.document.name.rpartition("/")[2],
        "sha256": batch.sha256,
        "envelopes": batch.envelopes,
        "pages": batch.pages,
        "sheets": sum(each.sheets for each in envelopes),
        "first_reference": envelopes[0].reference if envelopes else "",
        "last_reference": envelopes[-1].reference if envelopes else "",
        **told,
    }
    lines = ",\n".join(json.dumps(_told(each), ensure_ascii=False) for each in envelopes)
    text = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{text},\n "pages_per_envelope": [\n{lines}\n ]\n}}'.encode()


def _told(envelope: Envelope) -> dict[str, Any]:
    return {
        "reference": envelope.reference,
        "first_page": envelope.first_page,
        "pages": envelope.pages,
        "sheets": envelope.sheets,
        "postcode": envelope.postcode,
        "grams": float(envelope.grams),
        "bracket": envelope.bracket,
        "layout": envelope.layout,
        "sha256": envelope.sha256,
    }


def told_beside(batch: PrintBatch) -> dict[str, Any]:
    """What the stored manifest tells beside what every manifest does: to be told again when the batch is rewritten."""
    with batch.manifest.open("rb") as stored:
        told = json.load(stored)
    return {name: value for name, value in told.items() if name not in USUAL}


def envelopes_of(batch: PrintBatch) -> list[Envelope]:
    """The envelopes that the stored manifest tells."""
    with batch.manifest.open("rb") as stored:
        told = json.load(stored)
    return [
        Envelope(
            reference=each["reference"],
            first_page=each["first_page"],
            pages=each["pages"],
            postcode=each["postcode"],
            layout=each["layout"],
            grams=Decimal(str(each["grams"])),
            bracket=each["bracket"],
            sha256=each["sha256"],
        )
        for each in told["pages_per_envelope"]
    ]

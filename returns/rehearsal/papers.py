"""What made-up tenants do with the very pages that the print house printed: fill them in, join pieces, post them.

Runs in worker processes: everything that crosses is bytes, paths and plain tables.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2
import zxingcpp
from PIL import Image

from campaigns.paper_form.zones import FormLayout
from returns.rehearsal.pens import Pen
from returns.rehearsal.printed_pieces import Grey, other_piece, tax_notice
from returns.rehearsal.scanner import PAGE_DPI, FileFormat, Quality, jpeg_tiff, scan

Address = tuple[str, int]

QR_CODE = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
PHOTO_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Envelope:
    """One filled form and its pieces: which pages of which batch, what is written, what is joined."""

    seed: str
    batch: Path
    first_page: int  # in the batch, from 0
    pages: int
    layout: bytes  # see `packed_layout`
    answers: Mapping[Address, Any]
    pieces: tuple[Mapping[str, Any], ...] = ()
    quality: Quality = Quality.LIGHT


@dataclass(frozen=True, slots=True)
class Visit:
    """A household with its phone: the printed page whose code it reads, if it needs to, and the pieces it takes."""

    batch: Path | None
    page: int  # in the batch, from 0
    pieces: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Phoned:
    """What the phone gives: the address that the code opens ('' when none was read), and a JPEG photo a piece."""

    address: str
    photos: tuple[bytes, ...]


def one_core() -> None:
    """Set a worker process to its own core: as many of them run as there are cores."""
    cv2.setNumThreads(1)


def posted(envelope: Envelope) -> bytes:
    """The scan of one envelope alone, as the scanning contract asks: one grey 200 dpi TIFF."""
    return jpeg_tiff(sheets_of(envelope))


def sheets_of(envelope: Envelope) -> list[bytes]:
    """The scanned sheets of the envelope, form then pieces, as they fall: a grey 200 dpi JPEG each."""
    layout = _layout(envelope.layout)
    pen = Pen(envelope.seed)
    printed = printed_pages(envelope.batch, envelope.first_page, envelope.pages)
    pages = [pen.fill_page(page, layout, number, envelope.answers) for number, page in enumerate(printed, start=1)]
    pages += [drawn_piece(piece) for piece in envelope.pieces]
    return scan(pages, seed=envelope.seed, quality=envelope.quality, file_format=FileFormat.JPEG)


def phoned(visit: Visit) -> Phoned:
    """Read the code of the printed page and take the pieces in photo."""
    address = portal_address(visit.batch, visit.page) if visit.batch is not None else ""
    return Phoned(address, tuple(_photo(drawn_piece(piece)) for piece in visit.pieces))


def _photo(page: Grey) -> bytes:
    out = io.BytesIO()
    Image.fromarray(page).save(out, "JPEG", quality=PHOTO_QUALITY)
    return out.getvalue()


def printed_pages(batch: Path, first: int, count: int) -> list[Grey]:
    """Pages of a print batch as grey images at the scanner's resolution."""
    document = _opened(batch, batch.stat().st_mtime_ns)
    return [_rendered(document[first + index]) for index in range(count)]


def _rendered(page: pypdfium2.PdfPage) -> Grey:
    try:
        drawn = page.render(scale=PAGE_DPI / 72, grayscale=True).to_numpy()
        return np.array(drawn, dtype=np.uint8).reshape(drawn.shape[:2])
    finally:
        page.close()


@lru_cache(maxsize=2)
def _opened(batch: Path, written_at: int) -> pypdfium2.PdfDocument:
    """The batch, opened once per process as long as its file stays the same."""
    return pypdfium2.PdfDocument(batch)


def drawn_piece(piece: Mapping[str, Any]) -> Grey:
    """A made-up piece: a tax notice that says what the tenant means, or another paper with its title."""
    if piece["kind"] == "tax_notice":
        return tax_notice(**piece["notice"])
    return other_piece(kind=piece["kind"], name=piece["name"], seed=piece["seed"])


def portal_address(batch: Path, page: int) -> str:
    """What the QR code of a form's first page opens, read from the print as a phone reads it; '' if none is found."""
    [image] = printed_pages(batch, page, 1)
    for found in zxingcpp.read_barcodes(image, formats=QR_CODE):
        if "://" in found.text:
            return str(found.text)
    return ""


def packed_layout(tables: Mapping[str, Any]) -> bytes:
    """The tables of a layout, small enough to cross to a worker with every envelope."""
    return zlib.compress(json.dumps(tables, sort_keys=True).encode(), level=3)


@lru_cache(maxsize=32)
def _layout(packed: bytes) -> FormLayout:
    """Parsed once per process and layout: the tables are large."""
    return FormLayout.from_tables(json.loads(zlib.decompress(packed)))


def signed_on(day: dt.date) -> dict[Address, Any]:
    """What a tenant adds when it signs the paper on that day."""
    return {("signature.signed_on", 0): day.isoformat(), ("signature.signed", 0): True}

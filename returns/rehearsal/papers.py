"""What made-up tenants do with the very pages that the print house printed: fill them in, join pieces, post them.

Runs in worker processes: everything that crosses is bytes, paths and plain tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import zxingcpp

from campaigns.paper_form.zones import FormLayout
from returns.rehearsal.pens import Pen
from returns.rehearsal.printed_pieces import Grey, other_piece, tax_notice
from returns.rehearsal.scanner import PAGE_DPI, FileFormat, Quality, scan

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Envelope:
    """One filled form and its pieces: which pages of which batch, what is written, what is joined."""

    seed: str
    batch: Path
    first_page: int  # in the batch, from 0
    pages: int
    layout: Mapping[str, Any]
    answers: Mapping[Address, Any]
    pieces: tuple[Mapping[str, Any], ...] = ()
    quality: Quality = Quality.LIGHT
    title: str = field(default="")


def posted(envelope: Envelope) -> bytes:
    """The scan of the envelope's content, as the scanning contract asks: one grey 200 dpi TIFF, sheets as they fall."""
    layout = _layout(envelope)
    pen = Pen(envelope.seed)
    printed = printed_pages(envelope.batch, envelope.first_page, envelope.pages)
    pages = [pen.fill_page(page, layout, number, envelope.answers) for number, page in enumerate(printed, start=1)]
    pages += [drawn_piece(piece) for piece in envelope.pieces]
    [content] = scan(pages, seed=envelope.seed, quality=envelope.quality, file_format=FileFormat.TIFF_JPEG)
    return content


def printed_pages(batch: Path, first: int, count: int) -> list[Grey]:
    """Pages of a print batch as grey images at the scanner's resolution."""
    document = pypdfium2.PdfDocument(batch)
    try:
        scale = PAGE_DPI / 72
        return [
            np.ascontiguousarray(document[first + index].render(scale=scale, grayscale=True).to_numpy().squeeze())
            for index in range(count)
        ]
    finally:
        document.close()


def drawn_piece(piece: Mapping[str, Any]) -> Grey:
    """A made-up piece: a tax notice that says what the tenant means, or another paper with its title."""
    if piece["kind"] == "tax_notice":
        return tax_notice(**piece["notice"])
    return other_piece(kind=piece["kind"], name=piece["name"], seed=piece["seed"])


def portal_address(batch: Path, page: int) -> str:
    """What the QR code of a form's first page opens, read from the print as a phone reads it; '' if none is found."""
    [image] = printed_pages(batch, page, 1)
    for found in zxingcpp.read_barcodes(image, formats=[zxingcpp.BarcodeFormat.QRCode]):
        if "://" in found.text:
            return str(found.text)
    return ""


@cache
def _layouts() -> dict[str, FormLayout]:
    return {}


def _layout(envelope: Envelope) -> FormLayout:
    """Parsed once per process and layout: the tables are large."""
    key = f"{envelope.layout['questionnaire']}-{envelope.layout['rows']}-{envelope.title}"
    if key not in _layouts():
        _layouts()[key] = FormLayout.from_tables(dict(envelope.layout))
    return _layouts()[key]


def signed_on(day: dt.date) -> dict[Address, Any]:
    """What a tenant adds when it signs the paper on that day."""
    return {("signature.signed_on", 0): day.isoformat(), ("signature.signed", 0): True}

"""Prints batches of forms straight to a file: the art of each layout once, then a few bytes a household.

Same pages as `painter.Press`, to the pixel, many times faster, and nothing kept in memory. Nothing personal ever enters
the shared art: each page's stream holds its own household's texts and no other's.
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping
from dataclasses import dataclass
from io import BytesIO
from typing import IO

import pikepdf

from campaigns.paper_form.batch_codes import FormCodes
from campaigns.paper_form.batch_faces import BatchFaces, BatchWriter
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import PAGE_CODE_SIDE, link_matrix
from campaigns.paper_form.ink import code_bits, code_start, inside_quiet_zone
from campaigns.paper_form.painter import (
    NEW_OCCUPANT,
    TITLE,
    FormFill,
    align_of,
    own_spots,
    own_texts,
    paint_art,
    style_of,
)
from campaigns.paper_form.pdf_stream import PdfStream, deflated
from campaigns.paper_form.typography import POINT
from campaigns.paper_form.zones import PAGE_HEIGHT, PAGE_WIDTH, Box, FormLayout, PrefillSpot

A4 = b"[0 0 %.4f %.4f]" % (PAGE_WIDTH * POINT, PAGE_HEIGHT * POINT)
APART = ("@page_code", "@portal_qr", TITLE)  # not written as the other texts


@dataclass(frozen=True, slots=True)
class _PagePlan:
    """A page of a layout, all that does not change worked out.

    `head` draws the art and begins the page code; `qr` is where the QR code of the first page goes; then what writes
    each known value by its address, each text by its name, and each occupant's title by its row.
    """

    head: bytes
    qr: Box | None
    known: tuple[tuple[tuple[str, int], BatchWriter], ...]
    texts: tuple[tuple[str, BatchWriter], ...]
    titles: tuple[tuple[int, BatchWriter], ...]


@dataclass(frozen=True, slots=True)
class _FormPlan:
    """A layout ready for any household."""

    codes: FormCodes
    pages: tuple[_PagePlan, ...]


class BatchPress:
    """A PDF file of forms being written. Households may have different layouts."""

    def __init__(
        self,
        stream: IO[bytes],
        branding: Branding,
        title: str = "Questionnaire",
        painted: MutableMapping[str, bytes] | None = None,
    ) -> None:
        """`painted` keeps the art of layouts, by fingerprint, from one file of this branding to the next."""
        self.branding = branding
        self.title = title
        self.digest = ""  # of the last form printed: SHA-256 of what its pages say (`envelope_proof`)
        self._painted = {} if painted is None else painted
        self._pdf = PdfStream(stream)
        self._plans: dict[str, _FormPlan] = {}
        self._faces = BatchFaces()
        self._writers: dict[tuple[Box, float, str, str], BatchWriter] = {}
        self._art: dict[str, int] = {}

    @property
    def pages(self) -> int:
        """Pages printed so far."""
        return self._pdf.pages

    def print(self, layout: FormLayout, fill: FormFill) -> int:
        """Print one form; returns its first page in the file, counted from 1."""
        plan = self._plans.get(layout.fingerprint) or self._prepare(layout)
        first, said = self._pdf.pages + 1, hashlib.sha256()
        known, texts = fill.prefills.get, own_texts(fill, self.branding)
        titles = dict(enumerate(fill.texts.get(TITLE, ()), start=1))
        for page, (bits, twin) in zip(plan.pages, plan.codes.of(fill.case_reference), strict=True):
            parts = [page.head, bits, _link(page.qr, fill.portal_url), b"\nBT", twin]
            parts += [shown[value] for address, shown in page.known if (value := known(address))]
            parts += [shown[told] for name, shown in page.texts if (told := texts.get(name))]
            parts += [shown[title] for row, shown in page.titles if (title := titles.get(row, NEW_OCCUPANT))]
            parts.append(b"\nET")
            content = b"".join(parts)
            said.update(content)
            self._pdf.add_page(content)
        self.digest = said.hexdigest()
        return first

    def close(self) -> None:
        """Finish the file."""
        faces = " ".join(f"/{name} {number} 0 R" for name, number in self._faces.embed(self._pdf))
        art = " ".join(f"/{name} {number} 0 R" for name, number in self._art.items())
        self._pdf.close(
            resources=f"<</XObject<<{art}>>/Font<<{faces}>>>>".encode("ascii"),
            box=A4,
            info=b"<</Title<FEFF%b>>>" % self.title.encode("utf-16-be").hex().encode("ascii"),
            language=b"fr-FR",
        )

    def _prepare(self, layout: FormLayout) -> _FormPlan:
        twin = next(spot for spot in layout.prefills if spot.field == "@page_code")
        self._plans[layout.fingerprint] = _FormPlan(
            codes=FormCodes(layout.fingerprint, layout.pages, self._writer(twin)),
            pages=tuple(
                self._plan(layout, page, f"/{name} Do 0 g ")
                for page, name in enumerate(self._store_art(layout), start=1)
            ),
        )
        return self._plans[layout.fingerprint]

    def _plan(self, layout: FormLayout, page: int, art: str) -> _PagePlan:
        spots = [(spot, self._writer(spot)) for spot in own_spots(layout, page)]
        return _PagePlan(
            head=(art + code_start(layout.page_code, PAGE_CODE_SIDE)).encode("ascii"),
            qr=next((spot.box for spot, _ in spots if spot.field == "@portal_qr"), None),
            known=tuple(((spot.field, spot.row), shown) for spot, shown in spots if spot.field[0] != "@"),
            texts=tuple(
                (spot.field, shown) for spot, shown in spots if spot.field[0] == "@" and spot.field not in APART
            ),
            titles=tuple((spot.row, shown) for spot, shown in spots if spot.field == TITLE),
        )

    def _store_art(self, layout: FormLayout) -> list[str]:
        """Write the art of each page; returns the names that pages call it by."""
        if layout.fingerprint not in self._painted:
            self._painted[layout.fingerprint] = paint_art(layout, self.branding)
        with pikepdf.open(BytesIO(self._painted[layout.fingerprint])) as source:
            copied = _Copied(self._pdf, source)
            for page in source.pages:
                self._art[f"A{len(self._art)}"] = copied.number(source.make_indirect(page.as_form_xobject()))
        return list(self._art)[-layout.pages :]

    def _writer(self, spot: PrefillSpot) -> BatchWriter:
        """What writes in a spot; spots of the same place on several pages share it, and what it remembers."""
        place = (spot.box, spot.size, style_of(spot), align_of(spot))
        if place not in self._writers:
            self._writers[place] = BatchWriter(self._faces, *place)
        return self._writers[place]


def _link(spot: Box | None, address: str) -> bytes:
    """The QR code of an address with its quiet zone inside `spot`, where there are both."""
    if spot is None or not address:
        return b""
    matrix = link_matrix(address)
    start = code_start(inside_quiet_zone(spot, matrix), matrix.side)
    return b"\n%b%b" % (start.encode("ascii"), code_bits(matrix.bits))


class _Copied:
    """Objects of another PDF, written into ours once each with all that they name."""

    def __init__(self, pdf: PdfStream, source: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._source = source
        self._numbers: dict[tuple[int, int], int] = {}

    def number(self, thing: pikepdf.Object) -> int:
        """The number in our file of an indirect object of theirs."""
        if thing.objgen not in self._numbers:
            number = self._numbers[thing.objgen] = self._pdf.reserve()
            if isinstance(thing, pikepdf.Stream):
                dropped = {"/Filter", "/DecodeParms", "/Length"}
                told = b"".join(
                    b"%b %b" % (name.encode(), self._value(value))
                    for name, value in thing.stream_dict.items()
                    if name not in dropped
                )
                self._pdf.put_stream(number, deflated(thing.read_bytes()), told + b"/Filter/FlateDecode")
            else:
                self._pdf.put(number, self._direct(thing))
        return self._numbers[thing.objgen]

    def _told(self, thing: pikepdf.Object) -> bytes:
        return b"%d 0 R" % self.number(thing) if thing.is_indirect else self._direct(thing)

    def _direct(self, thing: pikepdf.Object) -> bytes:
        if isinstance(thing, pikepdf.Dictionary):
            return b"<<%b>>" % b" ".join(
                b"%b %b" % (name.encode(), self._value(value)) for name, value in thing.items()
            )
        if isinstance(thing, pikepdf.Array):
            return b"[%b]" % b" ".join(self._value(value) for value in thing)
        return thing.unparse()

    def _value(self, value: object) -> bytes:
        """A value in a dictionary or an array: pikepdf gives numbers and booleans as Python's own."""
        if isinstance(value, pikepdf.Object):
            return self._told(value)
        return str(value).lower().encode("ascii") if isinstance(value, bool) else str(value).encode("ascii")

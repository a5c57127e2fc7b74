"""Prints batches of forms straight to a file: the art of each layout once, then a few bytes a household.

Same pages as `painter.Press`, to the pixel, many times faster, and nothing kept in memory. Nothing personal ever enters
the shared art: each page's stream holds its own household's texts and no other's.
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping
from io import BytesIO
from typing import IO

import pikepdf

from campaigns.paper_form.batch_faces import BatchFaces
from campaigns.paper_form.batch_pages import FormPlan
from campaigns.paper_form.batch_writer import BatchWriter
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.painter import FormFill, align_of, paint_art, style_of
from campaigns.paper_form.pdf_stream import PdfStream, deflated
from campaigns.paper_form.typography import POINT
from campaigns.paper_form.zones import PAGE_HEIGHT, PAGE_WIDTH, Box, FormLayout, PrefillSpot

A4 = b"[0 0 %.4f %.4f]" % (PAGE_WIDTH * POINT, PAGE_HEIGHT * POINT)


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
        self._painted = {} if painted is None else painted
        self._pdf = PdfStream(stream)
        self._last: list[bytes] = []
        self._plans: dict[str, FormPlan] = {}
        self._faces = BatchFaces()
        self._writers: dict[tuple[Box, float, str, str], BatchWriter] = {}
        self._art: dict[str, int] = {}

    @property
    def pages(self) -> int:
        """Pages printed so far."""
        return self._pdf.pages

    @property
    def digest(self) -> str:
        """Of the last form printed: SHA-256 of what its pages say (`envelope_proof`)."""
        return hashlib.sha256(b"".join(self._last)).hexdigest()

    def print(self, layout: FormLayout, fill: FormFill) -> int:
        """Print one form; returns its first page in the file, counted from 1."""
        plan = self._plans.get(layout.fingerprint) or self._prepare(layout)
        first, self._last = self._pdf.pages + 1, plan.contents(fill)
        self._pdf.add_pages(self._last, plan.worth)
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

    def _prepare(self, layout: FormLayout) -> FormPlan:
        plan = FormPlan(layout, self._store_art(layout), self.branding, self._faces, self._writer)
        self._plans[layout.fingerprint] = plan
        return plan

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

"""Prints batches of forms straight to a file: the art of each layout once, then a few bytes a household.

Same pages as `painter.Press`, to the pixel, many times faster, and nothing kept in memory. Nothing personal ever enters
the shared art: each page's stream holds its own household's texts and no other's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import IO

import pikepdf

from campaigns.paper_form.batch_faces import BatchFaces, BatchWriter
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import PAGE_CODE_SIDE, link_matrix, page_code_matrix
from campaigns.paper_form.ink import CODE_TAIL, code_head, code_operators, inside_quiet_zone
from campaigns.paper_form.page_code import page_code_text
from campaigns.paper_form.painter import FormFill, align_of, own_spots, paint_art, style_of, told_in
from campaigns.paper_form.pdf_stream import PdfStream, deflated
from campaigns.paper_form.typography import POINT
from campaigns.paper_form.zones import PAGE_HEIGHT, PAGE_WIDTH, Box, FormLayout, PrefillSpot

A4 = b"[0 0 %.4f %.4f]" % (PAGE_WIDTH * POINT, PAGE_HEIGHT * POINT)


@dataclass(frozen=True, slots=True)
class _PagePlan:
    """A page of a layout, all that does not change worked out.

    `head` draws the art and begins the page code; `number` is the page on two digits; `qr` is where the QR code of the
    first page goes; then what writes the page code's text, the known values by address, and the other texts by spot.
    """

    head: str
    number: str
    qr: Box | None
    codes: tuple[BatchWriter, ...]
    known: tuple[tuple[tuple[str, int], Callable[[str], str]], ...]
    texts: tuple[tuple[PrefillSpot, BatchWriter], ...]


class BatchPress:
    """A PDF file of forms being written. Households may have different layouts."""

    def __init__(self, stream: IO[bytes], branding: Branding, title: str = "Questionnaire") -> None:
        self.branding = branding
        self.title = title
        self._pdf = PdfStream(stream)
        self._plans: dict[str, list[_PagePlan]] = {}
        self._faces = BatchFaces()
        self._writers: dict[tuple[Box, float, str, str], BatchWriter] = {}
        self._art: dict[str, int] = {}

    @property
    def pages(self) -> int:
        """Pages printed so far."""
        return self._pdf.pages

    def print(self, layout: FormLayout, fill: FormFill) -> int:
        """Print one form; returns its first page in the file, counted from 1."""
        plans = self._plans.get(layout.fingerprint) or self._prepare(layout)
        first = self._pdf.pages + 1
        for plan in plans:
            self._pdf.add_page(self._content(plan, layout.fingerprint, fill).encode("ascii"))
        return first

    def close(self) -> None:
        """Finish the file."""
        faces = " ".join(f"/{face.name} {face.embed(self._pdf)} 0 R" for face in self._faces)
        art = " ".join(f"/{name} {number} 0 R" for name, number in self._art.items())
        self._pdf.close(
            resources=f"<</XObject<<{art}>>/Font<<{faces}>>>>".encode("ascii"),
            box=A4,
            info=b"<</Title<FEFF%b>>>" % self.title.encode("utf-16-be").hex().encode("ascii"),
            language=b"fr-FR",
        )

    def _content(self, plan: _PagePlan, layout: str, fill: FormFill) -> str:
        """The stream of one page: art, codes, then every text in one go."""
        code = page_code_text(fill.case_reference, plan.number, layout)
        parts = [plan.head, page_code_matrix(code).bits.hex(), CODE_TAIL]
        if plan.qr is not None and fill.portal_url:
            matrix = link_matrix(fill.portal_url)
            parts += ("\n", code_operators(inside_quiet_zone(plan.qr, matrix), matrix))
        parts.append("\nBT")
        parts += [write(code) for write in plan.codes]
        known = fill.prefills.get
        parts += [write(value) for address, write in plan.known if (value := known(address))]
        parts += [write(told) for spot, write in plan.texts if (told := told_in(spot, fill, self.branding))]
        parts.append("\nET")
        return "".join(parts)

    def _prepare(self, layout: FormLayout) -> list[_PagePlan]:
        names = self._store_art(layout)
        self._plans[layout.fingerprint] = [
            self._plan(layout, page, f"/{name} Do 0 g ") for page, name in enumerate(names, start=1)
        ]
        return self._plans[layout.fingerprint]

    def _plan(self, layout: FormLayout, page: int, art: str) -> _PagePlan:
        spots = [(spot, self._writer(spot)) for spot in own_spots(layout, page)]
        return _PagePlan(
            head=art + code_head(layout.page_code, PAGE_CODE_SIDE),
            number=f"{page:02d}",
            qr=next((spot.box for spot, _ in spots if spot.field == "@portal_qr"), None),
            codes=tuple(write for spot, write in spots if spot.field == "@page_code"),
            known=tuple(((spot.field, spot.row), write.line) for spot, write in spots if spot.field[0] != "@"),
            texts=tuple(
                told for told in spots if told[0].field[0] == "@" and told[0].field not in ("@page_code", "@portal_qr")
            ),
        )

    def _store_art(self, layout: FormLayout) -> list[str]:
        """Write the art of each page; returns the names that pages call it by."""
        with pikepdf.open(BytesIO(paint_art(layout, self.branding))) as source:
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

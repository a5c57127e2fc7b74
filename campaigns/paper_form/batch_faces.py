"""Faces for a batch written straight to a PDF: texts as Unicode numbers, and only the letters used embedded at the end.

A code of the text is the letter's own number; the map beside the embedded subset says which glyph it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from reportlab.pdfbase.ttfonts import TTFont, TTFontFace

from campaigns.paper_form.ink import placed
from campaigns.paper_form.pdf_stream import PdfStream, deflated
from campaigns.paper_form.typography import LAST_LETTER, POINT, clean, face_for, faces
from campaigns.paper_form.zones import PAGE_HEIGHT, Box

REMEMBERED = 1024  # texts a place remembers, for those that many households share


class BatchFace:
    """One face of a batch: its name in the resources, how wide its letters are, and those that were used so far."""

    def __init__(self, name: str, font: TTFont) -> None:
        self.name = name
        self.font = font
        self.widths = {
            chr(code): font.face.charWidths[code] for code in font.face.charToGlyph if 32 <= code <= LAST_LETTER
        }
        self.used: set[str] = set()

    def told(self, text: str) -> str:
        """`text` as the hexadecimal string that shows it."""
        text = text.replace("\u00a0", " ")
        self.used.update(text)
        return text.encode("utf-16-be", "replace").hex()

    def embed(self, pdf: PdfStream) -> int:
        """Write the face with the letters used; returns its object's number."""
        codes = sorted(ord(letter) for letter in self.used if ord(letter) <= LAST_LETTER)
        face = self.font.face
        base = b"%b+%b" % (b"BATCHF", bytes(face.name))
        number, descendant, descriptor, file, glyphs, unicode = (pdf.reserve() for _ in range(6))
        subset = face.makeSubset(codes)
        pdf.put_stream(file, deflated(subset), b"/Filter/FlateDecode/Length1 %d" % len(subset))
        pdf.put_stream(glyphs, deflated(_glyph_map(face.charToGlyph, codes)))
        pdf.put_stream(unicode, deflated(_unicode_map(codes)))
        pdf.put(descriptor, _descriptor(face, base, file))
        widths = b" ".join(b"%d[%d]" % (code, round(face.charWidths.get(code, face.defaultWidth))) for code in codes)
        pdf.put(
            descendant,
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont/%b/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
            b"/Supplement 0>>/FontDescriptor %d 0 R/CIDToGIDMap %d 0 R/DW %d/W[%b]>>"
            % (base, descriptor, glyphs, round(face.defaultWidth), widths),
        )
        pdf.put(
            number,
            b"<</Type/Font/Subtype/Type0/BaseFont/%b/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>"
            % (base, descendant, unicode),
        )
        return number


class BatchFaces:
    """The faces of a batch, each added when a text first needs it."""

    def __init__(self) -> None:
        self._faces: dict[str, BatchFace] = {}

    def __iter__(self) -> Iterator[BatchFace]:
        return iter(self._faces.values())

    def of(self, font: TTFont) -> BatchFace:
        """The face of that font in the batch."""
        if font.fontName not in self._faces:
            self._faces[font.fontName] = BatchFace(f"F{len(self._faces)}", font)
        return self._faces[font.fontName]


class BatchWriter:
    """Writes texts in one box: called with a text or with lines, it gives the operators that show them.

    A plain line that fits as it is takes a short way; all the others go through the layout's own fitting.
    """

    def __init__(self, known: BatchFaces, box: Box, size: float, style: str, align: str) -> None:
        self._known = known
        self._box, self._size, self._style, self._align = box, size, style, align
        self._face = known.of(faces(style)[0])
        self._room = box.w * POINT * 1000 / size
        ((_, baseline, _),) = placed(box, ("",), size, style)
        self._start = f"\n/{self._face.name} {size:g} Tf 1 0 0 1 "
        self._left = f"{box.x * POINT:.3f}"
        self._up = f" {(PAGE_HEIGHT - baseline) * POINT:.3f} Tm <"
        self.line: Callable[[str], str] = lru_cache(maxsize=REMEMBERED)(self._plain)

    def __call__(self, told: str | list[str]) -> str:
        """The operators for one text, where line breaks part lines, or for lines ready made."""
        return self.line(told) if isinstance(told, str) else self._fitted(told)

    def _plain(self, text: str) -> str:
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        try:
            wide = sum(map(self._face.widths.__getitem__, text))
        except KeyError:  # a line break, or a letter of another face
            return self._fitted(text.split("\n"))
        if wide > self._room:
            return self._fitted([text])
        left = self._left if self._align == "left" else f"{self._box.right * POINT - wide * self._size / 1000:.3f}"
        return f"{self._start}{left}{self._up}{self._face.told(text)}> Tj"

    def _fitted(self, lines: Sequence[str]) -> str:
        shown = tuple(clean(line) for line in lines if line)
        told = []
        for x, y, fitted in placed(self._box, shown, self._size, self._style, self._align) if shown else ():
            font = face_for(fitted.text, self._style)
            left = x * POINT
            if self._align == "right":
                left -= font.stringWidth(fitted.text, fitted.size) * fitted.stretch / 100
            stretch, back = (f" {fitted.stretch} Tz", " 100 Tz") if fitted.stretch != 100 else ("", "")
            face = self._known.of(font)
            place = f"1 0 0 1 {left:.3f} {(PAGE_HEIGHT - y) * POINT:.3f} Tm"
            told.append(f"\n/{face.name} {fitted.size:g} Tf{stretch} {place} <{face.told(fitted.text)}> Tj{back}")
        return "".join(told)


def _glyph_map(glyph_of: dict[int, int], codes: list[int]) -> bytes:
    """Two bytes a code: the glyph in the subset, whose order is that of the first use of each glyph."""
    places: dict[int, int] = {0: 0}
    told = bytearray(2 * (codes[-1] + 1) if codes else 0)
    for code in codes:
        glyph = places.setdefault(glyph_of.get(code, 0), len(places))
        told[2 * code : 2 * code + 2] = glyph.to_bytes(2, "big")
    return bytes(told)


def _unicode_map(codes: list[int]) -> bytes:
    """What copying and searching need: each code is its own letter (ISO 32000-1, 9.10.3)."""
    blocks = []
    for first in range(0, len(codes), 100):
        lines = "\n".join(f"<{code:04X}> <{code:04X}>" for code in codes[first : first + 100])
        blocks.append(f"{len(codes[first : first + 100])} beginbfchar\n{lines}\nendbfchar")
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        + "\n".join(blocks)
        + "\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")


def _descriptor(face: TTFontFace, base: bytes, file: int) -> bytes:
    edges = b" ".join(b"%d" % round(edge) for edge in face.bbox)
    heights = (face.italicAngle, face.ascent, face.descent, face.capHeight, face.stemV)
    return (
        b"<</Type/FontDescriptor/FontName/%b/Flags %d/FontBBox[%b]/ItalicAngle %d/Ascent %d/Descent %d/CapHeight %d"
        b"/StemV %d/FontFile2 %d 0 R>>" % (base, face.flags, edges, *map(round, heights), file)
    )

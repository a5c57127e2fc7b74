"""Faces for a batch written straight to a PDF: one byte a letter, and only the letters used embedded at the end.

ASCII letters are their own byte; any other takes the next free one when a text first needs it. A sheet has 128 of
those, and each sheet is a font of the file: nearly all batches need but one a face. Every reader knows such fonts.
"""

from __future__ import annotations

import unicodedata
from codecs import charmap_build, charmap_encode
from collections.abc import Iterator
from itertools import count, groupby
from operator import itemgetter
from typing import Any

from reportlab.pdfbase.ttfonts import TTFont, TTFontFace

from campaigns.paper_form.pdf_stream import PdfStream, deflated
from campaigns.paper_form.typography import faces

ASCII = range(32, 127)
PRINTED = ("regular", "bold")  # the styles that a household's own texts are printed in
MISSING = 0  # the byte of the letters that a face has not
PARTING = "\0"  # what parts the texts that are encoded together
UNMAPPED = "\ufffe"
BEYOND = 0x10000
SYMBOLIC, NONSYMBOLIC = 4, 32  # flags of a font (ISO 32000-1, table 123)


class Sheet:
    """The letters of one font of the file, each at its byte: ASCII, then the others as they come."""

    def __init__(self) -> None:
        self.letters = [code if code in ASCII else 32 for code in range(128)]
        self.letters[MISSING] = 0
        self.bytes_of = {code: code for code in ASCII} | {0xA0: 32}

    def add(self, code: int) -> bool:
        """Give a letter its byte; False when there is none left."""
        if len(self.letters) == 256:
            return False
        self.bytes_of[code] = len(self.letters)
        self.letters.append(code)
        return True


class BatchFace:
    """One face of a batch: how wide its letters are, and the bytes that stand for those used so far.

    `widest` is the width of its widest ASCII letter.
    """

    def __init__(self, names: Iterator[int], font: TTFont, first: Sheet) -> None:
        face = font.face
        self.font = font
        self.widths: dict[str, float] = {
            chr(code): face.charWidths[code] for code in face.charToGlyph if code >= ASCII.start
        }
        self.widest: float = max(self.widths[chr(code)] for code in ASCII)
        self._first = first
        self._names = names
        self._sheets: dict[str, Sheet] = {}
        self.name = self._add_sheet(first)

    def told(self, text: str, size: float) -> bytes:
        """The inside of the PDF string that shows `text`; letters of another sheet change the font and come back."""
        try:
            return escaped(charmap_encode(text, "strict", self._first.bytes_of)[0])
        except UnicodeEncodeError:
            home = b")Tj/%b %g Tf(" % (self.name.encode("ascii"), size)
            told = []
            for sheet, run in groupby(map(self._place, text), key=itemgetter(0)):
                letters = escaped(bytes(byte for _, byte in run))
                away = b")Tj/%b %g Tf(" % (sheet.encode("ascii"), size)
                told.append(letters if sheet == self.name else away + letters + home)
            return b"".join(told)

    def embed(self, pdf: PdfStream) -> Iterator[tuple[str, int]]:
        """Write a font for each sheet; gives its name and its object's number."""
        known = self.font.face.charToGlyph
        for place, (name, sheet) in enumerate(self._sheets.items()):
            mark = b"BATC%c%c" % (ord("A") + place // 26, ord("A") + place % 26)
            letters = [code if code in known else MISSING for code in sheet.letters]
            yield name, _embed(pdf, self.font.face, mark, letters)

    def _add_sheet(self, sheet: Sheet) -> str:
        name = f"F{next(self._names)}"
        self._sheets[name] = sheet
        return name

    def _place(self, letter: str) -> tuple[str, int]:
        """The sheet and the byte of a letter, given to it now when it has none."""
        code = ord(letter)
        if letter not in self.widths:
            return self.name, MISSING
        for name, sheet in self._sheets.items():
            if code in sheet.bytes_of or sheet.add(code):
                return name, sheet.bytes_of[code]
        name = self._add_sheet(Sheet())
        self._sheets[name].add(code)
        return name, self._sheets[name].bytes_of[code]


class BatchFaces:
    """The faces of a batch, each added when a text first needs it.

    The preferred faces of all styles share their first sheet, so that the texts of a form are encoded in one go.
    """

    def __init__(self) -> None:
        self._names = count()
        self._sheet = Sheet()
        self._preferred = [BatchFace(self._names, faces(style)[0], self._sheet) for style in PRINTED]
        self._faces = {str(face.font.fontName): face for face in self._preferred}
        self._plain = {chr(code) for code in self._sheet.bytes_of}
        self._sorted_out = set(self._plain)
        self._table = self._mapped()

    def of(self, font: TTFont) -> BatchFace:
        """The face of that font in the batch."""
        if font.fontName not in self._faces:
            self._faces[str(font.fontName)] = BatchFace(self._names, font, Sheet())
        return self._faces[str(font.fontName)]

    def is_plain(self, text: str) -> bool:
        """Whether `encoded` knows the letters of `text`: those of both preferred faces, none wider than the widest."""
        letters = set(text)
        if new := letters - self._sorted_out:
            self._sorted_out |= new
            self._plain.update(letter for letter in sorted(new) if self._takes(letter))
            self._table = self._mapped()
        return letters <= self._plain

    def encoded(self, texts: str) -> bytes:
        """The bytes of plain texts, as they stand inside a PDF string; their partings are kept.

        Raises UnicodeEncodeError when a letter is not, or not yet, a plain one.
        """
        return escaped(charmap_encode(texts.replace("\xa0", " "), "strict", self._table)[0])

    def embed(self, pdf: PdfStream) -> Iterator[tuple[str, int]]:
        """Write all the fonts; gives the name and the object's number of each."""
        for face in self._faces.values():
            yield from face.embed(pdf)

    def _takes(self, letter: str) -> bool:
        code = ord(letter)
        alone = unicodedata.normalize("NFC", letter) == letter and not unicodedata.combining(letter)
        narrow = all(face.widths.get(letter, face.widest + 1) <= face.widest for face in self._preferred)
        return alone and narrow and code < BEYOND and (code in self._sheet.bytes_of or self._sheet.add(code))

    def _mapped(self) -> Any:
        """The plain letters as Python's C codecs want them."""
        told = [chr(code) if chr(code) in self._plain else UNMAPPED for code in self._sheet.letters]
        told = [letter if byte in ASCII or byte > ASCII.stop else UNMAPPED for byte, letter in enumerate(told)]
        return charmap_build("".join([PARTING, *told[1:]]).ljust(256, UNMAPPED))


def escaped(letters: bytes) -> bytes:
    """`letters` as they stand inside a PDF string."""
    return letters.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _embed(pdf: PdfStream, face: TTFontFace, mark: bytes, letters: list[int]) -> int:
    """Write one sheet of a face as a TrueType font, by the place of each letter; returns its object's number."""
    base = b"%b+%b" % (mark, bytes(face.name))
    number, descriptor, file, unicode = (pdf.reserve() for _ in range(4))
    subset = face.makeSubset(letters)
    pdf.put_stream(file, deflated(subset), b"/Filter/FlateDecode/Length1 %d" % len(subset))
    pdf.put_stream(unicode, deflated(_unicode_map(letters)))
    edges = b" ".join(b"%d" % round(edge) for edge in face.bbox)
    heights = (face.italicAngle, face.ascent, face.descent, face.capHeight, face.stemV)
    pdf.put(
        descriptor,
        b"<</Type/FontDescriptor/FontName/%b/Flags %d/FontBBox[%b]/ItalicAngle %d/Ascent %d/Descent %d/CapHeight %d"
        b"/StemV %d/FontFile2 %d 0 R>>"
        % (base, face.flags & ~NONSYMBOLIC | SYMBOLIC, edges, *map(round, heights), file),
    )
    widths = b" ".join(b"%g" % face.charWidths.get(code, face.defaultWidth) for code in letters)
    pdf.put(
        number,
        b"<</Type/Font/Subtype/TrueType/BaseFont/%b/FirstChar 0/LastChar %d/Widths[%b]/FontDescriptor %d 0 R"
        b"/ToUnicode %d 0 R>>" % (base, len(letters) - 1, widths, descriptor, unicode),
    )
    return number


def _unicode_map(letters: list[int]) -> bytes:
    """What copying and searching need: which letter each byte stands for (ISO 32000-1, 9.10.3)."""
    blocks = []
    for first in range(0, len(letters), 100):
        some = letters[first : first + 100]
        lines = "\n".join(
            f"<{first + place:02X}> <{chr(code).encode('utf-16-be').hex().upper()}>" for place, code in enumerate(some)
        )
        blocks.append(f"{len(some)} beginbfchar\n{lines}\nendbfchar")
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<00> <FF>\nendcodespacerange\n"
        + "\n".join(blocks)
        + "\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")

"""Faces for a batch written straight to a PDF: one byte a letter, and only the letters used embedded at the end.

ASCII letters are their own byte; any other takes the next free one when a text first needs it. A sheet has 128 of
those, and each sheet is a font of the file: nearly all batches need but one a face. Every reader knows such fonts.
"""

from __future__ import annotations

import re
import unicodedata
from codecs import charmap_encode
from collections.abc import Iterator, Sequence
from itertools import count, groupby
from operator import itemgetter

from reportlab.pdfbase.ttfonts import TTFont, TTFontFace

from campaigns.paper_form.ink import placed
from campaigns.paper_form.pdf_stream import PdfStream, deflated
from campaigns.paper_form.typography import POINT, clean, face_for, faces
from campaigns.paper_form.zones import PAGE_HEIGHT, Box

REMEMBERED = 1024  # texts a place remembers, for those that many households share
ASCII = range(32, 127)
PLAIN = re.compile(r"[ -'*-\[\]-~]*").fullmatch  # ASCII letters that stand for themselves in a PDF string
SPECIAL = re.compile(rb"[()\\]")
MISSING = 0  # the byte of the letters that a face has not
SYMBOLIC, NONSYMBOLIC = 4, 32  # flags of a font (ISO 32000-1, table 123)


class BatchFace:
    """One face of a batch: how wide its letters are, and the bytes that stand for those used so far.

    `bytes_of` gives those of the first sheet, for `charmap_encode`; `widest` is the width of its widest letter.
    """

    def __init__(self, names: Iterator[int], font: TTFont) -> None:
        face = font.face
        self.font = font
        self.widths: dict[str, float] = {
            chr(code): face.charWidths[code] for code in face.charToGlyph if code >= ASCII.start
        }
        self.widest: float = max(self.widths[chr(code)] for code in ASCII)
        self.bytes_of = {code: code for code in ASCII} | {0xA0: 32}
        self._others: dict[int, tuple[str, int]] = {}
        self._names = names
        self._sheets: dict[str, list[int]] = {}
        self.name = self._add_sheet()

    def told(self, text: str, size: float) -> bytes:
        """The inside of the PDF string that shows `text`; letters of another sheet change the font and come back."""
        try:
            return escaped(charmap_encode(text, "strict", self.bytes_of)[0])
        except UnicodeEncodeError:
            home = b") Tj /%b %g Tf (" % (self.name.encode("ascii"), size)
            told = []
            for sheet, run in groupby(map(self._place, text), key=itemgetter(0)):
                letters = escaped(bytes(byte for _, byte in run))
                away = b") Tj /%b %g Tf (" % (sheet.encode("ascii"), size)
                told.append(letters if sheet == self.name else away + letters + home)
            return b"".join(told)

    def embed(self, pdf: PdfStream) -> Iterator[tuple[str, int]]:
        """Write a font for each sheet; gives its name and its object's number."""
        for place, (name, letters) in enumerate(self._sheets.items()):
            mark = b"BATC%c%c" % (ord("A") + place // 26, ord("A") + place % 26)
            yield name, _embed(pdf, self.font.face, mark, letters)

    def _add_sheet(self) -> str:
        name = f"F{next(self._names)}"
        self._sheets[name] = [code if code in ASCII else 32 for code in range(128)]
        self._sheets[name][MISSING] = 0
        return name

    def _place(self, letter: str) -> tuple[str, int]:
        """The sheet and the byte of a letter, given to it now when it has none."""
        code = ord(letter)
        if code in self.bytes_of:
            return self.name, self.bytes_of[code]
        if letter not in self.widths:
            return self.name, MISSING
        if code not in self._others:
            name = list(self._sheets)[-1]
            if len(self._sheets[name]) == 256:
                name = self._add_sheet()
            place = name, len(self._sheets[name])
            self._sheets[name].append(code)
            if name == self.name:
                self.bytes_of[code] = place[1]
                self.widest = max(self.widest, self.widths[letter])
                return place
            self._others[code] = place
        return self._others[code]


class BatchFaces:
    """The faces of a batch, each added when a text first needs it."""

    def __init__(self) -> None:
        self._faces: dict[str, BatchFace] = {}
        self._names = count()

    def of(self, font: TTFont) -> BatchFace:
        """The face of that font in the batch."""
        if font.fontName not in self._faces:
            self._faces[font.fontName] = BatchFace(self._names, font)
        return self._faces[font.fontName]

    def embed(self, pdf: PdfStream) -> Iterator[tuple[str, int]]:
        """Write all the fonts; gives the name and the object's number of each."""
        for face in self._faces.values():
            yield from face.embed(pdf)


class BatchWriter(dict[str | tuple[str, ...], bytes]):
    """Writes texts in one box: asked for a text (line breaks part its lines) or for lines, it gives what shows them.

    It remembers the last texts. A line that fits as it is takes a short way; all the others go through the layout's
    own fitting.
    """

    def __init__(self, known: BatchFaces, box: Box, size: float, style: str, align: str) -> None:
        super().__init__()
        self._known = known
        self._box, self._size, self._style, self._align = box, size, style, align
        self._face = known.of(faces(style)[0])
        self._room = box.w * POINT * 1000 / size
        self._ascii = int(self._room // self._face.widest) if align == "left" else 0
        self._left, self._right = f"{box.x * POINT:.3f}", box.right * POINT
        self._font = f"\n/{self._face.name} {size:g} Tf 1 0 0 1 "
        self._heights: dict[int, list[str]] = {}
        (self._height,) = self._heights_of(1)
        self._start = f"{self._font}{self._left}{self._height}"

    def __missing__(self, told: str | tuple[str, ...]) -> bytes:
        if len(self) >= REMEMBERED:
            self.clear()
        if isinstance(told, str):
            if len(told) <= self._ascii and PLAIN(told):
                shown = f"{self._start}{told}) Tj".encode("ascii")
            else:
                shown = self._line(told, self._height) or self._shown(told.split("\n"))
        else:
            shown = self._shown(told)
        self[told] = shown
        return shown

    def _shown(self, told: Sequence[str]) -> bytes:
        """The operators that show these lines, the empty ones left out."""
        lines = [line for line in told if line]
        shown = list(map(self._line, lines, self._heights_of(len(lines))))
        return b"".join(shown) if all(shown) else self._fitted(lines)

    def _line(self, text: str, height: str) -> bytes:
        """A line that fits as it is in the preferred face; nothing for any other."""
        if len(text) <= self._ascii and PLAIN(text):
            return f"{self._font}{self._left}{height}{text}) Tj".encode("ascii")
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        face = self._face
        try:
            wide = self.width_of(text)
        except KeyError:  # a control character, or a letter of another face
            return b""
        if wide > self._room:
            return b""
        return b"%b%b) Tj" % (f"{self._font}{self._left_of(wide)}{height}".encode("ascii"), face.told(text, self._size))

    def width_of(self, letters: str) -> float:
        """How wide letters of the preferred face are, in thousandths of their size. Raises KeyError for others."""
        return sum(map(self._face.widths.__getitem__, letters))

    def measured(self, text: str, wide: float) -> bytes:
        """The operators that show one line of ASCII letters and figures whose width is known."""
        if wide > self._room:
            return self._fitted((text,))
        return f"{self._font}{self._left_of(wide)}{self._height}{text}) Tj".encode("ascii")

    def _left_of(self, wide: float) -> str:
        return self._left if self._align == "left" else f"{self._right - wide * self._size / 1000:.3f}"

    def _heights_of(self, lines: int) -> list[str]:
        """What comes between the left edge and the letters of each of so many lines of the usual size."""
        if lines not in self._heights:
            spots = placed(self._box, ("",) * lines, self._size, self._style) if lines else ()
            self._heights[lines] = [f" {(PAGE_HEIGHT - y) * POINT:.3f} Tm (" for _, y, _ in spots]
        return self._heights[lines]

    def _fitted(self, lines: Sequence[str]) -> bytes:
        shown = tuple(clean(line) for line in lines)
        told = []
        for x, y, fitted in placed(self._box, shown, self._size, self._style, self._align):
            font = face_for(fitted.text, self._style)
            left = x * POINT
            if self._align == "right":
                left -= font.stringWidth(fitted.text, fitted.size) * fitted.stretch / 100
            stretch, back = (f" {fitted.stretch} Tz", " 100 Tz") if fitted.stretch != 100 else ("", "")
            face = self._known.of(font)
            place = f"1 0 0 1 {left:.3f} {(PAGE_HEIGHT - y) * POINT:.3f} Tm"
            start = f"\n/{face.name} {fitted.size:g} Tf{stretch} {place} ("
            told.append(b"%b%b) Tj%b" % (start.encode(), face.told(fitted.text, fitted.size), back.encode()))
        return b"".join(told)


def escaped(letters: bytes) -> bytes:
    """`letters` as they stand inside a PDF string."""
    if b"(" in letters or b")" in letters or b"\\" in letters:
        return SPECIAL.sub(rb"\\\g<0>", letters)
    return letters


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

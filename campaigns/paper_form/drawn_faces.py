"""Faces for tagged copies: texts as two-byte numbers, so that one face holds every letter and tells what each one is.

A number is the letter's own in Unicode; letters beyond 16 bits take one of the private area.
"""

from __future__ import annotations

from functools import cache

from reportlab.pdfbase.ttfonts import TTFont, TTFontFace

from campaigns.paper_form.pdf_stream import PdfStream, deflated
from campaigns.paper_form.typography import STYLES, faces

USUAL = frozenset(bytes(range(32, 256)).decode("cp1252", "ignore")) | frozenset("\u202f‑")
PRIVATE = 0xE000  # where the numbers of letters beyond 16 bits begin
BEYOND = 0x10000


class DrawnFace:
    """One face of a paper: its name in the resources, the letters used so far and their numbers."""

    def __init__(self, name: str, font: TTFont) -> None:
        self.name = name
        self.font = font
        self.numbers: dict[str, int] = {}
        self._beyond = 0

    def told(self, text: str) -> str:
        """`text` as the hexadecimal string that shows it."""
        text = text.replace("\u00a0", " ")
        for letter in set(text) - self.numbers.keys():
            self._number(letter)
        if not self._beyond:
            return text.encode("utf-16-be").hex()
        return b"".join(self.numbers[letter].to_bytes(2, "big") for letter in text).hex()

    def holds(self, text: str) -> bool:
        """Whether every letter of `text` has its number already."""
        return self.numbers.keys() >= set(text.replace("\u00a0", " "))

    def _number(self, letter: str) -> None:
        code = ord(letter)
        if code >= BEYOND:
            code, self._beyond = PRIVATE + self._beyond, self._beyond + 1
        self.numbers[letter] = code

    def embed(self, pdf: PdfStream) -> int:
        """Write the face with the letters used; returns its object's number."""
        letters = sorted(self.numbers, key=self.numbers.__getitem__)
        face = self.font.face
        base = b"TAGGED+%b" % bytes(face.name)
        number, descendant, descriptor, file, glyphs, unicode = (pdf.reserve() for _ in range(6))
        subset = face.makeSubset([ord(letter) for letter in letters])
        pdf.put_stream(file, deflated(subset), b"/Filter/FlateDecode/Length1 %d" % len(subset))
        pdf.put_stream(glyphs, deflated(self._glyph_map(letters)))
        pdf.put_stream(unicode, deflated(self._unicode_map(letters)))
        pdf.put(descriptor, _descriptor(face, base, file))
        widths = b" ".join(
            b"%d[%d]" % (self.numbers[letter], round(face.charWidths.get(ord(letter), face.defaultWidth)))
            for letter in letters
        )
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

    def _glyph_map(self, letters: list[str]) -> bytes:
        """Two bytes a number: the glyph in the subset, whose order is that of the first use of each glyph."""
        places: dict[int, int] = {0: 0}
        told = bytearray(2 * (self.numbers[letters[-1]] + 1) if letters else 0)
        for letter in letters:
            glyph = places.setdefault(self.font.face.charToGlyph.get(ord(letter), 0), len(places))
            at = 2 * self.numbers[letter]
            told[at : at + 2] = glyph.to_bytes(2, "big")
        return bytes(told)

    def _unicode_map(self, letters: list[str]) -> bytes:
        """What copying, searching and reading out need: the letter of each number (ISO 32000-1, 9.10.3)."""
        blocks = []
        for first in range(0, len(letters), 100):
            some = letters[first : first + 100]
            lines = "\n".join(f"<{self.numbers[each]:04X}> <{each.encode('utf-16-be').hex()}>" for each in some)
            blocks.append(f"{len(some)} beginbfchar\n{lines}\nendbfchar")
        return (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
            + "\n".join(blocks)
            + "\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        ).encode("ascii")


class DrawnFaces:
    """The faces of one paper: the usual ones, and one more each time a text has a letter that they lack."""

    def __init__(self, prefix: str) -> None:
        self.own: dict[str, DrawnFace] = {}
        self._prefix = prefix

    def of(self, font: TTFont, text: str) -> DrawnFace:
        """The face that shows `text`."""
        name = str(font.fontName)
        usual = usual_faces().get(name)
        if usual is not None and usual.holds(text):
            return usual
        if name not in self.own:
            self.own[name] = DrawnFace(f"{self._prefix}{len(self.own)}", font)
        return self.own[name]


@cache
def usual_faces() -> dict[str, DrawnFace]:
    """The preferred face of each style with the letters of French print, by font name; nothing is added to them."""
    found = {}
    for place, style in enumerate(STYLES):
        font = faces(style)[0]
        face = DrawnFace(f"F{place}", font)
        face.told("".join(sorted(letter for letter in USUAL if ord(letter) in font.face.charToGlyph)))
        found[str(font.fontName)] = face
    return found


def _descriptor(face: TTFontFace, base: bytes, file: int) -> bytes:
    edges = b" ".join(b"%d" % round(edge) for edge in face.bbox)
    heights = (face.italicAngle, face.ascent, face.descent, face.capHeight, face.stemV)
    return (
        b"<</Type/FontDescriptor/FontName/%b/Flags %d/FontBBox[%b]/ItalicAngle %d/Ascent %d/Descent %d/CapHeight %d"
        b"/StemV %d/FontFile2 %d 0 R>>" % (base, face.flags, edges, *map(round, heights), file)
    )

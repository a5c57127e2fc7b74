"""Writes texts in one place of a batch's pages, wherever its line begins and whatever has to be done for it to fit.

For what is set on the right, and for the texts that a page's own template cannot hold: see `batch_pages`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from campaigns.paper_form.batch_faces import BatchFaces
from campaigns.paper_form.ink import placed
from campaigns.paper_form.typography import POINT, clean, face_for, faces
from campaigns.paper_form.zones import PAGE_HEIGHT, Box

PLAIN = re.compile(r"[ -'*-\[\]-~]*").fullmatch  # ASCII letters that stand for themselves in a PDF string
REMEMBERED = 64  # texts and widths a place remembers, for those that several pages or households share


class BatchWriter(dict[str | tuple[str, ...], bytes]):
    """Asked for a text (line breaks part its lines) or for lines, it gives the operators that show them.

    `room` is the width of the place in thousandths of the size of its letters, `left` its left edge in points, `font`
    the operator that takes its face.
    """

    __eq__ = object.__eq__  # two places are not one, whatever they remember
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init__(self, known: BatchFaces, box: Box, size: float, style: str, align: str) -> None:
        super().__init__()
        self._known = known
        self._box, self._size, self._style, self._align = box, size, style, align
        self.face = known.of(faces(style)[0])
        self.room = box.w * POINT * 1000 / size
        self.font = f"/{self.face.name} {size:g} Tf"
        x, y, _ = next(placed(box, ("",), size, style))
        self.left, self._right = x * POINT, box.right * POINT
        self._scale = size / 1000
        self._plain: dict[str | tuple[str, ...], str] = {}
        self._starts: dict[float, bytes] = {}
        self._moved = f"{self.font} 1 0 0 1 "
        self._height = f" {(PAGE_HEIGHT - y) * POINT:.2f} Tm("

    def __missing__(self, told: str | tuple[str, ...]) -> bytes:
        if len(self) >= REMEMBERED:
            self.clear()
        lines = told.split("\n") if isinstance(told, str) else told
        shown = self[told] = (len(lines) == 1 and self._as_it_is(lines[0])) or self._fitted(lines)
        return shown

    def plain(self, told: str | tuple[str, ...]) -> str:
        """`told`, its letters composed, when its place holds it as it is and `BatchFaces.encoded` knows it; or ''."""
        if told not in self._plain:
            if len(self._plain) >= REMEMBERED:
                self._plain.clear()
            text = unicodedata.normalize("NFC", told) if isinstance(told, str) else ""
            fits = self._known.is_plain(text) and self.width_of(text) <= self.room
            self._plain[told] = text if fits else ""
        return self._plain[told]

    def heights(self, lines: int) -> list[float]:
        """The baseline of each of so many lines of the usual size, in points from the bottom of the page."""
        return [(PAGE_HEIGHT - y) * POINT for _, y, _ in placed(self._box, ("",) * lines, self._size, self._style)]

    def width_of(self, letters: str) -> float:
        """How wide letters of the preferred face are, in thousandths of their size. Raises KeyError for others."""
        return sum(map(self.face.widths.__getitem__, letters))

    def measured(self, letters: bytes, wide: float) -> bytes:
        """The operators that show one line of ASCII letters and figures whose width is known."""
        start = self._starts.get(wide) or self._start(wide)
        return b"%b%b)Tj " % (start, letters) if start else self._fitted((letters.decode("ascii"),))

    def _start(self, wide: float) -> bytes:
        """What comes before the letters of a line so wide, remembered; nothing for one wider than its place."""
        if wide > self.room:
            return b""
        if len(self._starts) >= REMEMBERED:
            self._starts.clear()
        left = self.left if self._align == "left" else self._right - wide * self._scale
        start = self._starts[wide] = f"{self._moved}{left:.3f}{self._height}".encode("ascii")
        return start

    def _as_it_is(self, text: str) -> bytes:
        """A line that fits as it is in the preferred face; nothing for any other."""
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        try:
            wide = self.width_of(text)
        except KeyError:  # a control character, or a letter of another face
            return b""
        if not text or wide > self.room:
            return b""
        if PLAIN(text):
            return self.measured(text.encode("ascii"), wide)
        return self.measured(b"\0", wide).replace(b"\0", self.face.told(text, self._size))

    def _fitted(self, lines: Sequence[str]) -> bytes:
        shown, told = tuple(clean(line) for line in lines if line), []
        if not shown:
            return b""
        for x, y, fitted in placed(self._box, shown, self._size, self._style, self._align):
            font = face_for(fitted.text, self._style)
            left = x * POINT
            if self._align == "right":
                left -= font.stringWidth(fitted.text, fitted.size) * fitted.stretch / 100
            stretch, back = (f" {fitted.stretch} Tz", " 100 Tz") if fitted.stretch != 100 else ("", "")
            face = self._known.of(font)
            place = f"1 0 0 1 {left:.3f} {(PAGE_HEIGHT - y) * POINT:.3f} Tm"
            start = f"/{face.name} {fitted.size:g} Tf{stretch} {place}("
            told.append(b"%b%b)Tj%b " % (start.encode(), face.told(fitted.text, fitted.size), back.encode()))
        return b"".join(told)

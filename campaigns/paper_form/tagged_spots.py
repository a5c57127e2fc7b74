"""The spots of a layout made ready for tagged copies: all that can be known of a text before it is told.

Most texts fit as they are in the usual face; those take the short way. The others are drawn as on every paper.
"""

from __future__ import annotations

from functools import cache

from campaigns.paper_form.codes import Matrix
from campaigns.paper_form.drawn import DrawnInk
from campaigns.paper_form.drawn_faces import DrawnFace, usual_faces
from campaigns.paper_form.ink import placed
from campaigns.paper_form.painter import align_of, draw_code, style_of
from campaigns.paper_form.reading_order import Leaf
from campaigns.paper_form.typography import POINT, faces
from campaigns.paper_form.zones import PAGE_HEIGHT, PrefillSpot

Told = tuple[str, ...] | Matrix
ARTIFACT = "/Artifact BMC"


class ReadySpot:
    """A spot of one page; `leaf` is its place in what is read out, None for what is not."""

    def __init__(self, spot: PrefillSpot, leaf: Leaf | None) -> None:
        self.spot, self.leaf = spot, leaf
        self._begins = marked(leaf)
        self._style, self._align = style_of(spot), align_of(spot)
        self._room = spot.box.w * POINT * 1000 / spot.size  # thousandths of the size, as the widths of letters are
        face, self._widths = _usual(self._style)
        right = self._align == "right"
        self._edge = spot.box.right * POINT if right else None
        x, baseline, _ = next(placed(spot.box, ("",), spot.size, self._style, self._align))
        along = "" if right else f"{x * POINT:.3f}"
        self._before = f"{self._begins}\nBT /{face.name} {spot.size:g} Tf 1 0 0 1 {along}"
        self._after = f" {(PAGE_HEIGHT - baseline) * POINT:.3f} Tm <"

    def drawn(self, told: Told, ink: DrawnInk) -> str:
        """The operators that show what the spot holds, in the colour of the moment; '' when it holds nothing."""
        if not told:
            return ""
        if isinstance(told, Matrix):
            draw_code(ink, self.spot, told)
        elif len(told) == 1 and (line := self.plain(told[0])):
            return line
        else:
            ink.lines(self.spot.box, told, self.spot.size, self._style, self._align)
        return f"{self._begins}\n{ink.taken()}\nEMC"

    def plain(self, line: str) -> str:
        """The operators of a line that fits as it is in the usual face, '' for any other."""
        try:
            wide = sum(map(self._widths.__getitem__, line))
        except KeyError:
            return ""
        if wide > self._room:
            return ""
        along = "" if self._edge is None else f"{self._edge - wide * self.spot.size / 1000:.3f}"
        return f"{self._before}{along}{self._after}{line.encode('utf-16-be').hex()}> Tj ET\nEMC"


def marked(leaf: Leaf | None) -> str:
    """What begins marked content: that of `leaf`, or what is not read out."""
    return ARTIFACT if leaf is None else f"/Span <</MCID {leaf.mark}>> BDC"


@cache
def _usual(style: str) -> tuple[DrawnFace, dict[str, float]]:
    """The usual face of a style, and how wide each of its letters is, in thousandths of its size."""
    font = faces(style)[0]
    face = usual_faces()[str(font.fontName)]
    return face, {letter: font.face.charWidths[ord(letter)] for letter in face.numbers}

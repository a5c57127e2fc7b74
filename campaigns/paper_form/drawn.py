"""Drawing as PDF operators instead of on a ReportLab canvas: what tagged copies are made of.

The same figures and texts as `ink.Ink`, to the pixel.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from math import cos, radians, sin

from PIL import Image

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import Matrix
from campaigns.paper_form.drawn_faces import DrawnFaces
from campaigns.paper_form.ink import Ink, code_operators, logo_box
from campaigns.paper_form.typography import POINT, Fitted, face_for
from campaigns.paper_form.zones import PAGE_HEIGHT, Box

CURVE = 0.4472  # what ReportLab's round corners take for the control points of a quarter of a circle
LOGO = "L0"


class DrawnInk(Ink):
    """Ink whose strokes are kept as operators in `strokes`."""

    def __init__(self, branding: Branding, known: DrawnFaces) -> None:
        self.branding = branding
        self.strokes: list[str] = []
        self._known = known
        self._pen = None

    def taken(self) -> str:
        """All that was drawn since the last call."""
        told = "\n".join(self.strokes)
        self.strokes.clear()
        return told

    def fill_tone(self, tone: str) -> None:
        """The colour of what is filled or written next."""
        self.strokes.append(_colour(self.colour(tone), "g", "rg"))

    def stroke_tone(self, tone: str) -> None:
        """The colour of the next lines."""
        self.strokes.append(_colour(self.colour(tone), "G", "RG"))

    def rectangle(self, box: Box, radius: float = 0.0, *, stroke: float = 0.0, fill: str = "") -> None:
        """A rectangle, stroked `stroke` points wide and filled with a tone, either or both."""
        if fill:
            self.fill_tone(fill)
        paint = {(True, True): "B", (True, False): "S", (False, True): "f"}.get((stroke > 0, bool(fill)), "n")
        left, bottom = box.x * POINT, (PAGE_HEIGHT - box.bottom) * POINT
        outline = _rounded if radius else _square
        self.strokes.append(
            f"{stroke or 1:g} w {outline(left, bottom, box.w * POINT, box.h * POINT, radius * POINT)} {paint}"
        )

    def rule(self, box: Box, points: float) -> None:
        """A line along a box without height or without width."""
        top, bottom = (PAGE_HEIGHT - box.y) * POINT, (PAGE_HEIGHT - box.bottom) * POINT
        self.strokes.append(f"{points:g} w {box.x * POINT:.3f} {top:.3f} m {box.right * POINT:.3f} {bottom:.3f} l S")

    def text(self, x: float, y: float, fitted: Fitted, style: str = "regular", align: str = "left") -> None:
        """A fitted text with its baseline at (x, y)."""
        font = face_for(fitted.text, style)
        left = x * POINT
        if align != "left":
            wide = font.stringWidth(fitted.text, fitted.size) * fitted.stretch / 100
            left -= wide if align == "right" else wide / 2
        face = self._known.of(font, fitted.text)
        stretch, back = (f" {fitted.stretch} Tz", " 100 Tz") if fitted.stretch != 100 else ("", "")
        place = f"1 0 0 1 {left:.3f} {(PAGE_HEIGHT - y) * POINT:.3f} Tm"
        shown = face.told(fitted.text)
        self.strokes.append(f"BT /{face.name} {fitted.size:g} Tf{stretch} {place} <{shown}> Tj{back} ET")

    def turned(self, x: float, y: float, angle: int, words: str) -> None:
        """Bold words of 10 points centred on (x, y), turned by `angle` degrees."""
        along, up = cos(radians(angle)), sin(radians(angle))
        place = f"{along:.3f} {up:.3f} {-up:.3f} {along:.3f} {x * POINT:.3f} {(PAGE_HEIGHT - y) * POINT:.3f} cm"
        font = face_for(words, "bold")
        face = self._known.of(font, words)
        left = -font.stringWidth(words, 10) / 2
        text = f"BT /{face.name} 10 Tf 1 0 0 1 {left:.3f} -3 Tm <{face.told(words)}> Tj ET"
        self.strokes.append(f"q {place} {text} Q")

    def code(self, box: Box, matrix: Matrix) -> None:
        """A two-dimensional code filling `box`."""
        self.fill_tone("ink")
        self.strokes.append(code_operators(box, matrix))

    def logo(self, box: Box) -> None:
        """The landlord's logo in the top left of `box`, else its name in large."""
        if self.branding.logo is None:
            super().logo(box)
            return
        picture = picture_of(self.branding.logo)
        place = logo_box(box, picture.size)
        bottom = (PAGE_HEIGHT - place.bottom) * POINT
        matrix = f"{place.w * POINT:.3f} 0 0 {place.h * POINT:.3f} {place.x * POINT:.3f} {bottom:.3f} cm"
        self.strokes.append(f"q {matrix} /{LOGO} Do Q")


def _colour(parts: tuple[float, ...], grey: str, rgb: str) -> str:
    return " ".join(f"{part:.4g}" for part in parts) + " " + (grey if len(parts) == 1 else rgb)


def _square(x: float, y: float, wide: float, high: float, radius: float) -> str:
    return f"{x:.3f} {y:.3f} {wide:.3f} {high:.3f} re"


def _rounded(x: float, y: float, wide: float, high: float, radius: float) -> str:
    right, top, held = x + wide, y + high, radius * CURVE
    points = (
        ((x + radius, y),),
        ((right - radius, y),),
        ((right - held, y), (right, y + held), (right, y + radius)),
        ((right, top - radius),),
        ((right, top - held), (right - held, top), (right - radius, top)),
        ((x + radius, top),),
        ((x + held, top), (x, top - held), (x, top - radius)),
        ((x, y + radius),),
        ((x, y + held), (x + held, y), (x + radius, y)),
    )
    told = []
    for step, place in enumerate(points):
        operator = "m" if step == 0 else "l" if len(place) == 1 else "c"
        told.append(" ".join(f"{across:.3f} {up:.3f}" for across, up in place) + f" {operator}")
    return " ".join([*told, "h"])


@dataclass(frozen=True, slots=True)
class Picture:
    """A logo as PDF wants it: deflated RGB, and how opaque each point is, deflated too (b'' when all are)."""

    size: tuple[int, int]
    colours: bytes
    opacity: bytes


@lru_cache(maxsize=16)
def picture_of(logo: bytes) -> Picture:
    """The picture in a PNG or JPEG file that `Branding` accepted."""
    with Image.open(BytesIO(logo)) as opened:
        whole = opened.convert("RGBA")
    opacity = whole.getchannel("A")
    shown = b"" if opacity.getextrema()[0] == 255 else zlib.compress(opacity.tobytes())
    return Picture(whole.size, zlib.compress(whole.convert("RGB").tobytes()), shown)

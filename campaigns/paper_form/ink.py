"""Drawing on a ReportLab canvas in millimetres from the top left: tones, figures, fitted texts, codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import IO

from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from campaigns.paper_form.branding import Branding
from campaigns.paper_form.codes import QUIET_MODULES, Matrix
from campaigns.paper_form.typography import POINT, Fitted, face_for, faces, fit
from campaigns.paper_form.zones import PAGE_HEIGHT, PAGE_WIDTH, Box, Shape

GREYS = {"ink": 0.0, "soft": 0.34, "line": 0.66, "hair": 0.86, "divider": 0.5, "paper": 1.0, "inverse": 1.0}
TINT = 0.07  # share of the accent in a tinted panel
CAP_HEIGHT = 0.66
INVERTED = bytes(range(255, -1, -1))
SPECIMEN = "SPÉCIMEN — RÉPÉTITION"


rl_config.useA85 = 0  # bytes as they are: ASCII would make every stream a fifth longer


def open_canvas(stream: IO[bytes], title: str) -> Canvas:
    """An A4 canvas with embedded faces only, compressed, whose bytes depend on nothing but what is drawn."""
    first = faces("regular")[0].fontName
    size = (PAGE_WIDTH * POINT, PAGE_HEIGHT * POINT)
    canvas = Canvas(
        stream,
        pagesize=size,
        pageCompression=1,
        invariant=1,
        initialFontName=first,  # type: ignore[arg-type]  # the stub says float
        lang="fr-FR",
    )
    canvas.setTitle(title)
    return canvas


def placed(
    box: Box, lines: tuple[str, ...], size: float, style: str, align: str = "left"
) -> Iterator[tuple[float, float, Fitted]]:
    """Where each line goes: x in mm (the right edge for what is aligned right), baseline in mm, the fitted text.

    In points, left edges and baselines have two decimals: a batch says each of them for each household.
    """
    x = box.right if align == "right" else round(box.x * POINT, 2) / POINT
    step = min(size * 1.28 / POINT, box.h / len(lines))
    y = box.y + box.h / 2 if len(lines) == 1 else box.y + step / 2
    for line in lines:
        fitted = fit(line, box.w, size, style)
        height = round((PAGE_HEIGHT - y) * POINT - fitted.size * CAP_HEIGHT / 2, 2)
        yield x, PAGE_HEIGHT - height / POINT, fitted
        y += step


@lru_cache(maxsize=256)
def code_start(box: Box, side: int) -> str:
    """What comes before the bits of a code: a one-bit mask of `side` modules filling `box`, 0 for what is dark."""
    place = f"{box.w * POINT:.3f} 0 0 {box.h * POINT:.3f} {box.x * POINT:.3f} {(PAGE_HEIGHT - box.bottom) * POINT:.3f}"
    return f"q {place} cm BI/W {side}/H {side}/IM true "


def code_bits(bits: bytes) -> bytes:
    """The bits of a code (0 is dark) after `code_start`; in hexadecimal when they would hold what ends them."""
    return b"/F/AHx ID %b> EI Q" % bits.hex().encode("ascii") if b"EI" in bits else b"ID %b\nEI Q" % bits


def code_operators(box: Box, matrix: Matrix) -> str:
    """What draws a code filling `box`, in the colour of the moment."""
    return f"{code_start(box, matrix.side)}/F/AHx ID {matrix.bits.translate(INVERTED).hex()}> EI Q"


def inside_quiet_zone(box: Box, matrix: Matrix) -> Box:
    """Where the code itself goes when its quiet zone fills the rest of `box`."""
    quiet = box.w * QUIET_MODULES / (matrix.side + 2 * QUIET_MODULES)
    return Box(box.x + quiet, box.y + quiet, box.w - 2 * quiet, box.h - 2 * quiet)


class Ink:
    """A canvas seen in millimetres, with the landlord's accent."""

    def __init__(self, canvas: Canvas, branding: Branding) -> None:
        self.canvas = canvas
        self.branding = branding
        self._pen: PDFTextObject | None = None

    def colour(self, tone: str) -> tuple[float, ...]:
        """A tone as one share of white, or as red, green and blue."""
        if tone == "accent":
            return self.branding.rgb
        if tone == "tint":
            red, green, blue = (1 - TINT * (1 - part) for part in self.branding.rgb)
            return red, green, blue
        return (GREYS[tone],)

    def fill_tone(self, tone: str) -> None:
        """The colour of what is filled or written next."""
        colour = self.colour(tone)
        if len(colour) == 1:
            self.canvas.setFillGray(*colour)
        else:
            self.canvas.setFillColorRGB(*colour)

    def stroke_tone(self, tone: str) -> None:
        """The colour of the next lines."""
        colour = self.colour(tone)
        if len(colour) == 1:
            self.canvas.setStrokeGray(*colour)
        else:
            self.canvas.setStrokeColorRGB(*colour)

    def rectangle(self, box: Box, radius: float = 0.0, *, stroke: float = 0.0, fill: str = "") -> None:
        """A rectangle, stroked `stroke` points wide and filled with a tone, either or both."""
        if fill:
            self.fill_tone(fill)
        self.canvas.setLineWidth(stroke or 1)
        x, y = box.x * POINT, (PAGE_HEIGHT - box.bottom) * POINT
        wide, high, round_ = box.w * POINT, box.h * POINT, radius * POINT
        if radius:
            self.canvas.roundRect(x, y, wide, high, round_, stroke=int(stroke > 0), fill=int(bool(fill)))
        else:
            self.canvas.rect(x, y, wide, high, stroke=int(stroke > 0), fill=int(bool(fill)))

    def rule(self, box: Box, points: float) -> None:
        """A line along a box without height or without width."""
        self.canvas.setLineWidth(points)
        top, bottom = (PAGE_HEIGHT - box.y) * POINT, (PAGE_HEIGHT - box.bottom) * POINT
        self.canvas.line(box.x * POINT, top, box.right * POINT, bottom)

    def shape(self, shape: Shape) -> None:
        """One printed figure of a layout."""
        if shape.kind in ("panel", "band"):
            self.rectangle(shape.box, shape.radius, fill=shape.tone)
        elif shape.kind == "frame":
            self.stroke_tone(shape.tone)
            self.rectangle(shape.box, shape.radius, stroke=0.6)
        else:
            self.stroke_tone(shape.tone)
            self.rule(shape.box, 0.4 if shape.tone == "hair" else 0.6)

    def text(self, x: float, y: float, fitted: Fitted, style: str = "regular", align: str = "left") -> None:
        """A fitted text with its baseline at (x, y)."""
        face = face_for(fitted.text, style)
        left = x * POINT
        if align != "left":
            wide = face.stringWidth(fitted.text, fitted.size) * fitted.stretch / 100
            left -= wide if align == "right" else wide / 2
        if self._pen is None:
            pen = self.canvas.beginText(left, (PAGE_HEIGHT - y) * POINT)
        else:
            pen = self._pen
            pen.setTextOrigin(left, (PAGE_HEIGHT - y) * POINT)
        pen.setFont(face.fontName, fitted.size)
        if fitted.stretch != 100:
            pen.setHorizScale(fitted.stretch)
        pen.textOut(fitted.text)
        if fitted.stretch != 100:
            pen.setHorizScale(100)
        if self._pen is None:
            self.canvas.drawText(pen)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Many texts of one tone in a row, as one text object: a page of values is written twice as fast."""
        self._pen = self.canvas.beginText(0, 0)
        try:
            yield
            self.canvas.drawText(self._pen)
        finally:
            self._pen = None

    def lines(self, box: Box, lines: tuple[str, ...], size: float, style: str, align: str = "left") -> None:
        """One line in the middle of `box`, or several from its top, each fitted to its width."""
        for x, y, fitted in placed(box, lines, size, style, align):
            self.text(x, y, fitted, style, align)

    def code(self, box: Box, matrix: Matrix) -> None:
        """A two-dimensional code filling `box`, as a one-bit mask that stays sharp at every resolution."""
        self.fill_tone("ink")
        self.canvas.addLiteral(code_operators(box, matrix))

    def code_with_quiet(self, box: Box, matrix: Matrix) -> None:
        """The code with its quiet zone inside `box`."""
        self.code(inside_quiet_zone(box, matrix), matrix)

    def logo(self, box: Box) -> None:
        """The landlord's logo in the top left of `box`, else its name in large."""
        if self.branding.logo is None:
            self.fill_tone("accent")
            name = fit(self.branding.name, box.w, 20, "bold")
            self.text(box.x, box.y + 14, name, "bold")
            return
        image = ImageReader(BytesIO(self.branding.logo))
        place = logo_box(box, image.getSize())
        bottom = (PAGE_HEIGHT - place.bottom) * POINT
        self.canvas.drawImage(image, place.x * POINT, bottom, place.w * POINT, place.h * POINT, mask="auto")

    def specimen(self) -> None:
        """The mark of a rehearsal: at the top and along both sides, away from everything that is read."""
        self.fill_tone("divider")
        self.text(PAGE_WIDTH / 2 - 20, 10.5, Fitted(SPECIMEN, 10), "bold", "center")
        for x, angle in ((12.5, 90), (PAGE_WIDTH - 12.5, 270)):
            self.turned(x, PAGE_HEIGHT / 2, angle, SPECIMEN)

    def turned(self, x: float, y: float, angle: int, words: str) -> None:
        """Bold words of 10 points centred on (x, y), turned by `angle` degrees."""
        self.canvas.saveState()
        self.canvas.translate(x * POINT, (PAGE_HEIGHT - y) * POINT)
        self.canvas.rotate(angle)
        self.canvas.setFont(faces("bold")[0].fontName, 10)
        self.canvas.drawCentredString(0, -3, words)
        self.canvas.restoreState()


def logo_box(box: Box, size: tuple[int, int]) -> Box:
    """Where a logo of `size` pixels goes: the top left of `box`, as large as it holds."""
    wide, high = size
    scale = min(box.w / wide, box.h / high)
    return Box(box.x, box.y, wide * scale, high * scale)

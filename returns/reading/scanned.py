"""What opening a scan gives: pages, the limits they must keep, and the decoding that image and PDF files share."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from returns.reading.pixels import MM_PER_INCH, Grey

A4_INCHES = (210 / MM_PER_INCH, 297 / MM_PER_INCH)
PLAUSIBLE_DPI = range(50, 1251)
FINE_DPI = 380  # above, a page is halved: the reader gains nothing from more
JPEG_END = b"\xff\xd9"
BLOCK = 8  # pixels on a side of what JPEG codes together
FILLING = 128  # the grey of blocks that never came
LARGEST_KEPT = 800_000  # octets of a JPEG worth keeping as it came: 200 dpi pages have 150,000 to 550,000


class UnreadableScan(ValueError):
    """The file (or one of its pages) cannot be read; the message is French and says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is accepted of one file."""

    octets: int = 500_000_000
    pages: int = 2000  # a thousand sheets on both sides: what a feeder takes at once
    pixels: int = 50_000_000  # decoded, per page: A4 at 600 dpi is 35 million


@dataclass(frozen=True, slots=True, eq=False)
class ScannedPage:
    """One page of a file: `index` counts from 0, `grey` is height x width uint8, `dpi` is its scale.

    `received` is the grey JPEG that the page came as, pixel for pixel; empty when it came as anything else.
    """

    index: int
    grey: Grey
    dpi: float
    received: bytes = b""


@dataclass(frozen=True, slots=True)
class UnreadablePage:
    """A page of an otherwise readable file that could not be decoded; `reason` is a French sentence."""

    index: int
    reason: str


DEFAULT_LIMITS = Limits()


def decode_jpeg(data: bytes, *, limits: Limits) -> Grey:
    """The grey pixels of a JPEG file, turned as its EXIF orientation says. Raises UnreadableScan."""
    if JPEG_END not in data[-4096:]:
        raise UnreadableScan("l'image JPEG est tronquée")
    with quiet_pillow(), Image.open(io.BytesIO(data)) as header:
        check_size(header.size, limits=limits)
    grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise UnreadableScan("l'image JPEG est endommagée")
    if _ends_early(np.asarray(grey, dtype=np.uint8)):
        raise UnreadableScan("l'image JPEG est tronquée")
    return np.asarray(grey, dtype=np.uint8)


def plain_jpeg(data: bytes) -> bytes:
    """The JPEG itself where it is grey, of a reasonable weight and says nothing but its pixels; else nothing."""
    if len(data) > LARGEST_KEPT:
        return b""
    with quiet_pillow(), Image.open(io.BytesIO(data)) as header:
        return data if header.mode == "L" and not {"exif", "xmp", "comment"}.intersection(header.info) else b""


def _ends_early(grey: Grey) -> bool:
    """Whether a side of the image is the flat grey with which the decoder fills what is missing; no scan is so even."""
    sides = (grey[-BLOCK:], grey[:BLOCK], grey[:, -BLOCK:], grey[:, :BLOCK])
    return any(bool(side[0, 0] == FILLING and (side == FILLING).all()) for side in sides)


def check_size(size: tuple[int, int], *, limits: Limits) -> None:
    """Refuse an image of more pixels than the limit, before it is decoded. Raises UnreadableScan."""
    if size[0] * size[1] > limits.pixels:
        raise UnreadableScan(
            f"l'image de {size[0]} × {size[1]} points dépasse la limite de {limits.pixels // 1_000_000} millions"
        )


def grey_of(image: Image.Image) -> Grey:
    """The grey pixels of a Pillow image of any mode; transparent parts are paper, inverted 1-bit pages are turned."""
    if image.mode == "1" and "transparency" not in image.info:
        return _bilevel(image)
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max() > 255 else 255.0
        return (values * 255.0 / top).clip(0, 255).astype(np.uint8)
    return np.asarray(image.convert("L"), dtype=np.uint8)


def _bilevel(image: Image.Image) -> Grey:
    """The pixels of a 1-bit image, its colours swapped back where two thirds and more of it are black."""
    grey = np.frombuffer(image.tobytes("raw", "L"), np.uint8).reshape(image.height, image.width)
    some = grey[::7, ::7].copy()
    return 255 - grey if 255 * cv2.countNonZero(some) < 80 * some.size else grey


def scanned_page(index: int, grey: Grey, dpi: float | None, *, received: bytes = b"") -> ScannedPage:
    """The page with a plausible scale (that of an A4 sheet where the file tells none), halved where it is very fine."""
    if dpi is None or round(dpi) not in PLAUSIBLE_DPI or not _fits_paper(grey, dpi):
        short, long = sorted(grey.shape)
        dpi = max(short / A4_INCHES[0], long / A4_INCHES[1])
    while dpi > FINE_DPI and min(grey.shape) > 1500:
        grey = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        dpi /= 2
        received = b""
    return ScannedPage(index, np.ascontiguousarray(grey, dtype=np.uint8), float(dpi), received)


def _fits_paper(grey: Grey, dpi: float) -> bool:
    """Whether the page so scaled is between A6 and A3."""
    return 5.0 < float(max(grey.shape)) / dpi < 17.5


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Pillow says nothing of odd metadata, and leaves the size of each page to `check_size`: one file may hold both."""
    largest = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = largest

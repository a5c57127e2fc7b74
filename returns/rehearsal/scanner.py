"""A made-up scanner: pages turned, shifted, blurred, streaked and compressed, written as the files a scanner writes."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.units import inch
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

Grey = NDArray[np.uint8]

PAGE_DPI = 200
NOISE_MARGIN = 256  # pixels by which the field of noise is larger than a page, each way


class Quality(StrEnum):
    """How badly the pages come out."""

    LIGHT = "light"
    MEDIUM = "medium"
    HEAVY = "heavy"


class FileFormat(StrEnum):
    """What the scanner writes; all pages in one file but for JPEG, one file a page."""

    TIFF_G4 = "tiff-g4"
    TIFF_JPEG = "tiff-jpeg"
    TIFF_LZW = "tiff-lzw"
    PDF = "pdf"
    JPEG = "jpeg"


@dataclass(frozen=True, slots=True)
class Wear:
    """The range of each defect."""

    skew: float  # degrees
    shift_mm: float
    stretch: float  # relative, along the feed
    keystone: float  # relative displacement of a corner
    blur: float  # sigma, pixels
    noise: float  # sigma, grey levels
    specks: int
    streaks: int
    jpeg: int


WEAR = {
    Quality.LIGHT: Wear(0.6, 1.0, 0.002, 0.0, 0.5, 3.0, 20, 0, 85),
    Quality.MEDIUM: Wear(2.0, 2.5, 0.005, 0.001, 0.8, 6.0, 150, 1, 72),
    Quality.HEAVY: Wear(3.0, 4.0, 0.008, 0.003, 1.1, 10.0, 500, 3, 55),
}


def scan(
    pages: Sequence[Grey],
    *,
    seed: int | str,
    quality: Quality = Quality.MEDIUM,
    file_format: FileFormat = FileFormat.TIFF_JPEG,
    upside_down: float = 0.1,
) -> list[bytes]:
    """The scanned pages as files: one, or one a page for JPEG. `upside_down` is the share of sheets turned by 180°."""
    chance = np.random.default_rng(_number(seed))
    worn = []
    for page in pages:
        turned = bool(chance.random() < upside_down)
        worn.append(wear(page, chance, WEAR[quality], turned=turned))
    if file_format is FileFormat.JPEG:
        return [as_jpeg(page, WEAR[quality].jpeg) for page in worn]
    if file_format is FileFormat.PDF:
        return [_as_pdf(worn, WEAR[quality].jpeg)]
    if file_format is FileFormat.TIFF_JPEG:
        return [jpeg_tiff([as_jpeg(page, WEAR[quality].jpeg) for page in worn])]
    return [_as_tiff(worn, file_format)]


def wear(page: Grey, chance: np.random.Generator, amount: Wear, *, turned: bool = False) -> Grey:
    """One page as it comes out of the scanner, before compression."""
    worn = _moved(page, chance, amount)
    worn = _grey(cv2.GaussianBlur(worn, (0, 0), max(0.3, amount.blur * chance.uniform(0.6, 1.0))))
    gain, offset = chance.uniform(0.93, 1.0), chance.uniform(0, 14)  # lamp
    uneven = (128 + chance.normal(0, amount.noise / 2, (6, 5))).astype(np.float32)  # light, around 128
    soft = cv2.resize(uneven, (80, 96), interpolation=cv2.INTER_CUBIC).round().clip(0, 255).astype(np.uint8)
    light = cv2.resize(soft, page.shape[::-1], interpolation=cv2.INTER_LINEAR)
    worn = _grey(cv2.addWeighted(worn, gain, light, 1.0, offset - 128))
    grey = _grey(cv2.add(worn, noise_over(chance, amount.noise, worn.shape), dtype=cv2.CV_8U))
    _speckle(grey, chance, amount)
    return np.ascontiguousarray(grey[::-1, ::-1]) if turned else grey


def noise_over(chance: np.random.Generator, sigma: float, shape: tuple[int, ...]) -> NDArray[np.int8]:
    """Noise of that spread over a page: a random window of a field drawn once per process, often mirrored."""
    height, width = shape
    field = _noise_field(sigma, height + NOISE_MARGIN, width + NOISE_MARGIN)
    top, left = (int(each) for each in chance.integers(0, NOISE_MARGIN, 2))
    window = field[top : top + height, left : left + width]
    down, across = (int(each) for each in chance.choice((1, -1), 2))
    return np.ascontiguousarray(window[::down, ::across])


@cache
def _noise_field(sigma: float, height: int, width: int) -> NDArray[np.int8]:
    drawn = np.random.default_rng(20).standard_normal((height, width), dtype=np.float32)
    return (drawn * np.float32(sigma)).round().clip(-127, 127).astype(np.int8)


def _grey(image: object) -> Grey:
    return np.asarray(image, dtype=np.uint8)


def as_bilevel(page: Grey) -> Grey:
    """The page in black and white, as the scanner decides: one threshold under the level of the paper."""
    threshold, _ = cv2.threshold(page, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    level = min(max(threshold, 110), 190)
    return np.where(page < level, 0, 255).astype(np.uint8)


def as_jpeg(page: Grey, quality: int) -> bytes:
    """The page as a JPEG file that tells its resolution."""
    buffer = io.BytesIO()
    Image.fromarray(page).save(buffer, "JPEG", quality=quality, dpi=(PAGE_DPI, PAGE_DPI))
    return buffer.getvalue()


def _moved(page: Grey, chance: np.random.Generator, amount: Wear) -> Grey:
    height, width = page.shape
    shift = amount.shift_mm * PAGE_DPI / 25.4
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), chance.uniform(-amount.skew, amount.skew), 1.0)
    turned = np.vstack([turned, [0, 0, 1]])
    stretched = np.diag([1.0, 1 + chance.uniform(-amount.stretch, amount.stretch), 1.0])
    shifted = np.array([[1, 0, chance.uniform(-shift, shift)], [0, 1, chance.uniform(-shift, shift)], [0, 0, 1.0]])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    bent = corners + chance.uniform(-amount.keystone, amount.keystone, (4, 2)).astype(np.float32) * height
    keystone = cv2.getPerspectiveTransform(corners, bent.astype(np.float32))
    return np.asarray(
        cv2.warpPerspective(
            page,
            keystone @ shifted @ turned @ stretched,
            (width, height),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(250,),
        ),
        dtype=np.uint8,
    )


def _speckle(grey: Grey, chance: np.random.Generator, amount: Wear) -> None:
    height, width = grey.shape
    for x, y in zip(chance.integers(0, width, amount.specks), chance.integers(0, height, amount.specks), strict=True):
        size = int(chance.integers(1, 3))
        grey[y : y + size, x : x + size] = chance.integers(0, 140)
    for _ in range(int(chance.integers(0, amount.streaks + 1))):
        x = int(chance.integers(0, width - 2))
        grey[:, x : x + int(chance.integers(1, 3))] //= 2


def _as_tiff(pages: Sequence[Grey], file_format: FileFormat) -> bytes:
    compression = {FileFormat.TIFF_G4: "group4", FileFormat.TIFF_LZW: "tiff_lzw"}[file_format]
    if file_format is FileFormat.TIFF_G4:
        images = [Image.fromarray(as_bilevel(page)).convert("1", dither=Image.Dither.NONE) for page in pages]
    else:
        images = [Image.fromarray(page) for page in pages]
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        "TIFF",
        save_all=True,
        append_images=images[1:],
        compression=compression,
        dpi=(PAGE_DPI, PAGE_DPI),
    )
    return buffer.getvalue()


def jpeg_tiff(pages: Sequence[bytes]) -> bytes:
    """Grey JPEG pages as one TIFF file (compression 7, one strip a page), as production scanners stream them.

    The pages are not compressed again: files of any number of dossiers are put together from what was scanned.
    """
    parts, place = [b"II*\0", struct.pack("<I", 8)], 8
    for page in pages:
        strip = page + b"\0" * (len(page) % 2)
        resolution, directory = place + len(strip), place + len(strip) + 8
        entries = _tiff_entries(page, strip_at=place, resolution_at=resolution)
        after = directory + 2 + 12 * len(entries) + 4
        parts[-1] = struct.pack("<I", directory)  # where the header, or the directory before, points
        parts += [strip, struct.pack("<II", PAGE_DPI, 1), struct.pack("<H", len(entries)), *entries]
        parts.append(struct.pack("<I", 0))
        place = after
    return b"".join(parts)


def _tiff_entries(page: bytes, *, strip_at: int, resolution_at: int) -> list[bytes]:
    """The directory of a grey JPEG page, as TIFF 6.0 and its technical note 2 on JPEG name the tags."""
    width, height = Image.open(io.BytesIO(page)).size
    short, long, rational = 3, 4, 5
    told = (
        (256, long, width),
        (257, long, height),
        (258, short, 8),  # bits per sample
        (259, short, 7),  # compression: JPEG
        (262, short, 1),  # black is zero
        (273, long, strip_at),
        (277, short, 1),  # samples per pixel
        (278, long, height),  # rows per strip
        (279, long, len(page)),
        (282, rational, resolution_at),
        (283, rational, resolution_at),
        (296, short, 2),  # resolution in inches
    )
    return [struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in told]


def _as_pdf(pages: Sequence[Grey], quality: int) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=0)
    for page in pages:
        width, height = page.shape[1] / PAGE_DPI * inch, page.shape[0] / PAGE_DPI * inch
        canvas.setPageSize((width, height))
        canvas.drawImage(ImageReader(io.BytesIO(as_jpeg(page, quality))), 0, 0, width, height)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _number(seed: int | str) -> int:
    if isinstance(seed, int):
        return abs(seed)
    return int.from_bytes(seed.encode()[:32].ljust(1, b"0"), "big")

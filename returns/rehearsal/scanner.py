"""A made-up scanner: pages turned, shifted, blurred, streaked and compressed, written as the files a scanner writes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.units import inch
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

Grey = NDArray[np.uint8]

PAGE_DPI = 200


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
    return [_as_tiff(worn, file_format, WEAR[quality].jpeg)]


def wear(page: Grey, chance: np.random.Generator, amount: Wear, *, turned: bool = False) -> Grey:
    """One page as it comes out of the scanner, before compression."""
    worn = _moved(page, chance, amount)
    worn = cv2.GaussianBlur(worn, (0, 0), max(0.3, amount.blur * chance.uniform(0.6, 1.0))).astype(np.float32)
    worn = worn * chance.uniform(0.93, 1.0) + chance.uniform(0, 14)  # lamp and gain
    worn += cv2.resize(  # uneven light
        chance.normal(0, amount.noise / 2, (6, 5)).astype(np.float32), page.shape[::-1], interpolation=cv2.INTER_CUBIC
    )
    worn += chance.normal(0, amount.noise, page.shape).astype(np.float32)
    grey = np.clip(worn, 0, 255).astype(np.uint8)
    _speckle(grey, chance, amount)
    return np.ascontiguousarray(grey[::-1, ::-1]) if turned else grey


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


def _as_tiff(pages: Sequence[Grey], file_format: FileFormat, quality: int) -> bytes:
    compression = {"tiff-g4": "group4", "tiff-jpeg": "jpeg", "tiff-lzw": "tiff_lzw"}[file_format.value]
    if file_format is FileFormat.TIFF_G4:
        images = [Image.fromarray(as_bilevel(page)).convert("1", dither=Image.Dither.NONE) for page in pages]
    else:
        images = [Image.fromarray(page) for page in pages]
    buffer = io.BytesIO()
    told = {"quality": quality} if file_format is FileFormat.TIFF_JPEG else {}
    images[0].save(
        buffer,
        "TIFF",
        save_all=True,
        append_images=images[1:],
        compression=compression,
        dpi=(PAGE_DPI, PAGE_DPI),
        **told,
    )
    return buffer.getvalue()


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

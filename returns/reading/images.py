"""Scan files opened as grey pages, one at a time, within set limits."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError

from returns.reading.pdf_pages import pdf_pages
from returns.reading.scanned import (
    DEFAULT_LIMITS,
    JPEG_END,
    Limits,
    ScannedPage,
    UnreadablePage,
    UnreadableScan,
    check_size,
    decode_jpeg,
    grey_of,
    plain_jpeg,
    quiet_pillow,
    scanned_page,
)

__all__ = ["DEFAULT_LIMITS", "Limits", "ScannedPage", "UnreadablePage", "UnreadableScan", "open_pages"]

# Tags of TIFF 6.0 and of its technical note 2 on JPEG, and the values that matter here.
COMPRESSION, PHOTOMETRIC, STRIP_STARTS, ORIENTATION, STRIP_LENGTHS, JPEG_TABLES = 259, 262, 273, 274, 279, 347
JPEG, BLACK_IS_ZERO, UPRIGHT = 7, 1, 1
JPEG_START = b"\xff\xd8"
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf", b"Rar!", b"\x1f\x8b")  # ZIP, 7z, RAR, gzip: never unpacked


def open_pages(
    source: bytes | BinaryIO, *, name: str = "numérisation", limits: Limits = DEFAULT_LIMITS
) -> Iterator[ScannedPage | UnreadablePage]:
    """The pages of a TIFF, PDF, JPEG or PNG file, in order, decoded one by one as they are asked for.

    Raises UnreadableScan (at the first page) when the file as a whole is refused: empty, unknown, encrypted, too large.
    A single bad page comes as UnreadablePage, so that pages in = pages out.
    """
    data = source if isinstance(source, bytes) else source.read(limits.octets + 1)
    if not data:
        raise UnreadableScan(f"« {name} » est vide (0 octet).")
    if len(data) > limits.octets:
        raise UnreadableScan(f"« {name} » dépasse {limits.octets // 1_000_000} Mo.")
    if data.startswith(ARCHIVES):
        raise UnreadableScan(
            f"« {name} » est une archive : déposez ses fichiers un par un, ou un seul TIFF ou PDF de plusieurs pages."
        )
    if data[:1024].lstrip().startswith(b"%PDF") or b"%PDF-" in data[:1024]:
        yield from pdf_pages(data, name=name, limits=limits)
    else:
        yield from _raster_pages(data, name=name, limits=limits)


def _raster_pages(data: bytes, *, name: str, limits: Limits) -> Iterator[ScannedPage | UnreadablePage]:
    try:
        with quiet_pillow():
            image = Image.open(io.BytesIO(data))
        with image:
            if image.format not in {"TIFF", "JPEG", "MPO", "PNG"}:
                raise UnreadableScan(f"« {name} » est au format {image.format}, qui n'est pas accepté.")
            with quiet_pillow():
                count = _count_frames(image, name=name, limits=limits)
            for index in range(count):
                with quiet_pillow():
                    page = _frame(image, index, data, limits=limits)
                yield page
    except UnidentifiedImageError:
        raise UnreadableScan(f"« {name} » n'est ni une image TIFF, JPEG ou PNG, ni un PDF.") from None
    except (OSError, SyntaxError, ValueError, TypeError, KeyError) as error:  # Pillow's on a cut TIFF
        if isinstance(error, UnreadableScan):
            raise
        raise UnreadableScan(f"« {name} » est endommagé ou tronqué.") from error


def _count_frames(image: Image.Image, *, name: str, limits: Limits) -> int:
    if image.format != "TIFF":
        return 1
    count = 0
    try:
        while True:  # walked one by one, never past the limit
            image.seek(count)
            count += 1
            if count > limits.pages:
                raise UnreadableScan(f"« {name} » compte plus de {limits.pages} pages.")
    except EOFError:
        return count


def _frame(image: Image.Image, index: int, data: bytes, *, limits: Limits) -> ScannedPage | UnreadablePage:
    try:
        if image.format in {"JPEG", "MPO"}:
            return _jpeg_page(index, data, _told_dpi(image), limits=limits)
        image.seek(index)
        check_size(image.size, limits=limits)
        dpi = _told_dpi(image)
        if strip := _jpeg_strip(image, data):
            return _jpeg_page(index, strip, dpi, limits=limits)
        image.load()
        turned = image.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT
        return scanned_page(index, grey_of(ImageOps.exif_transpose(image) if turned else image), dpi)
    except UnreadableScan as error:
        return UnreadablePage(index, f"Page {index + 1} : {error}.")
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, EOFError, MemoryError):
        return UnreadablePage(index, f"Page {index + 1} : l'image est endommagée ou tronquée.")


def _jpeg_page(index: int, data: bytes, dpi: float | None, *, limits: Limits) -> ScannedPage:
    return scanned_page(index, decode_jpeg(data, limits=limits), dpi, received=plain_jpeg(data))


def _jpeg_strip(image: Image.Image, data: bytes) -> bytes:
    """The grey JPEG file that the current page of a TIFF is, where it is one whole; else nothing."""
    told = getattr(image, "tag_v2", {})
    starts, lengths = told.get(STRIP_STARTS, ()), told.get(STRIP_LENGTHS, ())
    whole = told.get(COMPRESSION) == JPEG and JPEG_TABLES not in told and len(starts) == len(lengths) == 1
    if not whole or told.get(PHOTOMETRIC) != BLACK_IS_ZERO or told.get(ORIENTATION, UPRIGHT) != UPRIGHT:
        return b""
    strip = data[starts[0] : starts[0] + lengths[0]]
    end = strip.rfind(JPEG_END)
    return strip[: end + len(JPEG_END)] if strip.startswith(JPEG_START) and end > 0 else b""


def _told_dpi(image: Image.Image) -> float | None:
    try:
        told = image.info.get("dpi")
        return float(max(told)) if told else None
    except (TypeError, ValueError, ZeroDivisionError):
        return None

"""Two-dimensional codes as one-bit bitmaps, made by zxing-cpp, which is also the reader."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy
import zxingcpp

QUIET_MODULES = 4  # blank modules that a QR code needs on every side (ISO/IEC 18004)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A square code: `side` modules without the quiet zone, `bits` row by row, eight modules a byte, 1 is dark."""

    side: int
    bits: bytes


@lru_cache(maxsize=4096)
def qr_matrix(text: str, level: str = "M") -> Matrix:
    """The QR code that says `text` at error correction `level`. Raises ValueError when the text is too long."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    modules = numpy.asarray(barcode.to_image(scale=1, add_quiet_zones=False))
    return Matrix(side=modules.shape[0], bits=numpy.packbits(modules == 0, axis=1).tobytes())

"""Two-dimensional codes as one-bit bitmaps.

Any text goes through zxing-cpp, which is also the reader. Page codes, one a page, go through a table: with version,
level and mask fixed, the modules of a QR code are linear (over GF(2)) in the bits of its text: a code is a few XORs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from operator import xor

import numpy
import segno
import zxingcpp

QUIET_MODULES = 4  # blank modules that a QR code needs on every side (ISO/IEC 18004)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"  # alphanumeric mode: two letters make one number of 11 bits
PAGE_CODE_LETTERS = 25
PAGE_CODE_SIDE = 25  # version 2
PAGE_CODE_MASK = 2


@dataclass(frozen=True, slots=True)
class Matrix:
    """A square code: `side` modules without the quiet zone, `bits` row by row, eight modules a byte, 1 is dark."""

    side: int
    bits: bytes


@lru_cache(maxsize=1024)
def qr_matrix(text: str, level: str = "M") -> Matrix:
    """The QR code that says `text` at error correction `level`. Raises ValueError when the text is too long."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    modules = numpy.asarray(barcode.to_image(scale=1, add_quiet_zones=False))
    return Matrix(side=modules.shape[0], bits=numpy.packbits(modules == 0, axis=1).tobytes())


def page_code_matrix(text: str) -> Matrix:
    """The QR code (version 2, level M) of a page code. Raises ValueError for a text of another length or alphabet."""
    if len(text) != PAGE_CODE_LETTERS:
        message = f"Un code de page compte {PAGE_CODE_LETTERS} caractères, et non {len(text)}."
        raise ValueError(message)
    modules = _blank_code()
    for place in range(0, PAGE_CODE_LETTERS, 2):
        modules ^= _pair(place, text[place : place + 2])
    return Matrix(side=PAGE_CODE_SIDE, bits=modules.to_bytes(PAGE_CODE_SIDE * 4, "big"))


@cache
def _blank_code() -> int:
    """The modules of the code that says only zeros."""
    return _modules("0" * PAGE_CODE_LETTERS)


@lru_cache(maxsize=32768)
def _pair(place: int, letters: str) -> int:
    """What the pair of letters at `place` (the last one is single) changes to the blank code."""
    number = 0
    for letter in letters:
        number = number * len(ALPHABET) + ALPHABET.index(letter)
    return reduce(xor, (_bit(place, bit) for bit in range(number.bit_length()) if number >> bit & 1), 0)


@cache
def _bit(place: int, bit: int) -> int:
    """What one bit of the number at `place` changes to the blank code."""
    first, second = divmod(1 << bit, len(ALPHABET))
    letters = ALPHABET[first] + ALPHABET[second] if place + 1 < PAGE_CODE_LETTERS else ALPHABET[second]
    zeros = "0" * PAGE_CODE_LETTERS
    return _modules(zeros[:place] + letters + zeros[place + len(letters) :]) ^ _blank_code()


def _modules(text: str) -> int:
    """The modules as one number, four bytes a row."""
    code = segno.make_qr(text, error="m", version=2, mode="alphanumeric", mask=PAGE_CODE_MASK, boost_error=False)
    rows = numpy.packbits(numpy.array([list(row) for row in code.matrix], dtype=bool), axis=1)
    return int.from_bytes(rows.tobytes(), "big")

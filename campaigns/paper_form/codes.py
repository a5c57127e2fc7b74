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
# The parts of a page code that change together, cut at even places: the format, the case, page and layout, the check.
PAGE_CODE_PARTS = ((0, 2), (2, 12), (12, 24), (24, 25))
LINK_MASK = 2


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
    for start, end in PAGE_CODE_PARTS:
        modules ^= _part(start, text[start:end])
    return Matrix(side=PAGE_CODE_SIDE, bits=modules.to_bytes(PAGE_CODE_SIDE * 4, "big"))


@cache
def _blank_code() -> int:
    """The modules of the code that says only zeros."""
    return _modules("0" * PAGE_CODE_LETTERS)


@lru_cache(maxsize=4096)
def _part(start: int, letters: str) -> int:
    """What the letters from `start` (an even place) change to the blank code."""
    return reduce(xor, (_pair(start + place, letters[place : place + 2]) for place in range(0, len(letters), 2)))


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


def link_matrix(address: str) -> Matrix:
    """The QR code (level M, fixed mask) of a short ASCII address. Addresses of one length share a table.

    Raises ValueError for an address that is not ASCII.
    """
    if not address.isascii():
        message = "Une adresse se code en lettres ASCII seulement."
        raise ValueError(message)
    side, blank = _blank_link(len(address))
    head, modules = len(address) // 2, blank
    modules ^= _letters(len(address), 0, address[:head])
    for place in range(head, len(address)):
        modules ^= _letter(len(address), place, address[place])
    return Matrix(side=side, bits=modules.to_bytes(side * -(-side // 8), "big"))


@cache
def _blank_link(length: int) -> tuple[int, int]:
    """Side and modules of the code that says `length` null letters."""
    return _link_modules(bytes(length))


@lru_cache(maxsize=256)
def _letters(length: int, start: int, letters: str) -> int:
    """What the first letters of an address change: most addresses begin alike."""
    return reduce(xor, (_letter(length, start + place, each) for place, each in enumerate(letters)), 0)


@lru_cache(maxsize=32768)
def _letter(length: int, place: int, letter: str) -> int:
    """What one letter changes to the blank code of addresses of that length."""
    told = ord(letter)
    return reduce(xor, (_letter_bit(length, place, bit) for bit in range(7) if told >> bit & 1), 0)


@lru_cache(maxsize=8192)
def _letter_bit(length: int, place: int, bit: int) -> int:
    told = bytearray(length)
    told[place] = 1 << bit
    return _link_modules(bytes(told))[1] ^ _blank_link(length)[1]


def _link_modules(told: bytes) -> tuple[int, int]:
    code = segno.make_qr(told, error="m", mode="byte", mask=LINK_MASK, boost_error=False)
    rows = numpy.packbits(numpy.array([list(row) for row in code.matrix], dtype=bool), axis=1)
    return rows.shape[0], int.from_bytes(rows.tobytes(), "big")

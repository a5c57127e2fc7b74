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
PAGE_CODE_BYTES = PAGE_CODE_SIDE * 4
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
    return Matrix(side=PAGE_CODE_SIDE, bits=page_code_part(0, text).to_bytes(PAGE_CODE_BYTES, "big"))


def page_code_part(start: int, letters: str) -> int:
    """What the letters from `start` (an even place) add to a page code, as one number: a code is the XOR of its parts.

    The part that begins the code brings the blank code with it.
    """
    modules = 0 if start else _blank_code()
    for place in range(0, len(letters), 2):
        modules ^= _pair(start + place, letters[place : place + 2])
    return modules


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


def link_matrix(address: str) -> Matrix:
    """The QR code (level M, fixed mask) of a short ASCII address. Addresses of one length share a table.

    Raises ValueError for an address that is not ASCII.
    """
    return Matrix(*link_bits(address))


def link_side(address: str) -> int:
    """The side of the code of an address, without making it. Raises ValueError as `link_matrix`."""
    _ascii_only(address)
    return _blank_link(len(address))[0]


def _ascii_only(address: str) -> None:
    if not address.isascii():
        message = "Une adresse se code en lettres ASCII seulement."
        raise ValueError(message)


def link_bits(address: str) -> tuple[int, bytes]:
    """Side and bits of `link_matrix`."""
    _ascii_only(address)
    head = address.rfind("/") + 1
    side, modules, tables = _link_head(len(address), address[:head])
    for table, letter in zip(tables, address[head:], strict=True):
        modules ^= table[letter]
    return side, modules.to_bytes(side * -(-side // 8), "big")


@lru_cache(maxsize=256)
def _link_head(length: int, letters: str) -> tuple[int, int, list[_LetterTable]]:
    """The side of the codes of addresses of that length, the modules of one with only its first letters, the tables
    of those that follow: most addresses begin alike.
    """
    side, modules = _blank_link(length)
    tables = _link_tables(length)
    for table, letter in zip(tables, letters, strict=False):
        modules ^= table[letter]
    return side, modules, tables[len(letters) :]


@cache
def _blank_link(length: int) -> tuple[int, int]:
    """Side and modules of the code that says `length` null letters."""
    return _link_modules(bytes(length))


@lru_cache(maxsize=8)
def _link_tables(length: int) -> list[_LetterTable]:
    """What each letter changes at each place of an address of that length."""
    return [_LetterTable(length, place) for place in range(length)]


class _LetterTable(dict[str, int]):
    """What a letter at one place of an address changes to the blank code, worked out when first asked."""

    def __init__(self, length: int, place: int) -> None:
        super().__init__()
        self._length, self._place = length, place

    def __missing__(self, letter: str) -> int:
        bits = (bit for bit in range(7) if ord(letter) >> bit & 1)
        modules = self[letter] = reduce(xor, (_letter_bit(self._length, self._place, bit) for bit in bits), 0)
        return modules


@lru_cache(maxsize=8192)
def _letter_bit(length: int, place: int, bit: int) -> int:
    told = bytearray(length)
    told[place] = 1 << bit
    return _link_modules(bytes(told))[1] ^ _blank_link(length)[1]


def _link_modules(told: bytes) -> tuple[int, int]:
    code = segno.make_qr(told, error="m", mode="byte", mask=LINK_MASK, boost_error=False)
    rows = numpy.packbits(numpy.array([list(row) for row in code.matrix], dtype=bool), axis=1)
    return rows.shape[0], int.from_bytes(rows.tobytes(), "big")

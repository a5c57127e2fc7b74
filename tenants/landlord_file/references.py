"""The references already met in a file and the line of each, in 12 bytes: a million of them fit in 25 MB."""

from __future__ import annotations

from array import array


class ReferenceIndex:
    """An open-addressing table of 64-bit hashes.

    Two different references share a hash about once in 10¹³ pairs of a million: they would be taken as equal.
    """

    def __init__(self) -> None:
        self._mask = 2**10 - 1
        self._count = 0
        self._hashes = array("q", bytes(8 * (self._mask + 1)))
        self._lines = array("I", bytes(4 * (self._mask + 1)))

    def first_line(self, reference: str) -> int:
        """The line where this reference was kept, or 0."""
        return self._lines[self._place(hash(reference) or 1)]

    def remember(self, reference: str, line: int) -> None:
        """Keep a reference that is not known yet; `line` is at least 1."""
        known = hash(reference) or 1
        place = self._place(known)
        self._hashes[place], self._lines[place] = known, line
        self._count += 1
        if self._count * 2 > self._mask:
            self._grow()

    def _place(self, known: int) -> int:
        hashes, mask = self._hashes, self._mask
        place = known & mask
        while hashes[place] and hashes[place] != known:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        hashes, lines = self._hashes, self._lines
        self._mask = self._mask * 2 + 1
        self._hashes = array("q", bytes(8 * (self._mask + 1)))
        self._lines = array("I", bytes(4 * (self._mask + 1)))
        for known, line in zip(hashes, lines, strict=True):
            if known:
                place = self._place(known)
                self._hashes[place], self._lines[place] = known, line

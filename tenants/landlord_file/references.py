"""A number kept for each text of a file, in 16 bytes: the line of each reference, the id of each dwelling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt

RECENT = 2**14
"""Numbers kept in a dictionary, before they are put in order."""

LARGEST = 2**18
"""Numbers put in order together: more would be as much to move at once."""

Numbers = npt.NDArray[np.int64]


class ReferenceIndex:
    """Text → number (at least 1), by 64-bit hashes: the last ones in a dictionary, the others in sorted runs.

    Two different texts share a hash about once in 10¹³ pairs of a million: they would be taken as equal.
    """

    def __init__(self, recent: int = RECENT) -> None:
        self._most = recent
        self._recent: dict[int, int] = {}
        self._runs: list[tuple[Numbers, Numbers]] = []

    def get(self, text: str) -> int:
        """The number kept last for that text, 0 when there is none."""
        return self.get_all([text])[0]

    def get_all(self, texts: Iterable[str]) -> list[int]:
        """The same, for each of these texts."""
        hashes = list(map(hash, texts))
        found = list(map(self._recent.get, hashes, repeat(0)))
        if not self._runs or not hashes:
            return found
        asked = np.array(hashes, np.int64)
        order = asked.argsort()
        asked = asked[order]
        for known, numbers in reversed(self._runs):
            places = known.searchsorted(asked)
            places[places == len(known)] = 0
            met = np.flatnonzero(known[places] == asked)
            for text, number in zip(order[met].tolist(), numbers[places[met]].tolist(), strict=True):
                found[text] = found[text] or number
        return found

    def keep(self, text: str, number: int) -> None:
        """Keep the number of a text."""
        self.keep_all([text], [number])

    def keep_all(self, texts: Iterable[str], numbers: Sequence[int]) -> None:
        """Keep the number of each of these texts."""
        self._recent.update(zip(map(hash, texts), numbers, strict=True))
        if len(self._recent) >= self._most:
            self._settle()

    def _settle(self) -> None:
        """Put the last ones in order, together with the runs before them that are no longer."""
        count = len(self._recent)
        hashes = np.fromiter(self._recent.keys(), np.int64, count)
        numbers = np.fromiter(self._recent.values(), np.int64, count)
        self._recent = {}
        while self._runs and len(self._runs[-1][0]) <= len(hashes) <= LARGEST // 2:
            known = self._runs.pop()
            # The newer stands first among equals, and is the one that is found.
            hashes, numbers = np.concatenate((hashes, known[0])), np.concatenate((numbers, known[1]))
        order = hashes.argsort(kind="stable")
        self._runs.append((hashes[order], numbers[order]))

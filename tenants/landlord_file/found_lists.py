"""What is found in a file never seen before: lists of repeated elements, their columns, some of their values."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

ROWS = 400
"""Rows kept of each list."""

DISTINCT = 60
"""Distinct values counted in a column; a column that has more is no code."""

SKETCH = 1_024
"""Hashes kept of a column."""

Path = tuple[str, ...]


class Sketch:
    """The smallest hashes met: what two columns of any size have in common, and how many values one has."""

    def __init__(self) -> None:
        self._kept: set[int] = set()
        self._largest = 2**32

    def add(self, text: str) -> None:
        """One value."""
        known = zlib.crc32(text.encode())
        if known >= self._largest:
            return
        self._kept.add(known)
        if len(self._kept) > 2 * SKETCH:
            self._kept = set(sorted(self._kept)[:SKETCH])
            self._largest = max(self._kept) + 1

    @property
    def distinct(self) -> float:
        """About how many different values were added; exact below the size of the sketch."""
        return len(self._kept) if self._largest == 2**32 else len(self._kept) * 2**32 / self._largest

    def share_in(self, other: Sketch) -> float:
        """The share of these values that the other column has, 0 to 1."""
        limit = min(self._largest, other._largest)
        mine = {each for each in self._kept if each < limit}
        return len(mine & other._kept) / len(mine) if mine else 0.0


@dataclass(slots=True)
class Column:
    """One place of a list's rows: `path` as a profile writes it, from the row. `values` are those not empty."""

    path: str
    count: int = 0
    values: list[str] = field(default_factory=list)
    distinct: dict[str, int] = field(default_factory=dict)
    sketch: Sketch = field(default_factory=Sketch)

    def add(self, text: str) -> None:
        """One value of the file."""
        self.count += 1
        self.sketch.add(text)
        if len(self.values) < ROWS:
            self.values.append(text)
        if len(self.distinct) <= DISTINCT:
            self.distinct[text] = self.distinct.get(text, 0) + 1

    @property
    def unique(self) -> bool:
        """Whether nearly every value is met once: an identifier."""
        return self.count > 0 and self.sketch.distinct >= 0.97 * self.count


@dataclass(slots=True)
class FoundList:
    """Elements that repeat. `path` from the root; `parent` is the list that they stand in, if any."""

    path: str
    tags: Path
    count: int = 0
    line: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    rows: list[dict[str, str]] = field(default_factory=list)
    parent: FoundList | None = None

    @property
    def name(self) -> str:
        """The element's own name."""
        return self.path.rpartition("/")[2].rpartition(":")[2]


@dataclass(slots=True)
class Sample:
    """The lists of a file, outer ones first. `cut`: the file is longer than what was looked at."""

    lists: list[FoundList]
    namespaces: dict[str, str]
    cut: bool

"""Rows of relational exports, kept aside until the whole file is read, then joined by their ids in any order.

They go to SQLite's private temporary database: held in memory up to a small cache, then in an unnamed file that the
system removes with the process. Memory stays flat whatever the size of the deposit. Table names are ours.
"""

# ruff: noqa: S302, S608 — marshal reads back what this process wrote; no text of the file enters a statement

from __future__ import annotations

import marshal
import sqlite3
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from .walking import Fault, Values

_BATCH = 2_000
_CACHE_KIB = 16_000


class StoredRow(NamedTuple):
    """One row of a list: its order (from 1), its line, its values, the occupants and faults found inside."""

    position: int
    line: int
    values: Values
    occupants: list[Values]
    faults: list[tuple[str, int, int]]


class Spool:
    """The rows of the lists of one file, by list name. Use as a context manager."""

    def __init__(self, lists: list[str]) -> None:
        self._base = sqlite3.connect("", isolation_level=None, cached_statements=64)
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute("PRAGMA synchronous = OFF")
        self._base.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._base.execute("BEGIN")
        self._tables = {name: f"list_{number}" for number, name in enumerate(lists)}
        self._waiting: dict[str, list[tuple[Any, ...]]] = {name: [] for name in lists}
        self._counts = dict.fromkeys(lists, 0)
        for table in self._tables.values():
            self._base.execute(
                f"CREATE TABLE {table} (position INTEGER PRIMARY KEY, line INTEGER, key TEXT, data BLOB)"
            )

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def add(self, name: str, key: str | None, line: int, read: tuple[Values, list[Values], list[Fault]]) -> None:
        """Keep what was read of one row of a list under the key by which others cite it."""
        values, occupants, faults = read
        self._counts[name] += 1
        waiting = self._waiting[name]
        kept = (values, occupants, [tuple(fault[:3]) for fault in faults])
        waiting.append((self._counts[name], line, key, marshal.dumps(kept)))
        if len(waiting) >= _BATCH:
            self._flush(name)

    def _flush(self, name: str) -> None:
        self._base.executemany(f"INSERT INTO {self._tables[name]} VALUES (?, ?, ?, ?)", self._waiting[name])
        self._waiting[name].clear()

    def seal(self) -> None:
        """No more rows: index them by key."""
        for name, table in self._tables.items():
            self._flush(name)
            self._base.execute(f"CREATE INDEX {table}_key ON {table} (key)")

    def count(self, name: str) -> int:
        """How many rows a list has."""
        return self._counts[name]

    def rows(self, name: str) -> Iterator[StoredRow]:
        """All the rows of a list in the order of the file."""
        for position, line, data in self._base.execute(f"SELECT position, line, data FROM {self._tables[name]}"):
            yield StoredRow(position, line, *marshal.loads(data))

    def matching(self, name: str, keys: Collection[str]) -> dict[str, list[StoredRow]]:
        """The rows of a list cited by these keys (at most 1,000), each key's in the order of the file."""
        found: dict[str, list[StoredRow]] = {}
        marks = ",".join("?" * len(keys))
        query = (
            f"SELECT key, position, line, data FROM {self._tables[name]} WHERE key IN ({marks}) ORDER BY key, position"
        )
        for key, position, line, data in self._base.execute(query, tuple(keys)):
            found.setdefault(key, []).append(StoredRow(position, line, *marshal.loads(data)))
        return found

    def positions(self, name: str, keys: Collection[str]) -> dict[str, list[int]]:
        """The positions of the rows of a list that carry these keys."""
        found: dict[str, list[int]] = {}
        marks = ",".join("?" * len(keys))
        query = f"SELECT key, position FROM {self._tables[name]} WHERE key IN ({marks})"
        for key, position in self._base.execute(query, tuple(keys)):
            found.setdefault(key, []).append(position)
        return found

    def orphans(self, name: str, parent: str) -> Iterator[tuple[int, int, str]]:
        """Position, line and key of the rows of a list that cite a key absent from the list `parent`."""
        query = (
            f"SELECT position, line, coalesce(key, '') FROM {self._tables[name]} AS child WHERE NOT EXISTS"
            f" (SELECT 1 FROM {self._tables[parent]} AS parent WHERE parent.key = child.key)"
        )
        yield from self._base.execute(query)

"""Rows of relational exports, kept aside until the whole file is read, then joined by their ids in any order.

They go to SQLite's private temporary database: held in memory up to a small cache, then in an unnamed file that the
system removes with the process. Memory stays flat whatever the size of the deposit.
"""

# ruff: noqa: S302, S608 — marshal reads back what this process wrote; names of tables and columns are ours

from __future__ import annotations

import marshal
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .walking import Fault, Values

_BATCH = 1_000
_CACHE_KIB = 16_000

Row = tuple[Any, ...]
"""Values by slot, then what `RowShape` says, then None."""


class Listed(NamedTuple):
    """One list of the file: its name, how many values its rows have, the slot of the key that cites it, or -1."""

    name: str
    width: int
    key: int


class Citation(NamedTuple):
    """One list cited: by which list (`via`), at which of its slots."""

    name: str
    via: str
    match: int


class Extra(NamedTuple):
    """What a row holds beside its values: the occupants found inside, and its faults."""

    occupants: list[Values]
    faults: list[Fault]


def extra_of(stored: bytes | None) -> Extra:
    """What was stored beside the values of a row."""
    if stored is None:
        return Extra([], [])
    occupants, faults = marshal.loads(stored)
    return Extra(occupants, [Fault(*fault) for fault in faults])


class Spool:
    """The rows of the lists of one file, by list name. Use as a context manager; nothing is added once sealed."""

    def __init__(self, lists: Sequence[Listed]) -> None:
        self._base = sqlite3.connect("", isolation_level=None, cached_statements=64)
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            self._base.execute(f"PRAGMA {setting}")
        self._base.execute("BEGIN")
        self._lists = {listed.name: listed for listed in lists}
        self._tables = {listed.name: f"list_{number}" for number, listed in enumerate(lists)}
        self._waiting: dict[str, list[Row]] = {listed.name: [] for listed in lists}
        self._inserts: dict[str, str] = {}
        for listed in lists:
            table, columns = self._tables[listed.name], [f"c{slot}" for slot in range(listed.width)]
            own = ["position INTEGER PRIMARY KEY", "line INTEGER", "extra BLOB", "twin INTEGER"]
            self._base.execute(f"CREATE TABLE {table} ({', '.join([*own, *columns])})")
            names, marks = ", ".join(["line", "extra", *columns]), ", ".join("?" * (2 + listed.width))
            self._inserts[listed.name] = f"INSERT INTO {table} ({names}) VALUES ({marks})"

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def add(self, name: str, line: int, values: Values, occupants: list[Values], faults: list[Fault]) -> None:
        """Keep what was read of one row of a list."""
        extra = marshal.dumps((occupants, [tuple(fault) for fault in faults])) if occupants or faults else None
        waiting = self._waiting[name]
        waiting.append((line, extra, *values[: self._lists[name].width]))
        if len(waiting) >= _BATCH:
            self._flush(name)

    def _flush(self, name: str) -> None:
        self._base.executemany(self._inserts[name], self._waiting[name])
        self._waiting[name].clear()

    def seal(self, cited: Sequence[str]) -> None:
        """No more rows: index them by key. A key given twice marks its rows; in a `cited` list, the first one stays."""
        for name, listed in self._lists.items():
            self._flush(name)
            if listed.key >= 0:
                self._base.execute(f"CREATE INDEX {self._tables[name]}_key ON {self._tables[name]} (c{listed.key})")
        for name in cited:
            self._mark_twins(self._tables[name], f"c{self._lists[name].key}", keep_all=name == "")

    def _mark_twins(self, table: str, key: str, *, keep_all: bool) -> None:
        twice = f"SELECT {key} FROM {table} WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1"
        self._base.execute(f"UPDATE {table} SET twin = 1 WHERE {key} IN ({twice})")
        if not keep_all:
            first = f"SELECT min(position) FROM {table} WHERE twin = 1 GROUP BY {key}"
            self._base.execute(f"DELETE FROM {table} WHERE twin = 1 AND position NOT IN ({first})")

    def joined(self, own: str, citations: Sequence[Citation]) -> Iterator[Row]:
        """Each row of a list with the rows that it cites: all their values, then for each of the lists its position,
        line, extra and twin mark, then whether anything of it is out of the ordinary, then None. In file order."""
        names = [own, *(citation.name for citation in citations)]
        alias = {name: f"t{number}" for number, name in enumerate(names)}
        values = [f"{alias[name]}.c{slot}" for name in names for slot in range(self._lists[name].width)]
        about = [f"{alias[name]}.{column}" for name in names for column in ("position", "line", "extra", "twin")]
        odd = [f"{alias[name]}.{column} IS NOT NULL" for name in names for column in ("extra", "twin")]
        odd += [f"{alias[citation.name]}.position IS NULL" for citation in citations]
        joins = [
            f"LEFT JOIN {self._tables[c.name]} AS {alias[c.name]}"
            f" ON {alias[c.name]}.c{self._lists[c.name].key} = {alias[c.via]}.c{c.match}"
            for c in citations
        ]
        select = f"SELECT {', '.join([*values, *about])}, {' OR '.join(odd)}, NULL FROM {self._tables[own]} AS t0"
        yield from self._base.execute(f"{select} {' '.join(joins)} ORDER BY t0.position")

    def attached(self, name: str, own: str) -> Iterator[Row]:
        """Each row of a list that cites a row of `own` by its key: its values, then the position of the row cited, its
        own position, line and extra, then None. In the order of the rows cited, then in its own; twins have none."""
        listed, owner = self._lists[name], self._lists[own]
        values = [f"b.c{slot}" for slot in range(listed.width)]
        yield from self._base.execute(
            f"SELECT {', '.join(values)}, a.position, b.position, b.line, b.extra, NULL FROM {self._tables[own]} AS a"
            f" CROSS JOIN {self._tables[name]} AS b ON b.c{listed.key} = a.c{owner.key} WHERE a.twin IS NULL"
            " ORDER BY a.position, b.position"
        )

    def gathered(self, name: str) -> Iterator[Row]:
        """The rows of a list: values, position, line and extra, then None; rows of one key follow the first of them."""
        listed = self._lists[name]
        table, key = self._tables[name], f"c{listed.key}"
        values = [f"{table}.c{slot}" for slot in range(listed.width)]
        first = f"SELECT {key} AS key, min(position) AS first FROM {table} WHERE {key} IS NOT NULL GROUP BY {key}"
        yield from self._base.execute(
            f"SELECT {', '.join(values)}, position, line, extra, NULL FROM {table} LEFT JOIN ({first}) AS firsts"
            f" ON firsts.key = {table}.{key} ORDER BY coalesce(firsts.first, position), position"
        )

    def orphans(self, name: str, parent: str) -> Iterator[tuple[int, int, str]]:
        """Position, line and key of the rows of a list that cite a key absent from the list `parent`."""
        key, cited = f"c{self._lists[name].key}", f"c{self._lists[parent].key}"
        query = (
            f"SELECT position, line, coalesce({key}, '') FROM {self._tables[name]} AS child WHERE NOT EXISTS"
            f" (SELECT 1 FROM {self._tables[parent]} AS parent WHERE parent.{cited} = child.{key}) ORDER BY position"
        )
        yield from self._base.execute(query)

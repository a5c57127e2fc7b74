"""A deposit as its parser reads it, under watch: what it may cost in memory, and whether it was cut."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from .prolog import HEAD, IGNORABLE, root_name
from .records import Anomaly
from .wording import anomaly

ONE_ROW = 16_000_000
"""Bytes that one household may take, and that may follow a list inside the element that holds it."""

PASSED_OVER = 1_000_000
"""Bytes without any element that the profile names, before what they built is freed."""

MOST_MEMORY = 400_000_000
"""Bytes that the process may grow by while it reads one deposit; a sound file takes 30 MB, whatever its size."""

_LOOK = 4_000_000
_TAIL = 4_096
_STATISTICS = Path("/proc/self/statm")


class Refused(Exception):
    """The deposit can't be read any further; `.anomaly` says why."""

    def __init__(self, found: Anomaly) -> None:
        super().__init__(found.kind)
        self.anomaly = found


class WatchedFile:
    """The open file: gives back the head already read, frees what the profile does not name, refuses what swells.

    `rows` are the tags that lead to each kind of row. The reader sets `root` at the first element, and `silent` to 0
    at each row.
    """

    def __init__(self, head: bytes, source: BinaryIO, rows: frozenset[tuple[str, ...]]) -> None:
        self._head = head
        self._root_name = root_name(head)
        self._source = source
        self._rows = rows
        self._tail = b""
        self._freed_at = self._looked_at = self._read = 0
        self._memory = resident_memory()
        self.silent = 0
        self.root: etree._Element | None = None

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes. Raises Refused. The parser has nothing pending when it asks for more."""
        data = self._next(size)
        self._read += len(data)
        self.silent += len(data)
        if self.silent > PASSED_OVER and self._read - self._freed_at > PASSED_OVER:
            self._freed_at = self._read
            if self._free() and self.silent > ONE_ROW:
                raise Refused(anomaly("unmapped_volume", value=str(ONE_ROW // 1_000_000)))
        if self._read - self._looked_at > _LOOK:
            self._looked_at = self._read
            self._look()
        return data

    def _next(self, size: int) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        else:
            data = self._source.read(size)
        self._tail = (self._tail + data)[-_TAIL:] if len(data) < _TAIL else data[-_TAIL:]
        return data

    def _free(self) -> bool:
        """Free all that is complete and is no row, along the elements still open. Whether a row stands last there."""
        node, trail = self.root, (str(self.root.tag),) if self.root is not None else ()
        while node is not None and trail not in self._rows:
            if not len(node):
                return False
            del node[:-1]
            node = node[-1]
            trail = (*trail, str(node.tag))
        return True

    def _look(self) -> None:
        if resident_memory() - self._memory > MOST_MEMORY:
            raise Refused(anomaly("too_deep_or_large", value="mémoire nécessaire à sa lecture"))

    def is_cut(self, encoding: str) -> bool:
        """Whether the file ends elsewhere than on the closing of its first element; reads it to its end."""
        while self._next(HEAD):
            pass
        text = self._tail.replace(b"\0", b"").decode("latin-1" if encoding == "UTF-16" else encoding, "replace")
        closing = re.compile(rf"</{re.escape(self._root_name)}\s*>{IGNORABLE.pattern}$", re.DOTALL)
        return closing.search(text) is None


def resident_memory() -> int:
    """Bytes that this process holds now; 0 where the system does not say."""
    if not _STATISTICS.exists():
        return 0
    return int(_STATISTICS.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")

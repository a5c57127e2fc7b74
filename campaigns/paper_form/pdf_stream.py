"""A PDF written straight to a stream: objects as they come, then the table of where each one lies.

Nothing but eight bytes an object stays in memory. What is written depends on nothing but what was asked: no date, no
chance. Page tree nodes hold 64 pages each, so that readers reach any page quickly (ISO 32000-1, 7.7.3).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import IO

from isal import igzip_lib, isal_zlib

KIDS = 64
WORTH_DEFLATING = 700  # bytes of a page: under this it saves less than a fifth, for a tenth of a form's time
DEFLATED = b"/Filter/FlateDecode"
LEAF = b"%d 0 obj\n<</Type/Page/Parent %d 0 R/Contents %d 0 R>>\nendobj\n"
STREAM = b"%d 0 obj\n<<%b/Length %d>>stream\n%b\nendstream\nendobj\n"
HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def deflated(content: bytes) -> bytes:
    """`content` as a zlib stream."""
    return bytes(igzip_lib.compress(content, 1, igzip_lib.COMP_ZLIB))


class PdfStream:
    """A file being written. Ask for a number with `reserve`, then write that object with `put` or `put_stream`."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._write = stream.write
        self._offsets = array("Q", [0])
        self._at = 0
        self._sum = 0
        self._nodes: list[int] = []
        self._kids: list[int] = []
        self.pages = 0
        self._emit(HEADER)
        self.tree = self.reserve()
        self.resources = self.reserve()

    def reserve(self) -> int:
        """The number of an object to be written later."""
        self._offsets.append(0)
        return len(self._offsets) - 1

    def put(self, number: int, body: bytes) -> None:
        """Write an object that is no stream."""
        self._offsets[number] = self._at
        self._emit(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def put_stream(self, number: int, content: bytes, told: bytes = DEFLATED) -> None:
        """Write a stream whose bytes are ready; `told` are the entries of its dictionary but its length."""
        self._offsets[number] = self._at
        self._emit(STREAM % (number, told, len(content), content))

    def add_pages(self, contents: Sequence[bytes]) -> None:
        """Write pages one after another, told by what each draws (not deflated yet) with the common resources."""
        at, pack = self._at, self._offsets.extend
        parts: list[bytes] = []
        for content in contents:
            if not self._kids:
                self._nodes.append(self.reserve())
            page = len(self._offsets)
            leaf = LEAF % (page, self._nodes[-1], page + 1)
            if len(content) >= WORTH_DEFLATING:
                small = deflated(content)
                stream = STREAM % (page + 1, DEFLATED, len(small), small)
            else:
                stream = STREAM % (page + 1, b"", len(content), content)
            pack((at, at + len(leaf)))
            parts += leaf, stream
            at += len(leaf) + len(stream)
            self._kids.append(page)
            if len(self._kids) == KIDS:
                self._emit(b"".join(parts))
                parts.clear()
                self._close_node()
                at = self._at
        self.pages += len(contents)
        self._emit(b"".join(parts))

    def close(self, *, resources: bytes, box: bytes, info: bytes, language: bytes) -> None:
        """Write the common resources, the page tree, the catalogue and the table; the stream itself stays open.

        Raises ValueError when an object was reserved and never written.
        """
        if self._kids:
            self._close_node()
        self.put(self.resources, resources)
        nodes = b" ".join(b"%d 0 R" % node for node in self._nodes)
        inherited = b"/MediaBox%b/Resources %d 0 R" % (box, self.resources)
        self.put(self.tree, b"<</Type/Pages/Count %d/Kids[%b]%b>>" % (self.pages, nodes, inherited))
        catalogue, about = self.reserve(), self.reserve()
        self.put(catalogue, b"<</Type/Catalog/Pages %d 0 R/Lang(%b)>>" % (self.tree, language))
        self.put(about, info)
        self._finish(catalogue, about)

    def _close_node(self) -> None:
        kids = b" ".join(b"%d 0 R" % page for page in self._kids)
        node = b"<</Type/Pages/Parent %d 0 R/Count %d/Kids[%b]>>" % (self.tree, len(self._kids), kids)
        self.put(self._nodes[-1], node)
        self._kids.clear()

    def _finish(self, catalogue: int, about: int) -> None:
        if 0 in self._offsets[1:]:
            message = f"Object {self._offsets.index(0, 1)} was promised and never written."
            raise ValueError(message)
        start, count = self._at, len(self._offsets)
        identity = b"%08x%024x" % (self._sum, self._at)
        self._emit(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        for first in range(1, count, 4096):
            rows = self._offsets[first : first + 4096]
            self._emit(b"".join(b"%010d 00000 n \n" % offset for offset in rows))
        trailer = b"<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]>>" % (count, catalogue, about, identity, identity)
        self._emit(b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (trailer, start))

    def _emit(self, content: bytes) -> None:
        self._write(content)
        self._sum = isal_zlib.crc32(content, self._sum)
        self._at += len(content)

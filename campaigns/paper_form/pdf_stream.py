"""A PDF written straight to a stream: objects as they come, then the table of where each one lies.

Nothing but eight bytes an object stays in memory. What is written depends on nothing but what was asked: no date, no
chance. Page tree nodes hold 64 pages each, so that readers reach any page quickly (ISO 32000-1, 7.7.3); a node and its
pages lie together in one deflated object stream, and the table is deflated too (7.5.7 and 7.5.8).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import IO

import numpy
from isal import igzip_lib, isal_zlib

KIDS = 64
PACKED = 1 << 63  # an object of an object stream: this, the stream's number 16 bits up, its place in the stream
ROWS = 4096  # of the table, made at a time
ROW = numpy.dtype([("kind", ">u1"), ("where", ">u8"), ("place", ">u2")])  # of the table
TABLE = b"/W[1 8 2]/DecodeParms<</Predictor 12/Columns 11>>"  # its columns; each row says what it adds to the last
UP = 2  # the PNG filter that begins such a row (ISO 32000-1, 7.4.4.4)
DEFLATED = b"/Filter/FlateDecode"
LEAF = b"<</Type/Page/Parent %-10d 0 R/Contents %%-10d 0 R>>\n"  # always as long, whatever the numbers
LEAF_LENGTH = len(LEAF % 0 % 0)
PLACES = [b"%%d %d " % place for place in range(0, (KIDS + 1) * LEAF_LENGTH, LEAF_LENGTH)]  # of a node's objects
STREAM = b"%d 0 obj\n<<%b/Length %d>>stream\n%b\nendstream\nendobj\n"
HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def deflated(content: bytes) -> bytes:
    """`content` as a zlib stream."""
    return bytes(igzip_lib.compress(content, 1, igzip_lib.COMP_ZLIB))


def _packed_stream(number: int, content: bytes) -> bytes:
    """A deflated stream, by codes that are the same for all: four times as fast as with its own."""
    small = igzip_lib.compress(content, 0, igzip_lib.COMP_ZLIB)
    return STREAM % (number, DEFLATED, len(small), small)


class PdfStream:
    """A file being written. Ask for a number with `reserve`, then write that object with `put` or `put_stream`."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._write = stream.write
        self._offsets = array("Q", [0])
        self._at = 0
        self._sum = 0
        self._nodes: list[int] = []
        self._contents: list[int] = []  # of the pages that no node holds yet
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

    def add_pages(self, contents: Sequence[bytes], worth: Sequence[int]) -> None:
        """Write pages one after another, told by what each draws with the common resources.

        `worth` says from how many bytes each of them is deflated.
        """
        first = len(self._offsets)
        numbers = range(first, first + len(contents))
        parts = [
            STREAM % (number, b"", len(content), content) if len(content) < least else _packed_stream(number, content)
            for number, content, least in zip(numbers, contents, worth, strict=True)
        ]
        self._offsets.extend(islice(accumulate(map(len, parts), initial=self._at), len(parts)))
        self._contents.extend(numbers)
        self.pages += len(parts)
        self._emit(b"".join(parts))
        while len(self._contents) >= KIDS:
            self._close_node()

    def close(self, *, resources: bytes, box: bytes, info: bytes, language: bytes) -> None:
        """Write the common resources, the page tree, the catalogue and the table; the stream itself stays open.

        Raises ValueError when an object was reserved and never written.
        """
        if self._contents:
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
        """Write the next pages and their node, in an object stream."""
        contents = self._contents[:KIDS]
        del self._contents[:KIDS]
        count, first = len(contents), len(self._offsets)
        node = first + count
        pages = LEAF % node * count % tuple(contents)
        kids = b"%d 0 R " * count % tuple(range(first, node))
        head = b"".join(PLACES[: count + 1]) % tuple(range(first, node + 1))
        held = b"%b%b<</Type/Pages/Parent %d 0 R/Count %d/Kids[%b]>>" % (head, pages, self.tree, count, kids)
        holder = node + 1
        packed = PACKED | holder << 16
        self._offsets.extend(range(packed, packed + count + 1))
        self._nodes.append(node)
        told = b"/Type/ObjStm/N %d/First %d%b" % (count + 1, len(head), DEFLATED)
        self.put_stream(self.reserve(), deflated(held), told)

    def _finish(self, catalogue: int, about: int) -> None:
        if 0 in self._offsets[1:]:
            message = f"Object {self._offsets.index(0, 1)} was promised and never written."
            raise ValueError(message)
        identity = b"%08x%024x" % (self._sum, self._at)
        start, number = self._at, self.reserve()
        self._offsets[number] = start
        deflate = isal_zlib.compressobj(1)
        rows = b"".join(map(deflate.compress, self._rows())) + deflate.flush()
        told = b"/Type/XRef/Size %d/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]%b%b" % (
            *(number + 1, catalogue, about),
            *(identity, identity, TABLE, DEFLATED),
        )
        self._emit(STREAM % (number, told, len(rows), rows))
        self._emit(b"startxref\n%d\n%%%%EOF\n" % start)

    def _rows(self) -> Iterator[bytes]:
        """The rows of the table, some at a time."""
        last = numpy.zeros((1, ROW.itemsize), dtype=numpy.uint8)
        for first in range(0, len(self._offsets), ROWS):
            found = numpy.array(self._offsets[first : first + ROWS])
            packed = found >= PACKED
            rows = numpy.empty(len(found), dtype=ROW)
            rows["kind"] = 1 + packed
            rows["where"] = numpy.where(packed, found % PACKED >> 16, found)
            rows["place"] = numpy.where(packed, found & 0xFFFF, 0)
            if not first:
                rows[0] = (0, 0, 0xFFFF)  # the head of the free objects (7.5.4)
            figures = rows.view(numpy.uint8).reshape(-1, ROW.itemsize)
            added = numpy.diff(figures, axis=0, prepend=last)
            last = figures[-1:]
            yield numpy.insert(added, 0, UP, axis=1).tobytes()

    def _emit(self, content: bytes) -> None:
        self._write(content)
        self._sum = isal_zlib.crc32(content, self._sum)
        self._at += len(content)

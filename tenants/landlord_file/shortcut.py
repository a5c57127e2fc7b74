"""Rows taken straight from the text of a deposit, where they look like those that the parser has read.

Building the tree of a household costs more than all that is then done with it, and the rows of an export look alike.
The first ones are the parser's, and teach what a row looks like. Then, each time, one row is read both ways; if both
agree, the rows that follow it are taken by a regular expression (`likeness`) up to the first that it does not take:
that one, and whatever is no row, goes to the parser. What the parser is never shown are whole elements: what it knows
of the file stays true. Their line feeds are given to it inside a comment, so that it goes on counting lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lxml import etree

from .likeness import LONGEST, Likeness, RowMatch
from .tree import CHUNK, Complete, Tree
from .walking import Values, Walker, line_of

_CODECS = {"UTF-8": "utf-8", "ISO-8859-1": "latin-1", "ISO-8859-15": "iso8859-15", "WINDOWS-1252": "cp1252"}
"""The encodings in which a byte `>` is always that sign, and what is decoded encodes back to the same bytes."""

_TAUGHT = 40
"""Rows read by the parser before any is taken from the text."""

_TRIAL = 1_000
"""Rows read by the parser, from time to time, after which the shortcut must have taken as many to be kept."""

_COMMENT = 1_000_000
_BLANKS = " \t\r\n"


class TextRow(NamedTuple):
    """A row taken from the text: its values by slot, its line, its text, and the namespaces that it is written with."""

    values: Values
    occupants: list[Values]
    line: int
    text: str
    namespaces: dict[str | None, str]

    def element(self) -> etree._Element:
        """The row as the parser would give it, but for its line: its own first line is 1."""
        names = {prefix: uri for prefix, uri in self.namespaces.items() if prefix != "xml"}
        told = "".join(f' xmlns{":" + prefix if prefix else ""}="{_quoted(uri)}"' for prefix, uri in names.items())
        return etree.fromstring(f"<rows{told}>{self.text}</rows>")[0]


def _quoted(uri: str) -> str:
    return uri.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


Row = etree._Element | TextRow


def line_of_row(row: Row) -> int:
    """The line where a row starts."""
    return row.line if isinstance(row, TextRow) else line_of(row)


def values_of(row: Row, walker: Walker) -> tuple[Values, list[Values]]:
    """The row's values by slot, and those of each occupant inside."""
    return (row.values, row.occupants) if isinstance(row, TextRow) else walker.read_row(row)


def shortcut_for(tree: Tree, walkers: Sequence[Walker], encoding: str) -> Shortcut | None:
    """The shortcut through a file of that encoding, None when it can't have one."""
    likenesses = [Likeness(each.root, each.width, each.occupant_width) for each in walkers]
    if encoding not in _CODECS or not any(each.possible for each in likenesses):
        return None
    return Shortcut(tree, walkers, likenesses, _CODECS[encoding])


class _Kind:
    """The rows of one path: their number, what reads them, what was learned of them."""

    def __init__(self, number: int, walker: Walker, likeness: Likeness) -> None:
        self.number, self.walker, self.likeness = number, walker, likeness

    @property
    def name(self) -> str:
        """The name of these rows, as it is written."""
        return self.likeness.name

    def match(self, text: str, start: int) -> RowMatch | None:
        """The row that starts there, if it looks like those seen so far."""
        expression = self.likeness.expression()
        return expression.match(text, start) if expression is not None else None


class Shortcut:
    """One passage through one file."""

    def __init__(self, tree: Tree, walkers: Sequence[Walker], likenesses: Sequence[Likeness], codec: str) -> None:
        self._tree, self._codec = tree, codec
        self._kinds = [_Kind(*each) for each in zip(range(len(walkers)), walkers, likenesses, strict=True)]
        self._named: dict[str, _Kind] = {}
        self._openings: re.Pattern[str] | None = None
        # What was read and neither taken nor shown to the parser, from `_place` on; then bytes not decoded yet.
        self._text, self._place, self._bytes = "", 0, b""
        self._line, self._hidden = 1, 0
        self._way: _Kind | None = None
        self._waiting = False
        self._taken = self._parsed = 0
        self._worth = True

    def run(self) -> Iterator[tuple[int, Row]]:
        """All the rows of the file, in its order. Raises XMLSyntaxError after them."""
        while data := self._tree.watched.read(CHUNK):
            if not self._worth:
                yield from self._tree.fed(data)
            elif not self._decoded(data):
                self._worth = False
            else:
                yield from self._through()
            if not self._worth:
                yield from self._flushed()
        yield from self._flushed()
        yield from self._tree.ended()

    def _decoded(self, data: bytes) -> bool:
        """Whether the text could be lengthened by a piece of the file, up to the end of its last element."""
        data = self._bytes + data
        cut = data.rfind(b">") + 1
        self._bytes = data[cut:]
        try:
            self._text += data[:cut].decode(self._codec)
        except UnicodeDecodeError:
            self._bytes = data
            return False
        return len(self._bytes) <= LONGEST

    def _through(self) -> Iterator[tuple[int, Row]]:
        """The rows of the text, but for one that may not be all there."""
        self._waiting = False
        while self._worth and not self._waiting and self._place < len(self._text):
            yield from self._straight(self._way) if self._way is not None else self._towards()
        self._text, self._place = self._text[self._place :], 0

    def _flushed(self) -> Iterator[tuple[int, Row]]:
        """The rows of what the parser was not shown yet."""
        yield from self._leave()
        left, self._bytes = self._bytes, b""
        yield from self._shown(len(self._text))
        self._text, self._place = "", 0
        yield from self._tree.fed(left)

    # — rows taken from the text —

    def _straight(self, way: _Kind) -> Iterator[tuple[int, Row]]:
        """The rows that look alike, up to the first that does not."""
        text, line, watched = self._text, self._line, self._tree.watched
        number, names, match = way.number, way.likeness.namespaces, way.match
        start = len(text) - len(text[self._place :].lstrip(_BLANKS))
        line += text.count("\n", self._place, start)
        taken = 0
        while (row := match(text, start)) is not None:
            watched.silent = 0
            taken += 1
            yield number, TextRow(row.values, row.occupants, line, text[start : row.end], names)
            line += text.count("\n", start, row.end)
            start = row.end
        self._hidden += line - self._line
        self._place, self._line = start, line
        self._taken += taken
        if self._goes_on(way, start):
            self._waiting = True
        else:
            yield from self._leave()

    def _goes_on(self, way: _Kind, start: int) -> bool:
        """Whether what stands there may be a row of which only the beginning was read."""
        if start == len(self._text):
            return True
        opening = f"<{way.name}"
        alone = self._text.startswith(opening, start) and self._text.find(opening, start + 1) < 0
        return alone and len(self._text) - start <= LONGEST

    def _leave(self) -> Iterator[Complete]:
        """Back to the parser, which is told how many lines it was not shown."""
        self._way = None
        while self._hidden:
            lines = min(self._hidden, _COMMENT)
            self._hidden -= lines
            yield from self._tree.fed(b"<!--" + b"\n" * lines + b"-->")

    # — rows that the parser reads —

    def _towards(self) -> Iterator[tuple[int, Row]]:
        """The rows up to one that both ways can read, which opens the shortcut if they agree."""
        found = self._openings.search(self._text, self._place) if self._openings is not None else None
        if found is None:
            yield from self._shown(len(self._text))
            return
        kind, start = self._named[found[1]], found.start()
        row = kind.match(self._text, start)
        if row is not None:
            yield from self._shown(start)
            yield from self._tried(kind, row)
            return
        after = found.re.search(self._text, found.end())
        if after is not None or len(self._text) - start > LONGEST:
            yield from self._shown(after.start() if after is not None else len(self._text))
        else:
            yield from self._shown(start)
            self._waiting = True

    def _tried(self, kind: _Kind, row: RowMatch) -> Iterator[tuple[int, Row]]:
        """A row read both ways."""
        text, line = self._text[self._place : row.end], self._line
        failure = self._tree.feed(self._passed(row.end))
        rows = list(self._tree.complete())
        if failure is None and len(rows) == 1 and _agree(kind, rows[0], row):
            yield from self._tree.replaced(rows[0], given=True)
            yield kind.number, TextRow(row.values, row.occupants, line, text, kind.likeness.namespaces)
            self._way = kind
            return
        yield from self._tree.given(self._learned(iter(rows)))
        if failure is not None:
            raise failure

    def _shown(self, end: int) -> Iterator[Complete]:
        """The rows of the text up to there, and what they teach."""
        failure = self._tree.feed(self._passed(end))
        yield from self._tree.given(self._learned(self._tree.complete()))
        if failure is not None:
            raise failure

    def _passed(self, end: int) -> bytes:
        """The text up to there, as it stands in the file."""
        text = self._text[self._place : end]
        self._place = end
        self._line += text.count("\n")
        return text.encode(self._codec)

    def _learned(self, rows: Iterator[Complete]) -> Iterator[Complete]:
        for number, element in rows:
            kind = self._kinds[number]
            kind.likeness.learn(element)
            if kind.likeness.rows == _TAUGHT:
                self._open(kind)
            self._parsed += 1
            if self._parsed == _TRIAL:
                self._worth = self._taken >= _TRIAL
                self._parsed = self._taken = 0
            yield number, element

    def _open(self, kind: _Kind) -> None:
        """From now on, rows of that kind may be taken."""
        if kind.likeness.possible:
            self._named[kind.name] = kind
            names = "|".join(re.escape(name) for name in self._named)
            self._openings = re.compile(rf"<({names})(?=[\s/>])")


def _agree(kind: _Kind, read: Complete, row: RowMatch) -> bool:
    """Whether the parser reads the same values, and finds nothing wrong with the row's shape."""
    number, element = read
    if number != kind.number or element.nsmap != kind.likeness.namespaces:
        return False
    values, occupants = kind.walker.read_row(element)
    return not kind.walker.take_faults() and values == row.values and occupants == row.occupants

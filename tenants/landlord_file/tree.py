"""The XML of a deposit as libxml2 reads it, piece by piece: its rows, each freed once it has served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from lxml import etree

from .paths import SourcePath
from .watching import Refused, WatchedFile
from .wording import anomaly

CHUNK = 32_768
"""Bytes read at once."""

Complete = tuple[int, etree._Element]
"""Which path, and the element that stands there."""


class Tree:
    """The rows standing at some paths; elements of the same name standing elsewhere are passed over.

    A row is given once the next one is complete, so that the text after it is known (see `line_of`), then freed with
    all that precedes the next one.
    """

    def __init__(self, watched: WatchedFile, paths: Sequence[SourcePath]) -> None:
        self.watched = watched
        self._rows = {tuple(step.tag for step in path.steps): number for number, path in enumerate(paths)}
        self._parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=sorted({tags[-1] for tags in self._rows} | {tags[0] for tags in self._rows}),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        self._above: etree._Element | None = None
        self._known: dict[str, int] = {}
        self._last: Complete | None = None
        self._given = False

    @property
    def log(self) -> Any:
        """What the parser complained of."""
        return self._parser.feed_error_log

    def run(self) -> Iterator[Complete]:
        """All the rows of the file."""
        while data := self.watched.read(CHUNK):
            yield from self.fed(data)
        yield from self.ended()

    def fed(self, data: bytes) -> Iterator[Complete]:
        """The rows that are complete with this piece, but for the last one. Raises XMLSyntaxError after them."""
        failure = self.feed(data)
        yield from self.given(self.complete())
        if failure is not None:
            raise failure

    def feed(self, data: bytes) -> etree.XMLSyntaxError | None:
        """Give a piece to the parser; what is wrong with it, which must be raised once its rows are given."""
        if not data:  # the parser would take it for the beginning of another file
            return None
        try:
            self._parser.feed(data)
        except etree.XMLSyntaxError as error:
            return error
        return None

    def ended(self) -> Iterator[Complete]:
        """The rows that were left, the file being at its end. Raises XMLSyntaxError after them."""
        failure = None
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            failure = error
        yield from self.given(self.complete())
        if failure is not None:
            raise failure
        if self._last is not None and not self._given:
            yield self._last

    def complete(self) -> Iterator[Complete]:
        """The rows complete since the last call."""
        events = cast(Iterator[tuple[str, etree._Element]], self._parser.read_events())
        for event, element in events:
            if event == "start":
                if self.watched.root is None:
                    _refuse_doctype(element)
                    self.watched.root = element.getroottree().getroot()
                continue
            parent = element.getparent()
            if parent is not self._above or parent is None:
                self._above = parent
                trail = _trail(parent)
                self._known = {tags[-1]: number for tags, number in self._rows.items() if tags[:-1] == trail}
            number = self._known.get(element.tag, -1)
            if number >= 0:
                self.watched.silent = 0
                yield number, element

    def given(self, rows: Iterator[Complete]) -> Iterator[Complete]:
        """Each of these rows when the next one comes; it is valid until then."""
        for row in rows:
            yield from self.replaced(row)

    def replaced(self, row: Complete, *, given: bool = False) -> Iterator[Complete]:
        """The last row, if it was not given yet, then freed: that one takes its place."""
        if self._last is not None:
            if not self._given:
                yield self._last
            _forget(self._last[1])
        self._last, self._given = row, given


def _forget(row: etree._Element) -> None:
    """Free a row that another one follows, and what stands before it under the same parent."""
    row.clear(keep_tail=True)  # type: ignore[call-arg]  # absent from the stubs
    parent = row.getparent()
    if parent is not None:
        _free_before(row, parent)
        parent.remove(row)


def _free_before(element: etree._Element, parent: etree._Element) -> None:
    before = element.getprevious()
    while before is not None:
        parent.remove(before)
        before = element.getprevious()


def _trail(element: etree._Element | None) -> tuple[str, ...]:
    """The tags that lead to an element; what stands before it and before those that hold it is freed."""
    tags: list[str] = []
    while element is not None:
        tags.append(str(element.tag))
        parent = element.getparent()
        if parent is not None:
            _free_before(element, parent)
        element = parent
    return tuple(reversed(tags))


def _refuse_doctype(element: etree._Element) -> None:
    """A second wall behind `check_head`."""
    information = element.getroottree().docinfo
    if information.doctype:  # type: ignore[attr-defined]  # absent from the stubs
        raise Refused(anomaly("doctype", line=1, value="<!DOCTYPE", expected="aucune déclaration DOCTYPE"))

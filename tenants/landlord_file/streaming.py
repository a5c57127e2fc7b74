"""The XML of a deposit, one element at a time: bounded memory, no entity, no network, errors told in French."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from lxml import etree

from .paths import SourcePath
from .prolog import HEAD, IGNORABLE, check_head, root_name
from .records import Anomaly
from .wording import anomaly

_TAIL = 4_096
SILENCE = 64_000_000
"""Bytes that may follow one another without any element that the profile names, before the file is refused."""

_ENCODING = frozenset({"ERR_INVALID_ENCODING", "I18N_CONV_FAILED", "I18N_NO_OUTPUT", "ERR_UNKNOWN_ENCODING"})
_LIMITS = frozenset(
    {
        "ERR_RESOURCE_LIMIT",
        "ERR_INTERNAL_ERROR",
        "ERR_NO_MEMORY",
        "ERR_NAME_TOO_LONG",
        "ERR_ENTITY_LOOP",
        "ERR_ATTLIST_NOT_FINISHED",
    }
)
_ERROR_NAMES = {code: name for name, code in vars(etree.ErrorTypes).items() if isinstance(code, int)}
_SENTENCES = {
    "ERR_TAG_NAME_MISMATCH": "une balise est fermée par une autre",
    "ERR_ATTRIBUTE_REDEFINED": "un attribut est donné deux fois",
    "ERR_INVALID_CHAR": "un caractère interdit en XML",
    "ERR_INVALID_CHARREF": "un caractère interdit en XML",
    "ERR_UNDECLARED_ENTITY": "une entité n'est pas définie",
    "ERR_ENTITYREF_SEMICOL_MISSING": "un « & » doit s'écrire « &amp; »",
    "ERR_NAME_REQUIRED": "un « & » ou un « < » doit s'écrire « &amp; » ou « &lt; »",
    "ERR_LT_IN_ATTRIBUTE": "un « < » doit s'écrire « &lt; »",
    "ERR_DOCUMENT_END": "du texte suit la fin du document",
    "NS_ERR_UNDEFINED_NAMESPACE": "un préfixe d'espace de noms n'est pas défini",
}


class Refused(Exception):
    """The deposit can't be read any further; `.anomaly` says why."""

    def __init__(self, found: Anomaly) -> None:
        super().__init__(found.kind)
        self.anomaly = found


class _Watched:
    """The open file as the parser reads it: gives back the head, and refuses an endless silence."""

    def __init__(self, head: bytes, source: BinaryIO) -> None:
        self._head = head
        self._root = root_name(head)
        self._source = source
        self.silent = 0
        self._tail = b""

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        else:
            data = self._source.read(size)
        self._tail = (self._tail + data)[-_TAIL:] if len(data) < _TAIL else data[-_TAIL:]
        self.silent += len(data)
        if self.silent > SILENCE:
            raise Refused(anomaly("unmapped_volume", value=str(SILENCE // 1_000_000)))
        return data

    def is_cut(self, encoding: str) -> bool:
        """Whether the file ends elsewhere than on the closing of its first element."""
        while self.read(HEAD):
            self.silent = 0
        text = self._tail.replace(b"\0", b"").decode("latin-1" if encoding == "UTF-16" else encoding, "replace")
        closing = re.compile(rf"</{re.escape(self._root)}\s*>{IGNORABLE.pattern}$", re.DOTALL)
        return closing.search(text) is None


def stream_rows(source: BinaryIO, paths: Sequence[SourcePath]) -> Iterator[tuple[int, etree._Element]]:
    """Each element standing at one of these paths: (which path, element), in file order.

    The element is valid until the next one is asked for. Raises Refused, and nothing else, for anything wrong with
    the file. What was yielded before must then be forgotten by the caller.
    """
    head = source.read(HEAD)
    verdict = check_head(head)
    if isinstance(verdict, Anomaly):
        raise Refused(verdict)
    watched = _Watched(head, source)
    parser = etree.iterparse(
        watched,
        events=("end",),
        tag=sorted({path.steps[-1].tag for path in paths}),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        yield from _lagging(_rows(parser, paths, watched))
    except etree.XMLSyntaxError as error:
        raise Refused(_explained(error, parser.error_log, verdict, cut=watched.is_cut(verdict))) from None
    except (LookupError, UnicodeError):
        raise Refused(anomaly("wrong_encoding", value=verdict)) from None


def _lagging(rows: Iterator[tuple[int, etree._Element]]) -> Iterator[tuple[int, etree._Element]]:
    """The same rows, each given once the next one is complete, so that the text after it is known (see `line_of`)."""
    previous: tuple[int, etree._Element] | None = None
    for row in rows:
        if previous is not None:
            yield previous
            _forget(previous[1])
        previous = row
    if previous is not None:
        yield previous


def _rows(
    parser: etree.iterparse[tuple[str, etree._Element]], paths: Sequence[SourcePath], watched: _Watched
) -> Iterator[tuple[int, etree._Element]]:
    """Elements at these very paths; those of the same name standing elsewhere are passed over."""
    numbers = {tuple(step.tag for step in path.steps): number for number, path in enumerate(paths)}
    parent: etree._Element | None = None
    known: dict[str, int] = {}
    checked = False
    for _, element in parser:
        if not checked:
            _refuse_doctype(element)
            checked = True
        watched.silent = 0
        above = element.getparent()
        if above is not parent or above is None:
            parent = above
            trail = _trail(above)
            known = {tags[-1]: number for tags, number in numbers.items() if tags[:-1] == trail}
        number = known.get(element.tag, -1)
        if number >= 0:
            yield number, element


def _trail(element: etree._Element | None) -> tuple[str, ...]:
    tags: list[str] = []
    while element is not None:
        tags.append(str(element.tag))
        element = element.getparent()
    return tuple(reversed(tags))


def _refuse_doctype(element: etree._Element) -> None:
    """A second wall behind `check_head`."""
    information = element.getroottree().docinfo
    if information.doctype:  # type: ignore[attr-defined]  # absent from the stubs
        raise Refused(anomaly("doctype", line=1, value="<!DOCTYPE", expected="aucune déclaration DOCTYPE"))


def _forget(element: etree._Element) -> None:
    """Free a row and all that precedes it under the same parent, and what precedes that parent."""
    element.clear(keep_tail=True)  # type: ignore[call-arg]  # absent from the stubs
    parent = element.getparent()
    if parent is None:
        return
    while element.getprevious() is not None:
        del parent[0]
    above = parent.getparent()
    if above is not None and parent.getprevious() is not None:
        while parent.getprevious() is not None:
            del above[0]


def _explained(error: etree.XMLSyntaxError, log: Any, encoding: str, *, cut: bool) -> Anomaly:
    """The parser's complaint as a French sentence, with its line. `log` is what it said before, `cut` wins over it."""
    code, line = getattr(error, "code", None), error.lineno or 0
    last = log.last_error
    if last is not None and (code == etree.ErrorTypes.ERR_INTERNAL_ERROR or not line):
        code, line = last.type, last.line
    name = _ERROR_NAMES.get(int(code or 0), "")
    if name in _ENCODING:
        return anomaly("wrong_encoding", line=line, value=encoding)
    if name in _LIMITS:
        return anomaly("too_deep_or_large", line=line, value="profondeur, longueur d'un nom ou d'une valeur")
    after_the_end = last is not None and last.message.startswith("Extra content")
    if cut and not after_the_end:
        return anomaly("truncated", line=line)
    where = f"ligne {line}" if line else "structure invalide"
    return anomaly("broken_xml", line=line, value=_SENTENCES.get(name, where))

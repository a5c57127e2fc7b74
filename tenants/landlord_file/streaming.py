"""The XML of a deposit, one element at a time: bounded memory, no entity, no network, errors told in French."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from lxml import etree

from .paths import SourcePath
from .prolog import HEAD, check_head
from .records import Anomaly
from .watching import Refused, WatchedFile
from .wording import anomaly

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
_TOO_LONG = re.compile("too (?:long|big|deep)|limit exceeded", re.IGNORECASE)
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


def stream_rows(source: BinaryIO, paths: Sequence[SourcePath]) -> Iterator[tuple[int, etree._Element]]:
    """Each element standing at one of these paths: (which path, element), in file order.

    The element is valid until the next one is asked for. Raises Refused, and nothing else, for anything wrong with
    the file. What was yielded before must then be forgotten by the caller.
    """
    head = source.read(HEAD)
    verdict = check_head(head)
    if isinstance(verdict, Anomaly):
        raise Refused(verdict)
    rows = {tuple(step.tag for step in path.steps): number for number, path in enumerate(paths)}
    watched = WatchedFile(head, source, frozenset(rows))
    parser = etree.iterparse(
        watched,
        events=("start", "end"),
        tag=sorted({tags[-1] for tags in rows} | {tags[0] for tags in rows}),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        yield from _rows(parser, rows, watched)
    except etree.XMLSyntaxError as error:
        raise Refused(_explained(error, parser.error_log, verdict, cut=watched.is_cut(verdict))) from None
    except (LookupError, UnicodeError):
        raise Refused(anomaly("wrong_encoding", value=verdict)) from None


def _rows(
    parser: etree.iterparse[tuple[str, etree._Element]], rows: dict[tuple[str, ...], int], watched: WatchedFile
) -> Iterator[tuple[int, etree._Element]]:
    """Elements at these very paths; those of the same name standing elsewhere are passed over.

    Each is given once the next one is complete, so that the text after it is known (see `line_of`), then freed with
    all that precedes the next one.
    """
    above: etree._Element | None = None
    known: dict[str, int] = {}
    previous: tuple[int, etree._Element] | None = None
    for event, element in parser:
        if event == "start":
            if watched.root is None:
                _refuse_doctype(element)
                watched.root = element.getroottree().getroot()
            continue
        parent = element.getparent()
        if parent is not above or parent is None:
            above = parent
            trail = _trail(parent)
            known = {tags[-1]: number for tags, number in rows.items() if tags[:-1] == trail}
        number = known.get(element.tag, -1)
        if number < 0:
            continue
        watched.silent = 0
        if previous is not None:
            yield previous
            _forget(previous[1])
        previous = number, element
    if previous is not None:
        yield previous


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


def _explained(error: etree.XMLSyntaxError, log: Any, encoding: str, *, cut: bool) -> Anomaly:
    """The parser's complaint as a French sentence, with its line. `log` is what it said before, `cut` wins over it."""
    code, line = getattr(error, "code", None), error.lineno or 0
    last = log.last_error
    if last is not None and (code == etree.ErrorTypes.ERR_INTERNAL_ERROR or not line):
        code, line = last.type, last.line
    name = _ERROR_NAMES.get(int(code or 0), "")
    if name in _ENCODING:
        return anomaly("wrong_encoding", line=line, value=encoding)
    if name in _LIMITS or _TOO_LONG.search(f"{error} {last.message if last is not None else ''}"):
        return anomaly("too_deep_or_large", line=line, value="profondeur, longueur d'un nom ou d'une valeur")
    after_the_end = last is not None and last.message.startswith("Extra content")
    if cut and not after_the_end:
        return anomaly("truncated", line=line)
    where = f"ligne {line}" if line else "structure invalide"
    return anomaly("broken_xml", line=line, value=_SENTENCES.get(name, where))

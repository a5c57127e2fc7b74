"""The XML of a deposit, one element at a time: bounded memory, no entity, no network, errors told in French."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from lxml import etree

from .paths import SourcePath
from .prolog import HEAD, check_head
from .records import Anomaly
from .shortcut import Row, shortcut_for
from .tree import Tree
from .walking import Walker
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


def stream_rows(
    source: BinaryIO, paths: Sequence[SourcePath], walkers: Sequence[Walker] = ()
) -> Iterator[tuple[int, Row]]:
    """Each element standing at one of these paths: (which path, element), in file order.

    The element is valid until the next one is asked for. With the `walkers` that read the rows of each path, those that
    look like the ones before are taken straight from the text, and come as `TextRow`. Raises Refused, and nothing else,
    for anything wrong with the file. What was yielded before must then be forgotten by the caller.
    """
    head = source.read(HEAD)
    verdict = check_head(head)
    if isinstance(verdict, Anomaly):
        raise Refused(verdict)
    watched = WatchedFile(head, source, frozenset(tuple(step.tag for step in path.steps) for path in paths))
    tree = Tree(watched, paths)
    shortcut = shortcut_for(tree, walkers, verdict)
    try:
        yield from shortcut.run() if shortcut is not None else tree.run()
    except etree.XMLSyntaxError as error:
        raise Refused(_explained(error, tree.log, verdict, cut=watched.is_cut(verdict))) from None
    except (LookupError, UnicodeError):
        raise Refused(anomaly("wrong_encoding", value=verdict)) from None


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

"""The first bytes of a deposit, judged before any XML parser sees them: compressed? which encoding? any DOCTYPE?"""

from __future__ import annotations

import re

from .records import Anomaly
from .wording import anomaly

HEAD = 65_536
"""Bytes read to judge a file: everything before the root element must fit."""

ENCODINGS = ("UTF-8", "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252", "UTF-16")
"""The declared encodings accepted, in capitals (QUALITY X2)."""

_ALIASES = {
    "UTF8": "UTF-8",
    "LATIN1": "ISO-8859-1",
    "LATIN-1": "ISO-8859-1",
    "CP1252": "WINDOWS-1252",
    "ISO_8859-1": "ISO-8859-1",
    "ISO_8859-15": "ISO-8859-15",
    "UTF-16LE": "UTF-16",
    "UTF-16BE": "UTF-16",
    "US-ASCII": "UTF-8",
    "ASCII": "UTF-8",
}
_SIGNATURES = (
    (b"PK\x03\x04", "une archive ZIP ou un classeur"),
    (b"\x1f\x8b", "une archive gzip"),
    (b"7z\xbc\xaf\x27\x1c", "une archive 7z"),
    (b"BZh", "une archive bzip2"),
    (b"\xfd7zXZ", "une archive xz"),
    (b"Rar!", "une archive RAR"),
    (b"%PDF", "un PDF"),
    (b"\xd0\xcf\x11\xe0", "un ancien document Office"),
)
_BOMS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xef\xbb\xbf", "UTF-8"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_DECLARATION = re.compile(r"<\?xml\s[^>]*?\?>")
_DECLARED = re.compile(r"\bencoding\s*=\s*[\"']([^\"']*)[\"']")
IGNORABLE = re.compile(r"(?:\s+|<\?(?:(?!\?>).)*\?>|<!--(?:(?!-->).)*-->)*", re.DOTALL)


def check_head(head: bytes) -> Anomaly | str:
    """The file's encoding (one of ENCODINGS), or the anomaly that refuses it. `head` is its first HEAD bytes."""
    if not head.strip():
        return anomaly("empty_file")
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return anomaly("not_xml", value=name, expected="un fichier XML")
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), "")
    if not marked and (head.startswith((b"<\x00", b"\x00<"))):
        marked = "UTF-16"
    text = _as_text(head, marked)
    encoding = _encoding(text, marked)
    if encoding not in ENCODINGS or (marked and encoding != marked):
        shown = f"{encoding} avec une marque {marked}" if marked and encoding != marked else encoding
        return anomaly("unsupported_encoding", line=1, value=shown, expected=", ".join(ENCODINGS))
    return _check_prolog(text, whole=len(head) < HEAD) or encoding


def root_name(head: bytes) -> str:
    """The name of the first element, as written; '' when the head has none."""
    marked = "UTF-16" if b"\0" in head[:4] else ""
    text = _as_text(head, marked or next((name for bom, name in _BOMS if head.startswith(bom)), ""))
    prolog = IGNORABLE.match(text)
    found = re.compile(r"<([^\s<>/]+)").match(text, prolog.end() if prolog else 0)
    return found[1] if found else ""


def _as_text(head: bytes, marked: str) -> str:
    """Enough of the text to read its markup, which is ASCII in every accepted encoding."""
    if marked == "UTF-16":
        big_endian = head.startswith((b"\xfe\xff", b"\x00<"))
        return head[: len(head) // 2 * 2].decode("utf-16-be" if big_endian else "utf-16-le", "replace").lstrip("\ufeff")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def _encoding(text: str, marked: str) -> str:
    declaration = _DECLARATION.match(text)
    declared = _DECLARED.search(declaration.group()) if declaration else None
    if declared is None:
        return marked or "UTF-8"
    name = declared[1].strip().upper()
    return _ALIASES.get(name, name)


def _check_prolog(text: str, *, whole: bool) -> Anomaly | None:
    """Refuse a DOCTYPE, and whatever is neither white space, comment nor instruction before the root."""
    position = IGNORABLE.match(text).end()  # type: ignore[union-attr]  # the pattern matches the empty string
    line = text.count("\n", 0, position) + 1
    rest = text[position : position + 9]
    if rest.upper().startswith("<!DOCTYPE"):
        return anomaly("doctype", line=line, value="<!DOCTYPE", expected="aucune déclaration DOCTYPE")
    if re.match(r"<[^\W\d]", rest):
        return None
    if not rest or rest.startswith("<"):
        if whole:
            return anomaly("truncated", line=line)
        return anomaly("too_deep_or_large", line=line, value="le début du fichier, avant le premier élément")
    return anomaly("not_xml", line=line, value="il ne commence pas par une balise", expected="un fichier XML")

"""Is a dropped file whole? A cut upload keeps its final name with many clients, and may be resumed hours later."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

TAIL = 4096
# How long a file that lacks its end is left to its sender before it is read all the same, then refused with its report.
CUT = dt.timedelta(hours=24)
# Some programs never end their last line, and an empty file may be meant: shorter.
DOUBTFUL = dt.timedelta(minutes=10)

_PROLOG = re.compile(r"<\?.*?\?>|<!--.*?-->|<!\[CDATA\[.*?\]\]>|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL)
_ROOT = re.compile(r"<([^\s/><!?]+)")
_AFTER = r"\s*>\s*(?:<!--.*?-->\s*|<\?.*?\?>\s*)*\Z"
_ZIP_END = b"PK\x05\x06"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Why a file seems cut, in French, and how long it is left alone."""

    reason: str
    patience: dt.timedelta


def unfinished(*, head: bytes, tail: bytes, size: int) -> Unfinished | None:
    """What tells that the end of a file is still to come; None when nothing does.

    `head` and `tail` are its first and last bytes (4096 of each, an even number), `size` its whole length.
    """
    if size == 0:
        return Unfinished("Le fichier est vide.", DOUBTFUL)
    if head.startswith(b"PK\x03\x04"):
        lacks = _ZIP_END not in tail
        return Unfinished("Le classeur s'arrête avant sa fin.", CUT) if lacks else None
    text, end = _decoded(head, tail, size)
    if text is None:
        return Unfinished("Le fichier s'arrête au milieu d'un caractère.", CUT)
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        return _unfinished_xml(text, end, whole=size <= len(head))
    if not end.endswith(("\n", "\r")):
        return Unfinished("La dernière ligne du fichier n'est pas terminée.", DOUBTFUL)
    return None


def _decoded(head: bytes, tail: bytes, size: int) -> tuple[str | None, str]:
    """Both ends as text in which markup shows; None for a UTF-16 file of an odd length."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            if size % 2:
                return None, ""
            return head.decode(encoding, "replace"), tail.decode(encoding, "replace")
    # Markup is ASCII in every other encoding that is accepted; the byte order mark of UTF-8 is no part of it.
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1"), tail.decode("latin-1")


def _unfinished_xml(head: str, tail: str, *, whole: bool) -> Unfinished | None:
    root = _ROOT.search(_PROLOG.sub("", head))
    if root is None:
        return Unfinished("Le fichier s'arrête avant son premier élément.", CUT) if whole else None
    name = root.group(1)
    if whole and tail.rstrip().endswith("/>"):
        return None
    if re.search(f"</{re.escape(name)}{_AFTER}", tail, re.DOTALL):
        return None
    return Unfinished(f"Le fichier s'arrête avant sa fin : la balise </{name[:60]}> manque.", CUT)

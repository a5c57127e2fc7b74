"""What a name on the exchange may be and tell: finished or not, safe or not, ours while we read it. No network."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from campaigns.exchange_errors import ExchangeRefused

LONGEST_NAME = 255  # bytes, on every file system we know
ROOM_FOR_SUFFIX = 60  # bytes that our own files add to a landlord's name
SIDECAR = ".sha256"

# WinSCP (.filepart), lftp (.in.…), rsync and editors (leading dot), browsers, Office (~$…), and what scripts use.
_UNFINISHED = re.compile(
    r"\..*|~.*|.*~|.*\.(?:tmp|temp|part|partial|filepart|crdownload|download|upload|swp|lftp-pget-status)",
    re.IGNORECASE | re.DOTALL,
)
_HELD = re.compile(r"\.lu-([0-9a-f]{16})-(.+)", re.DOTALL)
_NEVER = re.compile(r'[/\\:*?"<>|]')


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in a folder, as last seen. `size` in bytes. `name` is what the server says, with the bytes that are not
    UTF-8 kept as surrogates; `label` is how people and our own files call it."""

    name: str
    size: int
    modified: datetime

    @property
    def label(self) -> str:
        """The name shown to people."""
        return label_of(self.name)

    @property
    def held(self) -> bool:
        """Whether we had taken it already, and were interrupted before it was put away."""
        return _HELD.fullmatch(self.name) is not None


def is_finished_name(name: str) -> bool:
    """Whether a client would leave that name on a finished file: no `.tmp`, `.part`, `.filepart`, no leading dot."""
    return _UNFINISHED.fullmatch(name) is None


def awaited(file: RemoteFile) -> bool:
    """Whether a file of `depot/` is to be read: finished, or taken by us and not put away yet."""
    return file.held or is_finished_name(file.name)


def settled(before: Iterable[RemoteFile], now: Iterable[RemoteFile]) -> list[RemoteFile]:
    """The files that have not moved between two looks: same name, same size, same time. Growing ones wait."""
    known = set(before)
    return [seen for seen in now if seen in known]


def safe_name(name: str) -> str:
    """The name if it can only be a file of the folder and shows as it is. Raises ExchangeRefused."""
    odd = not name or name in (".", "..") or len(wire(name)) > LONGEST_NAME
    if odd or not name.isprintable() or "/" in name or "\\" in name:
        raise ExchangeRefused(f"Le nom de fichier {name[:80]!a} n'est pas accepté.")
    return name


def one_step(name: str) -> str:
    """A name that a server listed, if it stays in its folder, however odd it looks. Raises ExchangeRefused."""
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise ExchangeRefused(f"Le nom de fichier {name[:80]!a} n'est pas accepté.")
    return name


def wire(path: str) -> bytes:
    """A path as it travels: UTF-8, the bytes that were not UTF-8 given back as they came."""
    return path.encode("utf-8", "surrogateescape")


def from_wire(name: bytes) -> str:
    """A name as it travelled. Inverse of `wire`."""
    return name.decode("utf-8", "surrogateescape")


def shown_name(name: str) -> str:
    """A name fit for people, for our database and for the files we leave beside it.

    Bytes that are not UTF-8 are read as windows-1252 (what French Windows clients write); control characters, marks
    that turn the writing direction and separators become `_`; a long name keeps its end, hence its extension.
    """
    raw = wire(name)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("windows-1252", "replace")
    text = unicodedata.normalize("NFC", text)
    text = "".join(each if each.isprintable() and not _NEVER.match(each) else "_" for each in text)
    while len(wire(text)) > LONGEST_NAME - ROOM_FOR_SUFFIX:
        text = text[1:]
    return text.strip().lstrip(".~") or "sans-nom"


def label_of(name: str) -> str:
    """How people call a file of `depot/`, whether we have taken it or not."""
    held = _HELD.fullmatch(name)
    return shown_name(held.group(2) if held else name)


def held_name(digest: str, label: str) -> str:
    """How we call a dropped file from the moment it is stored here until it is put away. `digest` in hexadecimal."""
    return f".lu-{digest[:16]}-{label}"


def numbered(name: str, *, most: int = 1000) -> Iterator[str]:
    """`a.xml`, `a-2.xml`, `a-3.xml`… for a name that must not cover another file."""
    stem, dot, extension = name.partition(".")
    yield name
    for number in range(2, most):
        yield f"{stem}-{number}{dot}{extension}"

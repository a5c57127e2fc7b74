"""A digest of what the pages of one envelope say, that anybody can work out again from the PDF.

SHA-256 over the content streams of its pages, in order, decoded (not as deflated in the file): taking other envelopes
out of the file, or writing the file again, changes nothing. A page's stream names the static art that it draws over;
the manifest tells the digest of each art (`art_digests`), so that both together prove the whole page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pikepdf


def envelope_digests(pdf: pikepdf.Pdf, spans: Sequence[tuple[int, int]]) -> list[str]:
    """The digest of each envelope, told by its first page (from 1) and its number of pages."""
    pages = list(pdf.pages)
    return [_digest(pages[first - 1 : first - 1 + count]) for first, count in spans]


def _digest(pages: Sequence[pikepdf.Page]) -> str:
    told = hashlib.sha256()
    for page in pages:
        told.update(page_content(page))
    return told.hexdigest()


def page_content(page: pikepdf.Page) -> bytes:
    """What a page draws, decoded; several streams one after another."""
    content: Any = page.obj.get("/Contents")
    if content is None:
        return b""
    streams = list(content) if isinstance(content, pikepdf.Array) else [content]
    return b"\n".join(stream.read_bytes() for stream in streams)


def art_digests(pdf: pikepdf.Pdf) -> dict[str, str]:
    """Name → SHA-256 of each piece of static art that the first pages of the file share."""
    found: dict[str, str] = {}
    for page in pdf.pages:
        drawn: Any = page.resources.get("/XObject", {})
        fresh = {name: art for name, art in drawn.items() if name not in found}
        if not fresh and found:
            break
        found |= {name: hashlib.sha256(art.read_bytes()).hexdigest() for name, art in fresh.items()}
    return found

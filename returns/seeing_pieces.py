"""What a supporting document turns out to be: a scanned page, or a file that a household uploaded. No database.

What no image that we keep may show (social security numbers) is covered here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from PIL import Image

from returns.reading.clues import clues_in
from returns.reading.documents import TAX_NOTICE, DocumentReading, read_document
from returns.reading.images import Limits, UnreadableScan, open_pages
from returns.reading.pixels import Grey
from returns.reading.scanned import ScannedPage, UnreadablePage, scanned_page
from returns.seen import SeenPiece

JPEG_QUALITY = 80
LIMITS = Limits(octets=25_000_000, pages=60)
LEGIBLE = 300  # pixels on the longest side, under which nobody reads anything
FINE = 1600  # pixels on the longest side, under which a picture is enlarged before its print is read
MEDIA = {"image/jpeg": "JPEG", "image/tiff": "TIFF", "application/pdf": "PDF"}


@dataclass(frozen=True, slots=True)
class SeenUpload:
    """An uploaded file: what it is, the file to keep in its place (empty: as it is), and the notices behind the first.

    `words` are the printed words of the page that tells its nature; each further notice has the JPEG of its page.
    """

    piece: SeenPiece
    content: bytes = b""
    words: tuple[str, ...] = ()
    further: tuple[tuple[SeenPiece, bytes], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Leaf:
    told: DocumentReading
    piece: SeenPiece
    image: bytes


def encoded(grey: Grey) -> bytes:
    """A page as it is kept: a grey JPEG."""
    done, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError("La page n'a pas pu être enregistrée en JPEG.")
    return bytes(data)


def piece_of(told: DocumentReading, grey: Grey, *, page: int = 0) -> SeenPiece:
    """The piece that a page is; `page` is its place in its file."""
    read = {**told.read, **_places(told, grey)}
    if page and "places" in read:
        read["places"]["page"] = page
    return SeenPiece(kind=told.kind, read=read, certified=told.certified)


def _places(told: DocumentReading, grey: Grey) -> dict[str, Any]:
    """Where each thing read stands on the image kept, by shares of it; and its height for a width of one."""
    if not told.places:
        return {}
    height, width = (grey if told.kept is None else told.kept).shape
    return {"places": {"height": round(height / width, 4), "zones": [place.table() for place in told.places]}}


def see_upload(content: bytes, *, media_type: str, kind: str = "", certificates: tuple[bytes, ...] = ()) -> SeenUpload:
    """Read every page of a file, cover what may not be kept, and say what the file is.

    `kind` is what the household says it is: a page that says the same is looked for first. Where a page was covered or
    lay on its side, the whole file is made again from the pictures of its pages, so that no text stays behind them.
    Raises UnreadableScan.
    """
    leaves, changed = [], False
    for index, grey in enumerate(_pages(content)):
        told = read_document(grey, certificates=certificates) if max(grey.shape) >= LEGIBLE else DocumentReading()
        changed = changed or told.kept is not None
        image = encoded(grey if told.kept is None else told.kept)
        leaves.append(_Leaf(told, piece_of(told, grey, page=index), image))
    first = _telling(leaves, kind)
    return SeenUpload(
        piece=first.piece,
        content=_bound([leaf.image for leaf in leaves], media_type) if changed else b"",
        words=tuple(clues_in(first.told.text, names=first.told.read.get("declarants", []))["words"]),
        further=tuple((leaf.piece, leaf.image) for leaf in _other_notices(leaves, first)),
    )


def _pages(content: bytes) -> Iterator[Grey]:
    """The pages of a file, large enough to be read. Raises UnreadableScan when one of them can't be opened."""
    for page in _opened(content):
        if isinstance(page, UnreadablePage):
            raise UnreadableScan(page.reason)
        longest = max(page.grey.shape)
        if LEGIBLE <= longest < FINE:
            scale = FINE / longest
            larger = cv2.resize(page.grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            yield np.asarray(larger, dtype=np.uint8)
        else:
            yield page.grey


def _opened(content: bytes) -> Iterator[ScannedPage | UnreadablePage]:
    """The pages; a photo was drawn again when it came, so that one with a plain grey side is no truncated scan."""
    if not content.startswith(b"\xff\xd8"):
        yield from open_pages(content, name="pièce", limits=LIMITS)
        return
    grey = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise UnreadableScan("l'image JPEG est endommagée")
    yield scanned_page(0, np.asarray(grey, dtype=np.uint8), None)


def _telling(leaves: list[_Leaf], kind: str) -> _Leaf:
    """The page that tells what the file is: certified, else of the nature said, else of any known nature."""
    said = [leaf for leaf in leaves if leaf.piece.kind == kind] if kind else []
    named = [leaf for leaf in leaves if leaf.piece.kind]
    certified = [leaf for leaf in said or named if leaf.piece.certified]
    return next(iter([*certified, *sorted(said or named, key=_says_little), *leaves]))


def _says_little(leaf: _Leaf) -> int:
    """Fewest first: how many of the figures of a notice are missing from a page."""
    return -sum(bool(value) for value in leaf.told.read.values())


def _other_notices(leaves: list[_Leaf], first: _Leaf) -> Iterator[_Leaf]:
    """The other tax notices of the same file: each has a reference of its own, and an income."""
    known = {first.told.read.get("notice_reference")}
    for leaf in leaves:
        reference = leaf.told.read.get("notice_reference")
        whole = leaf.piece.kind == TAX_NOTICE and "tax_reference_income" in leaf.told.read
        if whole and reference and reference not in known:
            known.add(reference)
            yield leaf


def _bound(images: list[bytes], media_type: str) -> bytes:
    """The pictures of the pages as one file of that type."""
    if media_type == "image/jpeg":
        return images[0]
    first, *others = (Image.open(io.BytesIO(image)) for image in images)
    out = io.BytesIO()
    packed = {"compression": "jpeg"} if media_type == "image/tiff" else {}
    first.save(out, MEDIA[media_type], save_all=True, append_images=others, quality=JPEG_QUALITY, **packed)
    return out.getvalue()


def page_of_upload(content: bytes, page: int) -> Grey:
    """One page of an uploaded file, as it was read. Raises UnreadableScan."""
    for index, grey in enumerate(_pages(content)):
        if index == page:
            return grey
    raise UnreadableScan("cette page n'existe pas")

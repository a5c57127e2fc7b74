"""The pages of a proof as pictures, and what differs from the proof before, seen by the eye: pixel by pixel."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy
import pypdfium2
from PIL import Image, ImageFilter

from campaigns.models import FormProof

SCALE = 1.7  # of a page seen on screen: about 120 dpi
ROUGH = 0.75  # enough to see whether anything moved
DARKER = 48  # of 255: less is the smoothing of edges
HIGHLIGHT = (255, 214, 64)
HALO = 9  # pixels around what differs, odd


@contextmanager
def _opened(proof: FormProof) -> Iterator[pypdfium2.PdfDocument | None]:
    """Its document; None when it cannot be read."""
    with proof.document.open("rb") as file:
        try:
            document = pypdfium2.PdfDocument(file.read())
        except pypdfium2.PdfiumError:
            yield None
            return
    try:
        yield document
    finally:
        document.close()


def count(proof: FormProof) -> int:
    """How many pages it has; 0 when its document cannot be read."""
    with _opened(proof) as document:
        return len(document) if document is not None else 0


def page(proof: FormProof, number: int) -> bytes | None:
    """One page (PNG); None when there is no such page."""
    picture = _picture(proof, number)
    return _png(picture) if picture is not None else None


@dataclass(frozen=True, slots=True)
class Pair:
    """A page of a proof beside that of the proof before: what it shows, its number in each, None where it has none."""

    title: str
    old: int | None
    new: int | None


def difference(before: FormProof, after: FormProof, number: int) -> bytes | None:
    """A page of `after`, what `before` has otherwise brought out (PNG); None when there is no such page."""
    new = _picture(after, number)
    earlier = next((pair.old for pair in pairs(before, after) if pair.new == number), None)
    old = _picture(before, earlier) if earlier else None
    if new is None or old is None:
        return _png(new) if new is not None else None
    return _png(_brought_out(old, new))


def pairs(before: FormProof, after: FormProof) -> list[Pair]:
    """The pages of both proofs side by side: by what they show where both say it, else by their numbers."""
    if not (before.contents and after.contents):
        both = range(1, count(before) + 1), range(1, count(after) + 1)
        return [Pair("", old, new) for old, new in zip_longest(*both)]
    earlier = {part["title"]: part for part in before.contents}
    later = {part["title"]: part for part in after.contents}
    told = [
        Pair(title, old, new)
        for title in later | earlier
        for old, new in zip_longest(_numbers(earlier.get(title)), _numbers(later.get(title)))
    ]
    return told


def _numbers(part: Mapping[str, Any] | None) -> range:
    return range(part["first"], part["first"] + part["pages"]) if part else range(0)


def changed_pages(before: FormProof, after: FormProof) -> list[Pair]:
    """The pages that do not look the same, those of one proof only included."""
    with _opened(before) as old, _opened(after) as new:
        if old is None or new is None:
            return []
        return [
            pair
            for pair in pairs(before, after)
            if pair.old is None or pair.new is None or _differs(old[pair.old - 1], new[pair.new - 1])
        ]


def _differs(old: pypdfium2.PdfPage, new: pypdfium2.PdfPage) -> bool:
    pictures = [page.render(scale=ROUGH, grayscale=True).to_pil() for page in (old, new)]
    return pictures[0].size != pictures[1].size or bool(_unlike(*pictures).any())


def _picture(proof: FormProof, number: int) -> Image.Image | None:
    with _opened(proof) as document:
        if document is None or not 1 <= number <= len(document):
            return None
        return document[number - 1].render(scale=SCALE).to_pil().convert("RGB")  # type: ignore[no-any-return]


def _unlike(old: Image.Image, new: Image.Image) -> numpy.ndarray:
    both = [numpy.asarray(each.convert("L"), dtype=numpy.int16) for each in (old, new)]
    unlike: numpy.ndarray = abs(both[0] - both[1]) > DARKER
    return unlike


def _brought_out(old: Image.Image, new: Image.Image) -> Image.Image:
    """The new page on a marker's yellow wherever the two are unlike."""
    unlike = Image.fromarray(_unlike(old.resize(new.size), new).astype(numpy.uint8) * 255)
    halo = unlike.filter(ImageFilter.MaxFilter(HALO))
    marked = numpy.asarray(new) * (numpy.array(HIGHLIGHT) / 255)
    return Image.composite(Image.fromarray(marked.astype(numpy.uint8)), new, halo)


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()

"""Telling the PDF page that is one scanned image from any other: by what it draws, never by drawing it.

Scanning software adds invisible text over the image, wraps it in a form, lays it on its side: it is one image all the
same. Whatever else is painted, or a second image, makes it a page to be rendered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pikepdf

TEXT = {"Tj", "TJ", "'", '"'}
PAINTING = {"S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "BI", "INLINE IMAGE"}
UNSEEN = {3, 7}  # text rendering modes that paint nothing: what OCR software adds
DEEPEST = 3  # forms within forms
LONGEST = 2_000_000  # octets of instructions: a scanned page with its invisible text has some ten thousands
PACKED = 100_000  # the same before they are unpacked
COVERED = 0.8  # share of the page, each way, that the image must cover
SQUARE = 0.01  # points: an image laid along the page has nothing across


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """The one image of a page: its size on paper in points, as its own rows and columns go, and its quarter turns."""

    image: pikepdf.Object
    width: float
    height: float
    turns: int  # counter-clockwise


def only_image(page: pikepdf.Page) -> PlacedImage | None:
    """The image that the page is, or None where it is anything else."""
    x0, y0, x1, y1 = (float(each) for each in page.cropbox)
    try:
        drawn = list(_drawn(page, page.resources, pikepdf.Matrix(), 0))
    except _Otherwise:
        return None
    if len(drawn) != 1:  # several strips, or a picture over its background
        return None
    image, matrix = drawn[0]
    placed = None if "/SMask" in image or "/Mask" in image else _laid(image, matrix)
    if placed is None:
        return None
    across, down = (placed.width, placed.height) if placed.turns % 2 == 0 else (placed.height, placed.width)
    return placed if across >= COVERED * abs(x1 - x0) and down >= COVERED * abs(y1 - y0) else None


class _Otherwise(Exception):
    """The page paints something else."""


def _drawn(
    content: pikepdf.Page | pikepdf.Object, resources: pikepdf.Object, matrix: pikepdf.Matrix, depth: int
) -> Iterator[tuple[pikepdf.Object, pikepdf.Matrix]]:
    """The images that the content draws, each with where. Raises _Otherwise at anything else that shows."""
    if depth > DEEPEST or _is_long(content):
        raise _Otherwise
    stack, mode, modes = [], 0, []
    for instruction in pikepdf.parse_content_stream(content):
        operands, told = instruction.operands, str(instruction.operator)
        if told == "q":
            stack.append(matrix)
            modes.append(mode)
        elif told == "Q" and stack:
            matrix, mode = stack.pop(), modes.pop()
        elif told == "cm":
            matrix = pikepdf.Matrix(*(float(each) for each in operands)) @ matrix
        elif told == "Tr":
            mode = int(operands[0])
        elif told == "Do":
            yield from _named(resources, str(operands[0]), matrix, depth)
        elif told in PAINTING or (told in TEXT and mode not in UNSEEN):
            raise _Otherwise


def _is_long(content: pikepdf.Page | pikepdf.Object) -> bool:
    """Whether the instructions are more than any scanned page has; they are not unpacked to know it."""
    told = content.obj.get("/Contents") if isinstance(content, pikepdf.Page) else content
    streams = list(told) if isinstance(told, pikepdf.Array) else [] if told is None else [told]
    if sum(len(each.read_raw_bytes()) for each in streams) > PACKED:
        return True
    return sum(len(each.read_bytes()) for each in streams) > LONGEST


def _named(
    resources: pikepdf.Object, name: str, matrix: pikepdf.Matrix, depth: int
) -> Iterator[tuple[pikepdf.Object, pikepdf.Matrix]]:
    """The image of that name, or those of the form of that name."""
    shelf = resources.get("/XObject")
    drawn = shelf.get(name) if shelf is not None else None
    if drawn is None:
        raise _Otherwise
    if drawn.get("/Subtype") == "/Image":
        yield drawn, matrix
        return
    inner = drawn.get("/Matrix")
    within = pikepdf.Matrix(*(float(each) for each in inner)) @ matrix if inner is not None else matrix
    yield from _drawn(drawn, drawn.get("/Resources", resources), within, depth + 1)


def _laid(image: pikepdf.Object, at: pikepdf.Matrix) -> PlacedImage | None:
    """The image where it lies along the page, not mirrored."""
    a, b, c, d = (float(each) for each in (at.a, at.b, at.c, at.d))
    if abs(b) < SQUARE and abs(c) < SQUARE and a * d > 0:
        return PlacedImage(image, abs(a), abs(d), 0 if a > 0 else 2)
    if abs(a) < SQUARE and abs(d) < SQUARE and b * c < 0:
        return PlacedImage(image, abs(b), abs(c), 1 if b > 0 else 3)
    return None

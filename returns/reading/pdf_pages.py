"""Pages of a PDF: the scanned image itself where a page is one image, otherwise the page rendered at 200 dpi."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pikepdf
import pypdfium2
from PIL import Image

from returns.reading.pixels import Grey
from returns.reading.scanned import (
    Limits,
    ScannedPage,
    UnreadablePage,
    UnreadableScan,
    check_size,
    decode_jpeg,
    grey_of,
    scanned_page,
)

RENDER_DPI = 200
POINTS_PER_INCH = 72.0
FILTERS_WE_TAKE_OUT = {"/DCTDecode", "/CCITTFaxDecode", "/FlateDecode"}
PAINTING = {"S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Tj", "TJ", "'", '"', "BI"}
DAMAGED = (pikepdf.PdfError, pypdfium2.PdfiumError, OSError, ValueError, KeyError, TypeError, NotImplementedError)


def pdf_pages(data: bytes, *, name: str, limits: Limits) -> Iterator[ScannedPage | UnreadablePage]:
    """The pages of a PDF held in memory, in order. Raises UnreadableScan when the file as a whole is refused."""
    try:
        pdf = pikepdf.open(io.BytesIO(data))
    except pikepdf.PasswordError:
        raise UnreadableScan(f"« {name} » est un PDF protégé par un mot de passe.") from None
    except DAMAGED as error:
        raise UnreadableScan(f"« {name} » est un PDF endommagé.") from error
    with pdf:
        if len(pdf.pages) > limits.pages:
            raise UnreadableScan(f"« {name} » compte {len(pdf.pages)} pages ; le maximum est de {limits.pages}.")
        if not len(pdf.pages):
            raise UnreadableScan(f"« {name} » ne contient aucune page.")
        for index, page in enumerate(pdf.pages):
            yield _one_page(pdf_page=page, index=index, data=data, limits=limits)


def _one_page(*, pdf_page: pikepdf.Page, index: int, data: bytes, limits: Limits) -> ScannedPage | UnreadablePage:
    try:
        taken = _only_image(pdf_page, limits=limits)
        if taken is not None:
            grey, dpi = taken
            return scanned_page(index, grey, dpi)
        return scanned_page(index, _render(data, index, limits=limits), None)
    except UnreadableScan as error:
        return UnreadablePage(index, f"Page {index + 1} : {error}.")
    except DAMAGED:
        return UnreadablePage(index, f"Page {index + 1} : la page du PDF est endommagée.")


def _only_image(page: pikepdf.Page, *, limits: Limits) -> tuple[Grey, float] | None:
    """The pixels and scale of the one upright image that covers the page, or None where the page is anything else."""
    placed = _placement(page)
    if placed is None:
        return None
    image, width_points, height_points = placed
    x0, y0, x1, y1 = (float(each) for each in page.cropbox)
    if width_points < 0.8 * (x1 - x0) or height_points < 0.8 * (y1 - y0):
        return None
    size = int(image.Width), int(image.Height)
    check_size(size, limits=limits)
    grey = _decoded(image, limits=limits)
    if grey is None:
        return None
    turns = int(page.obj.get("/Rotate", 0)) // 90 % 4
    return np.rot90(grey, -turns) if turns else grey, size[0] * POINTS_PER_INCH / width_points


def _placement(page: pikepdf.Page) -> tuple[pikepdf.Object, float, float] | None:
    """The image drawn by the page with its width and height in points, if it draws one image upright and no more."""
    matrix, stack, found = pikepdf.Matrix(), [], None
    for instruction in pikepdf.parse_content_stream(page):
        operands, told = instruction.operands, str(instruction.operator)
        if told == "q":
            stack.append(matrix)
        elif told == "Q":
            matrix = stack.pop() if stack else pikepdf.Matrix()
        elif told == "cm":
            matrix = pikepdf.Matrix(*(float(each) for each in operands)) @ matrix
        elif told == "Do":
            drawn = _drawn(page, str(operands[0]))
            if found is not None or drawn is None or drawn.get("/Subtype") != "/Image":
                return None
            found = drawn, matrix
        elif told in PAINTING or told == "INLINE IMAGE":
            return None
    if found is None:
        return None
    image, placed = found
    upright = abs(placed.b) < 0.01 and abs(placed.c) < 0.01 and placed.a > 0 and placed.d > 0
    return (image, float(placed.a), float(placed.d)) if upright else None


def _drawn(page: pikepdf.Page, name: str) -> pikepdf.Object | None:
    """The form or image that the page knows under a name."""
    shelf = page.resources.get("/XObject")
    return shelf.get(name) if shelf is not None else None


def _decoded(image: pikepdf.Object, *, limits: Limits) -> Grey | None:
    filters = image.get("/Filter")
    names = [str(each) for each in filters] if isinstance(filters, pikepdf.Array) else [str(filters)]
    plain = "/SMask" not in image and "/Decode" not in image and not bool(image.get("/ImageMask", False))
    if len(names) != 1 or names[0] not in FILTERS_WE_TAKE_OUT or not plain:
        return None
    if names == ["/DCTDecode"]:
        return decode_jpeg(bytes(image.read_raw_bytes()), limits=limits)
    picture: Image.Image = pikepdf.PdfImage(image).as_pil_image()  # type: ignore[arg-type]  # an image is a stream
    return grey_of(picture)


def _render(data: bytes, index: int, *, limits: Limits) -> Grey:
    document = pypdfium2.PdfDocument(data)
    try:
        page = document[index]
        width, height = page.get_size()
        scale = RENDER_DPI / POINTS_PER_INCH
        check_size((round(width * scale), round(height * scale)), limits=limits)
        bitmap = page.render(scale=scale, grayscale=True)
        grey = np.array(bitmap.to_numpy(), dtype=np.uint8)
        return grey.reshape(grey.shape[:2])
    finally:
        document.close()

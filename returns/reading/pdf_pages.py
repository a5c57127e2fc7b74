"""Pages of a PDF: the scanned image itself where a page is one image, otherwise the page rendered at 200 dpi."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import closing
from functools import cached_property

import numpy as np
import pikepdf
import pypdfium2
from PIL import Image
from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

from returns.reading.pdf_placement import only_image
from returns.reading.pixels import Grey
from returns.reading.scanned import (
    Limits,
    ScannedPage,
    UnreadablePage,
    UnreadableScan,
    check_size,
    decode_jpeg,
    grey_of,
    plain_jpeg,
    scanned_page,
)

RENDER_DPI = 200
POINTS_PER_INCH = 72.0
SIMPLE_FILTERS = {"", "/CCITTFaxDecode", "/FlateDecode"}  # unpacked by pikepdf; all others but JPEG by PDFium
COLOURS = 4  # octets a pixel, at most
CHUNK = 1 << 20
DEEPEST_FORM = 3  # forms within forms that PDFium is asked to look into
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
        opened = _Rendered(data)
        try:
            for index, page in enumerate(pdf.pages):
                yield _one_page(page, index, opened, limits=limits)
        finally:
            opened.close()


class _Rendered:
    """The same file as PDFium sees it, opened at the first page that needs it."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def document(self) -> pypdfium2.PdfDocument:
        """The file, open."""
        return pypdfium2.PdfDocument(self.data)

    def close(self) -> None:
        """Let go of what was opened, if anything was."""
        if "document" in self.__dict__:
            self.document.close()

    def page(self, index: int, *, limits: Limits) -> Grey:
        """The page drawn at RENDER_DPI."""
        with closing(self.document[index]) as page:
            width, height = page.get_size()
            scale = RENDER_DPI / POINTS_PER_INCH
            check_size((round(width * scale), round(height * scale)), limits=limits)
            return _grey_bitmap(page.render(scale=scale, grayscale=True))

    def only_image(self, index: int) -> Grey | None:
        """The pixels of the one image of the page, as they are stored."""
        with closing(self.document[index]) as page:
            found = list(page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=DEEPEST_FORM))
            return _grey_bitmap(found[0].get_bitmap(render=False)) if len(found) == 1 else None


def _grey_bitmap(bitmap: pypdfium2.PdfBitmap) -> Grey:
    grey: Grey = np.array(bitmap.to_pil().convert("L"), dtype=np.uint8)
    return grey


def _one_page(page: pikepdf.Page, index: int, opened: _Rendered, *, limits: Limits) -> ScannedPage | UnreadablePage:
    try:
        taken = _taken_out(page, index, opened, limits=limits)
        if taken is not None:
            grey, dpi, received = taken
            return scanned_page(index, grey, dpi, received=received)
        return scanned_page(index, opened.page(index, limits=limits), None)
    except UnreadableScan as error:
        return UnreadablePage(index, f"Page {index + 1} : {error}.")
    except DAMAGED:
        return UnreadablePage(index, f"Page {index + 1} : la page du PDF est endommagée.")


def _taken_out(
    page: pikepdf.Page, index: int, opened: _Rendered, *, limits: Limits
) -> tuple[Grey, float, bytes] | None:
    """The image that the page is: its pixels as they are shown, its scale, and its JPEG, if any; else None."""
    placed = only_image(page)
    if placed is None:
        return None
    size = int(placed.image.Width), int(placed.image.Height)
    check_size(size, limits=limits)
    grey = _decoded(placed.image, limits=limits)
    if grey is None:
        grey = opened.only_image(index)
    if grey is None:
        return None
    turns = (placed.turns - int(page.obj.get("/Rotate", 0)) // 90) % 4
    received = b"" if turns else _plain_jpeg(placed.image)
    return np.rot90(grey, turns), size[0] * POINTS_PER_INCH / placed.width, received


def _plain_jpeg(image: pikepdf.Object) -> bytes:
    """The JPEG of an image shown as it is stored, else nothing."""
    if image.get("/Filter") not in ("/DCTDecode", pikepdf.Array([pikepdf.Name("/DCTDecode")])) or "/Decode" in image:
        return b""
    return plain_jpeg(bytes(image.read_raw_bytes()))


def _decoded(image: pikepdf.Object, *, limits: Limits) -> Grey | None:
    """The pixels of an image of a plain kind; None for the others."""
    filters = image.get("/Filter")
    names = [str(each) for each in filters] if isinstance(filters, pikepdf.Array) else [str(filters or "")]
    swapped = [int(each) for each in image.get("/Decode", [])] == [1, 0]
    if names == ["/DCTDecode"]:
        grey = decode_jpeg(bytes(image.read_raw_bytes()), limits=limits)
        return 255 - grey if swapped else grey
    bilevel = int(image.get("/BitsPerComponent", 1)) == 1
    if not set(names) <= SIMPLE_FILTERS or (swapped and not bilevel):
        return None
    if names == ["/FlateDecode"] and not _unpacks_within(bytes(image.read_raw_bytes()), limits.pixels * COLOURS):
        raise UnreadableScan("l'image se déploie au-delà de toute page")
    picture: Image.Image = pikepdf.PdfImage(image).as_pil_image()  # type: ignore[arg-type]  # an image is a stream
    return grey_of(picture)


def _unpacks_within(packed: bytes, most: int) -> bool:
    """Whether the octets unpack to no more than `most`, which is found out without keeping them."""
    unpacker, unpacked = zlib.decompressobj(), 0
    while packed and unpacked <= most:
        try:
            unpacked += len(unpacker.decompress(packed, CHUNK))
        except zlib.error:
            return True  # damaged: whoever reads it will say so
        packed = unpacker.unconsumed_tail
    return unpacked <= most

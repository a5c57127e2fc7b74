"""A PDF page that is one scanned image is never rendered: its own pixels come out, the way up that a viewer shows."""

from __future__ import annotations

import io
import zlib

import cv2
import numpy as np
import pikepdf
import pypdfium2
import pytest
from pikepdf import Dictionary, Name
from PIL import Image

from returns.reading.images import ScannedPage, UnreadablePage, open_pages
from tests.returns.reading import filled

POINTS = 72 / 200  # of one pixel
INVISIBLE = "BT 3 Tr /F1 9 Tf 10 10 Td (texte reconnu) Tj ET"
LAID = {
    "upright": "{w} 0 0 {h} 0 0",
    "on its head": "-{w} 0 0 -{h} {w} {h}",
    "on its left side": "0 {w} -{h} 0 {h} 0",
    "on its right side": "0 -{w} {h} 0 0 {w}",
}


def sheet() -> np.ndarray:
    return filled.printed()[1]


def black_and_white() -> np.ndarray:
    return np.where(sheet() < 128, 0, 255).astype(np.uint8)


def saved(image: Image.Image, kind: str, **told) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **told)
    return stream.getvalue()


def group4(pixels: np.ndarray) -> bytes:
    """The bare strip of a fax image; black is 1 in it."""
    data = saved(Image.fromarray(pixels).convert("1"), "TIFF", compression="group4", strip_size=10**9)
    tags = Image.open(io.BytesIO(data)).tag_v2
    return data[tags[273][0] : tags[273][0] + tags[279][0]]


def jpeg(pixels: np.ndarray, mode: str = "L") -> dict:
    colours = {"L": Name.DeviceGray, "RGB": Name.DeviceRGB, "CMYK": Name.DeviceCMYK}[mode]
    data = saved(Image.fromarray(pixels).convert("RGB").convert(mode), "JPEG", quality=85)
    return {"data": data, "Filter": Name.DCTDecode, "ColorSpace": colours, "BitsPerComponent": 8}


def fax(**more) -> dict:
    height, width = sheet().shape
    parameters = Dictionary(K=-1, Columns=width, Rows=height, BlackIs1=True)
    told = {"data": group4(black_and_white()), "Filter": Name.CCITTFaxDecode, "DecodeParms": parameters}
    return {**told, "BitsPerComponent": 1, "ColorSpace": Name.DeviceGray, **more}


def of_grey(**more) -> dict:
    told = {"data": zlib.compress(sheet().tobytes(), 1), "Filter": Name.FlateDecode, "BitsPerComponent": 8}
    return {**told, "ColorSpace": Name.DeviceGray, **more}


KINDS = {
    "JPEG": lambda: jpeg(sheet()),
    "JPEG in colours": lambda: jpeg(sheet(), "RGB"),
    "JPEG in four inks": lambda: jpeg(sheet(), "CMYK") | {"Decode": [1, 0, 1, 0, 1, 0, 1, 0]},
    "JPEG, swapped": lambda: jpeg(255 - sheet()) | {"Decode": [1, 0]},
    "fax": fax,
    "fax, swapped": lambda: fax(Decode=[1, 0]),
    "fax stencil": lambda: fax(ImageMask=True, Decode=[1, 0]) | {"ColorSpace": None},
    "unpacked grey": lambda: {"data": sheet().tobytes(), "ColorSpace": Name.DeviceGray, "BitsPerComponent": 8},
    "packed grey": of_grey,
    "packed grey, swapped": lambda: of_grey(data=zlib.compress((255 - sheet()).tobytes(), 1), Decode=[1, 0]),
    "JPEG 2000": lambda: {
        "data": saved(Image.fromarray(sheet()), "JPEG2000"),
        "Filter": Name.JPXDecode,
        "ColorSpace": Name.DeviceGray,
        "BitsPerComponent": 8,
    },
}


def pdf_of(image: dict, *, laid: str = "upright", after: str = "", wrapped: bool = False, turned: int = 0) -> bytes:
    """A PDF of one page that shows that image."""
    height, width = sheet().shape
    told = {"w": width * POINTS, "h": height * POINTS}
    drawing = f"q {LAID[laid].format(**told)} cm /I Do Q"
    size = (told["w"], told["h"]) if laid in ("upright", "on its head") else (told["h"], told["w"])
    with pikepdf.new() as pdf:
        stream = pikepdf.Stream(pdf, image["data"])
        stream.Type, stream.Subtype, stream.Width, stream.Height = Name.XObject, Name.Image, width, height
        for key, value in image.items():
            if key != "data" and value is not None:
                stream[f"/{key}"] = value
        resources = Dictionary(XObject=Dictionary(I=stream))
        pdf.add_blank_page(page_size=size)
        page = pdf.pages[0]
        if wrapped:
            form = pikepdf.Stream(pdf, drawing.encode())
            form.Type, form.Subtype, form.BBox, form.Resources = Name.XObject, Name.Form, [0, 0, *size], resources
            resources, drawing = Dictionary(XObject=Dictionary(F=form)), "q /F Do Q"
        page.Resources, page.Contents = resources, pdf.make_stream(f"{drawing} {after}".encode())
        page.Rotate = turned
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


@pytest.fixture
def never_rendered(monkeypatch):
    """PDFium draws no page any more, once the form itself was."""
    sheet()

    def refused(self, **told):
        raise AssertionError("the page was rendered")

    monkeypatch.setattr(pypdfium2.PdfPage, "render", refused)


def taken(data: bytes) -> ScannedPage:
    [page] = open_pages(data)
    assert isinstance(page, ScannedPage), page
    return page


def looks_like(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether two images show the same, to a JPEG's loss or a threshold's."""
    return found.shape == wanted.shape and float(np.abs(found.astype(int) - wanted).mean()) < 4


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_image_comes_out_whatever_its_kind(kind, never_rendered):
    page = taken(pdf_of(KINDS[kind]()))

    assert looks_like(page.grey, black_and_white() if kind.startswith("fax") else sheet())
    assert page.dpi == pytest.approx(200, abs=0.5)


@pytest.mark.parametrize("laid", list(LAID))
@pytest.mark.parametrize("turned", [0, 90])
def test_it_is_turned_as_a_viewer_shows_it(laid, turned):
    data = pdf_of(jpeg(sheet()), laid=laid, turned=turned)
    with pypdfium2.PdfDocument(data) as document:
        shown = document[0].render(scale=200 / 72, grayscale=True).to_numpy().squeeze().copy()

    page = taken(data)

    assert looks_like(page.grey, cv2.resize(shown, page.grey.shape[::-1]))


@pytest.mark.parametrize("told", [{"after": INVISIBLE}, {"wrapped": True}, {"after": "q 0 0 10 10 re W n Q"}])
def test_what_scanning_software_adds_unseen_does_not_hide_the_image(told, never_rendered):
    assert looks_like(taken(pdf_of(jpeg(sheet()), **told)).grey, sheet())


@pytest.mark.parametrize(
    "after", ["q 0 0 200 200 re f Q", "q 600 0 0 800 0 0 cm /I Do Q", INVISIBLE.replace("3 Tr", "0 Tr")]
)
def test_a_page_that_shows_anything_else_is_rendered(after, monkeypatch):
    rendered = []
    render = pypdfium2.PdfPage.render
    monkeypatch.setattr(pypdfium2.PdfPage, "render", lambda self, **told: rendered.append(1) or render(self, **told))

    taken(pdf_of(jpeg(sheet()), after=after))

    assert rendered == [1]


def test_an_image_that_unpacks_to_more_than_any_page_is_told():
    bomb = zlib.compress(bytes(250_000_000), 9)

    [page] = open_pages(
        pdf_of({"data": bomb, "Filter": Name.FlateDecode, "ColorSpace": Name.DeviceGray, "BitsPerComponent": 8})
    )

    assert isinstance(page, UnreadablePage)
    assert "se déploie au-delà de toute page" in page.reason

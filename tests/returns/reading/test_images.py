"""Scan files of every accepted kind open page by page; bad ones say in French what is wrong, within set limits."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from returns.reading.images import Limits, ScannedPage, UnreadablePage, UnreadableScan, open_pages
from returns.rehearsal.scanner import FileFormat, Quality, jpeg_tiff, scan
from tests.returns.reading import filled


def opened(data: bytes, **told) -> list[ScannedPage | UnreadablePage]:
    return list(open_pages(data, name="lot.tif", **told))


def pages_or_refusal(data: bytes) -> list[object]:
    try:
        return list(opened(data))
    except UnreadableScan as refused:
        return [refused]


def as_file(image: Image.Image, kind: str, **told) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **told)
    return stream.getvalue()


@pytest.mark.parametrize("kind", list(FileFormat))
def test_what_a_scanner_writes_comes_back_page_by_page(kind):
    pages = filled.printed()[:3]

    files = scan(pages, seed=2, quality=Quality.LIGHT, file_format=kind, upside_down=0)
    found = [page for data in files for page in opened(data)]

    assert len(found) == 3
    for page, sheet in zip(found, pages, strict=True):
        assert isinstance(page, ScannedPage)
        assert page.grey.shape == sheet.shape
        assert page.dpi == pytest.approx(200, abs=0.5)
        assert (page.grey < 128).mean() == pytest.approx((sheet < 128).mean(), abs=0.02)


def test_a_pdf_drawn_rather_than_scanned_is_rendered():
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4)
    canvas.rect(100, 100, 200, 200, fill=1)
    canvas.save()

    [page] = opened(stream.getvalue())

    assert isinstance(page, ScannedPage)
    assert page.grey.shape == (2339, 1654)
    assert 0.05 < (page.grey < 128).mean() < 0.1


def test_the_image_of_a_turned_pdf_page_is_turned():
    [data] = scan(filled.printed()[:1], seed=2, quality=Quality.LIGHT, file_format=FileFormat.PDF, upside_down=0)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.pages[0].Rotate = 90
        stream = io.BytesIO()
        pdf.save(stream)

    [page] = opened(stream.getvalue())

    assert isinstance(page, ScannedPage)
    assert page.grey.shape == (1654, 2339)


def test_colours_transparency_and_sixteen_bits_become_grey():
    red = Image.new("RGB", (800, 1100), (255, 0, 0))
    clear = Image.new("RGBA", (800, 1100), (0, 0, 0, 0))
    deep = Image.fromarray(np.full((1100, 800), 40000, np.uint16))

    greys = [opened(as_file(image, "PNG"))[0].grey for image in (red, clear, deep)]

    assert [int(grey.mean()) for grey in greys] == [76, 255, 155]


def test_a_cmyk_jpeg_keeps_light_paper_light():
    page = Image.new("CMYK", (800, 1100), (0, 0, 0, 10))

    [found] = opened(as_file(page, "JPEG"))

    assert isinstance(found, ScannedPage)
    assert found.grey.mean() > 200


def test_an_inverted_black_and_white_page_is_turned_back():
    page = Image.fromarray(255 - filled.printed()[1]).convert("1")

    [found] = opened(as_file(page, "TIFF", compression="group4"))

    assert isinstance(found, ScannedPage)
    assert found.grey.mean() > 200


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_a_black_and_white_page_is_turned_as_it_says_and_keeps_its_pixels(orientation, turns):
    drawn = np.full((220, 160), 255, dtype=np.uint8)
    drawn[10:60, 10:40] = 0
    told = Image.Exif()
    told[0x0112] = orientation

    [found] = opened(as_file(Image.fromarray(drawn).convert("1"), "PNG", exif=told))

    assert isinstance(found, ScannedPage)
    assert np.array_equal(found.grey, np.rot90(drawn, turns))


def test_a_page_without_resolution_is_taken_for_a4():
    [found] = opened(as_file(Image.new("L", (1654, 2339), 255), "PNG"))

    assert isinstance(found, ScannedPage)
    assert found.dpi == pytest.approx(200, abs=1)


def test_a_very_fine_page_is_halved():
    [found] = opened(as_file(Image.new("L", (4960, 7016), 255), "PNG", dpi=(600, 600)))

    assert isinstance(found, ScannedPage)
    assert found.grey.shape == (3508, 2480)
    assert found.dpi == pytest.approx(300, abs=1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "vide (0 octet)"),
        (b"Bonjour, ceci n'est pas une image.", "n'est ni une image"),
        (b"PK\x03\x04\x14\x00", "est une archive : déposez ses fichiers un par un"),
        (b"7z\xbc\xaf\x27\x1c", "est une archive"),
        (b"%PDF-1.7\nrien d'autre", "PDF endommagé"),
        (b"II*\x00\x08\x00\x00\x00\xff\xff", "n'est ni une image"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_scan_says_so(data, words):
    with pytest.raises(UnreadableScan, match=words.replace("(", r"\(").replace(")", r"\)")):
        opened(data)


def test_an_image_of_a_format_not_accepted_names_it():
    with pytest.raises(UnreadableScan, match="format GIF"):
        opened(as_file(Image.new("L", (10, 10)), "GIF"))


def test_a_protected_pdf_says_so():
    stream = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(stream, encryption=pikepdf.Encryption(owner="a", user="b"))

    with pytest.raises(UnreadableScan, match="mot de passe"):
        opened(stream.getvalue())


def test_too_many_pages_are_refused_before_any_is_read():
    stream = io.BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(12):
            pdf.add_blank_page()
        pdf.save(stream)
    pages = [Image.new("1", (80, 110), 1)] * 12
    tiff = as_file(pages[0], "TIFF", save_all=True, append_images=pages[1:])

    for data in (stream.getvalue(), tiff):
        with pytest.raises(UnreadableScan, match=r"10|12 pages"):
            opened(data, limits=Limits(pages=10))


def test_an_enormous_page_is_refused_without_being_decoded_and_the_others_go_on():
    pages = [Image.new("1", size, 1) for size in ((800, 1100), (30_000, 30_000), (800, 1100))]

    found = opened(as_file(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="group4"))

    assert [type(page) for page in found] == [ScannedPage, UnreadablePage, ScannedPage]
    assert found[1].reason == "Page 2 : l'image de 30000 × 30000 points dépasse la limite de 50 millions."


def test_a_page_over_the_limit_is_told_and_the_others_go_on():
    pages = [Image.new("1", size, 1) for size in ((800, 1100), (3000, 3000), (800, 1100))]
    tiff = as_file(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="group4")

    found = opened(tiff, limits=Limits(pixels=2_000_000))

    assert [type(page) for page in found] == [ScannedPage, UnreadablePage, ScannedPage]
    assert [page.index for page in found] == [0, 1, 2]
    assert "Page 2" in found[1].reason


def test_a_cut_jpeg_is_told_truncated():
    data = as_file(Image.fromarray(filled.printed()[0]), "JPEG")

    [page] = opened(data[: len(data) // 2])

    assert isinstance(page, UnreadablePage)
    assert "tronquée" in page.reason


def test_a_file_over_the_limit_is_refused():
    with pytest.raises(UnreadableScan, match="dépasse"):
        opened(b"x" * 2_000_001, limits=Limits(octets=2_000_000))


@given(st.data())
def test_no_cut_or_change_of_a_file_breaks_more_than_itself(data):
    whole = bytearray(_WHOLE[data.draw(st.sampled_from(sorted(_WHOLE)))])
    end = data.draw(st.integers(1, len(whole)))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    found = pages_or_refusal(bytes(whole[:end]))

    assert all(isinstance(each, ScannedPage | UnreadablePage | UnreadableScan) for each in found)


def _small_files() -> dict[str, bytes]:
    page = cv2.resize(filled.printed()[0], (331, 468), interpolation=cv2.INTER_AREA)
    return {kind.value: scan([page], seed=1, quality=Quality.LIGHT, file_format=kind)[0] for kind in FileFormat}


_WHOLE = _small_files()


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_a_jpeg_cut_but_closed_again_is_not_taken_for_a_blank_page(share):
    whole = as_file(Image.fromarray(filled.printed()[0]), "JPEG", quality=80)
    cut = whole[: max(700, round(len(whole) * share))] + b"\xff\xd9"

    [found] = opened(cut)

    assert isinstance(found, UnreadablePage)
    assert "tronquée" in found.reason


@pytest.mark.parametrize("grey", [0, 127, 255])
def test_an_even_page_of_another_grey_is_a_page(grey):
    [found] = opened(as_file(Image.new("L", (1654, 2339), grey), "JPEG"))

    assert isinstance(found, ScannedPage)


def test_a_grey_jpeg_is_kept_as_it_came_whatever_file_it_came_in():
    [jpeg] = scan([filled.printed()[1]], seed=1, file_format=FileFormat.JPEG)
    tiff = jpeg_tiff([jpeg])
    pdf = as_file(Image.open(io.BytesIO(jpeg)), "PDF", resolution=200)

    [alone], [in_tiff], [in_pdf] = (opened(data) for data in (jpeg, tiff, pdf))

    assert alone.received == in_tiff.received == jpeg
    assert in_pdf.received.startswith(b"\xff\xd8")
    for page in (in_tiff, in_pdf):
        assert np.abs(page.grey.astype(int) - alone.grey).max() < 60
    assert np.array_equal(in_tiff.grey, alone.grey)


@pytest.mark.parametrize("told", [{"comment": b"sous le bureau"}, {"exif": Image.Exif().tobytes() + b"\0"}])
def test_a_jpeg_that_says_more_than_its_pixels_is_not_kept_as_it_came(told):
    [page] = opened(as_file(Image.new("L", (400, 500), 200), "JPEG", **told))

    assert page.received == b""

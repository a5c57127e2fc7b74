"""The last look at a finished file: whole, of the right length, with all its faces."""

from __future__ import annotations

from io import BytesIO

import pikepdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from campaigns.paper_form.batch_check import UnsoundError, sound
from campaigns.paper_form.batch_press import BatchPress
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.painter import paint
from campaigns.paper_form.pdf_stream import PdfStream
from tests.campaigns.paper_form.conftest import made_up_fill, survey

LAYOUT = lay_out(survey("sls"), 2)


def faults(document: bytes, pages: int) -> list[str]:
    """What is wrong with a finished file."""
    try:
        with sound(document, pages) as pdf:
            assert len(pdf.pages) == pages
    except UnsoundError as error:
        return error.faults
    return []


@pytest.fixture(scope="module")
def document(branding: Branding) -> bytes:
    stream = BytesIO()
    press = BatchPress(stream, branding)
    for number in range(20):
        press.print(LAYOUT, made_up_fill(number))
    press.close()
    return stream.getvalue()


@pytest.mark.parametrize("survey_key", ["sls", "ops", "sls_ops"])
@pytest.mark.parametrize("rows", [2, 4, 6, 8, 12])
def test_every_variant_is_sound(survey_key: str, rows: int, branding: Branding) -> None:
    layout = lay_out(survey(survey_key), rows)
    stream = BytesIO()
    press = BatchPress(stream, branding)
    press.print(layout, made_up_fill(3, rows - 1))
    press.close()

    assert faults(stream.getvalue(), layout.pages) == []


def test_the_painter_s_files_are_sound_too(branding: Branding) -> None:
    assert faults(paint(LAYOUT, branding, [made_up_fill(1)]), LAYOUT.pages) == []


def test_a_missing_page_is_told(document: bytes) -> None:
    assert faults(document, 20 * LAYOUT.pages) == []
    assert faults(document, 20 * LAYOUT.pages + 1) == ["Le PDF compte 80 pages au lieu de 81."]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_file_cut_short_is_told(document: bytes, share: float) -> None:
    assert faults(document[: int(len(document) * share)], 20 * LAYOUT.pages)


def test_a_stream_that_was_damaged_is_told(document: bytes) -> None:
    middle = document.index(b"/Filter/FlateDecode/Length", len(document) // 2)
    start = document.index(b"stream\n", middle) + 7
    damaged = document[:start] + b"\xff" * 60 + document[start + 60 :]

    assert any("abîmé" in told for told in faults(damaged, 20 * LAYOUT.pages))


def test_a_face_left_out_is_named() -> None:
    stream = BytesIO()
    canvas = Canvas(stream)
    canvas.setFont("Helvetica", 12)
    canvas.drawString(50, 50, "Bonjour")
    canvas.save()

    assert faults(stream.getvalue(), 1) == ["La police « Helvetica » n'est pas dans le PDF."]


def test_an_object_promised_and_never_written_stops_the_file() -> None:
    pdf = PdfStream(BytesIO())
    pdf.reserve()

    with pytest.raises(ValueError, match="never written"):
        pdf.close(resources=b"<<>>", box=b"[0 0 10 10]", info=b"<<>>", language=b"fr-FR")


def test_a_batch_names_its_pages_in_order(document: bytes) -> None:
    with pikepdf.open(BytesIO(document)) as pdf:
        first = [page.Contents.read_bytes()[:6] for page in pdf.pages[: LAYOUT.pages]]

    assert first == [b"/A%d Do" % page for page in range(LAYOUT.pages)]

"""Hostile files, read by a process that the system stops beyond so much memory and processor time: it never is."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image

MEMORY = 1_500_000_000  # octets of address space, libraries included
SECONDS = 60  # of processor time
READER = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[3]),) * 2)
from returns.reading.images import ScannedPage, UnreadableScan, open_pages
told = []
try:
    with open(sys.argv[1], "rb") as file:
        for page in open_pages(file, name="lot"):
            told.append("" if isinstance(page, ScannedPage) else page.reason)
except UnreadableScan as refused:
    told = str(refused)
print(json.dumps(told))
"""


def saved(image: Image.Image, kind: str, **told) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **told)
    return stream.getvalue()


def long_pdf() -> bytes:
    stream = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        for _ in range(9_999):
            pdf.pages.append(pdf.pages[0])
        pdf.save(stream)
    return stream.getvalue()


def wide_pdf() -> bytes:
    stream = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(14_400, 14_400))
        pdf.pages[0].Contents = pdf.make_stream(b"0 0 9 9 re f")
        pdf.save(stream)
    return stream.getvalue()


def endless_drawing() -> bytes:
    """A page whose few packed octets unpack to a hundred million."""
    stream = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.pages[0].Contents = pdf.make_stream(b"q Q " * 20_000_000)
        pdf.save(stream, compress_streams=True)
    return stream.getvalue()


def half_wide() -> bytes:
    pages = [Image.new("1", size, 1) for size in ((1654, 2339), (30_000, 30_000), (1654, 2339))]
    return saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="group4")


def inverted() -> bytes:
    return saved(Image.fromarray(np.zeros((2339, 1654), np.uint8)).convert("1"), "TIFF", compression="group4")


HOSTILE = {
    "TIFF with a page of 30,000 x 30,000": (half_wide, ["", "Page 2 : l'image de 30000 × 30000 points dépasse", ""]),
    "PNG of 30,000 x 30,000": (lambda: saved(Image.new("1", (30_000, 30_000)), "PNG"), ["Page 1 : l'image de 30000"]),
    "PDF of 10,000 pages": (long_pdf, "« lot » compte 10000 pages ; le maximum est de 2000."),
    "PDF page of five metres": (wide_pdf, ["Page 1 : l'image de 40000 × 40000 points dépasse"]),
    "PDF with an endless drawing": (endless_drawing, [""]),
    "black and white, inverted": (inverted, [""]),
    "nothing": (lambda: b"", "« lot » est vide (0 octet)."),
    "animated PNG": (
        lambda: saved(
            Image.new("L", (1654, 2339), 255), "PNG", save_all=True, append_images=[Image.new("L", (1654, 2339))]
        ),
        [""],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_hostile_file_is_read_or_refused_within_bounds(name, tmp_path):
    make, wanted = HOSTILE[name]
    path = tmp_path / "lot"
    path.write_bytes(make())

    done = subprocess.run(
        [sys.executable, "-c", READER, str(path), str(MEMORY), str(SECONDS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
        env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
    )

    assert done.returncode == 0, done.stderr[-600:]
    told = json.loads(done.stdout)
    assert type(told) is type(wanted)
    assert len(told) == len(wanted)
    assert all(found.startswith(start) for found, start in zip(told, wanted, strict=True))

"""What a print house would refuse in a finished file, told before the file leaves: the whole of it read by qpdf.

Pure. Every batch goes through it, at about half a millisecond a form.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pikepdf

FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")


class UnsoundError(Exception):
    """The file would not print; `faults` are French sentences."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


@contextmanager
def sound(document: bytes, pages: int) -> Iterator[pikepdf.Pdf]:
    """The finished file, read whole and found sound, with so many pages. Raises UnsoundError with all that is wrong."""
    try:
        with pikepdf.open(BytesIO(document)) as pdf:
            if found := _faults(pdf, pages):
                raise UnsoundError(found)
            yield pdf
    except pikepdf.PdfError as error:
        raise UnsoundError([f"Le PDF est abîmé : {error}."]) from error


def _faults(pdf: pikepdf.Pdf, pages: int) -> list[str]:
    found = [f"Le PDF est abîmé : {problem}." for problem in pdf.check_pdf_syntax()]
    if len(pdf.pages) != pages:
        found.append(f"Le PDF compte {len(pdf.pages)} pages au lieu de {pages}.")
    return found + [f"La police « {name} » n'est pas dans le PDF." for name in sorted(_missing_faces(pdf))]


def _missing_faces(pdf: pikepdf.Pdf) -> set[str]:
    """The names of the fonts that the file calls for and does not hold."""
    missing = set()
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/Font" and "/DescendantFonts" not in thing:
            held: Any = thing.get("/FontDescriptor", {})
            if thing.get("/Subtype") != "/Type3" and not any(file in held for file in FONT_FILES):
                missing.add(str(thing.get("/BaseFont")).removeprefix("/"))
    return missing

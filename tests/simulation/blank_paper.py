"""Letters without their drawing: as many pages as there would be, blank."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pikepdf

from campaigns.paper_form.letters import LetterFile


@contextmanager
def blank_paper() -> Iterator[None]:
    """The drawing of pages is left out: batches hold blank pages, as many as there would be sheets."""
    with mock.patch("tenants.dispatch.letters.compose", _blank_letters):
        yield


def _blank_letters(letters: object, branding: object) -> LetterFile:
    pages = tuple(4 if letter.return_code else 2 for letter in letters)
    stream = io.BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(sum(pages)):
            pdf.add_blank_page(page_size=(595, 842))
        pdf.save(stream)
    return LetterFile(pdf=stream.getvalue(), pages=pages)

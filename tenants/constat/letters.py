"""The printed letters as a bailiff sees them: the very pages of the batch, access codes and personal links masked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import cv2
import numpy as np
import pypdfium2
import zxingcpp
from numpy.typing import NDArray

from tenants.access_codes import ALPHABET
from tenants.models import Message

Grey = NDArray[np.uint8]
DPI = 110
POINTS = 72.0
MARGIN = 4  # pixels around what is masked
MASK = 60  # a grey that is neither ink nor paper
PAGE_CODE = "F1-"
CODE = re.compile(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}")


class UnableToShow(Exception):
    """The pages cannot be shown; the message says why."""


def page_of(message: Message, number: int) -> bytes:
    """The PNG of one page of a letter, counted from 1, without the codes that open the portal.

    The batch is compared with its SHA-256 first: what is shown is what was handed over. Raises UnableToShow.
    """
    batch = message.batch
    if batch is None or not message.pages:
        raise UnableToShow("Cet envoi n'est pas un courrier imprimé.")
    if not 1 <= number <= message.pages:
        raise UnableToShow("Ce courrier n'a pas cette page.")
    with batch.document.open("rb") as stored:
        content = stored.read()
    if hashlib.sha256(content).hexdigest() != batch.sha256:
        raise UnableToShow("Le fichier du lot n'a plus son empreinte d'origine : il a été modifié.")
    pdf = pypdfium2.PdfDocument(content)
    try:
        return _drawn(pdf[message.first_page + number - 2])
    finally:
        pdf.close()


def _drawn(page: pypdfium2.PdfPage) -> bytes:
    image: Grey = page.render(scale=DPI / POINTS, grayscale=True).to_numpy().squeeze().copy()
    for top, bottom, left, right in (*_printed_codes(page, image.shape[0]), *_squares(image)):
        image[max(top - MARGIN, 0) : bottom + MARGIN, max(left - MARGIN, 0) : right + MARGIN] = MASK
    done, data = cv2.imencode(".png", image)
    if not done:
        raise UnableToShow("La page n'a pas pu être dessinée.")
    return bytes(data)


def _printed_codes(page: pypdfium2.PdfPage, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Where access codes are printed: top, bottom, left, right in pixels."""
    text = page.get_textpage()
    try:
        for found in CODE.finditer(text.get_text_range()):
            boxes = [text.get_charbox(place) for place in range(found.start(), found.end())]
            left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
            low, high = min(box[1] for box in boxes), max(box[3] for box in boxes)
            scale = DPI / POINTS
            yield int(height - high * scale), int(height - low * scale), int(left * scale), int(right * scale)
    finally:
        text.close()


def _squares(image: Grey) -> Iterator[tuple[int, int, int, int]]:
    """Where the square codes of personal links are; the codes of pages stay in sight."""
    for found in zxingcpp.read_barcodes(image):
        if found.text.startswith(PAGE_CODE):
            continue
        corners = [found.position.top_left, found.position.top_right]
        corners += [found.position.bottom_left, found.position.bottom_right]
        rows, columns = [corner.y for corner in corners], [corner.x for corner in corners]
        yield min(rows), max(rows), min(columns), max(columns)

"""Pictures of scanned pages for people: the crop of one field, or the whole page upright. PNG bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from campaigns.paper_form.zones import PAGE_HEIGHT, PAGE_WIDTH, Box
from returns.models import FieldReading, Page, SupportingDocument
from returns.reading.images import UnreadableScan
from returns.reading.registration import cut
from returns.seeing_pieces import page_of_upload

CROP_MARGIN = 4.0  # mm around the field: enough to see a value written beside it
WORDS_MM = 32.0  # right of a box to tick: its choice in words
SHEET_SCALE = 6.0  # pixels per millimetre: about 150 dpi
CROP_SCALE = 12.0  # pixels per millimetre: about 300 dpi, shown three times larger than on paper
MASK_MARGIN = 4.0  # mm
MASK_GREY = 200
ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class NoPicture(LookupError):
    """The page has no readable image."""


def crop_png(reading: FieldReading, *, boxes: bool = False) -> bytes:
    """The field, upright, cut by the page's registration; with the words beside its last `boxes`, where it has some."""
    page = reading.page
    if not page.matrix or not reading.box:
        raise NoPicture("Cette page n'a pas été repérée.")
    matrix = np.array(page.matrix, dtype=np.float64).reshape(3, 3)
    field = Box(*reading.box)
    if boxes:
        field = replace(field, w=max(field.w, min(field.w + WORDS_MM, PAGE_WIDTH - CROP_MARGIN - field.x)))
    return _png(cut(grey_of(page), matrix, field, margin=CROP_MARGIN, scale=CROP_SCALE))


def sheet_png(page: Page) -> bytes:
    """The sheet laid flat over its layout, SHEET_SCALE pixels a millimetre; as scanned when it was not registered."""
    if not page.matrix:
        return page_png(page)
    matrix = np.array(page.matrix, dtype=np.float64).reshape(3, 3)
    return _png(cut(grey_of(page), matrix, Box(0, 0, PAGE_WIDTH, PAGE_HEIGHT), scale=SHEET_SCALE))


def masked_sheet_png(page: Page, masks: Sequence[Box]) -> bytes:
    """The sheet laid flat, these zones of it covered with grey, and what may be written just around them."""
    if not page.matrix:
        raise NoPicture("Cette page n'a pas été repérée.")
    matrix = np.array(page.matrix, dtype=np.float64).reshape(3, 3)
    sheet = cut(grey_of(page), matrix, Box(0, 0, PAGE_WIDTH, PAGE_HEIGHT), scale=SHEET_SCALE)
    for box in masks:
        left, top = max(0.0, box.x - MASK_MARGIN), max(0.0, box.y - MASK_MARGIN)
        right, bottom = box.right + MASK_MARGIN, box.bottom + MASK_MARGIN
        corners = [round(side * SHEET_SCALE) for side in (left, top, right, bottom)]
        sheet[corners[1] : corners[3], corners[0] : corners[2]] = MASK_GREY
    return _png(sheet)


def page_png(page: Page) -> bytes:
    """The whole page, turned upright."""
    return _png(_upright(grey_of(page), page.rotation))


def upload_png(document: SupportingDocument) -> bytes:
    """The page of an uploaded piece on which something was read, else its first one. Raises NoPicture."""
    if not document.may_be_shown:
        raise NoPicture("Cette pièce n'est pas encore lue.")
    with document.content.open("rb") as file:
        content = file.read()
    try:
        page = page_of_upload(content, document.read.get("places", {}).get("page", 0))
    except UnreadableScan as error:
        raise NoPicture("L'image de cette pièce est illisible.") from error
    return _png(_upright(page, document.rotation))


def grey_of(page: Page) -> np.ndarray:
    """The page's image as it was received. Raises NoPicture."""
    if not page.image:
        raise NoPicture("Cette page n'a pas d'image.")
    with page.image.open("rb") as file:
        grey = cv2.imdecode(np.frombuffer(file.read(), dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise NoPicture("L'image de cette page est illisible.")
    return grey


def _upright(grey: np.ndarray, rotation: int) -> np.ndarray:
    """An image that lies turned by `rotation` degrees, clockwise, turned back."""
    turn = ROTATIONS.get((360 - rotation) % 360)
    return grey if turn is None else cv2.rotate(grey, turn)


def _png(picture: np.ndarray) -> bytes:
    done, encoded = cv2.imencode(".png", picture)
    if not done:
        raise NoPicture("L'image de cette page n'a pas pu être préparée.")
    return encoded.tobytes()

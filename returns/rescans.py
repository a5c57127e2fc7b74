"""A sheet scanned again: the same one, another that says otherwise, or a better picture of one that nobody could read.

The same sheet is told and nothing of it is kept twice. What operators said illegible is read on the new picture, and
that alone. A sheet that says something else is another answer: see `returns.transcription`.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from campaigns.paper_form.zones import Box
from returns.answers import Address
from returns.models import FieldReading, Page
from returns.page_images import NoPicture, grey_of
from returns.reading.rescans import Scan, same_writing
from returns.seen import SeenPage, Sight
from returns.unread import unread_of
from tenants.models import SurveyCase

State = Page.State


def twin_of(*, case: SurveyCase, page: Page, seen: SeenPage) -> Page | None:
    """The same sheet kept before: the same image, or a page where the same things are written."""
    same = Page.objects.filter(survey_return__case=case, number=page.number, layout=page.layout, same_as=None)
    for earlier in same.exclude(batch=page.batch, index=page.index).select_related("survey_return").order_by("pk"):
        if earlier.digest == page.digest:
            return earlier
        if seen.sight is Sight.FORM and earlier.state == State.MATCHED and _says_the_same(earlier, seen):
            return earlier
    return None


def _says_the_same(earlier: Page, seen: SeenPage) -> bool:
    readings = list(earlier.readings.all())
    read = {(each.field, each.row): (each.value, each.inked) for each in readings}
    told = {(each.field, each.row): (each.value, each.inked) for each in seen.fields}
    handwritten = any(each.inked and each.value is None for each in seen.fields)
    if read == told and not handwritten:
        return True
    if read.keys() != told.keys() or earlier.unexpected_ink or seen.unexpected_ink:
        return False  # what is written beside the fields is compared by nobody
    return _looks_the_same(earlier, seen, readings)


def _looks_the_same(earlier: Page, seen: SeenPage, readings: list[FieldReading]) -> bool:
    """Whether all that is written on either sheet is written on both, stroke upon stroke."""
    boxes = {Box(*each.box) for each in readings if each.inked and each.box}
    boxes |= {Box(*each.box) for each in seen.fields if each.inked}
    try:
        scans = _scan(grey_of(earlier), earlier.matrix), _scan(_grey(seen), seen.matrix)
    except NoPicture:
        return False
    return same_writing(*scans, sorted(boxes, key=lambda box: (box.y, box.x)))


def _scan(grey: np.ndarray, matrix: object) -> Scan:
    return grey, np.array(matrix, dtype=np.float64).reshape(3, 3)


def _grey(seen: SeenPage) -> np.ndarray:
    grey = cv2.imdecode(np.frombuffer(seen.image, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise NoPicture("L'image de cette page est illisible.")
    return grey


def still_unread(*, twin: Page, seen: SeenPage) -> SeenPage | None:
    """Of a sheet scanned again, the fields that nobody could read on its first picture; None when all were read."""
    if twin.survey_return is None or twin.state != State.MATCHED:
        return None
    unread: set[Address] = set(unread_of(twin.survey_return.case))
    unread &= set(twin.readings.values_list("field", "row"))
    fields = tuple(each for each in seen.fields if (each.field, each.row) in unread)
    return replace(seen, fields=fields) if fields else None


def release_unregistered(*, page: Page, case: SurveyCase) -> None:
    """The same sheet, scanned before without its marks, waits for nobody any more."""
    before = Page.objects.filter(
        survey_return__case=case, number=page.number, state=State.UNREGISTERED, decided_at=None
    )
    told = f"Numérisée de nouveau : page {page.index + 1} du lot {page.batch_id}."
    before.update(state=State.DUPLICATE, explanation=told, same_as=page)

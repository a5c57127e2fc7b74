"""Sheets for the intake tests: the product's own forms, printed, ticked with a pen and scanned."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import pypdfium2
from PIL import Image

from campaigns.models import LayoutVariant, QuestionnaireRevision
from campaigns.paper_form import page_code
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.letters import Letter, compose
from campaigns.paper_form.painter import FormFill, paint
from campaigns.paper_form.zones import FormLayout, ZoneKind
from campaigns.questionnaire.parsing import load_library
from returns.models import ScanBatch
from tenants.models import SurveyCase

DPI = 200
PER_MM = DPI / 25.4
Sheet = np.ndarray


def variant_of(revision: QuestionnaireRevision, rows: int = 4) -> LayoutVariant:
    """The revision laid out for that many people, stored."""
    layout = _laid_out(revision.campaign.survey, rows)
    variant = LayoutVariant(revision=revision, rows=rows, fingerprint=layout.fingerprint, tables=layout.as_tables())
    variant.save()
    return variant


@cache
def _laid_out(survey: str, rows: int) -> FormLayout:
    form = load_library(survey).with_words(year=2027, income_year=2025, notice_year=2026)
    return lay_out(form, rows)


def printed(layout: FormLayout, case: SurveyCase | str) -> list[Sheet]:
    """The form of a case as the scanner sees it before anybody wrote on it: one grey image per page."""
    reference = case if isinstance(case, str) else case.reference
    key = (layout.fingerprint, reference)
    if key not in _PRINTED:
        _PRINTED[key] = _print(layout, reference)
    return [sheet.copy() for sheet in _PRINTED[key]]


_PRINTED: dict[tuple[str, str], list[Sheet]] = {}


def return_sheet(case: SurveyCase, request: int = 0) -> list[Sheet]:
    """The last sheet of a demand for pieces, as the scanner sees its front."""
    letter = Letter(
        title="Il manque une pièce",
        paragraphs=("Merci de nous l'envoyer.",),
        address_lines=("MME EXEMPLE", "37000 TOURS"),
        reference=case.reference,
        place_date="Le 1er novembre 2026",
        items=("Certificat de scolarité",),
        return_code=page_code.return_sheet(case.reference, request),
    )
    return _rendered(compose([letter], Branding(name="Habitat d'essai")).pdf)[-1:]


def _print(layout: FormLayout, reference: str) -> list[Sheet]:
    return _rendered(paint(layout, Branding(name="Habitat d'essai"), [FormFill(reference)]))


def _rendered(pdf: bytes) -> list[Sheet]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [np.array(page.render(scale=DPI / 72, grayscale=True).to_numpy()).squeeze() for page in document]
    finally:
        document.close()


def tick(sheets: Sequence[Sheet], layout: FormLayout, field: str, row: int, value: str) -> None:
    """Cross the box of a choice ('yes'/'no' for a yes-no question, 'on' for a tick)."""
    zones = [each for each in layout.zones if (each.field, each.row, each.value) == (field, row, value)]
    [zone] = [each for each in zones if each.kind is ZoneKind.BOX]
    sides = zone.box.x + 0.5, zone.box.y + 0.5, zone.box.right - 0.5, zone.box.bottom - 0.5
    left, top, right, bottom = (round(side * PER_MM) for side in sides)
    sheet = sheets[zone.page - 1]
    cv2.line(sheet, (left, top), (right, bottom), 40, 4, cv2.LINE_AA)
    cv2.line(sheet, (left, bottom), (right, top), 40, 4, cv2.LINE_AA)


def sign(sheets: Sequence[Sheet], layout: FormLayout) -> None:
    """Scribble in the frame of the signature."""
    zone = next(each for each in layout.zones if each.kind is ZoneKind.SIGNATURE)
    steps = np.linspace(0, 6 * np.pi, 200)
    x = (zone.box.x + 10 + steps * 2.4) * PER_MM
    y = (zone.box.y + zone.box.h / 2 + 6 * np.sin(steps)) * PER_MM
    points = np.stack([x, y], axis=1).round().astype(np.int32)
    cv2.polylines(sheets[zone.page - 1], [points], isClosed=False, color=50, thickness=4, lineType=cv2.LINE_AA)


def write_letters(sheets: Sequence[Sheet], layout: FormLayout, field: str, row: int, text: str) -> None:
    """Write something by hand in a field."""
    zone = next(each for each in layout.zones if (each.field, each.row) == (field, row))
    at = round((zone.box.x + 1) * PER_MM), round((zone.box.bottom - 1.5) * PER_MM)
    cv2.putText(sheets[zone.page - 1], text, at, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.4, 40, 3, cv2.LINE_AA)


def blank() -> Sheet:
    """The empty back of a sheet."""
    return np.full((round(297 * PER_MM), round(210 * PER_MM)), 250, dtype=np.uint8)


def paper(text: str) -> Sheet:
    """A typed paper that is none of our forms."""
    sheet = blank()
    for number, line in enumerate(text.splitlines()):
        cv2.putText(sheet, line, (150, 250 + 90 * number), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 20, 3, cv2.LINE_AA)
    return sheet


def scanned(sheets: Sequence[Sheet]) -> bytes:
    """The sheets as one grey 200 dpi TIFF, in that order."""
    pages = [Image.fromarray(sheet) for sheet in sheets]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="jpeg", dpi=(DPI, DPI))
    return out.getvalue()


def upside_down(sheet: Sheet) -> Sheet:
    """The sheet fed by its foot."""
    return np.ascontiguousarray(np.rot90(sheet, 2))


def states(batch: ScanBatch) -> list[str]:
    """The state of each page, in order."""
    return list(batch.pages.order_by("index").values_list("state", flat=True))

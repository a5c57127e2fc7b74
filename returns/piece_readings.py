"""What was read of the pieces of a case, laid over their images: the words used or the signed code, and the values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaigns.questionnaire.conditions import Context
from returns.answers import Address, declared_context, display_name
from returns.evidence import INCOME, NOTICE_REFERENCE, TAX_NUMBER, rows_bearing
from returns.models import SupportingDocument
from returns.reading.documents import NAMES_CONFIDENCE, OCR_CONFIDENCE
from returns.reading.places import SIGNED_CODE
from returns.sheet_readings import SAID, Kind, ReadSheet, ReadZone
from tenants.models import SurveyCase

WIDTH = 210.0  # millimetres that a piece is shown wide, whatever its size
TOLD_BY_PIECES = frozenset({INCOME, NOTICE_REFERENCE, TAX_NUMBER})
NAMES = {
    "tax_reference_income": "Revenu fiscal de référence",
    "income_year": "Année des revenus",
    "notice_reference": "Référence de l'avis",
    "tax_numbers": "Numéro fiscal",
    "declarants": "Déclarant",
    SIGNED_CODE: "Code 2D-Doc",
}
CONFIDENCES = {"declarants": NAMES_CONFIDENCE}
BY_CODE = "lu dans le code signé, signature vérifiée"
BY_PRINT = "lu dans l'imprimé : cru, jamais certifié"


def pieces_of(case: SurveyCase, *, sensitive: bool = True, hidden: frozenset[Address] = frozenset()) -> list[ReadSheet]:
    """The pieces of which something was read, scanned or sent on line, in the order they came.

    Without `sensitive`, values are only said to be there. None while somebody keys from the form what pieces tell too
    (`hidden`): each is read on its own.
    """
    if any(field in TOLD_BY_PIECES for field, _ in hidden):
        return []
    documents = SupportingDocument.objects.filter(case=case).exclude(page__image="")
    shown = documents.select_related("page").order_by("received_at", "page__index", "pk")
    told = [each for each in shown if each.may_be_shown and each.read.get("places")]
    context = declared_context(case) if told else None
    return [_sheet(each, context, sensitive=sensitive) for each in told]


def _sheet(document: SupportingDocument, context: Context | None, *, sensitive: bool) -> ReadSheet:
    places = document.read["places"]
    height = WIDTH * float(places["height"])
    zones = []
    for number, (what, box, value) in enumerate(_told(document.read, places["zones"]), start=1):
        left, top, width, tall = box
        zones.append(
            ReadZone(
                number=number,
                label=NAMES[what],
                who=_bearer(what, value, context),
                box=(left * WIDTH, top * height, width * WIDTH, tall * height),
                value=value if sensitive else SAID,
                machine="",
                confidence=None if document.certified else CONFIDENCES.get(what, OCR_CONFIDENCE),
                kind=Kind.MACHINE,
                how=BY_CODE if document.certified else BY_PRINT,
                by="",
                at=None,
            )
        )
    return ReadSheet(document.page, zones, laid_out=True, document=document, height=height)


def _bearer(what: str, name: str, context: Context | None) -> str:
    """The occupant whose name was read, for a person to check; '' when none, or several, may be meant."""
    if what != "declarants" or context is None:
        return ""
    rows = rows_bearing(name, context)
    return display_name(context, min(rows)) if len(rows) == 1 else ""


def _told(read: dict[str, Any], zones: list[dict[str, Any]]) -> Iterator[tuple[str, list[float], str]]:
    """Each thing read, where, in French: everything at once for a signed code."""
    listed = {what: iter(read.get(what, [])) for what in ("tax_numbers", "declarants")}
    for zone in zones:
        what = zone["what"]
        if what == SIGNED_CODE:
            for each in ("declarants", "tax_reference_income", "income_year", "notice_reference", "tax_numbers"):
                if value := _shown(each, read.get(each)):
                    yield each, zone["box"], value
        elif value := _shown(what, next(listed[what], None) if what in listed else read.get(what)):
            yield what, zone["box"], value


def _shown(what: str, value: Any) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return f"{value:,} €".replace(",", "\u202f") if what == "tax_reference_income" else str(value)

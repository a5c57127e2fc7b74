"""A scanned form with doubtful fields, as the operators get it: its page, its readings, its tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from django.core.files.base import ContentFile

from campaigns.models import Campaign, User
from campaigns.paper_form.zones import FormLayout
from returns.answers import declaration_of
from returns.models import FieldReading, KeyingEntry, KeyingTask, Page, SurveyReturn
from returns.transcription import transcribe
from tenants.models import SurveyCase
from tests.factories.campaigns import RevisionFactory
from tests.factories.returns import NOW, PageFactory, ReadingFactory, ReturnFactory
from tests.factories.tenants import CaseFactory
from tests.returns.sheets import PER_MM, printed, variant_of, write_letters

UPRIGHT = [[PER_MM, 0.0, 0.0], [0.0, PER_MM, 0.0], [0.0, 0.0, 1.0]]  # millimetres to pixels, sheet scanned straight
SIZE, INCOME = "household.size", "occupant.tax_reference_income"  # keyed twice
EMAIL = "household.email"  # keyed once
ON_A_DOSSIER = 20  # fields to key, where a queue is long
Doubtful = tuple[str, int, Any]  # field, row, what the machine believes


@lru_cache(maxsize=4)
def _blank_form(fingerprint: str, reference: str, layout: FormLayout) -> tuple[bytes, ...]:
    return tuple(cv2.imencode(".png", sheet)[1].tobytes() for sheet in printed(layout, reference))


def form_sheet(layout: FormLayout, reference: str, number: int, written: Sequence[tuple[str, int, str]] = ()) -> bytes:
    """The JPEG of one page of the form, with words written by hand: field, row, text."""
    pages = _blank_form(layout.fingerprint, reference, layout)
    sheets = [cv2.imdecode(np.frombuffer(page, dtype=np.uint8), cv2.IMREAD_GRAYSCALE) for page in pages]
    for field, row, text in written:
        write_letters(sheets, layout, field, row, text)
    done, data = cv2.imencode(".jpg", sheets[number - 1])
    assert done
    return bytes(data)


def doubtful_return(
    campaign: Campaign, doubts: Sequence[Doubtful], *, reason: str = "lecture incertaine", now: dt.datetime = NOW
) -> SurveyReturn:
    """A paper return without an image, whose fields all go to the operators."""
    if not campaign.revisions.exists():
        RevisionFactory(campaign=campaign)
    case = CaseFactory(campaign=campaign, state="received", received_at=now, channel="paper")
    survey_return = ReturnFactory(case=case)
    _read(survey_return, PageFactory(survey_return=survey_return), doubts, reason)
    return transcribe(survey_return=survey_return, now=now)


def long_queue(campaign: Campaign, count: int, *, keyed_by: User | None = None) -> None:
    """So many incomes to key twice, some on each dossier; the first entry is there when somebody has `keyed_by`."""
    first = doubtful_return(campaign, [])
    page = Page.objects.filter(survey_return=first).get()
    told: dict[str, Any] = {"case": first.case, "channel": "paper", "received_at": NOW}
    names = [f"{first.receipt}-{number}" for number in range(-(-count // ON_A_DOSSIER))]
    arrived = SurveyReturn.objects.bulk_create([SurveyReturn(receipt=name, submission=name, **told) for name in names])
    places = [(arrived[number // ON_A_DOSSIER], number + 1) for number in range(count)]
    told = {"page": page, "field": INCOME, "confidence": 0.4}
    readings = [FieldReading(survey_return=each, row=row, **told) for each, row in places]
    FieldReading.objects.bulk_create(readings)
    told = {"campaign": campaign, "reason": "lecture incertaine", "entries_needed": 2, "created_at": NOW}
    told |= {"field": INCOME, "first_by": keyed_by}
    tasks = [KeyingTask(reading=each, survey_return=each.survey_return, row=1, **told) for each in readings]
    KeyingTask.objects.bulk_create(tasks)
    if keyed_by is not None:
        entries = [KeyingEntry(task=task, operator=keyed_by, value=3, entered_at=NOW) for task in tasks]
        KeyingEntry.objects.bulk_create(entries)


def _read(survey_return: SurveyReturn, page: Page, doubts: Sequence[Doubtful], reason: str, **more: Any) -> None:
    for field, row, value in doubts:
        told = {"value": value, "confidence": 0.4, "accepted": False, "reason": reason, **more}
        ReadingFactory(survey_return=survey_return, page=page, field=field, row=row, **told)


def handwritten_return(
    campaign: Campaign, fields: Sequence[tuple[str, int, str]], *, now: dt.datetime = NOW
) -> SurveyReturn:
    """A scanned form where words are written by hand, each to be keyed: field, row, text."""
    revision = campaign.current_revision or RevisionFactory(campaign=campaign)
    variant = revision.layouts.first() or variant_of(revision)
    case = CaseFactory(campaign=campaign, state="received", received_at=now, channel="paper")
    declaration_of(case, revision=revision)
    survey_return = ReturnFactory(case=case)
    zones = {(zone.field, zone.row): zone for zone in variant.layout.zones}
    pages: dict[int, Page] = {}
    for field, row, _ in fields:
        zone = zones[field, row]
        if zone.page not in pages:
            here = [told for told in fields if zones[told[:2]].page == zone.page]
            image = form_sheet(variant.layout, case.reference, zone.page, here)
            pages[zone.page] = PageFactory(
                survey_return=survey_return,
                number=zone.page,
                layout=variant.fingerprint,
                matrix=UPRIGHT,
                image=ContentFile(image, name="page.jpg"),
            )
        box = [zone.box.x, zone.box.y, zone.box.w, zone.box.h]
        _read(survey_return, pages[zone.page], [(field, row, None)], "écriture à lire", box=box)
    return transcribe(survey_return=survey_return, now=now)


def open_tasks(survey_return: SurveyReturn) -> list[KeyingTask]:
    """Its tasks, in order."""
    return list(KeyingTask.objects.filter(survey_return=survey_return).order_by("pk"))


def case_of(survey_return: SurveyReturn) -> SurveyCase:
    """Its case, as it stands now."""
    return SurveyCase.objects.get(pk=survey_return.case_id)

"""From what was read to what is declared: sure readings are recorded, every doubt becomes a field to key.

Paper's meaning: what is printed and not corrected stays as the landlord knew it, and is not copied.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from campaigns.questionnaire.conditions import Context
from campaigns.questionnaire.schema import Field, FieldType
from returns.acceptance import KINDS, THRESHOLDS, Doubt
from returns.answers import Address, declaration_of, declared_in, put
from returns.completeness import settle
from returns.controls import draw_controls
from returns.evidence import Evidence
from returns.models import Declaration, FieldReading, KeyingTask, SupportingDocument, SurveyReturn
from returns.models.declarations import DIRECT, Source
from returns.reading.names import spelling_of
from returns.unread import unread_of
from tenants.models import SurveyCase

SHEETS = frozenset({Source.READING, Source.KEYING})
TOLD_OTHERWISE = frozenset({Doubt.CONFLICT, Doubt.SECOND_SHEET, Doubt.TOLD_BEFORE})
SIZE, LEFT = "household.size", "occupant.left"


def transcribe(*, survey_return: SurveyReturn, now: dt.datetime) -> SurveyReturn:
    """Turn the readings of a return into answers and keying tasks; without any doubt, finish it at once.

    All or nothing, and done once: running it again changes nothing.
    """
    with transaction.atomic():
        locked = SurveyReturn.objects.select_for_update(of=("self",)).select_related("case").get(pk=survey_return.pk)
        doubts = KeyingTask.objects.filter(survey_return=locked, purpose=KeyingTask.Purpose.DOUBT)
        done = locked.state != SurveyReturn.State.OPEN or doubts.exists()
        if not done:
            _transcribe(locked, now=now)
        return finish(survey_return=locked, now=now)


def finish(*, survey_return: SurveyReturn, now: dt.datetime) -> SurveyReturn:
    """Close the transcription when no field is left to key, and settle the case; else leave it as it is."""
    with transaction.atomic():
        SurveyReturn.objects.select_for_update(of=("self",)).get(pk=survey_return.pk)  # nobody undoes meanwhile
        tasks = KeyingTask.objects.filter(survey_return=survey_return)
        if tasks.holding().exists():
            return survey_return
        opened = SurveyReturn.objects.filter(pk=survey_return.pk, state=SurveyReturn.State.OPEN)
        if opened.update(state=SurveyReturn.State.TRANSCRIBED) == 1:
            survey_return.state = SurveyReturn.State.TRANSCRIBED
            keyed = tasks.filter(purpose=KeyingTask.Purpose.DOUBT).count()
            survey_return.case.tell("transcribed", now=now, data={"receipt": survey_return.receipt, "keyed": keyed})
            _tell_unread(survey_return, now=now)
        settle(case=survey_return.case, now=now)
    return survey_return


def _transcribe(survey_return: SurveyReturn, *, now: dt.datetime) -> None:
    case = survey_return.case
    declaration = declaration_of(case, lock=True)
    questionnaire, context = declared_in(declaration, case)
    fields = {field.key: field for _, field in questionnaire.fields()}
    chosen = _chosen(survey_return)
    told = (context.prefill, _spelled(fields, context, chosen), _headcount(context, chosen))
    before, certified = _told(declaration, SHEETS), _certified(case, context, chosen.values())
    direct = _told(declaration, DIRECT)
    doubts: list[FieldReading] = []
    kept: list[FieldReading] = []
    for (key, row), reading in chosen.items():
        known = context.prefill.get((key, row))
        said = before.get((key, row))
        confirmed = any(_same(reading.value, each.get((key, row))) for each in (before, certified))
        if reading.confidence >= KINDS["known"].least:
            confirmed = confirmed or any(_same(reading.value, each.get((key, row))) for each in told)
        if reading.inked and said is not None and not _same(reading.value, said) and reading.reason != Doubt.CONFLICT:
            _doubt(reading, Doubt.SECOND_SHEET)
        elif reading.inked and (key, row) in direct and not _same(reading.value, direct[key, row]):
            _doubt(reading, Doubt.TOLD_BEFORE)
        if reading.accepted or (confirmed and reading.reason not in TOLD_OTHERWISE):
            _keep(reading)
            kept.append(reading)
            if reading.inked:
                put(
                    declaration,
                    (key, row),
                    reading.value,
                    known=known,
                    source=Source.READING,
                    confidence=reading.confidence,
                )
        else:
            doubts.append(reading)
    _tell_notes(survey_return, now=now)
    declaration.version += 1
    declaration.updated_at = now
    declaration.save(update_fields=["answers", "replaced", "version", "updated_at"])
    KeyingTask.objects.bulk_create([task_of(each, survey_return, fields[each.field], now=now) for each in doubts])
    draw_controls(campaign=case.campaign, survey_return=survey_return, kept=kept, now=now)


def _told(declaration: Declaration, sources: frozenset[Source]) -> Mapping[Address, Any]:
    """What was answered through these: a person compares it with a sheet that says otherwise."""
    return {
        (key, int(row)): entry["value"]
        for key, rows in declaration.answers.items()
        for row, entry in rows.items()
        if entry["source"] in sources
    }


def _doubt(reading: FieldReading, reason: Doubt) -> None:
    reading.accepted, reading.reason = False, reason
    reading.save(update_fields=["accepted", "reason"])


def _tell_notes(survey_return: SurveyReturn, *, now: dt.datetime) -> None:
    """Say in the case's history on which sheets something is written where nothing was asked."""
    pages = survey_return.pages.filter(unexpected_ink=True).order_by("number").values_list("number", flat=True)
    if noted := list(pages):
        survey_return.case.tell("handwritten_note", now=now, data={"receipt": survey_return.receipt, "pages": noted})


def _tell_unread(survey_return: SurveyReturn, *, now: dt.datetime) -> None:
    """Say in the case's history which answers nobody could read: what the landlord knew stands in their place."""
    if places := unread_of(survey_return.case):
        told = {"receipt": survey_return.receipt, "fields": [[field, row] for field, row in places]}
        survey_return.case.tell("answer_unread", now=now, data=told)


def _chosen(survey_return: SurveyReturn) -> dict[Address, FieldReading]:
    """One reading per address: the last one bearing ink; sheets that contradict each other make a doubt."""
    chosen: dict[Address, FieldReading] = {}
    readings = FieldReading.objects.filter(survey_return=survey_return).select_related("page")
    for reading in readings.order_by("page__number", "page__index", "pk"):
        address = (reading.field, reading.row)
        earlier = chosen.get(address)
        if earlier is not None and earlier.inked:
            if not reading.inked:
                continue
            if not _same(earlier.value, reading.value):
                reading.accepted, reading.reason = False, Doubt.CONFLICT
                reading.save(update_fields=["accepted", "reason"])
        chosen[address] = reading
    return chosen


def _spelled(
    fields: Mapping[str, Field], context: Context, readings: Mapping[Address, FieldReading]
) -> Mapping[Address, str]:
    """Names read in capitals that are names of the household (a newborn often bears one), with their own spelling.

    The reading takes that spelling. One under the threshold of names is left as it was read, and supported by nothing.
    """
    spelled: dict[Address, str] = {}
    least = THRESHOLDS[FieldType.NAME].least
    for address, reading in readings.items():
        if fields[address[0]].type is not FieldType.NAME or not isinstance(reading.value, str):
            continue
        known = [name for (key, _), name in sorted(context.prefill.items()) if key == address[0]]
        name = spelling_of(reading.value, known) if reading.confidence >= least else ""
        if name:
            reading.value = spelled[address] = name
    return spelled


def _certified(case: SurveyCase, context: Context, readings: Iterable[FieldReading]) -> Mapping[Address, Any]:
    """What signed pieces certify. The tax number just read helps to tell whom a notice names."""
    read = {(each.field, each.row): each.value for each in readings if each.value is not None}
    seen = Context(
        answers={**context.answers, **read},
        reference_on=context.reference_on,
        prefill=context.prefill,
        facts=context.facts,
        known_rows=context.known_rows,
    )
    evidence = Evidence.of(SupportingDocument.objects.filter(case=case))
    return evidence.certified_answers(seen, case.campaign.year - 2)


def _headcount(context: Context, readings: Mapping[Address, FieldReading]) -> Mapping[Address, int]:
    """How many people live there, counted from the occupants listed: nothing where it is not sure who left."""
    departures = {row: each for (key, row), each in readings.items() if key == LEFT}
    if any(each.inked and not each.accepted for each in departures.values()):
        return {}
    listed = {*context.rows(), *(row for (_, row), each in readings.items() if row and each.inked)}
    gone = {row for row in listed if context.at_row(row).value(LEFT) is True}
    gone |= {row for row, each in departures.items() if each.value is True}
    return {(SIZE, 0): len(listed - gone)}


def _same(one: Any, other: Any) -> bool:
    return one is not None and type(one) is type(other) and bool(one == other)


def _keep(reading: FieldReading) -> None:
    if not reading.accepted:
        reading.accepted, reading.reason = True, ""
        reading.save(update_fields=["accepted", "reason", "value"])


def task_of(reading: FieldReading, survey_return: SurveyReturn, field: Field, *, now: dt.datetime) -> KeyingTask:
    """The field to key that a doubt becomes, not saved; sensitive fields are keyed twice when the campaign says so."""
    campaign = survey_return.case.campaign
    twice = field.double_keying and campaign.double_keying
    return KeyingTask(
        campaign=campaign,
        survey_return=survey_return,
        reading=reading,
        field=reading.field,
        row=reading.row,
        reason=reading.reason,
        entries_needed=2 if twice else 1,
        created_at=now,
    )

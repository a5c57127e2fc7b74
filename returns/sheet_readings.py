"""Everything that was read on the sheets of a case, laid over them: the zone, the value, how sure, how decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Prefetch, QuerySet

from campaigns.models import LayoutVariant
from campaigns.paper_form.zones import PAGE_HEIGHT, Box
from campaigns.questionnaire.schema import Field, FieldType
from campaigns.questionnaire.values import FieldValueError, show
from returns.acceptance import is_accepted, is_checksummed
from returns.answers import Address, declared_context, display_name, questionnaire_of, revision_of
from returns.models import FieldReading, KeyingEntry, KeyingTask, Page, SupportingDocument
from tenants.models import SurveyCase

# What a call agent has no use for, and what the API never gives.
SENSITIVE_TYPES = frozenset({FieldType.MONEY})
SENSITIVE_FIELDS = frozenset({"occupant.tax_number", "occupant.notice_reference", "occupant.cmi"})
WAYS_IN = frozenset({"@portal_qr", "@access_code"})
SAID = "renseigné"
WAITS = "en attente d'un opérateur"
State = KeyingTask.State
Purpose = KeyingTask.Purpose


class Kind(StrEnum):
    """How a zone is drawn."""

    MACHINE = "machine"
    PERSON = "person"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class ReadZone:
    """One filled field of a sheet. `value` is what was kept, in French; `how` tells who or what decided.

    `box` is left, top, width, height in millimetres of the sheet; `machine` is what the reader had read if it differs.
    `confidence` is None where a verified signature stands for it.
    """

    number: int
    label: str
    who: str
    box: tuple[float, float, float, float]
    value: str
    machine: str
    confidence: float | None
    kind: Kind
    how: str
    by: str
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """A sheet or a piece and what was read on it; `laid_out` when its zones can be drawn on its picture.

    `height` is that of the picture, in millimetres, for a width of 210. `document` is the piece that it is, if it is
    one; a piece sent on line has no `page`.
    """

    page: Page | None
    zones: list[ReadZone]
    laid_out: bool
    document: SupportingDocument | None = None
    height: float = PAGE_HEIGHT

    @property
    def name(self) -> str:
        """What tells it from the others of its case, for the page that shows it."""
        return f"piece-{self.document.pk}" if self.document else f"sheet-{self.page.pk if self.page else 0}"


def is_sensitive(field: Field) -> bool:
    """Whether the value is an income, a tax number or a disability."""
    return field.type in SENSITIVE_TYPES or field.key in SENSITIVE_FIELDS


def sheets_of(
    case: SurveyCase, *, sensitive: bool = True, operators: bool = True, hidden: frozenset[Address] = frozenset()
) -> list[ReadSheet]:
    """The sheets of the case with what was read on them, in the order of the form.

    Without `sensitive`, incomes are only said to be there. Without `operators`, people are not named. `hidden`: the
    addresses whose values somebody is keying, and must not see.
    """
    questions = {field.key: field for _, field in questionnaire_of(revision_of(case)).fields()}
    context = declared_context(case)
    names = {row: display_name(context, row) for row in context.rows()}
    sheets = []
    for page in _pages(case):
        zones: list[ReadZone] = []
        for reading in page.readings.all():
            field = questions.get(reading.field)
            if field is None or not (reading.inked or reading.tasks.all()):
                continue
            person = names.get(reading.row) or (f"Personne {reading.row}" if reading.row else "")
            seen = _Seen(field, reading, sensitive=sensitive, hidden=(reading.field, reading.row) in hidden)
            zones.append(seen.zone(len(zones) + 1, person, operators=operators))
        sheets.append(ReadSheet(page, zones, laid_out=bool(page.matrix)))
    return sheets


def being_keyed(case: SurveyCase) -> frozenset[Address]:
    """The addresses of the case that somebody keys, or will key: their values are not shown to operators."""
    tasks = KeyingTask.objects.filter(survey_return__case=case).exclude(state=State.DONE)
    return frozenset(tasks.values_list("field", "row"))


def masks_of(page: Page) -> list[Box]:
    """The zones of a sheet that hold incomes and other sensitive values."""
    case = page.survey_return.case if page.survey_return else None
    if case is None:
        return []
    questions = {field.key: field for _, field in questionnaire_of(revision_of(case)).fields()}
    boxes = [
        Box(*reading.box)
        for reading in page.readings.all()
        if reading.box and (reading.field not in questions or is_sensitive(questions[reading.field]))
    ]
    return boxes


def access_zones(page: Page) -> list[Box] | None:
    """Where a form leads its tenant into the portal, QR code and access code: for nobody else's eyes.

    None where that can't be told: the sheet has no place over its layout, or nobody knows that layout any more.
    """
    if page.state == Page.State.DOCUMENT:
        return []
    case = page.survey_return.case if page.survey_return else None
    if case is None or not page.matrix:
        return None
    if not page.layout:
        return []
    variant = LayoutVariant.objects.filter(revision__campaign=case.campaign_id, fingerprint=page.layout).first()
    if variant is None:
        return None
    return [spot.box for spot in variant.layout.prefills if spot.page == page.number and spot.field in WAYS_IN]


def may_be_masked(page: Page) -> bool:
    """Whether hiding its sensitive zones hides every income of the sheet: laid out, read, nothing written beside."""
    return bool(page.matrix) and not page.unexpected_ink and page.readings.exists()


def _pages(case: SurveyCase) -> QuerySet[Page]:
    entries = KeyingEntry.objects.select_related("operator").order_by("pk")
    tasks = KeyingTask.objects.counted().prefetch_related(Prefetch("entries", queryset=entries)).order_by("pk")
    readings = FieldReading.objects.order_by("pk").prefetch_related(Prefetch("tasks", queryset=tasks))
    pages = Page.objects.filter(survey_return__case=case, readings__isnull=False).exclude(image="").distinct()
    return (
        pages.select_related("survey_return")
        .prefetch_related(Prefetch("readings", queryset=readings), "rescans__batch")
        .order_by("survey_return__received_at", "number", "index")
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """A reading with what became of it."""

    field: Field
    reading: FieldReading
    sensitive: bool
    hidden: bool

    def zone(self, number: int, person: str, *, operators: bool) -> ReadZone:
        doubt = self._task(Purpose.DOUBT)
        last, control = self._last(doubt), self._task(Purpose.CONTROL)
        if control is not None and control.conforming is False:
            last = self._last(control)  # what the declaration holds since
        waits = self.hidden or (doubt is not None and doubt.state != State.DONE)
        value = last.value if last is not None else self.reading.value
        machine = self._shown(self.reading.value) if last is not None and self.reading.value != value else ""
        left, top, width, height = self.reading.box or (0.0, 0.0, 0.0, 0.0)
        return ReadZone(
            number=number,
            label=self.field.name,
            who=person,
            box=(left, top, width, height),
            value="" if waits else self._shown(value),
            machine="" if waits else machine,
            confidence=self.reading.confidence,
            kind=Kind.WAITING if waits else Kind.PERSON if doubt is not None else Kind.MACHINE,
            how=WAITS if waits else "".join(self._how(doubt, last)),
            by=last.operator.username if last is not None and operators and not waits else "",
            at=doubt.done_at if doubt is not None and not waits else None,
        )

    def _task(self, purpose: Purpose) -> KeyingTask | None:
        return next((task for task in self.reading.tasks.all() if task.purpose == purpose), None)

    def _last(self, task: KeyingTask | None) -> KeyingEntry | None:
        entries = list(task.entries.all()) if task is not None else []
        return entries[-1] if entries else None

    def _how(self, doubt: KeyingTask | None, last: KeyingEntry | None) -> Iterator[str]:
        if doubt is None:
            yield self._how_alone()
        elif last is None:
            yield "décidé sans saisie"
        else:
            yield _how_keyed(doubt, last)
        control = self._task(Purpose.CONTROL)
        if control is not None and control.conforming is not None:
            yield " ; contrôlé à l'aveugle, " + ("exact" if control.conforming else "corrigé")

    def _how_alone(self) -> str:
        if not self.reading.accepted:
            return "une autre feuille fait foi"
        if is_checksummed(self.field, self.reading.value):
            return "lu par la machine, clé de contrôle exacte"
        if is_accepted(self.field, self.reading.value, self.reading.confidence):
            return "lu par la machine, au-dessus du seuil"
        return "lu par la machine, confirmé par une pièce signée ou par le fichier du bailleur"

    def _shown(self, value: Any) -> str:
        if value is None:
            return ""
        if not self.sensitive and is_sensitive(self.field):
            return SAID
        try:
            return show(self.field, value)
        except FieldValueError:
            return str(value)


def _how_keyed(task: KeyingTask, last: KeyingEntry) -> str:
    if last.illegible:
        return "illisible pour l'opérateur"
    if last.arbitration:
        return "tranché par un superviseur"
    if sum(entry.right is True for entry in task.entries.all()) > 1:
        return "deux saisies concordantes"
    if task.entries_needed > 1:
        return "une saisie, d'accord avec la machine"
    return "saisi par un opérateur"

"""The rehearsal's honest end: what was delivered to the landlord, held field by field against what tenants meant."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F

from campaigns.models import Campaign
from campaigns.questionnaire.schema import Field, FieldType, Reader
from returns.models import FieldReading, KeyingTask, RehearsedTenant, Restitution
from returns.reading.names import says_the_same
from returns.rehearsal.meaning import Meaning
from returns.restitution.columns import Columns, columns_of
from tenants.case_states import PROCESSED
from tenants.models import SurveyCase
from tenants.prefill import prefill_of

Cell = tuple[str, str, str]  # landlord's reference, rank ('' for the household), column


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that the landlord got otherwise than meant."""

    case: str
    channel: str
    row: int
    column: str
    meant: str
    delivered: str


@dataclass(slots=True)
class Reconciliation:
    """The figures. `read` counts the inked fields of scanned pages: read right, accepted unseen, right once keyed."""

    cases: int = 0
    right: int = 0
    differences: list[Difference] = field(default_factory=list)
    read: Counter[str] = field(default_factory=Counter)

    @property
    def fields(self) -> int:
        """Fields compared."""
        return self.right + len(self.differences)

    def as_tables(self) -> dict[str, Any]:
        """The figures as JSON-able tables."""
        return {
            "cases": self.cases,
            "fields": self.fields,
            "right": self.right,
            "wrong": len(self.differences),
            "read": dict(self.read),
            "differences": [
                [each.case, each.channel, each.row, each.column, each.meant, each.delivered]
                for each in self.differences
            ],
        }


def reconcile(*, campaign: Campaign, delivered: Mapping[Cell, str]) -> Reconciliation:
    """Compare every complete case of a rehearsal with `delivered` (see `delivered_cells`)."""
    columns = columns_of(campaign)
    told = Reconciliation()
    tenants = RehearsedTenant.objects.filter(case__campaign=campaign, case__state__in=PROCESSED)
    tenants = tenants.select_related("case__household__dwelling", "case__campaign").prefetch_related(
        "case__household__occupants"
    )
    for tenant in tenants:
        told.cases += 1
        for difference in _compared(tenant, columns, delivered, told):
            told.differences.append(difference)
    _count_readings(campaign, columns, told)
    return told


def delivered_cells(lines: Iterator[str]) -> dict[Cell, str]:
    """The cells of a delivered CSV file, household columns under rank ''."""
    cells: dict[Cell, str] = {}
    for line in csv.DictReader(lines, delimiter=";"):
        for column, value in line.items():
            cells[line["REFERENCE"], line["RANG"], column] = value
            cells.setdefault((line["REFERENCE"], "", column), value)
    return cells


def _compared(
    tenant: RehearsedTenant, columns: Columns, delivered: Mapping[Cell, str], told: Reconciliation
) -> Iterator[Difference]:
    case = tenant.case
    meant = prefill_of(case, columns.questionnaire) | Meaning(tenant.meaning).answers()
    rows = sorted({row for _, row in meant})
    for section, each in columns.questionnaire.fields():
        if not each.export or not each.shown_in(Reader.EXPORT) or _only_on_paper(each, case):
            continue
        for row in [row for row in rows if bool(row) is section.repeated]:
            expected = columns.written(each, meant.get((each.key, row)))
            rank = str(row) if row else ""
            found = delivered.get((case.household.tenant_reference, rank, each.export), "")
            if _same(each, expected, found):
                told.right += 1
            else:
                yield Difference(case.reference, case.channel, row, each.export, expected, found)


def _only_on_paper(each: Field, case: SurveyCase) -> bool:
    return Reader.ONLINE in each.hidden_in and case.channel != SurveyCase.Channel.PAPER


def _same(each: Field, expected: str, found: str) -> bool:
    if each.type is FieldType.TICK:  # an empty square says no
        return (expected == "O") == (found == "O")
    if each.type is FieldType.NAME:  # capitals are how forms are filled
        return expected.casefold() == found.casefold()
    return expected == found


def _count_readings(campaign: Campaign, columns: Columns, told: Reconciliation) -> None:
    """Hold each field where ink was seen against its tenant's will: as read, then as declared once keyed."""
    tenants = RehearsedTenant.objects.filter(case__campaign=campaign, case__returns__pages__isnull=False).distinct()
    wills = {
        tenant.case_id: _Will.of(tenant, columns)
        for tenant in tenants.select_related("case__household", "case__declaration").prefetch_related(
            "case__household__occupants"
        )
    }
    readings = FieldReading.objects.filter(page__batch__campaign=campaign, inked=True)
    for reading in readings.annotate(case=F("survey_return__case")).iterator(chunk_size=2000):
        will = wills.get(reading.case)
        if will is None:
            continue
        right = says_the_same(reading.value, will.meaning.written(reading.field, reading.row))
        told.read["inked"] += 1
        told.read["read_right"] += right
        told.read["settled_right"] += will.is_settled_right(reading.field, reading.row)
        if reading.accepted:
            told.read["accepted"] += 1
            told.read["accepted_wrong"] += not right
    keyed = KeyingTask.objects.filter(campaign=campaign, purpose=KeyingTask.Purpose.DOUBT)
    told.read["keyed"] = keyed.filter(state=KeyingTask.State.DONE).count()


@dataclass(frozen=True, slots=True)
class _Will:
    """What a tenant meant, what its landlord knew, and what it is taken to declare in the end."""

    meaning: Meaning
    known: Mapping[tuple[str, int], Any]
    declared: Mapping[tuple[str, int], Any]

    @classmethod
    def of(cls, tenant: RehearsedTenant, columns: Columns) -> _Will:
        return cls(
            Meaning(tenant.meaning), prefill_of(tenant.case, columns.questionnaire), tenant.case.declaration.values()
        )

    def is_settled_right(self, key: str, row: int) -> bool:
        """Whether the declaration says what was written; what was already known is not copied there."""
        meant = self.meaning.written(key, row)
        settled = self.declared.get((key, row))
        return bool(settled == meant or (settled is None and meant == self.known.get((key, row))))


def newest_csv(restitution: Restitution) -> dict[Cell, str]:
    """The cells of the CSV file kept with a restitution."""
    file = restitution.files.get(format="csv")
    with file.content.open("rb") as content:
        return delivered_cells(iter(content.read().decode("utf-8").splitlines()))

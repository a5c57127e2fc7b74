"""Rows written in bulk are the rows that `bulk_create` writes."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError

from campaigns.bulk import PARAMETERS, insert_all
from campaigns.models import AuditEntry
from tenants.models import AccessCode, Message, Occupant, Purpose, SurveyCase
from tests.factories.tenants import CaseFactory

NOW = dt.datetime(2026, 10, 12, 7, 0, tzinfo=dt.UTC)


def message(case: SurveyCase, wave: str) -> Message:
    return Message(
        case=case,
        channel=Message.Channel.LETTER,
        purpose=Purpose.FORM,
        wave=wave,
        recipient="Mme Zoé ÉLODÉE\n8 RUE DES ÉRABLES",
        created_at=NOW,
        document=ContentFile(b"", name="pli.pdf") if wave == "with" else "",
        proof={"batch": 1, "told": ["é", None]},
    )


def values(row: Message | Occupant) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name != "id"}


@pytest.fixture
def case(db: None) -> SurveyCase:
    return CaseFactory()


def test_every_column_holds_what_bulk_create_would_have_put_there(case: SurveyCase) -> None:
    [quick] = insert_all([message(case, "one")])
    [usual] = Message.objects.bulk_create([message(case, "two")])

    quick, usual = Message.objects.get(pk=quick.pk), Message.objects.get(pk=usual.pk)
    assert values(quick) | {"wave": ""} == values(usual) | {"wave": ""}


def test_dates_flags_and_nothing_at_all(case: SurveyCase) -> None:
    people = [
        Occupant(household=case.household, row=40, last_name="Aubépine", birth_date=dt.date(1984, 2, 29), cmi=True),
        Occupant(household=case.household, row=41, last_name="Bruyère"),
    ]

    insert_all(people)

    for person in people:
        assert values(Occupant.objects.get(pk=person.pk)) == values(person)


def test_ids_follow_the_order_over_several_statements(case: SurveyCase) -> None:
    codes = PARAMETERS // 6 + 3
    rows = [
        AccessCode(case=case, kind="link", digest=f"{number:05d}", wave="form", issued_at=NOW)
        for number in range(codes)
    ]

    written = insert_all(rows)

    assert [row.digest for row in written] == [f"{number:05d}" for number in range(codes)]
    stored = dict(AccessCode.objects.values_list("pk", "digest"))
    assert stored == {row.pk: row.digest for row in written}


def test_the_moment_of_writing_is_stamped(db: None) -> None:
    [row] = insert_all([AuditEntry(at=NOW, who="machine", action="case.import")])

    assert AuditEntry.objects.get(pk=row.pk).recorded_at == row.recorded_at


def test_a_row_that_breaks_a_rule_leaves_none_of_them(case: SurveyCase) -> None:
    with pytest.raises(IntegrityError):
        insert_all([message(case, "same"), message(case, "same")])

    assert not Message.objects.exists()


def test_nothing_is_nothing() -> None:
    assert insert_all([]) == []

"""Households spread over rows or lists: repeated rows, scattered rows, lists joined by ids in any order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tenants.landlord_file.profile import MappingProfile
from tenants.landlord_file.profile_files import parse_profile
from tenants.landlord_file.records import Severity

from .conftest import sort_out
from .dialects import NO_TABLES, only


def repeated(**more: Any) -> MappingProfile:
    """One row per occupant, the household repeated."""
    return parse_profile(
        {
            "household": {"path": "R/L", "group_by": "@ref", "fields": {"tenant_ref": "@ref", "city": "@v"}} | more,
            "occupant": {
                "fields": {"last_name": "@n", "birth_date": {"source": "@d", "type": "date", "format": "YYYYMMDD"}}
            },
        }
    )


def test_rows_of_one_household_are_gathered_while_they_follow_one_another() -> None:
    xml = b'<R><L ref="1" v="A" n="Un"/><L ref="1" v="A" n="Deux"/><L ref="2" v="B" n="Trois"/></R>'

    records, anomalies = sort_out(xml, repeated(), NO_TABLES)

    assert [(r.tenant_ref, [p.last_name for p in r.occupants]) for r in records] == [
        ("1", ["Un", "Deux"]),
        ("2", ["Trois"]),
    ]
    assert anomalies == []


def test_rows_that_disagree_on_the_household_are_told() -> None:
    record, anomalies = only('<R><L ref="1" v="A" n="Un"/>\n<L ref="1" v="B" n="Deux"/></R>', repeated())

    assert record.city == "A"
    assert [a.kind for a in anomalies] == ["inconsistent_rows"]


def test_rows_of_a_household_met_again_later_refuse_the_file() -> None:
    xml = b'<R><L ref="1" n="Un"/>\n<L ref="2" n="Deux"/>\n<L ref="1" n="Trois"/></R>'

    _, anomalies = sort_out(xml, repeated(), NO_TABLES)

    assert [(a.kind, a.line, a.path, a.expected) for a in anomalies] == [("scattered_rows", 3, "/R/L[3]/@ref", "1")]
    assert anomalies[0].severity is Severity.FILE


def test_scattered_rows_come_back_together_when_the_profile_says_so() -> None:
    xml = (
        b'<R><L ref="1" v="A" n="Un"/>\n<L ref="2" n="Deux" d="20011301"/>\n'
        b'<L ref="" n="Qui"/><L ref=" 1 " v="A" n="Trois"/></R>'
    )

    records, anomalies = sort_out(xml, repeated(scattered=True), NO_TABLES)

    assert [(r.tenant_ref, r.line, [p.last_name for p in r.occupants]) for r in records] == [("1", 1, ["Un", "Trois"])]
    assert [(a.kind, a.line, a.path) for a in anomalies] == [
        ("impossible_date", 2, "/R/L[2]/@d"),
        ("missing_reference", 3, "/R/L[3]/@ref"),
    ]


def test_a_fault_on_a_repeated_row_names_that_row() -> None:
    _, anomalies = sort_out(b'<R><L ref="1" n="Un"/>\n<L ref="1" n="Deux" d="20011301"/></R>', repeated(), NO_TABLES)

    assert [(a.kind, a.line, a.path) for a in anomalies] == [("impossible_date", 2, "/R/L[2]/@d")]


def test_ids_of_lists_join_without_the_blanks_around_them() -> None:
    record, anomalies = only(f"<R>{''.join(ROWS).replace('c1', ' c1 ', 1)}</R>", parse_profile(RELATED))

    assert len(record.occupants) == 1
    assert anomalies == []


RELATED: dict[str, Any] = {
    "household": {"path": "R/C", "fields": {"tenant_ref": "@t"}},
    "joins": {
        "dwelling": {
            "path": "R/L",
            "key": "@id",
            "match": "@l",
            "fields": {"surface": {"source": "S", "type": "decimal"}},
        },
        "estate": {"via": "dwelling", "path": "R/G", "key": "@id", "match": "@g", "fields": {"estate_name": "@n"}},
    },
    "occupant": {"path": "R/P", "key": "@c", "match": "@id", "fields": {"last_name": "@n"}},
}


ROWS = (
    '<P c="c1" n="Roy"/>',
    '<C id="c1" t="1" l="l1"/>',
    '<L id="l1" g="g1"><S>40</S></L>',
    '<G id="g1" n="Les Prés"/>',
)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_lists_join_in_any_order_and_through_one_another(order: tuple[int, ...]) -> None:
    record, anomalies = only(f"<R>{''.join(ROWS[n] for n in order)}</R>", parse_profile(RELATED))

    assert (record.surface, record.estate_name, record.occupants[0].last_name) == (Decimal(40), "Les Prés", "Roy")
    assert anomalies == []


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ((ROWS[0], ROWS[1], ROWS[3]), "broken_link"),
        ((ROWS[0], ROWS[1], ROWS[2]), "broken_link"),
        ((*ROWS, ROWS[2]), "ambiguous_link"),
        ((*ROWS[1:],), "no_occupant"),
        ((ROWS[0], ROWS[1], '<L id="l1" g="g1"><S>40</S><S>41</S></L>', ROWS[3]), "repeated_element"),
    ],
)
def test_ids_that_do_not_join_leave_the_household_out(rows: tuple[str, ...], kind: str) -> None:
    records, anomalies = sort_out(f"<R>{''.join(rows)}</R>".encode(), parse_profile(RELATED), NO_TABLES)

    assert records == []
    assert [(a.kind, a.tenant_ref) for a in anomalies] == [(kind, "1")]


def test_two_contracts_of_one_number_both_stay_out() -> None:
    xml = f"<R>{''.join(ROWS)}<C id='c1' t='2' l='l1'/></R>"

    records, anomalies = sort_out(xml.encode(), parse_profile(RELATED), NO_TABLES)

    assert records == []
    assert [(a.kind, a.tenant_ref) for a in anomalies] == [("ambiguous_link", "1"), ("ambiguous_link", "2")]


def test_people_of_no_contract_are_told() -> None:
    record, anomalies = only(f"<R>{''.join(ROWS)}\n<P c='c9' n='Perdu'/></R>", parse_profile(RELATED))

    assert record.tenant_ref == "1"
    assert [(a.kind, a.line, a.path, a.value) for a in anomalies] == [("orphan_row", 2, "/R/P[2]", "c9")]

"""Profiles alone reach every dialect: namespaces, packed values, generic tables, dates and amounts of all sorts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.landlord_file.layouts import date_layout
from tenants.landlord_file.profile_files import parse_profile

from .conftest import sort_out
from .dialects import NO_TABLES, only, profile


def test_namespaces() -> None:
    chosen = parse_profile(
        {
            "namespaces": {"b": "urn:bailleur", "x": "urn:x"},
            "household": {"path": "b:R/b:H", "fields": {"tenant_ref": "b:Ref", "rpls": "b:L/@x:rpls"}},
            "occupant": {"path": "b:P", "fields": {"last_name": "."}},
        }
    )
    xml = '<R xmlns="urn:bailleur" xmlns:y="urn:x"><H><Ref>1</Ref><L y:rpls="9"/><P>Roy</P></H></R>'

    record, anomalies = only(xml, chosen)

    assert (record.tenant_ref, record.rpls, record.occupants[0].last_name) == ("1", "9", "Roy")
    assert anomalies == []


def test_a_generic_table_of_columns() -> None:
    chosen = parse_profile(
        {
            "household": {
                "path": "table/row",
                "group_by": "col[@name='REF']",
                "fields": {"tenant_ref": "col[@name='REF']", "city": "col[@name='VILLE']/@v"},
            },
            "occupant": {"fields": {"last_name": "col[@name='NOM']"}},
        }
    )
    row = '<row><col name="{}">{}</col><col name="NOM">{}</col><col name="VILLE" v="TOURS"/><col name="Z">?</col></row>'
    xml = "<table>" + row.format("REF", "1", "Roy") + row.format("REF", "1", "Le Gall") + "</table>"

    record, _ = only(xml, chosen)

    assert (record.tenant_ref, record.city) == ("1", "TOURS")
    assert [person.last_name for person in record.occupants] == ["Roy", "Le Gall"]


@pytest.mark.parametrize(
    ("option", "text", "expected"),
    [
        ({"type": "decimal", "separator": ","}, "1 234,50", Decimal("1234.50")),
        ({"type": "decimal", "separator": ","}, "1\u202f234,5", Decimal("1234.5")),
        ({"type": "decimal", "cents": True}, "41250", Decimal("412.50")),
        ({"type": "decimal"}, "412", Decimal("412")),
        ({"type": "decimal", "separator": ","}, "1.234,50 €", Decimal("1234.50")),
        ({"type": "decimal"}, "1,234.50", Decimal("1234.50")),
        ({"constant": "100", "type": "decimal"}, "", Decimal("100")),
        ({"type": "decimal", "default": "7"}, "NULL", Decimal("7")),
        ({"type": "decimal"}, "NULL", None),
    ],
)
def test_amounts(option: dict[str, Any], text: str, expected: Decimal | None) -> None:
    source = {} if "constant" in option else {"source": "@l"}

    record, _ = only(
        f'<R><H id="1" l="{text}"><P n="A"/></H></R>', profile({"rent": source | option}, {}, empty=["NULL"])
    )

    assert record.rent == expected


@pytest.mark.parametrize(
    "text", ["1,234", "1,23,456.0", "1e3", "NaN", "Infinity", "1_000", "٣", "12,5", "--1", "1.2.3", "0x10"]
)
def test_amounts_that_are_none(text: str) -> None:
    chosen = profile({"rent": {"source": "@l", "type": "decimal"}}, {})

    records, anomalies = sort_out(f'<R><H id="1" l="{text}"><P n="A"/></H></R>'.encode(), chosen, NO_TABLES)

    assert records == []
    assert [a.kind for a in anomalies] == ["not_a_number"]


@pytest.mark.parametrize(
    ("layout", "text", "kind"),
    [
        ("YYYYMMDD", "20260131", ""),
        ("DD.MM.YYYY", "31.01.2026", ""),
        ("YYYY-MM-DD*", "2026-01-31T00:00:00", ""),
        ("DD MMM YYYY", "31 janv. 2026", ""),
        ("D MMM YYYY", "31 JANVIER 2026", ""),
        ("MMM D, YYYY", "January 31, 2026", ""),
        ("M/D/YYYY", "1/31/2026", ""),
        ("DDMMYY", "310126", ""),
        ("D MMM YYYY", "31 jui 2026", "unreadable_date"),
        ("D MMM YYYY", "31 ja 2026", "unreadable_date"),
        ("DDMMYY", "31012026", "unreadable_date"),
        ("YYYYMMDD", "20260230", "impossible_date"),
        ("DD/MM/YYYY", "31-01-2026", "unreadable_date"),
        ("DD/MM/YYYY", "1/1/2026", "unreadable_date"),
        ("YYYYMMDD", "٢٠٢٦٠١٣١", "unreadable_date"),
    ],
)
def test_dates_in_any_layout(layout: str, text: str, kind: str) -> None:
    chosen = profile({"move_in": {"source": "@d", "type": "date", "format": layout, "pivot": 30}}, {})

    records, anomalies = sort_out(f'<R><H id="1" d="{text}"><P n="A"/></H></R>'.encode(), chosen, NO_TABLES)

    assert [a.kind for a in anomalies] == ([kind] if kind else [])
    assert [str(r.move_in) for r in records] == ([] if kind else ["2026-01-31"])


def test_the_pivot_says_the_century() -> None:
    born = {"source": "@d", "type": "date", "format": "DD/MM/YY", "pivot": 30}

    record, _ = only(
        '<R><H id="1"><P n="A" d="01/02/30"/><P n="B" d="01/02/31"/></H></R>', profile({}, {"birth_date": born})
    )

    assert [str(person.birth_date) for person in record.occupants] == ["2030-02-01", "1931-02-01"]


@given(
    day=st.dates(date(1900, 1, 1), date(2030, 12, 31)), layout=st.sampled_from(["DD/MM/YYYY", "YYYYMMDD", "D.M.YYYY"])
)
def test_any_date_written_in_a_layout_is_read_back(day: date, layout: str) -> None:
    text = layout.replace("YYYY", f"{day.year:04}").replace("MM", f"{day.month:02}").replace("DD", f"{day.day:02}")
    text = text.replace("M", str(day.month)).replace("D", str(day.day))

    assert date_layout(layout).parts(text) == (day.year, day.month, day.day)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Oui", True), ("O", True), ("1", True), ("non", False), ("N", False), ("0", False), ("", None)],
)
def test_yes_and_no_as_people_write_them(text: str, expected: bool | None) -> None:
    record, _ = only(
        f'<R><H id="1" q="{text}"><P n="A"/></H></R>', profile({"qpv": {"source": "@q", "type": "boolean"}}, {})
    )

    assert record.qpv is expected


def test_what_is_neither_yes_nor_no_is_told() -> None:
    chosen = profile({"qpv": {"source": "@q", "type": "boolean", "true": ["O"], "false": ["N"]}}, {})

    _, anomalies = sort_out(b'<R><H id="1" q="1"><P n="A"/></H></R>', chosen, NO_TABLES)

    assert [a.kind for a in anomalies] == ["not_yes_or_no"]


def test_packed_values_are_split() -> None:
    place = {"source": "@v", "pattern": "{postcode} {city}"}
    person = {"source": "@n", "pattern": "{last_name}, {first_name}"}
    lines = {"source": "@a", "pattern": "{un}|{deux}|{trois}"}
    chosen = profile(
        {
            "postcode": place,
            "city": place,
            "address_3": lines | {"part": "deux"},
            "address_4": lines | {"part": "trois"},
        },
        {"last_name": person, "first_name": person},
    )

    record, anomalies = only('<R><H id="1" v="37000 ST AVERTIN" a="X||1 RUE Y"><P n="Le Gall, Anne"/></H></R>', chosen)

    assert (record.postcode, record.city, record.address_3, record.address_4) == ("37000", "ST AVERTIN", "", "1 RUE Y")
    assert (record.occupants[0].last_name, record.occupants[0].first_name) == ("Le Gall", "Anne")
    assert anomalies == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8 RUE Y|37000 TOURS", ("", "8 RUE Y")),
        ("RES Z|8 RUE Y|37000 TOURS", ("RES Z", "8 RUE Y")),
        ("BAT A | RES Z | 8 RUE Y | 37000 TOURS", ("RES Z", "8 RUE Y")),
        ("", ("", "")),
    ],
)
def test_lines_joined_by_a_separator_are_taken_by_their_rank(text: str, expected: tuple[str, str]) -> None:
    chosen = profile(
        {
            "address_3": {"source": "@a", "split": "|", "piece": -3},
            "address_4": {"source": "@a", "split": "|", "piece": -2},
        },
        {},
    )

    record, anomalies = only(f'<R><H id="1" a="{text}"><P n="A"/></H></R>', chosen)

    assert (record.address_3, record.address_4) == expected
    assert anomalies == []


def test_several_places_feed_one_field() -> None:
    street = {"source": ["@num", "V/@type", "V"], "join": " "}
    chosen = profile({"address_4": street, "tenant_ref": {"source": ["@id", "@lot"], "join": "-"}}, {})

    record, anomalies = only('<R><H id="1" lot="B" num=" 8 "><V type="RUE">DES LILAS</V><P n="A"/></H></R>', chosen)
    bare, _ = only('<R><H id="1" num="8"><P n="A"/></H></R>', chosen)

    assert (record.tenant_ref, record.address_4) == ("1-B", "8 RUE DES LILAS")
    assert (bare.tenant_ref, bare.address_4) == ("1", "8")
    assert anomalies == []


def test_what_several_places_say_together_is_checked() -> None:
    chosen = profile({"address_4": {"source": ["@num", "@v"]}}, {})

    _, anomalies = only(f'<R><H id="1" num="8" v="{"A" * 37}"><P n="A"/></H></R>', chosen)

    assert [(a.kind, a.path) for a in anomalies] == [("address_line_too_long", "/R/H[1]/@num")]


def test_conditions_on_different_attributes_live_together() -> None:
    chosen = profile({"city": "A[@type='L']/V", "agency": "A[@code='7']/V", "estate": "A/V"}, {})

    record, _ = only(
        '<R><H id="1"><A type="L"><V>TOURS</V></A><A code="7"><V>SUD</V></A><A><V>PRES</V></A><P n="A"/></H></R>',
        chosen,
    )

    assert (record.city, record.agency, record.estate) == ("TOURS", "SUD", "PRES")


def test_rows_of_one_shape_but_other_columns_are_not_confused() -> None:
    chosen = profile({"city": "C[@n='V']", "agency": "C[@n='A']"}, {})
    row = '<H id="{}"><C n="{}">X</C><C n="{}">Y</C><P n="A"/></H>'

    records, _ = sort_out(f"<R>{row.format(1, 'V', 'A')}{row.format(2, 'A', 'V')}</R>".encode(), chosen, NO_TABLES)

    assert [(r.city, r.agency) for r in records] == [("X", "Y"), ("Y", "X")]


def test_rows_of_the_same_tags_but_nested_otherwise_are_not_confused() -> None:
    chosen = profile({"city": "A/V", "agency": "V"}, {})
    rows = '<H id="{}"><A><V>X</V></A><P n="A"/></H><H id="{}"><A/><V>Y</V><P n="A"/></H>'

    records, _ = sort_out(f"<R>{rows.format(1, 2)}{rows.format(3, 4)}</R>".encode(), chosen, NO_TABLES)

    assert [(r.city, r.agency) for r in records] == [("X", ""), ("", "Y")] * 2


def test_a_packed_value_that_does_not_fit_is_told_once() -> None:
    place = {"source": "@v", "pattern": "{postcode:5} {city}"}

    _, anomalies = sort_out(
        b'<R><H id="1" v="TOURS"><P n="A"/></H></R>', profile({"postcode": place, "city": place}, {}), NO_TABLES
    )

    assert [a.kind for a in anomalies] == ["unexpected_layout"]


def test_ignored_lists_may_be_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.landlord_file.watching.ONE_ROW", 200_000)
    xml = f"<R>{'<Q>x</Q>' * 100_000}<H id='1'><P n='A'/></H></R>"

    record, _ = only(xml, profile({}, {}, ignored=["R/Q"]))

    assert record.tenant_ref == "1"


def test_ranks_of_the_file_give_the_order() -> None:
    chosen = profile({}, {"rank": {"source": "@r", "type": "integer"}})

    record, anomalies = only('<R><H id="1"><P n="B" r="2"/><P n="A" r="1"/></H></R>', chosen)
    clash, warned = only('<R><H id="1"><P n="B" r="1"/><P n="A" r="1"/></H></R>', chosen)

    assert [(p.rank, p.last_name) for p in record.occupants] == [(1, "A"), (2, "B")]
    assert anomalies == []
    assert [(p.rank, p.last_name) for p in clash.occupants] == [(1, "B"), (2, "A")]
    assert [a.kind for a in warned] == ["rank_clash"]


@pytest.mark.parametrize(
    ("fields", "attributes", "kind"),
    [
        ({"mobile": "@m"}, 'm="0247000000"', "bad_mobile"),
        ({"postcode": "@m"}, 'm="37 000"', "bad_postcode"),
        ({"email": "@m"}, 'm="a@b"', "bad_email"),
        ({"address_2": "@m"}, f'm="{"A" * 39}"', "address_line_too_long"),
        ({"city": "@m"}, f'm="{"A" * 39}"', "address_line_too_long"),
        ({"lease_ref": {"source": "@m", "required": True}}, "", "missing_value"),
        ({"lease_ref": "@m"}, f'm="{"A" * 65}"', "too_long"),
    ],
)
def test_doubtful_values_are_told(fields: dict[str, Any], attributes: str, kind: str) -> None:
    _, anomalies = sort_out(f'<R><H id="1" {attributes}><P n="A"/></H></R>'.encode(), profile(fields, {}), NO_TABLES)

    assert [a.kind for a in anomalies] == [kind]


def test_a_mobile_is_kept_without_its_dots() -> None:
    record, _ = only('<R><H id="1" m="06.12.34.56.78"><P n="A"/></H></R>', profile({"mobile": "@m"}, {}))

    assert record.mobile == "0612345678"


def test_a_household_without_holder_is_told() -> None:
    link = {"source": "@l", "type": "code", "values": {"E": "child", "T": "holder"}}

    _, anomalies = only('<R><H id="1"><P n="A" l="E"/></H></R>', profile({}, {"link": link}))

    assert [a.kind for a in anomalies] == ["no_holder"]


def test_an_address_with_nowhere_to_send_is_told() -> None:
    chosen = profile({"address_4": "@a", "postcode": "@c", "city": "@v"}, {})

    _, anomalies = only('<R><H id="1" a="" c="37000" v="TOURS"><P n="A"/></H></R>', chosen)

    assert [a.kind for a in anomalies] == ["missing_address"]


@pytest.mark.parametrize(
    ("first", "last", "length"),
    [("Marie-Antoinette", "Dupont de La Tour", None), ("Marie-Antoinette", "Dupont de La Tour d'Auvergne", 49)],
)
def test_a_name_longer_than_the_first_line_of_an_address_is_told_where_it_stands(
    first: str, last: str, length: int | None
) -> None:
    link = {"source": "@l", "type": "code", "values": {"E": "child", "T": "holder"}}
    sex = {"source": "@s", "type": "code", "values": {"F": "F"}}
    chosen = profile({}, {"link": link, "first_name": "@f", "sex": sex})
    child = f'<P n="{"X" * 60}" f="" s="" l="E"/>'
    _, anomalies = only(f'<R><H id="1">{child}\n<P n="{last}" f="{first}" s="F" l="T"/></H></R>', chosen)

    told = [(a.kind, a.line, a.path) for a in anomalies]
    assert told == ([("addressee_too_long", 2, "/R/H[1]/P[2]/@n")] if length else [])
    assert all(str(length) in a.message for a in anomalies)


def test_the_fifth_line_of_an_address_is_read_and_measured() -> None:
    chosen = profile({"address_5": "@a5"}, {})

    record, anomalies = only(f'<R><H id="1" a5="LIEU DIT {"X" * 40}"><P n="A"/></H></R>', chosen)

    assert record.address_5.startswith("LIEU DIT X")
    assert [(a.kind, a.path) for a in anomalies] == [("address_line_too_long", "/R/H[1]/@a5")]

"""The two landlords' deposits give exactly the records they were written from, and every planted anomaly."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tenants.landlord_file.records import HouseholdRecord, Severity

from .conftest import Deposit

LEFT_OUT = {
    "impossible_date",
    "unknown_code",
    "duplicate_reference",
    "not_a_number",
    "missing_reference",
    "no_occupant",
}
WARNED = {"address_line_too_long", "bad_email"}
AGENCIES = {"AG01": "Nord", "AG02": "Sud", "AG03": "Centre-ville", "AG04": "Plaine", "AG05": "Val"}

SAID = {
    *(
        "tenant_ref",
        "lease_ref",
        "dwelling_ref",
        "rpls",
        "agency",
        "agency_name",
        "estate",
        "estate_name",
        "qpv",
        "apl",
    ),
    *("address_2", "address_3", "address_4", "postcode", "city", "move_in", "rent", "surface", "financing"),
    *("ceiling_zone", "slr_zone", "email", "mobile", "non_response_years", "occupants"),
}
"""What both landlords tell of a household."""

LATIN_1 = str.maketrans({"Œ": "OE", "œ": "oe", "’": "'", "Ÿ": "Y"})
"""What landlord B's export does to the letters that ISO-8859-1 lacks; it also writes family names in capitals."""


def expected(case: dict[str, Any], dialect: str) -> dict[str, Any]:
    """The record as plain values, as this dialect can carry it."""
    latin = dialect == "relational"
    record: dict[str, Any] = {
        key: value.translate(LATIN_1) if latin and isinstance(value, str) else value for key, value in case.items()
    }
    record |= {
        "move_in": date.fromisoformat(case["move_in"]),
        "rent": Decimal(case["rent"]),
        "surface": Decimal(case["surface"]),
        "agency_name": AGENCIES[case["agency"]],
    }
    occupants = []
    for rank, person in enumerate(case["occupants"], start=1):
        name = person["last_name"]
        occupants.append(
            person
            | {
                "rank": rank,
                "last_name": name.translate(LATIN_1).upper() if latin else name,
                "first_name": person["first_name"].translate(LATIN_1) if latin else person["first_name"],
                "birth_date": date.fromisoformat(person["birth_date"]),
            }
        )
    return record | {"occupants": occupants}


def plain(record: HouseholdRecord) -> dict[str, Any]:
    """The record as plain values, without its line and without what the samples never say."""
    values = asdict(record)
    del values["line"]
    silent = [name for name in values if name not in SAID]
    assert {values.pop(name) for name in silent} <= {None, ""}
    return values | {"occupants": list(values["occupants"])}


def test_every_good_household_is_imported_exactly(deposit: Deposit) -> None:
    bad = {a["tenant_ref"] for a in deposit.truth["anomalies"]}
    good = [case for case in deposit.truth["cases"] if case["tenant_ref"] not in bad]

    records, _ = deposit.read()

    imported = {record.tenant_ref: plain(record) for record in records}
    assert len(good) == 391
    for case in good:
        assert imported[case["tenant_ref"]] == expected(case, deposit.dialect)


def test_a_warning_keeps_its_household_and_the_others_leave_it_out(deposit: Deposit) -> None:
    records, _ = deposit.read()

    references = [record.tenant_ref for record in records]
    assert len(references) == len(set(references)) == 394
    assert {"00100207", "00100333", "00100130"} <= set(references)
    assert not {"00100053", "00100081", "00100165", "00100305", ""} & set(references)


def test_every_planted_anomaly_is_reported_once_with_its_tenant(deposit: Deposit) -> None:
    _, anomalies = deposit.read()

    assert sorted((a.kind, a.tenant_ref) for a in anomalies) == sorted(
        (a["kind"], a["tenant_ref"]) for a in deposit.truth["anomalies"]
    )
    assert {a.kind for a in anomalies if a.severity is Severity.HOUSEHOLD} == LEFT_OUT
    assert {a.kind for a in anomalies if a.severity is Severity.WARNING} == WARNED


def test_the_twice_used_reference_keeps_the_first_household(deposit: Deposit) -> None:
    records, _ = deposit.read()

    assert [r.lease_ref for r in records if r.tenant_ref == "00100130"] == ["L21000018"]


def test_an_address_that_is_none_is_not_kept_for_mail(deposit: Deposit) -> None:
    records, _ = deposit.read()

    assert next(r for r in records if r.tenant_ref == "00100333").email == ""


@pytest.mark.parametrize(
    ("kind", "line", "path", "value"),
    [
        ("impossible_date", 10, "/EnqueteSLS/Locataire[8]/Occupants/Occupant[1]/DateNaissance", "31/02/1981"),
        ("unknown_code", 14, "/EnqueteSLS/Locataire[12]/Occupants/Occupant[1]/Lien", "ZZ"),
        ("duplicate_reference", 22, "/EnqueteSLS/Locataire[20]/Reference", "00100130"),
        ("not_a_number", 26, "/EnqueteSLS/Locataire[24]/Logement/SurfaceHabitable", "12,5O"),
        ("missing_reference", 44, "/EnqueteSLS/Locataire[42]/Reference", ""),
        ("no_occupant", 46, "/EnqueteSLS/Locataire[44]", ""),
        ("bad_email", 50, "/EnqueteSLS/Locataire[48]/Contact/Courriel", "pas d'adresse"),
    ],
)
def test_anomalies_of_nested_files_say_where(nested: Deposit, kind: str, line: int, path: str, value: str) -> None:
    _, anomalies = nested.read()

    found = next(a for a in anomalies if a.kind == kind)
    assert (found.line, found.path, found.value) == (line, path, value)


@pytest.mark.parametrize(
    ("kind", "line", "path", "value"),
    [
        ("impossible_date", 822, "/EXPORT/PERSONNES/PER[18]/@NE", "1981-02-31"),
        ("unknown_code", 835, "/EXPORT/PERSONNES/PER[31]/@LIEN", "ZZ"),
        ("duplicate_reference", 423, "/EXPORT/CONTRATS/CTR[20]/@TIERS", "00100130"),
        ("not_a_number", 26, "/EXPORT/LOGEMENTS/LOG[24]/@SH", "12,5O"),
        ("no_occupant", 447, "/EXPORT/CONTRATS/CTR[44]", ""),
    ],
)
def test_anomalies_of_joined_lists_say_in_which_row(
    relational: Deposit, kind: str, line: int, path: str, value: str
) -> None:
    _, anomalies = relational.read()

    found = next(a for a in anomalies if a.kind == kind)
    assert (found.line, found.path, found.value) == (line, path, value)


def test_sentences_are_for_people(deposit: Deposit) -> None:
    _, anomalies = deposit.read()

    for found in anomalies:
        assert found.message.endswith(".")
        assert "{" not in found.message
        assert "None" not in found.message

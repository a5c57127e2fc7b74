"""Records of a landlord's file ↔ rows of the database: which attribute feeds which column, and what differs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import CharField, Model

from tenants.landlord_file.records import Anomaly, HouseholdRecord, OccupantRecord, Severity
from tenants.models import Dwelling, Household, Occupant

# Column → attribute of the record.
DWELLING = {
    name: name
    for name in (
        "rpls",
        "agency",
        "agency_name",
        "estate",
        "estate_name",
        "surface",
        "financing",
        "ceiling_zone",
        "slr_zone",
        "qpv",
    )
}
ADDRESS = {name: name for name in ("address_2", "address_3", "address_4", "postcode", "city")}
HOUSEHOLD = ADDRESS | {
    "lease_reference": "lease_ref",
    "move_in_on": "move_in",
    "rent": "rent",
    "apl": "apl",
    "email": "email",
    "mobile": "mobile",
    "non_response_years": "non_response_years",
}
OCCUPANT = {
    name: name
    for name in (
        "link",
        "sex",
        "last_name",
        "first_name",
        "birth_date",
        "status",
        "activity",
        "cmi",
        "dependant",
    )
}
YES_OR_NO = frozenset({"qpv", "apl", "cmi", "dependant"})


def searchable(*names: str) -> str:
    """A name as it is searched: lower case, without accents, one space between words."""
    text = unicodedata.normalize("NFKD", " ".join(names).replace("œ", "oe").replace("Œ", "oe").replace("æ", "ae"))
    letters = "".join(sign for sign in text.casefold() if not unicodedata.combining(sign))
    return " ".join("".join(sign if sign.isalnum() else " " for sign in letters).split())


def dwelling_reference(record: HouseholdRecord) -> str:
    """The dwelling's reference; a landlord that gives none has one dwelling per lease."""
    return record.dwelling_ref or record.lease_ref or record.tenant_ref


def dwelling_values(record: HouseholdRecord) -> dict[str, Any]:
    """What the record says of the dwelling, by column."""
    return _values(record, DWELLING)


def household_values(record: HouseholdRecord) -> dict[str, Any]:
    """What the record says of the household, by column."""
    return _values(record, HOUSEHOLD) | {"search_name": _search_name(record.occupants)}


def occupant_values(record: OccupantRecord) -> dict[str, Any]:
    """What the record says of a person, by column."""
    return _values(record, OCCUPANT)


def facts_of(record: HouseholdRecord) -> dict[str, Any]:
    """What the exemptions of the law look at."""
    return {"apl": bool(record.apl), "qpv": bool(record.qpv), "financing": record.financing}


def apply(row: Model, values: Mapping[str, Any]) -> bool:
    """Write the values on the row; whether any of them changed."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def _lengths(model: type[Model], columns: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    fields = ((model._meta.get_field(column), name) for column, name in columns.items())
    return tuple(
        (name, field.max_length) for field, name in fields if isinstance(field, CharField) and field.max_length
    )


# What the columns can hold, by attribute of the record.
LENGTHS = (
    *_lengths(Dwelling, DWELLING | {"reference": "dwelling_ref"}),
    *_lengths(Household, HOUSEHOLD | {"tenant_reference": "tenant_ref"}),
)
OCCUPANT_LENGTHS = _lengths(Occupant, OCCUPANT)


def too_long(record: HouseholdRecord) -> Anomaly | None:
    """The first value that no column can hold, as an anomaly that leaves the household out."""
    for name, limit in LENGTHS:
        if len(getattr(record, name)) > limit:
            return _too_long(record, name, getattr(record, name), limit)
    for person in record.occupants:
        for name, limit in OCCUPANT_LENGTHS:
            if len(getattr(person, name)) > limit:
                return _too_long(record, name, getattr(person, name), limit)
    return None


def _too_long(record: HouseholdRecord, name: str, value: str, limit: int) -> Anomaly:
    return Anomaly(
        kind="too_long",
        severity=Severity.HOUSEHOLD,
        line=record.line,
        path="",
        value=value[:200],
        expected=f"{limit} caractères au plus",
        message=f"La valeur compte {len(value)} caractères pour {limit} au plus ({name}). Ce ménage n'est pas importé.",
        tenant_ref=record.tenant_ref,
    )


def _values(record: HouseholdRecord | OccupantRecord, columns: Mapping[str, str]) -> dict[str, Any]:
    return {
        column: bool(getattr(record, name)) if column in YES_OR_NO else getattr(record, name)
        for column, name in columns.items()
    }


def _search_name(people: Iterable[OccupantRecord]) -> str:
    known = list(people)
    holder = next((person for person in known if person.link == "holder"), known[0] if known else None)
    return searchable(holder.last_name, holder.first_name)[:120] if holder else ""

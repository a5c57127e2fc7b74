"""Records of a landlord's file ↔ rows of the database: which attribute feeds which column, and what fits there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter, gt
from typing import Any

from django.db.models import CharField, DecimalField, Model

from tenants.landlord_file.blocks import Block
from tenants.landlord_file.records import FIELD_LABELS, Anomaly, HouseholdRecord, OccupantRecord, Severity
from tenants.models import Dwelling, Household, Occupant

# Column → attribute of the record. Texts first: the bulk path joins them as they stand.
DWELLING_TEXTS = {
    name: name
    for name in ("rpls", "agency", "agency_name", "estate", "estate_name", "financing", "ceiling_zone", "slr_zone")
}
# What the exemptions of the law look at, beside the QPV.
DWELLING_ZONES = {name: name for name in ("frr", "zrr", "zus", "plh_exempt", "conventioned", "convention_on")}
DWELLING = DWELLING_TEXTS | {"surface": "surface", "qpv": "qpv"} | DWELLING_ZONES
ADDRESS = {name: name for name in ("address_2", "address_3", "address_4", "address_5", "postcode", "city")}
CONTACT = {"email": "email", "mobile": "mobile"}
HOUSEHOLD_TEXTS = ADDRESS | {"lease_reference": "lease_ref"} | CONTACT
HOUSEHOLD = HOUSEHOLD_TEXTS | {
    "move_in_on": "move_in",
    "rent": "rent",
    "apl": "apl",
    "non_response_years": "non_response_years",
    "exempt_zone_at_move_in": "exempt_zone_at_move_in",
    "large_print": "large_print",
}
OCCUPANT_TEXTS = {name: name for name in ("link", "sex", "last_name", "first_name", "status", "activity")}
OCCUPANT = OCCUPANT_TEXTS | {"birth_date": "birth_date", "cmi": "cmi", "dependant": "dependant"}
YES_OR_NO = frozenset({"qpv", "frr", "zrr", "zus", "plh_exempt", "apl", "large_print", "cmi", "dependant"})
MONEY = frozenset({"surface", "rent"})
CENT = Decimal("0.01")
MOST_YEARS = 99


class _Letters(dict[int, str]):
    """Each sign as it is searched, worked out once: lower case, no accent, '' or a space for what is no letter."""

    def __missing__(self, code: int) -> str:
        sign = chr(code).replace("œ", "oe").replace("Œ", "oe").replace("æ", "ae")
        folded = unicodedata.normalize("NFKD", sign).casefold()
        letters = (each for each in folded if not unicodedata.combining(each))
        self[code] = found = "".join(each if each.isalnum() else " " for each in letters)
        return found


_LETTERS = _Letters()
_PLAIN = {code: _LETTERS[code] for code in range(128)} | {ord("\n"): "\n"}
LONGEST_NAME = 120


def searchable(*names: str) -> str:
    """A name as it is searched: lower case, without accents, one space between words."""
    return " ".join(" ".join(names).translate(_LETTERS).split())


def dwelling_reference(record: HouseholdRecord) -> str:
    """The dwelling's reference; a landlord that gives none has one dwelling per lease."""
    return record.dwelling_ref or record.lease_ref or record.tenant_ref


def dwelling_references(block: Block) -> list[str]:
    """The same, of each household of a block."""
    told = block.households
    given = zip(told["dwelling_ref"], told["lease_ref"], told["tenant_ref"], strict=True)
    return [dwelling or lease or tenant for dwelling, lease, tenant in given]


def dwelling_values(record: HouseholdRecord) -> dict[str, Any]:
    """What the record says of the dwelling, by column."""
    return _values(record, DWELLING)


def household_values(record: HouseholdRecord) -> dict[str, Any]:
    """What the record says of the household, by column."""
    return _values(record, HOUSEHOLD) | {"search_name": search_name(record.occupants)}


def occupant_values(record: OccupantRecord) -> dict[str, Any]:
    """What the record says of a person, by column."""
    return _values(record, OCCUPANT)


def facts_of(record: HouseholdRecord) -> dict[str, Any]:
    """What the exemptions of the law look at (`campaigns.law.survey_scope.FACTS`).

    A date that changes nothing is left out, so that most households share their facts.
    """
    since = record.convention_on
    return {
        "apl": bool(record.apl),
        "qpv": bool(record.qpv),
        "financing": record.financing,
        "frr": record.frr,
        "zrr": record.zrr,
        "zus": record.zus,
        "plh_exempt": record.plh_exempt,
        "exempt_zone_at_move_in": record.exempt_zone_at_move_in,
        "move_in_on": record.move_in if record.zrr else None,
        "conventioned": record.conventioned,
        "convention_on": since,
        "moved_in_before_convention": record.move_in < since if since and record.move_in else None,
    }


def search_name(people: Iterable[OccupantRecord]) -> str:
    """The leaseholder's name as it is searched; the first person's when nobody signs the lease."""
    first = None
    for person in people:
        if person.link == "holder":
            return searchable(person.last_name, person.first_name)[:LONGEST_NAME]
        first = first or person
    return searchable(first.last_name, first.first_name)[:LONGEST_NAME] if first else ""


def search_names(block: Block) -> list[str]:
    """The same, of each household of a block: names of plain letters are folded all at once."""
    lasts, firsts = block.people["last_name"], block.people["first_name"]
    names = [f"{lasts[person]} {firsts[person]}" if person >= 0 else "" for person in block.leaseholders()]
    found = "\n".join([name if name.isascii() else "" for name in names]).translate(_PLAIN).split("\n")
    if len(found) != len(names):
        return [searchable(name)[:LONGEST_NAME] for name in names]
    return [
        " ".join(folded.split())[:LONGEST_NAME] if name.isascii() else searchable(name)[:LONGEST_NAME]
        for name, folded in zip(names, found, strict=True)
    ]


def _values(record: HouseholdRecord | OccupantRecord, columns: Mapping[str, str]) -> dict[str, Any]:
    return {column: _stored(column, getattr(record, name)) for column, name in columns.items()}


def _stored(column: str, value: Any) -> Any:
    """The value as its column keeps it: a yes or a no, two decimals."""
    if column in YES_OR_NO:
        return bool(value)
    return value.quantize(CENT) if column in MONEY and value is not None else value


# ── What the columns can hold ────────────────────────────────────────────────────────────────────────────────────────


def _lengths(model: type[Model], columns: Mapping[str, str]) -> list[tuple[str, int]]:
    fields = ((model._meta.get_field(column), name) for column, name in columns.items())
    return [(name, field.max_length) for field, name in fields if isinstance(field, CharField) and field.max_length]


class _Limits:
    """The longest text of each attribute of a kind of record, checked in one pass."""

    def __init__(self, lengths: list[tuple[str, int]]) -> None:
        self.names = [name for name, _ in lengths]
        self.most = [limit for _, limit in lengths]
        self.texts = attrgetter(*self.names)

    def all_fit(self, records: Iterable[HouseholdRecord | OccupantRecord]) -> bool:
        """Whether no text of any of these records is too long: column by column, which is quicker."""
        columns = zip(*map(self.texts, records), strict=True)
        return all(max(map(len, texts)) <= most for texts, most in zip(columns, self.most, strict=False))

    def passed(self, record: HouseholdRecord | OccupantRecord) -> tuple[str, str, int] | None:
        """The first attribute whose text is too long: its name, the text, the limit."""
        texts = self.texts(record)
        if not any(map(gt, map(len, texts), self.most)):
            return None
        return next(
            (name, text, limit)
            for name, text, limit in zip(self.names, texts, self.most, strict=True)
            if len(text) > limit
        )


_HOUSEHOLD = _Limits(
    _lengths(Dwelling, DWELLING | {"reference": "dwelling_ref"})
    + _lengths(Household, HOUSEHOLD | {"tenant_reference": "tenant_ref"})
)
_OCCUPANT = _Limits(_lengths(Occupant, OCCUPANT))


def _largest(model: type[Model], column: str) -> Decimal:
    field = model._meta.get_field(column)
    if not isinstance(field, DecimalField):
        raise TypeError(f"{column} is no decimal column")
    return Decimal(10) ** (field.max_digits - field.decimal_places)


_RENT, _SURFACE = _largest(Household, "rent"), _largest(Dwelling, "surface")


def unfit(records: Sequence[HouseholdRecord]) -> dict[int, Anomaly]:
    """The households that no row can hold: place in the sequence → the first value at fault, which leaves it out."""
    fit = _HOUSEHOLD.all_fit(records) and _OCCUPANT.all_fit(person for each in records for person in each.occupants)
    found = {}
    for place, record in enumerate(records):
        anomaly = (None if fit else _overlong(record)) or _overlarge(record)
        if anomaly is not None:
            found[place] = anomaly
    return found


def _overlong(record: HouseholdRecord) -> Anomaly | None:
    found = _HOUSEHOLD.passed(record)
    if found is None:
        for person in record.occupants:
            found = _OCCUPANT.passed(person)
            if found is not None:
                break
    return _too_long(record, *found) if found is not None else None


def _overlarge(record: HouseholdRecord) -> Anomaly | None:
    if record.rent is not None and abs(record.rent) >= _RENT:
        return _too_large(record, "rent", record.rent, _RENT)
    if record.surface is not None and abs(record.surface) >= _SURFACE:
        return _too_large(record, "surface", record.surface, _SURFACE)
    if record.non_response_years > MOST_YEARS:
        return _too_large(record, "non_response_years", record.non_response_years, MOST_YEARS + 1)
    return None


def _too_long(record: HouseholdRecord, name: str, value: str, limit: int) -> Anomaly:
    label = FIELD_LABELS.get(name, name)
    told = f"La valeur compte {len(value)} caractères pour {limit} au plus ({label}). Ce ménage n'est pas importé."
    return _left_out(record, "too_long", value[:200], f"{limit} caractères au plus", told)


def _too_large(record: HouseholdRecord, name: str, value: Decimal | int, limit: Decimal | int) -> Anomaly:
    told = f"« {value} » est hors de toute vraisemblance ({FIELD_LABELS.get(name, name)}). Ce ménage n'est pas importé."
    return _left_out(record, "too_large", str(value), f"moins de {limit}", told)


def _left_out(record: HouseholdRecord, kind: str, value: str, expected: str, message: str) -> Anomaly:
    return Anomaly(kind, Severity.HOUSEHOLD, record.line, "", value, expected, message, record.tenant_ref)

"""What a landlord's file is read into: household and occupant records, and the anomalies met on the way.

Records are never changed once made: they are not frozen only because that doubles the cost of making them. Canonical
values (links, statuses, activities) are those of `meanings.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Severity(StrEnum):
    """What an anomaly does: FILE refuses the whole deposit, HOUSEHOLD leaves one household out, WARNING only warns."""

    FILE = "file"
    HOUSEHOLD = "household"
    WARNING = "warning"


@dataclass(slots=True)
class OccupantRecord:
    """One person of a household as the landlord knows them; `rank` starts at 1, '' and None mean not given."""

    rank: int
    link: str = ""
    sex: str = ""
    last_name: str = ""
    first_name: str = ""
    birth_date: date | None = None
    status: str = ""
    activity: str = ""
    cmi: bool | None = None
    dependant: bool | None = None


def addressed_as(sex: str, first_name: str, last_name: str) -> str:
    """A person's name on an envelope: the first line of the address."""
    title = {"M": "M. ", "F": "Mme "}.get(sex, "")
    return f"{title}{first_name} {last_name.upper()}".strip()


@dataclass(slots=True)
class HouseholdRecord:
    """One household to survey. `rent` in euros a month, `surface` in m²; `line` is where it starts in the file."""

    tenant_ref: str
    lease_ref: str = ""
    dwelling_ref: str = ""
    rpls: str = ""
    agency: str = ""
    agency_name: str = ""
    estate: str = ""
    estate_name: str = ""
    qpv: bool | None = None
    apl: bool | None = None
    address_2: str = ""
    address_3: str = ""
    address_4: str = ""
    address_5: str = ""
    postcode: str = ""
    city: str = ""
    move_in: date | None = None
    rent: Decimal | None = None
    surface: Decimal | None = None
    financing: str = ""
    ceiling_zone: str = ""
    slr_zone: str = ""
    email: str = ""
    mobile: str = ""
    non_response_years: int = 0
    frr: bool | None = None
    zrr: bool | None = None
    zus: bool | None = None
    plh_exempt: bool | None = None
    conventioned: bool | None = None
    convention_on: date | None = None
    exempt_zone_at_move_in: bool | None = None
    large_print: bool | None = None
    occupants: tuple[OccupantRecord, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something wrong at one place of the file: `path` is an XPath, `message` a French sentence for the landlord.

    `line` 0 means that the place has no line (an empty file, a file that is not XML).
    """

    kind: str
    severity: Severity
    line: int
    path: str
    value: str
    expected: str
    message: str
    tenant_ref: str = ""


FIELD_LABELS: dict[str, str] = {
    "tenant_ref": "référence du locataire",
    "lease_ref": "numéro de bail",
    "dwelling_ref": "référence du logement",
    "rpls": "identifiant RPLS",
    "agency": "agence",
    "agency_name": "nom de l'agence",
    "estate": "résidence",
    "estate_name": "nom de la résidence",
    "qpv": "logement en QPV",
    "apl": "bénéficiaire de l'APL",
    "address_2": "ligne 2 de l'adresse",
    "address_3": "ligne 3 de l'adresse",
    "address_4": "ligne 4 de l'adresse",
    "address_5": "ligne 5 de l'adresse",
    "postcode": "code postal",
    "city": "ville",
    "move_in": "date d'entrée",
    "rent": "loyer",
    "surface": "surface habitable",
    "financing": "financement",
    "ceiling_zone": "zone de plafond",
    "slr_zone": "zone SLS",
    "email": "adresse électronique",
    "mobile": "téléphone mobile",
    "non_response_years": "années sans réponse",
    "frr": "logement en FRR",
    "zrr": "logement en ancienne ZRR",
    "zus": "logement en ancienne ZUS",
    "plh_exempt": "logement exempté par le PLH",
    "conventioned": "logement conventionné",
    "convention_on": "date de la convention",
    "exempt_zone_at_move_in": "en zone exemptée à l'entrée",
    "large_print": "courriers en gros caractères",
    "rank": "rang",
    "link": "lien avec le titulaire",
    "sex": "sexe",
    "last_name": "nom",
    "first_name": "prénom",
    "birth_date": "date de naissance",
    "status": "situation familiale",
    "activity": "activité",
    "cmi": "carte mobilité inclusion",
    "dependant": "personne à charge",
}
"""What each target is called in messages to the landlord."""

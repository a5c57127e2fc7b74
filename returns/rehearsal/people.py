"""Made-up households, as a landlord knows them. Pure: the same seed gives the same people."""

from __future__ import annotations

import datetime as dt
import random
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from tenants.landlord_file.records import HouseholdRecord, OccupantRecord

# Shares seen in the team's two sample deposits: 1, 2, 3, 4, 5, 6, 7 and more occupants.
SIZES = (1, 2, 3, 4, 5, 6, 7, 10)
SIZE_WEIGHTS = (31, 31, 20, 11, 3, 2, 1.5, 0.5)
PARTNERS = {"spouse": "married", "pacs": "pacs", "partner": "cohabiting"}


@cache
def names() -> dict[str, Any]:
    """The lists of names, streets and towns."""
    return tomllib.loads((Path(__file__).parent / "names.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Village:
    """How many households, for which campaign year, from which seed."""

    households: int
    year: int
    seed: int = 2027

    def people(self) -> Iterator[HouseholdRecord]:
        """The households, one by one."""
        chance = random.Random(self.seed)
        for number in range(self.households):
            yield _household(chance, number, self.year)


def _household(chance: random.Random, number: int, year: int) -> HouseholdRecord:
    told = names()
    agency, agency_name = chance.choice(told["agencies"])
    estate, estate_name = chance.choice(told["estates"])
    postcode, city = chance.choice(told["towns"])
    occupants = tuple(_occupants(chance, year))
    holder = occupants[0]
    return HouseholdRecord(
        tenant_ref=f"{100000 + number * 7:08d}",
        lease_ref=f"L{21000000 + number}",
        dwelling_ref=f"LG{number:07d}",
        rpls=str(chance.randrange(10**9, 10**10)),
        agency=agency,
        agency_name=agency_name,
        estate=estate,
        estate_name=estate_name,
        qpv=chance.random() < 0.06,
        apl=chance.random() < 0.12,
        address_2=chance.choice(told["floors"]),
        address_3=chance.choice(told["buildings"]),
        address_4=f"{chance.randrange(1, 140)} {chance.choice(told['streets'])}",
        postcode=postcode,
        city=city,
        move_in=dt.date(year - 1, 1, 1) - dt.timedelta(days=chance.randrange(60, 12000)),
        rent=Decimal(chance.randrange(28000, 82000)) / 100,
        surface=Decimal(chance.randrange(1900, 11000)) / 100,
        financing=chance.choices(("PLUS", "PLAI", "PLS", "PLI"), (60, 20, 16, 4))[0],
        ceiling_zone="3",
        slr_zone=chance.choice(("2", "3")),
        email=_email(chance, holder, number),
        mobile=f"06{chance.randrange(10**8):08d}" if chance.random() < 0.72 else "",
        non_response_years=1 if chance.random() < 0.04 else 0,
        occupants=occupants,
        line=0,
    )


def _occupants(chance: random.Random, year: int) -> Iterator[OccupantRecord]:
    size = chance.choices(SIZES, SIZE_WEIGHTS)[0]
    family = chance.choice(names()["last"])
    couple = size > 1 and chance.random() < 0.62
    link = chance.choice(tuple(PARTNERS)) if couple else ""
    alone = chance.choice(("single", "single", "divorced", "separated", "widowed"))
    yield _person(
        chance,
        rank=1,
        link="holder",
        family=family,
        age=chance.randrange(24, 88),
        year=year,
        status=PARTNERS[link] if couple else alone,
    )
    if couple:
        other = chance.choice(names()["last"]) if chance.random() < 0.5 else family
        yield _person(
            chance, rank=2, link=link, family=other, age=chance.randrange(23, 80), year=year, status=PARTNERS[link]
        )
    for rank in range(3 if couple else 2, size + 1):
        lodger = chance.random() < 0.03
        age = chance.randrange(20, 75) if lodger else chance.randrange(0, 23)
        yield _person(
            chance, rank=rank, link="lodger" if lodger else "child", family=family, age=age, year=year, status="single"
        )


def _person(
    chance: random.Random, *, rank: int, link: str, family: str, age: int, year: int, status: str
) -> OccupantRecord:
    sex = chance.choice("MF")
    return OccupantRecord(
        rank=rank,
        link=link,
        sex=sex,
        last_name=family,
        first_name=chance.choice(names()["women" if sex == "F" else "men"]),
        birth_date=dt.date(year - 1 - age, 1, 1) + dt.timedelta(days=chance.randrange(364)),
        status=status,
        activity=_activity(chance, age),
        cmi=chance.random() < 0.05,
        dependant=link == "child" and age < 21,
    )


def _activity(chance: random.Random, age: int) -> str:
    if age < 16:
        return "none"
    if age < 23:
        return chance.choice(("student", "student", "precarious", "unemployed"))
    if age > 63:
        return "retired"
    return chance.choices(
        ("stable", "precarious", "self_employed", "unemployed", "disabled", "none"), (55, 14, 7, 12, 5, 7)
    )[0]


def _email(chance: random.Random, holder: OccupantRecord, number: int) -> str:
    if chance.random() > 0.66:
        return ""
    plain = unicodedata.normalize("NFD", f"{holder.first_name}.{holder.last_name}").encode("ascii", "ignore").decode()
    word = "".join(symbol for symbol in plain.lower() if symbol.isalnum() or symbol == ".")
    return f"{word}{number}@exemple.invalid"

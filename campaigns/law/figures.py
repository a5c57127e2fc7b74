"""The figures of the SLS, dated and sourced: ceilings, rates, coefficients, caps. What is missing is never guessed.

Amounts are Decimal euros, surfaces m², rates euros per m² and month; years are those of the 1 January when SLS is due.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from campaigns.law.territories import territory_of
from campaigns.law.texts import tables

LARGEST_CATEGORY = 6
CEILING_ZONES = {
    "paris": "Paris et communes limitrophes",
    "idf": "Île-de-France hors Paris et communes limitrophes",
    "other": "autres régions",
    "dom": "outre-mer",
}
SLR_ZONES = {
    "1bis": "1 bis",
    "1": "1",
    "2": "2",
    "3": "3",
    "corse": "3, Corse",
    "dom": "3, outre-mer",
}
CAP_ZONES = {**SLR_ZONES, "core": "1 bis, Paris et cinq communes voisines"}
MAINLAND = frozenset({"metropole", "alsace", "moselle"})
CORSICA = "20"


class MissingFigure(LookupError):
    """An official figure that nobody has given for that year; the message names both, in French."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The PLUS ceilings of a zone and year: six categories, then so much per person more."""

    year: int
    zone: str
    categories: tuple[Decimal, ...]
    extra: Decimal
    source: str

    def of(self, category: int) -> Decimal:
        """The ceiling of a category; beyond the sixth, each one more adds `extra`."""
        beyond = max(0, category - LARGEST_CATEGORY)
        return self.categories[min(category, LARGEST_CATEGORY) - 1] + beyond * self.extra


@dataclass(frozen=True, slots=True)
class ZoneFigures:
    """A figure per zone for one year: reference rates (SLR) or second caps, in euros per m²."""

    year: int
    zones: Mapping[str, Decimal]
    source: str


@dataclass(frozen=True, slots=True)
class Coefficients:
    """The CDPR: `first` at 20 %, then a step per whole point more, by the band in which the point falls."""

    zone: str
    first: Decimal
    bands: tuple[tuple[int, Decimal], ...]
    in_force_since: dt.date
    source: str

    def at(self, percent: int, due_from: int) -> Decimal:
        """The coefficient of a whole percentage of overrun; 0 below the threshold."""
        if percent < due_from:
            return Decimal(0)
        total = self.first
        ends = [start for start, _ in self.bands[1:]] + [percent + 1]
        for (start, step), end in zip(self.bands, ends, strict=True):
            total += step * max(0, min(percent + 1, end) - start)
        return total


@dataclass(frozen=True, slots=True)
class Provisional:
    """What applies without an answer: the highest coefficient, and the fee for the file (euros)."""

    coefficient: Decimal
    file_fee: Decimal
    in_force_since: dt.date
    source: str


@dataclass(frozen=True)
class Figures:
    """Shipped figures under a landlord's own, which prevail for the same year and zone."""

    ceilings: Mapping[tuple[int, str], Ceiling] = field(default_factory=dict)
    slr: Mapping[tuple[int, str], tuple[Decimal, str]] = field(default_factory=dict)
    second_caps: Mapping[tuple[int, str], tuple[Decimal, str]] = field(default_factory=dict)
    cdpr: tuple[Coefficients, ...] = ()
    provisional: tuple[Provisional, ...] = ()

    def ceiling(self, year: int, zone: str) -> Ceiling:
        """The PLUS ceilings of that year. Raises MissingFigure."""
        found = self.ceilings.get((year, zone))
        if found is None:
            raise MissingFigure(_missing(f"Plafond de ressources PLUS, {_named(CEILING_ZONES, zone)}", year))
        return found

    def reference_rate(self, year: int, zone: str) -> tuple[Decimal, str]:
        """The SLR of that year with its source. Raises MissingFigure."""
        return _zone_figure(
            self.slr, year, zone, f"Supplément de loyer de référence (SLR), zone {_named(SLR_ZONES, zone)}"
        )

    def second_cap(self, year: int, zone: str) -> tuple[Decimal, str]:
        """The most that rent and SLS may come to per m², with its source. Raises MissingFigure."""
        named = _named(CAP_ZONES, zone)
        return _zone_figure(self.second_caps, year, zone, f"Second plafond du SLS par m², zone {named}")

    def coefficients(self, year: int, zone: str) -> Coefficients:
        """The newest CDPR table in force on 1 January: the zone's own, else the one of all zones."""
        begun = [each for each in self.cdpr if each.in_force_since <= dt.date(year, 1, 1) and each.zone in {zone, "*"}]
        if not begun:
            raise MissingFigure(_missing("Coefficient de dépassement (CDPR)", year))
        return max(begun, key=lambda each: (each.zone != "*", each.in_force_since))

    def without_answer(self, year: int) -> Provisional:
        """The coefficient and the fee of a provisional settlement. Raises MissingFigure."""
        begun = [each for each in self.provisional if each.in_force_since <= dt.date(year, 1, 1)]
        if not begun:
            raise MissingFigure(_missing("Coefficient maximal du SLS", year))
        return max(begun, key=lambda each: each.in_force_since)

    def years(self) -> tuple[int, ...]:
        """The years for which both ceilings and rates are known, newest first."""
        return tuple(sorted({year for year, _ in self.ceilings} & {year for year, _ in self.slr}, reverse=True))

    def under(self, own: Figures) -> Figures:
        """These figures with a landlord's own laid over them."""
        return Figures(
            ceilings={**self.ceilings, **own.ceilings},
            slr={**self.slr, **own.slr},
            second_caps={**self.second_caps, **own.second_caps},
            cdpr=(*self.cdpr, *own.cdpr),
            provisional=(*self.provisional, *own.provisional),
        )


def figures_of(told: Mapping[str, Any]) -> Figures:
    """Figures from TOML tables that were checked (`settings.problems_of`)."""
    ceilings = (
        Ceiling(each["year"], each["zone"], _decimals(each["categories"]), Decimal(each["extra"]), each["source"])
        for each in told.get("ceilings", ())
    )
    return Figures(
        ceilings={(each.year, each.zone): each for each in ceilings},
        slr=_by_zone(told.get("slr", ())),
        second_caps=_by_zone(told.get("second_caps", ())),
        cdpr=tuple(_coefficients(each) for each in told.get("cdpr", ())),
        provisional=tuple(
            Provisional(Decimal(each["coefficient"]), Decimal(each["file_fee"]), each["in_force_since"], each["source"])
            for each in told.get("provisional", ())
        ),
    )


@cache
def shipped_figures() -> Figures:
    """The official figures that come with the product."""
    return figures_of({**tables("sls.toml"), **tables("ceilings.toml")})


def pls_ceiling(plus: Decimal) -> Decimal:
    """The PLS ceiling: the PLUS one raised, rounded to the euro (R441-23 CCH)."""
    ratio = Decimal(tables("ceilings.toml")["pls"]["ratio"])
    return (plus * ratio).quantize(Decimal(1), ROUND_HALF_UP)


def ceiling_kind(financing: str) -> str:
    """Which ceiling a financing follows: `plus`, `pls`, `exempt` when the SLS does not apply, '' when unknown."""
    kinds = tables("sls.toml")["financings"]
    return next((kind for kind in ("plus", "pls", "exempt") if financing in kinds[kind]), "")


def percent_of(key: str, year: int) -> int:
    """The percentage that the law sets under that key (`due`, `right_to_stay`) on 1 January. Raises MissingFigure."""
    return int(_dated("thresholds", key, year)["percent"])


def share_of(key: str, year: int) -> tuple[Decimal, str]:
    """The share of resources that the law sets under that key, with its source. Raises MissingFigure."""
    told = _dated("shares", key, year)
    return Decimal(told["share"]), told["source"]


def category_rules(year: int) -> Mapping[str, Any]:
    """`young_couple_ages`, `disabled_up_to` and their `source` on 1 January of that year. Raises MissingFigure."""
    return _newest([*tables("sls.toml")["categories"]], year, "Règles de catégorie des ménages")


def ceiling_zone(code: str, postcode: str, names: Mapping[str, str]) -> str:
    """Our ceiling zone for a landlord's code; overseas has ceilings of its own. Raises MissingFigure."""
    if territory_of(postcode).key not in MAINLAND:
        return "dom"
    return _zone_named(code, {**tables("sls.toml")["zones"]["ceiling"], **names}, "zone de plafond")


def slr_zone(code: str, postcode: str, names: Mapping[str, str]) -> str:
    """Our SLR zone for a landlord's code; Corsica and overseas have rates of their own. Raises MissingFigure."""
    if territory_of(postcode).key not in MAINLAND:
        return "dom"
    found = _zone_named(code, {**tables("sls.toml")["zones"]["slr"], **names}, "zone SLS")
    return "corse" if found == "3" and postcode.startswith(CORSICA) else found


def second_cap_zone(zone: str, postcode: str) -> str:
    """The zone of the second cap: Paris and five neighbours stand apart from the rest of zone 1 bis."""
    core = tuple(tables("sls.toml")["core"]["postcodes"])
    return "core" if zone == "1bis" and postcode.startswith(core) else zone


def _zone_named(code: str, names: Mapping[str, str], what: str) -> str:
    found = names.get("".join(code.lower().split()))
    if found is None:
        told = f"« {code} » ne se lit pas" if code else "n'est pas renseignée"
        raise MissingFigure(f"La {what} du logement {told} : complétez les réglages juridiques du bailleur.")
    return found


def _zone_figure(
    known: Mapping[tuple[int, str], tuple[Decimal, str]], year: int, zone: str, what: str
) -> tuple[Decimal, str]:
    found = known.get((year, zone))
    if found is None:
        raise MissingFigure(_missing(what, year))
    return found


def _dated(table: str, key: str, year: int) -> Mapping[str, Any]:
    versions = [each for each in tables("sls.toml")[table] if each["key"] == key]
    return _newest(versions, year, versions[0]["label"])


def _newest(versions: list[Mapping[str, Any]], year: int, what: str) -> Mapping[str, Any]:
    begun = [each for each in versions if each["in_force_since"] <= dt.date(year, 1, 1)]
    if not begun:
        raise MissingFigure(_missing(what, year))
    return max(begun, key=lambda each: each["in_force_since"])


def _missing(what: str, year: int) -> str:
    return (
        f"{what} : le chiffre officiel au 1er janvier {year} manque. Saisissez-le, avec sa source, dans les réglages "
        "juridiques du bailleur."
    )


def _named(names: Mapping[str, str], zone: str) -> str:
    return names.get(zone, zone)


def _by_zone(told: Iterable[Mapping[str, Any]]) -> dict[tuple[int, str], tuple[Decimal, str]]:
    return {
        (each["year"], zone): (Decimal(value), each["source"]) for each in told for zone, value in each["zones"].items()
    }


def _coefficients(told: Mapping[str, Any]) -> Coefficients:
    bands = tuple((band["from"], Decimal(band["step"])) for band in told["bands"])
    return Coefficients(told["zone"], Decimal(told["first"]), bands, told["in_force_since"], told["source"])


def _decimals(values: Iterable[Any]) -> tuple[Decimal, ...]:
    return tuple(Decimal(each) for each in values)

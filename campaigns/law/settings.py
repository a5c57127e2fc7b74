"""A landlord's own legal settings, as TOML text: calendar of holidays, days granted, rounding, figures, zone names.

The same tables as the shipped files, so that a figure published before the next release is typed once, with its source.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from campaigns.law.clocks import ClockRules
from campaigns.law.figures import CAP_ZONES, CEILING_ZONES, SLR_ZONES, Figures, figures_of, shipped_figures
from campaigns.law.territories import BY_POSTCODE, territories, territory_of
from campaigns.law.texts import FOLDER, PenaltyRate, tables

ROUNDINGS = {"down": "tronqué au centime", "half_up": "arrondi au centime le plus proche"}
MOST_DAYS = 60
CATEGORIES = 6


class SettingsRefused(ValueError):
    """The text can't be settings; `problems` are French sentences, each naming its table and entry."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Law:
    """The law as a landlord applies it: figures, the clocks' rules, rounding; `source` says who decided its part."""

    figures: Figures
    source: str = ""
    calendar: str = BY_POSTCODE
    postal_days: int = 0
    extra_days: tuple[tuple[str, int], ...] = ()
    rounding: str = "down"
    minimum: Decimal = Decimal(0)
    file_fee: Decimal | None = None
    penalty: PenaltyRate | None = None
    ceiling_names: Mapping[str, str] = field(default_factory=dict)
    slr_names: Mapping[str, str] = field(default_factory=dict)

    def clocks(self, postcode: str) -> ClockRules:
        """How delays are counted for a dwelling of that postcode."""
        return ClockRules(territory_of(postcode, self.calendar), self.postal_days, self.extra_days)


@cache
def shipped_law() -> Law:
    """The law alone, without any landlord's settings."""
    return Law(shipped_figures())


def model_text() -> str:
    """A text to start from: every setting, commented out, with what it does in French."""
    return (FOLDER / "settings_model.toml").read_text(encoding="utf-8")


def parse_settings(text: str) -> Law:
    """A landlord's settings over the shipped law; an empty text is the law alone. Raises SettingsRefused."""
    if not text.strip():
        return shipped_law()
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused([f"Ce texte n'est pas du TOML lisible : {error}."]) from error
    problems = list(problems_of(told))
    if problems:
        raise SettingsRefused(problems)
    return _law(told)


def _law(told: Mapping[str, Any]) -> Law:
    clocks, sls, ops, zones = (told.get(name, {}) for name in ("clocks", "sls", "ops", "zones"))
    penalty = None
    if ops:
        penalty = PenaltyRate(Decimal(ops["amount"]), Decimal(ops["per_month"]), dt.date.min, told["source"])
    return Law(
        figures=shipped_figures().under(figures_of(told)),
        source=told["source"],
        calendar=clocks.get("calendar", BY_POSTCODE),
        postal_days=clocks.get("postal_days", 0),
        extra_days=tuple(sorted(clocks.get("extra_days", {}).items())),
        rounding=sls.get("rounding", "down"),
        minimum=Decimal(sls.get("minimum", "0")),
        file_fee=Decimal(sls["file_fee"]) if "file_fee" in sls else None,
        penalty=penalty,
        ceiling_names=_lower(zones.get("ceiling", {})),
        slr_names=_lower(zones.get("slr", {})),
    )


def _lower(names: Mapping[str, str]) -> dict[str, str]:
    return {"".join(code.lower().split()): zone for code, zone in names.items()}


# ── What may be written ──────────────────────────────────────────────────────────────────────────────────────────────

Check = Callable[[Any], str]


def problems_of(told: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with settings, in French sentences; nothing when they can be kept."""
    if not isinstance(told.get("source"), str) or not told["source"].strip():
        yield 'Dites d\'où viennent ces réglages : source = "délibération du …".'
    for name, value in told.items():
        if name == "source":
            continue
        if name in TABLES and isinstance(value, dict):
            yield from _entry_problems(f"Table [{name}]", value, TABLES[name], whole=name == "ops")
        elif name in LISTS and isinstance(value, list):
            for number, entry in enumerate(value, start=1):
                yield from _entry_problems(f"Table [[{name}]], entrée {number}", entry, LISTS[name], whole=True)
        else:
            known = ", ".join([*TABLES, *LISTS])
            yield f"« {name} » n'est pas un réglage connu, ou n'est pas écrit comme une table. Connus : {known}."


def _entry_problems(where: str, entry: Any, checks: Mapping[str, Check], *, whole: bool) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"{where} : écrivez une table, avec {', '.join(checks)}."
        return
    for name in entry:
        if name not in checks:
            yield f"{where} : « {name} » n'existe pas. Attendu : {', '.join(checks)}."
    for name, check in checks.items():
        if name in entry:
            expected = check(entry[name])
            if expected:
                yield f"{where} : « {name} » doit être {expected}."
        elif whole:
            yield f"{where} : « {name} » manque."


def _one_of(values: Mapping[str, Any] | frozenset[str]) -> Check:
    return lambda value: "" if isinstance(value, str) and value in values else f"l'un de {', '.join(sorted(values))}"


def _amount(value: Any) -> str:
    try:
        right = isinstance(value, str) and Decimal(value).is_finite() and Decimal(value) >= 0
    except InvalidOperation:
        right = False
    return "" if right else 'un montant entre guillemets, avec un point, par exemple "1.25"'


def _at_most(most: str) -> Check:
    def check(value: Any) -> str:
        right = not _amount(value) and Decimal(value) <= Decimal(most)
        return "" if right else f'un montant entre guillemets, au plus "{most}" (maximum légal)'

    return check


def _days(value: Any) -> str:
    right = type(value) is int and 0 <= value <= MOST_DAYS
    return "" if right else f"un nombre de jours, de 0 à {MOST_DAYS}"


def _granted(value: Any) -> str:
    keys = {each["key"] for each in tables("deadlines.toml")["delays"]}
    right = isinstance(value, dict) and set(value) <= keys and not any(_days(each) for each in value.values())
    return "" if right else f"des jours accordés par délai (de 0 à {MOST_DAYS}), parmi {', '.join(sorted(keys))}"


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value.strip() else "un texte"


def _year(value: Any) -> str:
    return "" if type(value) is int and 2000 <= value <= 2100 else "une année, par exemple 2027"


def _day(value: Any) -> str:
    return "" if type(value) is dt.date else "une date, par exemple 2027-01-01"


def _categories(value: Any) -> str:
    right = (
        isinstance(value, list)
        and len(value) == CATEGORIES
        and all(type(each) is int and each > 0 for each in value)
        and value == sorted(value)
    )
    return "" if right else "six plafonds en euros, de la catégorie 1 à la catégorie 6, du plus bas au plus haut"


def _euros(value: Any) -> str:
    return "" if type(value) is int and value > 0 else "un nombre entier d'euros"


def _zone_amounts(zones: Mapping[str, str]) -> Check:
    def check(value: Any) -> str:
        right = isinstance(value, dict) and value and set(value) <= set(zones) and not any(map(_amount, value.values()))
        return "" if right else f"un montant entre guillemets par zone, parmi {', '.join(zones)}"

    return check


def _zone_codes(zones: Mapping[str, str]) -> Check:
    def check(value: Any) -> str:
        right = isinstance(value, dict) and all(isinstance(each, str) and each in zones for each in value.values())
        return "" if right else f"une zone pour chaque code du fichier, parmi {', '.join(zones)}"

    return check


def _within(value: Any, ends: list[str]) -> bool:
    return not _amount(value) and Decimal(ends[0]) <= Decimal(value) <= Decimal(ends[1])


def _first(value: Any) -> str:
    ends = tables("sls.toml")["cus"]["first"]
    return "" if _within(value, ends) else f"entre {ends[0]} et {ends[1]} (R441-21-1)"


def _bands(value: Any) -> str:
    bounds = [(each["from"], each["range"]) for each in tables("sls.toml")["cus"]["steps"]]
    right = isinstance(value, list) and bool(value) and all(_is_band(each, bounds) for each in value)
    starts = [each["from"] for each in value] if right else []
    if right and starts == sorted(set(starts)) and starts[0] == bounds[0][0]:
        return ""
    told = " ; ".join(f"dès {start} %, de {ends[0]} à {ends[1]}" for start, ends in bounds)
    return f"une suite de tranches {{ from, step }} qui commence à {bounds[0][0]} (R441-21-1 : {told})"


def _is_band(band: Any, bounds: list[tuple[int, list[str]]]) -> bool:
    if not isinstance(band, dict) or set(band) != {"from", "step"} or type(band["from"]) is not int:
        return False
    allowed = [ends for start, ends in bounds if start <= band["from"]]
    return bool(allowed) and _within(band["step"], allowed[-1])


FEE = max(tables("sls.toml")["provisional"], key=lambda each: each["in_force_since"])["file_fee"]
PENALTY = max(tables("deadlines.toml")["penalties"], key=lambda each: each["in_force_since"])
CALENDARS = frozenset({BY_POSTCODE, *(each.key for each in territories())})
TABLES: dict[str, dict[str, Check]] = {
    "clocks": {"calendar": _one_of(CALENDARS), "postal_days": _days, "extra_days": _granted},
    "sls": {"rounding": _one_of(ROUNDINGS), "minimum": _amount, "file_fee": _at_most(FEE)},
    "ops": {"amount": _at_most(PENALTY["amount"]), "per_month": _at_most(PENALTY["per_month"])},
    "zones": {"ceiling": _zone_codes(CEILING_ZONES), "slr": _zone_codes(SLR_ZONES)},
}
LISTS: dict[str, dict[str, Check]] = {
    "ceilings": {
        "year": _year,
        "zone": _one_of(CEILING_ZONES),
        "categories": _categories,
        "extra": _euros,
        "source": _text,
    },
    "slr": {"year": _year, "zones": _zone_amounts(SLR_ZONES), "source": _text},
    "second_caps": {"year": _year, "zones": _zone_amounts(CAP_ZONES), "source": _text},
    "cdpr": {
        "zone": _one_of({**SLR_ZONES, "*": "toutes"}),
        "first": _first,
        "bands": _bands,
        "in_force_since": _day,
        "source": _text,
    },
    "provisional": {"coefficient": _amount, "file_fee": _amount, "in_force_since": _day, "source": _text},
}

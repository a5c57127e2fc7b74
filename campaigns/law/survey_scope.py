"""Who need not be surveyed, and why: the exemptions in force on a day, as a landlord applies them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from campaigns.law.texts import tables

SURVEYS = {"sls": frozenset({"sls"}), "ops": frozenset({"ops"}), "sls_ops": frozenset({"sls", "ops"})}


@dataclass(frozen=True, slots=True)
class Test:
    """One thing that must be so: the fact is one of `values`, a day `before` this one, or less than `years` ago."""

    fact: str
    values: tuple[Any, ...] = ()
    before: date | None = None
    years: int = 0

    def holds(self, facts: Mapping[str, Any], on: date) -> bool:
        """Whether it is so on that day; a fact that is missing never is."""
        told = facts.get(self.fact)
        if told is None:
            return False
        if self.before is not None:
            return bool(told < self.before)
        if self.years:
            return bool(told <= on < _anniversary(told, self.years))
        return told in self.values


@dataclass(frozen=True, slots=True)
class Exemption:
    """Households left out of `survey` when all the tests of one of the lists of `when` hold."""

    key: str
    label: str
    survey: str
    when: tuple[tuple[Test, ...], ...]
    reason: str
    in_force_since: date
    source: str
    ended_on: date | None = None
    by_default: bool = True

    def concerns(self, facts: Mapping[str, Any], on: date) -> bool:
        """Whether a household is in that situation on that day."""
        return any(all(test.holds(facts, on) for test in tests) for tests in self.when)


@dataclass(frozen=True, slots=True)
class Option:
    """What a landlord decides of one exemption, from one day to another (both included; None: no end)."""

    key: str
    applies: bool
    since: date
    until: date | None = None
    reason: str = ""

    def holds(self, on: date) -> bool:
        """Whether it is in force on that day."""
        return self.since <= on and (self.until is None or on <= self.until)


class Standing(StrEnum):
    """Why an exemption is applied or not on a day: by the law, or by a landlord's option."""

    LAW = "law"
    APPLIED = "applied"
    WAIVED = "waived"
    ENDED = "ended"
    NOT_CHOSEN = "not_chosen"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One exemption as it stands for a landlord on a day."""

    exemption: Exemption
    standing: Standing
    on: date
    option: Option | None = None

    @property
    def applied(self) -> bool:
        """Whether it leaves households out."""
        return self.standing in (Standing.LAW, Standing.APPLIED)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the explanation: what was looked at and what it changed (`exempts`), with its source."""

    key: str
    sentence: str
    source: str
    exempts: bool = False


@dataclass(frozen=True, slots=True)
class ScopeDecision:
    """`scope` is sls, ops, sls_ops or none; `reason` is French, '' when nothing is left out; `steps` explain it."""

    scope: str
    reason: str
    steps: tuple[Step, ...]


def known_exemptions() -> tuple[Exemption, ...]:
    """Every version of every exemption of the table, the oldest first."""
    told = sorted(tables("scope.toml")["exemptions"], key=lambda each: each["in_force_since"])
    return tuple(Exemption(**{**each, "when": _tests(each["when"])}) for each in told)


def exemptions(on: date, options: Iterable[Option] = ()) -> tuple[Ruling, ...]:
    """How each exemption begun on that day stands, in its newest version, for a landlord with these options.

    An option in force prevails over the table, the newest first; an exemption that has ended, or whose text is still to
    be confirmed, applies only where the landlord says so.
    """
    newest = {each.key: each for each in known_exemptions() if each.in_force_since <= on}
    chosen: dict[str, Option] = {}
    for option in sorted(options, key=lambda each: each.since):
        if option.holds(on):
            chosen[option.key] = option
    return tuple(_ruling(each, chosen.get(key), on) for key, each in newest.items())


def _ruling(exemption: Exemption, option: Option | None, on: date) -> Ruling:
    if option is not None:
        return Ruling(exemption, Standing.APPLIED if option.applies else Standing.WAIVED, on, option)
    if exemption.ended_on is not None and exemption.ended_on < on:
        return Ruling(exemption, Standing.ENDED, on)
    return Ruling(exemption, Standing.LAW if exemption.by_default else Standing.NOT_CHOSEN, on)


def scope_of(survey: str, facts: Mapping[str, Any], rulings: Iterable[Ruling]) -> ScopeDecision:
    """The scope of a household, with its explanation.

    `facts` (see `FACTS`) are what the landlord's file says of it; a fact that is missing exempts nobody.
    """
    left, reasons, steps = set(SURVEYS[survey]), [], []
    for ruling in rulings:
        exemption = ruling.exemption
        if exemption.survey not in SURVEYS[survey] or not exemption.concerns(facts, ruling.on):
            continue
        steps.append(Step(exemption.key, _told(ruling), exemption.source, ruling.applied))
        if ruling.applied:
            left.discard(exemption.survey)
            reasons.append(exemption.reason)
        if ruling.option is not None and ruling.option.reason:
            steps.append(_why(exemption, ruling.option))
    steps += _remarks(left, facts)
    name = next((name for name, surveys in SURVEYS.items() if surveys == left), "none")
    return ScopeDecision(name, " ".join(reasons), tuple(steps))


# What the tests look at: the name of each fact and what it is, in French.
FACTS: Mapping[str, str] = {
    "apl": "APL ou allocation de logement",
    "qpv": "quartier prioritaire",
    "frr": "zone FRR",
    "zrr": "ancienne ZRR",
    "zus": "ancienne ZUS",
    "plh_exempt": "quartier exempté par le PLH",
    "exempt_zone_at_move_in": "zone exemptée à l'entrée",
    "move_in_on": "entrée dans les lieux",
    "financing": "financement",
    "conventioned": "logement conventionné",
    "convention_on": "date de la convention",
    "moved_in_before_convention": "entrée avant la convention",
    "cmi": "carte mobilité inclusion « invalidité »",
}


def _told(ruling: Ruling) -> str:
    exemption = ruling.exemption
    match ruling.standing:
        case Standing.WAIVED:
            return f"{exemption.label} : le bailleur renonce à cette exemption et interroge le foyer."
        case Standing.ENDED:
            return f"{exemption.label} : exemption éteinte depuis le {exemption.ended_on:%d/%m/%Y}."
        case Standing.NOT_CHOSEN:
            return f"{exemption.label} : exemption que le bailleur n'a pas choisi d'appliquer."
        case Standing.APPLIED:
            return f"{exemption.reason} (choix du bailleur)"
        case _:
            return exemption.reason


def _why(exemption: Exemption, option: Option) -> Step:
    until = f" au {option.until:%d/%m/%Y}" if option.until else ", sans fin prévue"
    sentence = f"Décision du bailleur : {option.reason} (du {option.since:%d/%m/%Y}{until})"
    return Step(exemption.key, sentence, "Options de périmètre du bailleur")


def _remarks(left: set[str], facts: Mapping[str, Any]) -> list[Step]:
    """What does not exempt but is worth saying of a household that stays."""
    return [
        Step(told["key"], told["sentence"], told["source"])
        for told in tables("scope.toml")["remarks"]
        if told["survey"] in left
        and any(all(test.holds(facts, date.max) for test in tests) for tests in _tests(told["when"]))
    ]


def _tests(told: Iterable[Iterable[Mapping[str, Any]]]) -> tuple[tuple[Test, ...], ...]:
    return tuple(tuple(Test(**{**test, "values": tuple(test.get("values", ()))}) for test in tests) for tests in told)


def _anniversary(day: date, years: int) -> date:
    """The same day so many years later; 1 March for 29 February of a year that has none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)

"""Who need not be surveyed: the exemptions in force on a day, applied to what the landlord's file says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from campaigns.law.texts import tables

SURVEYS = {"sls": frozenset({"sls"}), "ops": frozenset({"ops"}), "sls_ops": frozenset({"sls", "ops"})}


@dataclass(frozen=True, slots=True)
class Exemption:
    """Households whose `fact` is one of `values` are left out of `survey`."""

    key: str
    survey: str
    fact: str
    values: tuple[Any, ...]
    reason: str
    in_force_since: date
    source: str


def exemptions(on: date, waived: Iterable[str] = ()) -> tuple[Exemption, ...]:
    """The newest version of each exemption begun on that day; `waived` are the keys a landlord gives up."""
    newest: dict[str, Exemption] = {}
    for told in sorted(tables("scope.toml")["exemptions"], key=lambda each: each["in_force_since"]):
        if told["in_force_since"] <= on:
            newest[told["key"]] = Exemption(**{**told, "values": tuple(told["values"])})
    left_out = frozenset(waived)
    return tuple(each for key, each in newest.items() if key not in left_out)


def scope_of(survey: str, facts: Mapping[str, Any], rules: Iterable[Exemption]) -> tuple[str, str]:
    """The scope of a household (`sls`, `ops`, `sls_ops` or `none`) and the French reason, '' when nothing is left out.

    `facts` holds the household's apl, qpv, financing…; a fact that is missing exempts nobody.
    """
    left, reasons = set(SURVEYS[survey]), []
    for rule in rules:
        if rule.survey in SURVEYS[survey] and facts.get(rule.fact) in rule.values:
            left.discard(rule.survey)
            reasons.append(rule.reason)
    name = next((name for name, surveys in SURVEYS.items() if surveys == left), "none")
    return name, " ".join(reasons)

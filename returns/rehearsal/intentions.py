"""What each made-up tenant means to declare, and when and how it answers. Pure: drawn from a seed per case."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from campaigns.questionnaire.conditions import age_on
from returns.models.rehearsed import RehearsedTenant

Address = tuple[str, int]
Behaviour = RehearsedTenant.Behaviour

# How a made-up population behaves: invented shares, not a forecast.
BEHAVIOURS: dict[Behaviour, float] = {
    Behaviour.ONLINE: 34,
    Behaviour.PAPER: 27,
    Behaviour.REMINDED_ONLINE: 9,
    Behaviour.REMINDED_PAPER: 7,
    Behaviour.INCOMPLETE: 8,
    Behaviour.NEVER_COMPLETES: 3,
    Behaviour.MOVED: 3,
    Behaviour.SILENT: 9,
}
ON_PAPER = frozenset({Behaviour.PAPER, Behaviour.REMINDED_PAPER, Behaviour.INCOMPLETE, Behaviour.NEVER_COMPLETES})
ON_LINE = frozenset({Behaviour.ONLINE, Behaviour.REMINDED_ONLINE})

STATUS_CHANGES = {"single": "pacs", "cohabiting": "married", "married": "separated", "pacs": "separated"}


@dataclass(slots=True)
class Intention:
    """What one tenant means. `answers` holds only what differs from what the landlord knows, or what it lacks."""

    behaviour: Behaviour
    answers_after: int
    answers: dict[Address, Any] = field(default_factory=dict)
    documents: list[tuple[str, int]] = field(default_factory=list)
    forgotten: str = ""


def intend(*, seed: str, prefill: Mapping[Address, Any], income_papers: bool, reference_on: dt.date) -> Intention:
    """Draw the intention of one tenant.

    `seed` names the tenant; `prefill` is what the landlord's file says; `income_papers` is whether the case is asked
    for incomes; ages are those of `reference_on`.
    """
    chance = random.Random(seed)
    behaviour = chance.choices(list(BEHAVIOURS), list(BEHAVIOURS.values()))[0]
    intention = Intention(behaviour=behaviour, answers_after=_days(chance, behaviour))
    rows = sorted({row for _, row in prefill if row})
    _changes(chance, intention, prefill, rows, reference_on)
    present = [row for row in rows if not intention.answers.get(("occupant.left", row))]
    newcomers = {row for _, row in intention.answers if row} - set(rows)
    intention.answers["household.size", 0] = len(present) + len(newcomers)
    if income_papers:
        for row in present:
            age = age_on(prefill.get(("occupant.birth_date", row)), reference_on)
            asked = prefill.get(("occupant.link", row)) != "lodger"  # not of the tax household (L442-12)
            if asked and (age is None or age >= 18):
                _incomes(chance, intention, row)
    if behaviour in {Behaviour.INCOMPLETE, Behaviour.NEVER_COMPLETES}:
        intention.forgotten = chance.choice(("signature", "notice")) if intention.documents else "signature"
    return intention


def _days(chance: random.Random, behaviour: Behaviour) -> int:
    if behaviour in {Behaviour.REMINDED_ONLINE, Behaviour.REMINDED_PAPER}:
        return chance.randrange(22, 44)
    return chance.randrange(3, 19)


def _changes(
    chance: random.Random,
    intention: Intention,
    prefill: Mapping[Address, Any],
    rows: list[int],
    reference_on: dt.date,
) -> None:
    answers = intention.answers
    if ("household.apl", 0) not in prefill:
        answers["household.apl", 0] = False
    if chance.random() < 0.3:
        answers["household.phone", 0] = f"07{chance.randrange(10**8):08d}"
    answers["household.consent_email", 0] = chance.random() < 0.5
    answers["household.resource_fall", 0] = False
    for row in rows:
        _one_occupant(chance, intention, prefill, row, reference_on)
    if len(rows) > 1 and chance.random() < 0.04:
        _newborn(chance, answers, max(rows) + 1, prefill, reference_on)
        intention.documents.append(("birth_certificate", max(rows) + 1))


def _one_occupant(
    chance: random.Random,
    intention: Intention,
    prefill: Mapping[Address, Any],
    row: int,
    reference_on: dt.date,
) -> None:
    answers = intention.answers
    age = age_on(prefill.get(("occupant.birth_date", row)), reference_on)
    adult = age is None or age >= 18
    status = prefill.get(("occupant.status", row))
    if prefill.get(("occupant.link", row)) == "child" and adult and chance.random() < 0.15:
        answers["occupant.left", row] = True
        answers["occupant.left_on", row] = f"{reference_on.year - 1}-{chance.randrange(1, 9):02d}-15"
        answers["occupant.left_reason", row] = "departure"
        return
    if adult and chance.random() < 0.12:
        known = prefill.get(("occupant.activity", row))
        answers["occupant.activity", row] = chance.choice(
            [each for each in ("stable", "precarious", "unemployed", "retired") if each != known]
        )
    if adult and status in STATUS_CHANGES and chance.random() < 0.04:
        changed = STATUS_CHANGES[status]
        answers["occupant.status", row] = changed
        intention.documents.append(("separation_proof" if changed == "separated" else "union_proof", row))
    if prefill.get(("occupant.dependant", row)) and age is not None and 21 <= age < 25:
        intention.documents.append(("school_certificate", row))


def _newborn(
    chance: random.Random,
    answers: dict[Address, Any],
    row: int,
    prefill: Mapping[Address, Any],
    reference_on: dt.date,
) -> None:
    answers["occupant.last_name", row] = prefill.get(("occupant.last_name", 1), "MARTINEAU")
    answers["occupant.first_name", row] = chance.choice(["Lou", "Sacha", "Camille", "Noa"])
    answers["occupant.birth_date", row] = f"{reference_on.year - 1}-{chance.randrange(2, 9):02d}-11"
    answers["occupant.link", row] = "child"
    answers["occupant.cmi", row] = False
    answers["occupant.dependant", row] = True


def _incomes(chance: random.Random, intention: Intention, row: int) -> None:
    answers = intention.answers
    first = chance.randrange(10**9, 3 * 10**9)
    answers["occupant.tax_number", row] = f"{first:010d}{first % 511:03d}"
    answers["occupant.tax_reference_income", row] = chance.choice((0, chance.randrange(4000, 62000)))
    answers["occupant.notice_reference", row] = f"26{chance.randrange(10**11):011d}"
    intention.documents.append(("tax_notice", row))

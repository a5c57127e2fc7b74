"""Who counts in a household and in which category it falls (L442-12; order of 29 July 1987, articles 2 and 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from campaigns.law.figures import category_rules
from campaigns.law.wording import many

COUPLE = 2


class Role(StrEnum):
    """What a person is to the lease. A lodger lives there but does not count for the SLS."""

    TENANT = "tenant"
    SPOUSE = "spouse"
    DEPENDANT = "dependant"
    ATTACHED = "attached"
    LODGER = "lodger"


@dataclass(frozen=True, slots=True)
class Person:
    """A person living in the home: completed age at 1 January, CMI « invalidité »."""

    role: Role
    age: int | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """The category of a household (beyond 6, one more per person more), and the sentences that say why."""

    number: int
    counted: int
    steps: tuple[str, ...]
    source: str


def category_of(people: Iterable[Person], year: int) -> Category:
    """The category on 1 January of `year`.

    A single person with dependants, a young couple without dependants, or a household of at most five with a CMI
    « invalidité » goes one category up. The published tables never add these up: one step at most.
    Raises ValueError when nobody counts.
    """
    everyone = tuple(people)
    counted = [each for each in everyone if each.role is not Role.LODGER]
    if not counted:
        raise ValueError("Aucune personne du foyer ne compte pour le SLS : vérifiez sa composition.")
    rules = category_rules(year)
    lodgers = len(everyone) - len(counted)
    steps = [f"{many(len(counted), 'personne')} {'comptent' if len(counted) > 1 else 'compte'} dans le foyer."]
    if lodgers:
        verb = "comptent" if lodgers > 1 else "compte"
        steps.append(f"{many(lodgers, 'personne hébergée', 'personnes hébergées')} ne {verb} pas (L442-12).")
    reasons = list(_steps_up(counted, rules["young_couple_ages"], rules["disabled_up_to"]))
    number = len(counted) + (1 if reasons else 0)
    steps += reasons[:1]
    steps.append(f"Catégorie de ménage : {number}.")
    return Category(number, len(counted), tuple(steps), rules["source"])


def _steps_up(counted: list[Person], young_ages: int, disabled_up_to: int) -> Iterable[str]:
    dependants = sum(each.role is Role.DEPENDANT for each in counted)
    if dependants and len(counted) - dependants == 1:
        yield f"Une personne seule avec {many(dependants, 'personne')} à charge : une catégorie de plus."
    if _is_young_couple(counted, young_ages):
        yield f"Jeune ménage : la somme des âges ne dépasse pas {young_ages} ans, une catégorie de plus."
    if any(each.disabled for each in counted) and len(counted) <= disabled_up_to:
        yield "Une personne a une carte mobilité inclusion « invalidité » : une catégorie de plus."


def _is_young_couple(counted: list[Person], young_ages: int) -> bool:
    ages = [each.age for each in counted if each.role in {Role.TENANT, Role.SPOUSE} and each.age is not None]
    in_couple = any(each.role is Role.SPOUSE for each in counted)
    return len(counted) == COUPLE and in_couple and len(ages) == COUPLE and sum(ages) <= young_ages

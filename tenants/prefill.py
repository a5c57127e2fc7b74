"""What the landlord's file already says of a household, as answers: the value every reading starts from.

A field's `prefill` names where its known value lives: `household.<attribute>` or `occupant.<attribute>`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from campaigns.questionnaire.schema import Questionnaire
from tenants.models import Household, Occupant, SurveyCase


def known_rows(household: Household) -> frozenset[int]:
    """The rows of the occupants whom the landlord knows."""
    return frozenset(person.row for person in household.occupants.all())


Attributes = tuple[tuple[str, str], ...]


def known_attributes(questionnaire: Questionnaire) -> tuple[Attributes, Attributes]:
    """What the landlord may know, as (field key, attribute): of the household, then of each occupant."""
    of_household, of_occupants = [], []
    for section, field in questionnaire.fields():
        owner, _, attribute = field.prefill.partition(".")
        if owner == "household" and not section.repeated:
            of_household.append((field.key, attribute))
        elif owner == "occupant" and section.repeated:
            of_occupants.append((field.key, attribute))
    return tuple(of_household), tuple(of_occupants)


def prefill_of(
    case: SurveyCase, questionnaire: Questionnaire, people: Sequence[Occupant] | None = None
) -> dict[tuple[str, int], Any]:
    """The known answers by address, in canonical values; what is unknown is absent. `people` saves reading them."""
    household = case.household
    of_household, of_occupants = known_attributes(questionnaire)
    told = {(key, 0): canonical(getattr(household, attribute)) for key, attribute in of_household}
    for person in list(household.occupants.all()) if people is None else people:
        told |= {(key, person.row): canonical(getattr(person, attribute)) for key, attribute in of_occupants}
    return {address: value for address, value in told.items() if value is not None}


def canonical(value: Any) -> Any:
    """A column's value as answers have it; None when it says nothing."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return None if value == "" else value

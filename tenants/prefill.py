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


def prefill_of(
    case: SurveyCase, questionnaire: Questionnaire, people: Sequence[Occupant] | None = None
) -> dict[tuple[str, int], Any]:
    """The known answers by address, in canonical values; what is unknown is absent. `people` saves reading them."""
    household = case.household
    people = list(household.occupants.all()) if people is None else people
    known: dict[tuple[str, int], Any] = {}
    for section, field in questionnaire.fields():
        owner, _, attribute = field.prefill.partition(".")
        if owner == "household" and not section.repeated:
            _keep(known, field.key, 0, getattr(household, attribute))
        elif owner == "occupant" and section.repeated:
            for person in people:
                _keep(known, field.key, person.row, getattr(person, attribute))
    return known


def _keep(known: dict[tuple[str, int], Any], key: str, row: int, value: Any) -> None:
    if isinstance(value, dt.date):
        value = value.isoformat()
    if value is not None and value != "":
        known[key, row] = value

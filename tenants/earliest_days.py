"""What the landlord's file says of when a household's dates begin: nobody it lists left before moving in.

It may be wrong (a lease made anew for people who stayed, a file out of date): a date before goes to a person, who is
believed. Nothing is said where nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping

from campaigns.questionnaire.values import Since
from tenants.models import SurveyCase

DEPARTURE = "occupant.left_on"
BOUNDED = frozenset({DEPARTURE})  # of no other question is anything said
MOVED_IN = "l'entrée dans le logement"
BORN = "la naissance de cette personne"


def earliest_days(case: SurveyCase) -> Mapping[tuple[str, int], Since]:
    """By address, the day from which that date is expected of this household.

    An occupant listed by the landlord left after the household moved in, and after being born.
    """
    moved_in, found = case.household.move_in_on, {}
    for person in case.household.occupants.all():
        days = [Since(day, event) for day, event in ((moved_in, MOVED_IN), (person.birth_date, BORN)) if day]
        if days:
            found[DEPARTURE, person.row] = max(days, key=lambda since: since.day)
    return found


def earliest_days_of_row(case: SurveyCase, row: int) -> Mapping[str, Since]:
    """The same for one person, by question; row 0 for the household."""
    return {key: since for (key, each), since in earliest_days(case).items() if each == row}

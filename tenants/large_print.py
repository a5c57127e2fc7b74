"""Large print: whether a household gets its form and letters in large characters, as it or the landlord asked."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from campaigns.models import User
from tenants.models import Household, SurveyCase


def set_large_print(*, case: SurveyCase, large: bool, now: dt.datetime, actor: User | None = None) -> bool:
    """From the next thing composed on, print for that household in large characters or not; whether that is a change.

    What is printed already stays as it is: a single copy can be composed again.
    """
    with transaction.atomic():
        household = Household.objects.select_for_update().get(pk=case.household_id)
        if household.large_print is large:
            return False
        household.large_print = large
        household.save(update_fields=["large_print"])
        case.tell("large_print" if large else "ordinary_print", now=now, actor=actor)
    case.household.large_print = large
    return True

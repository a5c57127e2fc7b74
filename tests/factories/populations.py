"""Many made-up households at once, in few statements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from campaigns.models import Campaign
from tenants.models import Dwelling, Household, Occupant, SurveyCase
from tests.factories.tenants import CaseFactory, DwellingFactory, HouseholdFactory, OccupantFactory

CHUNK = 500


def settled(campaign: Campaign, homes: Iterable[tuple[int, dict[str, Any], dict[str, Any]]]) -> list[SurveyCase]:
    """The cases of so many homes: each tells its number of people, then what its household and its case are given."""
    homes = list(homes)
    dwellings = [DwellingFactory.build(campaign=campaign) for _ in homes]
    households = [
        HouseholdFactory.build(campaign=campaign, dwelling=dwelling, **household)
        for dwelling, (_, household, _) in zip(dwellings, homes, strict=True)
    ]
    people = [
        OccupantFactory.build(household=household, row=row)
        for household, (count, _, _) in zip(households, homes, strict=True)
        for row in range(1, count + 1)
    ]
    cases = [
        CaseFactory.build(campaign=campaign, household=household, **case)
        for household, (_, _, case) in zip(households, homes, strict=True)
    ]
    Dwelling.objects.bulk_create(dwellings, batch_size=CHUNK)
    Household.objects.bulk_create(households, batch_size=CHUNK)
    Occupant.objects.bulk_create(people, batch_size=CHUNK)
    return list(SurveyCase.objects.bulk_create(cases, batch_size=CHUNK))

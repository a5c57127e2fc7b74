"""Answers that nobody could read. What the household wrote is lost, and what the landlord knew stands in its place.

Nothing is stored for it: the last entry of a field says so, until the household tells its answer another way.
"""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery

from campaigns.models import Campaign
from returns.answers import Address
from returns.models import Declaration, KeyingEntry, KeyingTask, SurveyReturn
from tenants.models import SurveyCase


def unread_of(case: SurveyCase) -> list[Address]:
    """The addresses of the case that were said illegible and are still without an answer."""
    return _unread(KeyingTask.objects.filter(survey_return__case=case)).get(case.pk, [])


def unread_in_campaign(campaign: Campaign) -> dict[int, list[Address]]:
    """The same for every case of a campaign that has some, by the number of the case."""
    return _unread(KeyingTask.objects.filter(campaign=campaign))


def _unread(tasks: QuerySet[KeyingTask]) -> dict[int, list[Address]]:
    last = KeyingEntry.objects.filter(task=OuterRef("pk")).order_by("-pk").values("illegible")[:1]
    told_since = SurveyReturn.objects.filter(
        case=OuterRef("survey_return__case"), received_at__gt=OuterRef("survey_return__received_at")
    ).exclude(channel=SurveyCase.Channel.PAPER)
    done = tasks.filter(purpose=KeyingTask.Purpose.DOUBT, state=KeyingTask.State.DONE)
    said = done.annotate(illegible=Subquery(last)).filter(~Exists(told_since), illegible=True)
    found: dict[int, list[Address]] = {}
    for case, field, row in said.order_by("pk").values_list(F("survey_return__case"), "field", "row").distinct():
        found.setdefault(case, []).append((field, row))
    answers = dict(Declaration.objects.filter(case__in=found).values_list("case", "answers"))
    unread = {
        case: [(field, row) for field, row in places if str(row) not in answers.get(case, {}).get(field, {})]
        for case, places in found.items()
    }
    return {case: places for case, places in unread.items() if places}

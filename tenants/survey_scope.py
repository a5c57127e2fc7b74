"""The survey a household is asked, or why it is left out: explained on its case, and reviewed when options change."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from campaigns.law.survey_scope import ScopeDecision, exemptions, scope_of
from campaigns.models import Campaign, User, options_of
from tenants.case_states import Move, State
from tenants.models import Household, SurveyCase

LONGEST_REASON = 500
CHUNK = 1000


class UnableToReview(Exception):
    """The scopes can't be reviewed now; the message says why."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a review of the scopes changed: cases left out, cases taken back, and other changes of scope or reason."""

    examined: int
    exempted: int
    included: int
    changed: int


def scope_facts(household: Household) -> dict[str, Any]:
    """What the exemptions of the law look at (`campaigns.law.survey_scope.FACTS`), as the landlord's file told it."""
    dwelling = household.dwelling
    since, entered = dwelling.convention_on, household.move_in_on
    return {
        "apl": household.apl,
        "qpv": dwelling.qpv,
        "financing": dwelling.financing,
        "frr": dwelling.frr,
        "zrr": dwelling.zrr,
        "zus": dwelling.zus,
        "plh_exempt": dwelling.plh_exempt,
        "exempt_zone_at_move_in": household.exempt_zone_at_move_in,
        "move_in_on": entered,
        "conventioned": dwelling.conventioned,
        "convention_on": since,
        "moved_in_before_convention": entered < since if since and entered else None,
        "cmi": any(person.cmi for person in household.occupants.all()),
    }


def explanation_of(case: SurveyCase) -> ScopeDecision:
    """The scope that the law and the landlord's options of today give to that household, step by step.

    The case keeps the scope it was sent with: the two differ when an option changed since.
    """
    campaign = case.campaign
    rulings = exemptions(campaign.reference_on, options_of(campaign.landlord))
    return scope_of(campaign.survey, scope_facts(case.household), rulings)


def review_scopes(*, campaign: Campaign, actor: User | None, now: dt.datetime) -> Review:
    """Bring the scopes of the households that have not answered to what the landlord's options say now.

    A household newly exempt leaves, one newly concerned comes back unless its form had left; an answer keeps its scope.
    Raises UnableToReview once the campaign is closed.
    """
    if campaign.stage == Campaign.Stage.CLOSED:
        raise UnableToReview("La campagne est close : les périmètres ne changent plus.")
    rulings = exemptions(campaign.reference_on, options_of(campaign.landlord))
    counts = {"examined": 0, "exempted": 0, "included": 0, "changed": 0}
    with transaction.atomic():
        waiting = campaign.cases.filter(state__in=[State.PREPARED, State.SENT, State.OUT_OF_SCOPE]).order_by("pk")
        ids = list(waiting.values_list("pk", flat=True))
        for start in range(0, len(ids), CHUNK):
            chunk = SurveyCase.objects.select_for_update(of=("self",)).filter(pk__in=ids[start : start + CHUNK])
            for case in chunk.select_related("household__dwelling").prefetch_related("household__occupants"):
                decision = scope_of(campaign.survey, scope_facts(case.household), rulings)
                counts["examined"] += 1
                _apply(case, decision, counts, actor=actor, now=now)
    return Review(**counts)


def _apply(
    case: SurveyCase, decision: ScopeDecision, counts: dict[str, int], *, actor: User | None, now: dt.datetime
) -> None:
    reason = decision.reason[:LONGEST_REASON]
    if (case.scope, case.scope_reason) == (decision.scope, reason):
        return
    was_out = case.scope == SurveyCase.Scope.NONE
    is_out = decision.scope == SurveyCase.Scope.NONE
    if was_out and not is_out and case.sent_at is not None:
        return  # its form was taken back once: a person decides, on the case
    case.scope, case.scope_reason = decision.scope, reason
    case.save(update_fields=["scope", "scope_reason"])
    data = {"scope": decision.scope}
    if is_out and State(case.state) is not State.OUT_OF_SCOPE:
        case.move(Move.EXEMPT, now=now, actor=actor, data=data)
        counts["exempted"] += 1
    elif was_out and not is_out and State(case.state) is State.OUT_OF_SCOPE:
        case.move(Move.INCLUDE, now=now, actor=actor, data=data)
        counts["included"] += 1
    else:
        case.tell("scope_reviewed", now=now, actor=actor, data=data)
        counts["changed"] += 1

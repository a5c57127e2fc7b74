"""The SLS simulation of a landlord: households by bracket of overrun and amounts estimated. Never a bill."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from campaigns.law.sls import Assessment, Outcome
from campaigns.legal import law_of
from campaigns.models import Campaign, User
from campaigns.questionnaire.conditions import Context
from campaigns.questionnaire.schema import Questionnaire
from returns.answers import corrected, questionnaire_of
from returns.evidence import Evidence
from returns.models import Declaration, SlsSimulation
from returns.simulated import BRACKETS, PROVISIONAL
from returns.sls_cases import Estimate, estimate
from tenants.models import SurveyCase
from tenants.prefill import known_rows, prefill_of

CHUNK = 400


@dataclass
class Tally:
    """What the cases of a campaign come to; amounts in euros a month."""

    outcomes: Counter[str] = field(default_factory=Counter)
    households: Counter[str] = field(default_factory=Counter)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)
    capped: int = 0
    unsettled: int = 0

    def add(self, found: Estimate, *, settled: bool) -> None:
        """Count one case."""
        if found.assessment is None:
            self.outcomes["waiting" if found.waiting else "unknown"] += 1
            if not found.waiting:
                self.problems[found.problem] += 1
            return
        told = found.assessment
        self.outcomes[told.outcome.value] += 1
        if told.outcome in {Outcome.DUE, Outcome.PROVISIONAL}:
            key = bracket_of(told)
            self.households[key] += 1
            self.amounts[key] = self.amounts.get(key, Decimal(0)) + told.amount
            self.capped += told.capped
            self.unsettled += told.outcome is Outcome.DUE and not settled

    def as_figures(self) -> dict[str, Any]:
        """For the database: amounts as text, two decimals."""
        return {
            "outcomes": dict(self.outcomes),
            "households": dict(self.households),
            "amounts": {key: f"{amount:.2f}" for key, amount in self.amounts.items()},
            "problems": dict(self.problems.most_common(20)),
            "capped": self.capped,
            "unsettled": self.unsettled,
        }


def bracket_of(told: Assessment) -> str:
    """The bracket of an assessment: the percentage at which it begins, or `provisional`."""
    if told.outcome is Outcome.PROVISIONAL or told.percent is None:
        return PROVISIONAL
    return str(max((start for start in BRACKETS if start <= told.percent), default=BRACKETS[0]))


def simulate(
    *, campaign: Campaign, now: dt.datetime, year: int | None = None, actor: User | None = None
) -> SlsSimulation:
    """Estimate every case of a campaign with the figures of its year, or of another one, and keep the sums.

    When an official figure is missing for all of its dwellings, nothing is estimated and `explanation` names it.
    """
    law = law_of(campaign.landlord)
    tally, missing = Tally(), Counter[str]()
    for case, context in declared_cases(campaign):
        found = estimate(case, context, law=law, year=year)
        missing[found.problem] += found.official
        tally.add(found, settled=case.completed_at is not None)
    absent = [problem for problem, count in missing.most_common(3) if count]
    stopped = bool(absent) and not any(tally.outcomes[each] for each in (Outcome.DUE, Outcome.UNDER))
    return SlsSimulation.objects.create(
        campaign=campaign,
        year=year or campaign.year,
        made_at=now,
        made_by=actor,
        figures={} if stopped else tally.as_figures(),
        explanation=" ".join(absent) if stopped else "",
    )


def declared_cases(campaign: Campaign) -> Iterator[tuple[SurveyCase, Context]]:
    """Every case of a campaign with what it declared and proved, a few hundred at a time, in a few queries."""
    forms: dict[int, Questionnaire] = {}
    ids = list(SurveyCase.objects.for_campaign(campaign).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        cases = SurveyCase.objects.filter(pk__in=chunk).select_related("campaign", "household__dwelling")
        told = Declaration.objects.filter(case__in=chunk).select_related("revision").defer("revision__definition")
        declarations = {each.case_id: each for each in told}
        for case in cases.prefetch_related("household__occupants", "documents").order_by("pk"):
            yield case, _context(case, declarations.get(case.pk), forms)


def _context(case: SurveyCase, declaration: Declaration | None, forms: dict[int, Questionnaire]) -> Context:
    """What the case declared, corrected by signed pieces; only what its file says when it declared nothing."""
    prefill: dict[tuple[str, int], Any] = {}
    if declaration is not None:
        if declaration.revision_id not in forms:
            forms[declaration.revision_id] = questionnaire_of(declaration.revision)
        prefill = prefill_of(case, forms[declaration.revision_id])
    declared = Context(
        answers=declaration.values() if declaration else {},
        reference_on=case.campaign.reference_on,
        prefill=prefill,
        facts=case.facts,
        known_rows=known_rows(case.household),
    )
    return corrected(declared, Evidence.of(case.documents.all()), income_year=case.campaign.year - 2)

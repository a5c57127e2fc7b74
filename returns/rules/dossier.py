"""What the rules look at: one case with its answers, its pieces and how it came, loaded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from campaigns.questionnaire.conditions import Context
from campaigns.questionnaire.schema import Questionnaire
from returns.acceptance import Doubt
from returns.answers import Address, corrected, declared_in, found_declaration
from returns.evidence import Evidence
from returns.models import FieldReading, Finding, SupportingDocument, SurveyReturn
from tenants.models import SurveyCase

RulePlace = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Decision:
    """What one of our people said of a rule that waits for a confirmation; `digest` is what the person then saw."""

    confirmed: bool
    digest: str


@dataclass(frozen=True)
class Dossier:
    """A case as the rules see it.

    `declared` is what the household said; `context` is the same, corrected by signed pieces. `on_paper`: it answered
    by letter only, so that a signature is due. `doubled`: the questions where several boxes were ticked and nothing
    has told since which one counts. `decisions`: what our people said of the rules that wait for them, by rule and row.
    """

    questionnaire: Questionnaire
    declared: Context
    context: Context
    evidence: Evidence
    income_year: int
    on_paper: bool = False
    doubled: frozenset[Address] = frozenset()
    decisions: Mapping[RulePlace, Decision] = field(default_factory=dict)


def dossier_of(case: SurveyCase, *, findings: Iterable[Finding] | None = None) -> Dossier:
    """The case as it stands in the database; its `findings`, when the caller has them all, save reading them."""
    questionnaire, declared = declared_in(found_declaration(case), case)
    evidence = Evidence.of(SupportingDocument.objects.filter(case=case).order_by("pk"))
    income_year = case.campaign.year - 2
    channels = set(SurveyReturn.objects.filter(case=case).values_list("channel", flat=True))
    twice = FieldReading.objects.filter(survey_return__case=case, reason=Doubt.TWO_BOXES).values_list("field", "row")
    known = Finding.objects.filter(case=case).decided() if findings is None else findings
    return Dossier(
        questionnaire=questionnaire,
        declared=declared,
        context=corrected(declared, evidence, income_year=income_year),
        evidence=evidence,
        income_year=income_year,
        on_paper=channels == {SurveyCase.Channel.PAPER.value},
        doubled=frozenset(place for place in twice if declared.answers.get(place) is None),
        decisions=decisions_of(known),
    )


def decisions_of(findings: Iterable[Finding]) -> dict[RulePlace, Decision]:
    """What our people decided on those of these findings that they decided."""
    said = (Finding.Confirmation.CONFIRMED, Finding.Confirmation.REFUSED)
    return {
        (each.rule, each.row): Decision(each.confirmation == Finding.Confirmation.CONFIRMED, each.facts_digest)
        for each in findings
        if each.confirmation in said
    }

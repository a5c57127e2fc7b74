"""A rule tried on the campaign's own households: on how many it would fire, which ones, and the facts that made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from campaigns.models import Campaign
from campaigns.questionnaire.conditions import Context
from campaigns.questionnaire.expression_wording import value_in_words
from campaigns.questionnaire.expressions import expression_of
from campaigns.questionnaire.schema import Questionnaire, Rule
from campaigns.questionnaire.symbols import symbols_of
from returns.acceptance import Doubt
from returns.answers import corrected, display_name
from returns.evidence import Evidence
from returns.models import Declaration, FieldReading, Finding, SupportingDocument, SurveyReturn
from returns.rules.dossier import Dossier, decisions_of
from returns.rules.facts import CaseFacts
from returns.rules.requirements import concerned, places
from tenants.models import SurveyCase
from tenants.prefill import known_rows, prefill_of

MOST = 1000  # households tried at once: a second or two of work, and figures good to a few points
CHUNK = 200
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Fact:
    """What a condition looked at on a case, in words."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class TriedCase:
    """A household on which the rule would fire; `who` names the occupant, '' for the household."""

    case: SurveyCase
    who: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would do on a campaign. `examined` of `total` households; `concerned`: its condition holds.

    `fired`: what it requires is not there either; `places` counts the occupants on whom it fires.
    """

    total: int
    examined: int
    answered: int
    concerned: int
    fired: int
    places: int
    shown: tuple[TriedCase, ...]

    @property
    def is_sample(self) -> bool:
        """Whether only some of the households were tried."""
        return self.examined < self.total

    @property
    def estimate(self) -> int:
        """On how many households of the whole campaign it would fire, as far as the sample tells."""
        return round(self.fired * self.total / self.examined) if self.examined else 0


@dataclass(slots=True)
class Running:
    """The figures of a trial that is being made; `shown` holds the case and the row of the first places."""

    examined: int = 0
    answered: int = 0
    concerned: int = 0
    fired: int = 0
    places: int = 0
    shown: list[tuple[int, int]] = field(default_factory=list)


def try_rule(*, campaign: Campaign, rule: Rule, form: Questionnaire, most: int = MOST) -> Trial:
    """Try a rule that `expression_types.check()` accepts on the households of a campaign; nothing is written.

    Beyond `most` households, those tried are taken at regular intervals of the campaign's file.
    """
    ids = case_ids(campaign)
    sample = _spread(ids, most)
    *_, told = (Running(), *examined(campaign=campaign, rule=rule, form=form, ids=sample))
    figures = (told.answered, told.concerned, told.fired, told.places)
    shown = retold(campaign=campaign, rule=rule, form=form, places=told.shown)
    return Trial(len(ids), len(sample), *figures, shown)


def case_ids(campaign: Campaign) -> list[int]:
    """The cases of a campaign, in the order of its file."""
    return list(SurveyCase.objects.filter(campaign=campaign).order_by("pk").values_list("pk", flat=True))


def examined(*, campaign: Campaign, rule: Rule, form: Questionnaire, ids: Sequence[int]) -> Iterator[Running]:
    """Try a rule on these cases: the figures so far, after each few hundred."""
    symbols, told = symbols_of(form), Running()
    for start in range(0, len(ids), CHUNK):
        chunk = SurveyCase.objects.filter(campaign=campaign, pk__in=ids[start : start + CHUNK])
        for case, dossier in dossiers_of(chunk, form):
            facts = CaseFacts(dossier, symbols)
            rows = concerned(rule, facts)
            fired = list(places(rule, facts)) if rows else []
            told.answered += bool(dossier.declared.answers)
            told.concerned += bool(rows)
            told.fired += bool(fired)
            told.places += len(fired)
            if fired and len(told.shown) < SHOWN:
                told.shown.append((case.pk, fired[0].row))
        told.examined = min(start + CHUNK, len(ids))
        yield told


def retold(
    *, campaign: Campaign, rule: Rule, form: Questionnaire, places: Sequence[Sequence[int]]
) -> tuple[TriedCase, ...]:
    """These cases, each with the facts that its condition looks at for that row."""
    if not places:
        return ()
    symbols = symbols_of(form)
    rows = {case_id: row for case_id, row in places}
    found = dossiers_of(SurveyCase.objects.filter(campaign=campaign, pk__in=rows), form)
    return tuple(_told(case, rule, CaseFacts(dossier, symbols), rows[case.pk]) for case, dossier in found)


def _spread(ids: Sequence[int], most: int) -> list[int]:
    if len(ids) <= most:
        return list(ids)
    return [ids[place * len(ids) // most] for place in range(most)]


def _told(case: SurveyCase, rule: Rule, facts: CaseFacts, row: int) -> TriedCase:
    return TriedCase(case, display_name(facts.dossier.context, row), tuple(_facts(rule, facts, row)))


def _facts(rule: Rule, facts: CaseFacts, row: int) -> Iterator[Fact]:
    """What the condition looked at; for a household, what it asks of occupants is told for each of them."""
    for name in expression_of(rule.expression).reads:
        symbol = facts.symbols[name]
        rows: Iterable[int] = facts.rows() if symbol.per_row and not row else (row,)
        yield Fact(symbol.label, " · ".join(value_in_words(facts.value(name, each), symbol) for each in rows))


def dossiers_of(cases: QuerySet[SurveyCase], form: Questionnaire) -> Iterator[tuple[SurveyCase, Dossier]]:
    """Each case with its dossier on that form, in the order of their ids, in a fixed number of queries."""
    kept = list(cases.for_letters().order_by("pk"))  # type: ignore[attr-defined]
    declarations = {each.case_id: each for each in Declaration.objects.filter(case__in=kept)}
    pieces = _grouped(SupportingDocument.objects.filter(case__in=kept).order_by("pk"))
    findings = _grouped(Finding.objects.filter(case__in=kept).decided())
    channels: dict[int, set[str]] = {}
    for case_id, channel in SurveyReturn.objects.filter(case__in=kept).values_list("case_id", "channel"):
        channels.setdefault(case_id, set()).add(channel)
    doubled: dict[int, set[tuple[str, int]]] = {}
    readings = FieldReading.objects.filter(survey_return__case__in=kept, reason=Doubt.TWO_BOXES)
    for case_id, key, row in readings.values_list("survey_return__case_id", "field", "row"):
        doubled.setdefault(case_id, set()).add((key, row))
    for case in kept:
        declaration = declarations.get(case.pk)
        declared = Context(
            answers=declaration.values() if declaration else {},
            reference_on=case.campaign.reference_on,
            prefill=prefill_of(case, form),
            facts=case.facts,
            known_rows=known_rows(case.household),
        )
        evidence = Evidence.of(pieces.get(case.pk, ()))
        income_year = case.campaign.year - 2
        yield (
            case,
            Dossier(
                questionnaire=form,
                declared=declared,
                context=corrected(declared, evidence, income_year=income_year),
                evidence=evidence,
                income_year=income_year,
                on_paper=channels.get(case.pk) == {SurveyCase.Channel.PAPER.value},
                doubled=frozenset(place for place in doubled.get(case.pk, ()) if declared.answers.get(place) is None),
                decisions=decisions_of(findings.get(case.pk, ())),
            ),
        )


def _grouped(rows: QuerySet[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for each in rows:
        found.setdefault(each.case_id, []).append(each)
    return found

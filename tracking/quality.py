"""What is behind the figures: what is missing most, what mailings brought, what machines and people read.

Read-only, each figure defined once, like `figures`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from campaigns.models import Campaign
from campaigns.questionnaire.schema import Questionnaire
from returns.answers import questionnaire_of
from returns.models import ComplementRequest, FieldReading, Finding, KeyingTask
from tenants import undelivered
from tenants.case_states import State
from tenants.models import SurveyCase
from tracking.figures import CurvePoint, Wave


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that keeps cases incomplete, and how many."""

    label: str
    cases: int


@dataclass(frozen=True, slots=True)
class Effect:
    """A mailing and the first answers that came from its day until the day before the next one."""

    wave: Wave
    until: dt.date | None
    answers: int


@dataclass(frozen=True, slots=True)
class ReadingQuality:
    """Filled fields of the scanned forms: kept as the machine read them, keyed by a person, still to key."""

    automatic: int
    keyed: int
    waiting: int

    @property
    def fields(self) -> int:
        """All the filled fields."""
        return self.automatic + self.keyed + self.waiting

    @property
    def automatic_rate(self) -> float | None:
        """Share of the filled fields that nobody had to look at."""
        return self.automatic / self.fields if self.fields else None


def missing_most(campaign: Campaign, *, limit: int = 6) -> list[Reason]:
    """The pieces and answers that keep the most cases incomplete today: blocking findings not settled."""
    lines = (
        Finding.objects.filter(case__campaign=campaign, case__state=State.INCOMPLETE)
        .filter(severity=Finding.Severity.BLOCKING, settled_at__isnull=True)
        .values_list("document", "field", "rule")
        .annotate(n=Count("case", distinct=True))
        .order_by("-n", "document", "field", "rule")[:limit]
    )
    form = _questionnaire(campaign)
    return [Reason(_called(form, document, field, rule), n) for document, field, rule, n in lines]


def complement_reasons(campaign: Campaign, *, limit: int = 10) -> list[Reason]:
    """What was asked most in the complement requests of the campaign, answered since or not: cases concerned."""
    requests = ComplementRequest.objects.filter(case__campaign=campaign).values_list("case", "items")
    found: Counter[tuple[str, str, str]] = Counter()
    asked: set[tuple[int, tuple[str, str, str]]] = set()
    for case, items in requests.iterator(chunk_size=2000):
        asked.update((case, (item.get("document", ""), item.get("field", ""), item.get("rule", ""))) for item in items)
    found.update(what for _, what in asked)
    form = _questionnaire(campaign)
    ranked = sorted(found.items(), key=lambda line: (-line[1], line[0]))[:limit]
    return [Reason(_called(form, *what), n) for what, n in ranked]


def complements(campaign: Campaign) -> tuple[int, int]:
    """How many complement requests were sent, and how many of them were answered."""
    told = ComplementRequest.objects.filter(case__campaign=campaign).aggregate(
        asked=Count("pk"), answered=Count("pk", filter=Q(answered_at__isnull=False))
    )
    return told["asked"], told["answered"]


def effects(waves: Sequence[Wave], curve: Sequence[CurvePoint]) -> list[Effect]:
    """What came between each mailing and the next. Mailings of one day share what came after them."""
    days = sorted({wave.day for wave in waves})
    ends: dict[dt.date, dt.date | None] = dict(zip(days, [*days[1:], None], strict=False))
    return [Effect(wave, ends[wave.day], sum(_answers(curve, since=wave.day, before=ends[wave.day]))) for wave in waves]


def _answers(curve: Sequence[CurvePoint], *, since: dt.date, before: dt.date | None) -> Iterator[int]:
    for point in curve:
        if since <= point.day and (before is None or point.day < before):
            yield point.answers


def reading_quality(campaign: Campaign) -> ReadingQuality:
    """The filled fields of the campaign's scanned forms, by what became of them."""
    doubts = KeyingTask.objects.filter(campaign=campaign, purpose=KeyingTask.Purpose.DOUBT)
    done = Q(state=KeyingTask.State.DONE)
    told = doubts.aggregate(keyed=Count("pk", filter=done), waiting=Count("pk", filter=~done))
    filled = FieldReading.objects.filter(survey_return__case__campaign=campaign, inked=True)
    automatic = filled.filter(~Exists(doubts.filter(reading=OuterRef("pk")))).count()
    return ReadingQuality(automatic=automatic, **told)


def undelivered_by_motive(campaign: Campaign) -> list[tuple[str, int]]:
    """Cases whose last letter came back, by motive in French, motives without any included."""
    lines = (
        SurveyCase.objects.for_campaign(campaign)
        .exclude(undelivered_reason="")
        .values_list("undelivered_reason")
        .annotate(n=Count("pk"))
    )
    found = dict(lines)
    return [(undelivered.EFFECTS[motive].label, found.get(motive.value, 0)) for motive in undelivered.Motive]


def _questionnaire(campaign: Campaign) -> Questionnaire | None:
    revision = campaign.current_revision
    return questionnaire_of(revision) if revision else None


def _called(form: Questionnaire | None, document: str, field: str, rule: str) -> str:
    """What the piece, the question or the rule is called in the form."""
    if form is None:
        return document or field or rule
    pieces = {each.key: each.label for each in form.documents}
    fields = {each.key: each.name for _, each in form.fields()}
    rules = {each.code: each.label or each.message for each in form.rules}
    return pieces.get(document) or fields.get(field) or rules.get(rule) or rule

"""What a household has typed and not sent yet: kept in the database at each page, so that any device may go on."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import transaction

from campaigns.questionnaire.conditions import Context
from campaigns.questionnaire.schema import Field, Questionnaire, Reader, Section
from campaigns.questionnaire.values import ERASABLE, ERASED
from returns.answers import Address, corrected, declaration_of, declared_context, is_asked, revision_of, rows_of
from returns.evidence import Evidence
from returns.models import Declaration, SupportingDocument
from returns.rules.dossier import Dossier
from tenants.models import SurveyCase

# Beside the answers, a draft keeps the way already made: pages confirmed, pieces that the household does not have now.
WAY = "_way"


@dataclass
class Draft:
    """The answers not sent yet, by address, over what was sent and what the landlord knew."""

    case: SurveyCase
    questionnaire: Questionnaire
    answers: dict[Address, Any] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)

    @cached_property
    def _base(self) -> Context:
        base = declared_context(self.case)
        facts = {**base.facts, "channel": self.case.channel or SurveyCase.Channel.ONLINE.value}
        return dataclasses.replace(base, facts=facts)

    @property
    def context(self) -> Context:
        """What conditions see."""
        return dataclasses.replace(self._base, answers={**self._base.answers, **self.answers})

    @property
    def dossier(self) -> Dossier:
        """What the rules would see if it were sent now, with the pieces already deposited."""
        evidence = Evidence.of(SupportingDocument.objects.filter(case=self.case).order_by("pk"))
        income_year = self.case.campaign.year - 2
        return Dossier(
            questionnaire=self.questionnaire,
            declared=self.context,
            context=corrected(self.context, evidence, income_year=income_year),
            evidence=evidence,
            income_year=income_year,
        )

    def put(self, row: int, values: Mapping[str, Any]) -> None:
        """Set the answers of one row; an answer that says what was already known is not kept.

        A text that was known and is emptied is an answer: ERASED.
        """
        for key, given in values.items():
            known = self.known(key, row)
            emptied = given is None and known is not None and self.questionnaire.find(key).type in ERASABLE
            value = ERASED if emptied else given
            if value is None or (type(value) is type(known) and value == known):
                self.answers.pop((key, row), None)
            else:
                self.answers[key, row] = value

    def known(self, key: str, row: int) -> Any:
        """What was sent or known before this draft."""
        return _value(self._base, key, row)

    def forget_row(self, row: int) -> None:
        """Take back a person added in this draft."""
        self.answers = {address: value for address, value in self.answers.items() if address[1] != row}
        self.seen = {step for step in self.seen if not step.endswith(f":{row}")}

    def is_added(self, row: int) -> bool:
        """Whether this draft alone knows that person."""
        return row not in self._base.rows()

    @property
    def next_row(self) -> int:
        """The row that a person added now would take."""
        return max(self.context.rows(), default=0) + 1

    def asked(self) -> dict[Address, Any]:
        """The answers of the questions that are really put, the way they stand: what is sent."""
        context = self.context
        wanted: dict[Address, Any] = {}
        for section in self.questionnaire.sections:
            for row in rows_of(section, context):
                seen = context.at_row(row)
                for each in section.fields:
                    if (each.key, row) in self.answers and is_asked(section, each, seen):
                        wanted[each.key, row] = self.answers[each.key, row]
        return wanted

    def questions(self, section: Section, row: int) -> list[Field]:
        """The questions of a section put on line at that row, as things stand."""
        seen = self.context.at_row(row)
        return [each for each in section.fields if each.shown_in(Reader.ONLINE) and is_asked(section, each, seen)]

    def stored(self) -> dict[str, Any]:
        """As the declaration keeps it: field → row → value, and the way."""
        told: dict[str, Any] = {WAY: {"seen": sorted(self.seen), "later": sorted(self.later)}}
        for (key, row), value in self.answers.items():
            told.setdefault(key, {})[str(row)] = value
        return told


def _value(context: Context, key: str, row: int) -> Any:
    value = context.answers.get((key, row))
    return context.prefill.get((key, row)) if value is None else value


def draft_of(case: SurveyCase) -> Draft:
    """The draft of a case, to look at."""
    declaration = Declaration.objects.filter(case=case).select_related("revision").first()
    questionnaire = declaration.revision.questionnaire if declaration else revision_of(case).questionnaire
    return _read(case, questionnaire, declaration.draft if declaration else {})


@contextmanager
def changing(case: SurveyCase, *, now: dt.datetime) -> Iterator[Draft]:
    """The draft of a case, to change: locked until the end, then kept. Two tabs never undo each other's page."""
    with transaction.atomic():
        declaration = declaration_of(case, lock=True)
        draft = _read(case, declaration.revision.questionnaire, declaration.draft)
        yield draft
        declaration.draft = draft.stored()
        declaration.updated_at = now
        declaration.save(update_fields=["draft", "updated_at"])


def _read(case: SurveyCase, questionnaire: Questionnaire, stored: Mapping[str, Any]) -> Draft:
    way = stored.get(WAY, {})
    keys = {each.key for _, each in questionnaire.fields()}
    answers = {(key, int(row)): value for key, rows in stored.items() if key in keys for row, value in rows.items()}
    return Draft(case, questionnaire, answers, set(way.get("seen", [])), set(way.get("later", [])))

"""What a case answers: the declaration over what the landlord knew, corrected by what signed pieces certify."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.db import IntegrityError, transaction

from campaigns.models import QuestionnaireRevision
from campaigns.questionnaire.conditions import Context, holds
from campaigns.questionnaire.schema import Field, Questionnaire, Section
from campaigns.questionnaire.values import ERASED
from returns.evidence import Evidence
from returns.models import Declaration
from tenants.models import SurveyCase
from tenants.prefill import prefill_of

Address = tuple[str, int]


class NoQuestionnaire(Exception):
    """The campaign has no questionnaire yet; the message says so in French."""


def revision_of(case: SurveyCase) -> QuestionnaireRevision:
    """The revision that the case answers: that of its declaration, else the campaign's. Raises NoQuestionnaire."""
    return _revision(case, found_declaration(case))


def _revision(case: SurveyCase, declaration: Declaration | None) -> QuestionnaireRevision:
    revision = declaration.revision if declaration is not None else case.campaign.current_revision
    if revision is None:
        raise NoQuestionnaire("La campagne n'a pas encore de questionnaire : préparez-le d'abord.")
    return revision


def questionnaire_of(revision: QuestionnaireRevision) -> Questionnaire:
    """The definition of a revision, parsed once per process: its fingerprint says whether it is still the same."""
    return questionnaire_numbered(revision.pk, revision.fingerprint)


@lru_cache(maxsize=64)
def questionnaire_numbered(pk: int, fingerprint: str) -> Questionnaire:
    """The same, for whoever knows of the revision only its number and its fingerprint."""
    return QuestionnaireRevision.objects.get(pk=pk).questionnaire


def found_declaration(case: SurveyCase, *, lock: bool = False) -> Declaration | None:
    """The declaration of the case with its revision, if it has one; locked until the transaction ends when asked."""
    declarations = Declaration.objects.select_for_update(of=("self",)) if lock else Declaration.objects
    found: Declaration | None = (
        declarations.select_related("revision").defer("revision__definition").filter(case=case).first()
    )
    return found


def declaration_of(
    case: SurveyCase, *, lock: bool = False, revision: QuestionnaireRevision | None = None
) -> Declaration:
    """The declaration of the case, made if need be of that revision; locked until the transaction ends when asked."""
    found = found_declaration(case, lock=lock)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return Declaration.objects.create(case=case, revision=revision or _revision(case, None))
    except IntegrityError:  # somebody else made it meanwhile
        return Declaration.objects.get(case=case)


def put(
    declaration: Declaration, address: Address, value: Any, *, known: Any, source: str, confidence: float = 1.0
) -> None:
    """Set one answer in memory; nothing, or what was already known, takes back what was answered before.

    `known` is the pre-filled value at that address: what is left as it was known is never copied.
    """
    key, row = address
    if value is None or (known is None and value == ERASED) or (type(value) is type(known) and value == known):
        declaration.take_back(key, row)
    else:
        declaration.record(key, row, value, source=source, confidence=confidence)


def context_of(case: SurveyCase) -> Context:
    """What conditions, rules and the restitution see: certified evidence, over declared, over known."""
    return effective(declared_context(case), case)


def declared_context(case: SurveyCase) -> Context:
    """The same before any evidence: what the household itself said."""
    return declared_in(found_declaration(case), case)[1]


def declared_in(declaration: Declaration | None, case: SurveyCase) -> tuple[Questionnaire, Context]:
    """The form that the case answers, and what was declared on it, from a declaration already read."""
    questionnaire = questionnaire_of(_revision(case, declaration))
    people = list(case.household.occupants.all())
    context = Context(
        answers=declaration.values() if declaration else {},
        reference_on=case.campaign.reference_on,
        prefill=prefill_of(case, questionnaire, people),
        facts=case.facts,
        known_rows=frozenset(person.row for person in people),
    )
    return questionnaire, context


def effective(declared: Context, case: SurveyCase) -> Context:
    """`declared` corrected by the signed pieces of the case."""
    evidence = Evidence.of(case.documents.all())
    return corrected(declared, evidence, income_year=case.campaign.year - 2)


def corrected(declared: Context, evidence: Evidence, *, income_year: int) -> Context:
    """`declared` with the values that verified signatures certify in place of what was declared."""
    certified = evidence.certified_answers(declared, income_year)
    return dataclasses.replace(declared, answers={**declared.answers, **certified}) if certified else declared


def with_answers(context: Context, answers: Mapping[Address, Any]) -> Context:
    """The same case with other answers."""
    return dataclasses.replace(context, answers=answers)


def is_asked(section: Section, field: Field, context: Context) -> bool:
    """Whether the question is put at the row that `context` looks at."""
    return holds(section.row_if, context) and holds(field.visible_if, context)


def rows_of(section: Section, context: Context) -> tuple[int, ...]:
    """The rows where a section is answered: 0 for the household, else the occupants in use."""
    return context.rows() if section.repeated else (0,)


def display_name(context: Context, row: int) -> str:
    """The first name and name of an occupant as answered or known; '' for the household."""
    if not row:
        return ""
    seen = context.at_row(row)
    told = " ".join(str(seen.value(f"occupant.{part}") or "") for part in ("first_name", "last_name")).strip()
    return told or f"Personne {row}"

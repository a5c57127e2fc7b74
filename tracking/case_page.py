"""Everything one page says of a case: where it stands in a sentence, what is missing, answers, pieces, mail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from campaigns.legal import law_of
from campaigns.questionnaire.schema import Field, Questionnaire, Reader
from campaigns.questionnaire.values import FieldValueError, show
from returns.answers import NoQuestionnaire, display_name, is_asked, rows_of
from returns.completeness import MissingItem, documents_expected, is_waiting, items_of
from returns.models import Declaration, SupportingDocument
from returns.models.declarations import Source
from returns.next_step import NextStep, next_step
from returns.rules.dossier import Dossier, dossier_of
from returns.sheet_readings import SAID, is_sensitive
from returns.unread import unread_of
from tenants.case_states import State
from tenants.models import SurveyCase


@dataclass(frozen=True, slots=True)
class Answer:
    """One question: what the landlord knew, what the household declared, and how we know it."""

    label: str
    known: str
    declared: str
    source: str
    confidence: float | None
    changed: bool
    before: tuple[tuple[str, str], ...] = ()  # answers that another replaced, and how each was told; oldest first

    @property
    def doubtful(self) -> bool:
        """Whether a machine was less than sure."""
        return self.confidence is not None and self.confidence < 0.95


@dataclass(frozen=True, slots=True)
class Group:
    """The answers of a section for one row; `who` is '' for the household."""

    title: str
    who: str
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class Piece:
    """A pièce justificative that is expected, that came, or both; `document` is None when it has not come."""

    label: str
    who: str
    expected: bool
    document: SupportingDocument | None


@dataclass(frozen=True, slots=True)
class Content:
    """What a case holds once its form is known; all empty before. `unread`: question and person nobody could read."""

    missing: list[MissingItem]
    groups: list[Group]
    pieces: list[Piece]
    waiting: bool
    unread: list[tuple[str, str]]


def content_of(case: SurveyCase, *, sensitive: bool) -> Content:
    """What the case holds; without `sensitive`, incomes and tax numbers are only said to be there."""
    try:
        dossier = dossier_of(case)
    except NoQuestionnaire:
        return Content([], [], [], waiting=False, unread=[])
    answered = State(case.state) in {State.RECEIVED, State.INCOMPLETE}
    return Content(
        missing=items_of(dossier) if answered else [],
        groups=list(_groups(case, dossier, sensitive=sensitive)),
        pieces=list(_pieces(case, dossier)),
        waiting=answered and is_waiting(case),
        unread=[
            (dossier.questionnaire.find(field).name, display_name(dossier.context, row))
            for field, row in unread_of(case)
        ],
    )


def next_of(case: SurveyCase, today: dt.date) -> NextStep | None:
    """What is due next for the case, by whom and by which rule; None when nothing is, or nothing tells it yet."""
    try:
        return next_step(case, law=law_of(case.campaign.landlord), today=today)
    except LookupError:
        return None


def _groups(case: SurveyCase, dossier: Dossier, *, sensitive: bool) -> Iterator[Group]:
    declaration = Declaration.objects.filter(case=case).first()
    told = declaration.answers if declaration else {}
    for section in dossier.questionnaire.sections:
        for row in rows_of(section, dossier.context):
            seen = dossier.context.at_row(row)
            fields = [each for each in section.fields if is_asked(section, each, seen) and _is_shown(each)]
            answers = [_answer(each, row, dossier, told, sensitive=sensitive) for each in fields]
            if declaration:
                answers = [
                    replace(each, before=_before(field, row, declaration, sensitive=sensitive))
                    for field, each in zip(fields, answers, strict=True)
                ]
            kept = [each for each in answers if each.known or each.declared or each.before]
            if kept:
                yield Group(section.title, display_name(dossier.context, row), kept)


def _is_shown(field: Field) -> bool:
    return field.hidden_in < {Reader.PAPER, Reader.ONLINE} or not field.hidden_in


def _answer(field: Field, row: int, dossier: Dossier, told: dict[str, Any], *, sensitive: bool) -> Answer:
    known = dossier.declared.prefill.get((field.key, row))
    entry = told.get(field.key, {}).get(str(row), {})
    value, source = entry.get("value"), entry.get("source", "")
    certified = dossier.context.answers.get((field.key, row))
    if certified is not None and certified != value:
        value, source, entry = certified, Source.CERTIFIED.value, {}
    return Answer(
        label=field.name,
        known=_shown(field, known, sensitive=sensitive),
        declared=_shown(field, value, sensitive=sensitive),
        source=Source(source).label if source in Source.values else "",
        confidence=entry.get("confidence") if source == Source.READING else None,
        changed=value is not None and known is not None and value != known,
    )


def _before(field: Field, row: int, declaration: Declaration, *, sensitive: bool) -> tuple[tuple[str, str], ...]:
    return tuple(
        (_shown(field, told["value"], sensitive=sensitive), Source(told["source"]).label)
        for told in declaration.replaced_at(field.key, row)
    )


def _shown(field: Field, value: Any, *, sensitive: bool) -> str:
    if value is None:
        return ""
    if not sensitive and is_sensitive(field):
        return SAID
    try:
        return show(field, value)
    except FieldValueError:
        return str(value)


def _pieces(case: SurveyCase, dossier: Dossier) -> Iterator[Piece]:
    """Those expected, come or not, then those that nobody asked for."""
    came = list(dossier.evidence.documents)
    refused = case.documents.filter(state=SupportingDocument.State.REFUSED).order_by("pk")
    everything = [*came, *refused]
    used: set[int] = set()
    expected = documents_expected(dossier)
    for kind in {document.key: document for document, _ in expected}.values():
        rows = [row for document, row in expected if document.key == kind.key]
        covered = dossier.evidence.covered(kind.key, rows, dossier.context)
        for row in rows:
            proof = _proof(everything, kind.key, row, used) if row in covered or not row else None
            if proof is not None:
                used.add(proof.pk)
            if proof is not None or row not in covered:
                yield Piece(kind.label, display_name(dossier.context, row), expected=True, document=proof)
    for document in everything:
        if document.pk not in used:
            label = _called(dossier.questionnaire, document.kind)
            yield Piece(label, display_name(dossier.context, document.row), expected=False, document=document)


def _proof(documents: list[SupportingDocument], kind: str, row: int, used: set[int]) -> SupportingDocument | None:
    """The piece of that kind for that occupant, else one that names nobody, each used once."""
    free = [each for each in documents if each.kind == kind and each.pk not in used]
    own = [each for each in free if each.row == row]
    return next(iter([*own, *(each for each in free if not each.row)]), None)


def _called(questionnaire: Questionnaire, kind: str) -> str:
    try:
        return questionnaire.document(kind).label
    except KeyError:
        return "Pièce à identifier"

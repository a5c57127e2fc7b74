"""Where a landlord's own rule fires: its condition holds, and what it requires is not there (yet)."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.questionnaire.expressions import Expression, expression_of
from campaigns.questionnaire.schema import Requires, Rule
from campaigns.questionnaire.values import ERASED
from returns.answers import is_asked
from returns.rules.checks import Place
from returns.rules.facts import CaseFacts


def concerned(rule: Rule, facts: CaseFacts) -> list[int]:
    """The rows of which the rule's condition is true; [0] when it holds for the household."""
    expression = expression_of(rule.expression)
    rows = facts.rows() if rule.repeat else (0,)
    return [row for row in rows if expression.holds(facts, row)]


def places(rule: Rule, facts: CaseFacts) -> Iterator[Place]:
    """Where the rule fires, in the order of the occupants."""
    rows = concerned(rule, facts)
    if not rows:
        return
    expression = expression_of(rule.expression)
    for row in rows:
        if not _is_met(rule, facts, row, rows):
            pending = _is_pending(rule, facts, row, expression)
            yield Place(row=row, field=rule.field_key, document=rule.document_key, pending=pending)


def _is_met(rule: Rule, facts: CaseFacts, row: int, rows: list[int]) -> bool:
    dossier = facts.dossier
    match rule.requires:
        case Requires.FIELD:
            return not _is_blank(rule.field_key, facts, row)
        case Requires.DOCUMENT if not rule.repeat:
            return dossier.evidence.has(rule.document_key)
        case Requires.DOCUMENT:
            return row in dossier.evidence.covered(rule.document_key, rows, dossier.context)
        case Requires.CONFIRMATION:
            decision = dossier.decisions.get((rule.code, row))
            seen = facts.digest(expression_of(rule.expression), row)
            return decision is not None and decision.confirmed and decision.digest == seen
        case _:
            return False


def _is_blank(key: str, facts: CaseFacts, row: int) -> bool:
    """Whether the question is asked there and has no answer."""
    seen = facts.dossier.context.at_row(row)
    section, field = next(each for each in facts.dossier.questionnaire.fields() if each[1].key == key)
    return is_asked(section, field, seen) and seen.value(key) in (None, ERASED)


def _is_pending(rule: Rule, facts: CaseFacts, row: int, expression: Expression) -> bool:
    """Whether nobody has said yet what to think of it, or said so of other facts."""
    if rule.requires is not Requires.CONFIRMATION:
        return False
    decision = facts.dossier.decisions.get((rule.code, row))
    return decision is None or decision.digest != facts.digest(expression, row)

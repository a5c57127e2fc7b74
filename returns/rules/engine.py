"""Runs the règles de gestion of a case's questionnaire: opens what fires, settles what no longer does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction

from campaigns.questionnaire.conditions import holds
from campaigns.questionnaire.schema import Rule
from returns.answers import Address, declaration_of
from returns.models import FieldReading, Finding, KeyingEntry, KeyingTask
from returns.rules.checks import CHECKS, Place, erases, forbidden_places
from returns.rules.dossier import Dossier, dossier_of
from returns.rules.facts import CaseFacts
from returns.rules.requirements import places
from tenants.models import SurveyCase


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule that fires at one place; `message` is what the household reads."""

    rule: Rule
    place: Place

    @property
    def message(self) -> str:
        """The rule's words, completed by what the check adds."""
        return f"{self.rule.message} {self.place.note}".strip()

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What makes it one finding: rule, field, document, row."""
        return self.rule.code, self.place.field, self.place.document, self.place.row


def firings(dossier: Dossier) -> list[Firing]:
    """What fires, in the order of the rules, then of the occupants."""
    facts = CaseFacts(dossier)
    return [Firing(rule, place) for rule in dossier.questionnaire.rules for place in _places(rule, facts)]


def _places(rule: Rule, facts: CaseFacts) -> Iterator[Place]:
    dossier = facts.dossier
    if rule.expression:
        yield from places(rule, facts)
        return
    for row in dossier.context.rows() if rule.repeat else (0,):
        if rule.check:
            yield from CHECKS[rule.check](dossier, rule, row)
        elif holds(rule.when, dossier.context.at_row(row)):
            yield Place(row=row, field=rule.field_key, document=rule.document_key)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the rules say of a case: the findings that stand, the blocking ones first; `fired` on `dossier`."""

    standing: list[Finding]
    dossier: Dossier
    fired: list[Firing]


def assess(*, case: SurveyCase, now: dt.datetime) -> Assessment:
    """Bring the findings of the case up to date.

    What may not be kept (a social security number, a nationality) is erased at once, and its finding settled; the
    dossier returned is then the one without it.
    """
    with transaction.atomic():
        findings = list(Finding.objects.filter(case=case))
        dossier = dossier_of(case, findings=findings)
        firing = firings(dossier)
        forbidden = set(forbidden_places(dossier))
        _erase(case, forbidden, now=now)
        standing = _brought_up_to_date(case, findings, firing, now=now)
        if forbidden:
            dossier = dossier_of(case)
            firing = firings(dossier)
    return Assessment(standing, dossier, firing)


def _brought_up_to_date(
    case: SurveyCase, findings: list[Finding], firing: list[Firing], *, now: dt.datetime
) -> list[Finding]:
    """The findings as what fires makes them, written; those that stand, the blocking ones first."""
    fired = {each.key: each for each in firing}
    erased = {key for key, each in fired.items() if erases(each.rule)}
    known = {(each.rule, each.field, each.document, each.row): each for each in findings}
    for key, each in fired.items():
        known[key] = _opened(known.get(key), each, case=case, now=now, settled=now if key in erased else None)
    for key, finding in known.items():
        if key not in fired and finding.settled_at is None:
            finding.settled_at = now
            finding.save(update_fields=["settled_at"])
    standing = [finding for finding in known.values() if finding.settled_at is None]
    order = {severity: place for place, severity in enumerate(Finding.Severity.values)}
    return sorted(standing, key=lambda finding: (order[finding.severity], finding.rule, finding.row))


def _opened(
    finding: Finding | None, firing: Firing, *, case: SurveyCase, now: dt.datetime, settled: dt.datetime | None
) -> Finding:
    rule, field, document, row = firing.key
    awaited = Finding.Confirmation.AWAITED
    confirmation = awaited if firing.place.pending else Finding.Confirmation.NONE
    if finding is not None and finding.confirmation != awaited and not firing.place.pending:
        confirmation = Finding.Confirmation(finding.confirmation)
    if finding is None:
        finding = Finding(case=case, rule=rule, field=field, document=document, row=row, found_at=now)
    elif finding.settled_at is not None:
        finding.found_at = now
    unchanged = (
        finding.pk
        and finding.settled_at == settled
        and finding.message == firing.message
        and finding.severity == firing.rule.severity.value
        and finding.confirmation == confirmation
    )
    if not unchanged:
        finding.severity, finding.message = firing.rule.severity.value, firing.message
        finding.settled_at, finding.confirmation = settled, confirmation
        finding.save()
    return finding


def _erase(case: SurveyCase, addresses: set[Address], *, now: dt.datetime) -> None:
    """Wipe what we may not keep from everything that was typed or read; the case's history says that it was done."""
    if not addresses:
        return
    declaration = declaration_of(case, lock=True)
    for key, row in addresses:
        for told in (declaration.answers, declaration.draft):
            if isinstance(told.get(key), dict):
                told[key].pop(str(row), None)
        declaration.replaced = [each for each in declaration.replaced if (each["field"], each["row"]) != (key, row)]
        FieldReading.objects.filter(survey_return__case=case, field=key, row=row).update(value=None)
        KeyingTask.objects.filter(survey_return__case=case, field=key, row=row).update(held=None)
        KeyingEntry.objects.filter(task__survey_return__case=case, task__field=key, task__row=row).update(value=None)
    declaration.version += 1
    declaration.updated_at = now
    declaration.save(update_fields=["answers", "replaced", "draft", "version", "updated_at"])
    case.tell("forbidden_data_erased", now=now, data={"fields": sorted(key for key, _ in addresses)})

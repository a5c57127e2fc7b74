"""Rules that wait for one of our people: confirmed, they no longer fire; refused, the household is asked."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from campaigns.models import Campaign, User
from campaigns.questionnaire.expressions import expression_of
from returns.completeness import settle
from returns.models import Finding
from returns.rules.dossier import dossier_of
from returns.rules.facts import CaseFacts


class UnableToConfirm(Exception):
    """Nothing waits for that decision; the message says why."""


def to_confirm(campaign: Campaign) -> QuerySet[Finding]:
    """The findings of a campaign that wait for one of our people, oldest first."""
    waiting = Finding.objects.filter(case__campaign=campaign).awaited()
    return waiting.select_related("case__campaign__landlord", "case__household").order_by("found_at", "pk")


def confirm(*, finding: Finding, actor: User, now: dt.datetime, comment: str = "") -> Finding:
    """What the rule watches for is right: it no longer fires, as long as the answers stay the same."""
    return _decide(finding, Finding.Confirmation.CONFIRMED, actor=actor, now=now, comment=comment)


def refuse(*, finding: Finding, actor: User, now: dt.datetime, comment: str) -> Finding:
    """It is not right: the rule fires, and asks the household when it is blocking. `comment` says what was seen."""
    if not comment.strip():
        raise UnableToConfirm("Dites en quelques mots ce que vous avez constaté : cela reste dans l'historique.")
    return _decide(finding, Finding.Confirmation.REFUSED, actor=actor, now=now, comment=comment)


def _decide(
    finding: Finding, decision: Finding.Confirmation, *, actor: User, now: dt.datetime, comment: str
) -> Finding:
    if not actor.may_manage:
        raise UnableToConfirm("Seul un chargé d'affaires décide de cette règle.")
    with transaction.atomic():
        locked = Finding.objects.select_for_update(of=("self",)).select_related("case__campaign").get(pk=finding.pk)
        if locked.settled_at is not None or locked.confirmation != Finding.Confirmation.AWAITED:
            raise UnableToConfirm("Cette règle n'attend plus de décision sur ce dossier.")
        dossier = dossier_of(locked.case)
        rule = next((each for each in dossier.questionnaire.rules if each.code == locked.rule), None)
        if rule is None or not rule.expression:
            raise UnableToConfirm("Cette règle n'est plus dans le questionnaire de ce dossier.")
        locked.facts_digest = CaseFacts(dossier).digest(expression_of(rule.expression), locked.row)
        locked.confirmation, locked.comment = decision, comment.strip()[:300]
        locked.confirmed_at, locked.confirmed_by = now, actor
        locked.save(update_fields=["facts_digest", "confirmation", "comment", "confirmed_at", "confirmed_by"])
        data = {"rule": locked.rule, "row": locked.row, "decision": decision.value}
        locked.case.tell("rule_decided", now=now, actor=actor, data=data)
        settle(case=locked.case, now=now, actor=actor)
    return locked

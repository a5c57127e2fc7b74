"""Encoding a landlord's règles de gestion: checked at save, kept in versions, part of the form that the BAT freezes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from campaigns.models import Campaign, LandlordRule, RuleLine, RuleVersion, User
from campaigns.questionnaire import overlay
from campaigns.questionnaire.expression_text import ExpressionError
from campaigns.questionnaire.expression_types import check
from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import WORD, WORDS, Questionnaire, Requires, Rule, Severity
from campaigns.questionnaire.symbols import symbols_of
from campaigns.rule_document import DocumentLine

CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,19}")
LONGEST_LABEL, LONGEST_MESSAGE, LONGEST_REASON = 120, 450, 300
MOST_RULES = 300


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """What is wrong in one entry of a rule; `column` (from 1) where it is a condition, `nearest` what may be meant."""

    entry: str
    message: str
    column: int = 0
    nearest: tuple[str, ...] = ()


class UnableToEncode(Exception):
    """The rule can't be kept; `problems` says why, entry by entry, in French."""

    def __init__(self, problems: Sequence[RuleProblem]) -> None:
        super().__init__(" ".join(each.message for each in problems))
        self.problems = tuple(problems)


def own_rules(campaign: Campaign) -> list[RuleVersion]:
    """The landlord's rules in force, by code: the last version of each that is not withdrawn."""
    rules = campaign.rules.prefetch_related("versions").order_by("code")
    return [rule.current for rule in rules if not rule.current.withdrawn]


def drafted_form(campaign: Campaign) -> Questionnaire:
    """The form as the landlord wants it today, its own rules included, before the words of the year.

    Raises DefinitionError when the landlord's differences can't be applied.
    """
    form = overlay.apply(load_library(campaign.survey), campaign.overlay)
    return overlay.with_rules(form, [each.definition for each in own_rules(campaign)])


def problems_of(rule: Rule, form: Questionnaire) -> list[RuleProblem]:
    """Everything wrong in a rule for that form, entry by entry; an empty list when it may be kept."""
    found = []
    if not CODE.fullmatch(rule.code):
        told = "Donnez un code de 20 signes au plus : capitales, chiffres et traits, par exemple RG02."
        found.append(RuleProblem("code", told))
    for entry, text, longest in (("label", rule.label, LONGEST_LABEL), ("message", rule.message, LONGEST_MESSAGE)):
        if not text.strip():
            found.append(RuleProblem(entry, "Écrivez quelques mots : ils s'affichent là où la règle se déclenche."))
        elif len(text) > longest:
            found.append(RuleProblem(entry, f"Raccourcissez ce texte : {len(text)} signes pour {longest} au plus."))
    unknown = sorted(set(WORD.findall(f"{rule.label} {rule.message}")) - WORDS)
    if unknown:
        told = f"Le mot « {{{unknown[0]}}} » n'est rempli par personne ; connus : {', '.join(sorted(WORDS))}."
        found.append(RuleProblem("message", told))
    return [*found, *_of_expression(rule, form), *_of_requirement(rule, form)]


def _of_expression(rule: Rule, form: Questionnaire) -> list[RuleProblem]:
    try:
        check(rule.expression, symbols_of(form), per_row=bool(rule.repeat))
    except ExpressionError as error:
        return [RuleProblem("expression", str(error), error.column, error.nearest)]
    return []


def _of_requirement(rule: Rule, form: Questionnaire) -> list[RuleProblem]:
    """The question or the piece exists, and repeats as the rule does."""
    fields = {field.key: section.repeat for section, field in form.fields()}
    documents = {document.key: document.repeat for document in form.documents}
    found = []
    for entry, wanted, key, shapes, called in (
        ("field_key", Requires.FIELD, rule.field_key, fields, "la question"),
        ("document_key", Requires.DOCUMENT, rule.document_key, documents, "la pièce"),
    ):
        if key and key not in shapes:
            found.append(RuleProblem(entry, f"« {key} » n'existe pas : choisissez dans la liste."))
        elif key and shapes[key] != rule.repeat:
            scope = "par occupant" if shapes[key] else "pour le foyer"
            told = f"{called.capitalize()} choisie se demande {scope} : changez la portée de la règle."
            found.append(RuleProblem(entry, told))
        elif not key and rule.requires is wanted:
            found.append(RuleProblem(entry, f"Choisissez {called} que la règle exige."))
    return found


@transaction.atomic
def encode_rule(*, campaign: Campaign, rule: Rule, actor: User, now: dt.datetime) -> RuleVersion:
    """Save a rule: a new version of that code, or the last one when nothing changed.

    Forms already approved keep the rules they were approved with. Raises UnableToEncode with every problem.
    """
    _refuse_outsider(actor)
    problems = problems_of(rule, drafted_form(campaign))
    if problems:
        raise UnableToEncode(problems)
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    if campaign.rules.count() >= MOST_RULES:
        raise UnableToEncode([RuleProblem("code", f"Une campagne compte {MOST_RULES} règles au plus.")])
    owner, _ = LandlordRule.objects.get_or_create(campaign=campaign, code=rule.code)
    last = owner.versions.order_by("-number").first()
    if last is not None and not last.withdrawn and last.definition == rule:
        return last
    return RuleVersion.objects.create(
        rule=owner,
        number=last.number + 1 if last else 1,
        label=rule.label,
        per_occupant=bool(rule.repeat),
        expression=rule.expression,
        requires=rule.requires.value,
        field_key=rule.field_key,
        document_key=rule.document_key,
        severity=rule.severity.value,
        message=rule.message,
        saved_at=now,
        saved_by=actor,
    )


@transaction.atomic
def withdraw_rule(*, campaign: Campaign, code: str, actor: User, now: dt.datetime) -> RuleVersion:
    """The rule no longer counts, and its history stays. Raises UnableToEncode when there is none."""
    _refuse_outsider(actor)
    owner = campaign.rules.filter(code=code).first()
    if owner is None or owner.current.withdrawn:
        raise UnableToEncode([RuleProblem("code", f"La règle « {code} » n'est pas encodée ici.")])
    last = owner.current
    last.pk, last.number, last.withdrawn, last.saved_at, last.saved_by = None, last.number + 1, True, now, actor
    last._state.adding = True
    last.save(force_insert=True)
    return last


@transaction.atomic
def switch_library_rule(*, campaign: Campaign, code: str, on: bool, actor: User, now: dt.datetime) -> None:
    """Leave a rule of the model out of this campaign, or take it back; the landlord's differences hold it.

    Raises UnableToEncode when the model has no such rule.
    """
    _refuse_outsider(actor)
    if code not in {rule.code for rule in load_library(campaign.survey).rules}:
        raise UnableToEncode([RuleProblem("code", f"Le modèle n'a pas de règle « {code} ».")])
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    rules = {name: dict(told) for name, told in locked.overlay.get("rules", {}).items()}
    rules.pop(code, None) if on else rules.update({code: {"off": True}})
    changed = {name: told for name, told in locked.overlay.items() if name != "rules"}
    campaign.overlay = changed | ({"rules": rules} if rules else {})
    campaign.save(update_fields=["overlay"])


@transaction.atomic
def decide_line(
    *,
    campaign: Campaign,
    line: DocumentLine,
    codes: Sequence[str],
    reason: str,
    actor: User,
    now: dt.datetime,
) -> RuleLine:
    """Say what became of a line of the landlord's document: encoded by these rules, or, without any, why not.

    Raises UnableToEncode: an unknown code, or neither a rule nor a reason.
    """
    _refuse_outsider(actor)
    known = {rule.code for rule in drafted_form(campaign).rules}
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise UnableToEncode([RuleProblem("codes", f"La règle « {unknown[0]} » n'existe pas dans cette campagne.")])
    if not codes and not reason.strip():
        raise UnableToEncode([RuleProblem("reason", "Indiquez les règles qui l'encodent, ou pourquoi sans objet.")])
    decision = RuleLine.Decision.ENCODED if codes else RuleLine.Decision.NOT_APPLICABLE
    told = {
        "decision": decision,
        "codes": list(dict.fromkeys(codes)),
        "reason": reason.strip()[:LONGEST_REASON],
        "decided_at": now,
        "decided_by": actor,
    }
    kept, _ = RuleLine.objects.update_or_create(campaign=campaign, digest=line.digest, defaults=told)
    return kept


def line_decisions(campaign: Campaign) -> dict[str, RuleLine]:
    """What was decided of the lines of the landlord's document, by the digest of each.

    A line encoded by a rule that is no longer in force is to be decided again.
    """
    known = {rule.code for rule in drafted_form(campaign).rules}
    lines = campaign.rule_lines.select_related("decided_by")
    return {line.digest: line for line in lines if not line.codes or set(line.codes) <= known}


def copy_rules(*, source: Campaign, target: Campaign, now: dt.datetime) -> None:
    """The landlord's rules in force, on another campaign of the same landlord: a rehearsal, or next year's."""
    for version in own_rules(source):
        owner, made = LandlordRule.objects.get_or_create(campaign=target, code=version.rule.code)
        if made:
            version.pk, version.rule, version.number, version.saved_at = None, owner, 1, now
            version._state.adding = True
            version.save(force_insert=True)


def rule_from(told: Mapping[str, str]) -> Rule:
    """The rule that a form's entries say, not judged yet; an unknown gravity or requirement becomes the first one."""
    severities, requirements = {each.value for each in Severity}, {each.value for each in Requires}
    return Rule(
        code=told.get("code", "").strip().upper(),
        severity=Severity(told["severity"]) if told.get("severity") in severities else Severity.BLOCKING,
        message=" ".join(told.get("message", "").split()),
        label=" ".join(told.get("label", "").split()),
        repeat="occupants" if told.get("per_occupant") == "yes" else "",
        field_key=told.get("field_key", "").strip(),
        document_key=told.get("document_key", "").strip(),
        expression=" ".join(told.get("expression", "").split()),
        requires=Requires(told["requires"]) if told.get("requires") in requirements else Requires.NOTE,
    )


def rule_from_line(line: DocumentLine, headings: Sequence[str]) -> Rule:
    """A rule begun from a line of the landlord's document: its code, subject and gravity where columns tell them."""
    told = {name.casefold(): cell for name, cell in zip(headings, line.cells, strict=False)}
    first = line.cells[0] if line.cells else ""
    code = told.get("code", first).strip().upper()
    gravities = {"bloquante": Severity.BLOCKING, "avertissement": Severity.WARNING, "info": Severity.INFO}
    return Rule(
        code=code if CODE.fullmatch(code) else "",
        severity=gravities.get(told.get("gravité", "").strip().casefold(), Severity.BLOCKING),
        message="",
        label=told.get("objet", "")[:LONGEST_LABEL],
    )


def _refuse_outsider(actor: User) -> None:
    if not actor.may_manage:
        raise UnableToEncode([RuleProblem("code", "Seul un chargé d'affaires encode les règles.")])

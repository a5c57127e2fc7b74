"""Running a campaign: opening it, drawing up its form, having it approved (BAT), sending, closing.

Each step is one transaction and raises an `OperationRefused` whose message says, in French, what to do.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns.code_tables import form_tables, pins_are_old, uncovered
from campaigns.covered import canonical, changed_letters, covered_by, digest_of, still_holds
from campaigns.law.timetable import breaches, default_calendar
from campaigns.legal import rules_of
from campaigns.models import (
    Campaign,
    FormProof,
    Landlord,
    LayoutVariant,
    Milestone,
    QuestionnaireRevision,
    User,
    codes_by_value,
    current_tables,
)
from campaigns.paper_form import layout as paper
from campaigns.questionnaire import consistency
from campaigns.questionnaire.difference import difference
from campaigns.questionnaire.parsing import parse
from campaigns.questionnaire.schema import DefinitionError, Questionnaire
from campaigns.rule_encoding import drafted_form

# Layouts are drawn up for households of 1 to so many people, the largest with further sheets; beyond, a household
# answers on line or with a case manager.
LARGEST_HOUSEHOLD = 23
LAYOUTS_KEPT = 64


class OperationRefused(Exception):
    """The step can't be done now; the message says why and what to do."""


class UnableToOpen(OperationRefused):
    """The campaign can't be opened, or its calendar can't be changed, like this."""


class UnableToDrawUp(OperationRefused):
    """The form is not acceptable; `problems` lists French sentences."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


class UnableToDecide(OperationRefused):
    """The proof can't be approved or refused by this person or in this state."""


class UnableToPrint(OperationRefused):
    """Nothing is approved, or what was approved is no longer what would be printed."""


class UnableToClose(OperationRefused):
    """The campaign can't be closed now."""


def open_campaign(  # noqa: PLR0913 - the kick-off sheet has that many lines
    *,
    landlord: Landlord,
    survey: str,
    year: int,
    opens_on: dt.date,
    reply_by: dt.date,
    closes_on: dt.date,
    now: dt.datetime,
    actor: User | None = None,
    rehearsal: bool = False,
    calendar: Mapping[str, dt.date] | None = None,
) -> Campaign:
    """A campaign with its calendar; `calendar` replaces proposed dates, milestone kind → day.

    Raises UnableToOpen for dates out of order, a calendar the law forbids, or a second campaign of the same year.
    """
    if actor is not None and not actor.may_manage:
        raise UnableToOpen("Seul un chargé d'affaires ouvre une campagne.")
    if survey not in Campaign.Survey.values:
        raise UnableToOpen(f"L'enquête « {survey} » n'existe pas : choisissez {', '.join(Campaign.Survey.values)}.")
    if not opens_on < reply_by <= closes_on:
        raise UnableToOpen("L'envoi précède la date limite de réponse, qui précède la clôture : corrigez les dates.")
    rules = rules_of(landlord)
    today = timezone.localdate(now)
    dates = default_calendar(opens_on, reply_by, closes_on, today=today, rules=rules) | dict(calendar or {})
    found = breaches(dates, rules)
    if found:
        raise UnableToOpen(" ".join(found))
    try:
        with transaction.atomic():
            campaign = Campaign.objects.create(
                landlord=landlord,
                survey=survey,
                year=year,
                opens_on=opens_on,
                reply_by=reply_by,
                closes_on=closes_on,
                rehearsal=rehearsal,
            )
            Milestone.objects.bulk_create(
                Milestone(campaign=campaign, kind=kind, due_on=day) for kind, day in dates.items()
            )
    except IntegrityError as error:
        raise UnableToOpen("Ce bailleur a déjà une campagne pour cette enquête et cette année.") from error
    return campaign


def complete_milestone(*, campaign: Campaign, kind: str, now: dt.datetime) -> None:
    """Write down that a milestone is done; the first time counts."""
    campaign.milestones.filter(kind=kind, done_at__isnull=True).update(done_at=now)


# ── The form ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def draw_up_revision(*, campaign: Campaign, now: dt.datetime) -> QuestionnaireRevision:
    """The campaign's form as its landlord wants it today: a new revision, or the last one when nothing has changed.

    Library + the landlord's differences + the year's words, checked, then laid out for every size of household, in
    both prints.
    Raises UnableToDrawUp with every problem.
    """
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    form = effective_form(campaign)
    told = canonical(form.as_tables())
    layouts = {(rows, large): _laid_out(told, rows, large) for rows in _capacities() for large in (False, True)}
    newest = campaign.revisions.order_by("-number").first()
    same = newest is not None and _says(newest, form.fingerprint, [tables for _, tables in layouts.values()])
    if newest is not None and same and not pins_are_old(newest):
        return newest
    revision = QuestionnaireRevision.objects.create(
        campaign=campaign,
        number=newest.number + 1 if newest else 1,
        definition=form.as_tables(),
        fingerprint=form.fingerprint,
    )
    LayoutVariant.objects.bulk_create(
        LayoutVariant(revision=revision, rows=rows, large=large, fingerprint=fingerprint, tables=tables)
        for (rows, large), (fingerprint, tables) in layouts.items()
    )
    return revision


@lru_cache(maxsize=LAYOUTS_KEPT)
def _laid_out(definition: str, rows: int, large: bool) -> tuple[str, dict[str, Any]]:
    """Fingerprint and tables of one layout of a definition in canonical JSON: forms are often drawn up as they were."""
    layout = paper.lay_out(parse(json.loads(definition)), rows, large=large)
    return layout.fingerprint, layout.as_tables()


def _capacities() -> list[int]:
    return sorted({paper.capacity_for(people) for people in range(1, LARGEST_HOUSEHOLD + 1)})


def effective_form(campaign: Campaign) -> Questionnaire:
    """The form as it would be drawn up now: library, differences, own rules, words. Raises UnableToDrawUp."""
    try:
        form = drafted_form(campaign).with_words(**campaign.words)
    except DefinitionError as error:
        raise UnableToDrawUp(error.problems) from error
    codes = codes_by_value(current_tables(campaign))
    problems = consistency.check(form, {table: set(codes) for table, codes in codes.items()})
    if problems:
        raise UnableToDrawUp(problems)
    return form


def _says(revision: QuestionnaireRevision, fingerprint: str, tables: list[dict[str, Any]]) -> bool:
    """Whether a revision holds just that definition and those layouts."""
    stored = [each.tables for each in revision.layouts.order_by("rows", "large")]
    return revision.fingerprint == fingerprint and canonical(stored) == canonical(tables)


def differences(*, before: QuestionnaireRevision, after: QuestionnaireRevision) -> list[str]:
    """What changes between two revisions, in French sentences for the person who signs."""
    return [each.line for each in difference(before.questionnaire, after.questionnaire)]


# ── The proof (BAT) ──────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def present_proof(
    *, revision: QuestionnaireRevision, document: bytes, now: dt.datetime, contents: Sequence[Mapping[str, Any]] = ()
) -> FormProof:
    """A proof for the landlord to sign; those still open for the campaign are replaced.

    `contents` tells what its pages show: `title`, `first` page, number of `pages`.
    """
    campaign = revision.campaign
    FormProof.objects.filter(revision__campaign=campaign, state=FormProof.State.OPEN).update(
        state=FormProof.State.REPLACED, decided_at=now
    )
    proof = FormProof(revision=revision, digest=digest_of(revision), covered=covered_by(revision))
    proof.contents = [dict(part) for part in contents]
    proof.document.save(f"bat-{campaign.pk}-r{revision.number}.pdf", ContentFile(document), save=False)
    proof.save()
    if campaign.stage == Campaign.Stage.PREPARATION:
        _advance(campaign, Campaign.Stage.PROOF)
    return proof


@transaction.atomic
def approve_proof(*, proof: FormProof, actor: User, now: dt.datetime, comment: str = "") -> FormProof:
    """The landlord signs: the revision is frozen, the campaign may be printed.

    By one of the landlord's users, or by a case manager who writes in `comment` how the landlord agreed.
    Raises UnableToDecide, also when what would be printed has changed since the proof was presented.
    """
    proof = _open_proof(proof, actor, comment)
    revision = proof.revision
    if not still_holds(proof):
        raise UnableToDecide(
            "Le formulaire, ses textes ou ses codes ont changé depuis ce BAT : présentez-en un nouveau."
        )
    FormProof.objects.filter(revision__campaign=revision.campaign, state=FormProof.State.APPROVED).update(
        state=FormProof.State.REPLACED
    )
    _decide(proof, FormProof.State.APPROVED, actor, now, comment)
    if revision.frozen_at is None:
        _freeze(revision, now)
    if revision.campaign.stage in {Campaign.Stage.PREPARATION, Campaign.Stage.PROOF}:
        _advance(revision.campaign, Campaign.Stage.APPROVED)
    complete_milestone(campaign=revision.campaign, kind=Milestone.Kind.PROOF, now=now)
    return proof


def _freeze(revision: QuestionnaireRevision, now: dt.datetime) -> None:
    """The definition never changes again, and the answers keep the codes that the landlord has seen."""
    tables = form_tables(revision.questionnaire, revision.campaign)
    missing = uncovered(revision.questionnaire, tables)
    if missing:
        raise UnableToDecide(" ".join(missing))
    revision.code_tables.set(tables)
    revision.frozen_at = now
    revision.save(update_fields=["frozen_at"])


@transaction.atomic
def refuse_proof(*, proof: FormProof, actor: User, now: dt.datetime, comment: str) -> FormProof:
    """The landlord wants something else; `comment` says what. Raises UnableToDecide."""
    if not comment.strip():
        raise UnableToDecide("Dites en quelques mots ce qui doit changer dans le formulaire.")
    proof = _open_proof(proof, actor, comment)
    _decide(proof, FormProof.State.REFUSED, actor, now, comment)
    return proof


def _open_proof(proof: FormProof, actor: User, comment: str) -> FormProof:
    """The proof, locked, if it is open and `actor` may decide on it."""
    locked = FormProof.objects.select_for_update().get(pk=proof.pk)
    campaign = locked.revision.campaign
    if actor.is_landlord and actor.landlord_id != campaign.landlord_id:
        raise UnableToDecide("Ce BAT est celui d'un autre bailleur.")
    if not actor.is_landlord and not actor.may_manage:
        raise UnableToDecide("Le BAT est décidé par le bailleur, ou par le chargé d'affaires en son nom.")
    if not actor.is_landlord and not comment.strip():
        raise UnableToDecide("Indiquez qui, chez le bailleur, a donné son accord, quand et comment.")
    if locked.state != FormProof.State.OPEN:
        raise UnableToDecide(f"Ce BAT est déjà {locked.get_state_display()} : rien à décider.")
    return locked


def _decide(proof: FormProof, state: FormProof.State, actor: User, now: dt.datetime, comment: str) -> None:
    proof.state, proof.decided_at, proof.decided_by, proof.comment = state, now, actor, comment.strip()
    proof.save(update_fields=["state", "decided_at", "decided_by", "comment"])


def approved_revision(campaign: Campaign) -> QuestionnaireRevision:
    """The revision to print. Raises UnableToPrint when no BAT is approved or when anything it covers has changed."""
    proof = _approved_proof(campaign)
    if proof is None:
        raise UnableToPrint("Aucun BAT n'est approuvé : présentez le formulaire au bailleur.")
    if not still_holds(proof):
        raise UnableToPrint(
            "Ce qui serait imprimé n'est plus ce que le bailleur a approuvé (formulaire, courriers, adresses, logo, "
            "règles) : présentez un nouveau BAT."
        )
    return proof.revision


def _approved_proof(campaign: Campaign) -> FormProof | None:
    approved = FormProof.objects.filter(revision__campaign=campaign, state=FormProof.State.APPROVED)
    return approved.select_related("revision__campaign__landlord").order_by("-decided_at").first()


def hold_to_letters(campaign: Campaign) -> None:
    """Raises UnableToPrint when a letter no longer has the text that the landlord approved."""
    proof = _approved_proof(campaign)
    if proof is not None and (changed := changed_letters(proof)):
        raise UnableToPrint(
            f"Ces courriers n'ont plus le texte que le bailleur a approuvé : {', '.join(changed)}. "
            "Présentez un nouveau BAT."
        )


# ── The field ────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def enter_field(*, campaign: Campaign, now: dt.datetime) -> None:
    """The forms are out. Does nothing the second time. Raises UnableToPrint when no BAT is approved."""
    current = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if current.stage == Campaign.Stage.APPROVED:
        _advance(campaign, Campaign.Stage.FIELD)
    elif current.stage != Campaign.Stage.FIELD:
        raise UnableToPrint(f"La campagne est « {current.get_stage_display()} » : elle ne peut pas partir.")
    complete_milestone(campaign=campaign, kind=Milestone.Kind.DISPATCH, now=now)


@transaction.atomic
def close_campaign(*, campaign: Campaign, now: dt.datetime, actor: User | None = None) -> Campaign:
    """Answers that come after this are late. Raises UnableToClose before the closing day or outside the field."""
    if actor is not None and not actor.may_manage:
        raise UnableToClose("Seul un chargé d'affaires clôt une campagne.")
    current = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if current.stage != Campaign.Stage.FIELD:
        raise UnableToClose(f"La campagne est « {current.get_stage_display()} » : il n'y a rien à clore.")
    if timezone.localdate(now) < current.closes_on:
        raise UnableToClose(f"La clôture est prévue le {current.closes_on:%d/%m/%Y} : attendez ce jour.")
    _advance(campaign, Campaign.Stage.CLOSED)
    complete_milestone(campaign=campaign, kind=Milestone.Kind.CLOSING, now=now)
    return campaign


def _advance(campaign: Campaign, stage: Campaign.Stage) -> None:
    campaign.stage = stage
    campaign.save(update_fields=["stage"])

"""What is due next for a dossier, by whom, when, and by which rule: no dossier is ever left without an answer.

Read from the state, the calendar, the law's dates and what waits for a person; never stored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.law.settings import Law
from campaigns.models import Campaign, Milestone
from returns.complements import open_request
from returns.completeness import is_waiting
from tenants.case_states import State
from tenants.legal_dates import SLS_SCOPES, LegalDates, legal_dates
from tenants.models import SurveyCase

MANAGER, OPERATOR, TENANT, LANDLORD = "chargé d'affaires", "opérateur de saisie", "locataire", "bailleur"
MACHINE, AGENT = "traitement automatique", "conseiller téléphonique"
CALENDAR = "calendrier de la campagne"
NOTICE_KINDS = frozenset({Milestone.Kind.FORMAL_NOTICE, Milestone.Kind.NON_RESPONSE})
FIELD = (
    Milestone.Kind.REMINDER_DIGITAL,
    Milestone.Kind.REMINDER_LETTER,
    Milestone.Kind.CONSTAT,
    Milestone.Kind.FORMAL_NOTICE,
    Milestone.Kind.NON_RESPONSE,
)


@dataclass(frozen=True, slots=True)
class NextStep:
    """`what` is due from `who`, on `due_on` (None: as soon as possible, or when it comes), because of `why`."""

    what: str
    who: str
    due_on: dt.date | None
    why: str


Milestones = Mapping[str, Milestone]


def next_step(case: SurveyCase, *, law: Law, today: dt.date, milestones: Milestones | None = None) -> NextStep | None:
    """What is due next; None when nothing is: the dossier was handed over, or is not to be surveyed.

    `milestones` are the campaign's by kind, when the caller has them. Raises LookupError when nothing explains what the
    dossier waits for: it is stuck, which no dossier may be.
    """
    state = State(case.state)
    if state in {State.RESTITUTED, State.OUT_OF_SCOPE}:
        return None
    known = milestones if milestones is not None else milestones_of(case.campaign)
    if state is State.PREPARED:
        return NextStep("Imprimer et envoyer le formulaire", MANAGER, _day(known, "dispatch"), CALENDAR)
    if state is State.COMPLETE:
        return NextStep("Restituer le dossier au bailleur", MANAGER, _day(known, "restitution"), CALENDAR)
    if state is State.NON_RESPONDENT:
        told = "Restituer le dossier comme non-répondant ; une réponse tardive reste acceptée"
        return NextStep(told, MANAGER, _day(known, "restitution"), "article L441-9, deuxième et troisième alinéas")
    if state is State.RECEIVED:
        return _in_treatment(case)
    if state is State.INCOMPLETE:
        return _incomplete(case, today)
    return _silent(case, known, legal_dates(case, law=law, today=today))


def milestones_of(campaign: Campaign) -> Milestones:
    """The milestones of a campaign by kind."""
    return {each.kind: each for each in campaign.milestones.all()}


def _in_treatment(case: SurveyCase) -> NextStep:
    if is_waiting(case):
        return NextStep(
            "Finir de lire la réponse : champs, feuilles ou pièces attendent", OPERATOR, None, "vidéo-codage"
        )
    return NextStep("Vérifier la réponse et dire ce qui manque", MACHINE, None, "règles de gestion")


def _incomplete(case: SurveyCase, today: dt.date) -> NextStep:
    request = open_request(case)
    if request is None:
        if is_waiting(case):
            return _in_treatment(case)
        raise LookupError(f"dossier {case.reference} : incomplet, et rien ne lui est demandé")
    number = f"demande de compléments n° {request.number}"
    if today <= request.due_on:
        return NextStep("Envoyer les compléments demandés", TENANT, request.due_on, number)
    if request.reminded_at is None:
        return NextStep("Rappeler les compléments", MACHINE, request.due_on + dt.timedelta(days=1), number)
    told = "Appeler le locataire ; sans suite, le dossier est restitué incomplet"
    return NextStep(told, AGENT, case.campaign.closes_on, number)


def _silent(case: SurveyCase, milestones: Milestones, dates: LegalDates) -> NextStep:
    if case.state == State.UNDELIVERED:
        return NextStep("Trouver la bonne adresse, puis renvoyer le courrier", LANDLORD, None, "pli non distribué")
    if dates.suspended:
        return NextStep("Décider de la reprise des délais", MANAGER, None, "délais suspendus")
    for kind in FIELD:
        milestone = milestones.get(kind)
        if (
            milestone is None
            or milestone.done_at is not None
            or (kind in NOTICE_KINDS and case.scope not in SLS_SCOPES)
        ):
            continue
        legal = {Milestone.Kind.FORMAL_NOTICE: dates.notice_from, Milestone.Kind.NON_RESPONSE: dates.non_response_from}
        explained = legal.get(kind)
        due_on = max(milestone.due_on, explained.date) if explained else milestone.due_on
        return NextStep(milestone.get_kind_display(), MACHINE, due_on, explained.source if explained else CALENDAR)
    if case.scope in SLS_SCOPES and case.formal_notice_at is None:
        day = dates.notice_from.date if dates.notice_from else None
        return NextStep("Préparer une vague de mise en demeure pour ce dossier", MANAGER, day, "article L441-9")
    if case.scope in SLS_SCOPES and dates.non_response_from is not None:
        why = dates.non_response_from
        return NextStep("Constater l'absence de réponse", MANAGER, why.date, why.source)
    return NextStep("Restituer le dossier sans réponse", MANAGER, _day(milestones, "restitution"), CALENDAR)


def _day(milestones: Milestones, kind: str) -> dt.date | None:
    milestone = milestones.get(kind)
    return milestone.due_on if milestone else None

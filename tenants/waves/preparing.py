"""Preparing a wave: its population, its channels, its limits. Nothing leaves before a second person has armed it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import Max

from campaigns.models import Campaign, Milestone, User
from tenants.case_states import SILENT
from tenants.models import Message, PostalService, Purpose, SurveyCase, Wave

EMAIL, SMS, LETTER = Message.Channel.EMAIL, Message.Channel.SMS, Message.Channel.LETTER
# What a wave may say, and its channels in their usual order.
CHANNELS: Mapping[str, tuple[str, ...]] = {
    Purpose.FORM: (LETTER,),
    Purpose.REMINDER_DIGITAL: (EMAIL, SMS, LETTER),
    Purpose.REMINDER_LETTER: (LETTER,),
    Purpose.FORMAL_NOTICE: (LETTER,),
}
# The milestones that are waves, and what each says.
MILESTONES: Mapping[str, Purpose] = {
    Milestone.Kind.REMINDER_DIGITAL: Purpose.REMINDER_DIGITAL,
    Milestone.Kind.REMINDER_LETTER: Purpose.REMINDER_LETTER,
    Milestone.Kind.FORMAL_NOTICE: Purpose.FORMAL_NOTICE,
}
MOST_PER_WEEK = 7
State = Wave.State


class UnableToPrepare(Exception):
    """The wave cannot be like this; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person decides of a wave. `left_out` maps a case's reference to the reason."""

    purpose: str
    scheduled_on: dt.date
    channels: Sequence[str] = ()
    consent_needed: Sequence[str] = ()
    postal_service: str = PostalService.SIMPLE
    agencies: Sequence[str] = ()
    states: Sequence[str] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    weekly_maximum: int = 2
    paper_percent: int = 30
    call_percent: int = 8


def prepare(*, campaign: Campaign, plan: Plan, now: dt.datetime, actor: User | None = None) -> Wave:
    """A wave to arm. Raises UnableToPrepare."""
    _check(campaign, plan)
    with transaction.atomic():
        wave = _new(campaign, plan.purpose, plan.scheduled_on, now, actor)
        _fill(wave, plan)
        wave.save()
    return wave


def change(*, wave: Wave, plan: Plan, now: dt.datetime, actor: User | None = None) -> Wave:
    """The wave becomes what the plan says; whoever changes it has prepared it. Raises UnableToPrepare once armed."""
    _check(wave.campaign, plan)
    with transaction.atomic():
        current = Wave.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=wave.pk)
        if current.state != State.PREPARED:
            raise UnableToPrepare(f"Cette vague est « {current.get_state_display()} » : elle ne se modifie plus.")
        if current.milestone and plan.purpose != current.purpose:
            raise UnableToPrepare("Cette vague est celle d'un jalon du calendrier : son objet ne change pas.")
        current.purpose, current.scheduled_on = plan.purpose, plan.scheduled_on
        current.prepared_by, current.prepared_at = actor, now
        _fill(current, plan)
        current.save()
    return current


def cancel(*, wave: Wave, now: dt.datetime, actor: User | None = None) -> int:
    """Stop a wave: what it queued and has not left is cancelled. Returns how many messages. Raises UnableToPrepare."""
    with transaction.atomic():
        changed = Wave.objects.filter(pk=wave.pk, state__in=[State.PREPARED, State.ARMED]).update(
            state=State.CANCELLED, finished_at=now
        )
        if not changed:
            raise UnableToPrepare("Cette vague est déjà terminée ou annulée.")
        waiting = Message.objects.select_for_update(of=("self",)).filter(sending_wave=wave, state=Message.State.QUEUED)
        stopped = list(waiting.select_related("case"))
        for message in stopped:
            told = {"message": message.pk, "channel": message.channel, "purpose": message.purpose}
            message.case.tell("message_cancelled", now=now, actor=actor, data=told)
        Message.objects.filter(pk__in=[message.pk for message in stopped]).update(
            state=Message.State.CANCELLED, explanation="La vague a été annulée."
        )
    wave.refresh_from_db()
    return len(stopped)


def of_milestone(*, milestone: Milestone, now: dt.datetime, save: bool = True) -> Wave:
    """The wave that carries out a step of the calendar, made when it is first asked for; unsaved with `save=False`."""
    campaign = milestone.campaign
    found = campaign.waves.filter(milestone=milestone.kind).first()
    if found is not None:
        return found
    purpose = MILESTONES[milestone.kind]
    if not save:
        wave = Wave(campaign=campaign, purpose=purpose, scheduled_on=milestone.due_on, prepared_at=now)
        wave.milestone, wave.channels = milestone.kind, list(CHANNELS[purpose])
        return wave
    try:
        with transaction.atomic():
            wave = _new(campaign, purpose, milestone.due_on, now, None)
            wave.milestone, wave.channels = milestone.kind, list(CHANNELS[purpose])
            wave.save()
    except IntegrityError:  # somebody else made it
        return campaign.waves.get(milestone=milestone.kind)
    return wave


def plan_of(wave: Wave) -> Plan:
    """What was decided of a wave, to be shown again or changed."""
    return Plan(
        purpose=wave.purpose,
        scheduled_on=wave.scheduled_on,
        channels=wave.channels,
        consent_needed=wave.consent_needed,
        postal_service=wave.postal_service,
        agencies=wave.agencies,
        states=wave.states,
        left_out=wave.left_out,
        weekly_maximum=wave.weekly_maximum,
        paper_percent=wave.paper_percent,
        call_percent=wave.call_percent,
    )


def _new(campaign: Campaign, purpose: str, day: dt.date, now: dt.datetime, actor: User | None) -> Wave:
    """The next wave of the campaign, unsaved; call it in a transaction."""
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    number = (campaign.waves.aggregate(Max("number"))["number__max"] or 0) + 1
    return Wave(campaign=campaign, number=number, purpose=purpose, scheduled_on=day, prepared_at=now, prepared_by=actor)


def _fill(wave: Wave, plan: Plan) -> None:
    wave.channels = list(plan.channels) or list(CHANNELS[plan.purpose])
    wave.consent_needed = [channel for channel in plan.consent_needed if channel in wave.channels]
    wave.postal_service = plan.postal_service
    wave.agencies, wave.states = sorted(plan.agencies), sorted(plan.states)
    wave.left_out = dict(plan.left_out)
    wave.weekly_maximum = plan.weekly_maximum
    wave.paper_percent, wave.call_percent = plan.paper_percent, plan.call_percent


def _check(campaign: Campaign, plan: Plan) -> None:
    if plan.purpose not in CHANNELS:
        raise UnableToPrepare("Une vague est un premier envoi, une relance ou une mise en demeure.")
    allowed = CHANNELS[plan.purpose]
    wrong = [channel for channel in plan.channels if channel not in allowed]
    if wrong or len(set(plan.channels)) != len(plan.channels):
        labels = ", ".join(Message.Channel(channel).label for channel in allowed)
        raise UnableToPrepare(f"Pour cet envoi, choisissez une fois chacun, dans l'ordre voulu, parmi : {labels}.")
    if plan.postal_service != PostalService.SIMPLE and plan.purpose != Purpose.FORMAL_NOTICE:
        raise UnableToPrepare("Seule une mise en demeure part en recommandé.")
    if not set(plan.states) <= set(SILENT):
        raise UnableToPrepare("Une vague ne s'adresse qu'à des foyers qui n'ont pas répondu.")
    if not 1 <= plan.weekly_maximum <= MOST_PER_WEEK:
        raise UnableToPrepare(f"Entre 1 et {MOST_PER_WEEK} envois par foyer et par semaine.")
    if not (0 <= plan.paper_percent <= 100 and 0 <= plan.call_percent <= 100):
        raise UnableToPrepare("Les réponses et les appels attendus se disent pour 100 foyers : entre 0 et 100.")
    if plan.scheduled_on < campaign.opens_on and plan.purpose != Purpose.FORM:
        raise UnableToPrepare(f"Une relance ne précède pas l'envoi des formulaires, le {campaign.opens_on:%d/%m/%Y}.")
    _check_left_out(campaign, plan.left_out)


def _check_left_out(campaign: Campaign, left_out: Mapping[str, str]) -> None:
    without_reason = sorted(reference for reference, reason in left_out.items() if not reason.strip())
    if without_reason:
        raise UnableToPrepare(f"Dites pourquoi le dossier {without_reason[0]} est écarté.")
    known = SurveyCase.objects.for_campaign(campaign).filter(reference__in=left_out)
    unknown = sorted(set(left_out) - set(known.values_list("reference", flat=True)))
    if unknown:
        raise UnableToPrepare(f"Le dossier {unknown[0]} n'existe pas dans cette campagne.")

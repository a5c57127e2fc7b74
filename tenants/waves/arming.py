"""Arming a wave: a second person, who types how many households will be told, takes the responsibility of sending."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from campaigns.models import Campaign, User
from tenants.models import Purpose, Wave
from tenants.waves.trial import Trial, try_out

State = Wave.State


class UnableToArm(Exception):
    """The wave cannot be armed by that person, in that state or with that count."""


def arm(*, wave: Wave, confirmed: str, now: dt.datetime, today: dt.date, actor: User) -> Trial:
    """Arm the wave if `confirmed`, as typed, is the number of households told today. Raises UnableToArm.

    The estimate is kept, to be held against the actual cost. Nothing is queued here.
    """
    with transaction.atomic():
        current = Wave.objects.select_for_update(of=("self",)).select_related("campaign__landlord").get(pk=wave.pk)
        _check(current, actor)
        trial = try_out(wave=current, today=max(today, current.scheduled_on), now=now)
        if trial.problem:
            raise UnableToArm(trial.problem)
        _check_count(trial, confirmed)
        current.state, current.armed_by, current.armed_at = State.ARMED, actor, now
        current.armed_count = trial.count
        current.estimate = [line.as_table() for line in trial.cost]
        current.save(update_fields=["state", "armed_by", "armed_at", "armed_count", "estimate"])
    wave.refresh_from_db()
    return trial


def arm_unattended(*, wave: Wave, now: dt.datetime) -> None:
    """Arm a wave without anybody: what a rehearsal does, whose households are invented."""
    Wave.objects.filter(pk=wave.pk, state=State.PREPARED).update(state=State.ARMED, armed_at=now)
    wave.refresh_from_db()


def _check(wave: Wave, actor: User) -> None:
    if not actor.may_manage:
        raise UnableToArm("Seul un chargé d'affaires arme une vague.")
    if wave.state != State.PREPARED:
        raise UnableToArm(f"Cette vague est « {wave.get_state_display()} » : elle ne s'arme plus.")
    if wave.prepared_by_id is None:
        raise UnableToArm("Personne n'a encore préparé cette vague : vérifiez-la et enregistrez-la d'abord.")
    if wave.prepared_by_id == actor.pk:
        raise UnableToArm("Vous avez préparé cette vague : une autre personne doit l'armer.")
    stages = {Campaign.Stage.FIELD} | ({Campaign.Stage.APPROVED} if wave.purpose == Purpose.FORM else set())
    if wave.campaign.stage not in stages:
        raise UnableToArm(f"La campagne est « {wave.campaign.get_stage_display()} » : rien ne peut partir.")


def _check_count(trial: Trial, confirmed: str) -> None:
    typed = "".join(confirmed.split())
    if not typed.isascii() or not typed.isdigit():
        raise UnableToArm("Tapez en chiffres le nombre de foyers qui seront prévenus.")
    if int(typed) != trial.count:
        raise UnableToArm(
            f"Vous avez tapé {int(typed)}, mais {trial.count} foyers seraient prévenus à présent. Relisez la vague."
        )
    if not trial.count:
        raise UnableToArm("Personne ne serait prévenu : il n'y a rien à armer.")

"""Changing the calendar of a campaign as a whole: several days in one transaction, never against the law."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from campaigns.law.clocks import ClockRules
from campaigns.law.timetable import REPLY_BY, Breach, found_breaches
from campaigns.legal import rules_of
from campaigns.models import Campaign, Milestone, User
from campaigns.operations import UnableToOpen

# The milestones whose day is also a date of the campaign itself.
CAMPAIGN_DATES: dict[str, str] = {Milestone.Kind.DISPATCH: "opens_on", Milestone.Kind.CLOSING: "closes_on"}


def dates_of(campaign: Campaign) -> dict[str, dt.date]:
    """The days of a campaign by milestone, with `reply_by`."""
    return {**{each.kind: each.due_on for each in campaign.milestones.all()}, REPLY_BY: campaign.reply_by}


@transaction.atomic
def rearrange(
    *, campaign: Campaign, dates: Mapping[str, dt.date], now: dt.datetime, actor: User | None = None
) -> list[str]:
    """Move several days at once (milestone kind or `reply_by` → day); what is left out stays. Returns what moved.

    Raises UnableToOpen when the law or the order of the steps forbids the whole, or when a step is already done.
    """
    if actor is not None and not actor.may_manage:
        raise UnableToOpen("Seul un chargé d'affaires change le calendrier.")
    current = Campaign.objects.select_for_update(of=("self",)).select_related("landlord").get(pk=campaign.pk)
    milestones = {each.kind: each for each in current.milestones.select_for_update()}
    known = dates_of(current)
    moved = {kind: day for kind, day in dates.items() if known.get(kind) not in {None, day}}
    done = [str(milestones[kind]) for kind in moved if kind in milestones and milestones[kind].done_at is not None]
    if done:
        raise UnableToOpen(f"Déjà fait, la date ne change plus : {', '.join(done)}.")
    if REPLY_BY in moved and current.stage in {Campaign.Stage.FIELD, Campaign.Stage.CLOSED}:
        raise UnableToOpen(
            "La date limite de réponse est imprimée sur des formulaires déjà partis : elle ne change plus."
        )
    found = _new_breaches(known, moved, rules_of(current.landlord))
    if found:
        raise UnableToOpen(" ".join(each.sentence for each in found))
    for kind, day in moved.items():
        if kind in milestones:
            milestones[kind].due_on = day
            milestones[kind].save(update_fields=["due_on"])
    _keep_dates(current, moved)
    return list(moved)


def _new_breaches(known: Mapping[str, dt.date], moved: Mapping[str, dt.date], rules: ClockRules) -> list[Breach]:
    """What the move would break, or leave broken on a day it touches; an old breach elsewhere forbids nothing."""
    old = {(each.kind, each.source) for each in found_breaches(known, rules)}
    found = found_breaches({**known, **moved}, rules)
    return [each for each in found if each.kind in moved or (each.kind, each.source) not in old]


def _keep_dates(campaign: Campaign, moved: Mapping[str, dt.date]) -> None:
    fields = {CAMPAIGN_DATES.get(kind, kind): day for kind, day in moved.items() if kind in {*CAMPAIGN_DATES, REPLY_BY}}
    for name, day in fields.items():
        setattr(campaign, name, day)
    if not campaign.opens_on < campaign.reply_by <= campaign.closes_on:
        raise UnableToOpen("L'envoi précède la date limite de réponse, qui précède la clôture.")
    if fields:
        campaign.save(update_fields=list(fields))

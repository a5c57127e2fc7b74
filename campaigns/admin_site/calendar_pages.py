"""The calendar simulator: the whole calendar with its reasons, what a change would move, and saving the change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from campaigns.admin_site.calendar_picture import Lane, Picture, drawn
from campaigns.admin_site.tables import actor_of
from campaigns.calendar import dates_of, rearrange
from campaigns.law.clocks import ClockRules, Explained
from campaigns.law.timetable import (
    COURSE,
    REPLY_BY,
    Bound,
    Breach,
    Move,
    bound_of,
    carried,
    found_breaches,
    idle_days,
    legal_days,
    notice_deadline,
    reply_deadline,
)
from campaigns.law.wording import many
from campaigns.legal import rules_of
from campaigns.models import Campaign, Milestone
from campaigns.operations import UnableToOpen

LABELS: dict[str, str] = {**dict(Milestone.Kind.choices), REPLY_BY: "Date limite de réponse imprimée"}


@dataclass(frozen=True, slots=True)
class Row:
    """One step of the calendar, before and after the change that is tried."""

    kind: str
    label: str
    before: dt.date
    after: dt.date
    done: bool
    locked: bool
    bound: Bound | None
    carried: str
    breaches: list[Breach]
    idle: str

    @property
    def shift(self) -> str:
        """`+ 7 jours`, '' when the day stays."""
        days = (self.after - self.before).days
        return f"{'+' if days > 0 else '−'} {many(abs(days), 'jour')}" if days else ""


@dataclass(frozen=True, slots=True)
class LegalRow:
    """A legal deadline before and after; either may not exist on its side."""

    after: Explained
    before: dt.date | None

    @property
    def moved(self) -> bool:
        """Whether the change moves it."""
        return self.before != self.after.date


@dataclass(frozen=True, slots=True)
class Simulation:
    """All that the page shows."""

    rows: list[Row]
    legal: list[LegalRow]
    picture: Picture
    moves: list[Move]
    changed: bool
    forbidden: bool
    place: str
    query: str


def show_calendar(request: HttpRequest, campaign: Campaign, context: Mapping[str, Any]) -> HttpResponseBase:
    """GET tries the dates of the address; POST saves those of the form, or says why it can't."""
    wanted = request.POST if request.method == "POST" else request.GET
    changes, unread = _changes(campaign, wanted)
    for kind in unread:
        messages.error(request, f"« {LABELS[kind]} » : cette date ne se lit pas, choisissez-la dans le calendrier.")
    if request.method == "POST" and not unread:
        return _saved(request, campaign, changes)
    shown = {
        **context,
        "title": f"Calendrier · {campaign}",
        "campaign": campaign,
        "simulation": simulation_of(campaign, changes, timezone.localdate()),
    }
    return TemplateResponse(request, "admin/calendar.html", shown)


def simulation_of(campaign: Campaign, changes: Mapping[str, dt.date], today: dt.date) -> Simulation:
    """The calendar with `changes` carried down to the steps that follow; nothing is saved."""
    before = dates_of(campaign)
    rules = rules_of(campaign.landlord)
    done = {each.kind for each in campaign.milestones.all() if each.done_at is not None}
    locked = done | ({REPLY_BY} if campaign.stage in {Campaign.Stage.FIELD, Campaign.Stage.CLOSED} else set())
    after, moves = carried(before, changes, done=locked, rules=rules)
    found = found_breaches(after, rules)
    rows = [
        Row(
            kind=kind,
            label=LABELS[kind],
            before=before[kind],
            after=after[kind],
            done=kind in done,
            locked=kind in locked,
            bound=bound_of(kind, after, rules),
            carried=next((each.reason for each in moves if each.kind == kind), ""),
            breaches=[each for each in found if each.kind == kind],
            idle=idle_days(after, rules).get(kind, ""),
        )
        for kind in COURSE
        if kind in after
    ]
    kept = {row.kind: row.after for row in rows if row.after != row.before}
    return Simulation(
        rows=rows,
        legal=_legal(before, after, campaign.survey, rules),
        picture=_picture(rows, after, rules, today),
        moves=moves,
        changed=bool(kept),
        forbidden=any(row.breaches for row in rows),
        place=rules.place.label,
        query=urlencode({kind: day.isoformat() for kind, day in kept.items()}),
    )


def _changes(campaign: Campaign, wanted: Mapping[str, Any]) -> tuple[dict[str, dt.date], list[str]]:
    """The days asked for that differ from today's calendar, and the steps whose day can't be read."""
    known = dates_of(campaign)
    changes: dict[str, dt.date] = {}
    unread: list[str] = []
    for kind in known:
        text = str(wanted.get(kind, ""))
        try:
            day = dt.date.fromisoformat(text) if text else known[kind]
        except ValueError:
            unread.append(kind)
            continue
        if day != known[kind]:
            changes[kind] = day
    return changes, unread


def _saved(request: HttpRequest, campaign: Campaign, changes: Mapping[str, dt.date]) -> HttpResponse:
    page = reverse("admin:campaign_calendar", args=[campaign.pk])
    try:
        moved = rearrange(campaign=campaign, dates=changes, now=timezone.now(), actor=actor_of(request))
    except UnableToOpen as error:
        messages.error(request, str(error))
        return redirect(f"{page}?{urlencode({kind: day.isoformat() for kind, day in changes.items()})}")
    told = f"Le calendrier est changé : {many(len(moved), 'date')}." if moved else "Rien n'a changé."
    messages.success(request, told)
    return redirect(page)


def _legal(
    before: Mapping[str, dt.date], after: Mapping[str, dt.date], survey: str, rules: ClockRules
) -> list[LegalRow]:
    known: dict[str, list[dt.date]] = {}
    for each in legal_days(before, survey, rules):
        known.setdefault(each.key, []).append(each.date)
    return [
        LegalRow(each, known[each.key].pop(0) if known.get(each.key) else None)
        for each in legal_days(after, survey, rules)
    ]


def _picture(rows: list[Row], after: Mapping[str, dt.date], rules: ClockRules, today: dt.date) -> Picture:
    lanes: list[Lane] = []
    for row in rows:
        lanes.append(Lane(row.label, row.after, row.before, wrong=bool(row.breaches)))
        if row.kind == "dispatch":
            reply = reply_deadline(row.after, rules)
            lanes.append(Lane("Délai légal : un mois pour répondre", reply.date, start=row.after))
        if row.kind == "formal_notice":
            notice = notice_deadline(row.after, rules)
            lanes.append(Lane("Délai légal : quinze jours", notice.date, start=row.after))
    return drawn(lanes, today)

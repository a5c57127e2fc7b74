"""Demandes de compléments: exactly what is missing, in the words of the rules; nothing is asked twice.

A request stays open until everything it asks for has come. What comes in part is taken, and the case judged again: the
rest is not asked again before its day, and then once, by a reminder that names only what is still missing. Only
something new (another piece, a refused one) makes a new request, which replaces the one before it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from campaigns.models import Campaign
from returns.complement_messages import DIGITAL, LETTER, LOST, messages_of, rewrite, tell
from returns.missing import MissingItem, missing_items
from returns.models import ComplementRequest
from tenants.case_states import State
from tenants.models import Message, SurveyCase

REPLY_DAYS = 15  # asked for, not the law's: enough to get a copy and post it


class UnableToAsk(Exception):
    """Nothing is missing, so there is nothing to ask."""


def open_request(case: SurveyCase) -> ComplementRequest | None:
    """The request that the household has not wholly answered yet, if any."""
    return ComplementRequest.objects.filter(case=case, answered_at=None).order_by("-number").first()


def request_complement(
    *, case: SurveyCase, now: dt.datetime, items: list[MissingItem] | None = None
) -> ComplementRequest:
    """Ask the household for what is missing; the open request is kept when it already asks for all of it.

    `items` are those of `missing_items(case)` when the caller has them. Raises UnableToAsk when nothing is missing.
    """
    items = missing_items(case) if items is None else items
    if not items:
        raise UnableToAsk("Rien ne manque à ce dossier : il n'y a rien à demander.")
    with transaction.atomic():
        asked = ComplementRequest.objects.select_for_update().filter(case=case)
        last = asked.order_by("-number").first()
        if last is not None and last.answered_at is None and _covers(last, items):
            _take_note(last, items, now=now)
            return last
        close_requests(case=case, now=now)
        request = ComplementRequest.objects.create(
            case=case,
            number=last.number + 1 if last else 1,
            items=[item.as_table() for item in items],
            asked_at=now,
            due_on=timezone.localdate(now) + dt.timedelta(days=REPLY_DAYS),
        )
        request.message = tell(request, items=request.items, now=now)
        request.save(update_fields=["message"])
        case.tell("complement_requested", now=now, data=_traced(request))
    return request


def close_requests(*, case: SurveyCase, now: dt.datetime) -> int:
    """Mark the requests still open as answered, and hold back what they have not told yet; returns how many."""
    told = "Une demande plus récente la remplace, ou tout est arrivé."
    still_open = list(ComplementRequest.objects.filter(case=case, answered_at=None))
    if not still_open:
        return 0
    for request in still_open:
        for message in messages_of(request):
            waiting = Message.objects.filter(pk=message.pk, state=Message.State.QUEUED)
            waiting.update(state=Message.State.CANCELLED, explanation=told)
            composed = Message.objects.filter(pk=message.pk, state=Message.State.SENDING, channel=LETTER)
            composed.update(proof=message.proof | {"withdrawn": told})
    return ComplementRequest.objects.filter(case=case, answered_at=None).update(answered_at=now)


def follow_up(*, campaign: Campaign, now: dt.datetime) -> dict[str, int]:
    """See to the open requests: another channel for what was lost, one reminder for what is overdue.

    Returns how many were told again and reminded. Safe to repeat: a reminder leaves once.
    """
    counts = {"told_again": 0, "reminded": 0}
    waiting = ComplementRequest.objects.filter(
        case__campaign=campaign, case__state=State.INCOMPLETE, answered_at=None
    ).order_by("pk")
    for pk in list(waiting.values_list("pk", flat=True)):
        with transaction.atomic():
            done = _followed(pk, now)
        if done:
            counts[done] += 1
    return counts


def _followed(pk: int, now: dt.datetime) -> str:
    """What was done for one request: 'told_again', 'reminded', or nothing ('')."""
    request = ComplementRequest.objects.select_for_update(of=("self",)).select_related("case").get(pk=pk)
    case = (
        SurveyCase.objects.select_for_update(of=("self",)).select_related("campaign__landlord").get(pk=request.case_id)
    )
    if request.answered_at is not None or case.state != State.INCOMPLETE:
        return ""
    request.case = case
    sent = messages_of(request)
    alive = [message for message in sent if message.state not in LOST]
    items = request.left
    if not alive:
        lost = frozenset(message.channel for message in sent if message.state != Message.State.CANCELLED)
        return "told_again" if tell(request, items=items, now=now, avoid=lost) else ""
    if request.reminded_at is not None or timezone.localdate(now) <= request.due_on:
        return ""
    by_wire = {message.channel for message in alive} & DIGITAL
    made = tell(request, items=items, now=now, reminder=True, avoid=frozenset(DIGITAL) if by_wire else frozenset())
    ComplementRequest.objects.filter(pk=pk).update(reminded_at=now)
    if made is None:
        return ""
    case.tell("complement_reminded", now=now, data={"number": request.number, "missing": len(items)})
    return "reminded"


def _covers(request: ComplementRequest, items: list[MissingItem]) -> bool:
    """Whether everything that is missing was asked by that request, and never came since."""
    asked = {item.get("key") for item in request.items} - set(request.received)
    return {item.key for item in items} <= asked


def _take_note(request: ComplementRequest, items: list[MissingItem], *, now: dt.datetime) -> None:
    """Write down which of the things asked have come, and take them off what has not left yet."""
    left = {item.key for item in items}
    came = sorted({item["key"] for item in request.items} - left)
    if came == sorted(request.received):
        return
    request.received = came
    request.save(update_fields=["received"])
    rewrite(request, items=[item.as_table() for item in items], now=now)
    request.case.tell("complement_partly_received", now=now, data={"number": request.number, "missing": len(left)})


def _traced(request: ComplementRequest) -> dict[str, Any]:
    """What the case's history says: rules and pieces, no personal value."""
    pieces = sorted({item["document"] or item["field"] for item in request.items})
    return {"number": request.number, "missing": pieces, "due_on": request.due_on.isoformat()}

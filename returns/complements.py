"""Demandes de compléments: exactly what is missing, in the words of the rules, told once by e-mail or by letter."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from returns.answers import declared_context
from returns.missing import MissingItem, missing_items
from returns.models import ComplementRequest
from tenants.messaging import UnableToQueue, queue, render
from tenants.models import Message, Purpose, SurveyCase

REPLY_DAYS = 15  # asked for, not the law's: enough to get a copy and post it
EMAIL = "household.email"


class UnableToAsk(Exception):
    """Nothing is missing, so there is nothing to ask."""


def request_complement(
    *, case: SurveyCase, now: dt.datetime, items: list[MissingItem] | None = None
) -> ComplementRequest:
    """Ask the household for what is missing; the last request is returned as it is when it already asked the same.

    `items` are those of `missing_items(case)` when the caller has them. Raises UnableToAsk when nothing is missing.
    """
    items = missing_items(case) if items is None else items
    if not items:
        raise UnableToAsk("Rien ne manque à ce dossier : il n'y a rien à demander.")
    asked = [item.as_table() for item in items]
    with transaction.atomic():
        last = ComplementRequest.objects.select_for_update().filter(case=case).order_by("-number").first()
        if last is not None and last.items == asked and last.answered_at is None:
            return last
        close_requests(case=case, now=now)
        request = ComplementRequest.objects.create(
            case=case,
            number=last.number + 1 if last else 1,
            items=asked,
            asked_at=now,
            due_on=timezone.localdate(now) + dt.timedelta(days=REPLY_DAYS),
        )
        request.message = _tell(request, now=now)
        request.save(update_fields=["message"])
        case.tell("complement_requested", now=now, data=_traced(request))
    return request


def close_requests(*, case: SurveyCase, now: dt.datetime) -> int:
    """Mark the requests still open as answered; returns how many."""
    return ComplementRequest.objects.filter(case=case, answered_at=None).update(answered_at=now)


def _tell(request: ComplementRequest, *, now: dt.datetime) -> Message | None:
    """By e-mail where an address is known and right, else by letter."""
    told = declared_context(request.case).value(EMAIL)
    email = request.case.household.email if told is None else told
    if email:
        try:
            return _queued(request, Message.Channel.EMAIL, str(email), now=now)
        except UnableToQueue:
            request.case.tell("email_refused", now=now, data={"purpose": Purpose.COMPLEMENT.value})
    return _queued(request, Message.Channel.LETTER, "\n".join(request.case.household.address_lines), now=now)


def _queued(request: ComplementRequest, channel: str, recipient: str, *, now: dt.datetime) -> Message | None:
    told = {"items": request.items, "number": request.number, "due_on": request.due_on}
    on = timezone.localdate(now)
    text = render(case=request.case, channel=channel, purpose=Purpose.COMPLEMENT, on=on, **told)
    return queue(
        case=request.case,
        channel=channel,
        purpose=Purpose.COMPLEMENT,
        wave=f"complement-{request.number}",
        recipient=recipient,
        subject=text.subject,
        body=text.body,
        now=now,
        data={"number": request.number},
    )


def _traced(request: ComplementRequest) -> dict[str, Any]:
    """What the case's history says: rules and pieces, no personal value."""
    pieces = sorted({item["document"] or item["field"] for item in request.items})
    return {"number": request.number, "missing": pieces, "due_on": request.due_on.isoformat()}

"""How a demand for complements reaches its household: by e-mail, else by SMS, else by letter with its return sheet.

One message a request at first, by the best channel that works; another channel when the first one failed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from campaigns.questionnaire.values import ERASED
from returns.answers import declared_context
from returns.models import ComplementRequest
from tenants.messaging import Text, UnableToQueue, UnableToWrite, mobile_number, queue, render
from tenants.messaging.eligibility import refused_channel
from tenants.models import Message, Purpose, SurveyCase

EMAIL, SMS, LETTER = Message.Channel.EMAIL, Message.Channel.SMS, Message.Channel.LETTER
DIGITAL = frozenset({EMAIL, SMS})
ITEM = "– "
LOST = frozenset({Message.State.FAILED, Message.State.BOUNCED, Message.State.CANCELLED})
Items = Sequence[dict[str, Any]]


def ways_of(case: SurveyCase) -> list[tuple[str, str]]:
    """The channels by which the household can be reached, the best first, each with its address.

    What the household declared comes before what the landlord knew; an address that it emptied is not used.
    """
    told = declared_context(case)
    email = _declared(told.value("household.email"), case.household.email)
    phone = _declared(told.value("household.phone"), case.household.mobile)
    ways = [(EMAIL, email), (SMS, mobile_number(phone) if phone else ""), (LETTER, _postal(case))]
    return [(channel.value, address) for channel, address in ways if address]


def tell(
    request: ComplementRequest,
    *,
    items: Items,
    now: dt.datetime,
    reminder: bool = False,
    avoid: frozenset[str] = frozenset(),
) -> Message | None:
    """Queue the request by the first channel that works and is not in `avoid`; None when no way is left.

    `items` are those still missing. A wave is told once by a channel.
    """
    case = request.case
    for channel, address in ways_of(case):
        if channel in avoid or _refused(case, channel, address):
            continue
        try:
            made = _queued(request, channel, address, items=items, now=now, reminder=reminder)
        except UnableToQueue:
            case.tell(f"{channel}_refused" if channel == EMAIL else "message_failed", now=now, data=_purpose(channel))
            continue
        if made is not None:
            return made
    return None


def messages_of(request: ComplementRequest) -> list[Message]:
    """What was queued for that request, reminders too, in order."""
    sent = Message.objects.filter(case=request.case, purpose=Purpose.COMPLEMENT)
    mine = [each for each in sent.order_by("pk") if each.proof.get("number") == request.number]
    return mine


def as_letter(message: Message) -> Text:
    """The letter that a request told by e-mail or SMS stands for, with what that message asked.

    An SMS only names or counts the pieces: the letter tells all that the request asked.
    """
    request = ComplementRequest.objects.get(case=message.case, number=message.proof.get("number"))
    asked = [line.removeprefix(ITEM) for line in message.body.split("\n") if line.startswith(ITEM)]
    items = [{"sentence": each, "how": ""} for each in asked] or request.items
    reminder = bool(message.proof.get("reminder"))
    return _text(request, LETTER, items=items, now=message.sent_at or message.created_at, reminder=reminder)


def rewrite(request: ComplementRequest, *, items: Items, now: dt.datetime) -> None:
    """Part of the answer is there: what has not left yet asks only for the rest.

    A message that waits is written again; a letter already composed is taken out of its batch, to be told again.
    """
    for message in messages_of(request):
        waiting = Message.objects.filter(pk=message.pk)
        text = _text(request, message.channel, items=items, now=now, reminder=bool(message.proof.get("reminder")))
        if waiting.filter(state=Message.State.QUEUED).update(subject=text.subject[:200], body=text.body):
            continue
        if message.state == Message.State.SENDING and message.channel == LETTER:
            waiting.update(proof=message.proof | {"withdrawn": "Une partie de ce qu'il demande est arrivée."})


def _queued(
    request: ComplementRequest, channel: str, address: str, *, items: Items, now: dt.datetime, reminder: bool
) -> Message | None:
    text = _text(request, channel, items=items, now=now, reminder=reminder)
    told = sum(1 for each in messages_of(request) if each.channel == channel)
    wave = f"complement-{request.number}" + (f"-{told + 1}" if told else "")
    return queue(
        case=request.case,
        channel=channel,
        purpose=Purpose.COMPLEMENT,
        wave=wave,
        recipient=address,
        subject=text.subject,
        body=text.body,
        now=now,
        data={"number": request.number, "reminder": reminder},
    )


def _text(request: ComplementRequest, channel: str, *, items: Items, now: dt.datetime, reminder: bool) -> Text:
    told = {"items": items, "number": request.number, "due_on": request.due_on, "reminder": reminder}
    on = timezone.localdate(now)
    if channel != SMS:
        return render(case=request.case, channel=channel, purpose=Purpose.COMPLEMENT, on=on, **told)
    labels = list(dict.fromkeys(item["label"] or item["message"] for item in items))
    for short in (", ".join(labels), ""):  # the pieces by their names where 160 places allow, else their number
        try:
            return render(case=request.case, channel=SMS, purpose=Purpose.COMPLEMENT, on=on, short=short, **told)
        except UnableToWrite:
            if not short:
                raise
    raise UnableToWrite("messages/sms/complement.txt")  # unreachable: the last turn returns or raises


def _refused(case: SurveyCase, channel: str, address: str) -> bool:
    return bool(
        refused_channel(case=case, purpose=Purpose.COMPLEMENT, channel=channel, recipient=address, consent_needed=False)
    )


def _declared(told: Any, known: str) -> str:
    """What the household says now, else what the landlord knew; '' when it emptied it."""
    return known if told is None else "" if told == ERASED else str(told)


def _postal(case: SurveyCase) -> str:
    return "\n".join(case.household.address_lines)


def _purpose(channel: str) -> dict[str, str]:
    return {"purpose": Purpose.COMPLEMENT.value, "channel": channel}

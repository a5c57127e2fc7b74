"""What we tell a household whose answer came after the campaign closed: kept all the same, and what follows from it.

By e-mail with the letter attached as an accessible PDF, else by letter; once for each case.
"""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from returns.complement_messages import ways_of
from returns.models import SurveyReturn
from tenants.dispatch import accessible_letter
from tenants.messaging import Text, UnableToQueue, queue, render
from tenants.messaging.eligibility import refused_channel
from tenants.messaging.texts import french_day
from tenants.models import Message, Purpose, SurveyCase

WAVE = "late"
SLS = frozenset({SurveyCase.Scope.SLS.value, SurveyCase.Scope.SLS_OPS.value})


def queue_late_answer(*, made: SurveyReturn, now: dt.datetime) -> Message | None:
    """Store the letter about a late return; None when it is not late, was told already, or no way is left.

    Call it inside the transaction that makes the return.
    """
    if timezone.localdate(made.received_at) <= made.case.campaign.closes_on:
        return None
    if Message.objects.filter(case=made.case, purpose=Purpose.LATE_ANSWER).exists():
        return None
    case = SurveyCase.objects.for_letters().get(pk=made.case_id)
    for channel, address in ways_of(case):
        if channel == Message.Channel.SMS or _refused(case, channel, address):
            continue
        try:
            return _queued(case, made, channel, address, now)
        except UnableToQueue:
            case.tell("message_failed", now=now, data={"purpose": Purpose.LATE_ANSWER.value, "channel": channel})
    return None


def _refused(case: SurveyCase, channel: str, address: str) -> bool:
    late = Purpose.LATE_ANSWER
    return bool(refused_channel(case=case, purpose=late, channel=channel, recipient=address, consent_needed=False))


def _queued(case: SurveyCase, made: SurveyReturn, channel: str, address: str, now: dt.datetime) -> Message | None:
    text = _text(case, made, channel, now)
    by_email = channel == Message.Channel.EMAIL
    letter = _text(case, made, Message.Channel.LETTER.value, now) if by_email else text
    return queue(
        case=case,
        channel=channel,
        purpose=Purpose.LATE_ANSWER,
        wave=WAVE,
        recipient=address,
        subject=text.subject,
        body=text.body,
        now=now,
        document=accessible_letter(case=case, text=letter, purpose=Purpose.LATE_ANSWER, now=now) if by_email else b"",
        data={"receipt": made.receipt},
    )


def _text(case: SurveyCase, made: SurveyReturn, channel: str, now: dt.datetime) -> Text:
    return render(
        case=case,
        channel=channel,
        purpose=Purpose.LATE_ANSWER,
        on=timezone.localdate(now),
        receipt=made.receipt,
        received_by=french_day(timezone.localdate(made.received_at)),
        closed_by=french_day(case.campaign.closes_on),
        provisional=case.formal_notice_at is not None and case.scope in SLS,
    )

"""The receipt of an on-line answer, by e-mail: stored with the answer itself, in one transaction."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from returns.answers import declared_context
from returns.models import SurveyReturn
from tenants.case_states import State
from tenants.messaging import UnableToQueue, queue, render
from tenants.messaging.contact_rights import Rights
from tenants.models import Message, Purpose, SurveyCase

EMAIL = "household.email"
DONE = frozenset({State.COMPLETE, State.RESTITUTED})


def queue_receipt(*, made: SurveyReturn, case: SurveyCase, now: dt.datetime) -> Message | None:
    """Store the receipt of a return made on line; None when no usable address is known, or it was stored already.

    Call it inside the transaction that makes the return, with its `case` as `settle` leaves it.
    """
    if made.channel != SurveyCase.Channel.ONLINE:
        return None
    declared = declared_context(case).value(EMAIL)
    email = str(case.household.email if declared is None else declared)
    rights = Rights.of_address(case.campaign.landlord, Message.Channel.EMAIL, email) if email else None
    if rights is None or rights.refusal(channel=Message.Channel.EMAIL, address=email, purpose=Purpose.RECEIPT):
        return None
    on, at = timezone.localdate(now), timezone.localtime(made.received_at)
    told = {"receipt": made.receipt, "received_at": f"{at:%H h %M}", "complete": State(case.state) in DONE}
    text = render(case=case, channel=Message.Channel.EMAIL, purpose=Purpose.RECEIPT, on=on, **told)
    try:
        return queue(
            case=case,
            channel=Message.Channel.EMAIL,
            purpose=Purpose.RECEIPT,
            wave=f"receipt-{made.receipt}"[:40],
            recipient=email,
            subject=text.subject,
            body=text.body,
            now=now,
            data={"receipt": made.receipt},
        )
    except UnableToQueue:
        case.tell("email_refused", now=now, data={"purpose": Purpose.RECEIPT.value})
        return None

"""The promise: nobody is reminded who has answered. Measured from the messages that left and the answers that came.

Read from the append-only history of each case, not from the code that is meant to keep the promise.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from campaigns.models import Campaign
from tenants.case_states import Move
from tenants.models import CaseEvent, Message, Purpose

REMINDERS = (Purpose.REMINDER_DIGITAL, Purpose.REMINDER_LETTER, Purpose.FORMAL_NOTICE)
ANSWERS = (Move.RECEIVE.value, Move.REOPEN.value, "received_again", "received_out_of_scope")


def reminded_after_answer(campaign: Campaign) -> QuerySet[Message]:
    """The reminders and formal notices that left a household after its answer had come. It must be empty."""
    answered = CaseEvent.objects.filter(case=OuterRef("case"), kind__in=ANSWERS, occurred_at__lt=OuterRef("sent_at"))
    found: QuerySet[Message] = Message.objects.told().filter(
        Exists(answered), case__campaign=campaign, purpose__in=REMINDERS
    )
    return found


def pulled_back(campaign: Campaign) -> int:
    """How many reminders were held back because the answer had come: what the last look is for."""
    answered = CaseEvent.objects.filter(case=OuterRef("case"), kind__in=ANSWERS)
    held: int = (
        Message.objects.filter(
            Exists(answered), case__campaign=campaign, purpose__in=REMINDERS, state=Message.State.CANCELLED
        )
        .exclude(explanation__startswith="La vague")
        .count()
    )
    return held

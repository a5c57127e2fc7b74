"""What the tests of messaging share: moments of a week, messages that wait."""

from __future__ import annotations

import datetime as dt

from tenants.messaging import (
    queue,
)
from tenants.messaging.texts import LINK
from tenants.models import Message, Purpose, SurveyCase

MORNING = dt.datetime(2026, 10, 1, 9, 0, tzinfo=dt.UTC)  # a Thursday, 11 h in Paris


NIGHT = dt.datetime(2026, 10, 1, 19, 0, tzinfo=dt.UTC)  # 21 h in Paris


SUNDAY = dt.datetime(2026, 10, 4, 9, 0, tzinfo=dt.UTC)


def an_email(case: SurveyCase, recipient: str = "foyer@exemple.example", body: str = "Bonjour,\n") -> Message:
    message = queue(
        case=case,
        channel=Message.Channel.EMAIL,
        purpose=Purpose.REMINDER_DIGITAL,
        wave="reminder_digital",
        recipient=recipient,
        subject="Votre enquête",
        body=body,
        now=MORNING,
    )
    assert message is not None
    return message


def an_sms(case: SurveyCase, number: str = "06 39 98 00 00") -> Message:
    message = queue(
        case=case,
        channel=Message.Channel.SMS,
        purpose=Purpose.REMINDER_DIGITAL,
        wave="reminder_digital",
        recipient=number,
        subject="",
        body=f"Bonjour {LINK}",
        now=MORNING,
    )
    assert message is not None
    return message

"""The carriers of the simulation: they count what they take, refuse at times, and die in the middle at times."""

from __future__ import annotations

import random
import smtplib
from collections import Counter
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from tenants.messaging.contract import Failure, NotDelivered, Outgoing, Receipt


class Killed(BaseException):
    """The worker is killed at that very instruction: nothing of ours runs after it."""


class Ledger:
    """What the carriers took, by message; `chance` draws their moods, 0 to 1 each."""

    def __init__(self) -> None:
        self.chance = random.Random(0)
        self.taken: Counter[str] = Counter()
        self.moody = 0.0
        self.deaths = 0

    def mood(self) -> str:
        """What becomes of the next message: taken, refused, later, killed before or after it was taken."""
        drawn = self.chance.random()
        if drawn >= self.moody:
            return "taken"
        return self.chance.choice(["refused", "later", "killed before", "killed after"])

    def die(self) -> None:
        """The worker ends here."""
        self.deaths += 1
        raise Killed


LEDGER = Ledger()


class SmsCarrier:
    """In the place of Twilio."""

    def send(self, outgoing: Outgoing) -> Receipt:
        mood = LEDGER.mood()
        if mood == "refused":
            raise NotDelivered(Failure.PERMANENT, "Le numéro n'existe pas.")
        if mood == "later":
            raise NotDelivered(Failure.RETRY, "Réessayez plus tard.")
        if mood == "killed before":
            LEDGER.die()
        LEDGER.taken[f"sms-{outgoing.key}"] += 1
        if mood == "killed after":
            LEDGER.die()
        return Receipt(provider_id=f"SM{outgoing.key}")

    def close(self) -> None:
        """Nothing to let go of."""


class EmailCarrier(BaseEmailBackend):
    """In the place of an SMTP server."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for email in email_messages:
            mood = LEDGER.mood()
            if mood == "refused":
                raise smtplib.SMTPRecipientsRefused({email.to[0]: (550, b"unknown")})
            if mood == "later":
                raise smtplib.SMTPRecipientsRefused({email.to[0]: (452, b"full")})
            if mood == "killed before":
                LEDGER.die()
            number = str(email.extra_headers["Message-ID"]).split("-")[1]
            LEDGER.taken[f"email-{number}"] += 1
            if mood == "killed after":
                LEDGER.die()
        return len(email_messages)

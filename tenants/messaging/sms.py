"""SMS, by a backend that the settings name (SMS_BACKEND): the outbox, or Twilio."""

from __future__ import annotations

import json
import socket

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string
from twilio.base import values
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from tenants.messaging import gsm7, outbox
from tenants.messaging.contract import Backend, Failure, NotDelivered, Outgoing, Receipt
from tenants.models import ContactMark

TWILIO_API = "https://api.twilio.com"
TIMEOUT = 15.0  # seconds
OURS = frozenset({401, 403, 429})  # our account or our pace, never the recipient's fault
# https://www.twilio.com/docs/api/errors
MEANINGS = {
    21211: "le numéro n'existe pas",
    21214: "ce numéro ne peut pas être joint",
    21408: "les SMS vers ce pays ne sont pas ouverts",
    21610: "la personne a répondu STOP et ne veut plus de SMS",
    21614: "ce numéro n'est pas un mobile",
}
# What some refusals teach of the number itself, kept for every later message.
MARKS = {
    21211: ContactMark.Kind.DEAD,
    21214: ContactMark.Kind.DEAD,
    21610: ContactMark.Kind.STOP,
    21614: ContactMark.Kind.DEAD,
}
LONGEST_NAME = 11  # of an alphanumeric sender


def configured() -> Backend:
    """The backend of the settings."""
    backend: Backend = import_string(settings.SMS_BACKEND)()
    return backend


class OutboxBackend:
    """Keeps each SMS as a file of the outbox."""

    def send(self, outgoing: Outgoing) -> Receipt:
        """Write the SMS."""
        told = {"to": outgoing.recipient, "text": outgoing.text}
        path = outbox.keep(f"sms-{outgoing.key}.json", json.dumps(told, ensure_ascii=False, indent=2).encode())
        return Receipt(provider_id=f"outbox-{outgoing.key}", proof={"outbox": path.name})

    def close(self) -> None:
        """Nothing to let go of."""


class ElsewhereHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own client, sent to another host: a proxy of the provider's, or the stub of the tests."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=TIMEOUT, max_retries=0)
        self._base = base.rstrip("/")

    def request(self, method: str, url: str, *args: object, **kwargs: object) -> Response:
        """The same request, to our base address."""
        return super().request(method, url.replace(TWILIO_API, self._base, 1), *args, **kwargs)


class TwilioBackend:
    """Sends through Twilio, whose call is not idempotent: a time-out or a 5xx is a doubt, never tried again blindly."""

    def __init__(self) -> None:
        http = ElsewhereHttpClient(settings.TWILIO_API_BASE or TWILIO_API)
        self._http = http
        self.client = Client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, http_client=http)

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hand one SMS over. Raises NotDelivered."""
        try:
            told = self.client.messages.create(
                to=outgoing.recipient,
                from_=sender_of(outgoing.sender),
                body=outgoing.text,
                status_callback=callback_of(outgoing.key) or values.unset,
            )
        except TwilioRestException as error:
            raise _explained(error) from error
        except OSError as error:  # every error of `requests` is one
            raise _cut(error) from error
        if not told.sid:
            raise NotDelivered(Failure.UNCERTAIN, "Twilio a répondu sans donner d'identifiant.")
        return Receipt(provider_id=told.sid, proof={"sid": told.sid, "status": str(told.status)})

    def close(self) -> None:
        """Close the connections kept open."""
        if self._http.session is not None:
            self._http.session.close()


def sender_of(landlord: str) -> str:
    """Who the SMS says it comes from: TWILIO_SENDER, else the landlord's name, whole words within 11 letters.

    An alphanumeric sender is made of letters, digits and spaces, with at least one letter.
    """
    if settings.TWILIO_SENDER:
        return str(settings.TWILIO_SENDER)
    plain = "".join(
        letter if letter.isascii() and letter.isalnum() else " " for letter in gsm7.without_accents(landlord)
    )
    words = plain.split()
    name = ""
    for word in words:
        longer = f"{name} {word}".strip()
        if len(longer) > LONGEST_NAME:
            break
        name = longer
    name = name or "".join(words)[:LONGEST_NAME]
    return name if any(letter.isalpha() for letter in name) else "Enquete"


def callback_of(key: int) -> str:
    """The address where Twilio reports on that message; '' when none is reachable from outside."""
    if not settings.TWILIO_CALLBACKS:
        return ""
    return f"{settings.TWILIO_CALLBACKS.rstrip('/')}{reverse('messages:sms_status')}?envoi={key}"


def _explained(error: TwilioRestException) -> NotDelivered:
    """What an answer of Twilio means (error 20500: a retry after a 5xx may send twice)."""
    meaning = MEANINGS.get(error.code or 0, "")
    told = f"Twilio refuse le SMS (réponse {error.status}, code {error.code})"
    if error.status in OURS:
        return NotDelivered(Failure.RETRY, f"{told} : notre compte est refusé ou va trop vite.")
    if error.status >= 500:
        return NotDelivered(
            Failure.UNCERTAIN, f"Twilio a répondu par une panne ({error.status}) : le SMS est peut-être parti."
        )
    mark = MARKS.get(error.code or 0, "")
    return NotDelivered(Failure.PERMANENT, f"{told} : {meaning}." if meaning else f"{told}.", mark=mark)


def _cut(error: OSError) -> NotDelivered:
    """A network error: a connection that was never made is harmless, any other is a doubt."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError | socket.gaierror):
            return NotDelivered(Failure.RETRY, "Twilio n'est pas joignable : rien n'est parti.")
        cause = cause.__cause__ or cause.__context__
    return NotDelivered(Failure.UNCERTAIN, "La liaison avec Twilio s'est coupée : le SMS est peut-être parti.")

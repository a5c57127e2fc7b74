"""E-mail, through Django's own door: text and the same text as simple HTML, an identifier we can look up."""

from __future__ import annotations

import smtplib
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac

from tenants.messaging import outbox
from tenants.messaging.contract import Failure, NotDelivered, Outgoing, Receipt
from tenants.models import ContactMark, Message

TEMPORARY_FROM = 400
PERMANENT_FROM = 500
ONE_CLICK = "List-Unsubscribe=One-Click"
NO_SUCH_USER = b"5.1.1"  # RFC 3463: bad destination mailbox address


def composed(outgoing: Outgoing) -> EmailMultiAlternatives:
    """The e-mail itself. Its Message-ID is the same at every try: a doubt is settled in the server's log.

    The envelope's sender, when the settings name an address for bounces, says by itself which message comes back
    (VERP), whatever the returning server kept of the original.
    """
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    shown = formataddr((outgoing.sender, address))
    headers = {"Message-ID": message_id(outgoing, address), "Auto-Submitted": "auto-generated", "From": shown}
    if outgoing.unsubscribe:  # RFC 8058
        headers |= {"List-Unsubscribe": f"<{outgoing.unsubscribe}>", "List-Unsubscribe-Post": ONE_CLICK}
    email = EmailMultiAlternatives(
        subject=outgoing.subject,
        body=outgoing.text,
        from_email=envelope_sender(outgoing) or shown,
        to=[outgoing.recipient],
        reply_to=[outgoing.reply_to] if outgoing.reply_to else None,
        headers=headers,
    )
    page = {"subject": outgoing.subject, "text": outgoing.text.strip(), "sender": outgoing.sender}
    email.attach_alternative(render_to_string("messages/email/layout.html", page), "text/html")
    if outgoing.document:
        email.attach("document.pdf", outgoing.document, "application/pdf")
    return email


def message_id(outgoing: Outgoing, address: str) -> str:
    """An identifier that tells nothing of the person: ours, and where it comes from."""
    return f"<enquete-{outgoing.key}-{seal(outgoing.key, outgoing.recipient)}@{address.rpartition('@')[2]}>"


def identifier_of(message: Message) -> str:
    """What to look for in the mail server's log when nobody knows whether an e-mail left."""
    return f"enquete-{message.pk}-{seal(message.pk, message.recipient)}"


def seal(key: int, recipient: str) -> str:
    """What proves that an identifier is ours: nobody else can write it for that message and that address."""
    return salted_hmac("tenants.email", f"{key}:{recipient}", algorithm="sha256").hexdigest()[:16]


def envelope_sender(outgoing: Outgoing) -> str:
    """The address to which this very message bounces: `retours+enquete-12-ab…@…`; '' without BOUNCE_ADDRESS."""
    name, _, domain = settings.BOUNCE_ADDRESS.rpartition("@")
    return f"{name}+enquete-{outgoing.key}-{seal(outgoing.key, outgoing.recipient)}@{domain}" if name else ""


class EmailChannel:
    """Sends through the backend that the settings name. A connection error before the hand-over can be tried again."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hand one e-mail over. Raises NotDelivered."""
        email = composed(outgoing)
        connection = self._opened()
        try:
            connection.send_messages([email])
        except smtplib.SMTPException as error:
            self.close()
            raise _explained(error) from error
        except ValueError as error:  # a forbidden line break in an address or a title
            raise NotDelivered(Failure.PERMANENT, "L'adresse ou le titre de l'e-mail n'est pas acceptable.") from error
        except OSError as error:
            self.close()
            raise NotDelivered(
                Failure.UNCERTAIN, "La liaison avec le serveur d'e-mail s'est coupée pendant l'envoi."
            ) from error
        told = email.extra_headers["Message-ID"]
        return Receipt(provider_id=told, proof={"message_id": told})

    def close(self) -> None:
        """Say goodbye to the server, whatever it answers."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (OSError, smtplib.SMTPException):
                return

    def _opened(self) -> BaseEmailBackend:
        if self._connection is None:
            connection = get_connection()
            try:
                connection.open()
            except OSError as error:  # smtplib's own errors are OSErrors too
                raise NotDelivered(
                    Failure.RETRY, "Le serveur d'e-mail ne répond pas ou refuse notre connexion."
                ) from error
            self._connection = connection
        return self._connection


class OutboxChannel:
    """Keeps each e-mail as a file of the outbox: what every rehearsal does."""

    def send(self, outgoing: Outgoing) -> Receipt:
        """Write the e-mail."""
        email = composed(outgoing)
        path = outbox.keep(f"email-{outgoing.key}.eml", email.message().as_bytes())
        return Receipt(provider_id=email.extra_headers["Message-ID"], proof={"outbox": path.name})

    def close(self) -> None:
        """Nothing to let go of."""


def _explained(error: smtplib.SMTPException) -> NotDelivered:
    """What an SMTP answer means: 4xx can be tried again, 5xx never; a cut after the hand-over began is a doubt."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = max(error.recipients.values(), default=(PERMANENT_FROM, b""))
        mark = ContactMark.Kind.DEAD if code >= PERMANENT_FROM and NO_SUCH_USER in answer else ""
        return _by_code(code, "Le serveur d'e-mail refuse ce destinataire", mark)
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPAuthenticationError):
        return NotDelivered(Failure.RETRY, f"Le serveur d'e-mail refuse notre expéditeur (réponse {error.smtp_code}).")
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_code(error.smtp_code, "Le serveur d'e-mail refuse ce message")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NotDelivered(Failure.PERMANENT, "Le serveur d'e-mail n'accepte pas cette adresse.")
    return NotDelivered(Failure.UNCERTAIN, "Le serveur d'e-mail a coupé la liaison pendant l'envoi.")


def _by_code(code: int, what: str, mark: str = "") -> NotDelivered:
    failure = Failure.RETRY if TEMPORARY_FROM <= code < PERMANENT_FROM else Failure.PERMANENT
    when = "pour l'instant" if failure is Failure.RETRY else "définitivement"
    return NotDelivered(failure, f"{what} {when} (réponse {code}).", mark=mark)

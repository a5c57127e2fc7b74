"""E-mail, through Django's own door: text and the same text as simple HTML, an identifier we can look up."""

from __future__ import annotations

import hashlib
import smtplib
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string

from tenants.messaging import outbox
from tenants.messaging.contract import Failure, NotDelivered, Outgoing, Receipt

TEMPORARY_FROM = 400
PERMANENT_FROM = 500


def composed(outgoing: Outgoing) -> EmailMultiAlternatives:
    """The e-mail itself. Its Message-ID is the same at every try: a doubt is settled in the server's log."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    email = EmailMultiAlternatives(
        subject=outgoing.subject,
        body=outgoing.text,
        from_email=formataddr((outgoing.sender, address)),
        to=[outgoing.recipient],
        reply_to=[outgoing.reply_to] if outgoing.reply_to else None,
        headers={"Message-ID": message_id(outgoing, address), "Auto-Submitted": "auto-generated"},
    )
    page = {"subject": outgoing.subject, "text": outgoing.text.strip(), "sender": outgoing.sender}
    email.attach_alternative(render_to_string("messages/email/layout.html", page), "text/html")
    if outgoing.document:
        email.attach("document.pdf", outgoing.document, "application/pdf")
    return email


def message_id(outgoing: Outgoing, address: str) -> str:
    """An identifier that tells nothing of the person: ours, and where it comes from."""
    seal = hashlib.sha256(f"{outgoing.key}:{outgoing.recipient}".encode()).hexdigest()[:16]
    return f"<enquete-{outgoing.key}-{seal}@{address.rpartition('@')[2]}>"


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
        code = max((code for code, _ in error.recipients.values()), default=PERMANENT_FROM)
        return _by_code(code, "Le serveur d'e-mail refuse ce destinataire")
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPAuthenticationError):
        return NotDelivered(Failure.RETRY, f"Le serveur d'e-mail refuse notre expéditeur (réponse {error.smtp_code}).")
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_code(error.smtp_code, "Le serveur d'e-mail refuse ce message")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NotDelivered(Failure.PERMANENT, "Le serveur d'e-mail n'accepte pas cette adresse.")
    return NotDelivered(Failure.UNCERTAIN, "Le serveur d'e-mail a coupé la liaison pendant l'envoi.")


def _by_code(code: int, what: str) -> NotDelivered:
    failure = Failure.RETRY if TEMPORARY_FROM <= code < PERMANENT_FROM else Failure.PERMANENT
    when = "pour l'instant" if failure is Failure.RETRY else "définitivement"
    return NotDelivered(failure, f"{what} {when} (réponse {code}).")

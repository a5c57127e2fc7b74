"""Made-up e-mails of the address of bounces, as mail servers, filters and people's mail programs write them."""

from __future__ import annotations

OURS = "enquete-{key}-{seal}"


def dsn(*, action: str, status: str, diagnostic: str, server: str, notice: str) -> str:
    """A delivery status notification (RFC 3464) that returns the headers of the original."""
    return f"""Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@{server}>
To: retours+{OURS}@exemple.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_limite"

--=_limite
Content-Type: text/plain; charset=utf-8

{notice}

--=_limite
Content-Type: message/delivery-status

Reporting-MTA: dns; {server}
Arrival-Date: Mon, 2 Nov 2026 10:05:12 +0100

Final-Recipient: rfc822; foyer@exemple.example
Original-Recipient: rfc822;foyer@exemple.example
Action: {action}
Status: {status}
Remote-MTA: dns; mx.exemple.example
Diagnostic-Code: {diagnostic}

--=_limite
Content-Type: text/rfc822-headers

From: Touraine Logement <enquete@exemple.example>
To: foyer@exemple.example
Subject: nous attendons votre réponse
Message-ID: <{OURS}@exemple.example>

--=_limite--
"""


def plain(*, sender: str, subject: str, body: str, extra: str = "", to: str = f"retours+{OURS}@exemple.example") -> str:
    """An e-mail of one part."""
    return f"""From: {sender}
To: {to}
Subject: {subject}
{extra}MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

{body}
"""


POSTFIX_UNKNOWN = dsn(
    action="failed",
    status="5.1.1",
    diagnostic="smtp; 550 5.1.1 <foyer@exemple.example>: User unknown in virtual mailbox table",
    server="mail.exemple.example",
    notice="I'm sorry to have to inform you that your message could not be delivered.",
)
GMAIL_STYLE_UNKNOWN = dsn(
    action="failed",
    status="5.1.1",
    diagnostic="smtp; 550-5.1.1 The email account that you tried to reach does not exist.",
    server="googlemail.example",
    notice="** Adresse introuvable ** Votre message n'a pas été distribué à foyer@exemple.example.",
)
NO_SUCH_DOMAIN = dsn(
    action="failed",
    status="5.4.4",
    diagnostic="X-Postfix; Host or domain name not found. Name service error for name=exempel.example type=AAAA",
    server="mail.exemple.example",
    notice="<foyer@exempel.example>: Host or domain name not found.",
)
MAILBOX_FULL = dsn(
    action="failed",
    status="5.2.2",
    diagnostic="smtp; 552 5.2.2 Mailbox size limit exceeded, boite pleine",
    server="smtp.orange.example",
    notice="La boîte aux lettres du destinataire est pleine.",
)
GAVE_UP = dsn(
    action="failed",
    status="4.4.1",
    diagnostic="X-Postfix; connect to mx.exemple.example[192.0.2.7]:25: Connection timed out",
    server="mail.exemple.example",
    notice="Your message could not be delivered for 5 days.",
)
DELAYED = dsn(
    action="delayed",
    status="4.4.1",
    diagnostic="X-Postfix; connect to mx.exemple.example[192.0.2.7]:25: Connection timed out",
    server="mail.exemple.example",
    notice="THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.",
)
BLOCKED = dsn(
    action="failed",
    status="5.7.1",
    diagnostic="smtp; 550 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.example",
    server="mail.exemple.example",
    notice="Votre message a été bloqué.",
)
SPAM_UNDER_5_0_0 = dsn(
    action="failed",
    status="5.0.0",
    diagnostic="smtp; 554 Message rejected due to spam policy (OFR_506)",
    server="smtp.free.example",
    notice="Le message n'a pas pu être remis.",
)
QMAIL = plain(
    sender="MAILER-DAEMON@mail.exemple.example",
    subject="failure notice",
    extra="Return-Path: <>\n",
    body=(
        "Hi. This is the qmail-send program at mail.exemple.example.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<foyer@exemple.example>:\n"
        "Sorry, no mailbox here by that name. (#5.1.1)\n\n"
        "--- Below this line is a copy of the message.\n\n"
        f"Message-ID: <{OURS}@exemple.example>\n"
    ),
)
ABSENCE = plain(
    sender="Inès Élodée <foyer@exemple.example>",
    subject="Absence du bureau : nous attendons votre réponse",
    extra="Auto-Submitted: auto-replied\n",
    body="Bonjour, je suis absente jusqu'au 15 novembre. Je vous répondrai à mon retour.",
)
VACATION_WITHOUT_MARK = plain(
    sender="Loïc Élodée <foyer@exemple.example>",
    subject="Réponse automatique : en congés",
    extra="X-Autoreply: yes\n",
    body="Je suis en congés, de retour le 20 novembre.",
)
ACKNOWLEDGEMENT = plain(
    sender="Ne pas répondre <support@exemple.example>",
    subject="Votre message a bien été reçu",
    extra="Auto-Submitted: auto-generated\n",
    body="Nous avons bien reçu votre demande. Elle porte le numéro 12345.",
)
CHALLENGE = plain(
    sender="Protection <protection@filtre.example>",
    subject="Confirmez l'envoi de votre message",
    extra="Auto-Submitted: auto-replied\n",
    body="Pour que votre message soit remis, merci de confirmer que vous êtes un expéditeur humain en cliquant ici.",
)
A_PERSON = plain(
    sender="Zoé Élodée <foyer@exemple.example>",
    subject="RE: nous attendons votre réponse",
    body="Bonjour, j'ai déjà tout envoyé par la poste la semaine dernière. Cordialement.",
)
COMPLAINT = f"""From: <complaints@fai.example>
To: retours@exemple.example
Subject: FW: nous attendons votre réponse
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_plainte"

--=_plainte
Content-Type: text/plain; charset=us-ascii

This is an email abuse report for an email message received from IP 192.0.2.1.

--=_plainte
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: FAI-Feedback/1.0
Version: 1

--=_plainte
Content-Type: message/rfc822

From: Touraine Logement <enquete@exemple.example>
To: foyer@exemple.example
Subject: nous attendons votre reponse
Message-ID: <{OURS}@exemple.example>

Bonjour,

--=_plainte--
"""

KINDS: dict[str, tuple[str, str]] = {
    "a virtual mailbox that does not exist": (POSTFIX_UNKNOWN, "unknown"),
    "a large provider's unknown account": (GMAIL_STYLE_UNKNOWN, "unknown"),
    "a domain that does not exist": (NO_SUCH_DOMAIN, "unknown"),
    "qmail's own wording": (QMAIL, "unknown"),
    "a full mailbox": (MAILBOX_FULL, "full"),
    "a server that never answered": (GAVE_UP, "temporary"),
    "a warning of delay": (DELAYED, "delayed"),
    "a block list": (BLOCKED, "blocked"),
    "a spam filter without a precise code": (SPAM_UNDER_5_0_0, "blocked"),
    "an absence": (ABSENCE, "absence"),
    "a vacation message of old": (VACATION_WITHOUT_MARK, "absence"),
    "an acknowledgement by a machine": (ACKNOWLEDGEMENT, "automatic"),
    "a challenge": (CHALLENGE, "challenge"),
    "a complaint": (COMPLAINT, "complaint"),
    "a person's answer": (A_PERSON, "other"),
}


def filled(text: str, *, key: int, seal: str) -> bytes:
    """The e-mail about that message of ours, with the line ends of the wire."""
    return text.replace("{key}", str(key)).replace("{seal}", seal).replace("\n", "\r\n").encode()

"""What an e-mail that came to the address of bounces is, and which of our messages it speaks of. No database.

Standard reports (RFC 3464, and RFC 5965 for complaints) say it by fields; the others are recognised by flufl.bounce,
which knows the wordings of many servers, and by the marks of automatic replies (RFC 3834).
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from types import MappingProxyType

from flufl.bounce import scan_message

from tenants.models import ReturnedMail

Kind = ReturnedMail.Kind
OURS = re.compile(r"enquete-(\d{1,18})-([0-9a-f]{16})")
STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
LARGEST = 2_000_000  # bytes looked at: a bounce that brings back a whole attachment is cut there
# RFC 3463 and the IANA registry of enhanced status codes: subject.detail → what it means for us.
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "1.1": Kind.UNKNOWN,
        "1.2": Kind.UNKNOWN,
        "1.3": Kind.UNKNOWN,
        "1.6": Kind.UNKNOWN,
        "1.10": Kind.UNKNOWN,
        "2.1": Kind.UNKNOWN,
        "4.4": Kind.UNKNOWN,
        "2.2": Kind.FULL,
        "3.4": Kind.TEMPORARY,
        "7.1": Kind.BLOCKED,
        "7.0": Kind.BLOCKED,
        "7.23": Kind.BLOCKED,
        "7.25": Kind.BLOCKED,
        "7.26": Kind.BLOCKED,
        "7.27": Kind.BLOCKED,
    }
)
WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        Kind.FULL,
        re.compile(r"mailbox (is )?full|over ?quota|quota exceeded|boîte (aux lettres )?pleine|storage limit", re.I),
    ),
    (
        Kind.BLOCKED,
        re.compile(r"spam|blocked|blacklist|blocklist|reputation|policy|dmarc|listed at|refus[ée].{0,20}filtre", re.I),
    ),
    (
        Kind.UNKNOWN,
        re.compile(
            r"user unknown|unknown user|no such (user|recipient|mailbox)|does not exist|n'existe pas|invalid recipient|"
            r"address rejected|mailbox unavailable|account (is )?(disabled|inactive)|host not found|domain not found",
            re.I,
        ),
    ),
)
ABSENCE = re.compile(
    r"absen[tc]|out of (the )?office|en congés?|vacances|vacation|away from|de retour le|auto ?:.*(absen|office)", re.I
)
CHALLENGE = re.compile(
    r"confirm(er|ez|ation).{0,60}(humain|expéditeur|envoi|message)|please confirm (that )?you|"
    r"challenge|mailinblack|(verify|validate) (that )?you are (a )?(human|real)|authentifier votre (adresse|message)",
    re.I | re.S,
)


@dataclass(frozen=True, slots=True)
class Bounce:
    """What came back: its kind, the enhanced status when one is told, and the identifiers of ours found in it.

    `marks` are (key, seal) pairs, the surest first: the address it was sent to, then what it quotes.
    """

    kind: str
    status: str
    marks: tuple[tuple[int, str], ...]


def classify(content: bytes) -> Bounce:
    """Read one e-mail. Never raises: what cannot be understood is for a person (`other`)."""
    mail = email.message_from_bytes(content[:LARGEST], policy=email.policy.default)
    assert isinstance(mail, EmailMessage)  # noqa: S101 - what the default policy makes
    status = _status(mail)
    return Bounce(_kind(mail, status, content), status, tuple(_marks(mail, content)))


def _kind(mail: EmailMessage, status: str, content: bytes) -> str:
    parts = {part.get_content_type() for part in mail.walk()}
    if "message/feedback-report" in parts:
        return Kind.COMPLAINT
    text = _text(mail)
    if "message/delivery-status" in parts:
        return _reported(mail, status, text)
    automatic = _automatic(mail, text)
    if automatic:
        return automatic
    temporary, permanent = _scanned(mail, content)
    if permanent:
        return _by_status(status) or _by_words(text) or Kind.UNKNOWN
    if temporary:
        return _by_words(text) or Kind.TEMPORARY
    if _is_from_a_server(mail):
        return _by_status(status) or _by_words(text) or Kind.OTHER
    return Kind.OTHER


def _reported(mail: EmailMessage, status: str, text: str) -> str:
    """A delivery status notification: its Action, then its Status, then the server's own words."""
    fields = list(_recipient_fields(mail))
    actions = {_field(each, "action") for each in fields}
    if actions & {"delivered", "relayed", "expanded"} and not actions & {"failed", "delayed"}:
        return Kind.AUTOMATIC
    if "failed" not in actions and "delayed" in actions:
        return Kind.DELAYED
    words = " ".join(_field(each, "diagnostic-code") for each in fields)
    told = _by_words(words)
    if told == Kind.BLOCKED and status.startswith("5.1"):
        told = ""  # « policy » in the words of an unknown user
    known = _by_status(status)
    if known in {Kind.UNKNOWN, Kind.FULL} or not told:
        return known or _by_words(text) or (Kind.TEMPORARY if status.startswith("4") else Kind.UNKNOWN)
    return told


def _by_status(status: str) -> str:
    """What the enhanced code says; '' when it says nothing of use. A 4.x.x that gave up is a passing failure."""
    level, _, rest = status.partition(".")
    found = str(MEANINGS.get(rest, ""))
    if level == "4" and found == Kind.UNKNOWN:
        return Kind.TEMPORARY
    if found:
        return found
    return {"7": Kind.BLOCKED, "4": Kind.TEMPORARY, "3": Kind.TEMPORARY}.get(rest.partition(".")[0], "")


def _by_words(text: str) -> str:
    return next((kind for kind, words in WORDS if words.search(text)), "")


def _automatic(mail: EmailMessage, text: str) -> str:
    """An absence, a request to confirm, or another reply written by a machine; '' for a person's or a server's."""
    subject = str(mail["subject"] or "")
    said = str(mail["auto-submitted"] or "").partition(";")[0].strip().casefold()
    machine = said not in {"", "no"} or mail["x-autoreply"] or mail["x-autorespond"] or _precedence(mail)
    if CHALLENGE.search(f"{subject}\n{text}") and not _is_from_a_server(mail):
        return Kind.CHALLENGE
    if ABSENCE.search(subject) or (machine and ABSENCE.search(text)):
        return Kind.ABSENCE
    return Kind.AUTOMATIC if machine and not _is_from_a_server(mail) else ""


def _precedence(mail: EmailMessage) -> bool:
    return str(mail["precedence"] or "").casefold() in {"auto_reply", "junk"}


def _is_from_a_server(mail: EmailMessage) -> bool:
    sender = str(mail["from"] or "").casefold()
    empty = str(mail["return-path"] or "").strip() == "<>"
    return empty or any(name in sender for name in ("mailer-daemon", "postmaster", "mail delivery"))


def _scanned(mail: EmailMessage, content: bytes) -> tuple[bool, bool]:
    """What flufl.bounce recognises: (something passing, something for good). It asks for plain, complete headers."""
    if not mail["from"] or not str(mail["subject"] or "").isascii():
        return False, False
    try:
        temporary, permanent = scan_message(email.message_from_bytes(content[:LARGEST]))
    except Exception:
        return False, False  # one of its many detectors stumbled on what no server writes
    return bool(temporary), bool(permanent)


def _status(mail: EmailMessage) -> str:
    """The enhanced status of the failed recipient, else the first one in the text; '' when none is told."""
    for fields in _recipient_fields(mail):
        found = STATUS.search(_field(fields, "status"))
        diagnosed = STATUS.search(_field(fields, "diagnostic-code"))
        if found and found.group() in {"5.0.0", "4.0.0"} and diagnosed:
            return diagnosed.group()
        if found:
            return found.group()
    found = STATUS.search(_text(mail))
    return found.group() if found else ""


def _recipient_fields(mail: EmailMessage) -> Iterator[EmailMessage]:
    """The per-recipient groups of the delivery reports; the first group of each is about the message."""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            yield from (group for group in part.get_payload() if group["action"] or group["status"])  # type: ignore[misc,index]


def _field(fields: EmailMessage, name: str) -> str:
    return " ".join(str(fields[name] or "").split()).casefold()


def _text(mail: EmailMessage) -> str:
    """What a person would read first, quoted message left out."""
    for part in mail.walk():
        if part.get_content_type() in {"text/plain", "text/html"} and not part.is_attachment():
            try:
                return str(part.get_content())[:20_000]
            except (LookupError, UnicodeError, KeyError):
                return ""
    return ""


def _marks(mail: EmailMessage, content: bytes) -> Iterator[tuple[int, str]]:
    seen = set()
    names = ("delivered-to", "x-original-to", "envelope-to", "to", "in-reply-to", "references")
    heads = " ".join(str(each) for name in names for each in mail.get_all(name, []))
    for text in (heads, content[:LARGEST].decode("latin-1")):
        for key, seal in OURS.findall(text):
            if (int(key), seal) not in seen:
                seen.add((int(key), seal))
                yield int(key), seal

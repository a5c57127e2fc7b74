"""What was said of an address or a number: consents, refusals, addresses that do not work. Each with who, when, how.

Only the digest of an address is kept, so that a refusal is found again in the landlord's next campaign without
keeping a list of people who refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from campaigns.models import Landlord, User
from tenants.messaging.phones import mobile_number
from tenants.models import ContactMark, Purpose, SurveyCase

Kind, Channel = ContactMark.Kind, ContactMark.Channel
REMINDERS = frozenset({Purpose.REMINDER_DIGITAL, Purpose.REMINDER_LETTER})
# These close a channel for everything; « unsubscribed » closes it for reminders only: the law's own mail goes on.
CLOSES_ALL = {
    Channel.EMAIL: frozenset({Kind.COMPLAINT, Kind.DEAD, Kind.WRONG}),
    Channel.SMS: frozenset({Kind.STOP, Kind.DEAD, Kind.WRONG}),
    Channel.LRE: frozenset({Kind.DEAD, Kind.WRONG}),
}
CLOSES_REMINDERS = frozenset({Kind.UNSUBSCRIBED})


class UnableToMark(Exception):
    """The address is missing, or nobody says how the thing is known."""


def digest_of(channel: str, address: str) -> str:
    """The fingerprint of an address, the same however it is written. '' for an address that cannot be used."""
    plain = mobile_number(address) if channel == Channel.SMS else address.strip().casefold()
    if not plain:
        return ""
    return salted_hmac("tenants.contacts", f"{channel}:{plain}", algorithm="sha256").hexdigest()


def mark(
    *,
    landlord: Landlord,
    channel: str,
    address: str,
    kind: str,
    how: str,
    now: dt.datetime,
    actor: User | None = None,
    case: SurveyCase | None = None,
) -> ContactMark:
    """Write down what was said of an address; said again, the first mark stands. Raises UnableToMark."""
    digest = digest_of(channel, address)
    if not digest:
        raise UnableToMark("Cette adresse ou ce numéro ne se lit pas : vérifiez-le dans le dossier.")
    if not how.strip():
        raise UnableToMark("Dites comment vous le savez : un courrier, un appel, une réponse de la personne.")
    key = {"landlord": landlord, "channel": channel, "digest": digest, "kind": kind, "lifted_at": None}
    try:
        with transaction.atomic():
            made = ContactMark.objects.create(
                **key, how=how.strip()[:200], recorded_at=now, recorded_by=actor, case=case
            )
    except IntegrityError:
        return ContactMark.objects.get(**key)
    if case is not None:
        told = {"channel": channel, "mark": kind, "how": made.how}
        case.tell("contact_mark", now=now, actor=actor, data=told)
    return made


def lift(*, mark: ContactMark, now: dt.datetime, actor: User | None = None) -> bool:
    """The mark does not stand any more (the person changed their mind, the address works again). False when lifted."""
    changed = ContactMark.objects.filter(pk=mark.pk, lifted_at=None).update(lifted_at=now, lifted_by=actor)
    if changed and mark.case is not None:
        told = {"channel": mark.channel, "mark": mark.kind, "lifted": True}
        mark.case.tell("contact_mark_lifted", now=now, actor=actor, data=told)
    return bool(changed)


def consent_for(*, landlord: Landlord, channel: str, address: str) -> ContactMark | None:
    """The consent that stands for that address, if any."""
    digest = digest_of(channel, address)
    return standing(landlord).filter(channel=channel, digest=digest, kind=Kind.CONSENT).first() if digest else None


def standing(landlord: Landlord) -> QuerySet[ContactMark]:
    """The marks of a landlord that stand today."""
    marks: QuerySet[ContactMark] = ContactMark.objects.filter(landlord=landlord, lifted_at=None)
    return marks


class Rights:
    """The marks of a landlord, loaded once: whether an address may be used for a purpose, and why not."""

    def __init__(self, marks: Iterable[tuple[str, str, str]]) -> None:
        self._kinds: dict[tuple[str, str], set[str]] = {}
        for channel, digest, kind in marks:
            self._kinds.setdefault((channel, digest), set()).add(kind)

    @classmethod
    def of(cls, landlord: Landlord) -> Rights:
        """In one query."""
        return cls(standing(landlord).values_list("channel", "digest", "kind"))

    @classmethod
    def of_address(cls, landlord: Landlord, channel: str, address: str) -> Rights:
        """Those of one address, just before it is used."""
        marks = standing(landlord).filter(channel=channel, digest=digest_of(channel, address))
        return cls(marks.values_list("channel", "digest", "kind"))

    def refusal(self, *, channel: str, address: str, purpose: str, consent_needed: bool = False) -> str:
        """Why that address may not be used for that purpose, in French; '' when it may."""
        if channel not in CLOSES_ALL or (not self._kinds and not consent_needed):
            return ""
        kinds = self._kinds.get((channel, digest_of(channel, address)), set())
        closed = sorted(kinds & CLOSES_ALL[Channel(channel)])
        if not closed and purpose in REMINDERS:
            closed = sorted(kinds & CLOSES_REMINDERS)
        if closed:
            return REASONS[Kind(closed[0])]
        if consent_needed and Kind.CONSENT not in kinds:
            return NO_CONSENT
        return ""


NO_CONSENT = "La personne n'a pas donné son accord pour ce canal"
REASONS = {
    Kind.STOP: "La personne a répondu STOP : plus aucun SMS",
    Kind.COMPLAINT: "La personne a signalé nos e-mails comme indésirables",
    Kind.UNSUBSCRIBED: "La personne ne veut plus de relance par e-mail",
    Kind.DEAD: "Cette adresse ou ce numéro ne reçoit rien",
    Kind.WRONG: "Cette adresse ou ce numéro est à quelqu'un d'autre",
}

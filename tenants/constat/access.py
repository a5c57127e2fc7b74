"""The bailiff's door: a link sent to the office and a code told by another way, dated, revocable, one campaign only.

Why not an account: docs/adr/0015. Neither secret is stored; five wrong codes shut the door for a
quarter of an hour, then twice as long.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F

from campaigns import audit
from campaigns.models import Campaign, User
from tenants.access_codes import BY_REFERENCE, drawn_code, normalised, pepper, shown
from tenants.models import BailiffAccess, BailiffVisit

LONGEST = dt.timedelta(days=90)
TOKEN_BYTES = 32
HELP = "Demandez un nouvel accès au chargé d'affaires de l'enquête."


class UnableToOpenAccess(Exception):
    """The access can't be given like this; the message says why."""


class DoorShut(Exception):
    """The link or the code opens nothing; the message is for the bailiff."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new access, and its two secrets: shown once, never stored."""

    access: BailiffAccess
    link: str
    code: str


def issue(
    *, campaign: Campaign, name: str, office: str, days: int, now: dt.datetime, actor: User | None = None
) -> Issued:
    """Open a door to one campaign for `days` days. Raises UnableToOpenAccess."""
    if actor is not None and not actor.may_manage:
        raise UnableToOpenAccess("Seul un chargé d'affaires ouvre un accès.")
    if not name.strip() or not office.strip():
        raise UnableToOpenAccess("Écrivez le nom du commissaire de justice et celui de son étude.")
    if not 1 <= days <= LONGEST.days:
        raise UnableToOpenAccess(f"Un accès dure de 1 à {LONGEST.days} jours.")
    token, code = secrets.token_urlsafe(TOKEN_BYTES), drawn_code()
    access = BailiffAccess.objects.create(
        campaign=campaign,
        name=" ".join(name.split())[:120],
        office=" ".join(office.split())[:160],
        link_digest=_link_digest(token),
        code_digest=_code_digest(token, code),
        issued_at=now,
        issued_by=actor,
        expires_at=now + dt.timedelta(days=days),
    )
    return Issued(access, f"{settings.PORTAL_URL.rstrip('/')}/constat/a/{token}", shown(code))


def enter(*, token: str, code: str, now: dt.datetime) -> BailiffAccess:
    """The access that the pair opens, its visit written down. Raises DoorShut; call it outside any transaction."""
    with transaction.atomic():
        found = BailiffAccess.objects.select_for_update().filter(link_digest=_link_digest(token)).first()
        refusal = _refusal(found, token, code, now)
        if found is not None and not refusal:
            found.failures, found.locked_until, found.last_seen_at = 0, None, now
            found.save(update_fields=["failures", "locked_until", "last_seen_at"])
            note(access=found, act=BailiffVisit.Act.ENTERED, now=now)
    if found is None or refusal:
        raise DoorShut(refusal)
    return found


def revoke(*, access: BailiffAccess, now: dt.datetime, actor: User | None = None) -> bool:
    """Shut the door at once, also for whoever is inside. False when it was shut already."""
    changed = BailiffAccess.objects.filter(pk=access.pk, revoked_at=None).update(revoked_at=now, revoked_by=actor)
    return bool(changed)


def note(*, access: BailiffAccess, act: BailiffVisit.Act, now: dt.datetime, subject: str = "") -> BailiffVisit:
    """Write down what was looked at or taken, ids and references only: for the page of proofs, and in the audit."""
    with transaction.atomic():
        visit = BailiffVisit.objects.create(access=access, act=act, subject=subject[:40], at=now)
        audit.record(
            action=f"access.bailiff_{act}",
            at=now,
            kind="bailiffaccess",
            pk=access.pk,
            case=subject if act == BailiffVisit.Act.CASE else "",
            landlord_id=access.campaign.landlord_id,
            data={"subject": subject[:40]},
        )
    return visit


def _refusal(found: BailiffAccess | None, token: str, code: str, now: dt.datetime) -> str:
    """Why the door stays shut; '' when it opens. A wrong code is counted."""
    if found is None:
        return f"Ce lien n'ouvre rien. Vérifiez qu'il est complet. {HELP}"
    if found.revoked_at is not None:
        return f"Cet accès a été fermé. {HELP}"
    if now >= found.expires_at:
        return f"Cet accès n'est plus valable. {HELP}"
    if found.locked_until is not None and now < found.locked_until:
        minutes = -(-(found.locked_until - now).total_seconds() // 60)
        return f"Trop de codes faux : attendez {minutes:.0f} minutes avant de recommencer."
    if hmac.compare_digest(found.code_digest, _code_digest(token, normalised(code))):
        return ""
    pause = BY_REFERENCE.pause_after(found.failures + 1)
    BailiffAccess.objects.filter(pk=found.pk).update(
        failures=F("failures") + 1, locked_until=now + pause if pause else None
    )
    return "Ce code n'est pas le bon. Il compte douze caractères ; il vous a été donné à part du lien."


def _link_digest(token: str) -> str:
    return hashlib.sha256(f"constat:{token}".encode()).hexdigest()


def _code_digest(token: str, code: str) -> str:
    return hmac.new(pepper(), f"constat:{token}:{code}".encode(), hashlib.sha256).hexdigest()

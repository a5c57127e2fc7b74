"""What opens the portal: codes typed from a letter, tokens of links. Stored as digests, tried at a bounded pace.

Why an HMAC and not a slow hash, and what a thief of the database gets: docs/adr/0014-access-codes.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.db import transaction

from campaigns.bulk import insert_all
from campaigns.models import Campaign
from tenants.case_states import State
from tenants.models import AccessAttempt, AccessCode, SurveyCase

# Thirty symbols: no 0/O, no 1/I/L, no U (taken for V). Twelve of them are 58.9 bits.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
GROUP = 4
REFERENCE_LENGTH = 8
TOKEN_BYTES = 16  # 128 bits: a plain SHA-256 is enough (ASVS 6.5.2)
TOKEN_LENGTH = 22  # what they take in URL-safe base 64


class Refusal(StrEnum):
    """Why the door stays shut; the portal has a page for each."""

    EMPTY = "empty"
    WRONG = "wrong"
    LOCKED = "locked"
    USED = "used"
    CLOSED = "closed"


class AccessRefused(Exception):
    """The door stays shut. The message is for the tenant; `kind` for the page; `until` when it is only a wait."""

    def __init__(self, kind: Refusal, message: str, *, until: dt.datetime | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.until = until


@dataclass(frozen=True, slots=True)
class Limit:
    """`failures` failures shut the door for `pause`, doubled at each further one when `doubling`, at most `longest`.

    A counter left alone for `forgotten_after` (counted from the end of the pause) starts again from nothing.
    """

    failures: int
    pause: dt.timedelta
    longest: dt.timedelta
    forgotten_after: dt.timedelta
    doubling: bool = False

    def pause_after(self, failures: int) -> dt.timedelta | None:
        """How long the door stays shut after that many failures; None when it stays open."""
        if failures < self.failures:
            return None
        if not self.doubling:
            return self.pause
        doubled: dt.timedelta = self.pause * 2 ** min(failures - self.failures, 16)
        return min(self.longest, doubled)


QUARTER = dt.timedelta(minutes=15)
DAY = dt.timedelta(hours=24)
# QUALITY A.2 (5): never for ever, since a lock is itself an attack.
BY_REFERENCE = Limit(failures=5, pause=QUARTER, longest=DAY, forgotten_after=DAY, doubling=True)
BY_ADDRESS = Limit(failures=30, pause=QUARTER, longest=QUARTER, forgotten_after=QUARTER)

HELP = "Vous pouvez aussi appeler le numéro indiqué sur votre courrier : nous vous aiderons."
MALFORMED = (
    "Ce code n'est pas complet ou contient un caractère impossible. Un code d'accès compte 12 caractères, par exemple "
    "ABCD-2345-EFGH, et jamais de 0, de 1, de I, de L ni de O. Relisez-le sur votre dernier courrier."
)


def drawn_code() -> str:
    """A new code of twelve symbols, each equally likely, without its dashes."""
    number, symbols = secrets.randbelow(len(ALPHABET) ** LENGTH), []
    for _ in range(LENGTH):
        number, symbol = divmod(number, len(ALPHABET))
        symbols.append(ALPHABET[symbol])
    return "".join(symbols)


def shown(code: str) -> str:
    """The code as it is printed: XXXX-XXXX-XXXX."""
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def normalised(text: str) -> str:
    """What a person typed, without spaces and dashes of any kind, in capitals; U is taken for V."""
    return re.sub(r"[\s\-–—_.]+", "", text).upper().replace("U", "V")


def issue_typed(*, case: SurveyCase, wave: str, now: dt.datetime) -> str:
    """Give the case a fresh printed code, and return it as printed. Earlier codes stay valid until receipt."""
    return issue_typed_many(cases=[case], wave=wave, now=now)[case.pk]


def issue_typed_many(*, cases: Sequence[SurveyCase], wave: str, now: dt.datetime) -> dict[int, str]:
    """Give each case a fresh printed code in one insertion: case id → code as printed, no code twice among them."""
    drawn: dict[str, None] = {}  # in the order of the draw
    while len(drawn) < len(cases):
        drawn[drawn_code()] = None
    told, key = dict(zip((case.pk for case in cases), drawn, strict=True)), pepper()
    insert_all(
        AccessCode(
            case=case,
            kind=AccessCode.Kind.TYPED,
            digest=_typed_digest(key, case.reference, told[case.pk]),
            wave=wave,
            issued_at=now,
        )
        for case in cases
    )
    return {pk: shown(code) for pk, code in told.items()}


def issue_link(*, case: SurveyCase, wave: str, now: dt.datetime) -> str:
    """Give the case a fresh link token of 128 bits (22 URL-safe characters), and return it."""
    return issue_links_many(cases=[case], wave=wave, now=now)[case.pk]


def issue_links_many(*, cases: Sequence[SurveyCase], wave: str, now: dt.datetime) -> dict[int, str]:
    """Give each case a fresh link token in one insertion: case id → token."""
    told = {case.pk: secrets.token_urlsafe(TOKEN_BYTES) for case in cases}
    insert_all(
        AccessCode(case=case, kind=AccessCode.Kind.LINK, digest=link_digest(told[case.pk]), wave=wave, issued_at=now)
        for case in cases
    )
    return told


def link_url(token: str) -> str:
    """The address that a link or a QR code opens. Kept short for SMS; no case id ever stands in it."""
    return f"{settings.PORTAL_URL.rstrip('/')}/a/{token}"


def check_typed(*, reference: str, code: str, address: str, now: dt.datetime) -> SurveyCase:
    """The case that the printed pair opens; `address` is the visitor's network address.

    An unknown reference and a wrong code get the same answer after the same two queries. Failures are counted in a
    transaction of their own, so call it outside any other. Raises AccessRefused.
    """
    reference, code = normalised_reference(reference), normalised(code)
    if not reference or not code:
        raise AccessRefused(
            Refusal.EMPTY, "Écrivez votre identifiant et votre code d'accès : ils sont sur le courrier."
        )
    if len(reference) != REFERENCE_LENGTH or not _well_formed(code):
        raise AccessRefused(Refusal.WRONG, f"{MALFORMED} {HELP}")
    limits = {f"dossier:{reference}": BY_REFERENCE, f"adresse:{_blurred(address)}": BY_ADDRESS}
    with transaction.atomic():
        attempts = _attempts(limits)
        until = _locked_until(attempts, now)
        found = None if until else _found(AccessCode.Kind.TYPED, typed_digest(reference, code))
        if found is not None:
            AccessAttempt.objects.filter(subject=f"dossier:{reference}").delete()
        elif until is None:
            until = _count_failure(limits, attempts, now)
    if found is None:
        raise _locked(until, now) if until else _wrong()
    return _opened(found, now)


def check_link(*, token: str, now: dt.datetime) -> SurveyCase:
    """The case that the link opens. Raises AccessRefused."""
    if not token.strip():
        raise AccessRefused(Refusal.EMPTY, f"Ce lien n'est pas complet. Ouvrez-le depuis le message reçu. {HELP}")
    found = _found(AccessCode.Kind.LINK, link_digest(token.strip()))
    if found is None:
        raise AccessRefused(
            Refusal.WRONG,
            "Ce lien n'est pas reconnu. Ouvrez-le depuis le message reçu, ou connectez-vous avec l'identifiant et le "
            f"code d'accès imprimés sur votre courrier. {HELP}",
        )
    return _opened(found, now)


def revoke_all(*, case: SurveyCase, now: dt.datetime) -> int:
    """Deactivate every code and link of the case, at its receipt; returns how many were still alive."""
    return AccessCode.objects.filter(case=case, revoked_at=None).update(revoked_at=now)


def typed_digest(reference: str, code: str) -> str:
    """HMAC-SHA256 of the pair under the pepper: the reference is the salt. 64 hexadecimal digits."""
    return _typed_digest(pepper(), reference, normalised(code))


def _typed_digest(key: bytes, reference: str, code: str) -> str:
    return hmac.digest(key, f"{reference}:{code}".encode(), "sha256").hex()


def link_digest(token: str) -> str:
    """SHA-256 of a token. 64 hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def pepper() -> bytes:
    """The key kept out of the database: ACCESS_CODE_PEPPER, else one derived from SECRET_KEY."""
    told = settings.ACCESS_CODE_PEPPER or settings.SECRET_KEY
    return hashlib.sha256(f"tenants.access_codes:{told}".encode()).digest()


def normalised_reference(text: str) -> str:
    """A case reference as typed, without spaces and dashes, in capitals."""
    return re.sub(r"[\s\-–—_.]+", "", text).upper()


def _well_formed(code: str) -> bool:
    return len(code) == LENGTH and set(code) <= set(ALPHABET)


def _blurred(address: str) -> str:
    """The address as a counter keeps it: not in clear, since it is personal."""
    return hmac.new(pepper(), address.encode(), hashlib.sha256).hexdigest()[:32]


def _found(kind: str, digest: str) -> AccessCode | None:
    codes = AccessCode.objects.select_related("case__campaign__landlord")
    return codes.filter(kind=kind, digest=digest).order_by("pk").first()


def _attempts(subjects: Iterable[str]) -> dict[str, AccessAttempt]:
    rows = AccessAttempt.objects.select_for_update().filter(subject__in=list(subjects)).order_by("subject")
    return {row.subject: row for row in rows}


def _locked_until(attempts: dict[str, AccessAttempt], now: dt.datetime) -> dt.datetime | None:
    ends = [row.locked_until for row in attempts.values() if row.locked_until and row.locked_until > now]
    return max(ends, default=None)


def _count_failure(
    limits: dict[str, Limit], attempts: dict[str, AccessAttempt], now: dt.datetime
) -> dt.datetime | None:
    """Count one failure on each counter; returns until when the door is now shut, if it is."""
    for subject in sorted(limits.keys() - attempts.keys()):
        AccessAttempt.objects.bulk_create([AccessAttempt(subject=subject, last_at=now)], ignore_conflicts=True)
    attempts = _attempts(limits)
    for subject, row in attempts.items():
        limit = limits[subject]
        quiet_since = max(row.last_at, row.locked_until or row.last_at)
        row.failures = 1 if now - quiet_since > limit.forgotten_after else row.failures + 1
        pause = limit.pause_after(row.failures)
        row.last_at, row.locked_until = now, now + pause if pause else None
        row.save(update_fields=["failures", "last_at", "locked_until"])
    return _locked_until(attempts, now)


def _wrong() -> AccessRefused:
    return AccessRefused(
        Refusal.WRONG,
        "Ce numéro de dossier et ce code ne vont pas ensemble. Vérifiez-les sur votre dernier courrier : "
        f"ils sont dans le cadre « Répondez en ligne ». {HELP}",
    )


def _locked(until: dt.datetime | None, now: dt.datetime) -> AccessRefused:
    minutes = -(-(until - now).total_seconds() // 60) if until else 15
    wait = f"{minutes:.0f} minutes" if minutes <= 90 else f"{-(-minutes // 60):.0f} heures"
    return AccessRefused(
        Refusal.LOCKED,
        f"Trop d'essais ont échoué. Par sécurité, attendez {wait} avant de recommencer. "
        f"Si vous avez reçu un lien par e-mail ou par SMS, il reste utilisable. {HELP}",
        until=until,
    )


def _opened(code: AccessCode, now: dt.datetime) -> SurveyCase:
    """The case of a code found, unless the code or the campaign is over. Raises AccessRefused."""
    case = code.case
    landlord = case.campaign.landlord
    call = f"Pour toute question, appelez le {landlord.hotline}, {landlord.hotline_hours}."
    if case.state == State.OUT_OF_SCOPE:
        raise AccessRefused(Refusal.CLOSED, f"Votre foyer n'est pas concerné par cette enquête : rien à faire. {call}")
    if case.campaign.stage == Campaign.Stage.CLOSED:
        raise AccessRefused(
            Refusal.CLOSED,
            "Cette enquête est close : on ne peut plus y répondre en ligne. Si vous n'avez pas répondu, il est encore "
            f"utile de le faire : appelez-nous. {call}",
        )
    if code.revoked_at is not None:
        raise AccessRefused(
            Refusal.USED,
            "Ce code a déjà servi : nous avons bien reçu votre réponse. Si quelque chose manque, nous vous écrirons, "
            f"et ce nouveau courrier portera un nouveau code. {call}",
        )
    if code.used_at is None:
        AccessCode.objects.filter(pk=code.pk, used_at=None).update(used_at=now)
    return case

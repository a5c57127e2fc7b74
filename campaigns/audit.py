"""The audit: entries written with what they tell, then covered by one chain of digests that shows any change.

An entry is one plain insert, in the transaction of what it tells: it waits for nobody, and is there if and only if the
thing was done. The chain is drawn up apart (`seal`, every few seconds), by one process at a time; no business
transaction ever waits for it, so nothing can dead-lock. docs/adr tells why.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from celery import current_task
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from campaigns.bulk import insert_all
from campaigns.models import AuditEntry, AuditLink, User

GENESIS = "0" * 64
CHUNK = 2_000
_LOCK = 0x617564697400  # of PostgreSQL's advisory locks, ours alone
_RULES = Path(__file__).with_name("audit.toml")


@dataclass(frozen=True, slots=True)
class Source:
    """Who acts, and from where. `case` is the reference of the household's case, or of the one looked at."""

    who: str = AuditEntry.Who.MACHINE
    user_id: int | None = None
    name: str = ""
    landlord_id: int | None = None
    address: str = ""
    agent: str = ""


_source: ContextVar[Source | None] = ContextVar("audit_source", default=None)


@contextmanager
def acting(source: Source) -> Iterator[None]:
    """What is recorded inside is by that person, from there."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


def source() -> Source:
    """Who acts now: the person of the request, else the task or the command."""
    known = _source.get()
    if known is not None:
        return known
    return Source(name=str(current_task.name)[:80] if current_task else "")


# ── Recording ────────────────────────────────────────────────────────────────────────────────────────────────────────


def entry(
    *,
    action: str,
    at: dt.datetime,
    actor: User | None = None,
    kind: str = "",
    pk: object = "",
    case: str = "",
    landlord_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """An entry that is not written yet. `actor`, when given, is who acted whatever the request says.

    `data` holds ids, counts and kinds as strings, integers and lists of them; never a personal value.
    """
    known = source()
    user_id = actor.pk if actor is not None else known.user_id
    return AuditEntry(
        at=at,
        who=AuditEntry.Who.USER if actor is not None else known.who,
        user_id=user_id,
        name=known.name if user_id == known.user_id else "",
        action=action[:80],
        landlord_id=landlord_id or known.landlord_id,
        object_kind=kind[:60],
        object_id=str(pk)[:60],
        case_reference=case[:8],
        address=known.address[:45],
        agent=known.agent,
        data=dict(data or {}),
    )


def record(**told: Any) -> AuditEntry:
    """Write one entry; the arguments are those of `entry`."""
    written = entry(**told)
    written.save(force_insert=True)
    return written


def record_many(entries: Iterable[AuditEntry]) -> None:
    """Write several entries in few statements."""
    insert_all(entries)


# ── The chain ────────────────────────────────────────────────────────────────────────────────────────────────────────


def content_of(row: AuditEntry) -> str:
    """SHA-256 of everything an entry tells, in hexadecimal."""
    told = [
        row.pk,
        _moment(row.at),
        _moment(row.recorded_at),
        row.who,
        row.user_id,
        row.name,
        row.action,
        row.landlord_id,
        row.object_kind,
        row.object_id,
        row.case_reference,
        row.address,
        row.agent,
        row.data,
    ]
    return _sha256(json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def link_digest(*, number: int, previous: str, entry_id: int, content: str, kept_until: dt.date) -> str:
    """SHA-256 of a link, which covers the link before it, in hexadecimal."""
    return _sha256(f"{number}\n{previous}\n{entry_id}\n{content}\n{kept_until.isoformat()}")


def seal() -> int:
    """Cover the entries that wait by the chain; returns how many. One process at a time: another returns 0 at once."""
    sealed = 0
    while count := _seal_chunk():
        sealed += count
    return sealed


def _seal_chunk() -> int:
    with transaction.atomic():
        if not _alone():
            return 0
        rows = list(AuditEntry._base_manager.filter(pending=True).order_by("pk")[:CHUNK])
        if not rows:
            return 0
        last = AuditLink.objects.order_by("-number").first()
        number, digest = (last.number, last.digest) if last else (0, GENESIS)
        links = []
        for row in rows:
            number, content = number + 1, content_of(row)
            kept_until = row.recorded_at.date() + dt.timedelta(days=days_kept(row.action))
            digest = link_digest(
                number=number, previous=digest, entry_id=row.pk, content=content, kept_until=kept_until
            )
            links.append(AuditLink(number=number, entry=row.pk, content=content, kept_until=kept_until, digest=digest))
        AuditLink.objects.bulk_create(links)
        AuditEntry._base_manager.filter(pk__in=[row.pk for row in rows]).update(pending=False)
    return len(rows)


def _alone() -> bool:
    """Hold the chain until the end of the transaction. SQLite has one writer at a time anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


# ── Verifying ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Verified:
    """What was found: `broken` is the number of the first wrong link (0 for an entry outside the chain), or None.

    `head` and `digest` are the last link, to be written down elsewhere: given back as an anchor later, they show that
    the chain was not drawn up anew.
    """

    links: int = 0
    entries: int = 0
    forgotten: int = 0
    pending: int = 0
    head: int = 0
    digest: str = GENESIS
    broken: int | None = None
    reason: str = ""


def verify(*, today: dt.date, anchor: tuple[int, str] | None = None) -> Verified:
    """Read the whole chain again, and stop at the first link that does not hold. Memory is flat."""
    found = Verified(pending=AuditEntry._base_manager.filter(pending=True).count())
    links = AuditLink.objects.order_by("number").iterator(chunk_size=CHUNK)
    while chunk := list(islice(links, CHUNK)):
        rows = AuditEntry._base_manager.in_bulk([link.entry for link in chunk])
        for link in chunk:
            found.reason = _wrong(link, rows.get(link.entry), found, today, anchor)
            if found.reason:
                found.broken = link.number
                return found
            found.links, found.head, found.digest = found.links + 1, link.number, link.digest
    if anchor is not None and anchor[0] > found.head:
        found.broken, found.reason = found.head + 1, "La fin de la chaîne manque : elle allait plus loin."
        return found
    linked = AuditLink.objects.filter(entry=OuterRef("pk"))
    stray = AuditEntry._base_manager.filter(~Exists(linked), pending=False).order_by("pk").first()
    if stray is not None:
        found.broken, found.reason = 0, f"L'entrée {stray.pk} n'est dans aucun maillon."
    return found


def _wrong(
    link: AuditLink, row: AuditEntry | None, found: Verified, today: dt.date, anchor: tuple[int, str] | None
) -> str:
    """What does not hold in a link, in French; '' when it does."""
    if link.number != found.head + 1:
        return f"Il manque des maillons : le {link.number} suit le {found.head}."
    expected = link_digest(
        number=link.number,
        previous=found.digest,
        entry_id=link.entry,
        content=link.content,
        kept_until=link.kept_until,
    )
    if link.digest != expected:
        return "L'empreinte du maillon n'est pas celle de ce qu'il contient."
    if anchor is not None and anchor[0] == link.number and anchor[1] != link.digest:
        return "La chaîne a été refaite : ce maillon n'a pas l'empreinte notée à l'époque."
    if row is None:
        found.forgotten += 1
        return "" if link.kept_until < today else f"L'entrée {link.entry} a été effacée avant son terme."
    found.entries += 1
    return "" if content_of(row) == link.content else f"L'entrée {link.entry} a été modifiée."


# ── Retention ────────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def _rules() -> tuple[tuple[str, int], ...]:
    told = tomllib.loads(_RULES.read_text(encoding="utf-8"))["kept"]
    return tuple(sorted(((rule["prefix"], rule["days"]) for rule in told), key=lambda rule: -len(rule[0])))


def days_kept(action: str) -> int:
    """How many days an entry of that action is kept (audit.toml, with its sources)."""
    return next(days for prefix, days in _rules() if action.startswith(prefix))


def forget(*, today: dt.date) -> int:
    """Drop the entries whose time is over; their links stay, and still hold. Returns how many."""
    over = AuditLink.objects.filter(kept_until__lt=today)
    rows = AuditEntry._base_manager.filter(Exists(over.filter(entry=OuterRef("pk"))))
    dropped = 0
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        dropped += AuditEntry._base_manager.filter(pk__in=pks)._raw_delete(connection.alias)
    return dropped


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()

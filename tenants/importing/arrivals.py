"""One file of `depot/` brought in: whole, once, and put under a name of ours before anything else is done with it.

Killed at any point, nothing is lost or read twice: the file leaves `depot/` only for the archive, and only once its
content and its row are stored; the same content again finds the same deposit.
"""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files.base import File
from django.db import transaction

from campaigns.exchange import ExchangeUnavailable, LandlordExchange, RemoteFile
from campaigns.models import Campaign
from tenants.importing.completeness import TAIL, Unfinished, unfinished
from tenants.importing.deposits import HEAD, UnableToImport, receive_deposit, recognise
from tenants.models import Arrival

log = logging.getLogger(__name__)

MARGIN = 512 * 1024 * 1024  # bytes that stay free on our disk once a file is brought in
OURS = (".csv", ".txt", ".xlsx", ".xml")
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Taken:
    """A file brought in: its arrival, and how it is called in `depot/` until it is put away."""

    arrival: Arrival
    held: RemoteFile


def bring(*, campaign: Campaign, exchange: LandlordExchange, file: RemoteFile, now: dt.datetime) -> Taken | Arrival:
    """Store one settled file as an arrival, and take it; only the arrival when the file waits for its end.

    Raises StillChanging when it moves under our eyes, ExchangeUnavailable when there is no room or no line.
    """
    waiting = _waiting(campaign, file)
    if waiting is not None and waiting.wait_until is not None and now < waiting.wait_until:
        return waiting
    with _spool(file.size) as local:
        digest = exchange.fetch(file.name, local, seen=file)
        with local.open("rb") as content:
            lacks = _lacks_its_end(content, file)
            if lacks is not None and waiting is None:
                return _waits(campaign, file, digest, lacks, now)
            arrival = _stored(campaign, file, digest, content, now)
    return Taken(arrival, exchange.claim(file, digest))


def stranger(*, campaign: Campaign, label: str, now: dt.datetime) -> Arrival:
    """Something of `depot/` that is no file (a folder, a link): its arrival, the same at each look."""
    why = f"« {label} » n'est pas un fichier : déposez les fichiers eux-mêmes dans « depot », sans dossier ni lien."
    return Arrival.objects.get_or_create(
        campaign=campaign,
        name=label,
        size=0,
        modified_at=EPOCH,
        sha256="",
        defaults={"state": Arrival.State.REFUSED, "seen_at": now, "explanation": why[:300]},
    )[0]


def _waiting(campaign: Campaign, file: RemoteFile) -> Arrival | None:
    """The arrival that this file already is, when it was found incomplete and has not moved since."""
    same = Arrival.objects.filter(campaign=campaign, name=file.label, size=file.size, modified_at=file.modified)
    return same.filter(state=Arrival.State.WAITING).first()


def _waits(campaign: Campaign, file: RemoteFile, digest: str, lacks: Unfinished, now: dt.datetime) -> Arrival:
    """Not whole yet: it stays where it is, and is not even downloaded again before it moves or its delay is over."""
    arrival = _arrival(campaign, file, digest, Arrival.State.WAITING, now, lacks.reason)
    arrival.wait_until = now + lacks.patience
    arrival.save(update_fields=["wait_until"])
    return arrival


def _lacks_its_end(content: BinaryIO, file: RemoteFile) -> Unfinished | None:
    """What tells that it is cut; what is none of ours, a photograph, is told at once, whole or not."""
    if not file.label.lower().endswith(OURS):
        return None
    head = content.read(TAIL)
    content.seek(max(0, file.size - TAIL))
    return unfinished(head=head, tail=content.read(TAIL), size=file.size)


@transaction.atomic
def _stored(campaign: Campaign, file: RemoteFile, digest: str, content: BinaryIO, now: dt.datetime) -> Arrival:
    """The content as a deposit and its arrival, both or neither."""
    same = Arrival.objects.filter(campaign=campaign, name=file.label, size=file.size, modified_at=file.modified)
    known = same.filter(sha256=digest).exclude(state=Arrival.State.WAITING).first()
    if known is not None:
        return known
    content.seek(0)
    try:
        kind = recognise(file.label, content.read(HEAD))
    except UnableToImport as error:
        log.warning("campaign %s: a file of %d bytes is not recognised", campaign.pk, file.size)
        return _arrival(campaign, file, digest, Arrival.State.REFUSED, now, str(error))
    content.seek(0)
    deposit, new = receive_deposit(campaign=campaign, kind=kind, name=file.label, content=File(content), now=now)
    arrival = _arrival(campaign, file, digest, Arrival.State.READ, now, "")
    arrival.deposit, arrival.repeated = deposit, not new
    arrival.save(update_fields=["deposit", "repeated"])
    return arrival


def _arrival(
    campaign: Campaign, file: RemoteFile, digest: str, state: str, now: dt.datetime, explanation: str
) -> Arrival:
    told = {"state": state, "seen_at": now, "explanation": explanation[:300], "told": ""}
    return Arrival.objects.update_or_create(
        campaign=campaign,
        name=file.label,
        size=file.size,
        modified_at=file.modified,
        sha256=digest,
        defaults=told,
    )[0]


@contextmanager
def _spool(size: int) -> Iterator[Path]:
    """A place on the disk of our own files. Raises ExchangeUnavailable."""
    root = Path(settings.MEDIA_ROOT) / "spool"
    root.mkdir(parents=True, exist_ok=True)
    # The content is there twice, for a moment: as it comes, and as it is kept.
    if shutil.disk_usage(root).free < 2 * size + MARGIN:
        raise ExchangeUnavailable(f"La place manque ici pour recevoir {size} octets. Nouvel essai plus tard.")
    with tempfile.TemporaryDirectory(dir=root) as folder:
        yield Path(folder) / "deposit"

"""Fetching what the scanning site dropped: each landlord's scans come by an SFTP account of their own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from campaigns.exchange import LandlordExchange, SftpAccount, StillChanging, settled
from campaigns.exchange_accounts import account_of, embedded_password
from campaigns.models import Campaign, Landlord
from returns.intake import receive_scans
from returns.models import ScanBatch
from returns.reading.images import UnreadableScan, open_pages
from returns.reading.page_codes import FoundCode, find_page_code
from returns.reading.scanned import ScannedPage
from tenants.models import SurveyCase

SUFFIX = "-numerisation"  # of the account: the scanning site never enters the landlord's own folders
PAUSE = 1.0  # seconds between two looks: a file that grows meanwhile waits for the next time
PEEKED = 12  # pages looked at to tell which campaign a file belongs to


def scan_account_of(landlord: Landlord, *, port: int | None = None, host_key: str = "") -> SftpAccount:
    """The scanning site's account for a landlord's campaigns."""
    account = account_of(landlord, port=port, host_key=host_key)
    username = f"{account.username}{SUFFIX}"
    password = "" if settings.SFTP_CLIENT_KEY else embedded_password(username)
    return dataclasses.replace(account, username=username, password=password)


def fetch_scans(
    *, campaigns: Sequence[Campaign], exchange: LandlordExchange, now: dt.datetime, pause: float = PAUSE
) -> list[ScanBatch]:
    """Bring the files dropped for one landlord, give each to its campaign, leave a receipt, archive it.

    Safe to run again at any point: the same content is one batch. `campaigns` are those in the field, at least one; a
    file whose pages name none of them goes to the first. Raises ExchangeError.
    """
    seen = exchange.incoming()
    if not seen:
        return []
    time.sleep(pause)
    batches = []
    for file in settled(seen, exchange.incoming()):
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "scan"
            try:
                digest = exchange.fetch(file.name, local, seen=file)
            except StillChanging:
                continue
            content = local.read_bytes()
        batch = receive_scans(campaign=_campaign_of(content, campaigns), name=file.label, content=content, now=now)
        batches.append(batch)
        try:
            held = exchange.claim(file, digest)
        except StillChanging:
            continue  # replaced since: what was read is kept, what replaced it comes next time
        exchange.drop_receipt(f"{file.label}.accuse.txt", _receipt(batch, len(content)))
        exchange.archive(held.name)
    return batches


def _campaign_of(content: bytes, campaigns: Sequence[Campaign]) -> Campaign:
    """The campaign of the first form of the file."""
    if len(campaigns) == 1:
        return campaigns[0]
    try:
        for page in open_pages(content):
            if page.index >= PEEKED:
                break
            found = find_page_code(page.grey) if isinstance(page, ScannedPage) else None
            if isinstance(found, FoundCode):
                case = SurveyCase.objects.filter(reference=found.code.case, campaign__in=campaigns).first()
                if case is not None:
                    return next(campaign for campaign in campaigns if campaign.pk == case.campaign_id)
    except UnreadableScan:
        return campaigns[0]
    return campaigns[0]


def _receipt(batch: ScanBatch, size: int) -> str:
    told = "DÉJÀ REÇU : ce fichier a le contenu d'un lot précédent, il n'est pas lu deux fois."
    return (
        f"{told if batch.already_received else 'LOT REÇU'}\n\n"
        f"Lot : {batch.pk}\nFichier : {batch.name}\nTaille : {size} octets\nSHA-256 : {batch.sha256}\n"
    )

"""The landlord's exchange emptied: each file recognised, handled in the right order, told back with a receipt."""

from __future__ import annotations

import datetime as dt
import logging
import tempfile
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from django.core.files.base import File

from campaigns.exchange import RECEIPTS, ExchangeError, ExchangeRefused, LandlordExchange, settled
from campaigns.exchange_accounts import account_of
from campaigns.models import Campaign
from tenants.importing.code_tables import import_codes
from tenants.importing.deposits import HEAD, Progress, UnableToImport, keep_rules, receive_deposit, recognise
from tenants.importing.households import bring_households
from tenants.importing.report import anomalies_csv, receipt_of
from tenants.models import ImportFile

log = logging.getLogger(__name__)

# Codes before rules before households, which need the codes.
ORDER = (ImportFile.Kind.CODES, ImportFile.Kind.RULES, ImportFile.Kind.HOUSEHOLDS)
# Two looks this far apart (seconds) tell a finished file from one that still grows.
PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A file brought from the exchange: its name there and its deposit."""

    name: str
    deposit: ImportFile


def process(*, deposit: ImportFile, now: dt.datetime, progress: Progress | None = None) -> ImportFile:
    """Put one deposit to use according to its kind, and give it back with its outcome.

    A deposit that can't be handled yet (no profile is chosen) stays received, and says what it waits for.
    """
    try:
        if deposit.kind == ImportFile.Kind.CODES:
            return import_codes(deposit=deposit, now=now)
        if deposit.kind == ImportFile.Kind.RULES:
            return keep_rules(deposit=deposit, now=now)
        bring_households(deposit=deposit, now=now, progress=progress)
        deposit.refresh_from_db()
    except UnableToImport as error:
        deposit.explanation = str(error)
        deposit.save(update_fields=["explanation"])
    return deposit


def fetch_deposits(
    *, campaign: Campaign, exchange: LandlordExchange, now: dt.datetime, pause: float = PAUSE
) -> list[ImportFile]:
    """Bring everything the landlord has dropped, put it to use, archive it and drop a receipt for each file.

    Files that still grow wait for the next time. Safe to run again at any point: what was stored is not stored twice,
    what was imported is not imported twice. Raises ExchangeError when the exchange can't be reached.
    """
    seen = exchange.incoming()
    if not seen:
        return []
    time.sleep(pause)
    arrived = []
    for file in settled(seen, exchange.incoming()):
        found = _bring(campaign, exchange, file.name, now)
        if found is not None:
            arrived.append(found)
    arrived.sort(key=lambda each: ORDER.index(ImportFile.Kind(each.deposit.kind)))
    for each in arrived:
        if each.deposit.state != ImportFile.State.IMPORTED:
            process(deposit=each.deposit, now=now)
    _try_again(campaign, arrived, now)
    for each in arrived:
        each.deposit.refresh_from_db()
        _tell(exchange, each, now)
        exchange.archive(each.name)
    return [each.deposit for each in arrived]


def _bring(campaign: Campaign, exchange: LandlordExchange, name: str, now: dt.datetime) -> _Arrived | None:
    """Store one file as a deposit; None when it is none of ours, which its receipt then says."""
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / "deposit"
        exchange.fetch(name, local)
        with local.open("rb") as content:
            try:
                kind = recognise(name, content.read(HEAD))
            except UnableToImport as error:
                log.warning("campaign %s: a file of %d bytes is not recognised", campaign.pk, local.stat().st_size)
                exchange.drop_receipt(f"{name}.accuse.txt", f"FICHIER NON RECONNU\n\n{error}\n")
                exchange.archive(name)
                return None
            content.seek(0)
            deposit, _ = receive_deposit(campaign=campaign, kind=kind, name=name, content=File(content), now=now)
    return _Arrived(name, deposit)


def _try_again(campaign: Campaign, arrived: list[_Arrived], now: dt.datetime) -> None:
    """New code tables may be just what an earlier file of households was waiting for."""
    if not any(each.deposit.kind == ImportFile.Kind.CODES for each in arrived):
        return
    waiting = campaign.deposits.filter(kind=ImportFile.Kind.HOUSEHOLDS, anomalies__kind="missing_table")
    for deposit in waiting.exclude(state=ImportFile.State.IMPORTED).distinct():
        process(deposit=deposit, now=now)


def _tell(exchange: LandlordExchange, arrived: _Arrived, now: dt.datetime) -> None:
    """The receipt, and the list of anomalies when there are any."""
    try:
        exchange.drop_receipt(f"{arrived.name}.accuse.txt", receipt_of(arrived.deposit, now))
        anomalies = arrived.deposit.anomalies.order_by("line", "pk")
        if anomalies.exists():
            content = BytesIO(anomalies_csv(anomalies.iterator()).encode("utf-8"))
            exchange.deliver(RECEIPTS, f"{arrived.name}.anomalies.csv", content)
    except ExchangeRefused:
        log.exception("deposit %s: its receipt could not be dropped", arrived.deposit.pk)


@dataclass(frozen=True, slots=True)
class Visit:
    """What one landlord's exchange gave to a campaign; `problem` is a French sentence when it could not be reached."""

    campaign: Campaign
    deposits: tuple[ImportFile, ...] = ()
    problem: str = ""


def visit_exchanges(*, now: dt.datetime, campaign_id: int | None = None, pause: float = PAUSE) -> list[Visit]:
    """Bring in the deposits of every landlord that has a campaign open, into its newest one.

    A landlord's exchange that can't be reached does not keep the others waiting. A rehearsal takes files only when the
    landlord has no real campaign open, or when it is asked for by `campaign_id`.
    """
    visits = []
    for campaign in _awaiting(campaign_id):
        try:
            with LandlordExchange(account_of(campaign.landlord)) as exchange:
                deposits = fetch_deposits(campaign=campaign, exchange=exchange, now=now, pause=pause)
            visits.append(Visit(campaign, tuple(deposits)))
        except ExchangeError as error:
            log.warning("campaign %s: its exchange can't be visited (%s)", campaign.pk, type(error).__name__)
            visits.append(Visit(campaign, problem=str(error)))
    return visits


def _awaiting(campaign_id: int | None) -> list[Campaign]:
    """One campaign a landlord: open, real rather than rehearsed, of the latest year."""
    opened = Campaign.objects.exclude(stage=Campaign.Stage.CLOSED).select_related("landlord")
    if campaign_id is not None:
        return list(opened.filter(pk=campaign_id))
    chosen: dict[int, Campaign] = {}
    for campaign in opened.order_by("rehearsal", "-year", "-pk"):
        chosen.setdefault(campaign.landlord_id, campaign)
    return list(chosen.values())

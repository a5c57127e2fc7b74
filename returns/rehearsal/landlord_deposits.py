"""Deposits that lie on disk, dropped by SFTP as their landlords would and imported into campaigns in preparation."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

from campaigns import operations
from campaigns.exchange import INCOMING, LandlordExchange
from campaigns.exchange_accounts import account_of, embedded_server
from campaigns.models import Campaign
from returns.rehearsal.production import SETTLED
from returns.rehearsal.stage import REPLY, depositor
from tenants.importing import adopt_profile, fetch_deposits
from tenants.models import Household, ImportFile

OPENS_IN = dt.timedelta(days=45)
FIELD = dt.timedelta(days=110)


@dataclass(frozen=True, slots=True)
class Folder:
    """A landlord's files on disk, and the name of the mapping profile that reads them."""

    path: Path
    profile: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a landlord's deposit gave: households imported, anomalies reported, seconds, and its second drop's gain."""

    campaign: Campaign
    files: int
    households: int
    anomalies: int
    seconds: float
    added_by_second_drop: int


def take_deposits(*, folders: Sequence[Folder], now: dt.datetime) -> list[Taken]:
    """Each folder becomes a landlord's deposit: dropped on the built-in SFTP server, imported, then dropped again.

    The campaigns are left in preparation, for the case manager to go on with; a landlord whose campaign is already
    there only drops its files again.
    """
    taken = []
    for number, folder in enumerate(folders):
        campaign = _campaign(number, now)
        if campaign.mapping_profile is None:
            adopt_profile(campaign=campaign, name=folder.profile)
        with embedded_server() as server:
            account = account_of(campaign.landlord, port=server.port, host_key=server.host_key)
            with LandlordExchange(account) as exchange:
                taken.append(_dropped_twice(campaign, exchange, folder.path, now))
    return taken


def _campaign(number: int, now: dt.datetime) -> Campaign:
    today = timezone.localdate(now)
    opens = today + OPENS_IN
    landlord = depositor(number)
    known = Campaign.objects.real().filter(landlord=landlord, year=today.year + 1).first()
    return known or operations.open_campaign(
        landlord=landlord,
        survey=Campaign.Survey.SLS,
        year=today.year + 1,
        opens_on=opens,
        reply_by=opens + REPLY,
        closes_on=opens + FIELD,
        now=now,
    )


def _dropped_twice(campaign: Campaign, exchange: LandlordExchange, folder: Path, now: dt.datetime) -> Taken:
    started = time.perf_counter()
    _drop(exchange, folder)
    deposits = fetch_deposits(campaign=campaign, exchange=exchange, now=now, pause=SETTLED)
    seconds = time.perf_counter() - started
    households, lines = _counted(campaign)
    _drop(exchange, folder)
    fetch_deposits(campaign=campaign, exchange=exchange, now=now, pause=SETTLED)
    again, more = _counted(campaign)
    return Taken(
        campaign=campaign,
        files=len(deposits),
        households=households,
        anomalies=sum(each.anomalies.count() for each in deposits if each.kind == ImportFile.Kind.HOUSEHOLDS),
        seconds=seconds,
        added_by_second_drop=again - households + more - lines,
    )


def _drop(exchange: LandlordExchange, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in {".xml", ".csv"}:
            with path.open("rb") as content:
                exchange.deliver(INCOMING, path.name, content)


def _counted(campaign: Campaign) -> tuple[int, int]:
    """Households and deposits of the campaign."""
    return Household.objects.filter(campaign=campaign).count(), campaign.deposits.count()

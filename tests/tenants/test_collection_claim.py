"""A landlord's folders kept for one visit: renewed while it lasts, left to others once it is dead."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.exchange import ExchangeUnavailable, LandlordExchange
from campaigns.exchange_accounts import exchange_account
from campaigns.models import Campaign, ExchangeAccount
from tenants import importing
from tenants.importing import collection
from tests.campaigns.conftest import openssh_server
from tests.tenants.test_collection import CODES, SMALL, Folders, folders

__all__ = ["folders", "openssh_server"]


def test_a_long_import_keeps_its_folders_and_what_was_taken_over_is_left(campaign: Campaign, now: dt.datetime) -> None:
    seconds = [0.0]
    claim = collection.Claim(exchange_account(campaign.landlord), now, clock=lambda: seconds[0])
    for minute in range(0, 40, 2):
        seconds[0] = minute * 60.0
        claim.renew(minute)
    later = now + dt.timedelta(minutes=39)
    with pytest.raises(ExchangeUnavailable):
        collection.Claim(exchange_account(campaign.landlord), later)

    killed = later + collection.CLAIM
    other = collection.Claim(exchange_account(campaign.landlord), killed)
    seconds[0] = 60 * 60.0
    claim.renew()
    claim.release()
    assert ExchangeAccount.objects.get().visited_until == killed + collection.CLAIM
    other.release()
    assert ExchangeAccount.objects.get().visited_until is None


def test_a_visit_renews_its_claim_while_it_reads(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr("tenants.importing.examining.CHUNK", 1)
    folders.drop("codes.csv", CODES)
    folders.drop("locataires.xml", SMALL)
    with LandlordExchange(folders.server.account) as exchange:
        importing.fetch_deposits(
            campaign=folders.campaign, exchange=exchange, now=folders.now, pause=0.01, progress=told.append
        )
    assert len(told) > 1

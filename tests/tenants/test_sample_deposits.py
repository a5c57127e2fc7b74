"""The two landlords' deposits, dropped in their folders of a stock OpenSSH server and imported from there."""

from __future__ import annotations

import io

import pytest

from campaigns.exchange import INCOMING, RECEIPTS, LandlordExchange
from tenants import importing
from tests.campaigns.conftest import openssh_server
from tests.factories.campaigns import CampaignFactory
from tests.tenants.depositing import LANDLORDS, SAMPLES, truth

__all__ = ["openssh_server"]
pytestmark = pytest.mark.django_db


def drop(exchange, letter):
    for path in (SAMPLES / LANDLORDS[letter][0]).iterdir():
        if path.suffix.lower() in {".xml", ".csv"}:
            exchange.deliver(INCOMING, path.name, io.BytesIO(path.read_bytes()))


@pytest.mark.parametrize("letter", LANDLORDS)
def test_a_landlords_deposit_is_imported_with_every_planted_anomaly_and_a_second_one_does_nothing(
    letter, openssh_server, now
):
    campaign = CampaignFactory()
    importing.adopt_profile(campaign=campaign, name=LANDLORDS[letter][1])
    planted = truth(letter)["anomalies"]
    with LandlordExchange(openssh_server.account) as exchange:
        drop(exchange, letter)
        codes, rules, households = importing.fetch_deposits(campaign=campaign, exchange=exchange, now=now, pause=0.01)
        assert {codes.state, rules.state, households.state} == {"imported"}
        found = households.anomalies.exclude(expected="NF Z10-011")  # addresses to correct are told apart
        assert sorted(each.kind for each in found) == sorted(each["kind"] for each in planted)
        assert all(each.line and each.path and each.message for each in found)
        assert f"{LANDLORDS[letter][2]}.anomalies.csv" in exchange.listdir(RECEIPTS)[1]
        before = campaign.households.count()
        drop(exchange, letter)
        importing.fetch_deposits(campaign=campaign, exchange=exchange, now=now, pause=0.01)
    assert campaign.households.count() == before > 380
    assert campaign.deposits.count() == 3

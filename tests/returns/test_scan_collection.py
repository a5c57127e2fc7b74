"""What the scanning site drops by SFTP: brought once, given to its campaign, acknowledged and archived."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from campaigns.exchange import ARCHIVE, INCOMING, RECEIPTS, LandlordExchange
from campaigns.exchange_accounts import account_of, embedded_server
from campaigns.models import Campaign
from returns.models import ScanBatch
from returns.scan_collection import fetch_scans, scan_account_of
from returns.tasks import fetch_scans as fetch_scans_task
from tests.factories.campaigns import CampaignFactory, RevisionFactory
from tests.factories.tenants import CaseFactory
from tests.returns.sheets import printed, scanned, variant_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_the_field(campaign) -> Campaign:
    """The campaign, its forms out."""
    campaign.stage = Campaign.Stage.FIELD
    campaign.save()
    return campaign


@pytest.fixture
def server(settings):
    """The built-in server, which the settings lead to."""
    with embedded_server() as running:
        settings.SFTP_PORT = running.port
        settings.SFTP_HOST_KEY = ""
        yield running


@pytest.fixture
def exchange(server, landlord):
    """The scanning site's folders."""
    with LandlordExchange(scan_account_of(landlord)) as opened:
        opened.prepare()
        yield opened


@pytest.fixture
def drop(server, landlord):
    """Drop a file as the scanning site does."""

    def dropped(name: str, content: bytes) -> None:
        path = server.root / f"{landlord.sftp_username}-numerisation" / INCOMING / name
        path.write_bytes(content)

    return dropped


def test_the_scanning_site_has_an_account_of_its_own(landlord):
    ours, theirs = account_of(landlord), scan_account_of(landlord)
    assert theirs.username == f"{ours.username}-numerisation"
    assert theirs.password != ours.password


def test_a_dropped_file_is_received_acknowledged_and_archived(in_the_field, exchange, drop, later):
    content = scanned(printed(variant_of(RevisionFactory(campaign=in_the_field)).layout, "ACDEF346")[1:2])
    drop("20261102.tif", content)
    [batch] = fetch_scans(campaigns=[in_the_field], exchange=exchange, now=later, pause=0)
    assert (batch.campaign, batch.name, batch.already_received) == (in_the_field, "20261102.tif", False)
    assert exchange.listdir(INCOMING)[1] == []
    assert exchange.listdir(ARCHIVE)[1] == ["20261102.tif"]
    with exchange.open(f"{RECEIPTS}/20261102.tif.accuse.txt") as receipt:
        told = receipt.read().decode()
    assert told.startswith("LOT REÇU")
    assert batch.sha256 in told


def test_the_same_file_again_is_told_so(in_the_field, exchange, drop, later):
    content = b"II*\0 un lot"
    for name in ("a.tif", "b.tif"):
        drop(name, content)
        [batch] = fetch_scans(campaigns=[in_the_field], exchange=exchange, now=later, pause=0)
    assert batch.already_received
    assert ScanBatch.objects.count() == 1
    with exchange.open(f"{RECEIPTS}/b.tif.accuse.txt") as receipt:
        assert receipt.read().decode().startswith("DÉJÀ REÇU")


def test_a_file_goes_to_the_campaign_of_its_pages(landlord, in_the_field, exchange, drop, later):
    other = CampaignFactory(landlord=landlord, year=2028, stage=Campaign.Stage.FIELD)
    CaseFactory(campaign=other, sent=True, reference="QRTWXY97")
    layout = variant_of(RevisionFactory(campaign=other)).layout
    drop("a.tif", scanned(printed(layout, "QRTWXY97")[1:2]))
    drop("b.tif", b"illisible")
    campaigns = [in_the_field, other]
    batches = {each.name: each for each in fetch_scans(campaigns=campaigns, exchange=exchange, now=later, pause=0)}
    assert batches["a.tif"].campaign == other
    assert batches["b.tif"].campaign == in_the_field


def test_nothing_dropped_nothing_done(in_the_field, exchange, later):
    assert fetch_scans(campaigns=[in_the_field], exchange=exchange, now=later, pause=0) == []


def test_the_schedule_fetches_and_reads(in_the_field, exchange, drop):
    drop("vide.tif", b"")
    fetch_scans_task()
    batch = ScanBatch.objects.get()
    assert batch.state == ScanBatch.State.REFUSED
    assert "vide" in batch.explanation


def test_the_command_tells_what_came(in_the_field, exchange, drop):
    drop("a.tif", b"illisible")
    out = io.StringIO()
    call_command("fetch_scans", stdout=out)
    assert "a.tif : reçu" in out.getvalue()
    assert "1 fichier(s)" in out.getvalue()

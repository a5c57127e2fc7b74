"""The SFTP server of production, by its own scripts: accounts of the administration, jails, changes at once."""

from __future__ import annotations

import io
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from campaigns.exchange import ExchangeRefused, LandlordExchange, SftpAccount
from campaigns.exchange_keys import hash_secret
from campaigns.exchange_server import host_key
from tests.campaigns.deployed import Deployed, deployed, missing

pytestmark = [pytest.mark.sshd, pytest.mark.skipif(bool(missing()), reason=missing() or "runs here")]
SECRET = "abcde-fghjk-mnpqr-stuvw-xyz23"


def line_of(path: Path) -> str:
    """A new key, as a landlord gives it."""
    key = host_key(path)
    return f"{key.get_name()} {key.get_base64()}"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the landlords' private keys are."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def server(keys: Path) -> Iterator[Deployed]:
    """Two landlords: val-habitat with a key and a password, plaine-logis with a key whose time is over and another."""
    accounts = (
        f"account val-habitat {hash_secret(SECRET)}\n"
        f"key {line_of(keys / 'val')}\n"
        "account val-habitat-numerisation *\n"
        "account plaine-logis *\n"
        f'key expiry-time="20200101000000Z" {line_of(keys / "old")}\n'
        f'key expiry-time="20990101000000Z" {line_of(keys / "new")}\n'
        "account root *\n"
        "account daemon *\n"
        "account ../evil *\n"
    )
    with deployed(accounts) as running:
        yield running


def account(server: Deployed, name: str, key: Path | None = None, password: str = "") -> SftpAccount:
    """How to enter."""
    return SftpAccount("127.0.0.1", server.port, name, (server.host_key,), password, key, root="/", timeout=10)


@pytest.mark.parametrize("name", ["val-habitat", "val-habitat-numerisation", "plaine-logis"])
def test_the_application_enters_every_account_by_its_own_key(server: Deployed, name: str) -> None:
    with LandlordExchange(account(server, name, server.application_key)) as exchange:
        assert set(exchange.listdir("")[0]) == {"accuses", "archive", "depot", "restitution"}
        exchange.prepare()
        exchange.deliver("restitution", f"{name}.csv", io.BytesIO(b"x" * 100_000))
        assert exchange.drop_receipt("a.accuse.txt", "Reçu.") == "a.accuse.txt"


def test_a_landlord_enters_by_key_or_by_password(server: Deployed, keys: Path) -> None:
    for way in (account(server, "val-habitat", keys / "val"), account(server, "val-habitat", password=SECRET)):
        with LandlordExchange(way) as exchange:
            assert exchange.incoming() == []


@pytest.mark.parametrize(
    ("name", "key", "password"),
    [
        ("val-habitat", "old", ""),  # another landlord's key
        ("plaine-logis", "old", ""),  # its last day is over
        ("plaine-logis", None, SECRET),  # keys alone open it
        ("plaine-logis", None, ""),
        ("val-habitat", None, "*"),
        ("root", "val", ""),
        ("daemon", "val", ""),
    ],
)
def test_nobody_else_enters(server: Deployed, keys: Path, name: str, key: str | None, password: str) -> None:
    way = account(server, name, keys / key if key else None, password)
    with LandlordExchange(way) as exchange, pytest.raises(ExchangeRefused):
        exchange.incoming()


def test_a_key_before_its_last_day_opens(server: Deployed, keys: Path) -> None:
    with LandlordExchange(account(server, "plaine-logis", keys / "new")) as exchange:
        assert exchange.incoming() == []


def test_a_landlord_is_locked_into_its_folders(server: Deployed, keys: Path) -> None:
    secret = server.folders / "plaine-logis" / "depot" / "secret.xml"
    secret.write_bytes(b"secret")
    (server.folders / "val-habitat" / "depot" / "lien.xml").symlink_to("../../plaine-logis/depot/secret.xml")
    with LandlordExchange(account(server, "val-habitat", keys / "val")) as exchange:
        assert exchange.depot().strangers == ("lien.xml",)
        client = exchange._client
        assert client is not None
        for attempt in (
            lambda: client.listdir("../../plaine-logis/depot"),
            lambda: client.open("/depot/lien.xml"),
            lambda: client.open("/../plaine-logis/depot/secret.xml"),
            lambda: client.symlink("/etc/passwd", "/depot/autre"),
            lambda: client.mkdir("/nouveau"),
            lambda: client.rename("/depot", "/autre"),
        ):
            with pytest.raises(OSError):  # noqa: PT011 — the server's refusals carry no errno of their own
                attempt()
        transport = exchange._transport
        assert transport is not None
        with pytest.raises(paramiko.SSHException):
            transport.open_channel("direct-tcpip", ("127.0.0.1", server.port), ("127.0.0.1", 1), timeout=5)
        channel = transport.open_session()
        channel.exec_command("id; echo $$")  # whatever is asked for, it is the file server that answers
        channel.settimeout(5)
        assert channel.recv(1000) == b"This service allows sftp connections only.\n"
    (server.folders / "val-habitat" / "depot" / "lien.xml").unlink()
    secret.unlink()


def test_each_account_has_a_number_and_files_of_its_own(server: Deployed) -> None:
    owners = {name: (server.folders / name / "depot").stat() for name in ("val-habitat", "plaine-logis")}

    assert len({each.st_uid for each in owners.values()}) == 2
    assert all(each.st_uid >= 20000 and stat.S_IMODE(each.st_mode) == 0o700 for each in owners.values())
    assert not (server.folders / "evil").exists()
    assert not (server.folders / "root").exists()


def test_a_change_of_keys_or_password_needs_no_restart(server: Deployed, keys: Path) -> None:
    before = server.accounts.read_text(encoding="ascii")
    added = f"key {line_of(keys / 'added')}\n"
    without_password = before.replace(before.splitlines()[0], "account val-habitat *")
    part = server.accounts.with_name("part")
    part.write_text(without_password.replace("account val-habitat-num", added + "account val-habitat-num"), "ascii")
    part.replace(server.accounts)

    opened = [account(server, "val-habitat", keys / "added"), account(server, "val-habitat", keys / "val")]
    assert _within(10, lambda: all(_enters(way) for way in opened))
    assert not _enters(account(server, "val-habitat", password=SECRET))

    part.write_text("account plaine-logis *\n", encoding="ascii")
    part.replace(server.accounts)
    assert _within(10, lambda: not _enters(opened[0]))
    assert not _enters(account(server, "val-habitat", server.application_key))
    assert (server.folders / "val-habitat" / "depot").is_dir()

    part.write_text(before, encoding="ascii")
    part.replace(server.accounts)
    assert _within(10, lambda: _enters(opened[1]))


def _enters(way: SftpAccount) -> bool:
    with LandlordExchange(way) as exchange:
        try:
            exchange.incoming()
        except ExchangeRefused:
            return False
    return True


def _within(seconds: float, happens: object) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if happens():  # type: ignore[operator]
            return True
        time.sleep(0.2)
    return False

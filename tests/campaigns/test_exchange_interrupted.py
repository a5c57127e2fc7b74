"""The line cut at any byte, the server killed, its disk full: a file is there whole, or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from campaigns.exchange import ExchangeUnavailable, LandlordExchange, SftpAccount
from campaigns.exchange_server import host_key

from .conftest import SftpServer
from .cutting import CutLine, server_process

T = TypeVar("T")
CONTENT = os.urandom(400_000)
# What a connection says before anything is asked for is some 5 kB; then every fifth of the file and what follows it.
CUTS = [500, 3_000, *range(6_000, 430_000, 84_000)]


def entered(server: SftpServer, line: CutLine) -> LandlordExchange:
    """The landlord's folders, through that line."""
    return LandlordExchange(replace(server.account, port=line.port))


def again(step: Callable[[], T]) -> T:
    """Do it, once more when the line was to be cut only now."""
    try:
        return step()
    except ExchangeUnavailable:
        return step()


@pytest.mark.parametrize("after", CUTS)
def test_a_download_cut_anywhere_leaves_nothing_and_is_done_whole_next_time(
    sftp_server: SftpServer, tmp_path: Path, after: int
) -> None:
    (sftp_server.folder / "depot" / "a.xml").write_bytes(CONTENT)
    local = tmp_path / "local"
    local.mkdir()
    with CutLine(sftp_server.account.port, after) as line, entered(sftp_server, line) as exchange:
        try:
            exchange.fetch("a.xml", local / "a.xml")
        except ExchangeUnavailable:
            assert list(local.iterdir()) == []
        else:
            assert after > len(CONTENT)
        digest = again(lambda: exchange.fetch("a.xml", local / "a.xml"))

    assert digest == hashlib.sha256(CONTENT).hexdigest()
    assert (local / "a.xml").read_bytes() == CONTENT


@pytest.mark.parametrize("after", CUTS)
def test_a_delivery_cut_anywhere_is_never_seen_in_part(sftp_server: SftpServer, after: int) -> None:
    folder = sftp_server.folder / "restitution"
    with CutLine(sftp_server.account.port, after) as line, entered(sftp_server, line) as exchange:
        try:
            exchange.deliver("restitution", "r.csv", io.BytesIO(CONTENT))
        except ExchangeUnavailable:
            assert not (folder / "r.csv").exists() or (folder / "r.csv").read_bytes() == CONTENT
        else:
            assert after > len(CONTENT)
        again(lambda: exchange.deliver("restitution", "r.csv", io.BytesIO(CONTENT)))

    shown = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert [(path.name, path.read_bytes()) for path in shown] == [("r.csv", CONTENT)]


def _account(root: Path, port: int) -> SftpAccount:
    key = host_key(root / "host_key")
    pinned = (f"{key.get_name()} {key.get_base64()}",)
    return SftpAccount("127.0.0.1", port, "BA01", pinned, password="mot-de-passe-un", timeout=10)


def test_a_server_killed_during_a_delivery_holds_no_half_file(tmp_path: Path) -> None:
    host_key(tmp_path / "host_key")
    folder = tmp_path / "sftp" / "BA01" / "restitution"
    with server_process(tmp_path) as (process, port):

        class Killing(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell() > 1_000_000:
                    process.kill()
                return super().read(size)

        with LandlordExchange(_account(tmp_path, port)) as exchange:
            with pytest.raises(ExchangeUnavailable):
                exchange.deliver("restitution", "r.csv", Killing(CONTENT * 5))
            assert not (folder / "r.csv").exists()
            process.wait(timeout=10)
            with server_process(tmp_path, port=port):
                exchange.deliver("restitution", "r.csv", io.BytesIO(CONTENT * 5))
    assert (folder / "r.csv").read_bytes() == CONTENT * 5


def test_a_server_killed_during_a_download_leaves_nothing_here(tmp_path: Path) -> None:
    host_key(tmp_path / "host_key")
    local = tmp_path / "local"
    local.mkdir()
    depot = tmp_path / "sftp" / "BA01" / "depot"
    depot.mkdir(parents=True)
    (depot / "a.xml").write_bytes(CONTENT * 50)
    with server_process(tmp_path) as (process, port), LandlordExchange(_account(tmp_path, port)) as exchange:
        exchange.prepare()
        threading.Timer(0.05, process.kill).start()
        with pytest.raises(ExchangeUnavailable):
            _fetch_for_ever(exchange, local / "a.xml")
        assert list(local.iterdir()) == []
        process.wait(timeout=10)
        with server_process(tmp_path, port=port):
            assert exchange.fetch("a.xml", local / "a.xml") == hashlib.sha256(CONTENT * 50).hexdigest()


def _fetch_for_ever(exchange: LandlordExchange, into: Path) -> None:
    while True:
        exchange.fetch("a.xml", into)
        into.unlink()


def test_a_full_disk_at_the_landlords_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    host_key(tmp_path / "host_key")
    folder = tmp_path / "sftp" / "BA01" / "restitution"
    with server_process(tmp_path, largest=200_000) as (_, port), LandlordExchange(_account(tmp_path, port)) as exchange:
        with pytest.raises(ExchangeUnavailable, match="son disque est peut-être plein"):
            exchange.deliver("restitution", "r.csv", io.BytesIO(CONTENT))
        assert list(folder.iterdir()) == []
        exchange.deliver("restitution", "petit.csv", io.BytesIO(CONTENT[:1000]))

    assert (folder / "petit.csv").read_bytes() == CONTENT[:1000]


def test_a_full_disk_here_is_told_and_leaves_nothing(sftp_server: SftpServer, tmp_path: Path) -> None:
    (sftp_server.folder / "depot" / "a.xml").write_bytes(CONTENT)
    full = Path("/dev/full")
    local = tmp_path / "local"
    local.mkdir()
    (local / ".a.xml.part").symlink_to(full)
    with LandlordExchange(sftp_server.account) as exchange, pytest.raises(ExchangeUnavailable, match="La place manque"):
        exchange.fetch("a.xml", local / "a.xml")

    assert list(local.iterdir()) == []

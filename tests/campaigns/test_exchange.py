"""The landlord's SFTP folders, against the built-in server and against OpenSSH."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import paramiko
import pytest
from django.core.files.base import ContentFile

from campaigns import exchange as exchange_module
from campaigns.exchange import (
    ExchangeRefused,
    ExchangeUnavailable,
    LandlordExchange,
    RemoteFile,
    SftpAccount,
    is_finished_name,
    safe_name,
    settled,
)

from .conftest import SftpServer

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


# — pure rules —


@pytest.mark.parametrize("name", ["a.xml.part", "a.TMP", ".a.xml", "a.xml.filepart", "a.xml~", "a.partial"])
def test_a_name_of_work_in_progress_is_not_finished(name: str) -> None:
    assert not is_finished_name(name)


@pytest.mark.parametrize("name", ["locataires.xml", "EXP_ENQ_2027.XML", "départ.csv", "part", "a.part.xml"])
def test_an_ordinary_name_is_finished(name: str) -> None:
    assert is_finished_name(name)


def test_a_file_settles_when_two_looks_agree() -> None:
    still, growing = RemoteFile("a.xml", 10, NOON), RemoteFile("b.xml", 10, NOON)
    now = [still, replace(growing, size=20), RemoteFile("new.xml", 5, NOON)]

    assert settled([still, growing], now) == [still]


def test_a_file_written_again_with_the_same_size_has_not_settled() -> None:
    before = RemoteFile("a.xml", 10, NOON)

    assert settled([before], [replace(before, modified=NOON.replace(hour=13))]) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../a.xml", "a/b", "a\\b", "a\nb", "a\0b", "é" * 128, "a\u202eb"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ExchangeRefused):
        safe_name(name)


@pytest.mark.parametrize("name", ["locataires 2027.xml", "dépôt-été.xml", "🙂.xml", "é" * 127])
def test_an_ordinary_name_is_safe(name: str) -> None:
    assert safe_name(name) == name


def test_secrets_stay_out_of_the_accounts_text() -> None:
    assert "secret-de-BA01" not in repr(SftpAccount("h", 22, "BA01", (), password="secret-de-BA01"))


# — reading what the landlord dropped —


def test_incoming_lists_finished_files_oldest_first(sftp_server: SftpServer) -> None:
    depot = sftp_server.folder / "depot"
    for age, name in ((300, "b.xml"), (200, "a.xml"), (100, "c.xml.part"), (90, ".cache"), (80, "é🙂.xml")):
        (depot / name).write_bytes(b"<x/>")
        os.utime(depot / name, (1_800_000_000 - age,) * 2)
    (depot / "dossier.xml").mkdir()
    (depot / "lien.xml").symlink_to(depot / "a.xml")

    with LandlordExchange(sftp_server.account) as exchange:
        found = exchange.incoming()

    assert [seen.name for seen in found] == ["b.xml", "a.xml", "é🙂.xml"]
    assert found[0].size == 4
    assert found[0].modified == datetime.fromtimestamp(1_800_000_000 - 300, UTC)


def test_a_growing_file_waits_for_a_quiet_look(sftp_server: SftpServer) -> None:
    target = sftp_server.folder / "depot" / "a.xml"
    target.write_bytes(b"<x>")

    with LandlordExchange(sftp_server.account) as exchange:
        first = exchange.incoming()
        target.write_bytes(b"<x></x>")
        second = exchange.incoming()
        third = exchange.incoming()

    assert settled(first, second) == []
    assert [seen.size for seen in settled(second, third)] == [7]


def test_fetch_brings_the_file_whole_with_its_digest(sftp_server: SftpServer, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (sftp_server.folder / "depot" / "a.xml").write_bytes(content)

    with LandlordExchange(sftp_server.account) as exchange:
        digest = exchange.fetch("a.xml", tmp_path / "local.xml")

    assert (tmp_path / "local.xml").read_bytes() == content
    assert digest == hashlib.sha256(content).hexdigest()


def test_an_empty_file_is_fetched_as_it_is(sftp_server: SftpServer, tmp_path: Path) -> None:
    (sftp_server.folder / "depot" / "vide.xml").touch()

    with LandlordExchange(sftp_server.account) as exchange:
        digest = exchange.fetch("vide.xml", tmp_path / "vide.xml")

    assert digest == hashlib.sha256(b"").hexdigest()
    assert (tmp_path / "vide.xml").read_bytes() == b""


def test_an_interrupted_download_leaves_no_file(
    sftp_server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sftp_server.folder / "depot" / "a.xml").write_bytes(os.urandom(2_000_000))
    local = tmp_path / "local"
    local.mkdir()
    reads: list[int] = []
    real_read = paramiko.SFTPFile.read

    def cut_read(self: paramiko.SFTPFile, size: int | None = None) -> bytes:
        reads.append(size or 0)
        if len(reads) > 3:
            raise EOFError
        return real_read(self, size)

    monkeypatch.setattr(paramiko.SFTPFile, "read", cut_read)
    with LandlordExchange(sftp_server.account) as exchange:
        with pytest.raises(ExchangeUnavailable, match="la liaison a échoué"):
            exchange.fetch("a.xml", local / "a.xml")
        assert list(local.iterdir()) == []

        monkeypatch.undo()
        exchange.fetch("a.xml", local / "a.xml")

    assert [path.name for path in local.iterdir()] == ["a.xml"]


def test_a_file_that_grows_during_the_download_is_left_for_later(
    sftp_server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = sftp_server.folder / "depot" / "a.xml"
    remote.write_bytes(b"<x>" * 1000)
    real_read = paramiko.SFTPFile.read

    def growing_read(self: paramiko.SFTPFile, size: int | None = None) -> bytes:
        data = real_read(self, size)
        with remote.open("ab") as file:
            file.write(b"more")
        return data

    monkeypatch.setattr(paramiko.SFTPFile, "read", growing_read)
    with (
        LandlordExchange(sftp_server.account) as exchange,
        pytest.raises(ExchangeUnavailable, match="en cours de dépôt"),
    ):
        exchange.fetch("a.xml", tmp_path / "a.xml")

    assert not (tmp_path / "a.xml").exists()


def test_fetching_a_file_that_is_gone_is_refused_for_good(sftp_server: SftpServer, tmp_path: Path) -> None:
    with LandlordExchange(sftp_server.account) as exchange, pytest.raises(ExchangeRefused, match="n'y est plus"):
        exchange.fetch("absent.xml", tmp_path / "a.xml")


def test_archive_moves_without_ever_covering_another_file(sftp_server: SftpServer) -> None:
    names = []
    with LandlordExchange(sftp_server.account) as exchange:
        for content in (b"un", b"deux", b"trois"):
            (sftp_server.folder / "depot" / "a.xml").write_bytes(content)
            names.append(exchange.archive("a.xml"))

    assert names == ["a.xml", "a-2.xml", "a-3.xml"]
    assert [(sftp_server.folder / "archive" / name).read_bytes() for name in names] == [b"un", b"deux", b"trois"]
    assert list((sftp_server.folder / "depot").iterdir()) == []


# — handing over —


def test_a_delivery_is_whole_and_alone_in_its_folder(sftp_server: SftpServer) -> None:
    folder = sftp_server.folder / "restitution"
    with LandlordExchange(sftp_server.account) as exchange:
        size = exchange.deliver("restitution", "reponses.csv", io.BytesIO(b"nouveau" * 100_000))

    assert size == 700_000
    assert [path.name for path in folder.iterdir()] == ["reponses.csv"]
    assert (folder / "reponses.csv").read_bytes() == b"nouveau" * 100_000


def test_delivering_the_same_content_again_writes_nothing(sftp_server: SftpServer) -> None:
    final = sftp_server.folder / "restitution" / "r.csv"
    with LandlordExchange(sftp_server.account) as exchange:
        exchange.deliver("restitution", "r.csv", io.BytesIO(b"bon"))
        before = final.stat()
        assert exchange.deliver("restitution", "r.csv", io.BytesIO(b"bon")) == 3

    assert (final.stat().st_ino, final.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_content_is_never_covered(sftp_server: SftpServer) -> None:
    folder = sftp_server.folder / "restitution"
    with LandlordExchange(sftp_server.account) as exchange:
        exchange.deliver("restitution", "r.csv", io.BytesIO(b"bon"))
        with pytest.raises(ExchangeRefused, match="existe déjà avec un autre contenu"):
            exchange.deliver("restitution", "r.csv", io.BytesIO(b"non"))

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"r.csv": b"bon"}


def test_what_was_not_read_yet_is_replaced_by_who_drops_it(sftp_server: SftpServer) -> None:
    with LandlordExchange(sftp_server.account) as exchange:
        exchange.deliver("depot", "lot.pdf", io.BytesIO(b"ancien"))
        exchange.deliver("depot", "lot.pdf", io.BytesIO(b"nouveau"))

    assert (sftp_server.folder / "depot" / "lot.pdf").read_bytes() == b"nouveau"


def test_receipts_of_one_name_are_numbered_and_the_same_text_is_one(sftp_server: SftpServer) -> None:
    with LandlordExchange(sftp_server.account) as exchange:
        names = [exchange.drop_receipt("a.xml.accuse.txt", text) for text in ("un", "deux", "un", "deux")]

    assert names == ["a.xml.accuse.txt", "a-2.xml.accuse.txt"] * 2


def test_what_an_interrupted_delivery_left_is_swept_later(sftp_server: SftpServer) -> None:
    folder = sftp_server.folder / "restitution"
    for name, age in ((".r.csv.0a1b2c3d.part", 7200), (".r.csv.ffffffff.part", 0), (".other.csv.0a1b2c3d.part", 7200)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (1_800_000_000 - age,) * 2)

    with LandlordExchange(sftp_server.account) as exchange:
        exchange.deliver("restitution", "r.csv", io.BytesIO(b"bon"))

    assert sorted(path.name for path in folder.iterdir()) == [
        ".other.csv.0a1b2c3d.part",
        ".r.csv.ffffffff.part",
        "r.csv",
    ]


def test_a_delivery_cut_short_leaves_nothing_of_its_own(sftp_server: SftpServer) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise OSError("disk")
            return super().read(size)

    folder = sftp_server.folder / "restitution"
    with LandlordExchange(sftp_server.account) as exchange:
        exchange.deliver("restitution", "r.csv", io.BytesIO(b"bon"))
        with pytest.raises(ExchangeUnavailable):
            exchange.deliver("restitution", "s.csv", Cut(b"x" * 1_000_000))

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"r.csv": b"bon"}


def test_a_receipt_is_dropped_in_utf_8(sftp_server: SftpServer) -> None:
    with LandlordExchange(sftp_server.account) as exchange:
        exchange.drop_receipt("a.xml.accuse.txt", "Reçu : 392 ménages.\n")

    assert (sftp_server.folder / "accuses" / "a.xml.accuse.txt").read_text(encoding="utf-8") == "Reçu : 392 ménages.\n"


@pytest.mark.parametrize(("folder", "name"), [("ailleurs", "a.csv"), ("..", "a.csv"), ("restitution", "../a.csv")])
def test_a_delivery_elsewhere_is_refused(sftp_server: SftpServer, folder: str, name: str) -> None:
    with LandlordExchange(sftp_server.account) as exchange, pytest.raises(ExchangeRefused):
        exchange.deliver(folder, name, io.BytesIO(b"x"))


def test_prepare_makes_the_missing_folders(sftp_server: SftpServer) -> None:
    (sftp_server.folder / "accuses").rmdir()
    with LandlordExchange(sftp_server.account) as exchange:
        exchange.prepare()
        exchange.prepare()

    assert (sftp_server.folder / "accuses").is_dir()


def test_it_is_a_django_storage(sftp_server: SftpServer) -> None:
    with LandlordExchange(sftp_server.account) as storage:
        name = storage.save("restitution/bilan.txt", ContentFile(b"bilan"))
        assert name == "restitution/bilan.txt"
        assert storage.exists(name)
        assert storage.size(name) == 5
        assert storage.listdir("restitution") == ([], ["bilan.txt"])
        assert set(storage.listdir("")[0]) == {"accuses", "archive", "depot", "restitution"}
        assert storage.get_modified_time(name).tzinfo is UTC
        with storage.open(name) as file:
            assert file.read() == b"bilan"
        storage.delete(name)
        storage.delete(name)
        assert not storage.exists(name)
        with pytest.raises(ExchangeRefused, match="lecture seule"):
            storage.open(name, "wb")


# — who is at the other end —


def test_another_host_key_stops_everything(wrong_host_key: SftpAccount) -> None:
    with LandlordExchange(wrong_host_key) as exchange, pytest.raises(ExchangeRefused, match="clé d'hôte"):
        exchange.incoming()


def test_without_a_pinned_key_nothing_is_said(sftp_server: SftpServer) -> None:
    account = replace(sftp_server.account, host_keys=())
    with LandlordExchange(account) as exchange, pytest.raises(ExchangeRefused, match="Aucune clé d'hôte"):
        exchange.incoming()


def test_two_keys_may_be_pinned_during_a_rotation(sftp_server: SftpServer, wrong_host_key: SftpAccount) -> None:
    account = replace(sftp_server.account, host_keys=(*wrong_host_key.host_keys, *sftp_server.account.host_keys))
    with LandlordExchange(account) as exchange:
        assert exchange.incoming() == []


def test_a_wrong_password_is_refused_for_good(sftp_server: SftpServer) -> None:
    account = replace(sftp_server.account, password="faux", key_path=None)
    with LandlordExchange(account) as exchange, pytest.raises(ExchangeRefused, match="refusé") as caught:
        exchange.incoming()

    assert "faux" not in str(caught.value)


def test_an_unreadable_private_key_is_told(sftp_server: SftpServer, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("pas une clé", encoding="utf-8")
    account = replace(sftp_server.account, key_path=tmp_path / "key")
    with LandlordExchange(account) as exchange, pytest.raises(ExchangeRefused, match="clé privée"):
        exchange.incoming()


def test_a_server_away_may_come_back(sftp_server: SftpServer) -> None:
    account = replace(sftp_server.account, port=1)
    with LandlordExchange(account) as exchange, pytest.raises(ExchangeUnavailable, match="Nouvel essai"):
        exchange.incoming()


def test_a_cut_line_is_opened_again_at_the_next_call(sftp_server: SftpServer) -> None:
    with LandlordExchange(sftp_server.account) as exchange:
        assert exchange.incoming() == []
        assert exchange._transport is not None
        exchange._transport.close()
        with pytest.raises(ExchangeUnavailable):
            exchange.incoming()
        assert exchange.incoming() == []


def test_a_damaged_pinned_key_is_told() -> None:
    account = SftpAccount("127.0.0.1", 1, "BA01", ("ssh-ed25519 pas-du-base64!",))
    with LandlordExchange(account) as exchange, pytest.raises(ExchangeRefused, match="clé publique OpenSSH"):
        exchange.incoming()


def test_the_folders_are_the_four_that_landlords_know() -> None:
    assert exchange_module.FOLDERS == ("depot", "restitution", "accuses", "archive")

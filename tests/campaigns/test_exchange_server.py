"""The built-in SFTP server: who enters, and that nobody leaves their own folders."""

from __future__ import annotations

import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from campaigns.exchange import LandlordExchange, SftpAccount
from campaigns.exchange_server import EmbeddedSftpServer, host_key

from .conftest import SftpServer


@pytest.fixture
def client(embedded_server: SftpServer) -> Iterator[paramiko.SFTPClient]:
    """A plain paramiko client, entered as BA01."""
    account = embedded_server.account
    transport = paramiko.Transport((account.host, account.port))
    transport.connect(username="BA01", password=account.password)
    opened = paramiko.SFTPClient.from_transport(transport)
    assert opened is not None
    yield opened
    opened.close()
    transport.close()


def test_the_host_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = host_key(tmp_path / "var" / "key")

    assert host_key(tmp_path / "var" / "key") == first
    assert stat.S_IMODE((tmp_path / "var" / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "path", ["../BA02/depot/secret.xml", "/../../BA02/depot/secret.xml", "depot/../../BA02/depot/secret.xml"]
)
def test_dots_do_not_lead_out(client: paramiko.SFTPClient, embedded_server: SftpServer, path: str) -> None:
    (embedded_server.folder.parent / "BA02" / "depot" / "secret.xml").write_bytes(b"secret")

    with pytest.raises(FileNotFoundError):
        client.open(path)


def test_the_root_shows_only_ones_own_folders(client: paramiko.SFTPClient) -> None:
    assert sorted(client.listdir("..")) == sorted(client.listdir("/")) == ["accuses", "archive", "depot", "restitution"]


def test_links_left_in_the_jail_are_not_followed(client: paramiko.SFTPClient, embedded_server: SftpServer) -> None:
    neighbour = embedded_server.folder.parent / "BA02" / "depot"
    (neighbour / "secret.xml").write_bytes(b"secret")
    (embedded_server.folder / "depot" / "fichier").symlink_to(neighbour / "secret.xml")
    (embedded_server.folder / "depot" / "dossier").symlink_to(neighbour)

    for attempt in (
        lambda: client.open("depot/fichier"),
        lambda: client.open("depot/fichier", "w"),
        lambda: client.open("depot/dossier/secret.xml"),
        lambda: client.listdir("depot/dossier"),
        lambda: client.stat("depot/dossier/secret.xml"),
        lambda: client.truncate("depot/fichier", 0),
        lambda: client.rename("depot/dossier/secret.xml", "depot/vole.xml"),
        lambda: client.remove("depot/dossier/secret.xml"),
        lambda: client.mkdir("depot/dossier/nouveau"),
    ):
        with pytest.raises(OSError):  # noqa: PT011 — the server's refusals carry no errno of their own
            attempt()
    assert (neighbour / "secret.xml").read_bytes() == b"secret"


def test_links_cannot_be_made(client: paramiko.SFTPClient) -> None:
    with pytest.raises(OSError):  # noqa: PT011 — the server's refusals carry no errno of their own
        client.symlink("/etc/passwd", "depot/lien")
    assert client.listdir("depot") == []


def test_a_shell_is_not_offered(embedded_server: SftpServer) -> None:
    account = embedded_server.account
    with paramiko.Transport((account.host, account.port)) as transport:
        transport.connect(username="BA01", password=account.password)
        channel = transport.open_session()
        with pytest.raises(paramiko.SSHException):
            channel.exec_command("id")
        with pytest.raises(paramiko.SSHException):
            transport.open_channel("direct-tcpip", ("127.0.0.1", 80), ("127.0.0.1", 1))


def test_ordinary_work_goes_through(client: paramiko.SFTPClient, embedded_server: SftpServer) -> None:
    with client.open("depot/a.xml", "w") as file:
        file.write(b"<a>")
    with client.open("depot/a.xml", "a") as file:
        file.write(b"</a>")
    client.utime("depot/a.xml", (1_700_000_000, 1_700_000_000))
    client.mkdir("depot/sous")
    client.rename("depot/a.xml", "depot/sous/b.xml")

    assert (embedded_server.folder / "depot" / "sous" / "b.xml").read_bytes() == b"<a></a>"
    assert client.stat("depot/sous/b.xml").st_mtime == 1_700_000_000
    client.truncate("depot/sous/b.xml", 3)
    assert client.stat("depot/sous/b.xml").st_size == 3
    client.remove("depot/sous/b.xml")
    client.rmdir("depot/sous")
    assert client.listdir("depot") == []


def test_an_upload_is_resumed_where_it_stopped(client: paramiko.SFTPClient, embedded_server: SftpServer) -> None:
    whole = bytes(range(256)) * 4000
    cut = len(whole) * 6 // 10
    with client.open("depot/a.xml.part", "w") as file:
        file.write(whole[:cut])
    with client.open("depot/a.xml.part", "r+") as file:
        file.seek(cut)
        file.write(whole[cut:])
    client.rename("depot/a.xml.part", "depot/a.xml")

    assert (embedded_server.folder / "depot" / "a.xml").read_bytes() == whole


def test_a_plain_rename_never_covers_a_file(client: paramiko.SFTPClient, embedded_server: SftpServer) -> None:
    for name in ("a", "b"):
        (embedded_server.folder / "depot" / name).write_text(name, encoding="utf-8")

    with pytest.raises(OSError):  # noqa: PT011 — the server's refusals carry no errno of their own
        client.rename("depot/a", "depot/b")
    client.posix_rename("depot/a", "depot/b")

    assert (embedded_server.folder / "depot" / "b").read_text(encoding="utf-8") == "a"


@pytest.mark.parametrize("username", ["BA09", "../BA01", "", "BA01/../BA02"])
def test_unknown_names_do_not_enter(embedded_server: SftpServer, username: str) -> None:
    account = embedded_server.account
    with paramiko.Transport((account.host, account.port)) as transport:
        transport.start_client(timeout=10)
        with pytest.raises(paramiko.SSHException):
            transport.auth_password(username, "mot-de-passe-un")


def test_a_landlord_may_enter_by_key(tmp_path: Path) -> None:
    mine = host_key(tmp_path / "mine")
    accounts = {"BA01": f"{mine.get_name()} {mine.get_base64()} poste du bailleur"}
    with EmbeddedSftpServer(tmp_path / "sftp", accounts, tmp_path / "host") as server:
        account = SftpAccount("127.0.0.1", server.port, "BA01", (server.host_key,), key_path=tmp_path / "mine")
        with LandlordExchange(account) as exchange:
            assert exchange.incoming() == []


def test_a_function_may_decide_who_enters(tmp_path: Path) -> None:
    asked: list[str] = []

    def authenticate(username: str, secret: str | paramiko.PKey) -> bool:
        asked.append(username)
        return secret == "bon"

    with EmbeddedSftpServer(tmp_path / "sftp", authenticate, tmp_path / "host") as server:
        account = SftpAccount("127.0.0.1", server.port, "BA01", (server.host_key,), password="bon")
        with LandlordExchange(account) as exchange:
            exchange.prepare()
    assert asked == ["BA01"]


def test_stopping_frees_the_port(tmp_path: Path) -> None:
    with EmbeddedSftpServer(tmp_path / "sftp", {}, tmp_path / "host") as server:
        port = server.port
    with EmbeddedSftpServer(tmp_path / "sftp", {}, tmp_path / "host", port=port) as again:
        assert again.port == port


@pytest.mark.skipif(shutil.which("sftp") is None, reason="the OpenSSH client is not installed")
def test_the_openssh_client_gets_on_with_it(tmp_path: Path) -> None:
    mine = host_key(tmp_path / "mine")
    accounts = {"BA01": f"{mine.get_name()} {mine.get_base64()}"}
    (tmp_path / "locataires.xml").write_bytes(b"<a/>" * 50_000)
    with EmbeddedSftpServer(tmp_path / "sftp", accounts, tmp_path / "host") as server:
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n", encoding="utf-8")
        batch = (
            f"cd depot\nput {tmp_path}/locataires.xml a.part\nrename a.part a.xml\nls -l\nget a.xml {tmp_path}/back\n"
        )
        done = subprocess.run(
            ["sftp", "-b", "-", "-P", str(server.port), "-i", str(tmp_path / "mine"), "-o", "IdentitiesOnly=yes",
             "-o", f"UserKnownHostsFile={tmp_path}/known_hosts", "-o", "StrictHostKeyChecking=yes", "BA01@127.0.0.1"],
            input=batch, text=True, capture_output=True, timeout=60, check=False,
        )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "back").read_bytes() == b"<a/>" * 50_000

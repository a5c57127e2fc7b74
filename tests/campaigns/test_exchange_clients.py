"""What landlords use: OpenSSH's sftp and lftp, against the built-in server and against OpenSSH's."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from campaigns.exchange import is_finished_name
from campaigns.exchange_server import EmbeddedSftpServer, host_key

from .conftest import SftpServer
from .cutting import CutLine

WHOLE = os.urandom(600_000)


@dataclass(frozen=True)
class Site:
    """A server as a landlord's client sees it."""

    folder: Path
    port: int
    username: str
    key: Path
    known_hosts: Path
    root: str

    def options(self) -> list[str]:
        """What ssh is told, for any port of this machine."""
        return [
            *("-i", str(self.key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"),
            *("-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "StrictHostKeyChecking=yes"),
            *("-o", "HostKeyAlias=exchange"),
        ]

    def sftp(self, *commands: str, port: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a batch of OpenSSH's client."""
        batch = "\n".join((f"cd {self.root}", *commands, ""))
        line = ["sftp", "-b", "-", "-P", str(port or self.port), *self.options(), f"{self.username}@127.0.0.1"]
        return subprocess.run(line, input=batch, text=True, capture_output=True, timeout=60, check=False)

    def lftp(self, *commands: str, port: int = 0) -> subprocess.CompletedProcess[str]:
        """Run commands of lftp, which stops at the first that fails."""
        connect = " ".join(["ssh", "-a", "-x", *self.options()])
        script = [
            f'set sftp:connect-program "{connect}"',
            "set cmd:fail-exit yes",
            "set net:max-retries 3",
            "set net:reconnect-interval-base 1",
            "set net:timeout 3",
            f"open -u {self.username}, sftp://127.0.0.1:{port or self.port}",
            f"cd {self.root}",
            *commands,
            "bye",
        ]
        line = ["lftp", "--norc", "-c", "\n".join(script)]
        home = {**os.environ, "HOME": str(self.known_hosts.parent), "LFTP_HOME": str(self.known_hosts.parent)}
        return subprocess.run(line, text=True, capture_output=True, timeout=60, check=False, env=home)


@pytest.fixture(params=["embedded", "openssh"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Each server in turn, entered by key."""
    known_hosts = tmp_path / "known_hosts"
    if request.param == "openssh":
        server: SftpServer = request.getfixturevalue("openssh_server")
        known_hosts.write_text(f"exchange {server.account.host_keys[0]}\n", encoding="ascii")
        key = server.account.key_path
        assert key is not None
        yield Site(server.folder, server.account.port, server.account.username, key, known_hosts, str(server.folder))
        return
    mine = host_key(tmp_path / "mine")
    accounts = {"BA01": f"{mine.get_name()} {mine.get_base64()}"}
    with EmbeddedSftpServer(tmp_path / "sftp", accounts, tmp_path / "host") as running:
        known_hosts.write_text(f"exchange {running.host_key}\n", encoding="ascii")
        folder = tmp_path / "sftp" / "BA01"
        for name in ("depot", "restitution", "accuses", "archive"):
            (folder / name).mkdir(parents=True)
        yield Site(folder, running.port, "BA01", tmp_path / "mine", known_hosts, "/")


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A landlord's own folder, with a file to drop."""
    folder = tmp_path / "poste"
    folder.mkdir()
    (folder / "locataires.xml").write_bytes(WHOLE)
    return folder


def said(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """The run, once it is sure that it went well."""
    assert done.returncode == 0, done.stderr
    return done


def test_sftp_in_batch_mode_drops_renames_lists_and_fetches(site: Site, local: Path) -> None:
    said(
        site.sftp(
            f"put -p {local}/locataires.xml depot/a.xml.part",
            "rename depot/a.xml.part depot/a.xml",
            "ls -l depot",
            f"get -p depot/a.xml {local}/revenu.xml",
        )
    )

    assert (local / "revenu.xml").read_bytes() == WHOLE
    assert (site.folder / "depot" / "a.xml").stat().st_mtime == int((local / "locataires.xml").stat().st_mtime)


@pytest.mark.parametrize("client", ["sftp", "lftp"])
def test_an_upload_that_stopped_at_60_percent_is_resumed(site: Site, local: Path, client: str) -> None:
    (site.folder / "depot" / "a.xml").write_bytes(WHOLE[: len(WHOLE) * 6 // 10])
    (site.folder / "depot" / "a.xml").chmod(0o666)

    if client == "sftp":
        said(site.sftp(f"reput {local}/locataires.xml depot/a.xml"))
    else:
        said(site.lftp(f"put -c {local}/locataires.xml -o depot/a.xml"))

    assert (site.folder / "depot" / "a.xml").read_bytes() == WHOLE


@pytest.mark.parametrize("client", ["sftp", "lftp"])
def test_a_download_that_stopped_at_60_percent_is_resumed(site: Site, local: Path, client: str) -> None:
    (site.folder / "restitution" / "r.csv").write_bytes(WHOLE)
    (local / "r.csv").write_bytes(WHOLE[: len(WHOLE) * 6 // 10])

    if client == "sftp":
        said(site.sftp(f"reget restitution/r.csv {local}/r.csv"))
    else:
        said(site.lftp(f"get -c restitution/r.csv -o {local}/r.csv"))

    assert (local / "r.csv").read_bytes() == WHOLE


def test_lftp_resumes_by_itself_when_the_line_is_cut(site: Site, local: Path) -> None:
    with CutLine(site.port, 300_000) as line:
        said(site.lftp(f"put -c {local}/locataires.xml -o depot/a.xml", port=line.port))

    assert line.cuts == []
    assert (site.folder / "depot" / "a.xml").read_bytes() == WHOLE


def test_lftp_mirrors_both_ways(site: Site, local: Path) -> None:
    (local / "tables.csv").write_bytes(b"table;code;libelle\n")
    (site.folder / "restitution" / "r.csv").write_bytes(WHOLE)

    said(site.lftp(f"mirror -R {local} depot", f"mirror restitution {local}/rendu"))
    said(site.lftp(f"mirror -R --only-newer {local} depot"))

    assert (site.folder / "depot" / "locataires.xml").read_bytes() == WHOLE
    assert (site.folder / "depot" / "tables.csv").read_bytes() == b"table;code;libelle\n"
    assert (local / "rendu" / "r.csv").read_bytes() == WHOLE


def test_lftp_with_temporary_names_shows_a_file_only_when_whole(site: Site, local: Path) -> None:
    temporary = "set xfer:use-temp-file yes"
    put = f"put {local}/locataires.xml -o depot/a.xml"
    seen: set[str] = set()
    slow = threading.Thread(target=lambda: said(site.lftp(temporary, "set net:limit-rate 400000", put)))
    slow.start()
    while slow.is_alive():
        seen |= {path.name for path in (site.folder / "depot").iterdir() if path.stat().st_size < len(WHOLE)}
        time.sleep(0.02)
    slow.join()

    assert seen
    assert not any(is_finished_name(name) for name in seen)
    assert (site.folder / "depot" / "a.xml").read_bytes() == WHOLE


@pytest.mark.parametrize("client", ["sftp", "lftp"])
def test_a_client_that_knows_another_host_key_says_so_and_sends_nothing(
    site: Site, local: Path, tmp_path: Path, client: str
) -> None:
    other = host_key(tmp_path / "another_host")
    site.known_hosts.write_text(f"exchange {other.get_name()} {other.get_base64()}\n", encoding="ascii")
    run: Callable[..., subprocess.CompletedProcess[str]] = getattr(site, client)

    done = run(f"put {local}/locataires.xml")

    assert done.returncode != 0
    assert list((site.folder / "depot").iterdir()) == []

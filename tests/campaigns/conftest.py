"""Two real SFTP servers for the exchange tests: the built-in one and OpenSSH's own sshd."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from campaigns.exchange import FOLDERS, SftpAccount
from campaigns.exchange_server import EmbeddedSftpServer, host_key

SSHD = "/usr/sbin/sshd"


@dataclass(frozen=True)
class SftpServer:
    """A running server: how to enter as our landlord, and where their folders are on this disk."""

    kind: str
    account: SftpAccount
    folder: Path


@pytest.fixture
def embedded_server(tmp_path: Path) -> Iterator[SftpServer]:
    """The built-in server with two landlords, BA01 (ours) and BA02."""
    secrets = {"BA01": "mot-de-passe-un", "BA02": "mot-de-passe-deux"}
    with EmbeddedSftpServer(tmp_path / "sftp", secrets, tmp_path / "host_key") as server:
        account = SftpAccount(
            "127.0.0.1", server.port, "BA01", (server.host_key,), password=secrets["BA01"], timeout=10
        )
        for name in secrets:
            for folder in FOLDERS:
                (tmp_path / "sftp" / name / folder).mkdir(parents=True)
        yield SftpServer("embedded", account, tmp_path / "sftp" / "BA01")


@pytest.fixture
def openssh_server(tmp_path: Path) -> Iterator[SftpServer]:
    """OpenSSH's sshd on a free port of the loopback, internal-sftp only, entered by key as the current user."""
    if not Path(SSHD).exists():
        pytest.skip("openssh-server is not installed")
    folder = tmp_path / "openssh"
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    server_key, client_key = host_key(tmp_path / "ssh_host_key"), host_key(tmp_path / "client_key")
    authorized = tmp_path / "authorized_keys"
    authorized.write_text(f"{client_key.get_name()} {client_key.get_base64()}\n", encoding="utf-8")
    port = _free_port()
    config = tmp_path / "sshd_config"
    config.write_text(_configuration(port, tmp_path), encoding="utf-8")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    log = (tmp_path / "sshd.log").open("wb")
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)
    try:
        _wait_for(port, process, tmp_path / "sshd.log")
        account = SftpAccount(
            "127.0.0.1",
            port,
            getpass.getuser(),
            (f"{server_key.get_name()} {server_key.get_base64()}",),
            key_path=tmp_path / "client_key",
            root=str(folder),
            timeout=10,
        )
        yield SftpServer("openssh", account, folder)
    finally:
        process.terminate()
        process.wait(timeout=10)
        log.close()


@pytest.fixture(params=["embedded_server", "openssh_server"])
def sftp_server(request: pytest.FixtureRequest) -> SftpServer:
    """Each server in turn."""
    server: SftpServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def wrong_host_key(sftp_server: SftpServer, tmp_path: Path) -> SftpAccount:
    """The account, with another server's key pinned."""
    other = host_key(tmp_path / "another_host_key")
    return replace(sftp_server.account, host_keys=(f"{other.get_name()} {other.get_base64()}",))


def _configuration(port: int, folder: Path) -> str:
    return f"""
ListenAddress 127.0.0.1:{port}
HostKey {folder}/ssh_host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
AllowTcpForwarding no
X11Forwarding no
Subsystem sftp internal-sftp -u 0027
ForceCommand internal-sftp -u 0027
LogLevel VERBOSE
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        if process.poll() is not None:
            pytest.fail(f"sshd stopped: {log.read_text(encoding='utf-8')}")
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("sshd does not answer")


SFTP_CLIENT = shutil.which("sftp")

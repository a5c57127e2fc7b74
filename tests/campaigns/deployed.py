"""The SFTP container of production without a container: its own scripts and settings, in a mount namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from campaigns.exchange_server import host_key
from tests.campaigns.conftest import SSHD, _free_port, _wait_for

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "sftp"
# Copies of what the scripts change take the place of the machine's own, for them alone.
_INSIDE = """
set -e
mount --make-rprivate /
for folder in etc run srv; do mount --bind "$PLACE/$folder" "/$folder"; done
exec "$SCRIPTS/entrypoint.sh" -o Port="$PORT" -o ListenAddress=127.0.0.1:"$PORT"
"""


@dataclass(frozen=True)
class Deployed:
    """A running server: its port, its public key, the key of the application, and where things are on this disk."""

    port: int
    host_key: str
    application_key: Path
    accounts: Path
    folders: Path
    log: Path


def missing() -> str:
    """Why it cannot run here; '' when it can."""
    if os.getuid() != 0:
        return "accounts of a system are made as root"
    if not Path(SSHD).exists():
        return "openssh-server is not installed"
    can = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return "" if can.returncode == 0 else "mount namespaces are not allowed here"


@contextmanager
def deployed(accounts: str) -> Iterator[Deployed]:
    """The server with that accounts file, stopped and removed at the end."""
    place = Path(tempfile.mkdtemp(prefix="sftp-deployed-", dir="/var/lib"))  # sshd wants parents that only root writes
    place.chmod(0o755)
    try:
        for folder in ("run/sshd", "srv/sftp", "srv/sftp-accounts", "keys"):
            (place / folder).mkdir(parents=True)
        shutil.copytree("/etc", place / "etc", symlinks=True, ignore_dangling_symlinks=True)
        application, server = host_key(place / "keys" / "application"), host_key(place / "keys" / "host")
        (place / "etc/sftp/keys").mkdir(parents=True)
        public = f"{application.get_name()} {application.get_base64()}\n"
        (place / "etc/sftp/keys/application.pub").write_text(public, encoding="ascii")
        (place / "srv/sftp-accounts/accounts").write_text(accounts, encoding="ascii")
        port, log = _free_port(), place / "log"
        told = {
            "PLACE": str(place),
            "PORT": str(port),
            "SCRIPTS": str(DEPLOY),
            "SSHD_CONFIG": str(DEPLOY / "sshd_config"),
            "SFTP_HOST_KEY_FILE": str(place / "keys" / "host"),
        }
        with log.open("wb") as written:
            process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _INSIDE],
                stderr=written,
                env={**os.environ, **told},
            )
            try:
                _wait_for(port, process, log)
                yield Deployed(
                    port,
                    f"{server.get_name()} {server.get_base64()}",
                    place / "keys" / "application",
                    place / "srv/sftp-accounts/accounts",
                    place / "srv/sftp",
                    log,
                )
            finally:
                process.kill()
                process.wait(timeout=10)
    finally:
        for _ in range(20):
            shutil.rmtree(place, ignore_errors=True)
            if not place.exists():
                break
            time.sleep(0.1)

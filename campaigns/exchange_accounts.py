"""Which SFTP account leads to a landlord's folders: OpenSSH with the application's key, or the built-in server."""

from __future__ import annotations

from pathlib import Path

import paramiko
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from campaigns import exchange_server
from campaigns.exchange import SftpAccount
from campaigns.models import Landlord


def account_of(landlord: Landlord, *, port: int | None = None, host_key: str = "") -> SftpAccount:
    """How the application enters a landlord's folders.

    With `SFTP_CLIENT_KEY` set, by that private key on the server of the settings; otherwise by the account's password
    on the built-in server. `port` and `host_key` replace those of the settings for a server started on the spot.
    """
    key = settings.SFTP_CLIENT_KEY
    pins = host_key or settings.SFTP_HOST_KEY or embedded_host_key()
    return SftpAccount(
        host=settings.SFTP_HOST,
        port=port or settings.SFTP_PORT,
        username=landlord.sftp_username,
        host_keys=tuple(pin.strip() for pin in pins.replace(",", "\n").splitlines() if pin.strip()),
        password="" if key else embedded_password(landlord.sftp_username),
        key_path=Path(key) if key else None,
    )


def embedded_password(username: str) -> str:
    """The password of an account on the built-in server: drawn from the secret key, so that nothing is stored."""
    return salted_hmac("campaigns.exchange_accounts", username, algorithm="sha256").hexdigest()[:24]


def embedded_server(*, port: int = 0) -> exchange_server.EmbeddedSftpServer:
    """The built-in server on loopback, to use as a context manager; port 0 takes a free one.

    The landlords' folders are in `VAR_DIR/sftp`, its key in `VAR_DIR/run`.
    """
    return exchange_server.EmbeddedSftpServer(Path(settings.VAR_DIR) / "sftp", _may_enter, _key_path(), port=port)


def embedded_host_key() -> str:
    """The public key of the built-in server, made at the first call."""
    key = exchange_server.host_key(_key_path())
    return f"{key.get_name()} {key.get_base64()}"


def _key_path() -> Path:
    return Path(settings.VAR_DIR) / "run" / "sftp_host_key"


def _may_enter(username: str, secret: str | paramiko.PKey) -> bool:
    return isinstance(secret, str) and constant_time_compare(secret, embedded_password(username))

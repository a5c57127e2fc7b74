"""Who enters a landlord's SFTP folders, and how: the application, the landlord, the site that scans.

Accounts live in the database. The built-in server asks it at each entry; OpenSSH is told by one file, written whole at
each change (`publish_accounts`), that its container applies within seconds (deploy/sftp).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from campaigns import audit, exchange_server
from campaigns.exchange import SftpAccount
from campaigns.exchange_keys import NO_PASSWORD, draw_secret, hash_secret, is_secret
from campaigns.models import ExchangeAccount, ExchangeKey, Landlord
from campaigns.scope import all_landlords

log = logging.getLogger(__name__)

Clock = Callable[[], dt.datetime]

# What useradd takes on Debian, 32 bytes in all with the longest suffix.
_UNIX_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


# ── The application's own way in ─────────────────────────────────────────────────────────────────────────────────────


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
    """The application's own password on the built-in server: drawn from the secret key, so that nothing is stored."""
    return salted_hmac("campaigns.exchange_accounts", username, algorithm="sha256").hexdigest()[:24]


def embedded_server(*, port: int = 0, clock: Clock = timezone.now) -> exchange_server.EmbeddedSftpServer:
    """The built-in server on loopback, to use as a context manager; port 0 takes a free one.

    The landlords' folders are in `VAR_DIR/sftp`, its key in `VAR_DIR/run`.
    """

    def authenticate(username: str, secret: str | paramiko.PKey) -> bool:
        if isinstance(secret, str) and constant_time_compare(secret, embedded_password(username)):
            return True
        try:
            now = clock()
            entered = may_enter(username=username, secret=secret, today=timezone.localdate(now))
            _trace(username, secret, now, entered=entered)
            return entered
        except DatabaseError:
            log.exception("an SFTP account could not be looked up: nobody enters")
            return False
        finally:
            connections.close_all()  # this is one of the server's own threads

    return exchange_server.EmbeddedSftpServer(Path(settings.VAR_DIR) / "sftp", authenticate, _key_path(), port=port)


def embedded_host_key() -> str:
    """The public key of the built-in server, made at the first call."""
    key = exchange_server.host_key(_key_path())
    return f"{key.get_name()} {key.get_base64()}"


def _trace(username: str, secret: str | paramiko.PKey, now: dt.datetime, *, entered: bool) -> None:
    """An entry of the audit for who came in, and for a wrong password; a client may well show keys of elsewhere."""
    with all_landlords():
        account = _named(username)
        if account is not None and (entered or isinstance(secret, str)):
            told = {"by": "password" if isinstance(secret, str) else "key"}
            with contextlib.suppress(DatabaseError):  # another entry is being written: the door does not wait for it
                audit.record(
                    action="signin.sftp" if entered else "signin.sftp_refused",
                    at=now,
                    kind="exchangeaccount",
                    pk=account.pk,
                    landlord_id=account.landlord_id,
                    data=told,
                )


def _key_path() -> Path:
    return Path(settings.VAR_DIR) / "run" / "sftp_host_key"


# ── The accounts of people ───────────────────────────────────────────────────────────────────────────────────────────


def exchange_account(landlord: Landlord, purpose: str = ExchangeAccount.Purpose.LANDLORD) -> ExchangeAccount:
    """The account of that landlord for that purpose, made at the first call."""
    with all_landlords():
        return ExchangeAccount.objects.get_or_create(landlord=landlord, purpose=purpose)[0]


def may_enter(*, username: str, secret: str | paramiko.PKey, today: dt.date) -> bool:
    """Whether that password or key opens that account that day."""
    with all_landlords():
        account = _named(username)
        if account is None:
            return False
        if isinstance(secret, str):
            return is_secret(secret, account.password_on(today))
        shown = f"{secret.get_name()} {secret.get_base64()}"
        return any(constant_time_compare(key.public_key, shown) for key in account.keys_on(today))


def _named(username: str) -> ExchangeAccount | None:
    accounts = ExchangeAccount.objects.select_related("landlord")
    for purpose, suffix in ExchangeAccount.SUFFIXES.items():
        if username.endswith(suffix):
            found = accounts.filter(landlord__sftp_username=username.removesuffix(suffix), purpose=purpose).first()
            if found is not None:
                return found
    return None


def renew_password(*, account: ExchangeAccount, now: dt.datetime) -> str:
    """Give the account a new password, and return it: only its hash is kept, so it is shown this once."""
    secret = draw_secret()
    account.password, account.password_set_at = hash_secret(secret), now
    account.save(update_fields=["password", "password_set_at"])
    publish_after_commit()
    return secret


def withdraw_password(*, account: ExchangeAccount) -> None:
    """From now on keys alone open the account."""
    account.password, account.password_set_at = "", None
    account.save(update_fields=["password", "password_set_at"])
    publish_after_commit()


# ── OpenSSH ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Published:
    """An account as OpenSSH is told of it; `problem` is a French sentence when it can't be."""

    username: str
    password: str
    keys: tuple[str, ...]
    problem: str = ""


def published_accounts(now: dt.datetime) -> list[Published]:
    """Every account OpenSSH must know, by name. Each landlord has both, so that the application can enter them."""
    today = timezone.localdate(now)
    with all_landlords():
        rows = ExchangeAccount.objects.select_related("landlord").prefetch_related("keys")
        known = {(row.landlord_id, row.purpose): row for row in rows}
        told = [
            _published(known.get((landlord.pk, purpose)), f"{landlord.sftp_username}{suffix}", today)
            for landlord in Landlord.objects.order_by("pk")
            for purpose, suffix in ExchangeAccount.SUFFIXES.items()
        ]
    return sorted(told, key=lambda each: each.username)


def publish_accounts(*, file: Path, now: dt.datetime) -> list[Published]:
    """Write the accounts for OpenSSH, in one go and only when something changed; returns all of them.

    One line `account NAME HASH`, then one line `key …` a key, as authorized_keys(5) writes it, with its last day.
    """
    told = published_accounts(now)
    lines = [line for each in told if not each.problem for line in _lines(each)]
    content = "".join(f"{line}\n" for line in lines).encode("ascii")
    if not file.exists() or file.read_bytes() != content:
        part = file.with_name(f".{file.name}.{os.getpid()}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        part.replace(file)
    return told


def publish_after_commit(clock: Clock = timezone.now) -> None:
    """Tell OpenSSH, where there is one, once what was changed is in the database."""
    if settings.SFTP_ACCOUNTS_FILE:
        transaction.on_commit(lambda: publish_accounts(file=Path(settings.SFTP_ACCOUNTS_FILE), now=clock()) and None)


def _published(account: ExchangeAccount | None, username: str, today: dt.date) -> Published:
    if _UNIX_NAME.fullmatch(username) is None:
        problem = (
            f"Le compte « {username} » ne convient pas à OpenSSH : minuscules, chiffres et tirets, "
            "32 caractères au plus, en comptant « -numerisation »."
        )
        return Published(username, NO_PASSWORD, (), problem)
    if account is None:
        return Published(username, NO_PASSWORD, ())
    keys = tuple(_authorized(key) for key in account.keys_on(today))
    return Published(username, account.password_on(today) or NO_PASSWORD, keys)


def _authorized(key: ExchangeKey) -> str:
    """A line of authorized_keys(5); sshd itself refuses the key after its last day (in Paris, told in UTC)."""
    if key.valid_until is None:
        return key.public_key
    over = dt.datetime.combine(key.valid_until + dt.timedelta(days=1), dt.time(), timezone.get_default_timezone())
    return f'expiry-time="{over.astimezone(dt.UTC):%Y%m%d%H%M%S}Z" {key.public_key}'


def _lines(each: Published) -> Iterator[str]:
    yield f"account {each.username} {each.password}"
    yield from (f"key {key}" for key in each.keys)

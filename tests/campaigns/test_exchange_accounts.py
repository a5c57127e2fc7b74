"""SFTP accounts: keys with dates, drawn passwords, changed in the administration, at once on both servers."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from campaigns import exchange_keys, tasks
from campaigns.exchange import ExchangeRefused, LandlordExchange, SftpAccount
from campaigns.exchange_accounts import (
    account_of,
    embedded_server,
    exchange_account,
    may_enter,
    publish_accounts,
    published_accounts,
    renew_password,
    withdraw_password,
)
from campaigns.exchange_server import host_key
from campaigns.models import AuditEntry, ExchangeAccount, ExchangeKey, Landlord, User
from tests.factories.campaigns import LandlordFactory

TODAY = dt.date(2026, 10, 1)
DAY = dt.timedelta(days=1)


def public(key: paramiko.PKey, comment: str = "") -> str:
    """A key as it is pasted."""
    return f"{key.get_name()} {key.get_base64()} {comment}".strip()


@pytest.fixture
def key(tmp_path: Path) -> paramiko.PKey:
    """A landlord's own key; its private half is in `tmp_path / "mine"`."""
    return host_key(tmp_path / "mine")


@pytest.fixture
def account(landlord: Landlord) -> ExchangeAccount:
    """The landlord's account."""
    return exchange_account(landlord)


# ── Keys and passwords ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_is_read_with_its_comment_and_the_fingerprint_that_openssh_shows(
    tmp_path: Path, key: paramiko.PKey
) -> None:
    (tmp_path / "k.pub").write_text(public(key), encoding="ascii")
    shown = subprocess.run(["ssh-keygen", "-lf", tmp_path / "k.pub"], capture_output=True, text=True, check=True).stdout
    read = exchange_keys.read_public_key(f"  {public(key, 'Poste de la DSI')}\n")

    assert read.text == public(key)
    assert read.comment == "Poste de la DSI"
    assert read.fingerprint in shown


def test_the_block_that_putty_writes_is_read_too(tmp_path: Path, key: paramiko.PKey) -> None:
    (tmp_path / "k.pub").write_text(public(key), encoding="ascii")
    block = subprocess.run(["ssh-keygen", "-ef", tmp_path / "k.pub"], capture_output=True, text=True, check=True).stdout
    assert exchange_keys.read_public_key(block).text == public(key)


def _rsa(bits: int) -> str:
    made = rsa.generate_private_key(65537, bits)
    return made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("", "une clé publique entière"),
        ("ssh-ed25519", "une clé publique entière"),
        ("ssh-ed25519 AAAA", "abîmée"),
        ("ssh-ed25519 AAAA x\naccount root *", "une clé publique entière"),
        ("ssh-ed25519 pas-du-base64!", "abîmée"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc", "clé privée"),
        ("PuTTY-User-Key-File-3: ssh-ed25519", "clé privée"),
        ('command="id" ssh-ed25519 AAAA', "n'est pas accepté"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\n!!\n---- END", "une clé publique entière"),
    ],
)
def test_what_is_no_public_key_is_refused_with_its_reason(pasted: str, told: str) -> None:
    with pytest.raises(exchange_keys.UnreadableKey, match=told):
        exchange_keys.read_public_key(pasted)


def test_weak_keys_are_refused() -> None:
    with pytest.raises(exchange_keys.UnreadableKey, match="trop courte"):
        exchange_keys.read_public_key(_rsa(1024))
    with pytest.raises(exchange_keys.UnreadableKey, match="n'est pas accepté"):
        exchange_keys.read_public_key("ssh-dss AAAAB3NzaC1kc3MAAACBAP")
    assert exchange_keys.read_public_key(_rsa(2048)).text.startswith("ssh-rsa ")


def test_a_drawn_password_is_kept_as_a_hash_only() -> None:
    secret = exchange_keys.draw_secret()
    hashed = exchange_keys.hash_secret(secret)
    assert re.fullmatch(r"([a-z2-9]{5}-){4}[a-z2-9]{5}", secret)
    assert hashed.startswith("$2b$")
    assert exchange_keys.is_secret(secret, hashed)
    assert not any(exchange_keys.is_secret(wrong, hashed) for wrong in ("", secret + "x", "é" * 80))
    assert not exchange_keys.is_secret(secret, "")


@pytest.mark.django_db
def test_a_key_opens_between_its_days_only(account: ExchangeAccount, key: paramiko.PKey) -> None:
    ExchangeKey.objects.create(account=account, public_key=public(key), valid_from=TODAY, valid_until=TODAY + DAY)
    days = [TODAY + offset * DAY for offset in (-1, 0, 1, 2)]

    def opens(day: dt.date) -> bool:
        return may_enter(username=account.username, secret=key, today=day)

    assert [opens(day) for day in days] == [False, True, True, False]
    ExchangeAccount.objects.update(active=False)
    assert not opens(TODAY)


@pytest.mark.django_db
def test_a_password_is_changed_withdrawn_and_has_a_last_day(account: ExchangeAccount, now: dt.datetime) -> None:
    first = renew_password(account=account, now=now)
    second = renew_password(account=account, now=now)

    def opens(secret: str, day: dt.date = TODAY) -> bool:
        return may_enter(username=account.username, secret=secret, today=day)

    assert (opens(first), opens(second)) == (False, True)
    ExchangeAccount.objects.update(password_until=TODAY)
    assert (opens(second), opens(second, TODAY + DAY)) == (True, False)
    account.refresh_from_db()
    withdraw_password(account=account)
    assert not opens(second)


@pytest.mark.django_db
def test_a_key_opens_neither_the_other_account_nor_a_rivals(
    rivals: tuple[Landlord, Landlord], key: paramiko.PKey
) -> None:
    mine, theirs = rivals
    ExchangeKey.objects.create(account=exchange_account(mine), public_key=public(key))
    scanning = exchange_account(mine, ExchangeAccount.Purpose.SCANNING)

    opened = {
        name: may_enter(username=name, secret=key, today=TODAY)
        for name in (mine.sftp_username, scanning.username, theirs.sftp_username, "inconnu", "")
    }
    assert [name for name, entered in opened.items() if entered] == [mine.sftp_username]
    assert scanning.username == "val-habitat-numerisation"


@pytest.mark.django_db
def test_the_same_key_twice_is_told(account: ExchangeAccount, key: paramiko.PKey) -> None:
    ExchangeKey.objects.create(account=account, public_key=public(key))
    with pytest.raises(ValidationError, match="déjà dans la liste"):
        ExchangeKey(account=account, public_key=public(key, "encore")).full_clean()


# ── The built-in server ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_the_built_in_server_follows_the_database_at_each_entry(
    tmp_path: Path, settings: Any, key: paramiko.PKey, now: dt.datetime
) -> None:
    settings.VAR_DIR = tmp_path
    account = exchange_account(LandlordFactory())
    with embedded_server(clock=lambda: now) as server:

        def enters(**way: Any) -> bool:
            told = SftpAccount("127.0.0.1", server.port, account.username, (server.host_key,), **way)
            with LandlordExchange(told) as exchange:
                try:
                    return exchange.incoming() == []
                except ExchangeRefused:
                    return False

        assert not enters(key_path=tmp_path / "mine")
        added = ExchangeKey.objects.create(account=account, public_key=public(key))
        assert enters(key_path=tmp_path / "mine")
        ExchangeKey.objects.filter(pk=added.pk).update(valid_until=TODAY - DAY)
        assert not enters(key_path=tmp_path / "mine")
        secret = renew_password(account=account, now=now)
        assert enters(password=secret)
        assert not enters(password="autre")
        with LandlordExchange(account_of(account.landlord, port=server.port, host_key=server.host_key)) as own:
            assert own.incoming() == []

    told = AuditEntry.objects.filter(object_kind="exchangeaccount").order_by("pk")
    assert {entry.action for entry in told} == {"signin.sftp", "signin.sftp_refused"}
    assert {entry.data["by"] for entry in told} == {"key", "password"}


# ── OpenSSH ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_openssh_is_told_of_every_account_in_one_file(
    tmp_path: Path, account: ExchangeAccount, key: paramiko.PKey, now: dt.datetime
) -> None:
    file = tmp_path / "accounts"
    ExchangeKey.objects.create(account=account, public_key=public(key, "account root *"), valid_until=TODAY)
    secret = renew_password(account=account, now=now)
    publish_accounts(file=file, now=now)
    lines = file.read_text(encoding="ascii").splitlines()

    name, kind, hashed = account.username, *lines[0].split()[::2]
    assert (kind, lines[0].split()[1]) == ("account", name)
    assert exchange_keys.is_secret(secret, hashed)
    # The end of 1 October 2026 in Paris, told in UTC.
    assert lines[1] == f'key expiry-time="20261001220000Z" {public(key)}'
    assert lines[2] == f"account {name}-numerisation *"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_the_file_is_written_only_when_something_changed(
    tmp_path: Path, account: ExchangeAccount, now: dt.datetime, settings: Any
) -> None:
    settings.SFTP_ACCOUNTS_FILE = str(tmp_path / "accounts")
    tasks.publish_sftp_accounts()
    before = (tmp_path / "accounts").stat()
    tasks.publish_sftp_accounts()
    assert (tmp_path / "accounts").stat().st_ino == before.st_ino
    ExchangeAccount.objects.update(active=False)
    LandlordFactory()
    tasks.publish_sftp_accounts()
    assert (tmp_path / "accounts").stat().st_ino != before.st_ino
    assert [path.name for path in tmp_path.iterdir()] == ["accounts"]


@pytest.mark.django_db
def test_a_name_that_openssh_cannot_carry_is_told(now: dt.datetime) -> None:
    LandlordFactory(sftp_username="un-nom-beaucoup-trop-long-pour-unix")
    assert all("ne convient pas à OpenSSH" in each.problem for each in published_accounts(now))
    with pytest.raises(ValidationError, match="19 caractères"):
        Landlord.objects.get().full_clean()


@pytest.mark.django_db
def test_the_command_tells_the_accounts_without_a_secret(
    tmp_path: Path, account: ExchangeAccount, key: paramiko.PKey, now: dt.datetime
) -> None:
    ExchangeKey.objects.create(account=account, public_key=public(key))
    renew_password(account=account, now=now)
    account.refresh_from_db()
    out = io.StringIO()
    call_command("sftp_accounts", "--json", "--out", tmp_path / "accounts", stdout=out)
    mine, scanning = json.loads(out.getvalue())
    assert (mine["account"], mine["keys"], mine["password"]) == (account.username, 1, True)
    assert (scanning["keys"], scanning["password"]) == (0, False)
    assert account.password not in out.getvalue()
    LandlordFactory(sftp_username="Majuscules")
    with pytest.raises(SystemExit):
        call_command("sftp_accounts", stdout=io.StringIO())


# ── The administration ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
class TestPages:
    @pytest.fixture
    def signed_in(self, client: Client, manager: User) -> Client:
        """A case manager's browser."""
        client.force_login(manager)
        return client

    def posted(self, account: ExchangeAccount, **first_key: str) -> dict[str, str]:
        """The form of the account's page, with one key in it."""
        counts = {"TOTAL_FORMS": "1", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "1000"}
        told = {f"keys-{name}": value for name, value in counts.items()}
        return {"active": "on", **told, **{f"keys-0-{name}": value for name, value in first_key.items()}}

    def test_the_list_shows_both_accounts_of_every_landlord(self, signed_in: Client) -> None:
        LandlordFactory.create_batch(2)
        for _ in range(2):
            page = signed_in.get(reverse("admin:campaigns_exchangeaccount_changelist"))
            assert page.context["cl"].result_count == 4

    def test_a_key_is_added_with_its_comment(
        self, signed_in: Client, account: ExchangeAccount, key: paramiko.PKey
    ) -> None:
        url = reverse("admin:campaigns_exchangeaccount_change", args=[account.pk])
        answer = signed_in.post(url, self.posted(account, public_key=public(key, "dsi@bailleur"), valid_until=""))
        assert answer.status_code == 302
        assert (ExchangeKey.objects.get().comment, ExchangeKey.objects.get().public_key) == (
            "dsi@bailleur",
            public(key),
        )

    @pytest.mark.parametrize("pasted", ["n'importe quoi", "-----BEGIN OPENSSH PRIVATE KEY-----"])
    def test_a_bad_key_is_told_beside_its_field(self, signed_in: Client, account: ExchangeAccount, pasted: str) -> None:
        url = reverse("admin:campaigns_exchangeaccount_change", args=[account.pk])
        answer = signed_in.post(url, self.posted(account, public_key=pasted))
        assert answer.status_code == 200
        assert "errorlist" in answer.content.decode()
        assert not ExchangeKey.objects.exists()

    def test_a_password_is_shown_once_and_never_again(self, signed_in: Client, account: ExchangeAccount) -> None:
        page = signed_in.post(reverse("admin:exchange_password_renew", args=[account.pk])).content.decode()
        found = re.search(r"([a-z2-9]{5}-){4}[a-z2-9]{5}", page)
        assert found is not None
        assert may_enter(username=account.username, secret=found.group(), today=TODAY)
        again = signed_in.get(reverse("admin:campaigns_exchangeaccount_change", args=[account.pk])).content.decode()
        assert found.group() not in again
        assert "Un mot de passe ouvre ce compte" in again
        assert AuditEntry.objects.filter(action="admin.changed", object_kind="exchangeaccount").count() == 1

    def test_a_password_is_withdrawn(self, signed_in: Client, account: ExchangeAccount, now: dt.datetime) -> None:
        secret = renew_password(account=account, now=now)
        page = signed_in.post(reverse("admin:exchange_password_withdraw", args=[account.pk]), follow=True)
        assert "ne s&#x27;ouvre plus qu&#x27;avec une clé" in page.content.decode()
        assert not may_enter(username=account.username, secret=secret, today=TODAY)

"""The SFTP line itself: accounts, the pinned host, transfers that end whole or not at all, and the words of errors."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import paramiko
from paramiko.sftp import CMD_CLOSE, CMD_EXTENDED, CMD_HANDLE, CMD_NAME, CMD_OPENDIR, CMD_READDIR

from campaigns.exchange_errors import ExchangeRefused, ExchangeUnavailable, LineCut, StillChanging
from campaigns.exchange_names import RemoteFile, from_wire

_CHUNK = 256 * 1024
_CONCURRENT_READS = 64
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


@dataclass(frozen=True, slots=True)
class SftpAccount:
    """How to reach one landlord's folders. `host_keys` are the accepted public keys as OpenSSH writes them
    (`ssh-ed25519 AAAA…`; two during a rotation); `timeout` in seconds. Secrets stay out of `repr`."""

    host: str
    port: int
    username: str
    host_keys: tuple[str, ...]
    password: str = field(default="", repr=False)
    key_path: Path | None = None
    root: str = "."
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a remote folder, whatever its kind; `name` may hold surrogates (see `from_wire`)."""

    file: RemoteFile
    regular: bool
    folder: bool


class Client(paramiko.SFTPClient):
    """paramiko's client, which also lists names that are not UTF-8 and can ask the server to write to the disk."""

    def entries(self, path: bytes) -> list[Entry]:
        """What a folder holds, in the server's order; links are told as what they are, never followed."""
        kind, answer = self._ask(CMD_OPENDIR, path)
        if kind != CMD_HANDLE:
            raise paramiko.SFTPError("expected a handle")
        handle = answer.get_binary()
        found = []
        while True:
            try:
                kind, answer = self._ask(CMD_READDIR, handle)
            except EOFError:
                break
            if kind != CMD_NAME:
                raise paramiko.SFTPError("expected names")
            for _ in range(answer.get_int()):
                name = from_wire(answer.get_string())
                answer.get_string()  # the long form, for people
                found.append(entry_of(name, _attributes(answer)))
        self._ask(CMD_CLOSE, handle)
        return [entry for entry in found if entry.file.name not in (".", "..")]

    def _ask(self, *request: Any) -> tuple[int, paramiko.Message]:
        """One request of the protocol, and its answer."""
        answer: tuple[int, paramiko.Message] = self._request(*request)  # type: ignore[attr-defined]  # not in the stubs
        return answer

    def flush_to_disk(self, file: paramiko.SFTPFile) -> None:
        """`fsync@openssh.com` on an open file; a server that does not know it writes in its own time."""
        with contextlib.suppress(OSError):
            self._ask(CMD_EXTENDED, "fsync@openssh.com", file.handle)


def _attributes(answer: paramiko.Message) -> paramiko.SFTPAttributes:
    told: paramiko.SFTPAttributes = paramiko.SFTPAttributes._from_msg(answer)  # type: ignore[attr-defined]
    return told


def entry_of(name: str, attributes: paramiko.SFTPAttributes) -> Entry:
    """An entry from its attributes; missing sizes and times count as zero."""
    mode = attributes.st_mode or 0
    modified = datetime.fromtimestamp(attributes.st_mtime or 0, UTC)
    return Entry(RemoteFile(name, attributes.st_size or 0, modified), stat.S_ISREG(mode), stat.S_ISDIR(mode))


def open_line(account: SftpAccount) -> tuple[paramiko.Transport, Client]:
    """A new connection to the pinned host; no agent, no key of the machine, no unknown host. Raises ExchangeError."""
    pins = [_public_key(text) for text in account.host_keys]
    if not pins:
        raise ExchangeRefused(f"Aucune clé d'hôte n'est enregistrée pour {account.host}.")
    line = socket.create_connection((account.host, account.port), timeout=account.timeout)
    transport = paramiko.Transport(line)
    try:
        _meet(transport, account, pins)
        client = Client.from_transport(transport)
        if not isinstance(client, Client):
            raise ExchangeUnavailable(f"{account.host} n'a pas ouvert de session SFTP.")
    except BaseException:
        transport.close()
        raise
    channel = client.get_channel()
    if channel is not None:
        channel.settimeout(account.timeout)
    return transport, client


def _meet(transport: paramiko.Transport, account: SftpAccount, pins: list[paramiko.PKey]) -> None:
    transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = account.timeout
    kinds = dict.fromkeys(kind for pin in pins for kind in _SIGNATURES.get(pin.get_name(), (pin.get_name(),)))
    transport.get_security_options().key_types = tuple(kinds)
    try:
        transport.start_client(timeout=account.timeout)
    except paramiko.ssh_exception.IncompatiblePeer as error:
        raise ExchangeRefused(f"{account.host} ne présente aucune clé d'hôte du genre attendu.") from error
    if transport.get_remote_server_key() not in pins:
        raise ExchangeRefused(
            f"La clé d'hôte de {account.host} n'est pas celle enregistrée : le serveur a changé, ou quelqu'un se fait "
            "passer pour lui. Rien n'a été échangé. Faites confirmer la nouvelle clé avant de l'enregistrer."
        )
    _authenticate(transport, account)


def _authenticate(transport: paramiko.Transport, account: SftpAccount) -> None:
    key = _private_key(account)
    try:
        if key is None:
            transport.auth_password(account.username, account.password)
        else:
            transport.auth_publickey(account.username, key)
    except paramiko.AuthenticationException as error:
        if not transport.is_active():  # the line was cut while the server made up its mind
            raise EOFError from error
        raise


def _private_key(account: SftpAccount) -> paramiko.PKey | None:
    if account.key_path is None:
        return None
    try:
        return paramiko.PKey.from_path(account.key_path, account.password.encode() or None)  # type: ignore[arg-type]  # bytes
    except (OSError, ValueError, TypeError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise ExchangeRefused(f"La clé privée prévue pour {account.host} ne peut pas être lue.") from error


def _public_key(text: str) -> paramiko.PKey:
    """A pinned key, from `ssh-ed25519 AAAA…`."""
    try:
        kind, encoded = text.split()[:2]
        return paramiko.PKey.from_type_string(kind, base64.b64decode(encoded, validate=True))
    except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise ExchangeRefused("La clé d'hôte enregistrée n'est pas une clé publique OpenSSH.") from error


@contextlib.contextmanager
def told(where: str, alive: Any) -> Iterator[None]:
    """Everything that can go wrong on a line, in our kinds of errors. `alive()` says whether it still stands.

    `where` begins the sentence: « Impossible de … sur … ».
    """
    try:
        yield
    except FileNotFoundError as error:
        raise ExchangeRefused(f"{where} : il n'y est plus.") from error
    except PermissionError as error:
        raise ExchangeRefused(f"{where} : le serveur n'en donne pas le droit.") from error
    except paramiko.AuthenticationException as error:
        raise ExchangeRefused(f"{where} : l'identifiant, le mot de passe ou la clé est refusé.") from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        if type(error) is OSError and error.errno is None and alive():
            told_so = (
                f"{where} : le serveur n'a pas pu le faire (son disque est peut-être plein). Nouvel essai plus tard."
            )
            raise ExchangeUnavailable(told_so) from error
        raise LineCut(f"{where} : la liaison a échoué. Nouvel essai plus tard.") from error


def look_at(sftp: Client, path: bytes, name: str) -> Entry:
    """The entry at that path, links not followed. Raises FileNotFoundError."""
    return entry_of(name, sftp.lstat(path))


def exists(sftp: Client, path: bytes) -> bool:
    """Whether something stands at that path."""
    try:
        sftp.lstat(path)
    except FileNotFoundError:
        return False
    return True


def download(sftp: Client, path: bytes, into: Any) -> tuple[str, RemoteFile]:
    """Copy a remote file; returns its SHA-256 and how it stood. Raises StillChanging when it moved meanwhile."""
    digest, received = hashlib.sha256(), 0
    with sftp.open(path, "rb") as remote:
        before = entry_of("", remote.stat()).file
        _prefetch(remote, before.size)
        while received < before.size and (chunk := remote.read(min(_CHUNK, before.size - received))):
            digest.update(chunk)
            _keep(into, chunk)
            received += len(chunk)
        after = entry_of("", remote.stat()).file
    named = look_at(sftp, path, "").file  # another file may have taken the name meanwhile
    if received != before.size or not before == after == named:
        raise StillChanging("Le fichier est encore en cours de dépôt. Nouvel essai plus tard.")
    return digest.hexdigest(), before


def _prefetch(remote: paramiko.SFTPFile, size: int) -> None:
    """Ask for what follows while what came is kept. A cut line is told to who reads: its thread says nothing more."""
    ask = remote._prefetch_thread  # type: ignore[attr-defined]  # not in the stubs

    def quietly(*asked: Any) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            ask(*asked)

    remote._prefetch_thread = quietly  # type: ignore[attr-defined]
    remote.prefetch(size, _CONCURRENT_READS)


def _keep(into: Any, chunk: bytes) -> None:
    try:
        into.write(chunk)
    except OSError as error:
        raise ExchangeUnavailable("La place manque ici pour recevoir le fichier. Nouvel essai plus tard.") from error


def upload(sftp: Client, content: BinaryIO, path: bytes) -> int:
    """Write a new remote file, down to the disk, and check its size; returns it in bytes."""
    sent, waiting = 0, content.read(_CHUNK)
    with sftp.open(path, "wbx") as remote:
        remote.set_pipelined(True)
        while chunk := content.read(_CHUNK):
            remote.write(waiting)
            sent, waiting = sent + len(waiting), chunk
        remote.set_pipelined(False)  # so that the last write waits for the answer to every one before it
        remote.write(waiting)
        sent += len(waiting)
        sftp.flush_to_disk(remote)
    if sftp.stat(path).st_size != sent:
        raise ExchangeUnavailable("Le fichier déposé n'a pas la taille attendue. Nouvel essai plus tard.")
    return sent


def digest_of(content: BinaryIO) -> tuple[str, int]:
    """SHA-256 and size of a local file from where it stands, which is where it is left."""
    start, digest, size = content.tell(), hashlib.sha256(), 0
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    content.seek(start)
    return digest.hexdigest(), size


class Discard:
    """Where a download goes when only its digest matters."""

    def write(self, chunk: bytes) -> int:
        """Forgets it."""
        return len(chunk)

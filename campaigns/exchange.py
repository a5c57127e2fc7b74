"""A landlord's SFTP folders, as a Django Storage: what they drop (depot), what we hand over (restitution, accuses).

One object per landlord and per task; a connection is opened at the first call and closed by `close()` or `with`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import posixpath
import re
import socket
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import paramiko
from django.core.files.base import File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

INCOMING, OUTGOING, RECEIPTS, ARCHIVE = "depot", "restitution", "accuses", "archive"
FOLDERS = (INCOMING, OUTGOING, RECEIPTS, ARCHIVE)

_UNFINISHED = re.compile(r"\..*|.*\.(?:tmp|part|filepart|partial|crdownload|swp)|.*~", re.IGNORECASE | re.DOTALL)
_CHUNK = 256 * 1024
_CONCURRENT_READS = 64
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


class ExchangeError(Exception):
    """The exchange with a landlord failed; the message is a French sentence."""


class ExchangeUnavailable(ExchangeError):
    """It may work later: the server is away, the line was cut, the file still changes. Try again."""


class ExchangeRefused(ExchangeError):
    """It will not work without someone's help: wrong key, wrong password, missing file, refused folder."""


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
class RemoteFile:
    """A file in a folder, as last seen. `size` in bytes."""

    name: str
    size: int
    modified: datetime


def is_finished_name(name: str) -> bool:
    """Whether a client would leave that name on a finished file: no `.tmp`, `.part`, `.filepart`, no leading dot."""
    return _UNFINISHED.fullmatch(name) is None


def settled(before: Iterable[RemoteFile], now: Iterable[RemoteFile]) -> list[RemoteFile]:
    """The files that have not moved between two looks: same name, same size, same time. Growing ones wait."""
    known = set(before)
    return [seen for seen in now if seen in known]


def safe_name(name: str) -> str:
    """The name if it can only be a file of the folder. Raises ExchangeRefused."""
    odd = not name or name in (".", "..") or len(name.encode("utf-8", "surrogatepass")) > 255
    if odd or not name.isprintable() or "/" in name or "\\" in name:
        raise ExchangeRefused(f"Le nom de fichier {name[:80]!a} n'est pas accepté.")
    return name


@deconstructible
class LandlordExchange(Storage):
    """The four folders of one landlord. Storage names are `folder/file`."""

    def __init__(self, account: SftpAccount) -> None:
        self.account = account
        self._transport: paramiko.Transport | None = None
        self._client: paramiko.SFTPClient | None = None

    def __enter__(self) -> LandlordExchange:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the next call opens another."""
        if self._client is not None:
            self._client.close()
        if self._transport is not None:
            self._transport.close()
        self._client = self._transport = None

    # — what a campaign needs —

    def prepare(self) -> None:
        """Create the folders that are missing."""
        with self._speaking("créer les dossiers") as sftp:
            present = set(sftp.listdir(self._path("")))
            for folder in FOLDERS:
                if folder not in present:
                    sftp.mkdir(self._path(folder))

    def incoming(self) -> list[RemoteFile]:
        """Files dropped by the landlord under a finished name, oldest first. They may still grow: see `settled`."""
        with self._speaking("lire le dossier de dépôt") as sftp:
            entries = sftp.listdir_attr(self._path(INCOMING))
        files = [
            RemoteFile(entry.filename, entry.st_size or 0, datetime.fromtimestamp(entry.st_mtime or 0, UTC))
            for entry in entries
            if stat.S_ISREG(entry.st_mode or 0) and is_finished_name(entry.filename) and entry.filename.isprintable()
        ]
        return sorted(files, key=lambda seen: (seen.modified, seen.name))

    def fetch(self, name: str, into: Path) -> str:
        """Bring a dropped file to the path `into`, which appears only once complete. Returns its SHA-256."""
        part = into.with_name(f".{into.name}.part")
        try:
            with self._speaking(f"rapporter « {name} »") as sftp, part.open("wb") as local:
                digest = _download(sftp, self._path(INCOMING, safe_name(name)), local)
                local.flush()
                os.fsync(local.fileno())
            part.replace(into)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(into.parent)
        return digest

    def archive(self, name: str) -> str:
        """Move a dropped file to the archive, never over another one; returns the name it got there."""
        stem, dot, extension = safe_name(name).partition(".")
        for number in range(1, 1000):
            target = name if number == 1 else f"{stem}-{number}{dot}{extension}"
            with self._speaking(f"archiver « {name} »") as sftp:
                if _exists(sftp, self._path(ARCHIVE, target)):
                    continue
                sftp.rename(self._path(INCOMING, name), self._path(ARCHIVE, target))
                return target
        raise ExchangeRefused(f"L'archive contient déjà trop de fichiers nommés « {name} ».")

    def deliver(self, folder: str, name: str, content: BinaryIO) -> int:
        """Put a file in one of the landlord's folders in one go, replacing the one of that name; returns its size."""
        final = self._path(folder, safe_name(name))
        part = self._path(folder, safe_name(f".{name}.part"))
        with self._speaking(f"déposer « {name} »") as sftp:
            try:
                size = _upload(sftp, content, part)
                sftp.posix_rename(part, final)
            except BaseException:
                with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                    sftp.remove(part)
                raise
        return size

    def drop_receipt(self, name: str, text: str) -> None:
        """Leave an acknowledgement (UTF-8) in `accuses/`."""
        self.deliver(RECEIPTS, name, BytesIO(text.encode("utf-8")))

    # — Django's Storage —

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            raise ExchangeRefused("Un fichier du bailleur s'ouvre en lecture seule.")
        local = tempfile.SpooledTemporaryFile(max_size=5_000_000)  # noqa: SIM115 — the File that is returned owns it
        with self._speaking(f"lire « {name} »") as sftp:
            _download(sftp, self._storage_path(name), local)
        local.seek(0)
        return File(local, name)

    def _save(self, name: str, content: File[bytes]) -> str:
        folder, _, base = name.rpartition("/")
        content.seek(0)
        self.deliver(folder, base, content)  # type: ignore[arg-type]  # a File reads like the binary file it wraps
        return name

    def exists(self, name: str) -> bool:
        """Whether that `folder/file` is there."""
        with self._speaking(f"chercher « {name} »") as sftp:
            return _exists(sftp, self._storage_path(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Folders and files of a folder ('' for the root)."""
        with self._speaking(f"lire le dossier « {path} »") as sftp:
            entries = sftp.listdir_attr(self._storage_path(path))
        folders = sorted(entry.filename for entry in entries if stat.S_ISDIR(entry.st_mode or 0))
        return folders, sorted(entry.filename for entry in entries if stat.S_ISREG(entry.st_mode or 0))

    def size(self, name: str) -> int:
        """Bytes of that `folder/file`."""
        with self._speaking(f"mesurer « {name} »") as sftp:
            return sftp.stat(self._storage_path(name)).st_size or 0

    def get_modified_time(self, name: str) -> datetime:
        """When that `folder/file` was last written."""
        with self._speaking(f"dater « {name} »") as sftp:
            return datetime.fromtimestamp(sftp.stat(self._storage_path(name)).st_mtime or 0, UTC)

    def delete(self, name: str) -> None:
        """Remove that `folder/file` if it is there."""
        with self._speaking(f"supprimer « {name} »") as sftp, contextlib.suppress(FileNotFoundError):
            sftp.remove(self._storage_path(name))

    def path(self, name: str) -> str:
        """There is no local path: Django asks for this refusal."""
        raise NotImplementedError("Ces fichiers sont sur le serveur SFTP.")

    # — the line —

    def _path(self, folder: str, name: str = "") -> str:
        if folder and folder not in FOLDERS:
            raise ExchangeRefused(f"« {folder} » n'est pas un dossier d'échange.")
        return posixpath.join(self.account.root, *filter(None, (folder, name)))

    def _storage_path(self, name: str) -> str:
        folder, _, base = name.rpartition("/")
        if not base or base in FOLDERS:
            return self._path(base or folder)
        return self._path(folder, safe_name(base))

    @contextlib.contextmanager
    def _speaking(self, action: str) -> Iterator[paramiko.SFTPClient]:
        """The connection, with everything that can go wrong on it told in our two kinds of errors."""
        where = f"Impossible de {action} sur {self.account.host}"
        try:
            if self._client is None:
                self._client = self._connect()
            yield self._client
        except ExchangeError:
            raise
        except FileNotFoundError as error:
            raise ExchangeRefused(f"{where} : il n'y est plus.") from error
        except PermissionError as error:
            raise ExchangeRefused(f"{where} : le serveur n'en donne pas le droit.") from error
        except UnicodeDecodeError as error:
            raise ExchangeRefused(f"{where} : un nom de fichier n'y est pas écrit en UTF-8.") from error
        except paramiko.AuthenticationException as error:
            self.close()
            raise ExchangeRefused(f"{where} : l'identifiant, le mot de passe ou la clé est refusé.") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            self.close()
            raise ExchangeUnavailable(f"{where} : la liaison a échoué. Nouvel essai plus tard.") from error

    def _connect(self) -> paramiko.SFTPClient:
        """A new connection to the pinned host; no agent, no key of the machine, no unknown host."""
        account = self.account
        pins = [_public_key(text) for text in account.host_keys]
        if not pins:
            raise ExchangeRefused(f"Aucune clé d'hôte n'est enregistrée pour {account.host}.")
        line = socket.create_connection((account.host, account.port), timeout=account.timeout)
        self._transport = transport = paramiko.Transport(line)
        transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = account.timeout
        kinds = dict.fromkeys(kind for pin in pins for kind in _SIGNATURES.get(pin.get_name(), (pin.get_name(),)))
        transport.get_security_options().key_types = tuple(kinds)
        try:
            transport.start_client(timeout=account.timeout)
        except paramiko.ssh_exception.IncompatiblePeer as error:
            self.close()
            raise ExchangeRefused(f"{account.host} ne présente aucune clé d'hôte du genre attendu.") from error
        if transport.get_remote_server_key() not in pins:
            self.close()
            raise ExchangeRefused(f"La clé d'hôte de {account.host} n'est pas celle enregistrée. Rien n'a été échangé.")
        self._authenticate(transport)
        client = paramiko.SFTPClient.from_transport(transport)
        if client is None:
            raise ExchangeUnavailable(f"{account.host} n'a pas ouvert de session SFTP.")
        channel = client.get_channel()
        if channel is not None:
            channel.settimeout(account.timeout)
        return client

    def _authenticate(self, transport: paramiko.Transport) -> None:
        account = self.account
        if account.key_path is None:
            transport.auth_password(account.username, account.password)
            return
        try:
            key = paramiko.PKey.from_path(account.key_path, account.password.encode() or None)  # type: ignore[arg-type]  # bytes
        except (OSError, ValueError, TypeError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
            raise ExchangeRefused(f"La clé privée prévue pour {account.host} ne peut pas être lue.") from error
        transport.auth_publickey(account.username, key)


def _public_key(text: str) -> paramiko.PKey:
    """A pinned key, from `ssh-ed25519 AAAA…`."""
    try:
        kind, encoded = text.split()[:2]
        return paramiko.PKey.from_type_string(kind, base64.b64decode(encoded, validate=True))
    except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise ExchangeRefused("La clé d'hôte enregistrée n'est pas une clé publique OpenSSH.") from error


def _download(sftp: paramiko.SFTPClient, path: str, into: Any) -> str:
    """Copy a remote file and return its SHA-256; refuses a file whose size moved meanwhile."""
    digest = hashlib.sha256()
    size = sftp.stat(path).st_size or 0
    received = 0
    with sftp.open(path, "rb") as remote:
        remote.prefetch(size, _CONCURRENT_READS)
        while received < size and (chunk := remote.read(min(_CHUNK, size - received))):
            digest.update(chunk)
            into.write(chunk)
            received += len(chunk)
    if received != size or sftp.stat(path).st_size != size:
        raise ExchangeUnavailable("Le fichier est encore en cours de dépôt. Nouvel essai plus tard.")
    return digest.hexdigest()


def _upload(sftp: paramiko.SFTPClient, content: BinaryIO, path: str) -> int:
    """Write a remote file and check its size."""
    sent = 0
    with sftp.open(path, "wb") as remote:
        remote.set_pipelined(True)
        while chunk := content.read(_CHUNK):
            remote.write(chunk)
            sent += len(chunk)
    if sftp.stat(path).st_size != sent:
        raise ExchangeUnavailable("Le fichier déposé n'a pas la taille attendue. Nouvel essai plus tard.")
    return sent


def _exists(sftp: paramiko.SFTPClient, path: str) -> bool:
    try:
        sftp.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

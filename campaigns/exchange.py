"""A landlord's SFTP folders, as a Django Storage: what they drop (depot), what we hand over (restitution, accuses).

One object per landlord and per task; a connection is opened at the first call and closed by `close()` or `with`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import paramiko
from django.core.files.base import File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

from campaigns import exchange_line as line
from campaigns.exchange_errors import ExchangeError, ExchangeRefused, ExchangeUnavailable, LineCut, StillChanging
from campaigns.exchange_line import SftpAccount
from campaigns.exchange_names import (
    RemoteFile,
    awaited,
    held_name,
    is_finished_name,
    label_of,
    numbered,
    one_step,
    safe_name,
    settled,
    shown_name,
    wire,
)

__all__ = [
    "ARCHIVE",
    "FOLDERS",
    "INCOMING",
    "OUTGOING",
    "RECEIPTS",
    "Depot",
    "ExchangeError",
    "ExchangeRefused",
    "ExchangeUnavailable",
    "LandlordExchange",
    "RemoteFile",
    "SftpAccount",
    "StillChanging",
    "is_finished_name",
    "safe_name",
    "settled",
]

INCOMING, OUTGOING, RECEIPTS, ARCHIVE = "depot", "restitution", "accuses", "archive"
FOLDERS = (INCOMING, OUTGOING, RECEIPTS, ARCHIVE)
ABANDONED = timedelta(hours=1)  # after which a half-written delivery of ours is swept away


@dataclass(frozen=True, slots=True)
class Depot:
    """What stands in `depot/`: the files to read, oldest first, and the labels of what is no file (folders, links)."""

    files: tuple[RemoteFile, ...]
    strangers: tuple[str, ...]


@deconstructible
class LandlordExchange(Storage):
    """The four folders of one landlord. Storage names are `folder/file`."""

    def __init__(self, account: SftpAccount) -> None:
        self.account = account
        self._transport: paramiko.Transport | None = None
        self._client: line.Client | None = None

    def __enter__(self) -> LandlordExchange:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the next call opens another."""
        for end in (self._client, self._transport):
            if end is not None:
                with contextlib.suppress(OSError, EOFError, paramiko.SSHException):  # it may be cut already
                    end.close()
        self._client = self._transport = None

    # — what a campaign needs —

    def prepare(self) -> None:
        """Create the folders that are missing."""
        with self._speaking("créer les dossiers") as sftp:
            present = {entry.file.name for entry in sftp.entries(self._path(""))}
            for folder in FOLDERS:
                if folder not in present:
                    sftp.mkdir(self._path(folder))

    def depot(self) -> Depot:
        """What the landlord has dropped under a finished name, and what we had taken when we were interrupted.

        Files may still grow: see `settled`.
        """
        with self._speaking("lire le dossier de dépôt") as sftp:
            entries = sftp.entries(self._path(INCOMING))
        files = [entry.file for entry in entries if entry.regular and awaited(entry.file)]
        odd = (each.file.label for each in entries if not each.regular and is_finished_name(each.file.name))
        return Depot(tuple(sorted(files, key=lambda seen: (seen.modified, seen.name))), tuple(sorted(odd)))

    def incoming(self) -> list[RemoteFile]:
        """The files of `depot()`."""
        return list(self.depot().files)

    def fetch(self, name: str, into: Path, *, seen: RemoteFile | None = None) -> str:
        """Bring a dropped file to the path `into`, which appears only once complete. Returns its SHA-256.

        Raises StillChanging when it moves meanwhile or is not as it was `seen`.
        """
        part = into.with_name(f".{into.name}.part")
        try:
            with self._speaking(f"rapporter « {shown_name(name)} »") as sftp, part.open("wb") as local:
                digest, found = line.download(sftp, self._path(INCOMING, one_step(name)), local)
                if seen is not None and replace(found, name=seen.name) != seen:
                    raise StillChanging("Le fichier a changé depuis le dernier coup d'œil. Nouvel essai plus tard.")
                local.flush()
                os.fsync(local.fileno())
            part.replace(into)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(into.parent)
        return digest

    def peek(self, name: str, limit: int = 1024) -> bytes:
        """The first bytes of a dropped file."""
        path = self._path(INCOMING, one_step(name))
        with self._speaking(f"lire « {shown_name(name)} »") as sftp, sftp.open(path, "rb") as remote:
            return remote.read(limit)

    def claim(self, seen: RemoteFile, digest: str) -> RemoteFile:
        """Take a file whose content is safe on our side: it gets a name of ours in `depot/`, until `archive`.

        What was taken is what was read, or it is given back and StillChanging is raised: the landlord may have
        replaced it meanwhile. A file that we had taken before is only checked. `digest` is its SHA-256.
        """
        held = seen.name if seen.held else held_name(digest, seen.label)
        with self._speaking(f"prendre « {seen.label} »") as sftp:
            target = self._path(INCOMING, held)
            if not seen.held and line.exists(sftp, target):
                raise StillChanging("Ce contenu est déjà en cours de lecture. Nouvel essai plus tard.")
            try:
                if not seen.held:
                    sftp.rename(self._path(INCOMING, one_step(seen.name)), target)
                taken = line.look_at(sftp, target, held).file
            except FileNotFoundError as error:
                raise StillChanging("Le fichier vient d'être retiré ou pris par ailleurs.") from error
            if taken != replace(seen, name=held):
                with contextlib.suppress(OSError):  # should its name be taken by now, ours is read again as it stands
                    sftp.rename(target, self._path(INCOMING, seen.label if seen.held else seen.name))
                raise StillChanging("Le fichier a été remplacé pendant la lecture. Nouvel essai plus tard.")
        return taken

    def archive(self, name: str, *, taken: RemoteFile | None = None) -> str:
        """Move a dropped file to the archive, never over another one; returns the name it got there.

        When it is no more as it was `taken` (its sender went on writing), it is given back and StillChanging is raised.
        """
        if taken is not None:
            self.claim(taken, "")
        label = label_of(one_step(name))
        for target in numbered(label):
            with self._speaking(f"archiver « {label} »") as sftp:
                if line.exists(sftp, self._path(ARCHIVE, target)):
                    continue
                sftp.rename(self._path(INCOMING, name), self._path(ARCHIVE, target))
                return target
        raise ExchangeRefused(f"L'archive contient déjà trop de fichiers nommés « {label} ».")

    def deliver(self, folder: str, name: str, content: BinaryIO) -> int:
        """Put a file in one of the landlord's folders in one go, down to the disk; returns its size in bytes.

        Again with the same content, nothing is done; over a file with another content it is refused (ExchangeRefused).
        Only in `depot/`, where we are the one who drops (rehearsal), what was not read yet is replaced.
        """
        final, replacing = self._path(folder, safe_name(name)), folder == INCOMING
        with self._speaking(f"déposer « {name} »") as sftp:
            if not replacing and line.exists(sftp, final):
                return self._same_or_refused(sftp, final, name, content)
            self._sweep(sftp, folder, name)
            part = self._path(folder, safe_name(f".{name}.{secrets.token_hex(4)}.part"))
            try:
                size = line.upload(sftp, content, part)
                # A plain rename is refused by every server over an existing file.
                (sftp.posix_rename if replacing else sftp.rename)(part, final)
            except BaseException:
                with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                    sftp.remove(part)
                raise
        return size

    def leave(self, folder: str, name: str, content: bytes) -> str:
        """Deliver under that name, or `name-2`, `name-3`… when it bears another content; returns the name it has."""
        for candidate in numbered(name):
            try:
                self.deliver(folder, candidate, BytesIO(content))
            except _OtherContent:
                continue
            return candidate
        raise ExchangeRefused(f"Le dossier « {folder} » contient déjà trop de fichiers nommés « {name} ».")

    def drop_receipt(self, name: str, text: str) -> str:
        """Leave an acknowledgement (UTF-8) in `accuses/`, over none before; returns the name it got."""
        return self.leave(RECEIPTS, name, text.encode("utf-8"))

    def _same_or_refused(self, sftp: line.Client, final: bytes, name: str, content: BinaryIO) -> int:
        wanted = line.digest_of(content)
        found, there = line.download(sftp, final, line.Discard())
        if (found, there.size) != wanted:
            raise _OtherContent(f"« {name} » existe déjà avec un autre contenu : il n'a pas été remplacé.")
        return there.size

    def _sweep(self, sftp: line.Client, folder: str, name: str) -> None:
        """Remove what interrupted deliveries of that file left behind."""
        entries = [each.file for each in sftp.entries(self._path(folder)) if each.regular]
        newest = max((file.modified for file in entries), default=None)
        for file in entries:
            ours = file.name.startswith(f".{name}.") and file.name.endswith(".part")
            if ours and newest is not None and newest - file.modified > ABANDONED:
                with contextlib.suppress(FileNotFoundError):
                    sftp.remove(self._path(folder, file.name))

    # — Django's Storage —

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            raise ExchangeRefused("Un fichier du bailleur s'ouvre en lecture seule.")
        local = tempfile.SpooledTemporaryFile(max_size=5_000_000)  # noqa: SIM115 — the File that is returned owns it
        with self._speaking(f"lire « {name} »") as sftp:
            line.download(sftp, self._storage_path(name), local)
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
            return line.exists(sftp, self._storage_path(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Folders and files of a folder ('' for the root)."""
        with self._speaking(f"lire le dossier « {path} »") as sftp:
            entries = sftp.entries(self._storage_path(path))
        folders = sorted(entry.file.name for entry in entries if entry.folder)
        return folders, sorted(entry.file.name for entry in entries if entry.regular)

    def size(self, name: str) -> int:
        """Bytes of that `folder/file`."""
        with self._speaking(f"mesurer « {name} »") as sftp:
            return line.look_at(sftp, self._storage_path(name), name).file.size

    def get_modified_time(self, name: str) -> datetime:
        """When that `folder/file` was last written."""
        with self._speaking(f"dater « {name} »") as sftp:
            return line.look_at(sftp, self._storage_path(name), name).file.modified

    def delete(self, name: str) -> None:
        """Remove that `folder/file` if it is there."""
        with self._speaking(f"supprimer « {name} »") as sftp, contextlib.suppress(FileNotFoundError):
            sftp.remove(self._storage_path(name))

    def path(self, name: str) -> str:
        """There is no local path: Django asks for this refusal."""
        raise NotImplementedError("Ces fichiers sont sur le serveur SFTP.")

    # — the line —

    def _path(self, folder: str, name: str = "") -> bytes:
        if folder and folder not in FOLDERS:
            raise ExchangeRefused(f"« {folder} » n'est pas un dossier d'échange.")
        return wire("/".join((self.account.root.rstrip("/") or "/", *filter(None, (folder, name)))))

    def _storage_path(self, name: str) -> bytes:
        folder, _, base = name.rpartition("/")
        if not base or base in FOLDERS:
            return self._path(base or folder)
        return self._path(folder, safe_name(base))

    @contextlib.contextmanager
    def _speaking(self, action: str) -> Iterator[line.Client]:
        """The connection, with everything that can go wrong on it told in our kinds of errors."""
        try:
            with line.told(f"Impossible de {action} sur {self.account.host}", self._alive):
                if self._client is None:
                    self._transport, self._client = line.open_line(self.account)
                yield self._client
        except ExchangeError as error:
            if isinstance(error, LineCut) or not self._alive():
                self.close()
            raise

    def _alive(self) -> bool:
        return self._transport is not None and self._transport.is_active()


class _OtherContent(ExchangeRefused):
    """The name is taken by another content."""


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The built-in SFTP server of the embedded default: loopback only, one jailed folder per landlord.

In production OpenSSH does this, chrooted. Nothing here follows a symbolic link or leaves the jail: every
path is walked folder by folder from the jail's own descriptor.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import posixpath
import re
import socket
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)
from paramiko.sftp import SFTP_EOF, SFTP_OK, SFTP_OP_UNSUPPORTED, SFTP_PERMISSION_DENIED

from .exchange import FOLDERS

Authenticate = Callable[[str, str | paramiko.PKey], bool]
"""(user name, password or public key) → whether they may enter."""

_USERNAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}")
_MAX_CONNECTIONS = 40


def host_key(path: Path) -> paramiko.Ed25519Key:
    """The server's key, made once and kept readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        secret = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secret)
    return paramiko.Ed25519Key.from_private_key_file(str(path))


def accounts_authenticator(accounts: Mapping[str, str]) -> Authenticate:
    """From user name → password, or → public key as OpenSSH writes it (`ssh-ed25519 AAAA…`)."""

    def allowed(username: str, secret: str | paramiko.PKey) -> bool:
        known = accounts.get(username)
        if not known:
            return False
        is_key = known.startswith(("ssh-", "ecdsa-"))
        if isinstance(secret, str):
            return not is_key and hmac.compare_digest(known.encode(), secret.encode())
        return is_key and hmac.compare_digest(" ".join(known.split()[:2]), f"{secret.get_name()} {secret.get_base64()}")

    return allowed


class EmbeddedSftpServer:
    """An SFTP server in threads of this process. `accounts` is a mapping (see `accounts_authenticator`) or a function.

    Use as a context manager, or `start()` then `stop()`. A landlord's folders are made at their first entry.
    """

    def __init__(
        self,
        root: Path,
        accounts: Mapping[str, str] | Authenticate,
        host_key_path: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.root = root
        self.authenticate = accounts_authenticator(accounts) if isinstance(accounts, Mapping) else accounts
        self._key = host_key(host_key_path)
        self._address = (host, port)
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._transports: list[paramiko.Transport] = []

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        return int(self._listener.getsockname()[1]) if self._listener else self._address[1]

    @property
    def host_key(self) -> str:
        """Its public key, to be pinned by clients."""
        return f"{self._key.get_name()} {self._key.get_base64()}"

    def __enter__(self) -> EmbeddedSftpServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, and serve in the background."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._listener = socket.create_server(self._address)
        self._listener.settimeout(0.2)
        self._thread = threading.Thread(target=self._serve, args=(self._listener,), name="sftp", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Cut every connection and free the port."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        if self._thread is not None:
            self._thread.join(timeout=5)
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    def _serve(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                line, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self._transports = [known for known in self._transports if known.is_active()]
            if len(self._transports) >= _MAX_CONNECTIONS:
                line.close()
                continue
            self._welcome(line)

    def _welcome(self, line: socket.socket) -> None:
        line.settimeout(None)
        transport = paramiko.Transport(line)
        transport.add_server_key(self._key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _JailedFiles, root=self.root)
        self._transports.append(transport)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(event=threading.Event(), server=_Door(self.authenticate))


class _Door(paramiko.ServerInterface):
    """Who may enter; only the SFTP subsystem opens behind it."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate
        self.username = ""

    def get_allowed_auths(self, username: str) -> str:
        """Keys first."""
        return "publickey,password"

    def check_auth_password(self, username: str, password: str) -> int:
        """Called by paramiko."""
        return self._enter(username, password)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Called by paramiko."""
        return self._enter(username, key)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Called by paramiko."""
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def _enter(self, username: str, secret: str | paramiko.PKey) -> int:
        if _USERNAME.fullmatch(username) is None or not self._authenticate(username, secret):
            return AUTH_FAILED
        self.username = username
        return AUTH_SUCCESSFUL


def _answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the system's refusals into SFTP's answers."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    answer.__doc__ = method.__doc__ or "Called by paramiko."
    return answer


class _JailedFiles(paramiko.SFTPServerInterface):
    """The files of one landlord."""

    def __init__(self, server: paramiko.ServerInterface, *, root: Path) -> None:
        super().__init__(server)
        assert isinstance(server, _Door)  # noqa: S101 — the only door of this server
        self._jail = root / server.username
        for folder in FOLDERS:
            (self._jail / folder).mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        """The descriptor of the folder that holds this path, and the last name ('.' for the root)."""
        parts = [part for part in posixpath.normpath(f"/{path}").split("/") if part]
        descriptor = os.open(self._jail, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            for part in parts[:-1]:
                below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor, parts[-1] if parts else "."
        finally:
            os.close(descriptor)

    @_answering
    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes]:
        with self._parent(path) as (parent, name):
            folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            found = []
            for entry in os.listdir(folder):  # noqa: PTH208 — by descriptor, which a Path has not
                with contextlib.suppress(FileNotFoundError, UnicodeEncodeError):
                    entry.encode()  # this server speaks UTF-8 only; a stray name from elsewhere hides no other
                    information = os.stat(entry, dir_fd=folder, follow_symlinks=False)
                    found.append(paramiko.SFTPAttributes.from_stat(information, entry))
            return found
        finally:
            os.close(folder)

    @_answering
    def lstat(self, path: str) -> paramiko.SFTPAttributes:
        with self._parent(path) as (parent, name):
            return paramiko.SFTPAttributes.from_stat(os.stat(name, dir_fd=parent, follow_symlinks=False))

    stat = lstat

    @_answering
    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle:
        with self._parent(path) as (parent, name):
            descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o640, dir_fd=parent)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise PermissionError(1, "not a regular file")
        return _OpenFile(descriptor, flags)

    @_answering
    def remove(self, path: str) -> int:
        with self._parent(path) as (parent, name):
            os.unlink(name, dir_fd=parent)
        return SFTP_OK

    @_answering
    def rename(self, oldpath: str, newpath: str) -> int:
        """Never over an existing file, as OpenSSH does it."""
        with self._parent(oldpath) as (old, name), self._parent(newpath) as (new, target):
            if stat.S_ISDIR(os.stat(name, dir_fd=old, follow_symlinks=False).st_mode):
                os.mkdir(target, dir_fd=new)
                os.rename(name, target, src_dir_fd=old, dst_dir_fd=new)
            else:
                os.link(name, target, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
                os.unlink(name, dir_fd=old)
        return SFTP_OK

    @_answering
    def posix_rename(self, oldpath: str, newpath: str) -> int:
        """In one go, over the file of that name."""
        with self._parent(oldpath) as (old, name), self._parent(newpath) as (new, target):
            os.rename(name, target, src_dir_fd=old, dst_dir_fd=new)
        return SFTP_OK

    @_answering
    def mkdir(self, path: str, attr: paramiko.SFTPAttributes) -> int:
        with self._parent(path) as (parent, name):
            os.mkdir(name, 0o750, dir_fd=parent)
        return SFTP_OK

    @_answering
    def rmdir(self, path: str) -> int:
        with self._parent(path) as (parent, name):
            os.rmdir(name, dir_fd=parent)
        return SFTP_OK

    @_answering
    def chattr(self, path: str, attr: paramiko.SFTPAttributes) -> int:
        """Times and size; owners and modes are ours."""
        with self._parent(path) as (parent, name):
            descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        try:
            return _change(descriptor, attr)
        finally:
            os.close(descriptor)

    def symlink(self, target_path: str, path: str) -> int:
        """Refused: a link is a way out of a jail."""
        return SFTP_PERMISSION_DENIED

    def readlink(self, path: str) -> int:
        """Refused, as links are."""
        return SFTP_OP_UNSUPPORTED


class _OpenFile(paramiko.SFTPHandle):
    """One open file; reads and writes at given places, as SFTP asks."""

    def __init__(self, descriptor: int, flags: int) -> None:
        super().__init__(flags)
        self._descriptor = descriptor
        self._appends = bool(flags & os.O_APPEND)
        self._writes = bool(flags & (os.O_WRONLY | os.O_RDWR))

    def close(self) -> None:
        """Called by paramiko, once. What was written is on the disk when the client is told so."""
        if self._descriptor >= 0:
            try:
                if self._writes:
                    os.fsync(self._descriptor)
            finally:
                os.close(self._descriptor)
                self._descriptor = -1

    @_answering
    def read(self, offset: int, length: int) -> bytes | int:
        return os.pread(self._descriptor, min(length, 1_048_576), offset) or SFTP_EOF

    @_answering
    def write(self, offset: int, data: bytes) -> int:
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view) if self._appends else os.pwrite(self._descriptor, view, offset)
            view, offset = view[written:], offset + written
        return SFTP_OK

    @_answering
    def stat(self) -> paramiko.SFTPAttributes:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self._descriptor))

    @_answering
    def chattr(self, attr: paramiko.SFTPAttributes) -> int:
        return _change(self._descriptor, attr)


def _change(descriptor: int, attr: paramiko.SFTPAttributes) -> int:
    if attr.st_size is not None:
        os.ftruncate(descriptor, attr.st_size)
    if attr.st_atime is not None and attr.st_mtime is not None:
        os.utime(descriptor, (attr.st_atime, attr.st_mtime))
    return SFTP_OK

"""Where bounces wait: a maildir, an mbox or an IMAP folder, named by one address. Each e-mail is taken, then put away.

An e-mail leaves the mailbox only after `taken` was called for it: a reader that dies finds it there again.
"""

from __future__ import annotations

import contextlib
import imaplib
import mailbox
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

IMAPS_PORT, IMAP_PORT = 993, 143
TIMEOUT = 30  # seconds


class MailboxUnavailable(Exception):
    """The mailbox cannot be read; the message is French, without any secret."""


Taken = Callable[[], None]


@contextmanager
def opened(address: str, password: str = "") -> Iterator[Iterator[tuple[bytes, Taken]]]:
    """The e-mails of a mailbox with, for each, what puts it away. Raises MailboxUnavailable.

    `maildir:FOLDER`, `mbox:FILE`, or `imaps://user@host[:port]/FOLDER` (`imap://` for a server of the same machine).
    """
    kind, _, rest = address.partition(":")
    if kind == "maildir":
        yield _local(mailbox.Maildir(_existing(rest), create=False))
    elif kind == "mbox":
        with _locked(mailbox.mbox(_existing(rest), create=False)) as box:
            yield _local(box)
    elif kind in {"imap", "imaps"}:
        with _connected(address, password) as server:
            yield _remote(server)
    else:
        raise MailboxUnavailable("L'adresse de la boîte des retours commence par maildir:, mbox:, imap:// ou imaps://.")


def _existing(path: str) -> str:
    if not Path(path).exists():
        raise MailboxUnavailable("La boîte des retours d'e-mail n'existe pas à l'endroit indiqué.")
    return path


@contextmanager
def _locked(box: mailbox.mbox) -> Iterator[mailbox.mbox]:
    try:
        box.lock()
    except (OSError, mailbox.Error) as error:
        raise MailboxUnavailable("La boîte des retours d'e-mail est utilisée par un autre programme.") from error
    try:
        yield box
        box.flush()
    finally:
        box.unlock()
        box.close()


def _local(box: mailbox.Maildir | mailbox.mbox) -> Iterator[tuple[bytes, Taken]]:
    for key in list(box.keys()):
        try:
            content = box.get_bytes(key)
        except (KeyError, FileNotFoundError):  # another reader was faster
            continue

        def put_away(key: str = key) -> None:
            with contextlib.suppress(KeyError, FileNotFoundError):
                box.remove(key)

        yield content, put_away


@contextmanager
def _connected(address: str, password: str) -> Iterator[imaplib.IMAP4]:
    parts = urlsplit(address)
    folder = unquote(parts.path.lstrip("/")) or "INBOX"
    make = imaplib.IMAP4_SSL if parts.scheme == "imaps" else imaplib.IMAP4
    port = parts.port or (IMAPS_PORT if parts.scheme == "imaps" else IMAP_PORT)
    try:
        server = make(parts.hostname or "", port, timeout=TIMEOUT)
    except OSError as error:
        raise MailboxUnavailable("Le serveur IMAP des retours d'e-mail ne répond pas.") from error
    try:
        server.login(unquote(parts.username or ""), password)
        if server.select(folder)[0] != "OK":
            raise MailboxUnavailable(f"Le dossier IMAP « {folder} » n'existe pas.")
        yield server
        server.expunge()
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxUnavailable("Le serveur IMAP refuse notre connexion ou l'a coupée.") from error
    finally:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            server.logout()


def _remote(server: imaplib.IMAP4) -> Iterator[tuple[bytes, Taken]]:
    _, found = server.uid("SEARCH", "UNDELETED")
    for uid in (found[0] or b"").split():
        _, data = server.uid("FETCH", uid.decode(), "(BODY.PEEK[])")
        content = next((part[1] for part in data if isinstance(part, tuple)), None)
        if content is None:
            continue

        def put_away(uid: str = uid.decode()) -> None:
            server.uid("STORE", uid, "+FLAGS", r"(\Deleted)")

        yield content, put_away

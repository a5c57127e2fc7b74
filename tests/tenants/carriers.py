"""Carriers of the tests, on loopback: a real SMTP server and a stub that speaks Twilio's Messages API."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message as Email
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as EmailHandler
from aiosmtpd.smtp import SMTP, Envelope, Session


class Postman(EmailHandler):
    """Keeps the e-mails accepted; refuses recipients by the start of their address, drops the line on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted: list[Email] = []

    def handle_message(self, message: Email) -> None:
        self.accepted.append(message)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("inconnu"):
            return "550 5.1.1 No such user"
        if address.startswith("plein"):
            return "452 4.2.2 Mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if envelope.rcpt_tos[0].startswith("coupure"):
            server.transport.close()
        return str(await super().handle_DATA(server, session, envelope))


@contextmanager
def smtp_server() -> Iterator[tuple[Postman, int]]:
    """A real SMTP server: its memory and its port."""
    postman = Postman()
    controller = Controller(postman, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield postman, controller.port
    finally:
        controller.stop()


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Switchboard:
    """What the stub received and kept, and how it answers a number: (status, body), or None: accept, then cut the line.

    A 5xx is answered after the message was kept, as Twilio may do.
    """

    url: str = ""
    received: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, Any]] | None] = field(default_factory=dict)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)


class MessagesApi(BaseHTTPRequestHandler):
    """Twilio's Messages resource: create, fetch, list."""

    @property
    def board(self) -> Switchboard:
        return self.server.board  # type: ignore[attr-defined,no-any-return]

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        told = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        self.board.received.append(told | {"path": self.path, "auth": self.headers["Authorization"]})
        accepted = (201, {"sid": f"SM{len(self.board.received):032d}", "status": "queued", "body": told["Body"]})
        sid, today = str(accepted[1]["sid"]), f"{formatdate(usegmt=True)}"
        self.board.kept[sid] = {**accepted[1], "to": told["To"], "from": told["From"], "date_sent": today}
        answer = self.board.answers.get(told["To"], accepted)
        if answer is not None and answer[0] != accepted[0] and answer[0] < 500:
            del self.board.kept[sid]
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.reply(*answer)

    def do_GET(self) -> None:
        """One message by its identifier, or the list filtered by recipient, two a page."""
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        sid = parts.path.rpartition("/")[2].removesuffix(".json")
        self.board.asked.append(asked | {"path": parts.path})
        if sid != "Messages":
            found = self.board.kept.get(sid)
            self.reply(200 if found else 404, found or {"code": 20404, "message": "not found", "status": 404})
            return
        listed = [each for each in self.board.kept.values() if each["to"] == asked.get("To", each["to"])]
        page = int(asked.get("Page", "0"))
        shown, more = listed[page * 2 : page * 2 + 2], len(listed) > page * 2 + 2
        following = f"{parts.path}?{urlencode({**asked, 'Page': page + 1})}" if more else None
        self.reply(200, {"messages": shown, "page": page, "page_size": 2, "next_page_uri": following})

    def reply(self, status: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def twilio_stub() -> Iterator[Switchboard]:
    """A local HTTP server in Twilio's place; every request is kept, also those answered by an error."""
    board = Switchboard()

    server = ThreadingHTTPServer(("127.0.0.1", 0), MessagesApi)
    server.board = board  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    board.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield board
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

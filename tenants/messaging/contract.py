"""What every channel promises: `send(outgoing)` returns a Receipt or raises NotDelivered. Nothing else may happen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Failure(StrEnum):
    """The only thing that the queue must know of a failure."""

    RETRY = "retry"  # it surely did not leave, and may be tried again
    PERMANENT = "permanent"  # it did not leave and never will
    UNCERTAIN = "uncertain"  # nobody can tell whether it left: never tried again without a person


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a carrier gets. `key` is the id of the Message, the same at every try."""

    key: int
    recipient: str
    subject: str
    text: str
    sender: str
    reply_to: str = ""
    unsubscribe: str = ""  # the address of one-click unsubscription, only where the law lets a person refuse
    document: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The carrier took it: its identifier, and what it said (no personal data)."""

    provider_id: str
    proof: dict[str, Any] = field(default_factory=dict)


class NotDelivered(Exception):
    """The carrier did not take it, or may not have. The message is French, for our staff, without personal data."""

    def __init__(self, failure: Failure, message: str, *, mark: str = "") -> None:
        super().__init__(message)
        self.failure = failure
        self.mark = mark  # what it teaches of the address: a ContactMark.Kind, or ''


class Backend(Protocol):
    """A way out, kept open for one run."""

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hand one message to the carrier. Raises NotDelivered."""

    def close(self) -> None:
        """Let go of connections."""

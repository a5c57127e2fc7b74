"""What was seen of a page or of a piece, plain enough to cross from one process to another. No database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from campaigns.paper_form.page_code import PageCode
from returns.reading.readings import Ink


class Sight(StrEnum):
    """What a page looks like, before knowing whose it is."""

    FORM = "form"
    UNREGISTERED = "unregistered"
    RETURN_SHEET = "return_sheet"
    LOOSE = "loose"
    BLANK = "blank"
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"
    SEPARATOR = "separator"
    CODELESS = "codeless"


@dataclass(frozen=True, slots=True)
class SeenField:
    """One field read: `several` boxes ticked where one is expected; `box` is left, top, width, height in mm.

    `doubt` is the reader's own reason to doubt, in French, or ''. `ink`: see `returns.reading.readings`.
    """

    field: str
    row: int
    value: Any
    inked: bool
    confidence: float
    several: bool
    box: tuple[float, float, float, float]
    doubt: str = ""
    ink: Ink | None = None


@dataclass(frozen=True, slots=True)
class SeenPiece:
    """A piece recognised: a document key of the questionnaires or '', and what `returns.evidence` wants of it."""

    kind: str = ""
    read: Mapping[str, Any] = field(default_factory=dict)
    certified: bool = False


@dataclass(frozen=True, slots=True)
class SeenPage:
    """One page of a batch; `image` is the grey JPEG to keep, `matrix` sends millimetres to its pixels."""

    index: int
    sight: Sight
    image: bytes = b""
    code: PageCode | None = None
    explanation: str = ""
    fields: tuple[SeenField, ...] = ()
    matrix: tuple[tuple[float, ...], ...] = ()
    rotation: int = 0
    residual: float = 0.0
    unexpected_ink: bool = False
    piece: SeenPiece | None = None
    clues: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What makes two images the same."""
        return hashlib.sha256(self.image).hexdigest() if self.image else ""

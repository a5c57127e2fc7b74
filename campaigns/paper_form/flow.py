"""Blocks and the pages they flow on. A block is never broken; its items are placed from its own top.

Pure. Every length is in millimetres; horizontal places are those of the page, vertical ones those of the block.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from campaigns.paper_form.typography import FLOOR, POINT, fit, french, wrap
from campaigns.paper_form.zones import PAGE_HEIGHT, PAGE_WIDTH, UNREAD, Box, FormLayout, PrefillSpot, Shape, Text, Zone

LEFT = 18.0
RIGHT = PAGE_WIDTH - LEFT
WIDTH = RIGHT - LEFT
BOTTOM = 279.0
MARK = 5.0
MARK_MARGIN = 10.0
MARKS = tuple(
    Box(x, y, MARK, MARK)
    for y in (MARK_MARGIN, PAGE_HEIGHT - MARK_MARGIN - MARK)
    for x in (MARK_MARGIN, PAGE_WIDTH - MARK_MARGIN - MARK)
)
PAGE_CODE = Box(RIGHT - 16.0, 12.0, 16.0, 16.0)
CODE_MODULES = 25  # a QR code of version 2 holds the 24 characters of a page code at level M
CODE_QUIET = 4 * PAGE_CODE.w / CODE_MODULES
TWIN_WIDTH = 40.0  # of the text of the code, under it
HEAD_TOP = 13.0  # where a heading may start, beside the page code
HEAD_RIGHT = PAGE_CODE.x - CODE_QUIET - 4
BODY_TOP = 35.0  # where anything of full width may start, under the page code and its twin

LEADING = 1.3  # line height over point size
CAP_HEIGHT = 0.66  # height of a capital over point size


def tidy(millimetres: float) -> float:
    """A length to the hundredth of a millimetre, so that layouts compare and store exactly."""
    return round(millimetres, 2)


def line_height(size: float) -> float:
    """Height of one line of text of `size` points, in mm."""
    return size * LEADING / POINT


@dataclass
class Block:
    """Items that stay together on one page: their height, and whether they reach under the page code.

    What is written, spotted or asked is read out in the order of the calls. Each call makes a part of its own, unless
    several are made inside `part`; '' is the part of what is never read out.
    """

    height: float = 0.0
    right: float = LEFT
    page: int = 1
    zones: list[Zone] = field(default_factory=list)
    prefills: list[PrefillSpot] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    _part: int | None = None

    @contextmanager
    def part(self, role: str) -> Iterator[None]:
        """What is put inside is one part; `role` is a PDF structure type (H1, P, TD…) or '' for what is not read out.

        Inside another part, that other one goes on.
        """
        outer = self._part
        if outer is None:
            self.parts += [role] if role else []
            self._part = len(self.parts) - 1 if role else UNREAD
        try:
            yield
        finally:
            self._part = outer

    def _at(self, role: str) -> int:
        with self.part(role):
            return UNREAD if self._part is None else self._part

    def write(  # noqa: PLR0913 - a text has that many looks
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 9.0,
        style: str = "regular",
        tone: str = "ink",
        align: str = "left",
        room: float | None = None,
        role: str = "P",
    ) -> None:
        """One line, baseline at (x, y). With `room`, the size shrinks to fit it."""
        text = french(text)
        if room is not None:
            size = max(FLOOR, fit(text, room, size, style).size)
        self.texts.append(Text(1, x, y, text, size, style, tone, align, self._at(role)))

    def paragraph(  # noqa: PLR0913 - a text has that many looks
        self,
        x: float,
        y: float,
        text: str,
        room: float,
        *,
        size: float = 12.0,
        style: str = "regular",
        tone: str = "ink",
        step: float = 0.0,
        role: str = "P",
    ) -> float:
        """Lines of at most `room` mm from the top `y`, `step` mm apart; returns the bottom."""
        step = step or line_height(size)
        rise = (step + size * CAP_HEIGHT / POINT) / 2
        with self.part(role):
            for line in wrap(french(text), room, size, style):
                self.write(x, y + rise, line, size=size, style=style, tone=tone)
                y += step
        return y

    def twin(self) -> None:
        """The text of the page code, under it."""
        self.spot("@page_code", 0, Box(RIGHT - TWIN_WIDTH, PAGE_CODE.bottom + CODE_QUIET + 0.2, TWIN_WIDTH, 3.4), 7)

    def draw(self, kind: str, box: Box, tone: str = "soft", radius: float = 0.0) -> None:
        """A figure behind the texts."""
        self.shapes.append(Shape(1, kind, box, tone, radius))

    def spot(self, name: str, row: int, box: Box, size: float = 9.0, *, bold: bool = False, role: str = "P") -> None:
        """A place for a known value or a personal text."""
        self.prefills.append(PrefillSpot(name, row, 1, box, size, bold, self._at(role)))

    def ask(self, zone: Zone) -> None:
        """A place for an answer."""
        self.zones.append(replace(zone, at=self._at("P")))

    def add(self, other: Block, y: float = 0.0) -> None:
        """Everything of `other`, lowered by `y`, read out after what is here."""
        moved = other.at(1, y, len(self.parts))
        self.parts += moved.parts
        self.zones += moved.zones
        self.prefills += moved.prefills
        self.texts += moved.texts
        self.shapes += moved.shapes

    def shifted(self, x: float) -> Block:
        """The same texts and figures, `x` mm further to the right."""
        return Block(
            height=self.height,
            right=self.right + x,
            texts=[replace(each, x=each.x + x) for each in self.texts],
            shapes=[replace(each, box=replace(each.box, x=each.box.x + x)) for each in self.shapes],
            parts=self.parts,
        )

    def at(self, page: int, y: float, after: int = 0) -> Block:
        """The same block on `page`, lowered by `y`, lengths tidied, read out after so many parts."""

        def told(at: int) -> int:
            return at if at == UNREAD else at + after

        def lowered(box: Box) -> Box:
            return Box(tidy(box.x), tidy(box.y + y), tidy(box.w), tidy(box.h))

        return Block(
            height=self.height,
            right=self.right,
            page=page,
            zones=[replace(each, page=page, box=lowered(each.box), at=told(each.at)) for each in self.zones],
            prefills=[replace(each, page=page, box=lowered(each.box), at=told(each.at)) for each in self.prefills],
            texts=[
                replace(each, page=page, x=tidy(each.x), y=tidy(each.y + y), at=told(each.at)) for each in self.texts
            ],
            shapes=[replace(each, page=page, box=lowered(each.box)) for each in self.shapes],
            parts=self.parts,
        )


class Flow:
    """Blocks put one under another, page after page; with `code`, each page keeps its corner for the page code."""

    def __init__(self, *, code: bool = True) -> None:
        self.page = 1
        self.y = HEAD_TOP
        self._code = code
        self.placed: list[Block] = []
        self.parts: list[str] = []

    def room_for(self, *blocks: Block, gap: float = 0.0) -> bool:
        """Whether these blocks still fit on the page, one under the other with `gap` mm between them."""
        y = self.y - gap
        for block in blocks:
            y = self._start(block, y + gap) + block.height
        return y <= BOTTOM

    def turn(self) -> None:
        """Go to the top of a new page."""
        self.page += 1
        self.y = HEAD_TOP

    def place(self, block: Block, gap: float = 0.0) -> None:
        """Put `block` on this page, or on a new one where it does not fit, and leave `gap` mm under it."""
        if not self.room_for(block) and self.y > HEAD_TOP:
            self.turn()
        self.y = self._start(block, self.y)
        self.fix(block, self.page, self.y)
        self.y += block.height + gap

    def fix(self, block: Block, page: int, y: float = 0.0) -> None:
        """Put `block` at an exact place; the flow does not move."""
        self.placed.append(block.at(page, y, len(self.parts)))
        self.parts += block.parts

    def layout(self, questionnaire: str, rows: int, pages: int) -> FormLayout:
        """All that was placed, on so many pages; marks and page code are those of papers that are scanned."""
        placed = self.placed
        return FormLayout(
            questionnaire=questionnaire,
            rows=rows,
            pages=pages,
            zones=tuple(each for block in placed for each in block.zones),
            prefills=tuple(each for block in placed for each in block.prefills),
            texts=tuple(each for block in placed for each in block.texts),
            shapes=tuple(each for block in placed for each in block.shapes),
            marks=MARKS if self._code else (),
            page_code=PAGE_CODE if self._code else Box(0, 0, 0, 0),
            parts=tuple(self.parts),
        )

    def _start(self, block: Block, y: float) -> float:
        return max(y, BODY_TOP) if self._code and block.right > HEAD_RIGHT else y

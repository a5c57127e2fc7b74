"""Where on its image each thing read of a piece stands, for people to check: the words used, or the signed code.

Places are shares of the image, so that they hold whatever size it is shown at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from returns.reading.names import plain
from returns.reading.nir import Word
from returns.reading.pixels import Grey, grey_level, quartered

SIGNED_CODE = "signed_code"
INKED = 60  # grey levels under the paper, on the reduced page


@dataclass(frozen=True, slots=True)
class Place:
    """What was read (a key of a piece's `read`, or SIGNED_CODE), and its left, top, width and height, 0 to 1."""

    what: str
    box: tuple[float, float, float, float]

    def table(self) -> dict[str, Any]:
        """As it is kept."""
        return {"what": self.what, "box": [round(side, 4) for side in self.box]}


class PrintedText:
    """The words of a page as one plain text, a line of print a line, that knows where each character stands."""

    def __init__(self, words: Iterable[Word], size: tuple[int, int]) -> None:
        self.size = size  # width, height
        self.spans: list[tuple[int, int, Word]] = []
        lines, at = [], 0
        for _, line in groupby(words, key=lambda word: word.line):
            told = []
            for word in line:
                text = plain(word.text)
                self.spans.append((at, at + len(text), word))
                told.append(text)
                at += len(text) + 1
            lines.append(" ".join(told))
        self.text = "\n".join(lines)

    def place(self, what: str, span: tuple[int, int]) -> Place:
        """The rectangle around the words that hold these characters of the text."""
        held = [word for first, end, word in self.spans if first < span[1] and end > span[0]]
        left, top = min(word.left for word in held), min(word.top for word in held)
        right, bottom = max(word.left + word.width for word in held), max(word.top + word.height for word in held)
        return _placed(what, (left, top, right, bottom), self.size)


def place_of_code(corners: Sequence[tuple[int, int]], size: tuple[int, int], turns: int) -> Place:
    """Where a signed code stands once its page of that width and height, turned clockwise `turns` times, is upright."""
    width, height = size
    for _ in range(turns):
        corners = [(y, width - 1 - x) for x, y in corners]
        width, height = height, width
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return _placed(SIGNED_CODE, (min(across), min(down), max(across), max(down)), (width, height))


def _placed(what: str, sides: tuple[int, int, int, int], size: tuple[int, int]) -> Place:
    left, top, right, bottom = sides
    width, height = size
    return Place(what, (left / width, top / height, (right - left) / width, (bottom - top) / height))


def upright(grey: Grey, turns: int) -> Grey:
    """The page given back the quarter turns, clockwise, that it had been given."""
    return np.ascontiguousarray(np.rot90(grey, turns % 4))


def lies_on_its_side(grey: Grey) -> bool:
    """Whether the lines of print run down the image: their profile is then the sharper across it."""
    small = quartered(grey)
    inked = small < max(grey_level(small, 0.7) - INKED, 30)
    down, across = (np.diff(inked.mean(axis=axis)) for axis in (1, 0))
    return bool((across**2).sum() > (down**2).sum())

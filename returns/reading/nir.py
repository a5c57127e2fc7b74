"""Social security numbers (NIR) on supporting documents: found among the printed words, and blackened on the image.

No survey may keep a NIR (it is neither asked nor needed); family books and pay slips print it all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from stdnum.fr import nif, nir

from returns.reading.pixels import Grey

LONGEST = 8  # words a NIR is printed in at most: 1 84 12 76 451 089 46
KEYED, UNKEYED = 15, 13  # characters with and without the key
SHAPE = re.compile(r"[12478]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[AB])\d{6}(?:\d{2})?")
NAMED = re.compile(r"s[ée]cu|social|\bnir\b|insee|immatriculation|cl[ée]\b", re.IGNORECASE)
MARGIN = 0.25  # of a word's height, blackened around it


@dataclass(frozen=True, slots=True)
class Word:
    """A printed word and where it is on the image, in pixels; `line` is the same for words of one line."""

    text: str
    line: tuple[int, ...]
    left: int
    top: int
    width: int
    height: int


def words_of(told: dict[str, list[object]]) -> list[Word]:
    """The words of what `pytesseract.image_to_data(…, output_type=Output.DICT)` tells."""
    names = ("text", "block_num", "par_num", "line_num", "left", "top", "width", "height")
    rows = zip(*(told[name] for name in names), strict=True)
    return [
        Word(str(text), (int(str(block)), int(str(part)), int(str(line))), *(int(str(each)) for each in place))
        for text, block, part, line, *place in rows
        if str(text).strip()
    ]


def mask_nir(grey: Grey, words: Iterable[Word]) -> Grey:
    """The image with every NIR among `words` blackened; the image itself where there is none."""
    masked = grey
    for _, line in groupby(words, key=lambda word: word.line):
        for found in _numbers(list(line)):
            if masked is grey:
                masked = grey.copy()
            for word in found:
                around = round(word.height * MARGIN)
                top, left = max(0, word.top - around), max(0, word.left - around)
                masked[top : word.top + word.height + around, left : word.left + word.width + around] = 0
    return masked


def _numbers(line: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """The runs of words of one line that spell a NIR; one without its key only where the line names it.

    References of tax notices have thirteen digits too.
    """
    named = any(NAMED.search(word.text) for word in line)
    for first in range(len(line)):
        text = ""
        for last in range(first, min(first + LONGEST, len(line))):
            text += re.sub(r"[\s.\-]", "", line[last].text.upper())
            if len(text) > KEYED:
                break
            if (len(text) == KEYED and is_nir(text)) or (named and len(text) == UNKEYED and is_nir(text)):
                yield line[first : last + 1]


def is_nir(text: str) -> bool:
    """Whether the characters are a NIR: the key decides, or without key its shape, unless it is a tax number."""
    if SHAPE.fullmatch(text) is None:
        return False
    if len(text) == KEYED:
        return bool(nir.is_valid(text))
    return not nif.is_valid(text)

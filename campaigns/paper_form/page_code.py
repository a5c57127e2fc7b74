"""What each page's 2D code says: which case, which page, which layout, and a check.

Text of the code: `F1-<case reference, 8>-<page, 2>-<layout fingerprint, 8>-<check, 1>`, 24 characters, all in the
alphanumeric set of QR codes. The same text is printed beside it for people and for the reconciliation desk.
The check character is a weighted sum modulo 37, a prime above the number of symbols, so that one wrong or two swapped
characters are always noticed when a person keys the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# The sheet put on top of what a household was still asked for: no form has that page. Its layout is the number of the
# request, 0 for none in particular.
RETURN_PAGE, RETURN_LAYOUT = 99, "00000000"
SYMBOLS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+"
PATTERN = re.compile(r"F1-([0-9A-Z]{8})-(\d{2})-([0-9A-F]{8})-([0-9A-Z+])")


class UnreadablePageCode(ValueError):
    """The text is not one of our page codes, or its check is wrong."""


@dataclass(frozen=True, slots=True)
class PageCode:
    """`case` is the printed reference of the SurveyCase, `page` counts from 1, `layout` is a fingerprint."""

    case: str
    page: int
    layout: str

    @property
    def is_return_sheet(self) -> bool:
        """Whether it is the sheet of a letter, put on top of the pieces sent back."""
        return self.page == RETURN_PAGE

    @property
    def request(self) -> int:
        """The number of the request that a return sheet answers; 0 for none in particular."""
        return int(self.layout, 16) if self.is_return_sheet else 0

    def __str__(self) -> str:
        return page_code_text(self.case, f"{self.page:02d}", self.layout)


def return_sheet(case: str, request: int = 0) -> PageCode:
    """The code of the sheet put on top of the pieces that a request asks for."""
    return PageCode(case=case, page=RETURN_PAGE, layout=f"{request:08X}")


def check_character(body: str) -> str:
    """The check of `body`; dashes do not count."""
    symbols = [SYMBOLS.index(each) for each in body if each != "-"]
    return SYMBOLS[sum((place + 2) * symbol for place, symbol in enumerate(symbols)) % len(SYMBOLS)]


@lru_cache(maxsize=4096)
def weight(symbols: str, start: int) -> int:
    """What symbols standing from `start` add to the weighted sum of the check."""
    return sum((start + place + 2) * SYMBOLS.index(symbol) for place, symbol in enumerate(symbols))


def page_code_text(case: str, page: str, layout: str) -> str:
    """The text of a page code from its parts, `page` on two digits: the parts' sums are remembered."""
    check = SYMBOLS[(weight(case, 0) + weight(page, 8) + weight(layout, 10)) % len(SYMBOLS)]
    return f"F1-{case}-{page}-{layout}-{check}"


def parse(text: str) -> PageCode:
    """The page code written as `text` (any case, spaces around). Raises UnreadablePageCode."""
    found = PATTERN.fullmatch(text.strip().upper())
    if found is None:
        raise UnreadablePageCode(f"« {text[:40]} » n'est pas un code de page.")
    case, page, layout, check = found.groups()
    if check_character(f"{case}-{page}-{layout}") != check:
        raise UnreadablePageCode(f"Le caractère de contrôle du code de page « {text[:40]} » est faux.")
    return PageCode(case=case, page=int(page), layout=layout)


def parses(text: str) -> bool:
    """Whether `text` is a page code, its check right."""
    try:
        parse(text)
    except UnreadablePageCode:
        return False
    return True

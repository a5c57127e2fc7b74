"""What a page without a place says of whose it is: words, numbers and codes, for a person to be offered a case.

No social security or tax number is among them: a number is kept only when it is too short to be one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from campaigns.paper_form.page_code import PageCode, UnreadablePageCode, parse

WORD = re.compile(r"[a-z]{3,30}")
NUMBER = re.compile(r"(?<![0-9a-z])(?=[a-z]*[0-9])[0-9a-z]{4,12}(?![0-9a-z])")
CODE = re.compile(r"f[1i]\W{0,2}([0-9a-z]{8})\W{0,2}([0-9ilo]{2})\W{0,2}([0-9a-filo]{8})\W{0,2}([0-9a-z+])")
TAKEN_FOR_DIGITS = str.maketrans("ilo", "110")
MOST = 300  # words or numbers of one page


def clues_in(text: str, *, code: str = "", names: Iterable[str] = ()) -> dict[str, Any]:
    """The clues of a page's plain `text` (lower case, no accents), of a 2D code of ours or not, of names read in one.

    `words` and `numbers` are lists, `code` the page code that is printed on the sheet, or ''.
    """
    words = dict.fromkeys(WORD.findall(" ".join((*names, text)).casefold()))
    numbers = dict.fromkeys(NUMBER.findall(text))
    found = page_code_in(text)
    return {"words": list(words)[:MOST], "numbers": list(numbers)[:MOST], "code": str(found) if found else code[:40]}


def page_code_in(text: str) -> PageCode | None:
    """The page code printed in clear on a sheet; its check character forgives no error."""
    for case, page, layout, check in CODE.findall(text):
        digits = page.translate(TAKEN_FOR_DIGITS), layout.translate(TAKEN_FOR_DIGITS)
        try:
            return parse("-".join(("F1", case, *digits, check)))
        except UnreadablePageCode:
            continue
    return None

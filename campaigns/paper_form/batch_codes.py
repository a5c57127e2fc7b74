"""The page codes of a batch: of each, only what its case adds is worked out, and XORed into what the page says.

Same modules and same twin as `codes.page_code_matrix` and `page_code.page_code_text` make.
"""

from __future__ import annotations

import re
from functools import cache, partial
from typing import NamedTuple

from campaigns.paper_form.batch_writer import BatchWriter
from campaigns.paper_form.codes import PAGE_CODE_BYTES, page_code_part
from campaigns.paper_form.ink import code_bits
from campaigns.paper_form.page_code import SYMBOLS, weight

CASE = re.compile(r"[0-9A-Z]{8}").fullmatch
CASE_PLACE, PAGE_PLACE, CHECK_PLACE = 2, 12, 24  # where each part of the text begins
PAIRS = range(0, 10, 2)  # of a case's reference between its dashes: a code is made of pairs of symbols
PAPER = (1 << 8 * PAGE_CODE_BYTES) - 1  # turns modules (1 is dark) into the bits of a mask (0 is dark)


class _Part(NamedTuple):
    """What a part of the text adds to a page code: to its modules, to its check, to the width of its twin."""

    modules: int
    weight: int
    wide: float


class _End(NamedTuple):
    """How the code of a page ends with one of the checks: its text from the page on, its modules, its text's width."""

    text: bytes
    modules: int
    wide: float


class FormCodes:
    """The page codes of a layout, for every case; `twin` writes their text in clear."""

    def __init__(self, layout: str, pages: int, twin: BatchWriter) -> None:
        self._twin = twin
        self._begin = page_code_part(0, "F1") ^ PAPER
        self._begin_wide = twin.width_of("F1")
        self._pairs = [(place, cache(partial(self._part, place))) for place in PAIRS]
        self._pages = [
            (weight(f"{page:02d}", 8) + weight(layout, 10), self._ends(page, layout)) for page in range(1, pages + 1)
        ]

    def of(self, reference: str) -> list[tuple[bytes, bytes]]:
        """For each page of the form of a case, the bits of its code and what shows its twin.

        Raises ValueError unless the case's reference is eight figures or capitals.
        """
        if not CASE(reference):
            message = f"La référence d'un dossier compte huit chiffres ou capitales : « {reference[:40]} »."
            raise ValueError(message)
        told, own, modules, wide = f"-{reference}-", 0, self._begin, self._begin_wide
        for place, part in self._pairs:
            adds, weighs, widens = part(told[place : place + 2])
            modules ^= adds
            own += weighs
            wide += widens
        begin = b"F1%b" % told.encode("ascii")
        drawn = []
        for start, ends in self._pages:
            text, changed, widens = ends[(own + start) % len(SYMBOLS)]
            bits = (modules ^ changed).to_bytes(PAGE_CODE_BYTES, "big")
            drawn.append((code_bits(bits), self._twin.measured(begin + text, wide + widens)))
        return drawn

    def _part(self, place: int, pair: str) -> _Part:
        """What a pair of symbols adds from that place of the case's reference between its dashes."""
        symbols = pair.strip("-")
        start = place if pair.startswith("-") else place - 1
        return _Part(page_code_part(CASE_PLACE + place, pair), weight(symbols, start), self._twin.width_of(pair))

    def _ends(self, page: int, layout: str) -> list[_End]:
        said = f"{page:02d}-{layout}-"
        modules = page_code_part(PAGE_PLACE, said)
        return [
            _End(
                (said + check).encode("ascii"),
                modules ^ page_code_part(CHECK_PLACE, check),
                self._twin.width_of(said + check),
            )
            for check in SYMBOLS
        ]

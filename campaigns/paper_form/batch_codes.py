"""The page codes of a batch: of each, only what its case adds is worked out, and XORed into what the page says.

Same modules and same twin as `codes.page_code_matrix` and `page_code.page_code_text` make.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from campaigns.paper_form.batch_faces import BatchWriter
from campaigns.paper_form.codes import PAGE_CODE_BYTES, page_code_part
from campaigns.paper_form.ink import code_bits
from campaigns.paper_form.page_code import SYMBOLS, weight

CASE = re.compile(r"[0-9A-Z]{8}").fullmatch
CASE_PLACE, PAGE_PLACE, CHECK_PLACE = 2, 12, 24  # where each part of the text begins


class _End(NamedTuple):
    """How the code of a page ends with one of the checks: its text from the page on, its modules, its text's width."""

    text: str
    modules: int
    wide: float


class FormCodes:
    """The page codes of a layout, for every case; `twin` writes their text in clear."""

    def __init__(self, layout: str, pages: int, twin: BatchWriter) -> None:
        self._twin = twin
        self._begin = page_code_part(0, "F1")
        self._pages = [
            (weight(f"{page:02d}", 8) + weight(layout, 10), self._ends(page, layout)) for page in range(1, pages + 1)
        ]

    def of(self, reference: str) -> Iterator[tuple[bytes, bytes]]:
        """For each page of the form of a case, the bits of its code and what shows its twin.

        Raises ValueError unless the case's reference is eight figures or capitals.
        """
        if not CASE(reference):
            message = f"La référence d'un dossier compte huit chiffres ou capitales : « {reference[:40]} »."
            raise ValueError(message)
        modules = self._begin ^ page_code_part(CASE_PLACE, f"-{reference}-")
        begin, own = f"F1-{reference}", weight(reference, 0)
        wide = self._twin.width_of(begin)
        for start, ends in self._pages:
            end = ends[(own + start) % len(SYMBOLS)]
            bits = (modules ^ end.modules).to_bytes(PAGE_CODE_BYTES, "big")
            yield code_bits(bits), self._twin.measured(begin + end.text, wide + end.wide)

    def _ends(self, page: int, layout: str) -> list[_End]:
        said = f"-{page:02d}-{layout}-"
        modules, wide = page_code_part(PAGE_PLACE, said[1:]), self._twin.width_of(said)
        return [
            _End(said + check, modules ^ page_code_part(CHECK_PLACE, check), wide + self._twin.width_of(check))
            for check in SYMBOLS
        ]

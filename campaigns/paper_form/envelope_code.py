"""What the bar code of an envelope says: which case, which print batch, and a check. The print house puts it outside.

Text of the code: `E1-<case reference, 8>-<batch number, 4 or more digits>-<check, 1>`, in the alphabet of Code 128 and
of keyboard-wedge scanners. One household has one envelope in a batch, so the pair names one letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from campaigns.paper_form.page_code import check_character

PATTERN = re.compile(r"E1-?([0-9A-Z]{8})-?(\d{4,7})-?([0-9A-Z+])")


class UnreadableEnvelopeCode(ValueError):
    """The text is not the code of an envelope, or its check is wrong."""


@dataclass(frozen=True, slots=True)
class EnvelopeCode:
    """`case` is the reference of the SurveyCase, `batch` the number of the print batch in its campaign."""

    case: str
    batch: int

    def __str__(self) -> str:
        body = f"{self.case}-{self.batch:04d}"
        return f"E1-{body}-{check_character(body)}"


def parse(text: str) -> EnvelopeCode:
    """The code written as `text` (any case, dashes lost or not). Raises UnreadableEnvelopeCode."""
    found = PATTERN.fullmatch("".join(text.split()).upper())
    if found is None:
        raise UnreadableEnvelopeCode(f"« {text[:40]} » n'est pas un code de pli.")
    case, batch, check = found.groups()
    if check_character(f"{case}-{batch}") != check:
        raise UnreadableEnvelopeCode(f"Le caractère de contrôle du code de pli « {text[:40]} » est faux.")
    return EnvelopeCode(case=case, batch=int(batch))

"""Values shown in reports: what identifies a person towards the State or a bank is never shown whole."""

from __future__ import annotations

import re

# A social security number (13 or 15 digits), a tax number (13), a French or foreign IBAN, spaces allowed inside.
_NUMBER = re.compile(r"(?<!\w)(?:\d[ .\u00a0\u202f-]?){12,14}\d(?!\w)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ \u00a0\u202f]?[A-Z0-9]){11,30}(?!\w)")
_SHOWN = 4


def masked(text: str) -> str:
    """The text with such numbers hidden but for their last four signs."""
    if sum(map(str.isdigit, text)) < 11:
        return text
    return _NUMBER.sub(_hidden, _IBAN.sub(_hidden, text))


def _hidden(found: re.Match[str]) -> str:
    signs = [sign for sign in found[0] if sign.isalnum()]
    return "•" * (len(signs) - _SHOWN) + "".join(signs[-_SHOWN:])

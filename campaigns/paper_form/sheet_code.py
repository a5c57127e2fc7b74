"""What an inserter reads on each sheet: which envelope of the batch it belongs to, which sheet it is, of how many.

Ten digits, the envelope's place in its batch on six, the sheet and the number of sheets on two each: 0000420203 is the
second of the three sheets of the 42nd envelope. The group ends where both are equal. Ten digits are a DataMatrix of
12 × 12 modules. Nothing in it names a household.
"""

from __future__ import annotations

from collections.abc import Iterator

MOST_ENVELOPES = 999_999
MOST_SHEETS = 99


def sheet_codes(order: int, sheets: int) -> Iterator[str]:
    """The codes of the sheets of the envelope in place `order` (from 1). Raises ValueError beyond the digits."""
    if not 1 <= order <= MOST_ENVELOPES or not 1 <= sheets <= MOST_SHEETS:
        message = f"Le pli {order} de {sheets} feuilles ne tient pas dans les codes de la mise sous pli."
        raise ValueError(message)
    for sheet in range(1, sheets + 1):
        yield f"{order:06d}{sheet:02d}{sheets:02d}"

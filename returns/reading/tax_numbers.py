"""Reading the thirteen cells of a numéro fiscal all at once: its last three digits are the first ten modulo 511.

Among all the numbers whose key is right, the likeliest is found and weighed exactly, by walking the ten digits through
the 511 remainders: no reading is left out, and a cell that says nothing is restored by the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

KEY = 511
DIGITS = 10
FIRST_DIGITS = 4  # a numéro fiscal begins with 0, 1, 2 or 3
LENGTH, BODY = 13, 10
# The remainder before a digit, by the remainder after it and the digit: 460 is the inverse of 10 modulo 511.
_BEFORE = (460 * (np.arange(KEY)[:, None] - np.arange(DIGITS))) % KEY


def likeliest(cells: Sequence[NDArray[np.float64]]) -> tuple[str, float, float]:
    """The likeliest number with a right key, its probability, and that of all the numbers with a right key.

    `cells` holds, for each of the thirteen digits, the probabilities of 0 to 9.
    """
    best, mass = np.zeros(KEY), np.zeros(KEY)
    best[:FIRST_DIGITS] = mass[:FIRST_DIGITS] = cells[0][:FIRST_DIGITS]
    steps = []
    for cell in cells[1:BODY]:
        ways = best[_BEFORE] * cell
        steps.append(ways.argmax(axis=1))
        best = ways.max(axis=1)
        mass = mass[_BEFORE] @ cell
    keys = (cells[10][:, None, None] * cells[11][:, None] * cells[12]).ravel()[:KEY]
    key = int((best * keys).argmax())
    body, remainder = [], key
    for step in reversed(steps):
        body.append(int(step[remainder]))
        remainder = int(_BEFORE[remainder, body[-1]])
    body.append(remainder)
    number = "".join(str(digit) for digit in reversed(body)) + f"{key:03d}"
    return number, float(best[key] * keys[key]), float(mass @ keys)

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
# The remainder before a digit, by the digit and the remainder after it: 460 is the inverse of 10 modulo 511.
_BEFORE = (460 * (np.arange(KEY) - np.arange(DIGITS)[:, None])) % KEY


def likeliest(cells: Sequence[NDArray[np.float64]]) -> tuple[str, float, float]:
    """The likeliest number with a right key, its probability, and that of all the numbers with a right key.

    `cells` holds, for each of the thirteen digits, the probabilities of 0 to 9.
    """
    best, mass = np.zeros(KEY), np.zeros(KEY)
    best[:FIRST_DIGITS] = mass[:FIRST_DIGITS] = cells[0][:FIRST_DIGITS]
    steps = []
    for cell in cells[1:BODY]:
        steps.append((best, cell))
        best = (best[_BEFORE] * cell[:, None]).max(axis=0)
        mass = cell @ mass[_BEFORE]
    keys = (cells[10][:, None, None] * cells[11][:, None] * cells[12]).ravel()[:KEY]
    key = int((best * keys).argmax())
    body, remainder = [], key
    for before, cell in reversed(steps):
        body.append(int((before[_BEFORE[:, remainder]] * cell).argmax()))
        remainder = int(_BEFORE[body[-1], remainder])
    body.append(remainder)
    number = "".join(str(digit) for digit in reversed(body)) + f"{key:03d}"
    return number, float(best[key] * keys[key]), float(mass @ keys)

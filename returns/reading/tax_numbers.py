"""Reading the thirteen cells of a numéro fiscal all at once: its last three digits are the first ten modulo 511.

Among all the numbers whose key is right, the likeliest is found and weighed exactly, by walking the ten digits through
the 511 remainders: no reading is left out, and a cell that says nothing is restored by the others.
"""

from __future__ import annotations

import math
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
    keys = (cells[10][:, None, None] * cells[11][:, None] * cells[12]).ravel()[:KEY]
    mass = np.zeros(KEY)
    mass[:FIRST_DIGITS] = cells[0][:FIRST_DIGITS]
    for cell in cells[1:BODY]:
        mass = cell @ mass[_BEFORE]
    seen = "".join(str(cell.argmax()) for cell in cells)
    if int(seen[0]) < FIRST_DIGITS and int(seen[:BODY]) % KEY == int(seen[BODY:]):  # nothing is likelier than it
        return seen, math.prod(float(cell.max()) for cell in cells), float(mass @ keys)
    return *_likeliest_with_key(cells, keys), float(mass @ keys)


def _likeliest_with_key(cells: Sequence[NDArray[np.float64]], keys: NDArray[np.float64]) -> tuple[str, float]:
    best = np.zeros(KEY)
    best[:FIRST_DIGITS] = cells[0][:FIRST_DIGITS]
    steps = []
    for cell in cells[1:BODY]:
        steps.append((best, cell))
        best = (best[_BEFORE] * cell[:, None]).max(axis=0)
    key = int((best * keys).argmax())
    body, remainder = [], key
    for before, cell in reversed(steps):
        body.append(int((before[_BEFORE[:, remainder]] * cell).argmax()))
        remainder = int(_BEFORE[body[-1], remainder])
    body.append(remainder)
    return "".join(str(digit) for digit in reversed(body)) + f"{key:03d}", float(best[key] * keys[key])

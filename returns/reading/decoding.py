"""From the probabilities of each cell to a value: what the questionnaire knows of the answer decides between readings.

Numéro fiscal: the last three of its 13 digits are the first ten modulo 511 (stdnum.fr.nif). Dates: the calendar.
Whole numbers: their bounds. Several readings of the ink are weighed, the likeliest admissible one is kept.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from campaigns.questionnaire.schema import Field, FieldType
from returns.reading.readings import Alternative, Doubt, Value
from returns.reading.tax_numbers import LENGTH, likeliest

OTHER = 10  # class of what is no digit
DIGITS_PER_CELL = 4  # readings considered of one cell
READINGS = 120  # readings considered of one field
# Of the likeliest reading of all, the share under which the admissible one that is kept is far from what was seen.
CORRECTED, UNSUPPORTED = 0.02, 0.2  # where a key tells numbers apart; where only the calendar or bounds do
SURPRISE = 1e-3  # what every digit is granted: the recogniser may be sure and wrong
OLDEST_YEAR, LATEST_YEAR = 1900, 2099
BLANK_CONFIDENCE = 0.995
GAP_FACTOR = 0.3  # an empty cell amid digits: either a digit was missed, or the writer spaced them
SPILT_FACTOR = 0.8  # a stroke was cut between two cells

Cells = Sequence[NDArray[np.float64] | None]  # per cell: 11 probabilities, or None for a blank cell


@dataclass(frozen=True, slots=True)
class Decoded:
    """The value kept, the probability that it is right, what else it may be and why it is in doubt."""

    value: Value
    confidence: float
    doubt: Doubt = Doubt.NONE
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a kind of answer admits: `value` of the digits (None: impossible), `chance` that wrong digits pass."""

    value: Callable[[str], Value]
    chance: float
    doubt: Doubt


def decode(cells: Cells, field: Field | None = None, *, spilt: bool = False) -> Decoded:
    """The value written in a comb. Without `field`, or for a field of digits, its digits as text.

    Blank cells before and after do not count: left or right alignment is the same.
    """
    written = [number for number, cell in enumerate(cells) if cell is not None]
    if not written:
        return Decoded(None, BLANK_CONFIDENCE)
    probabilities = [cell for cell in cells if cell is not None]
    gap = written[-1] - written[0] + 1 > len(written)
    factor = (GAP_FACTOR if gap and not _is_date(field) else 1.0) * (SPILT_FACTOR if spilt else 1.0)
    struck = [float(cell[OTHER]) > 0.5 for cell in probabilities]
    if field is not None and field.check == "nif" and sum(struck) <= 1:
        decoded = _tax_number(probabilities)
        return Decoded(decoded.value, decoded.confidence * factor, decoded.doubt, decoded.alternatives)
    if any(struck):
        text = "".join("?" if cell.argmax() == OTHER else str(cell.argmax()) for cell in probabilities)
        return Decoded(None, 0.0, Doubt.NOT_A_DIGIT, (Alternative(text, 0.0),))
    decoded = _decoded([np.maximum(cell, SURPRISE) for cell in probabilities], _rule(field))
    doubt = decoded.doubt or (Doubt.GAP if factor < SPILT_FACTOR else Doubt.NONE)
    return Decoded(decoded.value, decoded.confidence * factor, doubt, decoded.alternatives)


def readings_of(cells: Sequence[NDArray[np.float64]]) -> Iterator[tuple[str, float]]:
    """The digits that the cells may say, likeliest first, with the probability of each whole reading."""
    ranked = [np.argsort(-cell[:OTHER])[:DIGITS_PER_CELL] for cell in cells]
    logs = [
        [math.log(max(float(cell[digit]), 1e-9)) for digit in order] for cell, order in zip(cells, ranked, strict=True)
    ]
    start = (0,) * len(cells)
    queue = [(-sum(log[0] for log in logs), start)]
    seen = {start}
    while queue:
        cost, ranks = heapq.heappop(queue)
        yield "".join(str(order[rank]) for order, rank in zip(ranked, ranks, strict=True)), math.exp(-cost)
        for place, rank in enumerate(ranks):
            after = (*ranks[:place], rank + 1, *ranks[place + 1 :])
            if rank + 1 < DIGITS_PER_CELL and after not in seen:
                seen.add(after)
                heapq.heappush(queue, (cost + logs[place][rank] - logs[place][rank + 1], after))


def _decoded(cells: Sequence[NDArray[np.float64]], rule: _Rule) -> Decoded:
    """Weigh the readings under the rule: the share of the best among all that the rule admits."""
    first, passed, told, weighed = "", 0.0, [], 0.0
    for number, (digits, probability) in enumerate(readings_of(cells)):
        first = first or digits
        weighed += probability
        value = rule.value(digits)
        if value is not None:
            passed += probability
            told.append((value, probability))
        if number >= READINGS or weighed > 0.99999 or (told and probability < 1e-3 * told[0][1]):
            break
    if not told:
        return Decoded(None, 0.0, rule.doubt, (Alternative(first, 0.0),))
    value, best = told[0]
    total = passed + max(0.0, 1.0 - weighed) * rule.chance
    margin = 1.0 if rule.chance < 1 else min(float(np.sort(cell)[-1] - np.sort(cell)[-2]) for cell in cells)
    others = tuple(Alternative(other, probability / total) for other, probability in told[1:4])
    corrected = best < UNSUPPORTED * math.prod(float(cell[:OTHER].max()) for cell in cells)
    return Decoded(value, min(1.0, best / total) * margin * (0.5 if corrected else 1.0), alternatives=others)


def _is_date(field: Field | None) -> bool:
    return field is not None and field.type is FieldType.DATE


def _rule(field: Field | None) -> _Rule:
    if field is None:
        return _Rule(str, 1.0, Doubt.UNSURE)
    if field.type is FieldType.DATE:
        return _Rule(_calendar_date, 0.05, Doubt.NO_SUCH_DATE)
    if field.type in (FieldType.INTEGER, FieldType.MONEY):
        return _Rule(lambda digits: _within(digits, field), 1.0, Doubt.OUT_OF_RANGE)
    return _Rule(str, 1.0, Doubt.UNSURE)


def _tax_number(cells: Sequence[NDArray[np.float64]]) -> Decoded:
    """The likeliest number with a right key: what is no digit in one cell is told by the others."""
    if len(cells) != LENGTH:
        return Decoded(None, 0.0, Doubt.WRONG_KEY, (Alternative(next(readings_of(cells))[0], 0.0),))
    digits = [np.maximum(cell[:OTHER] + cell[OTHER] / OTHER, SURPRISE) for cell in cells]
    number, best, mass = likeliest(digits)
    seen = math.prod(float(cell.max()) for cell in digits)
    return Decoded(number, best / mass * (1.0 if best >= CORRECTED * seen else 0.5))


def _calendar_date(digits: str) -> Value:
    """DDMMYYYY (or DDMMYY is refused: the century is not ours to choose) as YYYY-MM-DD."""
    if len(digits) != 8:
        return None
    try:
        told = date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))
    except ValueError:
        return None
    return told.isoformat() if OLDEST_YEAR <= told.year <= LATEST_YEAR else None


def _within(digits: str, field: Field) -> Value:
    number = int(digits)
    low = field.minimum if field.minimum is not None else 0
    high = field.maximum if field.maximum is not None else number
    return number if low <= number <= high else None

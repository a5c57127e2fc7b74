"""From the probabilities of each cell to a value: what the questionnaire knows of the answer decides between readings.

Numéro fiscal: the last three of its 13 digits are the first ten modulo 511 (stdnum.fr.nif). Dates: the calendar, what
the question admits on the day of the scan, and the day before which what is known of the household expects none.
Telephones: ten digits that begin with 01 to 09. Whole numbers: their bounds. Several readings of the ink are weighed,
the likeliest admissible one is kept.
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
from campaigns.questionnaire.values import Since, problem, too_early
from returns.reading.readings import Alternative, Doubt, Ink, Value
from returns.reading.recognisers import CAPITALS
from returns.reading.tax_numbers import LENGTH, likeliest

OTHER = 10  # class of what is no digit
DIGITS_PER_CELL = 4  # readings considered of one cell
READINGS = 120  # readings considered of one field
TOLD = 3  # other readings told beside the likeliest
# Of the likeliest reading of all, the share under which the admissible one that is kept is far from what was seen.
CORRECTED, UNSUPPORTED = 0.02, 0.2  # where a key tells numbers apart; where only the calendar or bounds do
SURPRISE = 1e-3  # what every digit is granted: the recogniser may be sure and wrong
STRAY = 0.01  # of the days that people write, those that what is known of their household does not expect
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
    """What a kind of answer admits: `value` of the digits (None: impossible), `chance` that wrong digits pass.

    `strays` says which digits are no value only for what is known of the household, which may be wrong.
    """

    value: Callable[[str], Value]
    chance: float
    doubt: Doubt
    strays: Callable[[str], bool] = lambda digits: False
    free: bool = False  # admits all digits: the readings past those that are told need not be weighed one by one


def decode(
    cells: Cells,
    field: Field | None = None,
    *,
    spilt: bool = False,
    today: date | None = None,
    since: Since | None = None,
) -> Decoded:
    """The value written in a comb. Without `field`, or for a field of digits, its digits as text.

    `today` is the day of the scan: without it, any date of the calendar is admitted. No date before `since` is ever
    told: what may be one lowers the confidence of the others. Blank cells before and after do not count: left or right
    alignment is the same.
    """
    written = [number for number, cell in enumerate(cells) if cell is not None]
    if not written:
        return Decoded(None, BLANK_CONFIDENCE)
    probabilities = [cell for cell in cells if cell is not None]
    gap = written[-1] - written[0] + 1 > len(written)
    factor = (GAP_FACTOR if gap and not _is_date(field) else 1.0) * (SPILT_FACTOR if spilt else 1.0)
    struck = [float(cell[OTHER]) > 0.5 for cell in probabilities]
    if field is not None and field.check == "nif" and sum(struck) <= 1:
        return _tax_number(probabilities)  # its key tells whether a stroke was well cut
    if any(struck):
        text = "".join("?" if cell.argmax() == OTHER else str(cell.argmax()) for cell in probabilities)
        return Decoded(None, 0.0, Doubt.NOT_A_DIGIT, (Alternative(text, 0.0),))
    decoded = _decoded([np.maximum(cell, SURPRISE) for cell in probabilities], _rule(field, today, since))
    doubt = decoded.doubt or (Doubt.GAP if factor < SPILT_FACTOR else Doubt.NONE)
    return Decoded(decoded.value, decoded.confidence * factor, doubt, decoded.alternatives)


def weighed_again(ink: Ink, field: Field, *, today: date, since: Since | None) -> Decoded:
    """The value of a comb read before, now that it is known whose page it is."""
    cells = [None if cell is None else np.array(cell) for cell in ink.cells]
    return decode(cells, field, spilt=ink.spilt, today=today, since=since)


def spelled(cells: Cells, *, spilt: bool = False) -> Decoded:
    """The name written in capitals, one to a cell; an empty cell parts two words. What is no letter is left unread."""
    written = [number for number, cell in enumerate(cells) if cell is not None]
    if not written:
        return Decoded(None, BLANK_CONFIDENCE)
    text, confidence = "", SPILT_FACTOR if spilt else 1.0
    for cell in cells[written[0] : written[-1] + 1]:
        if cell is None:
            text += " "
            continue
        text += (CAPITALS.signs + "?")[cell.argmax()]
        confidence *= float(cell.max())
    name = " ".join(text.split())
    if "?" in name:
        return Decoded(None, 0.0, Doubt.HANDWRITING, (Alternative(name, 0.0),))
    return Decoded(name, confidence)


def readings_of(cells: Sequence[NDArray[np.float64]]) -> Iterator[tuple[str, float]]:
    """The digits that the cells may say, likeliest first, with the probability of each whole reading.

    Each reading is reached once: from the one whose last altered cell had the digit before it.
    """
    told = [cell[:OTHER].tolist() for cell in cells]
    ranked = [sorted(range(OTHER), key=cell.__getitem__, reverse=True)[:DIGITS_PER_CELL] for cell in told]
    costs = [[-math.log(max(cell[digit], 1e-9)) for digit in order] for cell, order in zip(told, ranked, strict=True)]
    queue = [(sum(cost[0] for cost in costs), (0,) * len(told), 0)]
    while queue:
        cost, ranks, altered = heapq.heappop(queue)
        yield "".join([str(order[rank]) for order, rank in zip(ranked, ranks, strict=True)]), math.exp(-cost)
        for place in range(altered, len(ranks)):
            rank = ranks[place] + 1
            if rank < DIGITS_PER_CELL:
                after = (*ranks[:place], rank, *ranks[place + 1 :])
                heapq.heappush(queue, (cost + costs[place][rank] - costs[place][rank - 1], after, place))


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
        elif rule.strays(digits):
            passed += STRAY * probability
        if rule.free and len(told) > TOLD:
            break
        if number >= READINGS or weighed > 0.99999 or (told and probability < 1e-3 * told[0][1]):
            break
    if not told:
        return Decoded(None, 0.0, Doubt.TOO_EARLY if rule.strays(first) else rule.doubt, (Alternative(first, 0.0),))
    value, best = told[0]
    total = passed + max(0.0, 1.0 - weighed) * rule.chance
    table = np.array(cells)
    ranked = np.partition(table, -2, axis=1)
    margin = 1.0 if rule.chance < 1 else float((ranked[:, -1] - ranked[:, -2]).min())
    others = tuple(Alternative(other, probability / total) for other, probability in told[1 : TOLD + 1])
    corrected = best < UNSUPPORTED * math.prod(table[:, :OTHER].max(axis=1).tolist())
    return Decoded(value, min(1.0, best / total) * margin * (0.5 if corrected else 1.0), alternatives=others)


def _is_date(field: Field | None) -> bool:
    return field is not None and field.type is FieldType.DATE


def _rule(field: Field | None, today: date | None, since: Since | None) -> _Rule:
    if field is None:
        return _Rule(str, 1.0, Doubt.UNSURE, free=True)
    if field.type is FieldType.DATE:
        return _date_rule(field, today, since)
    if field.type is FieldType.PHONE:
        return _Rule(_french_phone, 0.09, Doubt.NO_SUCH_PHONE)
    if field.type in (FieldType.INTEGER, FieldType.MONEY):
        free = not field.minimum and field.maximum is None
        return _Rule(lambda digits: _within(digits, field), 1.0, Doubt.OUT_OF_RANGE, free=free)
    return _Rule(str, 1.0, Doubt.UNSURE, free=True)


def _date_rule(field: Field, today: date | None, since: Since | None) -> _Rule:
    def expected(digits: str) -> Value:
        day = _calendar_date(digits, field, today)
        return None if too_early(day, since) else day

    def strays(digits: str) -> bool:
        return since is not None and too_early(_calendar_date(digits, field, today), since) is not None

    return _Rule(expected, 0.05, Doubt.NO_SUCH_DATE, strays)


def _tax_number(cells: Sequence[NDArray[np.float64]]) -> Decoded:
    """The likeliest number with a right key: what is no digit in one cell is told by the others."""
    if len(cells) != LENGTH:
        return Decoded(None, 0.0, Doubt.WRONG_KEY, (Alternative(next(readings_of(cells))[0], 0.0),))
    digits = [np.maximum(cell[:OTHER] + cell[OTHER] / OTHER, SURPRISE) for cell in cells]
    number, best, mass = likeliest(digits)
    seen = math.prod(float(cell.max()) for cell in digits)
    return Decoded(number, best / mass * (1.0 if best >= CORRECTED * seen else 0.5))


def _calendar_date(digits: str, field: Field, today: date | None) -> Value:
    """DDMMYYYY as YYYY-MM-DD where the question admits that day. In DDMMYY, the century is not ours to choose."""
    if len(digits) != 8:
        return None
    try:
        told = date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))
    except ValueError:
        return None
    if not OLDEST_YEAR <= told.year <= LATEST_YEAR:
        return None
    day = told.isoformat()
    return day if today is None or problem(field, day, today) is None else None


def _french_phone(digits: str) -> Value:
    """Ten digits that begin with 01 to 09: no foreign number fits in ten cells."""
    return digits if len(digits) == 10 and digits[0] == "0" != digits[1] else None


def _within(digits: str, field: Field) -> Value:
    number = int(digits)
    low = field.minimum if field.minimum is not None else 0
    high = field.maximum if field.maximum is not None else number
    return number if low <= number <= high else None

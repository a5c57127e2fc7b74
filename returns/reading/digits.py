"""Digits in combs: a small network reads each glyph, then what is known of the question decides between its doubts.

The network is trained by scripts/train_digits.py; its card (weights/digits.json) says on what, and its measures.
"""

from __future__ import annotations

import calendar
import heapq
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from campaigns.questionnaire.schema import Field, FieldType
from returns.reading.combs import Comb, glyphs_of
from returns.reading.pixels import Grey

WEIGHTS = Path(__file__).parent / "weights"
NOTHING = -1  # a cell without a glyph
BEAM = 400  # sequences kept while looking for one whose key is right
SPILT = 0.6  # what a stroke cut between two cells leaves of the confidence
KEY = 511  # numéro fiscal: the last three digits are the first ten modulo 511 (READING §0.6)
YEARS = range(1900, 2100)

Chances = NDArray[np.float64]  # cells x 10, each row sums to 1; a row of zeros is a cell without a glyph


@dataclass(frozen=True, slots=True)
class Number:
    """What a comb says: digits from the left, blank cells left out; '' with confidence 0 when it can't be told."""

    text: str
    confidence: float


@cache
def _network() -> tuple[onnxruntime.InferenceSession, float]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(WEIGHTS / "digits.onnx"), options, providers=["CPUExecutionProvider"])
    card = json.loads((WEIGHTS / "digits.json").read_text(encoding="utf-8"))
    return session, float(card["temperature"])


def recognise(glyphs: Sequence[Grey]) -> Chances:
    """The calibrated chances of each digit for each glyph (n x 10)."""
    if not glyphs:
        return np.zeros((0, 10))
    session, temperature = _network()
    batch = np.stack(glyphs)[:, None].astype(np.float32) / 255.0
    [scores] = session.run(None, {"glyphs": batch})
    shares = np.asarray(scores, dtype=np.float64) / temperature
    shares = np.exp(shares - shares.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def chances_of(combs: Sequence[Comb]) -> list[Chances]:
    """The chances of each cell of each comb, recognised in one go."""
    told = recognise(list(glyphs_of(list(combs))))
    taken, out = 0, []
    for comb in combs:
        rows = np.zeros((len(comb.glyphs), 10))
        for cell, glyph in enumerate(comb.glyphs):
            if glyph is not None:
                rows[cell] = told[taken]
                taken += 1
        out.append(rows)
    return out


def decode(field: Field, chances: Chances, *, spilt: bool = False) -> Number:
    """The number written in a comb for that question. `chances` has one row a cell."""
    written = chances.sum(axis=1) > 0
    cells = np.flatnonzero(written)
    if not len(cells):
        return Number("", 0.0)
    first, last = int(cells[0]), int(cells[-1])
    if not written[first : last + 1].all():
        return Number("", 0.0)  # a hole in the middle: a cell was missed, or struck out
    number = _decoder(field)(chances[first : last + 1])
    if len(number.text) not in _lengths(field, len(chances)):
        return Number(number.text, 0.0)
    return Number(number.text, number.confidence * SPILT) if spilt else number


def as_value(field: Field, text: str) -> Any:
    """The canonical value of the digits of a comb; None when they make none."""
    if not text:
        return None
    if field.type is FieldType.DATE:
        return f"{text[4:8]}-{text[2:4]}-{text[:2]}" if _is_day(text) else None
    if field.type in {FieldType.MONEY, FieldType.INTEGER}:
        return int(text)
    return text


def _decoder(field: Field) -> Callable[[Chances], Number]:
    if field.check == "nif":
        return with_key
    return as_day if field.type is FieldType.DATE else cell_by_cell


def _lengths(field: Field, cells: int) -> range:
    if field.type is FieldType.DATE:
        return range(8, 9)
    if field.type is FieldType.PHONE:
        return range(10, 11)
    if field.type is FieldType.DIGITS:
        return range(cells, cells + 1)
    return range(1, cells + 1)


def cell_by_cell(chances: Chances) -> Number:
    """The likeliest digit of each cell; as sure as the least sure cell."""
    best = chances.argmax(axis=1)
    return Number("".join(map(str, best)), float(chances.max(axis=1).min()))


def as_day(chances: Chances) -> Number:
    """The likeliest day of the calendar, DDMMYYYY. A month or a day that does not exist is not an answer."""
    if len(chances) != 8:
        return cell_by_cell(chances)
    logs = np.log(np.maximum(chances, 1e-9))
    days = {day: logs[0, day // 10] + logs[1, day % 10] for day in range(1, 32)}
    months = {month: logs[2, month // 10] + logs[3, month % 10] for month in range(1, 13)}
    years = {y: sum(logs[4 + place, int(digit)] for place, digit in enumerate(str(y))) for y in YEARS}
    year = max(years, key=years.__getitem__)
    best = max(
        ((day, month) for day in days for month in months if day <= calendar.monthrange(year, month)[1]),
        key=lambda told: days[told[0]] + months[told[1]],
    )
    text = f"{best[0]:02d}{best[1]:02d}{year:04d}"
    return Number(text, _sureness(chances, text))


def with_key(chances: Chances) -> Number:
    """The likeliest thirteen digits whose key is right, if they are likely enough against the next ones."""
    if len(chances) != 13:
        return cell_by_cell(chances)
    logs = np.log(np.maximum(chances, 1e-9))
    beam: list[tuple[float, str]] = [(0.0, "")]
    for cell in range(13):
        likely = np.argsort(logs[cell])[::-1][:4]
        grown = [(score + float(logs[cell, digit]), text + str(digit)) for score, text in beam for digit in likely]
        beam = heapq.nlargest(BEAM, grown)
    right = [(score, text) for score, text in beam if int(text[:10]) % KEY == int(text[10:])]
    if not right:
        return Number(cell_by_cell(chances).text, 0.0)
    weights = [math.exp(score - right[0][0]) for score, _ in right]
    return Number(right[0][1], _sureness(chances, right[0][1]) * weights[0] / sum(weights))


def _sureness(chances: Chances, text: str) -> float:
    """How sure a text chosen by rule is: its least likely digit, against the likeliest of the same cell."""
    cells = np.arange(len(text))
    told = chances[cells, [int(digit) for digit in text]]
    return float((told / chances.max(axis=1)).min() * max(float(told.min()), 0.5))


def _is_day(text: str) -> bool:
    if len(text) != 8:
        return False
    day, month, year = int(text[:2]), int(text[2:4]), int(text[4:])
    return 1 <= month <= 12 and year >= 1 and 1 <= day <= calendar.monthrange(year, month)[1]

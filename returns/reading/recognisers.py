"""The recognisers of single characters: small networks of our own (scripts/train_recogniser.py) in onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from returns.reading.pixels import Grey

WEIGHTS = Path(__file__).parent / "weights"
BATCH = 16  # glyphs a call: measured fastest
SURE = 0.995  # under it, a glyph is read again a little turned and shifted, and the readings averaged
SHIFTS = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters that a recogniser tells apart; the class after the last is for what is none of them."""

    name: str
    signs: str

    @property
    def classes(self) -> int:
        """How many classes its recogniser tells apart."""
        return len(self.signs) + 1


DIGITS = Alphabet("digits", "0123456789")
CAPITALS = Alphabet("capitals", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")  # an accented capital is its letter
ALPHABETS: Mapping[str, Alphabet] = MappingProxyType({each.name: each for each in (DIGITS, CAPITALS)})


def recognise(glyphs: Sequence[Grey], alphabet: Alphabet = DIGITS) -> NDArray[np.float64]:
    """The calibrated probabilities (n x classes) of 28 x 28 glyphs (ink 255); the last class is none of its signs."""
    if not glyphs:
        return np.zeros((0, alphabet.classes))
    images = np.stack(glyphs)[:, None].astype(np.float32)
    images /= np.maximum(images.max(axis=(1, 2, 3), keepdims=True), 1.0)
    told = _run(images, alphabet)
    unsure = np.flatnonzero(told.max(axis=1) < SURE)
    if len(unsure):
        seen = [told[unsure]] + [_run(np.roll(images[unsure], shift, axis=(2, 3)), alphabet) for shift in SHIFTS]
        told[unsure] = np.mean(seen, axis=0)
    return told


def _run(images: NDArray[np.float32], alphabet: Alphabet) -> NDArray[np.float64]:
    session = _session(alphabet)
    parts = [session.run(None, {"image": images[at : at + BATCH]})[0] for at in range(0, len(images), BATCH)]
    return np.concatenate(parts).astype(np.float64)


@cache
def _session(alphabet: Alphabet) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    weights = WEIGHTS / f"{alphabet.name}.onnx"
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])

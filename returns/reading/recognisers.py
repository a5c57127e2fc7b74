"""The recognisers of single characters: small networks of our own (scripts/train_recogniser.py) in onnxruntime.

A digit that the first network doubts is read again by a larger one, which was taught apart, and the two are averaged:
few digits are, so that a page costs little more than with the first alone. A digit of an answer that nothing but its
ink vouches for is read closely: doubted much sooner, and then read again by a third network, larger still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from returns.reading.pixels import Grey

WEIGHTS = Path(__file__).parent / "weights"
BATCH = 16  # glyphs a call: measured fastest
DOUBTED = 0.995  # under it, a glyph is read again by the second network, where there is one
CLOSELY_DOUBTED = 0.9997  # the same for a glyph read closely, by the third network
UNSURE = 0.97  # under it, a glyph is also read a little shifted, and the readings averaged
SHIFTS = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters that a recogniser tells apart; the class after the last is for what is none of them.

    `name`, `second` and `third` (if any) name the files of its networks. `rarer`: how much rarer that last class is on
    paper than among the glyphs learnt.
    """

    name: str
    signs: str
    second: str = ""
    third: str = ""
    rarer: float = 1.0

    @property
    def classes(self) -> int:
        """How many classes its recogniser tells apart."""
        return len(self.signs) + 1


DIGITS = Alphabet("digits", "0123456789", second="digits-second", third="digits-third", rarer=0.1)
CAPITALS = Alphabet("capitals", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")  # an accented capital is its letter


def recognise(
    glyphs: Sequence[Grey], alphabet: Alphabet = DIGITS, *, closely: Sequence[bool] = ()
) -> NDArray[np.float64]:
    """The calibrated probabilities (n x classes) of 28 x 28 glyphs (ink 255); the last class is none of its signs.

    `closely` (none, or one for each glyph): those of answers that nothing but their ink vouches for.
    """
    if not glyphs:
        return np.zeros((0, alphabet.classes))
    images = np.stack(glyphs)[:, None].astype(np.float32)
    images /= np.maximum(images.max(axis=(1, 2, 3), keepdims=True), 1.0)
    told = _run(images, alphabet.name, alphabet.rarer)
    close = np.array(closely or [False] * len(glyphs))
    sure = told.max(axis=1)
    for network, doubted in (
        (alphabet.second, ~close & (sure < DOUBTED)),
        (alphabet.third, close & (sure < CLOSELY_DOUBTED)),
    ):
        if network and doubted.any():
            told[doubted] = (told[doubted] + _run(images[doubted], network, alphabet.rarer)) / 2
    unsure = np.flatnonzero(told.max(axis=1) < UNSURE)
    if len(unsure):
        network = alphabet.second or alphabet.name
        shifted = (np.roll(images[unsure], shift, axis=(2, 3)) for shift in SHIFTS)
        told[unsure] = np.mean([told[unsure], *(_run(each, network, alphabet.rarer) for each in shifted)], axis=0)
    return told


def _run(images: NDArray[np.float32], network: str, rarer: float) -> NDArray[np.float64]:
    session = _session(network)
    parts = [session.run(None, {"image": images[at : at + BATCH]})[0] for at in range(0, len(images), BATCH)]
    told = np.concatenate(parts).astype(np.float64)
    told[:, -1] *= rarer
    return np.asarray(told / told.sum(axis=1, keepdims=True))


@cache
def _session(network: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(WEIGHTS / f"{network}.onnx"), options, providers=["CPUExecutionProvider"])

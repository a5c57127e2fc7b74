"""The digit recogniser: a small network of our own (scripts/train_digits.py), run by onnxruntime on one thread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from returns.reading.pixels import Grey

WEIGHTS = Path(__file__).parent / "weights" / "digits.onnx"
CLASSES = 11  # the ten digits, then "no digit"
BATCH = 16  # glyphs a call: measured fastest
SURE = 0.995  # under it, a glyph is read again a little turned and shifted, and the readings averaged
SHIFTS = ((1, 0), (-1, 0), (0, 1), (0, -1))


def recognise(glyphs: Sequence[Grey]) -> NDArray[np.float64]:
    """The calibrated probabilities (n x CLASSES) of 28 x 28 glyphs (ink 255), class 10 meaning no digit."""
    if not glyphs:
        return np.zeros((0, CLASSES))
    images = np.stack(glyphs)[:, None].astype(np.float32)
    images /= np.maximum(images.max(axis=(1, 2, 3), keepdims=True), 1.0)
    told = _run(images)
    unsure = np.flatnonzero(told.max(axis=1) < SURE)
    if len(unsure):
        seen = [told[unsure]] + [_run(np.roll(images[unsure], shift, axis=(2, 3))) for shift in SHIFTS]
        told[unsure] = np.mean(seen, axis=0)
    return told


def _run(images: NDArray[np.float32]) -> NDArray[np.float64]:
    parts = [_session().run(None, {"image": images[at : at + BATCH]})[0] for at in range(0, len(images), BATCH)]
    return np.concatenate(parts).astype(np.float64)


@cache
def _session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(WEIGHTS), options, providers=["CPUExecutionProvider"])

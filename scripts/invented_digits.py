"""Digits as European hands shape them, drawn from a few invented strokes each: for training only.

A digit is one of several shapes; a shape is a list of strokes; a stroke is a list of points of a unit square (x to the
right, y down), joined by a smooth curve, a point given twice making a corner. Every drawing moves the points a little.
"""

from __future__ import annotations

import random

import cv2
import numpy as np

SIZE = 56
UNSTEADY = 0.045  # of the square's side, by which points move

_BOWL = [(0.45, 0.46), (0.9, 0.7), (0.5, 1.0), (0.05, 0.88)]
_NINE = [(0.85, 0.2), (0.45, 0.0), (0.12, 0.28), (0.45, 0.52), (0.85, 0.25), (0.85, 0.25)]
_FIVE = [(0.2, 0.0), (0.2, 0.0), (0.15, 0.42), (0.15, 0.42), (0.5, 0.36), (0.88, 0.65), (0.55, 1.0), (0.05, 0.92)]
_TWO = [(0.1, 0.25), (0.35, 0.0), (0.75, 0.06), (0.8, 0.35), (0.45, 0.7)]
_SEVEN = [(0.05, 0.03), (0.9, 0.03), (0.9, 0.03), (0.6, 0.45), (0.35, 1.0)]

SHAPES = {
    0: [
        [[(0.5, 0.0), (0.1, 0.3), (0.1, 0.7), (0.5, 1.0), (0.9, 0.7), (0.9, 0.3), (0.5, 0.0), (0.35, 0.05)]],
        [[(0.6, 0.05), (0.15, 0.25), (0.1, 0.7), (0.5, 1.0), (0.9, 0.65), (0.8, 0.2), (0.55, 0.1), (0.75, 0.0)]],
    ],
    1: [
        [[(0.5, 0.0), (0.5, 1.0)]],
        [[(0.15, 0.35), (0.6, 0.0), (0.6, 0.0), (0.6, 1.0)]],
        [[(0.05, 0.5), (0.6, 0.0), (0.6, 0.0), (0.55, 1.0)]],
        [[(0.25, 0.2), (0.55, 0.0), (0.55, 0.0), (0.55, 1.0)], [(0.2, 1.0), (0.85, 1.0)]],
    ],
    2: [
        [[*_TWO, (0.05, 1.0), (0.05, 1.0), (0.9, 1.0)]],
        [[*_TWO, (0.1, 0.95), (0.2, 0.8), (0.45, 0.95), (0.95, 0.95)]],
        [[(0.1, 0.1), (0.85, 0.03), (0.85, 0.03), (0.1, 1.0), (0.1, 1.0), (0.9, 1.0)]],
    ],
    3: [
        [[(0.1, 0.12), (0.5, 0.0), (0.85, 0.2), (0.45, 0.46), *_BOWL]],
        [[(0.1, 0.0), (0.85, 0.0), (0.85, 0.0), (0.4, 0.4), *_BOWL]],
    ],
    4: [
        [[(0.35, 0.0), (0.05, 0.6), (0.05, 0.6), (0.95, 0.6)], [(0.7, 0.3), (0.65, 1.0)]],
        [[(0.65, 0.0), (0.05, 0.65), (0.05, 0.65), (0.95, 0.62)], [(0.65, 0.02), (0.65, 1.0)]],
        [[(0.15, 0.0), (0.1, 0.5), (0.1, 0.5), (0.85, 0.5)], [(0.8, 0.0), (0.75, 1.0)]],
    ],
    5: [
        [_FIVE, [(0.2, 0.0), (0.85, 0.0)]],
        [_FIVE, [(0.3, 0.0), (0.95, -0.03)]],
        [[(0.85, 0.0), (0.25, 0.02), (0.15, 0.4), (0.6, 0.42), (0.85, 0.7), (0.5, 1.0), (0.05, 0.95)]],
    ],
    6: [
        [[(0.75, 0.0), (0.25, 0.35), (0.08, 0.75), (0.45, 1.0), (0.88, 0.75), (0.5, 0.52), (0.15, 0.7)]],
        [[(0.45, 0.0), (0.15, 0.5), (0.2, 0.9), (0.55, 1.0), (0.85, 0.78), (0.6, 0.58), (0.2, 0.8)]],
    ],
    7: [
        [_SEVEN],
        [_SEVEN, [(0.25, 0.5), (0.85, 0.48)]],
        [[(0.08, 0.2), *_SEVEN], [(0.25, 0.5), (0.85, 0.5)]],
        [[(0.05, 0.1), (0.4, 0.02), (0.9, 0.05), (0.9, 0.05), (0.5, 0.5), (0.4, 1.0)], [(0.2, 0.55), (0.8, 0.5)]],
    ],
    8: [
        [
            [
                (0.8, 0.15),
                (0.45, 0.0),
                (0.15, 0.22),
                (0.5, 0.47),
                (0.88, 0.75),
                (0.5, 1.0),
                (0.1, 0.75),
                (0.5, 0.47),
                (0.85, 0.2),
                (0.75, 0.08),
            ]
        ],
        [
            [(0.5, 0.0), (0.2, 0.2), (0.5, 0.45), (0.8, 0.2), (0.5, 0.0), (0.4, 0.03)],
            [(0.5, 0.45), (0.1, 0.72), (0.5, 1.0), (0.9, 0.72), (0.5, 0.45), (0.4, 0.47)],
        ],
    ],
    9: [
        [[*_NINE, (0.82, 0.6), (0.8, 1.0)]],
        [[*_NINE, (0.8, 0.75), (0.5, 1.0), (0.1, 0.92)]],
        [[*_NINE, (0.7, 0.7), (0.45, 1.0)]],
    ],
}


def invented(digit: int, chance: random.Random) -> np.ndarray:
    """One drawing of the digit: SIZE x SIZE, ink 255."""
    wide, thick = chance.uniform(0.5, 0.95) * 40, chance.choice([3, 4, 5])
    image = np.zeros((SIZE, SIZE), np.uint8)
    for stroke in chance.choice(SHAPES[digit]):
        moved = {(x, y): (x + chance.gauss(0, UNSTEADY), y + chance.gauss(0, UNSTEADY)) for x, y in stroke}
        curve = _curve([moved[point] for point in stroke]) * np.array([wide, 40]) + np.array([(SIZE - wide) / 2, 8])
        at = np.round(curve * 16).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(image, [at], False, (255,), thick, cv2.LINE_AA, shift=4)
    return image


def _curve(points: list[tuple[float, float]]) -> np.ndarray:
    """A Catmull-Rom curve through the points; a point given twice is a corner."""
    at = np.array([points[0], *points, points[-1]])
    steps = np.linspace(0, 1, 8)[:, None]
    parts = []
    for a, b, c, d in zip(at, at[1:], at[2:], at[3:], strict=False):
        if not np.array_equal(b, c):
            bend = (2 * a - 5 * b + 4 * c - d) * steps**2 + (3 * (b - c) + d - a) * steps**3
            parts.append(0.5 * (2 * b + (c - a) * steps + bend))
    return np.concatenate(parts)

"""What happens to a sheet between the household and the scanner, each with its truth: where every point went.

A `Worn` sheet knows by `to_pixels` where each millimetre of the form lies on its image, so that a registration can be
held against it. All chance comes from the generator given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from campaigns.paper_form.zones import FormLayout
from returns.reading.registration import Registration
from returns.rehearsal.scanner import noise_over
from tests.returns.reading import filled

PER_MM = 200 / 25.4
PAPER = 250
LIGHT_GRAIN = 16  # pixels: light changes slowly
Points = np.ndarray
Sheet = np.ndarray
Chance = np.random.Generator


@dataclass(frozen=True)
class Worn:
    """A sheet as scanned; `fold` moves millimetres on the paper, `matrix` sends millimetres to pixels."""

    grey: Sheet
    matrix: np.ndarray
    fold: Callable[[Points], Points] = lambda points: points

    def to_pixels(self, points: Points) -> Points:
        """Where points of the form, in millimetres, are on the image."""
        sent = np.column_stack([self.fold(points), np.ones(len(points))]) @ self.matrix.T
        return np.asarray(sent[:, :2] / sent[:, 2:])


def as_printed(page: int, written: Sheet | None = None) -> Worn:
    """A sheet fresh from the printer, at 200 dpi; or `written`, the same page once filled in."""
    sheet = filled.printed()[page - 1] if written is None else written
    return Worn(sheet.copy(), np.array([[PER_MM, 0, -0.5], [0, PER_MM, -0.5], [0, 0, 1.0]]))


def farthest(registration: Registration, worn: Worn, layout: FormLayout) -> float:
    """The largest distance, in mm, between where the registration puts the middle of a zone and where it is."""
    zones = list(layout.on_page(registration.code.page))
    middles = np.array([[zone.box.x + zone.box.w / 2, zone.box.y + zone.box.h / 2] for zone in zones])
    if not len(middles):
        middles = np.array([[20.0, 40.0], [190.0, 40.0], [190.0, 275.0], [20.0, 275.0], [105.0, 148.0]])
    away = np.linalg.norm(registration.to_pixels(middles) - worn.to_pixels(middles), axis=1)
    return float(away.max()) / registration.pixels_per_mm


# ── The geometry of a scan ───────────────────────────────────────────────────────────────────────────────────────────


def moved(worn: Worn, move: np.ndarray, size: tuple[int, int], *, around: int = PAPER) -> Worn:
    """The sheet sent by `move` (pixels to pixels) into an image of `size` (width, height)."""
    grey = cv2.warpPerspective(worn.grey, move, size, flags=cv2.INTER_AREA, borderValue=(around,))
    return Worn(np.asarray(grey, dtype=np.uint8), move @ worn.matrix, worn.fold)


def laid(
    worn: Worn, *, angle: float = 0, scale: float = 1, shear: float = 0, shift: tuple[float, float] = (0, 0)
) -> Worn:
    """Turned by degrees, enlarged, leaning and shifted by millimetres, in an image large enough to hold it."""
    height, width = worn.grey.shape
    margin = 20 * PER_MM
    turned = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0), [0, 0, 1]])
    leaning = np.array([[1, shear, shift[0] * PER_MM + margin], [0, 1, shift[1] * PER_MM + margin], [0, 0, 1]])
    size = round((width + 2 * margin) * scale), round((height + 2 * margin) * scale)
    return moved(worn, np.diag([scale, scale, 1.0]) @ leaning @ turned, size)


def skewed(worn: Worn, chance: Chance) -> Worn:
    """Fed askew by up to five degrees, a little leaning and stretched."""
    told = {"angle": chance.uniform(-5, 5), "scale": chance.uniform(0.75, 1.5), "shear": chance.uniform(-0.01, 0.01)}
    return laid(worn, **told, shift=(chance.uniform(-3, 3), chance.uniform(-3, 3)))


def turned(worn: Worn, chance: Chance) -> Worn:
    """Fed by its foot or sideways."""
    height, width = worn.grey.shape
    quarters = int(chance.integers(1, 4))
    grey, move = worn.grey, np.eye(3)
    for _ in range(quarters):
        move = np.array([[0, -1, height - 1], [1, 0, 0], [0, 0, 1.0]]) @ move
        grey, height, width = np.rot90(grey, -1), width, height
    return Worn(np.ascontiguousarray(grey), move @ worn.matrix, worn.fold)


def photographed(worn: Worn, chance: Chance) -> Worn:
    """Taken by a phone on a table: perspective, uneven light, the shadow of a hand, blur."""
    height, width = worn.grey.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    room = 0.12 * width
    lean = chance.uniform(-0.06, 0.06, (4, 2)) * [width, height]
    seen = (corners + lean + room).astype(np.float32)
    turn = np.vstack(
        [cv2.getRotationMatrix2D((width / 2 + room, height / 2 + room), chance.uniform(-8, 8), 0.95), [0, 0, 1]]
    )
    size = round(width + 2 * room), round(height + 2 * room)
    taken = moved(worn, turn @ cv2.getPerspectiveTransform(corners, seen), size, around=95)
    return dimmed(Worn(_soft(taken.grey, 1.0), taken.matrix, taken.fold), chance)


def folded(worn: Worn, chance: Chance) -> Worn:
    """Folded in three for its envelope: two creases, the thirds between them a little shorter than flat ones."""
    creases = np.sort(np.array([99.0, 198.0]) + chance.uniform(-4, 4, 2))
    lifts = chance.uniform(0.0, 0.5, 3)  # mm lost by each third, which does not lie flat

    def fold(points: Points) -> Points:
        edges = np.array([0.0, *creases, 297.0])
        kept = np.concatenate([[0.0], np.cumsum(np.diff(edges) - lifts)])
        return np.column_stack([points[:, 0], np.interp(points[:, 1], edges, kept)])

    height, width = worn.grey.shape
    y = np.arange(height) / PER_MM
    edges = np.array([0.0, *creases, 297.0])
    kept = np.concatenate([[0.0], np.cumsum(np.diff(edges) - lifts)])
    source = np.interp(y, kept, edges) * PER_MM
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), source.astype(np.float32))
    grey = cv2.remap(worn.grey, across, down - np.float32(0.5), cv2.INTER_LINEAR, borderValue=(PAPER,))
    for crease in np.interp(creases, edges, kept):
        at = round(crease * PER_MM)
        rows = slice(max(0, at - 20), at + 21)
        shade = 1 - chance.uniform(0.15, 0.5) * np.exp(-(((np.arange(height)[rows] - at) / 5.0) ** 2))
        grey[rows] = (grey[rows] * shade[:, None]).clip(0, 255).astype(np.uint8)
    return Worn(np.asarray(grey, dtype=np.uint8), worn.matrix, fold)


# ── What covers or dirties it ────────────────────────────────────────────────────────────────────────────────────────


def streaked(worn: Worn, chance: Chance) -> Worn:
    """Dust on the glass: dark or light lines along the feed."""
    grey = worn.grey.copy()
    for _ in range(int(chance.integers(1, 5))):
        x, wide = int(chance.integers(0, grey.shape[1] - 6)), int(chance.integers(1, 5))
        grey[:, x : x + wide] = chance.choice([30, 120, 255])
    return Worn(grey, worn.matrix, worn.fold)


def punched(worn: Worn, chance: Chance) -> Worn:
    """Two or four holes of a binder in the left margin, black where the lid shows through."""
    grey = worn.grey.copy()
    shade = int(chance.choice([0, 40, 255]))
    spots: list[float] = [148 - 40, 148 + 40] if chance.random() < 0.5 else [28.5, 108.5, 188.5, 268.5]
    for y in spots:
        at = round(12 * PER_MM), round((y + chance.uniform(-2, 2)) * PER_MM)
        cv2.circle(grey, at, round(2.9 * PER_MM), shade, -1, cv2.LINE_AA)
    return Worn(grey, worn.matrix, worn.fold)


def stapled(worn: Worn, chance: Chance) -> Worn:
    """A staple and its shadow, or the dog-ear it left, in a corner."""
    grey = worn.grey.copy()
    x, y = chance.uniform(6, 30, 2) * PER_MM
    turn = chance.uniform(0, np.pi)
    end = round(x + 11 * PER_MM * np.cos(turn)), round(y + 11 * PER_MM * np.sin(turn))
    cv2.line(grey, (round(x) + 4, round(y) + 5), (end[0] + 4, end[1] + 5), 150, 9, cv2.LINE_AA)
    cv2.line(grey, (round(x), round(y)), end, 40, 5, cv2.LINE_AA)
    if chance.random() < 0.5:
        side = round(chance.uniform(8, 18) * PER_MM)
        cv2.fillPoly(grey, [np.array([[0, 0], [side, 0], [0, side]])], int(chance.choice([90, 200])))
    return Worn(grey, worn.matrix, worn.fold)


def without_a_mark(worn: Worn, chance: Chance) -> Worn:
    """One corner torn off: its mark is gone."""
    grey = worn.grey.copy()
    layout = filled.layout()
    mark = layout.marks[int(chance.integers(0, 4))]
    left, top, right, bottom = (
        round(side * PER_MM) for side in (mark.x - 1, mark.y - 1, mark.right + 1, mark.bottom + 1)
    )
    grey[top:bottom, left:right] = 255
    return Worn(grey, worn.matrix, worn.fold)


def stained(worn: Worn, chance: Chance) -> Worn:
    """A ring of coffee and black squares that are no marks."""
    grey = worn.grey.copy()
    height, width = grey.shape
    at = int(chance.integers(200, width - 200)), int(chance.integers(200, height - 200))
    ring = np.zeros_like(grey)
    cv2.circle(ring, at, round(38 * PER_MM), 90, round(2.5 * PER_MM), cv2.LINE_AA)
    grey = cv2.subtract(grey, ring)
    for _ in range(2):
        x, y = int(chance.integers(60, width - 120)), int(chance.choice([40, height - 90]))
        grey[y : y + 40, x : x + 40] = 20
    return Worn(np.asarray(grey), worn.matrix, worn.fold)


def dimmed(worn: Worn, chance: Chance) -> Worn:
    """Uneven light: one side darker, and the shadow of a hand."""
    height, width = worn.grey.shape
    across, down = (np.linspace(-1, 1, side // LIGHT_GRAIN, dtype=np.float32) for side in (width, height))
    x, y = np.meshgrid(across, down)
    turn = chance.uniform(0, 2 * np.pi)
    light = 0.82 + 0.16 * (x * np.cos(turn) + y * np.sin(turn))
    hand = chance.uniform(-0.8, 0.8, 2)
    light = light - 0.18 * np.exp(-((x - hand[0]) ** 2 + (y - hand[1]) ** 2) / 0.15)
    share = np.asarray(light * 255).clip(0, 255).astype(np.uint8)
    spread = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
    return Worn(np.asarray(cv2.multiply(worn.grey, spread, scale=1 / 255)), worn.matrix, worn.fold)


def noisy(worn: Worn, chance: Chance) -> Worn:
    """Blur, noise and a strong JPEG compression."""
    grey = _soft(worn.grey, float(chance.uniform(0.4, 1.2)))
    grey = np.asarray(cv2.add(grey, noise_over(chance, 9, grey.shape), dtype=cv2.CV_8U))
    _, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 45])
    return Worn(np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)), worn.matrix, worn.fold)


def black_and_white(worn: Worn, chance: Chance) -> Worn:
    """One bit a pixel, by a threshold that the scanner chose badly."""
    grey = _soft(worn.grey, 0.6)
    _, told = cv2.threshold(grey, round(chance.uniform(120, 200)), 255, cv2.THRESH_BINARY)
    return Worn(np.asarray(told, dtype=np.uint8), worn.matrix, worn.fold)


def faint(worn: Worn, chance: Chance) -> Worn:
    """Toner running out: black is a light grey."""
    ink = chance.uniform(90, 150)
    paler = (255 - (255 - np.arange(256)) * (255 - ink) / 255).astype(np.uint8)
    return Worn(np.asarray(cv2.LUT(worn.grey, paler)), worn.matrix, worn.fold)


def coarse(worn: Worn, chance: Chance) -> Worn:
    """Scanned at about 100 to 150 dpi."""
    scale = chance.uniform(0.5, 0.75)
    size = round(worn.grey.shape[1] * scale), round(worn.grey.shape[0] * scale)
    return moved(worn, np.diag([scale, scale, 1.0]), size)


def _soft(grey: Sheet, sigma: float) -> Sheet:
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma), dtype=np.uint8)


@cache
def degradations() -> dict[str, Callable[[Worn, Chance], Worn]]:
    """Each by its name."""
    each = (
        skewed, turned, photographed, folded, streaked, punched, stapled, without_a_mark, stained, dimmed, noisy,
        black_and_white, faint, coarse,
    )  # fmt: skip
    return {way.__name__: way for way in each}


# What happens to the paper, then what the scanner does of it.
TO_THE_PAPER = ("folded", "punched", "stapled", "stained", "without_a_mark", "faint")
BY_THE_SCANNER = ("skewed", "turned", "photographed", "coarse", "dimmed", "noisy", "streaked", "black_and_white")


def worn_by(page: int, seed: int, *names: str, written: Sheet | None = None) -> Worn:
    """A page of the form, blank or as `written`, worn in those ways, one after the other."""
    chance = np.random.default_rng([seed, page])
    worn = as_printed(page, written)
    for name in names:
        worn = degradations()[name](worn, chance)
    return worn

"""A comb of cells cut from the page: its printed lines taken away, each stroke given to the cell it belongs to.

Everything is done once per strip of cells, on an upright picture at PIXELS_PER_MM. A cell ends as a 28 x 28 glyph laid
out the way the recogniser was trained: longest side 20, centre of mass in the middle, 255 for full ink.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from campaigns.paper_form.zones import Box
from returns.reading.cutting import cut
from returns.reading.pixels import PIXELS_PER_MM, Grey, darkness, grey_level
from returns.reading.registration import Registration
from returns.reading.streaks import without_streaks

GLYPH = 28
GLYPH_BODY = 20
MARGIN_MM = 1.2  # kept around the comb: strokes overshoot, and paper must be seen
DRIFT = 5  # pixels: how far the printed lines may be from where the registration puts them (0.6 mm)
BAND = 2  # pixels on each side of a printed line that hold its print
INKED = 90  # darkness, of 255, from which a pixel is ink once the strokes are stretched to full black
SAMPLING = 3  # one row in so many measures the darkness of a printed line
SPECK = 8  # pixels (0.12 mm²) under which a component is dust
LEAST_INK = 18  # pixels (0.28 mm²) under which a cell is blank
LEAST_HEIGHT = 10  # pixels (1.25 mm) under which what stands in a cell is no digit
SHARED = 0.18  # a stroke is cut between two cells when each holds at least this share of it
FAINT = 70  # darkness of the darkest strokes under which the comb is blank paper

Labels = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Comb:
    """What a comb holds: for each cell the glyph, or None where nothing is written.

    `ink_mm2` is the surface written on, per cell; `spilt` tells that a stroke was cut between two cells.
    """

    glyphs: tuple[Grey | None, ...]
    ink_mm2: tuple[float, ...]
    spilt: bool

    @property
    def blank(self) -> bool:
        """Whether no cell holds anything."""
        return all(glyph is None for glyph in self.glyphs)


def read_comb(grey: Grey, registration: Registration, box: Box, cells: int) -> Comb:
    """The glyphs written in a comb of `cells` equal cells over `box` (mm)."""
    picture = cut(grey, registration.matrix, box, margin=MARGIN_MM)
    return separate(picture, cells, ink=registration.ink)


def separate(picture: Grey, cells: int, *, ink: int) -> Comb:
    """The glyphs of an upright picture of a comb with MARGIN_MM around it; `ink` is the grey level of printed black."""
    return _shared_out(written_strokes(picture, cells, ink=ink), cells)


def written_strokes(picture: Grey, cells: int, *, ink: int) -> Grey:
    """What is written in a comb (255: full ink), without its lines and the scanner's; all 0 where nothing is."""
    paper = grey_level(picture, 0.7)
    strokes = _without_lines(without_streaks(darkness(picture, paper, min(ink, paper - 60))), cells)
    top = grey_level(strokes, 0.995)
    if top < FAINT:
        return np.zeros_like(strokes)
    return np.asarray(cv2.convertScaleAbs(strokes, alpha=255.0 / top), dtype=np.uint8) if top < 250 else strokes


def normalised(strokes: Grey) -> Grey:
    """The glyph of one character: `strokes` (dark = 255, cut to its ink) fitted in 28 x 28. Training uses this too."""
    height, width = strokes.shape
    scale = GLYPH_BODY / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(strokes, size, interpolation=way).astype(np.float32)
    peak = float(small.max())
    if peak > 0:
        small *= 255.0 / peak
    columns, rows = small.sum(axis=0), small.sum(axis=1)
    total = max(float(columns.sum()), 1.0)
    x = float(columns @ np.arange(len(columns))) / total
    y = float(rows @ np.arange(len(rows))) / total
    left = min(max(round((GLYPH - 1) / 2 - x), 0), GLYPH - size[0])
    top = min(max(round((GLYPH - 1) / 2 - y), 0), GLYPH - size[1])
    glyph = np.zeros((GLYPH, GLYPH), dtype=np.uint8)
    glyph[top : top + size[1], left : left + size[0]] = small.astype(np.uint8)
    return glyph


def _without_lines(dark: Grey, cells: int) -> Grey:
    """The darkness without the comb's frame and dividers, found near their places and measured where nobody wrote."""
    height, width = dark.shape
    margin = MARGIN_MM * PIXELS_PER_MM
    pitch = (width - 2 * margin) / cells
    dividers = margin + pitch * np.arange(cells + 1) - 0.5
    edges = np.array([margin, height - margin]) - 0.5
    columns, rows = dark.mean(axis=0), dark.mean(axis=1)
    dividers = dividers + _drift(columns, dividers)
    edges = edges + _drift(rows, edges)
    cleaned = dark.astype(np.float32)
    _remove_columns(cleaned, dividers)
    _remove_columns(cleaned.T, edges)
    return np.clip(cleaned, 0, 255).astype(np.uint8)


def _drift(profile: NDArray[np.floating], places: NDArray[np.floating]) -> int:
    """The shift, in pixels, that best puts `places` on the dark lines of the profile."""
    at = np.round(places).astype(int)
    shifts = np.arange(-DRIFT, DRIFT + 1)
    reached = np.clip(at[None, :] + shifts[:, None], 1, len(profile) - 2)
    line = profile[reached]
    beside = (
        profile[np.clip(reached - 4, 0, len(profile) - 1)] + profile[np.clip(reached + 4, 0, len(profile) - 1)]
    ) / 2
    seen = np.clip(line - beside, 0, 60).mean(axis=1) - 0.4 * np.abs(shifts)
    best = int(seen.argmax())
    return int(shifts[best]) if seen[best] > 3 else 0


def _remove_columns(dark: NDArray[np.float32], places: NDArray[np.floating]) -> None:
    """Take printed vertical lines away, in place.

    A line's own darkness is its median over the height, and where it is drawn only in part (ticks) the usual darkness
    of all lines at that height. What is darker than the line is ink across it and keeps its full darkness; where the
    line is nearly black nothing can be seen through it, and ink is kept where it stands on both sides.
    """
    width = dark.shape[1]
    at = np.round(places).astype(int)[:, None] + np.arange(-BAND, BAND + 1)[None, :]
    at = np.clip(at, 0, width - 1)
    bands = dark[:, at]  # height x lines x band
    sampled = bands[::SAMPLING]
    own = np.partition(sampled, len(sampled) // 2, axis=0)[len(sampled) // 2][None, :, :]
    printed = np.broadcast_to(own, bands.shape)
    if len(places) >= 4:
        usual = np.partition(bands, int(len(places) * 0.35), axis=1)[:, int(len(places) * 0.35), :]
        printed = np.maximum(printed, usual[:, None, :])
    printed = np.where(printed < 12, 0, printed + 10)  # some more than the print, for its noise
    left = dark[:, np.clip(at[:, :1] - 1, 0, width - 1)]
    right = dark[:, np.clip(at[:, -1:] + 1, 0, width - 1)]
    bridged = np.minimum(left, right)
    through = np.clip(bands - printed, 0, None) * 255.0 / np.maximum(255.0 - printed, 40.0)
    opaque = printed > 150
    dark[:, at] = np.where(opaque, np.minimum(bridged, bands), np.minimum(through, bands))


def _shared_out(strokes: Grey, cells: int) -> Comb:
    margin = round(MARGIN_MM * PIXELS_PER_MM)
    pitch = (strokes.shape[1] - 2 * margin) / cells
    inked = (strokes >= INKED).view(np.uint8)
    _, found, measured, centres = cv2.connectedComponentsWithStats(inked, connectivity=8, ltype=cv2.CV_32S)
    labels, stats = np.asarray(found, dtype=np.int32), np.asarray(measured, dtype=np.int32)
    owners = np.floor((centres[:, 0] - margin) / pitch).astype(int)
    heights = strokes.shape[0]
    keep = (stats[:, cv2.CC_STAT_AREA] >= SPECK) & (owners >= 0) & (owners < cells)
    keep &= (
        (centres[:, 1] > margin) & (centres[:, 1] < heights - margin) & ~_residue(stats, margin, pitch, strokes.shape)
    )
    keep[0] = False
    parts: list[list[tuple[int, int, int, int, int]]] = [[] for _ in range(cells)]
    spilt = False
    for label in np.flatnonzero(keep):
        left, top, width, height = (int(each) for each in stats[label, :4])
        pieces = _pieces(labels, int(label), (left, top, width, height), margin, pitch, cells)
        spilt |= len(pieces) > 1
        for cell, first, last in pieces or [(int(owners[label]), left, left + width)]:
            parts[cell].append((int(label), first, top, last, top + height))
    read = [_cell(strokes, labels, each) for each in parts]
    return Comb(tuple(glyph for glyph, _ in read), tuple(ink / PIXELS_PER_MM**2 for _, ink in read), spilt)


def _residue(stats: Labels, margin: int, pitch: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which components are what a printed line left: thin, straight and lying on it."""
    left, top, width, height, area = stats[:, :5].T
    middle_x, middle_y = left + width / 2, top + height / 2
    off = np.abs((middle_x - margin) / pitch - np.round((middle_x - margin) / pitch)) * pitch
    on_divider = (width <= 4) & (off < BAND + 2) & (area < 0.8 * height * 4)
    edge = np.minimum(np.abs(middle_y - margin), np.abs(middle_y - (shape[0] - margin)))
    on_edge = (height <= 4) & (edge < BAND + 2)
    return np.asarray(on_divider | on_edge)


def _pieces(
    labels: Labels, label: int, frame: tuple[int, int, int, int], margin: int, pitch: float, cells: int
) -> list[tuple[int, int, int]]:
    """How a component that crosses a divider is cut: (cell, first column, end column) each; empty when it is not."""
    left, top, width, height = frame
    first = min(max(int((left - margin) / pitch), 0), cells - 1)
    last = min(max(int((left + width - 1 - margin) / pitch), 0), cells - 1)
    if first == last or width < 0.45 * pitch:
        return []
    columns = (labels[top : top + height, left : left + width] == label).sum(axis=0)
    cuts = [round(margin + pitch * cell) - left for cell in range(first + 1, last + 1)]
    shares = [int(part.sum()) for part in np.split(columns, cuts)]
    holders = [first + n for n, share in enumerate(shares) if share >= SHARED * columns.sum()]
    if len(holders) < 2:
        return []
    bounds = [left, *(round(margin + pitch * cell) for cell in holders[1:]), left + width]
    return [(cell, bounds[n], bounds[n + 1]) for n, cell in enumerate(holders)]


def _cell(strokes: Grey, labels: Labels, parts: list[tuple[int, int, int, int, int]]) -> tuple[Grey | None, float]:
    """The glyph of one cell and its ink in pixels, from the components (or pieces of them) that it owns."""
    if not parts:
        return None, 0.0
    left, top = min(part[1] for part in parts), min(part[2] for part in parts)
    right, bottom = max(part[3] for part in parts), max(part[4] for part in parts)
    window = labels[top:bottom, left:right]
    owned = np.zeros(window.shape, dtype=bool)
    for label, first, _, end, _ in parts:
        owned[:, first - left : end - left] |= window[:, first - left : end - left] == label
    ink = float(owned.sum())
    if ink < LEAST_INK or bottom - top < LEAST_HEIGHT:
        return None, ink
    if ink == np.count_nonzero(window):  # nobody else's ink in sight
        return normalised(strokes[top:bottom, left:right]), ink
    grown = np.asarray(cv2.dilate(owned.view(np.uint8), np.ones((3, 3), np.uint8)), dtype=np.uint8)
    return normalised(strokes[top:bottom, left:right] * grown), ink


def glyphs_of(combs: list[Comb]) -> Iterator[Grey]:
    """Every glyph of the combs, in order, to be recognised in one go."""
    for comb in combs:
        yield from (glyph for glyph in comb.glyphs if glyph is not None)

"""A comb of cells cut from the page: its printed lines taken away, each stroke given to the cell it belongs to.

Everything is done once for all the combs of a height, on an upright strip of them at PIXELS_PER_MM. A cell ends as a
glyph laid out the way the recogniser was trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from campaigns.paper_form.zones import Zone
from returns.reading.comb_lines import BAND, without_lines
from returns.reading.comb_strips import MARGIN_MM, Places, cut_strip, darkened, stretch
from returns.reading.cutting import size_of
from returns.reading.glyphs import laid_out
from returns.reading.pixels import PIXELS_PER_MM, Grey
from returns.reading.registration import Registration

INKED = 90  # darkness, of 255, from which a pixel is ink once the strokes are stretched to full black
SPECK = 8  # pixels (0.12 mm²) under which a component is dust
VALLEY = 6  # pixels from a divider where a column without ink parts two cells (0.75 mm)
RESIDUE = 4  # pixels: as thin, what stands alone on a divider is what is left of its print
CROWD = 6  # pixels inked among the 25 around a pixel (itself included) under which it is dust
LEAST_INK = 18  # pixels (0.28 mm²) under which a cell is blank
LITTLE_INK = 110  # pixels (1.7 mm²) under which it is looked at stroke by stroke: a 1 holds about as much
LEAST_HEIGHT = 10  # pixels (1.25 mm) under which what stands in a cell is no digit
SHARED = 0.18  # a stroke is cut between two cells when each holds at least this share of it
FAINT = 70  # darkness of the darkest strokes under which the comb is blank paper

Labels = NDArray[np.uint16]
Content = tuple[Grey | None, float]  # the strokes of a cell, cut to them, and their ink in pixels


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


def read_combs(grey: Grey, registration: Registration, zones: Sequence[Zone]) -> list[Comb]:
    """The glyphs written in combs of equal cells: all of one height are cut out and cleaned together."""
    heights = [size_of(zone.box, MARGIN_MM)[1] for zone in zones]
    combs: dict[int, Comb] = {}
    for height in set(heights):
        chosen = [number for number, each in enumerate(heights) if each == height]
        strip, places = cut_strip(grey, registration, [zones[number] for number in chosen])
        combs.update(zip(chosen, separate_strip(strip, places, ink=registration.ink), strict=True))
    return [combs[number] for number in range(len(zones))]


def separate(picture: Grey, cells: int, *, ink: int) -> Comb:
    """The glyphs of an upright picture of a comb with MARGIN_MM around it; `ink` is the grey level of printed black."""
    return separate_strip(picture, Places((0, picture.shape[1]), (cells,)), ink=ink)[0]


def separate_strip(strip: Grey, places: Places, *, ink: int) -> list[Comb]:
    """`separate` for combs side by side in one picture: each as if it were alone."""
    strokes = without_lines(darkened(strip, places, ink), places)
    if not stretch(strokes, places, FAINT):
        return [Comb((None,) * cells, (0.0,) * cells, False) for cells in places.cells]
    return _shared_out(strokes, places)


def _shared_out(strokes: Grey, places: Places) -> list[Comb]:
    """Cells parted by clear paper are read as they stand; the strokes of the others are shared out."""
    inked = without_dust(strokes)
    margin = round(MARGIN_MM * PIXELS_PER_MM)
    dividers = np.round(places.dividers(margin)).astype(int) + places.limits[0]
    cuts = _cuts(inked, dividers, places)
    bounds = np.where(cuts < 0, dividers, cuts)
    tops, bottoms = _heights(inked, bounds, margin)
    contents, spilt, at = [], [], 0
    for span, cells in zip(places.spans, places.cells, strict=True):
        own = slice(at, at + cells + 1)
        lines = _Lines(dividers[own], (cuts[own] < 0).tolist(), bounds[own].tolist(), tops[own], bottoms[own])
        told, cut_through = _comb(strokes, inked, span, lines, margin)
        contents.append(told)
        spilt.append(cut_through)
        at += cells + 1
    glyphs = iter(laid_out([seen for told in contents for seen, _ in told if seen is not None]))
    return [
        Comb(
            glyphs=tuple(None if seen is None else next(glyphs) for seen, _ in told),
            ink_mm2=tuple(ink / PIXELS_PER_MM**2 for _, ink in told),
            spilt=cut_through,
        )
        for told, cut_through in zip(contents, spilt, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """The dividers of a comb: where each stands, whether strokes cross it, where it parts its cells.

    `tops` and `bottoms` are the first row of ink, and the row past the last, from each of them to the next.
    """

    dividers: NDArray[np.intp]
    crossed: list[bool]
    bounds: list[int]
    tops: list[int]
    bottoms: list[int]


def _comb(strokes: Grey, inked: Grey, span: tuple[int, int], lines: _Lines, margin: int) -> tuple[list[Content], bool]:
    """The content of each cell of the comb between two columns of a strip, and whether a stroke was cut between two."""
    cells = len(lines.bounds) - 1
    pitch = (span[1] - span[0] - 2 * margin) / cells
    told: list[Content] = []
    spilt = False
    for first, last in _runs(lines.crossed):
        start, end = lines.bounds[first], lines.bounds[last]
        if last == first + 1 and not lines.crossed[first] and not lines.crossed[last]:
            content = _content(strokes, inked, lines.tops[first], lines.bottoms[first], start, end)
            if content is not None:
                told.append(content)
                continue
        start, end = (span[0] if lines.crossed[first] else start), (span[1] if lines.crossed[last] else end)
        origin = int(lines.dividers[first]) - start
        run = _Run(strokes[:, start:end], inked[:, start:end], origin, pitch, last - first, margin)
        contents, cut_through = run.shared_out()
        told += contents
        spilt |= cut_through
    return told, spilt


def without_dust(strokes: Grey, least: int = INKED) -> Grey:
    """Where the strokes are `least` dark or more (1), without pixels that stand nearly alone."""
    inked = cv2.threshold(strokes, least - 1, 1, cv2.THRESH_BINARY)[1]
    crowd = cv2.boxFilter(inked, cv2.CV_8U, (5, 5), normalize=False)
    return np.asarray(cv2.bitwise_and(inked, cv2.threshold(crowd, CROWD - 1, 1, cv2.THRESH_BINARY)[1]), dtype=np.uint8)


def _cuts(inked: Grey, dividers: NDArray[np.intp], places: Places) -> NDArray[np.intp]:
    """Where each divider parts its cells: the nearest column without ink, or -1 where strokes cross it.

    A thin line that stands alone on the divider is what is left of its print, and is wiped out of `inked`.
    """
    start, last = places.limits
    columns = dividers[:, None] + np.arange(-VALLEY, VALLEY + 1)
    columns = np.minimum(np.maximum(columns, start[:, None]), last[:, None])
    clear = cv2.reduce(inked, 0, cv2.REDUCE_MAX).ravel()[columns] == 0
    left, right = clear[:, VALLEY::-1].argmax(axis=1), clear[:, VALLEY:].argmax(axis=1)
    clear_left = clear[np.arange(len(clear)), VALLEY - left]
    clear_right = clear[np.arange(len(clear)), VALLEY + right]
    for divider in np.flatnonzero(clear_left & clear_right & (left + right > 0)).tolist():
        if left[divider] + right[divider] - 1 <= RESIDUE:
            inked[:, dividers[divider] - left[divider] + 1 : dividers[divider] + right[divider]] = 0
    cuts = np.where(clear_left & (~clear_right | (left <= right)), dividers - left, dividers + right)
    return np.asarray(np.where(clear_left | clear_right, np.maximum(cuts, start), -1))


def _heights(inked: Grey, bounds: NDArray[np.intp], margin: int) -> tuple[list[int], list[int]]:
    """The first row of ink and the row past the last, between each two bounds.

    What is above or below the comb, parted from it by a row without ink, is left out.
    """
    ends = np.append(bounds, inked.shape[1])
    rows = np.maximum.reduceat(inked, ends[:-1], axis=1)[:, :-1]
    above, below = rows[margin::-1] == 0, rows[-margin - 1 :] == 0
    height = len(rows)
    first = np.where(above.any(axis=0), margin - above.argmax(axis=0), 0)
    last = np.where(below.any(axis=0), height - margin - 1 + below.argmax(axis=0), height)
    at = np.arange(height)[:, None]
    seen = (rows > 0) & (at >= first) & (at < last)
    tops, bottoms = seen.argmax(axis=0), height - seen[::-1].argmax(axis=0)
    return tops.tolist(), np.where(seen.any(axis=0), bottoms, 0).tolist()


def _runs(uncut: list[bool]) -> Iterator[tuple[int, int]]:
    """Cells parted from their neighbours as (cell, cell + 1), runs of others as (first, end)."""
    cells, first = len(uncut) - 1, 0
    for end in range(1, cells + 1):
        if not uncut[end] or end == cells:
            yield first, end
            first = end


def _content(strokes: Grey, inked: Grey, top: int, bottom: int, first: int, end: int) -> Content | None:
    """The content of a cell whose ink is all its own: between columns `first` and `end`, and between its rows.

    None where there is so little of it that it may be what printed lines left.
    """
    if bottom - top < LEAST_HEIGHT:
        return None, 0.0
    window = inked[top:bottom, first:end]
    left, _, width, _ = cv2.boundingRect(window)
    ink = float(cv2.countNonZero(window))
    if ink < LITTLE_INK:
        return (None, ink) if ink < LEAST_INK else None
    return strokes[top:bottom, first + left : first + left + width], ink


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Cells side by side whose strokes touch their borders: every component is given to a cell, or cut between some."""

    strokes: Grey
    inked: Grey
    origin: int  # pixels: where the first cell begins
    pitch: float
    cells: int
    margin: int

    def shared_out(self) -> tuple[list[Content], bool]:
        """The content of each cell, and whether a stroke was cut between two."""
        _, found, measured, centres = cv2.connectedComponentsWithStats(self.inked, connectivity=8, ltype=cv2.CV_16U)
        labels, stats = np.asarray(found, dtype=np.uint16), np.asarray(measured, dtype=np.int32)
        owners = np.floor((centres[:, 0] - self.origin) / self.pitch).astype(int)
        keep = (stats[:, cv2.CC_STAT_AREA] >= SPECK) & (owners >= 0) & (owners < self.cells) & ~self._residue(stats)
        keep &= (centres[:, 1] > self.margin) & (centres[:, 1] < self.strokes.shape[0] - self.margin)
        keep[0] = False
        parts: list[list[tuple[int, int, int, int, int]]] = [[] for _ in range(self.cells)]
        spilt = False
        for label in np.flatnonzero(keep).tolist():
            left, top, width, height = stats[label, :4].tolist()
            pieces = self._pieces(labels, label, (left, top, width, height))
            spilt |= len(pieces) > 1
            for cell, first, last in pieces or [(int(owners[label]), left, left + width)]:
                parts[cell].append((label, first, top, last, top + height))
        return [self._cell(labels, each) for each in parts], spilt

    def _residue(self, stats: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which components are what a printed line left: thin, straight and lying on it."""
        left, top, width, height, area = stats[:, :5].T
        places = (left + width / 2 - self.origin) / self.pitch
        off = np.abs(places - np.round(places)) * self.pitch
        on_divider = (width <= 4) & (off < BAND + 2) & (area < 0.8 * height * 4)
        middle = top + height / 2
        edge = np.minimum(np.abs(middle - self.margin), np.abs(middle - (self.strokes.shape[0] - self.margin)))
        return np.asarray(on_divider | ((height <= 4) & (edge < BAND + 2)))

    def _pieces(self, labels: Labels, label: int, frame: tuple[int, int, int, int]) -> list[tuple[int, int, int]]:
        """How a component across a divider is cut: (cell, first column, end column) each; empty when it is not."""
        left, top, width, height = frame
        first = min(max(int((left - self.origin) / self.pitch), 0), self.cells - 1)
        last = min(max(int((left + width - 1 - self.origin) / self.pitch), 0), self.cells - 1)
        if first == last or width < 0.45 * self.pitch:
            return []
        columns = (labels[top : top + height, left : left + width] == label).sum(axis=0)
        cuts = [round(self.origin + self.pitch * cell) - left for cell in range(first + 1, last + 1)]
        shares = [int(part.sum()) for part in np.split(columns, cuts)]
        holders = [first + n for n, share in enumerate(shares) if share >= SHARED * columns.sum()]
        if len(holders) < 2:
            return []
        bounds = [left, *(round(self.origin + self.pitch * cell) for cell in holders[1:]), left + width]
        return [(cell, bounds[n], bounds[n + 1]) for n, cell in enumerate(holders)]

    def _cell(self, labels: Labels, parts: list[tuple[int, int, int, int, int]]) -> Content:
        """The content of one cell, from the components (or pieces of them) that it owns."""
        if not parts:
            return None, 0.0
        left, top = min(part[1] for part in parts), min(part[2] for part in parts)
        right, bottom = max(part[3] for part in parts), max(part[4] for part in parts)
        window = labels[top:bottom, left:right]
        owned = np.zeros(window.shape, dtype=np.uint8)
        for label, first, _, end, _ in parts:
            owned[:, first - left : end - left] |= window[:, first - left : end - left] == label
        ink = float(cv2.countNonZero(owned))
        if ink < LEAST_INK or bottom - top < LEAST_HEIGHT:
            return None, ink
        seen = self.strokes[top:bottom, left:right]
        if ink == cv2.countNonZero(self.inked[top:bottom, left:right]):  # nobody else's ink in sight
            return seen, ink
        grown = np.asarray(cv2.dilate(owned, np.ones((3, 3), np.uint8)), dtype=np.uint8)
        return seen * grown, ink


def glyphs_of(combs: list[Comb]) -> Iterator[Grey]:
    """Every glyph of the combs, in order, to be recognised in one go."""
    for comb in combs:
        yield from (glyph for glyph in comb.glyphs if glyph is not None)

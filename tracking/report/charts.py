"""The charts of the bilan, drawn for print: readable in grey, no hover, every figure written beside."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log10
from typing import Any, Literal

from reportlab.graphics.shapes import Circle, Drawing, Line, Polygon, PolyLine, Rect, String
from reportlab.lib.colors import Color, white
from reportlab.lib.units import mm

from campaigns.paper_form.look import INK, LINE, SOFT, STRONG_LINE, WARMTH, WIDTH, Look, font
from tracking.charts import PARTS
from tracking.figures import Counters
from tracking.wording import number

Anchor = Literal["start", "middle", "end"]
CURVE_HEIGHT = 72 * mm
LEFT, BOTTOM, TOP = 34.0, 20.0, 24.0


def label(
    x: float,
    y: float,
    words: str,
    *,
    anchor: Literal["start", "middle", "end"] = "start",
    bold: bool = False,
    colour: Color = SOFT,
) -> String:
    """A word on a chart."""
    face = font("bold" if bold else "regular", words)
    return String(x, y, words, fontName=face, fontSize=8.5, fillColor=colour, textAnchor=anchor)


def box(
    x: float, y: float, width: float, height: float, *, fill: Color | None, line: Color | None, thick: float = 0.0
) -> Rect:
    """A rectangle, filled, lined, or both."""
    paint: dict[str, Any] = {"fillColor": fill, "strokeColor": line, "strokeWidth": thick}
    return Rect(x, y, width, height, **paint)


def bar(look: Look, share: float, *, width: float, height: float = 3.2 * mm) -> Drawing:
    """A bar filled to `share` (0 to 1), `width` points wide."""
    drawing = Drawing(width, height)
    full = max(0.0, min(share, 1.0)) * width
    drawing.add(box(0, 0, width, height, fill=white, line=STRONG_LINE, thick=0.5))
    if full:
        drawing.add(box(0, 0, full, height, fill=look.accent, line=None))
    return drawing


def parts(look: Look, counters: Counters) -> Drawing:
    """The three counters as one bar, with its legend underneath: full, hatched, empty."""
    height, top = 8 * mm, 7 * mm
    drawing = Drawing(WIDTH, height + top)
    x = 0.0
    for place, (key, told) in enumerate(PARTS):
        width = getattr(counters, key) / counters.surveyed * WIDTH if counters.surveyed else 0.0
        _part(drawing, look, key, x, top, width, height)
        x += width
        at = place * WIDTH / 3
        _part(drawing, look, key, at, 1 * mm, 9, 9)
        drawing.add(box(at, 1 * mm, 9, 9, fill=None, line=STRONG_LINE, thick=0.5))
        drawing.add(label(at + 14, 1.5 * mm, _counted(counters, key, told), colour=INK))
    drawing.add(box(0, top, WIDTH, height, fill=None, line=STRONG_LINE, thick=0.6))
    return drawing


def told_parts(counters: Counters) -> str:
    """What the bar of `parts` says, in words."""
    return ", ".join(_counted(counters, key, told) for key, told in PARTS)


def _counted(counters: Counters, key: str, told: str) -> str:
    return f"{told} : {number(getattr(counters, key))}"


def _part(drawing: Drawing, look: Look, key: str, x: float, y: float, width: float, height: float) -> None:
    if key == "not_received" or width <= 0:
        return
    drawing.add(box(x, y, width, height, fill=look.accent if key == "processed" else white, line=None))
    if key == "processed":
        return
    step, start = 4.0, x - height
    while start < x + width:
        low, high = max(start, x), min(start + height, x + width)
        if high > low:
            drawing.add(Line(low, y + low - start, high, y + high - start, strokeColor=look.accent, strokeWidth=1.4))
        start += step


def curve(
    look: Look,
    points: Sequence[tuple[int, int]],
    *,
    surveyed: int,
    last: int,
    days: Sequence[tuple[int, str]],
    marks: Sequence[int],
) -> Drawing:
    """Cumulated answers: `points` are (day, answers), `days` the ticks, `marks` the days of mailings, numbered."""
    drawing = Drawing(WIDTH, CURVE_HEIGHT)
    wide, high = WIDTH - LEFT - 6, CURVE_HEIGHT - BOTTOM - TOP
    ceiling = max(surveyed, 1)

    def at(day: float, answers: float) -> tuple[float, float]:
        return LEFT + day / max(last, 1) * wide, BOTTOM + answers / ceiling * high

    for value in _ticks(ceiling):
        y = at(0, value)[1]
        drawing.add(Line(LEFT, y, LEFT + wide, y, strokeColor=LINE, strokeWidth=0.5))
        drawing.add(label(LEFT - 5, y - 3, number(value), anchor="end"))
    for day, told in days:
        drawing.add(label(at(day, 0)[0], 6, told, anchor="middle"))
    path = _stairs([at(day, answers) for day, answers in points], start=at(0, 0))
    if len(path) > 1:
        floor = [(path[-1][0], BOTTOM), (path[0][0], BOTTOM)]
        flat = [side for point in [*path, *floor] for side in point]
        drawing.add(Polygon(flat, fillColor=look.tint, strokeColor=None))
        line = [side for point in path for side in point]
        drawing.add(PolyLine(line, strokeColor=look.accent, strokeWidth=2))
    y = at(0, surveyed)[1]
    drawing.add(Line(LEFT, y, LEFT + wide, y, strokeColor=STRONG_LINE, strokeWidth=1, strokeDashArray=[5, 4]))
    drawing.add(label(LEFT + wide, y + 4, f"{number(surveyed)} dossiers interrogés", anchor="end"))
    for place, day in enumerate(marks, start=1):
        _mark(drawing, at(day, 0)[0], place)
    return drawing


def _mark(drawing: Drawing, x: float, place: int) -> None:
    top = CURVE_HEIGHT - TOP
    drawing.add(Line(x, BOTTOM, x, top, strokeColor=WARMTH, strokeWidth=0.8, strokeDashArray=[3, 3]))
    drawing.add(Circle(x, top + 14, 6.5, fillColor=WARMTH, strokeColor=None))
    drawing.add(label(x, top + 11, str(place), anchor="middle", bold=True, colour=white))


def _stairs(points: Sequence[tuple[float, float]], *, start: tuple[float, float]) -> list[tuple[float, float]]:
    """A line that rises only on the days when answers came."""
    path = [start]
    for x, y in points:
        path += [(x, path[-1][1]), (x, y)]
    return path


def _ticks(ceiling: int) -> list[int]:
    """About five round values from 0 up to `ceiling`."""
    rough = ceiling / 5
    power = 10 ** int(log10(rough)) if rough >= 1 else 1
    step = next(power * size for size in (1, 2, 5, 10) if power * size >= rough)
    return [step * place for place in range(ceil(ceiling / step) + 1) if step * place <= ceiling]

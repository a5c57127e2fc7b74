"""OMRChecker, another reader of boxes, over a sheet that the bench draws for it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from campaigns.paper_form.zones import Box
from returns.rehearsal.pens import PX_PER_MM, Grey
from tests.bench.box_sheets import CHOICES, QUESTIONS, Answers, Blank, grey_file
from tests.bench.reading_peers import NotInstalled, run


class OmrChecker:
    """OMRChecker, from a checkout of its sources with its requirements in its own `.venv`."""

    name, bilevel = "OMRChecker", False
    MARKER_MM, EDGE_MM, PX = 12.0, 18.0, 8  # its markers' side, their centres' distance to the edges; pixels a mm

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout

    def blanks(self, folder: Path, count: int) -> list[Blank]:
        """It prints nothing itself: a sheet with its own markers in the corners, and the template that says so."""
        marker = self.checkout / "samples" / "sample1" / "omr_marker.jpg"
        if not (self.checkout / ".venv" / "bin" / "python").exists() or not marker.exists():
            raise NotInstalled("no checkout with its requirements in .venv: give its folder by --omrchecker")
        (folder / "in").mkdir()
        (folder / "screeninfo.py").write_text(_NO_SCREEN)
        shutil.copy(marker, folder / "in")
        boxes = {
            (number, choice): Box(45.0 + number // 16 * 80 + at * 12, 40.0 + number % 16 * 14, 5.0, 5.0)
            for number in range(QUESTIONS)
            for at, choice in enumerate(CHOICES)
        }
        (folder / "in" / "template.json").write_text(json.dumps(self._template(boxes)))
        (folder / "in" / "config.json").write_text(json.dumps(_OMR_SETTINGS))
        return [Blank(self._drawn(marker, boxes), boxes)] * count

    def _template(self, boxes: dict[tuple[int, str], Box]) -> dict[str, Any]:
        """Its sheet, measured from the centre of the top left marker."""
        blocks = {}
        for column in range(QUESTIONS // 16):
            first = boxes[column * 16, CHOICES[0]]
            blocks[f"Column{column}"] = {
                "origin": [round((first.x - self.EDGE_MM) * self.PX), round((first.y - self.EDGE_MM) * self.PX)],
                "bubbleValues": list(CHOICES),
                "direction": "horizontal",
                "bubblesGap": 12 * self.PX,
                "labelsGap": 14 * self.PX,
                "fieldLabels": [f"q{column * 16}..{column * 16 + 15}"],
            }
        options = {"relativePath": "omr_marker.jpg", "sheetToMarkerWidthRatio": 210 / self.MARKER_MM}
        return {
            "pageDimensions": [round((side - 2 * self.EDGE_MM) * self.PX) for side in (210, 297)],
            "bubbleDimensions": [5 * self.PX, 5 * self.PX],
            "preProcessors": [{"name": "CropOnMarkers", "options": options}],
            "fieldBlocks": blocks,
        }

    def _drawn(self, marker: Path, boxes: dict[tuple[int, str], Box]) -> Grey:
        sheet = np.full((round(297 * PX_PER_MM), round(210 * PX_PER_MM)), 255, np.uint8)
        side = round(self.MARKER_MM * PX_PER_MM)
        mark = cv2.resize(np.asarray(cv2.imread(str(marker), cv2.IMREAD_GRAYSCALE)), (side, side))
        for x in (self.EDGE_MM, 210 - self.EDGE_MM):
            for y in (self.EDGE_MM, 297 - self.EDGE_MM):
                left, top = (round((at - self.MARKER_MM / 2) * PX_PER_MM) for at in (x, y))
                sheet[top : top + side, left : left + side] = mark
        for box in boxes.values():
            corners = [
                (round(x * PX_PER_MM), round(y * PX_PER_MM)) for x, y in ((box.x, box.y), (box.right, box.bottom))
            ]
            cv2.rectangle(sheet, *corners, (120,), 2)
        return sheet

    def take(self, folder: Path, scans: Sequence[Grey]) -> None:
        """One JPEG a sheet."""
        for number, scan in enumerate(scans):
            (folder / "in" / f"scan-{number:05d}.jpg").write_bytes(grey_file(scan))

    def read(self, folder: Path) -> None:
        """Its program, over the folder."""
        program = [self.checkout / ".venv" / "bin" / "python", "main.py"]
        run([*program, "-i", folder / "in", "-o", folder / "out"], self.checkout, PYTHONPATH=str(folder))

    def told(self, folder: Path) -> list[Answers]:
        """Its results; a question with two boxes is in doubt."""
        found: dict[str, Answers] = {}
        for results in (folder / "out").rglob("Results_*.csv"):
            with results.open(newline="") as file:
                for row in csv.DictReader(file):
                    told = {number: row[f"q{number}"] for number in range(QUESTIONS)}
                    found[row["file_id"]] = {key: value for key, value in told.items() if value in tuple(CHOICES)}
        scans = sorted((folder / "in").glob("scan-*.jpg"))
        return [found.get(scan.name, {}) for scan in scans]


# It asks for the size of a screen before it begins: there is none where a bench runs.
_NO_SCREEN = """class _Screen:
    width, height = 1600, 1200


def get_monitors():
    return [_Screen]
"""
_OMR_SETTINGS = {
    "dimensions": {"display_height": 1684, "display_width": 1190, "processing_height": 942, "processing_width": 666},
    "outputs": {"show_image_level": 0, "save_detections": False},
}

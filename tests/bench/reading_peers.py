"""Other readers of boxes, each its own program over its own print: Auto Multiple Choice and SDAPS.

A peer draws its blank sheet, then reads a number of scans; what it spends is the CPU time of the processes it starts.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pypdfium2

from campaigns.paper_form.zones import Box
from returns.rehearsal.pens import PAGE_DPI, Grey
from tests.bench.box_sheets import CHOICES, QUESTIONS, Answers, Blank, grey_file, one_bit, one_bit_file

MM_PER_INCH = 25.4


class NotInstalled(Exception):
    """The peer is not on this machine; says what is missing."""


class Peer(Protocol):
    """A reader of boxes. `bilevel`: it reads one bit at 300 dpi, else grey JPEG at 200."""

    name: str
    bilevel: bool

    def blanks(self, folder: Path, count: int) -> list[Blank]:
        """Its sheets to tick; raises NotInstalled."""

    def take(self, folder: Path, scans: Sequence[Grey]) -> None:
        """Put the scans where it will read them."""

    def read(self, folder: Path) -> None:
        """Read them all: this alone is measured."""

    def told(self, folder: Path) -> list[Answers]:
        """What it told of each, in the order they were given."""


def run(command: Sequence[str | Path], folder: Path, **environment: str) -> None:
    """Run a peer's program, which is not ours to mend; its complaint is shown when it fails."""
    done = subprocess.run(
        [str(each) for each in command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"/usr/local/bin:/usr/bin:/bin:{os.environ['PATH']}", **environment},
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} : {done.stderr[-400:] or done.stdout[-400:]}")


def rendered(pdf: Path, number: int = 0) -> Grey:
    """A page of a PDF, grey at PAGE_DPI."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        page = document[number].render(scale=PAGE_DPI / 72, grayscale=True).to_numpy()
        return np.ascontiguousarray(page.squeeze())
    finally:
        document.close()


def single(ticks: dict[int, list[str]]) -> Answers:
    return {question: seen[0] for question, seen in ticks.items() if len(seen) == 1}


class AutoMultipleChoice:
    """Debian's auto-multiple-choice; a box counts as ticked from the share of black that a cross makes."""

    name, bilevel = "Auto Multiple Choice", False
    TICKED = 0.15

    def blanks(self, folder: Path, count: int) -> list[Blank]:
        """One subject, copied for all: its boxes are in the layout that its LaTeX class writes."""
        if shutil.which("auto-multiple-choice") is None:
            raise NotInstalled("no auto-multiple-choice on the path")
        (folder / "data").mkdir()
        choices = "".join(rf"\wrongchoice{{{choice}}}" for choice in CHOICES)
        asked = "\n".join(
            rf"\begin{{questionmult}}{{q{number}}}Question {number}"
            rf"\begin{{choiceshoriz}}[o]{choices}\end{{choiceshoriz}}\end{{questionmult}}"
            for number in range(QUESTIONS)
        )
        (folder / "sheet.tex").write_text(
            "\\documentclass[a4paper]{article}\n\\usepackage{multicol}\n\\usepackage[box]{automultiplechoice}\n"
            "\\begin{document}\n\\AMCinterBquest=0.3ex\n\\onecopy{1}{\\begin{multicols}{2}\n"
            f"{asked}\n\\end{{multicols}}}}\n\\end{{document}}\n"
        )
        prepared = ["--out-sujet", "sheet.pdf", "--out-corrige", "key.pdf", "--out-calage", "sheet.xy"]
        made = ["auto-multiple-choice", "prepare", "--mode", "s", "--n-copies", "1", "--with", "pdflatex"]
        run([*made, *prepared, "--data", "data", "--prefix", "./", "sheet.tex"], folder)
        run(["auto-multiple-choice", "meptex", "--src", "sheet.xy", "--data", "data"], folder)
        return [Blank(rendered(folder / "sheet.pdf"), self._boxes(folder))] * count

    def _boxes(self, folder: Path) -> dict[tuple[int, str], Box]:
        with sqlite3.connect(folder / "data" / "layout.sqlite") as layout:
            [(dpi, pages)] = layout.execute("SELECT max(dpi), count(*) FROM layout_page")
            placed = layout.execute(
                "SELECT name, answer, xmin, ymin, xmax, ymax FROM layout_box JOIN layout_question USING (question)"
            )
            boxes = {}
            for name, answer, left, top, right, bottom in placed:
                sides = (each * MM_PER_INCH / dpi for each in (left, top, right - left, bottom - top))
                boxes[int(name[1:]), CHOICES[answer - 1]] = Box(*sides)
        if pages != 1 or len(boxes) != QUESTIONS * len(CHOICES):
            raise RuntimeError(f"AMC laid {len(boxes)} boxes on {pages} pages")
        return boxes

    def take(self, folder: Path, scans: Sequence[Grey]) -> None:
        """One JPEG a sheet."""
        names = [folder / f"scan-{number:05d}.jpg" for number in range(len(scans))]
        for name, scan in zip(names, scans, strict=True):
            name.write_bytes(grey_file(scan))
        (folder / "scans.txt").write_text("".join(f"{name}\n" for name in names))
        (folder / "cr").mkdir()

    def read(self, folder: Path) -> None:
        """Its data capture; the sheets are photocopies of one subject."""
        given = ["--projet", folder, "--multiple", "--n-procs", "1", "--liste-fichiers", "scans.txt"]
        run(["auto-multiple-choice", "analyse", *given], folder)

    def told(self, folder: Path) -> list[Answers]:
        """From the share of each box that is black."""
        with sqlite3.connect(folder / "data" / "layout.sqlite") as layout:
            names = dict(layout.execute("SELECT question, name FROM layout_question"))
        with sqlite3.connect(folder / "data" / "capture.sqlite") as capture:
            sheets = dict(capture.execute("SELECT copy, src FROM capture_page"))
            zones = capture.execute("SELECT copy, id_a, id_b, black, total FROM capture_zone WHERE type = 4").fetchall()
        seen: dict[int, dict[int, list[str]]] = {}
        for copy, question, answer, black, total in zones:
            number = int(Path(sheets[copy]).stem.rpartition("-")[2])
            ticks = seen.setdefault(number, {}).setdefault(int(names[question][1:]), [])
            if black > self.TICKED * total:
                ticks.append(CHOICES[answer - 1])
        count = len((folder / "scans.txt").read_text().splitlines())
        return [single(seen.get(number, {})) for number in range(count)]


class Sdaps:
    """SDAPS, `program` from its own build; every sheet has its own number."""

    name, bilevel = "SDAPS", True

    def __init__(self, program: str) -> None:
        self.program = program
        self.modules = str(Path(program).resolve().parents[1] / "lib" / "python3" / "dist-packages")

    def _sdaps(self, folder: Path, *told: str) -> None:
        run([self.program, *told], folder, PYTHONPATH=self.modules)

    def blanks(self, folder: Path, count: int) -> list[Blank]:
        """A survey by its LaTeX class, stamped with as many numbers as there are sheets."""
        if shutil.which(self.program) is None:
            raise NotInstalled("no sdaps program: build it, then give its path by --sdaps")
        lines = "".join(f"\\choiceline{{Question {number}}}\n" for number in range(QUESTIONS))
        choices = "".join(f"\\groupaddchoice{{{choice}}}\n" for choice in CHOICES)
        (folder / "sheet.tex").write_text(
            "\\documentclass[english,oneside,print_questionnaire_id,style=qr]{sdapsclassic}\n"
            "\\author{-}\n\\title{Boxes}\n\\begin{document}\n\\begin{questionnaire}[noinfo]\n\\section{Boxes}\n"
            f"\\begin{{choicegroup}}{{Which}}\n{choices}{lines}\\end{{choicegroup}}\n"
            "\\end{questionnaire}\n\\end{document}\n"
        )
        self._sdaps(folder, "setup", "tex", "survey", "sheet.tex")
        self._sdaps(folder, "stamp", "--random", str(count), "--output", str(folder / "sheets.pdf"), "survey")
        boxes = self._boxes(folder)
        return [Blank(rendered(folder / "sheets.pdf", number), boxes) for number in range(count)]

    def _boxes(self, folder: Path) -> dict[tuple[int, str], Box]:
        with sqlite3.connect(folder / "survey" / "survey.sqlite") as survey:
            [(told,)] = survey.execute("SELECT json FROM surveys")
        asked = [each for each in json.loads(told)["questionnaire"]["qobjects"] if each["_class"] == "Choice"]
        places = {
            (number, CHOICES[at]): Box(box["x"], box["y"], box["width"], box["height"])
            for number, question in enumerate(asked)
            for at, box in enumerate(question["boxes"])
        }
        if len(places) != QUESTIONS * len(CHOICES):
            raise RuntimeError(f"SDAPS laid {len(places)} boxes")
        return places

    def take(self, folder: Path, scans: Sequence[Grey]) -> None:
        """One file of one-bit pages, added to the survey."""
        (folder / "scans.tif").write_bytes(one_bit_file([one_bit(scan) for scan in scans]))
        self._sdaps(folder, "add", "survey", str(folder / "scans.tif"))

    def read(self, folder: Path) -> None:
        """Its recognition."""
        self._sdaps(folder, "recognize", "survey")

    def told(self, folder: Path) -> list[Answers]:
        """Its export, in the order of the pages."""
        self._sdaps(folder, "export", "csv", "-o", str(folder / "told.csv"), "survey")
        with (folder / "told.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [single(self._ticks(row)) for row in rows]

    @staticmethod
    def _ticks(row: dict[str, str]) -> dict[int, list[str]]:
        """Its columns are numbered from 1: section, group, question, choice."""
        return {
            number: [choice for at, choice in enumerate(CHOICES, start=1) if row[f"1_1_{number + 1}_{at}"] == "1"]
            for number in range(QUESTIONS)
        }

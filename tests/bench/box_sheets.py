"""Sheets of boxes alone, ticked by made-up writers and scanned: what readers of any make are held against.

Every sheet asks QUESTIONS questions of as many choices as CHOICES, one box each, whatever tool prints it.
"""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from campaigns.paper_form.zones import Box
from returns.rehearsal.pens import PAGE_DPI, Grey, Pen
from returns.rehearsal.scanner import WEAR, Quality, as_bilevel, as_jpeg, wear

QUESTIONS, CHOICES = 32, "abcd"
FINE_DPI = 300  # what tools of one bit ask for
Answers = Mapping[int, str]  # the choice told for each question, from 0; a question in doubt is left out


@dataclass(frozen=True, slots=True)
class Blank:
    """A sheet as printed, grey at PAGE_DPI, and where its boxes are, by question and choice, in millimetres."""

    picture: Grey
    boxes: Mapping[tuple[int, str], Box]


def answers_of(seed: int) -> Answers:
    """What the writer of that number answers."""
    chance = random.Random(f"boxes {seed}")
    return {question: chance.choice(CHOICES) for question in range(QUESTIONS)}


def ticked(blank: Blank, seed: int) -> Grey:
    """The sheet as that writer ticks it, and as a scanner of middling quality sees it."""
    pen, page = Pen(seed), blank.picture.copy()
    if pen.hand.tick == "blot":  # no reader of single boxes is asked to tell it from a box blackened
        pen = Pen(f"{seed} again")
    for question, choice in answers_of(seed).items():
        pen.tick(page, blank.boxes[question, choice])
    return wear(page, np.random.default_rng(seed), WEAR[Quality.MEDIUM])


def grey_file(scanned: Grey) -> bytes:
    """The scan as a grey JPEG at PAGE_DPI."""
    return as_jpeg(scanned, WEAR[Quality.MEDIUM].jpeg)


def one_bit(scanned: Grey) -> Image.Image:
    """The scan in black and white, at FINE_DPI."""
    scale = FINE_DPI / PAGE_DPI
    finer = np.asarray(cv2.resize(scanned, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
    return Image.fromarray(as_bilevel(finer)).convert("1", dither=Image.Dither.NONE)


def one_bit_file(pages: list[Image.Image]) -> bytes:
    """These scans as one TIFF, compressed by G4."""
    buffer = io.BytesIO()
    dpi = (FINE_DPI, FINE_DPI)
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:], compression="group4", dpi=dpi)
    return buffer.getvalue()

"""The faces of every paper: where they are, how wide a text is, where it breaks, which letters they lack.

Pure. Widths come from the fonts themselves, so what `layout` promises is what `painter` prints.
The first family is the look; the others, wider, are taken for a whole text as soon as those before lack a letter of it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import arabic_reshaper
from bidi import get_display
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

POINT = 72 / 25.4  # points in a millimetre
FONTS = Path(__file__).resolve().parents[2] / "node_modules" / "@expo-google-fonts"
FAMILIES = (("source-sans-3", "SourceSans3"), ("noto-sans", "NotoSans"), ("noto-sans-arabic", "NotoSansArabic"))
UPRIGHT_ONLY = frozenset({"noto-sans-arabic"})  # families without an italic: Arabic has none
STYLES = {"regular": "400Regular", "bold": "600SemiBold", "italic": "400Regular_Italic"}
FLOOR = 7.0  # points: under this nobody reads
STRETCH_FLOOR = 82  # per cent: under this letters look crushed
ARABIC = re.compile("[\u0620-\u064a\u066e-\u06d3]")
JOINED = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]")  # Arabic letters in the forms that join them


class FontsMissingError(RuntimeError):
    """The font packages are not installed."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text made to fit: the point `size`, the horizontal `stretch` in per cent, and whether letters were cut."""

    text: str
    size: float
    stretch: int = 100
    cut: bool = False


@cache
def faces(style: str) -> tuple[TTFont, ...]:
    """The faces of one style, the preferred first, registered for ReportLab. Raises FontsMissingError."""
    return tuple(
        _face(
            f"{stem}-{style}",
            folder,
            stem,
            STYLES["regular" if style == "italic" and folder in UPRIGHT_ONLY else style],
        )
        for folder, stem in FAMILIES
    )


def _face(name: str, folder: str, stem: str, style: str) -> TTFont:
    path = FONTS / folder / style / f"{stem}_{style}.ttf"
    if not path.is_file():
        message = f"La police « {stem} {style} » est absente : lancez « npm ci » à la racine du projet."
        raise FontsMissingError(message)
    font = TTFont(name, str(path))
    pdfmetrics.registerFont(font)
    return font


@lru_cache(maxsize=8192)
def face_for(text: str, style: str) -> TTFont:
    """The first face that has every letter of `text`, else the preferred one."""
    known = faces(style)
    return next((face for face in known if all(ord(each) in face.face.charToGlyph for each in text)), known[0])


def missing_letters(text: str, style: str = "regular") -> str:
    """The letters of `text` that no single face can print beside the others, each once; '' when all is well."""
    text = clean(text)
    face = face_for(text, style)
    known = face.face.charToGlyph
    return "".join(dict.fromkeys(each for each in text if ord(each) not in known))


@cache
def _letter_widths(style: str) -> dict[str, float]:
    """How wide each letter of the preferred face is, in thousandths of its size."""
    face = faces(style)[0].face
    return {chr(code): face.charWidths[code] for code in face.charToGlyph if code >= 32}


def fits_as_it_is(text: str, room: float, size: float, style: str) -> bool:
    """Whether the preferred face has every letter of `text` and its line holds in `room` mm; `fit` judges the others.

    A few times quicker than `fit`, and remembers nothing: most texts of a batch are seen once.
    """
    try:
        wide = sum(map(_letter_widths(style).__getitem__, text if text.isascii() else clean(text)))
    except KeyError:
        return False
    return wide * size <= room * POINT * 1000


def clean(text: str) -> str:
    """`text` as it is printed from left to right: letters composed (NFC), one space for a line break or a tab.

    Arabic letters take the forms that join them, in the order of the eye. Cleaned twice, a text stays the same.
    """
    composed = unicodedata.normalize("NFC", text)
    if not composed.isascii() and ARABIC.search(composed) and not JOINED.search(composed):
        composed = str(get_display(arabic_reshaper.reshape(composed)))
    return composed if composed.isprintable() else re.sub(r"[\t\r\n]+", " ", composed)


@lru_cache(maxsize=4096)
def french(text: str) -> str:
    """`text` with the spaces and apostrophes of French print: no break before ; : ! ?, in quotes, numbers, hours."""
    text = text.replace("'", "’")
    text = re.sub(r" ([;!?])", "\u202f\\1", text)
    text = re.sub(r" ([:%€»])", "\u00a0\\1", text)
    text = re.sub(r" ”", "\u00a0”", re.sub(r"([«“]) ", "\\1\u00a0", text))
    return re.sub(r"(n°|\d) (?=\d|h\b)", "\\1\u00a0", text)


@lru_cache(maxsize=8192)
def width(text: str, size: float, style: str = "regular") -> float:
    """Width of `text` in millimetres at `size` points."""
    return float(face_for(text, style).stringWidth(text, size)) / POINT


def wrap(text: str, room: float, size: float, style: str = "regular") -> list[str]:
    """`text` broken at its ordinary spaces into lines of at most `room` mm; a longer word keeps its own line."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, style) > room:
            lines.append(word)
        else:
            lines[-1:] = [longer]
    return lines


@lru_cache(maxsize=8192)
def fit(text: str, room: float, size: float, style: str = "regular") -> Fitted:
    """`text` on one line of `room` mm: as it is, smaller, narrower, or in the end cut (then `cut` is true)."""
    text = clean(text)
    wide = width(text, size, style)
    if wide <= room:
        return Fitted(text, size)
    smaller = max(FLOOR, int(size * room / wide * 10) / 10) if size > FLOOR else size
    wide = width(text, smaller, style)
    if wide <= room:
        return Fitted(text, smaller)
    stretch = int(room / wide * 100)
    if stretch >= STRETCH_FLOOR:
        return Fitted(text, smaller, stretch)
    kept = text
    while kept and width(f"{kept}…", smaller, style) * STRETCH_FLOOR / 100 > room:
        kept = kept[:-1]
    return Fitted(f"{kept}…", smaller, STRETCH_FLOOR, cut=True)

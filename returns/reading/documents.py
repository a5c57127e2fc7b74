"""What a supporting document says: the signed 2D-Doc first, printed text (OCR) only where there is none that holds.

The same words tell where a social security number stands, which no image that we keep may show.

Pure: image in, values out. OCR is Tesseract in French by pytesseract, on one thread: workers already share the cores.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytesseract
from numpy.typing import NDArray
from PIL import Image
from stdnum.fr import nif

from returns.reading.nir import mask_nir, words_of
from returns.reading.places import Place, PrintedText, lies_on_its_side, place_of_code, upright
from returns.reading.signed_codes import SignedCode, find_signed_code

os.environ.setdefault("OMP_THREAD_LIMIT", "1")

Grey = NDArray[np.uint8]

TAX_NOTICE = "tax_notice"
OCR_CONFIDENCE = 0.9  # RFR right on 12 notices of 12 at 200 and 300 dpi (READING §3.4): believed, never certified
NAMES_CONFIDENCE = 0.88  # 59 names right of 67 read on 63 made-up notices, 94 printed, at the three qualities
WORD = re.compile(r"[^\W\d_]{3,}")
# Tesseract's own sureness (0 to 100) above which a word tells the way up: pages of our forms show 300 to 400 such
# letters upright and 7 to 11 upside down, a four-line letter 64 and none.
SURE = 80
SURE_LETTERS = 9
# Words that name a piece, once accents and case are gone; the first kind whose words are all there wins.
SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("tax_notice", ("impot", "revenus", "reference")),
    ("cmi_card", ("mobilite", "inclusion")),
    ("birth_certificate", ("acte", "naissance")),
    ("death_certificate", ("acte", "deces")),
    ("school_certificate", ("certificat", "scolarite")),
    ("union_proof", ("acte", "mariage")),
    ("union_proof", ("pacte", "solidarite")),
    ("union_proof", ("livret", "famille")),
    ("separation_proof", ("jugement", "divorce")),
    ("separation_proof", ("separation",)),
)
AMOUNT = re.compile(r"revenu fiscal de reference\D{0,40}?(\d[\d .]*)(?:€| euros|$)", re.MULTILINE)
YEAR = re.compile(r"revenus? (?:de l'annee )?(20\d\d)|impot 20\d\d sur les revenus(?: de)? (?:l'annee )?(20\d\d)")
REFERENCE = re.compile(r"reference de l'avis\D{0,20}((?:[0-9a-z] ?){13})")
# Who is taxed: told as declarants, or at the head of the address.
DECLARANT = re.compile(r"^\W*declarants?(?: ?\(?[12]\)?)? ?[:;] ?([a-z' ,.-]{4,80})$", re.MULTILINE)
ADDRESSEE = re.compile(r"^\W*(?:m\.?|mme|mlle|monsieur|madame)(?: ou (?:m\.?|mme))? ([a-z' .-]{4,60})$", re.MULTILINE)
BETWEEN_NAMES = re.compile(r",| et | ou ")
# What names itself on its first lines; a tax notice speaks of declarations and instalments too, hence the order.
NATURES = (
    ("asdir", re.compile(r"avis de situation declarative")),
    ("notice", re.compile(r"avis d'impot|avis d'imposition|avis de non-imposition")),
    ("declaration", re.compile(r"declaration preremplie|declaration (?:de|des) revenus")),
    ("instalment", re.compile(r"acomptes? previsionnels?|echeancier|avis d'acompte")),
)
THIRTEEN_DIGITS = re.compile(r"(?<!\d)(\d(?: ?\d){12})(?!\d)")


@dataclass(frozen=True, slots=True)
class DocumentReading:
    """What a page says. `kind` is a document key of the questionnaires or ''; `read` holds a tax notice's figures."""

    kind: str = ""
    read: dict[str, Any] = field(default_factory=dict)
    certified: bool = False
    confidence: float = 0.0
    by: str = ""  # '2d-doc' or 'ocr'
    kept: Grey | None = field(default=None, compare=False)  # the page upright, without NIR; None when it came so
    text: str = field(default="", compare=False)  # the printed text, plain; '' when it was not needed
    places: tuple[Place, ...] = field(default=(), compare=False)  # on the page as it is kept


def read_document(grey: Grey, *, certificates: Sequence[bytes] = ()) -> DocumentReading:
    """Read one page, whichever way it lies. `certificates`: PEM, trusted beside the national list (rehearsals)."""
    code = find_signed_code(grey, certificates=certificates)
    if code is not None and code.is_tax_notice and code.verified:
        return _signed(code, grey)
    masked, side = _read_upright(grey)
    kept = None if np.array_equal(masked, grey) else masked
    kind = kind_of(side.page.text)
    if kind != TAX_NOTICE:
        sure = OCR_CONFIDENCE if kind else 0.0
        return DocumentReading(kind=kind, confidence=sure, by="ocr", kept=kept, text=side.page.text)
    read = notice_figures(side.page.text)
    if code is not None:
        read["broken_signature"] = True
    places = _places(side.page)
    return DocumentReading(
        kind=kind, read=read, confidence=OCR_CONFIDENCE, by="ocr", kept=kept, text=side.page.text, places=places
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """What is printed on a page turned back `turns` quarters; `sure`, the letters of the words that stand out."""

    page: PrintedText
    turns: int
    sure: int


def _read_upright(grey: Grey) -> tuple[Grey, _Side]:
    """The page without its NIRs, and its print the way round that reads: known words, else the more of sure ones.

    The page comes upright where its print says which way that is, as it lay otherwise.
    """
    masked, sides = grey, []
    for turns in (1, 3) if lies_on_its_side(grey) else (0, 2):
        side, seen = _printed(upright(masked, turns), turns)
        if kind_of(side.page.text):
            return seen, side
        masked = upright(seen, -turns)
        sides.append(side)
    better, worse = sorted(sides, key=lambda side: side.sure, reverse=True)  # alike: as it came
    clear = better.sure >= SURE_LETTERS and better.sure > 2 * worse.sure
    return (upright(masked, better.turns) if clear else masked), better


def _printed(grey: Grey, turns: int) -> tuple[_Side, Grey]:
    """The printed words of a page already turned; and the page, its NIRs blackened."""
    page = Image.fromarray(grey)
    page.format = "PPM"  # what is handed to Tesseract: a PNG would cost half a second more to write
    told = pytesseract.image_to_data(page, lang="fra", config="--psm 6", output_type=pytesseract.Output.DICT)
    words = words_of(told)
    sure = (text for text, sureness in zip(told["text"], told["conf"], strict=True) if float(sureness) >= SURE)
    letters = sum(len(text) for text in sure if WORD.fullmatch(text))
    return _Side(PrintedText(words, page.size), turns, letters), mask_nir(grey, words)


def _places(page: PrintedText) -> tuple[Place, ...]:
    """Where the figures of a notice stand; each as `notice_figures` finds it."""
    found = {"tax_reference_income": AMOUNT, "income_year": YEAR, "notice_reference": REFERENCE}
    matches = [(what, match) for what, sign in found.items() if (match := sign.search(page.text))]
    places = [page.place(what, match.span(match.lastindex or 0)) for what, match in matches]
    if matches:
        places += [page.place("declarants", span) for _, span in _declarants(page.text)]
    for match in THIRTEEN_DIGITS.finditer(page.text):
        if nif.is_valid(re.sub(r"\s", "", match[1])):
            places.append(page.place("tax_numbers", match.span(1)))
    return tuple(places)


def kind_of(text: str) -> str:
    """The document key that the words of `text` (plain) name; '' when none does."""
    words = set(re.findall(r"[a-z]+", text))
    return next((kind for kind, signs in SIGNS if words.issuperset(signs)), "")


def notice_figures(text: str) -> dict[str, Any]:
    """What the plain text of a tax notice says; what it does not say clearly is absent."""
    read: dict[str, Any] = {"tax_numbers": _tax_numbers(text), "declarants": []}
    if amount := AMOUNT.search(text):
        digits = re.sub(r"\D", "", amount[1])
        if digits:
            read["tax_reference_income"] = int(digits)
    if year := YEAR.search(text):
        read["income_year"] = int(year[2] or year[1])
    if reference := REFERENCE.search(text):
        read["notice_reference"] = reference[1].replace(" ", "").upper()
    if nature := next((nature for nature, sign in NATURES if sign.search(text)), ""):
        read["nature"] = nature
    if "tax_reference_income" in read or "notice_reference" in read:  # else names may be anybody's
        read["declarants"] = [name for name, _ in _declarants(text)]
    return read


def _declarants(text: str) -> list[tuple[str, tuple[int, int]]]:
    """The names of those who are taxed, in capitals, and where each stands in the plain text."""
    found: dict[str, tuple[int, int]] = {}
    matches = list(DECLARANT.finditer(text)) or list(ADDRESSEE.finditer(text))[:1]
    for match in matches:
        start = match.start(1)
        for part in BETWEEN_NAMES.split(match[1]):
            at = text.index(part, start)
            start = at + len(part)
            words = part.replace(".", " ").split()
            while len(words) > 2 and len(words[-1]) < 3:  # specks at the end of a line, read as letters
                words.pop()
            if len(words) > 1:
                found.setdefault(" ".join(words).upper(), (at, start))
    return list(found.items())[:2]


def _signed(code: SignedCode, grey: Grey) -> DocumentReading:
    places = (place_of_code(code.corners, (grey.shape[1], grey.shape[0]), code.turns),)
    kept = upright(grey, code.turns) if code.turns else None
    return DocumentReading(
        kind=TAX_NOTICE, read=code.notice(), certified=True, confidence=1.0, by="2d-doc", kept=kept, places=places
    )


def _tax_numbers(text: str) -> list[str]:
    """The numéros fiscaux of the text: thirteen digits whose key is right (last three = first ten modulo 511)."""
    found = (re.sub(r"\s", "", each) for each in THIRTEEN_DIGITS.findall(text))
    return [number for number in dict.fromkeys(found) if nif.is_valid(number)]

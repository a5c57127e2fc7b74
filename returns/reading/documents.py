"""What a supporting document says: the signed 2D-Doc first, printed text (OCR) only where there is none that holds.

The same words tell where a social security number stands, which no image that we keep may show.

Pure: image in, values out. OCR is Tesseract in French by pytesseract, on one thread: workers already share the cores.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import pytesseract
from numpy.typing import NDArray
from PIL import Image
from stdnum.fr import nif

from returns.reading.nir import mask_nir, words_of
from returns.reading.signed_codes import SignedCode, find_signed_code

os.environ.setdefault("OMP_THREAD_LIMIT", "1")

Grey = NDArray[np.uint8]

TAX_NOTICE = "tax_notice"
OCR_CONFIDENCE = 0.9  # RFR right on 12 notices of 12 at 200 and 300 dpi (READING §3.4): believed, never certified
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
    masked: Grey | None = field(default=None, compare=False)  # the page without the NIR it bore; None when it bore none
    text: str = field(default="", compare=False)  # the printed text, plain; '' when it was not needed


def read_document(grey: Grey, *, certificates: Sequence[bytes] = ()) -> DocumentReading:
    """Read one page. `certificates`: PEM certificates trusted beside the national list (rehearsals)."""
    code = find_signed_code(grey, certificates=certificates)
    if code is not None and code.is_tax_notice and code.verified:
        return _signed(code)
    text, masked = _printed(grey)
    kind = kind_of(text)
    if not kind:  # nothing known in it: the sheet may lie upside down
        text, turned = _printed(np.ascontiguousarray(masked[::-1, ::-1]))
        kind, masked = kind_of(text), np.ascontiguousarray(turned[::-1, ::-1])
    kept = None if np.array_equal(masked, grey) else masked
    if kind != TAX_NOTICE:
        sure = OCR_CONFIDENCE if kind else 0.0
        return DocumentReading(kind=kind, confidence=sure, by="ocr", masked=kept, text=text)
    read = notice_figures(text)
    if code is not None:
        read["broken_signature"] = True
    return DocumentReading(kind=kind, read=read, confidence=OCR_CONFIDENCE, by="ocr", masked=kept, text=text)


def _printed(grey: Grey) -> tuple[str, Grey]:
    """The printed text of a page, lower case, without accents; and the page, its NIRs blackened."""
    page = Image.fromarray(grey)
    page.format = "PPM"  # what is handed to Tesseract: a PNG would cost half a second more to write
    words = words_of(pytesseract.image_to_data(page, lang="fra", config="--psm 6", output_type=pytesseract.Output.DICT))
    lines = (" ".join(word.text for word in line) for _, line in groupby(words, key=lambda word: word.line))
    return plain("\n".join(lines)), mask_nir(grey, words)


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
    return read


def _signed(code: SignedCode) -> DocumentReading:
    return DocumentReading(kind=TAX_NOTICE, read=code.notice(), certified=True, confidence=1.0, by="2d-doc")


def _tax_numbers(text: str) -> list[str]:
    """The numéros fiscaux of the text: thirteen digits whose key is right (last three = first ten modulo 511)."""
    found = (re.sub(r"\s", "", each) for each in THIRTEEN_DIGITS.findall(text))
    return [number for number in dict.fromkeys(found) if nif.is_valid(number)]


def plain(text: str) -> str:
    """Lower case, accents off, typographic apostrophes straight."""
    straight = text.replace("’", "'").replace("\u202f", " ").replace("\xa0", " ")
    letters = unicodedata.normalize("NFD", straight.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))

"""What a supporting document says: the signed 2D-Doc first, printed text (OCR) only where there is none that holds.

Pure: image in, values out. OCR is Tesseract in French by pytesseract, on one thread: workers already share the cores.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytesseract
from numpy.typing import NDArray
from PIL import Image
from stdnum.fr import nif

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
THIRTEEN_DIGITS = re.compile(r"(?<!\d)(\d(?: ?\d){12})(?!\d)")


@dataclass(frozen=True, slots=True)
class DocumentReading:
    """What a page says. `kind` is a document key of the questionnaires or ''; `read` holds a tax notice's figures."""

    kind: str = ""
    read: dict[str, Any] = field(default_factory=dict)
    certified: bool = False
    confidence: float = 0.0
    by: str = ""  # '2d-doc' or 'ocr'


def read_document(grey: Grey, *, certificates: Sequence[bytes] = ()) -> DocumentReading:
    """Read one page. `certificates`: PEM certificates trusted beside the national list (rehearsals)."""
    code = find_signed_code(grey, certificates=certificates)
    if code is not None and code.is_tax_notice and code.verified:
        return _signed(code)
    text = printed_text(grey)
    kind = kind_of(text)
    if not kind:  # nothing known in it: the sheet may lie upside down
        text = printed_text(np.ascontiguousarray(grey[::-1, ::-1]))
        kind = kind_of(text)
    if kind != TAX_NOTICE:
        return DocumentReading(kind=kind, confidence=OCR_CONFIDENCE if kind else 0.0, by="ocr")
    read = notice_figures(text)
    if code is not None:
        read["broken_signature"] = True
    return DocumentReading(kind=kind, read=read, confidence=OCR_CONFIDENCE, by="ocr")


def printed_text(grey: Grey) -> str:
    """The printed text of a page, lower case, without accents."""
    page = Image.fromarray(grey)
    page.format = "PPM"  # what is handed to Tesseract: a PNG would cost half a second more to write
    return plain(str(pytesseract.image_to_string(page, lang="fra", config="--psm 6")))


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

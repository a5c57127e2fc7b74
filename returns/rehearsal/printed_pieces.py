"""Made-up supporting documents as page images: tax notices, with or without their signed code, and other papers.

Every one says SPÉCIMEN across it. The signed code comes from the rehearsal's own authority, that no production reads.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from campaigns.paper_form.typography import FONTS
from returns.rehearsal.authority import Authority

Grey = NDArray[np.uint8]

DPI = 200
WIDTH, HEIGHT = 1654, 2339
MM = DPI / 25.4

TITLES = {
    "cmi_card": ("Carte mobilité inclusion", "Mention invalidité"),
    "birth_certificate": ("Extrait d'acte de naissance", "Commune d'Écluse-sur-Cher"),
    "death_certificate": ("Acte de décès", "Commune d'Écluse-sur-Cher"),
    "school_certificate": ("Certificat de scolarité", "Année scolaire en cours"),
    "union_proof": ("Livret de famille : acte de mariage", "Commune d'Écluse-sur-Cher"),
    "separation_proof": ("Jugement de divorce", "Extrait : par ces motifs"),
    "custody_judgment": ("Décision du juge aux affaires familiales", "Résidence alternée de l'enfant"),
    "identity": ("Pièce d'identité", "Copie recto verso"),
    "resource_fall_proofs": ("Bulletins de salaire", "Douze derniers mois"),
}


def tax_notice(
    *,
    names: Sequence[str],
    income_year: int,
    income: int,
    notice_reference: str,
    tax_numbers: Sequence[str],
    authority: Authority | None = None,
    told: str = "list",
) -> Grey:
    """The first page of a made-up tax notice; with `authority`, it carries a signed 2D-Doc.

    `told` is how it names its people: a 'list', a line for each of them, or an 'address'.
    """
    page, pen = _sheet()
    _write(pen, 15, 18, f"AVIS D'IMPÔT {income_year + 1}", 7, bold=True)
    _write(pen, 15, 28, f"Impôt {income_year + 1} sur les revenus de l'année {income_year}", 4.4)
    lines = [
        (
            "Numéro fiscal",
            " ".join(
                [
                    each[:2] + " " + each[2:5] + " " + each[5:8] + " " + each[8:11] + " " + each[11:]
                    for each in tax_numbers
                ]
            ),
        ),
        ("Référence de l'avis", _grouped(notice_reference)),
    ]
    texts = [f"{label} : {value}" for label, value in lines] + _named(names, told)
    for place, text in enumerate(texts):
        _write(pen, 15, 52 + 9 * place, text, 4)
    _write(pen, 15, 96, "Détail des revenus (en euros)", 4.6, bold=True)
    _write(pen, 15, 106, f"Salaires et pensions déclarés : {_euros(round(income / 0.9))}", 4)
    _write(pen, 15, 118, f"Revenu fiscal de référence : {_euros(income)} €", 4.8, bold=True)
    _write(pen, 15, 134, "Document fictif établi pour une répétition. Sans aucune valeur.", 3.6)
    if authority is not None:
        code = authority.tax_notice_code(
            income_year=income_year,
            income=income,
            notice_reference=notice_reference,
            declarants=[_capitals(name) for name in names],
            tax_numbers=tax_numbers,
        )
        _stamp_code(page, code)
    return _specimen(page)


def _named(names: Sequence[str], told: str) -> list[str]:
    capitals = [name.upper() for name in names]
    if told == "lines":
        return [f"Déclarant {place} : {name}" for place, name in enumerate(capitals, start=1)]
    if told == "address":
        return [f"{'M OU MME' if len(names) > 1 else 'MME'} {' ET '.join(capitals)}"]
    return [f"Déclarant : {', '.join(capitals)}"]


def sheet_with_code(text: str) -> Grey:
    """A sheet that bears nothing but this 2D-Doc, where notices bear theirs."""
    page, _ = _sheet()
    _stamp_code(page, text)
    return np.asarray(page, dtype=np.uint8)


def other_piece(*, kind: str, name: str, seed: str) -> Grey:
    """Another made-up paper, that names its nature and the person."""
    chance = random.Random(seed)
    title, subtitle = TITLES.get(kind, ("Document", ""))
    _, pen = sheet = _sheet()
    _write(pen, 20, 30, title, 7, bold=True)
    _write(pen, 20, 42, subtitle, 4.6)
    _write(pen, 20, 62, f"Concerne : {name}", 4.4)
    _write(pen, 20, 72, f"Numéro {chance.randrange(10**6, 10**7)}, document fictif de répétition", 4)
    return _specimen(sheet[0])


def _sheet() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("L", (WIDTH, HEIGHT), 255)
    return page, ImageDraw.Draw(page)


def _specimen(page: Image.Image) -> Grey:
    return np.asarray(np.minimum(np.asarray(page), _specimen_mark()), dtype=np.uint8)


@cache
def _specimen_mark() -> Grey:
    """The word across an otherwise white sheet, the same for every piece."""
    mark = Image.new("L", (WIDTH, HEIGHT), 0)
    ImageDraw.Draw(mark).text((WIDTH * 0.2, HEIGHT * 0.72), "SPÉCIMEN", fill=46, font=_font(28, bold=True))
    return np.asarray(255 - np.asarray(mark.rotate(12)), dtype=np.uint8)


def _write(pen: ImageDraw.ImageDraw, x: float, y: float, text: str, height: float, *, bold: bool = False) -> None:
    pen.text((x * MM, y * MM), text, fill=20, font=_font(height, bold=bold))


@cache
def _font(height: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    style = "700Bold" if bold else "400Regular"
    return ImageFont.truetype(str(FONTS / "noto-sans" / style / f"NotoSans_{style}.ttf"), round(height * MM))


def _stamp_code(page: Image.Image, text: str) -> None:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    modules = np.array(zxingcpp.write_barcode_to_image(code, scale=1), dtype=np.uint8)
    size = round(34 * MM / modules.shape[0]) * modules.shape[0]
    drawn = cv2.resize(modules, (size, size), interpolation=cv2.INTER_NEAREST)
    page.paste(Image.fromarray(drawn), (round(160 * MM), round(14 * MM)))


def _euros(amount: int) -> str:
    return f"{amount:,}".replace(",", " ")


def _grouped(text: str) -> str:
    return f"{text[:2]} {text[2:4]} {text[4:]}"


def _capitals(name: str) -> str:
    letters = unicodedata.normalize("NFD", name.upper().replace("Đ", "D").replace("Ł", "L"))
    kept = "".join(
        each if each.isascii() and each.isalpha() else " " for each in letters if not unicodedata.combining(each)
    )
    return " ".join(kept.split())[:38]

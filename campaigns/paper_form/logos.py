"""A landlord's logo as it arrives: PNG, JPEG or SVG, checked and kept as one kind of PNG that every paper can print."""

from __future__ import annotations

import re
from io import BytesIO

import resvg_py
from PIL import Image, UnidentifiedImageError

from campaigns.paper_form.branding import HEAVIEST_LOGO, LARGEST_LOGO, BrandingError

SVG_WIDTH = 1600  # pixels a drawing is turned into: 500 a thumb's width (inch) on the 82 mm of a letter's head
SMALLEST_LOGO = 100  # pixels: under this a logo is a blur on paper
MODES = {"RGB", "RGBA", "L", "LA", "P", "1", "I;16"}
FOREIGN = re.compile(
    rb"<!ENTITY|<!DOCTYPE[^>]*\[|<script|<image|<text|<foreignObject|(?:href|src)\s*=\s*[\"'](?!#)|@import", re.I
)
VIEW = re.compile(rb"viewBox\s*=\s*[\"']\s*[-\d.e]+[\s,]+[-\d.e]+[\s,]+([\d.]+)[\s,]+([\d.]+)", re.I)
SIZE = re.compile(rb"<svg[^>]*?\swidth\s*=\s*[\"']([\d.]+)[^>]*?\sheight\s*=\s*[\"']([\d.]+)", re.I | re.S)
TALLEST, WIDEST = 3.0, 20.0  # height over width, width over height


def logo_of(content: bytes) -> bytes:
    """The logo as a PNG of at most `LARGEST_LOGO` pixels a side.

    Raises BrandingError, which says in French what to change: too heavy, of another kind, broken, in the colours of a
    press (CMYK), too small or too large, a drawing that calls for something outside itself.
    """
    check_weight(len(content))
    if not content.strip():
        raise BrandingError("Le fichier du logo est vide.")
    return _drawn(content) if _is_svg(content) else _redrawn(content)


def check_weight(weight: int) -> None:
    """Refuse a logo of so many bytes, with BrandingError, when that is too much."""
    if weight > HEAVIEST_LOGO:
        told = f"{weight / 1e6:.1f}".replace(".", ",")
        raise BrandingError(f"Le logo pèse {told} Mo ; 2 Mo au plus. Enregistrez-le plus petit, puis recommencez.")


def _is_svg(content: bytes) -> bool:
    head = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in content[:20_000].lower()


def _drawn(content: bytes) -> bytes:
    if FOREIGN.search(content):
        raise BrandingError(
            "Ce dessin SVG contient du texte, un programme, une image ou une adresse extérieure. "
            "Enregistrez-le en « SVG simple », textes changés en tracés."
        )
    found = VIEW.search(content) or SIZE.search(content)
    wide, high = (float(each) for each in found.groups()) if found else (0.0, 0.0)
    if not (wide > 0 and high > 0 and high <= TALLEST * wide and wide <= WIDEST * high):
        raise BrandingError("Ce dessin SVG ne dit pas ses dimensions, ou elles n'ont pas de sens pour un logo.")
    try:
        made = resvg_py.svg_to_bytes(svg_string=content.decode("utf-8-sig"), width=SVG_WIDTH, skip_system_fonts=True)
    except (UnicodeDecodeError, ValueError) as error:
        raise BrandingError("Ce dessin SVG est abîmé : ouvrez-le et enregistrez-le de nouveau.") from error
    return _redrawn(bytes(made))


def _redrawn(content: bytes) -> bytes:
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as image:
            _check(image)
            image.load()
            shown = image.convert("RGBA" if "A" in image.mode or "transparency" in image.info else "RGB")
    except BrandingError:
        raise
    except UnidentifiedImageError as error:
        raise BrandingError("Le logo doit être une image PNG ou JPEG, ou un dessin SVG.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BrandingError("L'image du logo est abîmée : enregistrez-la de nouveau, puis recommencez.") from error
    stream = BytesIO()
    shown.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _check(image: Image.Image) -> None:
    if image.mode not in MODES:
        raise BrandingError(
            "Le logo est dans les couleurs de l'imprimerie (CMJN) : enregistrez-le en couleurs d'écran (RVB)."
            if image.mode in ("CMYK", "YCCK")
            else "Les couleurs de ce logo ne sont pas prévues : enregistrez-le en PNG, en couleurs d'écran (RVB)."
        )
    if max(image.size) > LARGEST_LOGO:
        raise BrandingError(
            f"Le logo mesure {image.width} × {image.height} pixels : {LARGEST_LOGO} pixels de côté au plus."
        )
    if max(image.size) < SMALLEST_LOGO:
        raise BrandingError(
            f"Le logo mesure {image.width} × {image.height} pixels : trop petit pour être imprimé, "
            f"{SMALLEST_LOGO} pixels au moins sur son grand côté."
        )

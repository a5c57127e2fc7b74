"""Pieces sent by households: judged by their bytes, never by their name, and cleaned before they are kept.

Images are drawn again without metadata (a photo's position is personal); PDF files lose scripts and attachments.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import pikepdf
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

MOST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 50_000_000  # an A4 page at 600 dpi is 35 million
MOST_PAGES = 60
LONGEST_SIDE = 5000  # pixels kept: 430 dpi over an A4 page
HEIC_BRANDS = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc")


class PieceRefused(ValueError):
    """The file can't be taken; the message tells the household why and what to do."""


@dataclass(frozen=True, slots=True)
class UploadedPiece:
    """A file as sent, what it is said to be (a document key of the questionnaire), and for whom (0: the household)."""

    name: str
    content: bytes
    kind: str
    row: int = 0


@dataclass(frozen=True, slots=True)
class CleanPiece:
    """A file fit to be kept. `sha256` is that of the file as sent, so that the same file is known again."""

    name: str
    content: bytes
    media_type: str
    sha256: str
    kind: str
    row: int = 0

    @property
    def file_name(self) -> str:
        """A name that says nothing of anybody."""
        return f"{self.sha256[:24]}.{EXTENSIONS[self.media_type]}"


EXTENSIONS = {"image/jpeg": "jpg", "image/tiff": "tif", "application/pdf": "pdf"}


def clean(piece: UploadedPiece) -> CleanPiece:
    """The piece fit to be kept. Raises PieceRefused: empty, too large, of another format, protected or damaged."""
    name = _shown(piece.name)
    if not piece.content:
        raise PieceRefused(f"Le fichier « {name} » est vide (0 octet). Choisissez-le à nouveau, ou prenez une photo.")
    if len(piece.content) > MOST_BYTES:
        raise PieceRefused(f"Le fichier « {name} » dépasse 20 Mo. Envoyez une photo moins lourde, ou page par page.")
    content, media_type = _cleaner(piece.content, name)(piece.content, name)
    return CleanPiece(
        name=name,
        content=content,
        media_type=media_type,
        sha256=hashlib.sha256(piece.content).hexdigest(),
        kind=piece.kind,
        row=piece.row,
    )


def _shown(name: str) -> str:
    """The file's own name, short and printable."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(symbol for symbol in last if symbol.isprintable())[:80] or "sans nom"


def _cleaner(content: bytes, name: str) -> Callable[[bytes, str], tuple[bytes, str]]:
    if content[:1024].lstrip().startswith(b"%PDF-"):
        return _clean_pdf
    if content.startswith((b"II*\0", b"MM\0*")):
        return _clean_tiff
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if webp or content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return _clean_image
    if content[4:12] in HEIC_BRANDS:
        raise PieceRefused(
            f"« {name} » est une photo au format HEIC, que nous ne savons pas lire. "
            "Envoyez-la au format JPEG : sur iPhone, Réglages, Appareil photo, Formats, « Le plus compatible »."
        )
    raise PieceRefused(f"« {name} » n'est ni une photo (JPEG, PNG, WEBP), ni un PDF, ni un TIFF. Envoyez l'un d'eux.")


def _clean_image(content: bytes, name: str) -> tuple[bytes, str]:
    with _opened(content, name) as image:
        out = io.BytesIO()
        _redrawn(image, name).save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue(), "image/jpeg"


def _clean_tiff(content: bytes, name: str) -> tuple[bytes, str]:
    with _opened(content, name) as image:
        pages: list[Image.Image] = []
        try:
            for frame in ImageSequence.Iterator(image):
                if len(pages) >= MOST_PAGES:
                    raise PieceRefused(f"« {name} » compte plus de {MOST_PAGES} pages. Envoyez seulement la pièce.")
                pages.append(_redrawn(frame, name))
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            if isinstance(error, PieceRefused):
                raise
            raise _damaged(name) from error
        out = io.BytesIO()
        pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="jpeg", quality=85)
    return out.getvalue(), "image/tiff"


def _opened(content: bytes, name: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise _damaged(name) from error
    except Image.DecompressionBombError as error:
        raise _too_wide(name) from error
    return image


def _redrawn(frame: Image.Image, name: str) -> Image.Image:
    """The pixels alone: upright, on white paper, no larger than is useful, without anything the camera added."""
    if frame.width * frame.height > MOST_PIXELS:
        raise _too_wide(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            upright = ImageOps.exif_transpose(frame)
            if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
                paper = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(paper, upright.convert("RGBA"))
            drawn = upright.convert("L" if upright.mode in {"1", "L", "I;16", "I"} else "RGB")
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _damaged(name) from error
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    bare = Image.new(drawn.mode, drawn.size)
    bare.paste(drawn)
    return bare


def _clean_pdf(content: bytes, name: str) -> tuple[bytes, str]:
    """Files protected against changes only open without a password: they are kept, unprotected."""
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            count = len(pdf.pages)
            if not count:
                raise PieceRefused(f"« {name} » ne contient aucune page. Vérifiez-le, puis envoyez-le à nouveau.")
            if count > MOST_PAGES:
                raise PieceRefused(
                    f"« {name} » compte {count} pages ; le maximum est de {MOST_PAGES}. Envoyez seulement la pièce."
                )
            return _disarmed(pdf), "application/pdf"
    except pikepdf.PasswordError as error:
        raise PieceRefused(
            f"« {name} » est un PDF protégé par un mot de passe. Enregistrez-le sans, ou envoyez une photo."
        ) from error
    except (pikepdf.PdfError, OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, PieceRefused):
            raise
        raise _damaged(name) from error


def _disarmed(pdf: pikepdf.Pdf) -> bytes:
    """The PDF without what opens, runs or carries anything by itself; what is written in its forms stays."""
    _strip(pdf.Root, "/OpenAction", "/AA", "/Metadata")
    _strip(pdf.Root.get("/Names"), "/JavaScript", "/EmbeddedFiles")
    _strip(pdf.Root.get("/AcroForm"), "/XFA")
    for page in pdf.pages:
        _strip(page.obj, "/AA")
        for annotation in page.obj.get("/Annots", []):
            _strip(annotation, "/A", "/AA", "/FS")
    out = io.BytesIO()
    pdf.save(out, encryption=False)
    return out.getvalue()


def _strip(entry: pikepdf.Object | None, *keys: str) -> None:
    for key in keys:
        if isinstance(entry, pikepdf.Dictionary) and key in entry:
            del entry[key]


def _damaged(name: str) -> PieceRefused:
    return PieceRefused(f"Le fichier « {name} » est endommagé ou incomplet. Envoyez-le à nouveau, ou prenez une photo.")


def _too_wide(name: str) -> PieceRefused:
    return PieceRefused(f"L'image « {name} » est démesurée. Envoyez une photo ordinaire de la pièce.")

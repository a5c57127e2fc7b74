"""A landlord's own rules document, line by line when it is a table (CSV, XLSX), so that nothing of it is forgotten."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction

from campaigns.models import Campaign, User

KINDS = (".csv", ".xlsx", ".pdf", ".docx")
LARGEST = 10 * 1024 * 1024
LARGEST_UNPACKED = 100 * 1024 * 1024
MOST_LINES = 2000
MOST_CELLS = 30
ENCODINGS = ("utf-8-sig", "cp1252")


class UnableToRead(Exception):
    """The document can't be kept or shown; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of the document; `number` is its line in the file, `digest` that of its content (SHA-256, hex)."""

    number: int
    cells: tuple[str, ...]

    @property
    def digest(self) -> str:
        """What the line is known by, whatever its place in the document."""
        return hashlib.sha256("\x1f".join(self.cells).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RulesTable:
    """A document read as a table: its headings, and its lines that hold something."""

    headings: tuple[str, ...]
    lines: tuple[DocumentLine, ...]


def keep_document(*, campaign: Campaign, name: str, content: bytes, actor: User) -> None:
    """Keep the landlord's document with the campaign, once it is seen to be what its name says. Raises UnableToRead."""
    if not actor.may_manage:
        raise UnableToRead("Seul un chargé d'affaires dépose ce document.")
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in KINDS:
        raise UnableToRead(f"« {name} » n'est pas d'un type attendu : CSV, XLSX, PDF ou DOCX.")
    if not content or len(content) > LARGEST:
        raise UnableToRead(f"« {name} » est vide ou dépasse 10 Mo.")
    _refuse_disguised(name, suffix, content)
    if suffix in (".csv", ".xlsx"):
        read_table(name, content)
    with transaction.atomic():
        campaign.rules_document.save(PurePosixPath(name).name, ContentFile(content), save=False)
        campaign.save(update_fields=["rules_document"])


def table_of(campaign: Campaign) -> RulesTable | None:
    """The campaign's document as a table; None when there is none or it is no table. Raises UnableToRead."""
    stored = campaign.rules_document
    if not stored or PurePosixPath(stored.name).suffix.lower() not in (".csv", ".xlsx"):
        return None
    try:
        with stored.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError:
        raise UnableToRead("Le document des règles ne s'ouvre plus : déposez-le à nouveau.") from None
    return read_table(stored.name, content)


def read_table(name: str, content: bytes) -> RulesTable:
    """The lines of a CSV or XLSX document. Raises UnableToRead naming the file and what is wrong."""
    shown = PurePosixPath(name).name
    if len(content) > LARGEST:
        raise UnableToRead(f"« {shown} » dépasse 10 Mo.")
    rows = _sheet_rows(shown, content) if shown.lower().endswith(".xlsx") else _csv_rows(shown, content)
    filled = [(number, row) for number, row in enumerate(rows, 1) if any(_cells(row))]
    wide = len(_cells(filled[0][1])) if filled else 0
    told = [(number, _aligned(row, wide)) for number, row in filled]
    if not told:
        raise UnableToRead(f"« {shown} » ne contient aucune ligne.")
    if len(told) > MOST_LINES + 1:
        raise UnableToRead(f"« {shown} » compte plus de {MOST_LINES} lignes : ce n'est pas un document de règles.")
    return RulesTable(told[0][1], tuple(DocumentLine(*each) for each in told[1:]))


def _cells(row: Iterable[Any], least: int = 0) -> tuple[str, ...]:
    """The cells without idle spaces; empty ones at the end are dropped beyond the `least` wanted."""
    cells = [" ".join(str(cell).split()) if cell is not None else "" for cell in row][:MOST_CELLS]
    while len(cells) > least and not cells[-1]:
        cells.pop()
    return tuple(cells)


def _aligned(row: Sequence[Any], wide: int) -> tuple[str, ...]:
    """As many cells as there are headings: a delimiter between two spaces was a sign of the sentence, not a border."""
    cells = ["" if cell is None else str(cell) for cell in row]
    while cells and not cells[-1].strip():
        cells.pop()
    place = 0
    while len(cells) > wide and place < len(cells) - 1:
        if cells[place].endswith(" ") and cells[place + 1].startswith(" "):
            cells[place : place + 2] = [f"{cells[place]};{cells[place + 1]}"]
        else:
            place += 1
    return _cells(cells + [""] * (wide - len(cells)), wide)


def _csv_rows(name: str, content: bytes) -> list[list[str]]:
    text = next((text for text in (_decoded(content, encoding) for encoding in ENCODINGS) if text is not None), None)
    if text is None or "\x00" in text:
        raise UnableToRead(f"« {name} » n'est pas un texte lisible : enregistrez-le en CSV UTF-8.")
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        raise UnableToRead(f"« {name} » n'est pas un CSV lisible : une cellule y est trop longue.") from None


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _sheet_rows(name: str, content: bytes) -> list[tuple[Any, ...]]:
    """The first sheet. A workbook that would unpack beyond reason is refused before it is opened."""
    from openpyxl import load_workbook  # type: ignore[import-untyped]  # noqa: PLC0415 — heavy, for workbooks only

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(each.file_size for each in packed.infolist()) > LARGEST_UNPACKED:
                raise UnableToRead(f"« {name} » est anormalement compressé : refusé.")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        return [row for _, row in zip(range(MOST_LINES + 2), sheet.iter_rows(values_only=True), strict=False)]
    except UnableToRead:
        raise
    except Exception:  # openpyxl raises whatever the broken part of the file provokes
        raise UnableToRead(f"« {name} » n'est pas un classeur XLSX lisible.") from None


def _refuse_disguised(name: str, suffix: str, content: bytes) -> None:
    """A file whose first bytes are not those of its kind."""
    packed, pdf = content.startswith(b"PK\x03\x04"), content.startswith(b"%PDF-")
    right = {".csv": not packed and not pdf, ".xlsx": packed, ".docx": packed, ".pdf": pdf}[suffix]
    if not right:
        raise UnableToRead(f"« {name} » n'est pas un fichier {suffix[1:].upper()} : vérifiez-le.")

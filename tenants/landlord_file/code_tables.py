"""A landlord's tables de correspondance: what each of their codes says, and what it means to us, both ways.

Reads `table;code;libelle` from CSV (UTF-8, windows-1252, ISO-8859-1) or XLSX, always from an open binary file.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from .profile import MappingProfile, ValueType

MEANINGS = Path(__file__).with_name("meanings.toml")
MAX_BYTES = 20_000_000
_COLUMNS = ("table", "code", "libelle")


class CodeTableError(ValueError):
    """The file is not a set of code tables; `.problems` lists French sentences."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" · ".join(problems))
        self.problems = problems


def normalised(label: str) -> str:
    """A label without accents, case, punctuation and "(e)" endings, for comparison only."""
    plain = re.sub(r"\((?:e|ne|ve|euse|trice|s)\)", "", label.casefold())
    letters = unicodedata.normalize("NFKD", plain.replace("œ", "oe").replace("æ", "ae"))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", letters.encode("ascii", "ignore").decode()).split())


@cache
def _meanings() -> dict[str, dict[str, str]]:
    """Domain → normalised label → our value, as written in `meanings.toml`."""
    tables = tomllib.loads(MEANINGS.read_text(encoding="utf-8"))
    return {
        domain: {normalised(label): value for value, labels in values.items() for label in labels}
        for domain, values in tables.items()
    }


def canonical_values(domain: str) -> frozenset[str]:
    """Our values of a domain (`link`, `status`, `activity`, `financing`, `sex`); empty for an unknown domain."""
    return frozenset(_meanings().get(domain, {}).values())


def meaning_of(domain: str, label: str) -> str | None:
    """Our value for a landlord's label, or None when the label is not known."""
    return _meanings().get(domain, {}).get(normalised(label))


@dataclass(frozen=True, slots=True)
class CodeTable:
    """One table of a landlord: code → label, in the order of their file."""

    name: str
    labels: Mapping[str, str]

    def meanings(self, domain: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
        """Code → our value for every code that has one; `overrides` (code → value) win."""
        known = {code: meaning_of(domain, label) for code, label in self.labels.items()}
        return {code: value for code, value in known.items() if value is not None} | dict(overrides or {})

    def landlord_code(self, domain: str, value: str, overrides: Mapping[str, str] | None = None) -> str | None:
        """The landlord's code for our value (the first of their file when several say the same), or None."""
        return next((code for code, known in self.meanings(domain, overrides).items() if known == value), None)


@dataclass(frozen=True, slots=True)
class CodeTables:
    """All the tables of a landlord; `warnings` are French sentences about labels that look damaged."""

    tables: Mapping[str, CodeTable]
    warnings: tuple[str, ...] = ()

    def get(self, name: str) -> CodeTable | None:
        """The table of that name, or None."""
        return self.tables.get(name)


def parse_code_tables(rows: Iterable[tuple[str, str, str]]) -> CodeTables:
    """Tables from (table, code, label) rows. Raises CodeTableError when a code is given two labels or is empty."""
    tables: dict[str, dict[str, str]] = {}
    problems: list[str] = []
    warnings: list[str] = []
    for number, (name, code, label) in enumerate(rows, start=2):
        if not name or not code:
            problems.append(f"Ligne {number} : la table et le code doivent être remplis.")
            continue
        labels = tables.setdefault(name, {})
        if labels.get(code, label) != label:
            problems.append(f"Ligne {number} : le code « {code} » de la table {name} a déjà un autre libellé.")
        if re.search(r"\w\?\w|(?:^|\s)\?\w|\ufffd", label):
            warnings.append(f"Ligne {number} : le libellé « {label} » semble abîmé par un changement d'encodage.")
        labels.setdefault(code, label)
    if not tables:
        problems.append("Le fichier ne contient aucun code.")
    if problems:
        raise CodeTableError(problems)
    return CodeTables({name: CodeTable(name, labels) for name, labels in tables.items()}, tuple(warnings))


def load_code_tables(source: BinaryIO) -> CodeTables:
    """Tables from an open CSV or XLSX file. Raises CodeTableError with French sentences."""
    data = source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise CodeTableError([f"Le fichier dépasse {MAX_BYTES // 1_000_000} Mo : ce n'est pas une table de codes."])
    if data.startswith(b"PK"):
        return parse_code_tables(_columns(_xlsx_rows(data)))
    text = _decoded(data)
    return parse_code_tables(_columns(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))))


def _decoded(data: bytes) -> str:
    """UTF-8 when it is valid; otherwise windows-1252 if its own signs (0x80–0x9F) occur, else ISO-8859-1."""
    if b"\0" in data:
        raise CodeTableError(["Le fichier n'est ni un CSV ni un classeur XLSX."])
    for encoding in ("utf-8-sig", "windows-1252" if re.search(rb"[\x80-\x9f]", data) else "iso-8859-1"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CodeTableError(["L'encodage du fichier n'est pas reconnu (UTF-8, windows-1252 ou ISO-8859-1 attendus)."])


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(";,\t|", key=header.count)


def _columns(rows: Iterable[list[str]]) -> Iterator[tuple[str, str, str]]:
    """The three columns by their titles, whatever their order; blank lines are skipped."""
    lines = iter(rows)
    titles = [normalised(title) for title in next(lines, [])]
    if any(titles.count(column) != 1 for column in _COLUMNS):
        raise CodeTableError(["La première ligne doit nommer les colonnes « table », « code » et « libelle »."])
    places = [titles.index(column) for column in _COLUMNS]
    for line in lines:
        cells = [cell.strip() for cell in line]
        if any(cells):
            cells += [""] * (max(places) + 1 - len(cells))
            yield cells[places[0]], cells[places[1]], cells[places[2]]


def _xlsx_rows(data: bytes) -> Iterator[list[str]]:
    """The first sheet's cells as text. Refuses a workbook whose contents would swell past MAX_BYTES × 5."""
    from openpyxl import load_workbook  # type: ignore[import-untyped]  # noqa: PLC0415 — 24 MB, for workbooks only

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES * 5:
                raise CodeTableError(["Le classeur est trop volumineux une fois ouvert."])
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        if isinstance(error, CodeTableError):
            raise
        raise CodeTableError(["Le fichier n'est pas un classeur XLSX lisible."]) from error
    try:
        for row in workbook.worksheets[0].iter_rows(values_only=True):
            yield ["" if cell is None else str(cell) for cell in row]
    finally:
        workbook.close()


def unmapped_codes(profile: MappingProfile, codes: CodeTables) -> list[str]:
    """French sentences on what the profile and the tables leave without meaning: missing tables, unknown labels."""
    sentences = [
        f"La table « {name} », demandée par le profil, manque." for name in profile.tables() if not codes.get(name)
    ]
    for mapping in (*profile.household_fields(), *profile.occupant.fields):
        table = codes.get(mapping.table)
        if mapping.type is not ValueType.CODE or mapping.keep or table is None:
            continue
        understood = table.meanings(mapping.target, dict(mapping.values))
        sentences.extend(
            f"Table {table.name} : le code « {code} » ({label}) n'a pas de sens connu ; précisez-le dans le profil."
            for code, label in table.labels.items()
            if code not in understood
        )
    return sorted(sentences)

"""Files of code tables: `table;code;libelle` in CSV (UTF-8, windows-1252, ISO-8859-1), XLSX or XML.

A workbook may have one sheet per table, named after it; an XML may hold the codes of a table inside its element.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any, BinaryIO

from lxml import etree

from .code_tables import CodeTableError, CodeTables, Entry, located, normalised, tables_of, told
from .prolog import HEAD, check_head
from .records import Anomaly

MAX_BYTES = 20_000_000
MAX_XML_BYTES = 5_000_000

TABLE = ("table", "nom table", "domaine", "nomenclature")
CODE = ("code", "valeur", "cle", "id")
LABEL = ("libelle", "label", "intitule", "designation")
_MOST_TOLD = 6
"""What a code says: itself, its label, its table, an order, dates; a row of anything else says more."""

_NAMES = ("nom", "name", *TABLE, "code", "id")

Row = tuple[int, list[str]]
"""A line of a sheet or of a CSV: its number, its cells."""


def load_code_tables(source: BinaryIO, name: str = "") -> CodeTables:
    """Tables from an open CSV, XLSX or XML file, `name` being the file's in sentences. Raises CodeTableError."""
    return tables_of(entries_of(source, name), name)


def entries_of(source: BinaryIO, name: str = "") -> Iterator[Entry]:
    """The codes of an open file. Raises CodeTableError, with French sentences that begin with the file's name."""
    data = source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _refused(name, f"le fichier dépasse {MAX_BYTES // 1_000_000} Mo : ce n'est pas une table de codes.")
    if data.startswith(b"PK"):
        return _workbook(data, name)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or data.startswith((b"\xff\xfe<", b"\xfe\xff\0<")):
        return _xml(data, name)
    text = _decoded(data, name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    entries = _sheet(_lines(reader, name), "", PurePath(name).stem)
    if entries is None:
        raise _refused(name, "la première ligne doit nommer les colonnes « table », « code » et « libelle ».")
    return entries


def _refused(name: str, words: str, line: int = 0) -> CodeTableError:
    message = located(name, f"ligne {line}" if line else "", words)
    return CodeTableError([message], (told("bad_code_table", line, message),))


def looks_like_codes(head: bytes) -> bool:
    """Whether the beginning of an XML file holds codes beside labels and hardly anything else.

    A file of households also has codes and labels, among values that are neither: hardly one in ten is allowed.
    """
    if isinstance(check_head(head[:HEAD].ljust(HEAD)), Anomaly):
        return False
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root: Any = etree.fromstring(head, parser)
    if root is None:
        return False
    codes = {element for element in root.iter() if _size(element) <= _MOST_TOLD and _entry(element, "x")}
    codes -= {above for element in codes for above in element.iterancestors()}
    told = {inside for element in codes for inside in element.iter()}
    others = [element for element in root.iter() if not len(element) and element not in told]
    return len(codes) >= 2 and len(others) <= 1 + len(codes) // 10  # one, for the last element may be cut


def _size(element: etree._Element) -> int:
    """How many things an element says: its attributes, and all that stands inside."""
    return len(element.attrib) + sum(1 + len(inside.attrib) for inside in element.iterdescendants())


# — tables of rows: CSV, sheets —


def _lines(reader: Iterable[list[str]], name: str) -> Iterator[Row]:
    """The rows of a CSV with the line where each ends: a quoted cell may hold several lines."""
    rows = iter(reader)
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refused(name, "le CSV est mal formé à cet endroit.", getattr(reader, "line_num", 0)) from error
        yield getattr(reader, "line_num", 0), cells


def _sheet(rows: Iterator[Row], sheet: str, table: str) -> Iterator[Entry] | None:
    """The codes under the titles of the first row, whatever their order, or None when it has no such titles.

    Without a column for the table, its name is that of the sheet or of the file.
    """
    _, first = next(rows, (0, []))
    titles = [normalised(title) for title in first]
    code, label, own = _column(titles, CODE), _column(titles, LABEL), _column(titles, TABLE)
    if code is None or label is None or (own is None and not table):
        return None

    def entries() -> Iterator[Entry]:
        for line, raw in rows:
            cells = [cell.strip() for cell in raw]
            if not any(cells):
                continue
            cells += [""] * (len(titles) - len(cells))
            place = f"feuille « {sheet} », ligne {line}" if sheet else f"ligne {line}"
            yield Entry(place, line, table if own is None else cells[own], cells[code], cells[label])

    return entries()


def _column(titles: list[str], names: tuple[str, ...]) -> int | None:
    """The one column that bears the first of these names to be there, or None."""
    name = next((name for name in names if name in titles), None)
    return titles.index(name) if name is not None and titles.count(name) == 1 else None


def _decoded(data: bytes, name: str) -> str:
    """UTF-8 when it is valid; otherwise windows-1252 if its own signs (0x80–0x9F) occur, else ISO-8859-1."""
    if b"\0" in data:
        raise _refused(name, "le fichier n'est ni un CSV, ni un classeur XLSX, ni du XML.")
    for encoding in ("utf-8-sig", "windows-1252" if re.search(rb"[\x80-\x9f]", data) else "iso-8859-1"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused(name, "l'encodage du fichier n'est pas reconnu (UTF-8, windows-1252 ou ISO-8859-1 attendus).")


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(";,\t|", key=header.count)


def _workbook(data: bytes, name: str) -> Iterator[Entry]:
    """The codes of all the sheets that have the titles. Refuses what would swell past MAX_BYTES × 5 once open."""
    from openpyxl import load_workbook  # type: ignore[import-untyped]  # noqa: PLC0415 — 24 MB, for workbooks only

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            swollen = sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES * 5
        if swollen:
            raise _refused(name, "le classeur est trop volumineux une fois ouvert.")
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, etree.XMLSyntaxError, SyntaxError) as error:
        if isinstance(error, CodeTableError):
            raise
        raise _refused(name, "le fichier n'est pas un classeur XLSX lisible.") from error
    try:
        yield from _sheets(workbook, name)
    except (KeyError, ValueError, OSError, SyntaxError, zipfile.BadZipFile) as error:
        if isinstance(error, CodeTableError):
            raise
        raise _refused(name, "le fichier n'est pas un classeur XLSX lisible.") from error
    finally:
        workbook.close()


def _sheets(workbook: Any, name: str) -> Iterator[Entry]:
    known = False
    for sheet in workbook.worksheets:
        rows = (
            (line, ["" if cell is None else str(cell) for cell in row])
            for line, row in enumerate(sheet.iter_rows(values_only=True), start=1)
        )
        entries = _sheet(rows, sheet.title, sheet.title)
        if entries is not None:
            known = True
            yield from entries
    if not known:
        raise _refused(name, "la première ligne doit nommer les colonnes « table », « code » et « libelle ».")


# — XML —


def _xml(data: bytes, name: str) -> Iterator[Entry]:
    """The codes of an XML: elements that have a code and a label, as attributes or as elements, in any arrangement."""
    if len(data) > MAX_XML_BYTES:
        raise _refused(name, f"le fichier dépasse {MAX_XML_BYTES // 1_000_000} Mo : ce n'est pas une table de codes.")
    verdict = check_head(data[:HEAD])
    if isinstance(verdict, Anomaly):
        raise _refused(name, _lowered(verdict.message), verdict.line)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, LookupError, UnicodeError, ValueError) as error:
        raise _refused(name, "le XML est mal formé à cet endroit.", getattr(error, "lineno", 0) or 0) from None
    found = {element: entry for element in root.iter() if (entry := _entry(element, PurePath(name).stem)) is not None}
    tables = {above for element in found for above in element.iterancestors()}
    yield from (entry for element, entry in found.items() if element not in tables)


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _entry(element: etree._Element, file: str) -> Entry | None:
    """What an element says if it has a code and a label; the label may be its text."""
    code, label = _said(element, CODE), _said(element, LABEL)
    if code is not None and label is None and not len(element):
        label = (element.text or "").strip() or None
    if code is None or label is None:
        return None
    known: Any = element.sourceline
    line: int = known or 0
    return Entry(f"ligne {line}", line, _said(element, TABLE) or _table_above(element) or file, code, label)


def _said(element: etree._Element, names: tuple[str, ...]) -> str | None:
    """What an element says under the first of these names: an attribute, a child, or a child so named (`name="…"`)."""
    known = {normalised(_local(key)): value for key, value in element.items()}
    for child in element:
        if not len(child):
            own = child.get("name") or child.get("nom") or _local(child.tag)
            known.setdefault(normalised(own), child.text or "")
    return next((str(known[name]).strip() for name in names if name in known), None)


def _table_above(element: etree._Element) -> str:
    """The name that the nearest element above bears, else the tag of the element just above, the root excepted."""
    for above in element.iterancestors():
        attributes = {normalised(_local(key)): str(value).strip() for key, value in above.items()}
        named = next((attributes[name] for name in _NAMES if attributes.get(name)), "")
        if named:
            return named
    parent = element.getparent()
    return _local(parent.tag) if parent is not None and parent.getparent() is not None else ""


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]

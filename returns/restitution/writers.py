"""Records to files: CSV, XML, XLSX, fixed width. Each writer streams, so that memory stays flat, and counts its lines.

CSV, XLSX and fixed width hold one line per occupant with the household repeated (one line, occupant columns empty, for
a case that is not complete); XML nests the occupants.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import IO

import xlsxwriter
from lxml import etree

from returns.restitution.columns import Column, Columns, Record, UnableToRestitute

Writer = Callable[[Columns, Iterable[Record], IO[bytes]], int]
SHEET_ROWS = 1_048_576  # rows of an Excel sheet, its heading included
FIXED_ENCODING = "iso-8859-15"
NEAREST = str.maketrans("’‘“”–—−…łŁđĐıħĦ", "''\"\"---.lLdDihH")  # letters and marks that have no plain part


def lines_of(columns: Columns, records: Iterable[Record]) -> Iterator[list[str]]:
    """The flat lines: household columns, then occupant columns."""
    for record in records:
        start = [record.household.get(column.name, "") for column in columns.household]
        for person in record.occupants or ({},):
            yield start + [person.get(column.name, "") for column in columns.occupants]


def flat_columns(columns: Columns) -> tuple[Column, ...]:
    """The columns of a flat file, in order."""
    return (*columns.household, *columns.occupants)


def write_csv(columns: Columns, records: Iterable[Record], out: IO[bytes]) -> int:
    """UTF-8, semicolons, one header line. Returns the number of lines after it."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    sheet = csv.writer(text, delimiter=";", lineterminator="\r\n")
    sheet.writerow([column.name for column in flat_columns(columns)])
    count = 0
    for line in lines_of(columns, records):
        sheet.writerow(line)
        count += 1
    text.flush()
    text.detach()
    return count


def write_xml(columns: Columns, records: Iterable[Record], out: IO[bytes]) -> int:
    """UTF-8; `<Dossier>` with one element per column, and `<Occupants><Occupant>`. Returns the number of cases."""
    count = 0
    with etree.xmlfile(out, encoding="UTF-8") as file:
        file.write_declaration()
        with file.element("Restitution"):
            file.write("\n")
            for record in records:
                file.write(_case_element(record))
                file.write("\n")
                count += 1
    return count


def _case_element(record: Record) -> etree._Element:
    node = etree.Element("Dossier")
    for name, value in record.household.items():
        etree.SubElement(node, name).text = value
    if record.occupants:
        people = etree.SubElement(node, "Occupants")
        for told in record.occupants:
            person = etree.SubElement(people, "Occupant")
            for name, value in told.items():
                etree.SubElement(person, name).text = value
    return node


def write_xlsx(columns: Columns, records: Iterable[Record], out: IO[bytes]) -> int:
    """One sheet, every cell a text: no leading zero is lost, no formula runs. Returns the number of lines.

    The same records give the same bytes. Raises UnableToRestitute beyond the rows of a sheet: none is dropped.
    """
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": dt.datetime(2000, 1, 1)})  # noqa: DTZ001 - a fixed date, for equal bytes
    sheet = book.add_worksheet("Restitution")
    heading = book.add_format({"bold": True})
    for place, column in enumerate(flat_columns(columns)):
        sheet.write_string(0, place, column.name, heading)
        sheet.set_column(place, place, min(max(len(column.name), column.width), 40) + 2)
    sheet.freeze_panes(1, 0)
    count = 0
    for line in lines_of(columns, records):
        count += 1
        if count >= SHEET_ROWS:
            raise UnableToRestitute("Un classeur Excel ne tient pas tant de lignes : choisissez CSV ou XML.")
        for place, value in enumerate(line):
            sheet.write_string(count, place, value)
    book.close()
    return count


def write_fixed(columns: Columns, records: Iterable[Record], out: IO[bytes]) -> int:
    """ISO-8859-15, fixed widths, CR LF; what the encoding lacks becomes its nearest plain letter, else '?'.

    Raises UnableToRestitute on a value wider than its column: a number or a code is never cut.
    """
    flat = flat_columns(columns)
    count = 0
    for line in lines_of(columns, records):
        texts = [_plain(value) for value in line]
        for column, text in zip(flat, texts, strict=True):
            if len(text) > column.width:
                raise UnableToRestitute(
                    f"Dossier {line[0]} : la colonne {column.name} tient {column.width} caractères, il en faut "
                    f"{len(text)}. Choisissez un autre format."
                )
        out.write(
            "".join(text.ljust(column.width) for column, text in zip(flat, texts, strict=True)).encode(FIXED_ENCODING)
            + b"\r\n"
        )
        count += 1
    return count


def _plain(text: str) -> str:
    """The text in what the encoding knows: Nguyễn becomes Nguyên, Łódź becomes Lódz."""
    return text if _fits(text) else "".join(each if _fits(each) else _nearest(each) for each in text)


def _nearest(letter: str) -> str:
    """The letter with as many of its accents as the encoding knows."""
    known = letter.translate(NEAREST)
    parts = unicodedata.normalize("NFD", known)
    for end in range(len(parts), 0, -1):
        composed = unicodedata.normalize("NFC", parts[:end])
        if _fits(composed):
            return composed
    return "?"


def _fits(text: str) -> bool:
    try:
        text.encode(FIXED_ENCODING)
    except UnicodeEncodeError:
        return False
    return True


WRITERS: dict[str, Writer] = {"csv": write_csv, "xml": write_xml, "xlsx": write_xlsx, "fixed": write_fixed}
EXTENSIONS = {"csv": "csv", "xml": "xml", "xlsx": "xlsx", "fixed": "txt"}

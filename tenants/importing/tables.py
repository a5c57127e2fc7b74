"""Tables filled at once: their lines wait in files of this process, then go in by COPY or by `executemany`.

The files hold the text form of PostgreSQL's COPY: one line a row, values between tabs, a backslash before what would
be misread. Columns that an import does not feed hold what Django would have put there. A table that is filled straight
away keeps its lines in memory, for a `Stream` to take.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TextIO

from django.db import connection
from django.db.models import AutoField, Field, JSONField, Model

# No XML file can carry this sign, so that no value can be taken for « nothing ».
NOTHING = "\x01"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(r"\\(.)")
_MEANT = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
_BUFFER = 1 << 20
_AT_ONCE = 5_000  # rows: Django keeps all those of one `executemany` in memory


def text_of(value: Any) -> str:
    """A value as COPY reads it."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value).translate(ESCAPES)


def copy(raw: Any, query: str, lines: Any) -> None:
    """COPY's lines, an open binary file, through a connection of psycopg2. Raises its errors."""
    with raw.cursor() as cursor:
        cursor.copy_expert(query, lines, size=_BUFFER)


class Table:
    """One table being filled. `fed` are the columns that each line starts with, in this order; `rest` ends it.

    Its lines wait for `load`, or, when it is filled `straight` away, to be `taken`.
    """

    def __init__(self, model: type[Model], fed: Sequence[str], *, straight: bool = False) -> None:
        self.model = model
        fields = {field.column: field for field in model._meta.concrete_fields}
        columns: list[str] = [model._meta.get_field(name).column for name in fed]  # type: ignore[union-attr,misc]
        others = [
            field for column, field in fields.items() if column not in columns and not isinstance(field, AutoField)
        ]
        # What no file feeds is the same in all lines; what would be nothing is left to the database.
        usual = {field.column: _usual(field) for field in others}
        self._usual = {column: text_of(value) for column, value in usual.items() if value is not None}
        self.columns = [*columns, *self._usual]
        self._marks = ["NULLIF(%s, char(1))" if fields[column].null else "%s" for column in columns]
        # What ends each line, its line feed included: SQLite has the same values once, in its query.
        told = self._usual.values() if connection.vendor == "postgresql" else ()
        self.rest = "".join(f"\t{value}" for value in told) + "\n"
        self._lines: list[str] = []
        self._file = None if straight else _spool()

    @property
    def query(self) -> str:
        """What puts lines into the table: COPY, or on SQLite the values of one line."""
        names = ", ".join(f'"{column}"' for column in self.columns)
        table = f'"{self.model._meta.db_table}"'
        if connection.vendor == "postgresql":
            return f"COPY {table} ({names}) FROM STDIN WITH (NULL E'\\x01')"
        marks = ", ".join([*self._marks, *map(_quoted, self._usual.values())])
        return f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 — our names

    def write(self, lines: str) -> None:
        """Whole lines."""
        if self._file is None:
            self._lines.append(lines)
        else:
            self._file.write(lines)

    def taken(self) -> bytes:
        """The lines written since the last time, of a table that is filled straight away."""
        lines, self._lines = "".join(self._lines), []
        return lines.encode()

    def close(self) -> None:
        """Forget them."""
        self._lines = []
        if self._file is not None:
            self._file.close()

    def load(self) -> None:
        """Put all the lines that wait into the database, in the transaction that is open."""
        if self._file is None:
            return
        self._file.flush()
        self._file.seek(0)
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors:  # Django wraps what it knows, and COPY is psycopg2's own
                copy(connection.connection, self.query, self._file.buffer)
            return
        with connection.cursor() as cursor:
            query, rows = self.query, _rows(self._file)
            while chunk := list(islice(rows, _AT_ONCE)):
                cursor.executemany(query, chunk)


def _spool() -> io.TextIOWrapper:
    return tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", buffering=_BUFFER)


def _rows(lines: TextIO) -> Iterator[list[str]]:
    for line in lines:
        values = line[:-1].split("\t")
        yield [_plain(value) for value in values] if "\\" in line else values


def _usual(field: Field[Any, Any]) -> Any:
    """What Django puts into a column when nobody says anything."""
    value = field.pre_save(field.model(), add=True)
    if isinstance(field, JSONField):
        return json.dumps(value)
    return field.get_db_prep_save(value, connection)


def _quoted(value: str) -> str:
    """One of our own values inside a query of SQLite."""
    return "'" + _plain(value).replace("'", "''").replace("%", "%%") + "'"


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANT[found[1]], value) if "\\" in value else value

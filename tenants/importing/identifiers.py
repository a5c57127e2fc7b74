"""Identifiers given before a row is written: ids reserved by blocks, case references drawn by thousands."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection, transaction
from django.db.models import Max, Model

from campaigns.scope import all_landlords
from tenants.models import SurveyCase
from tenants.models.cases import REFERENCE_SYMBOLS

T = TypeVar("T")
LENGTH = 8
_SYMBOLS = REFERENCE_SYMBOLS.encode()
# A random byte gives a symbol; those past the last whole turn of the alphabet are dropped, so that none is favoured.
_FAIR = 256 - 256 % len(_SYMBOLS)
_TURN = bytes(_SYMBOLS[byte % len(_SYMBOLS)] for byte in range(256))
_DROPPED = bytes(range(_FAIR, 256))
_CELLS = 2**26


def reserve_ids(model: type[Model], count: int) -> list[int]:
    """So many ids of that table that nobody else will ever be given. Those that are not used are lost, harmlessly."""
    if not count:
        return []
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The sequence is looked for once: asked beside `nextval`, it would be looked for at each of them.
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
            query = "SELECT nextval(%s::regclass) FROM generate_series(1, %s)"
            cursor.execute(query, [cursor.fetchone()[0], count])
            return [row[0] for row in cursor.fetchall()]
        with transaction.atomic():
            return _reserve_on_sqlite(cursor, model, table, count)


def _reserve_on_sqlite(cursor: Any, model: type[Model], table: str, count: int) -> list[int]:
    """SQLite keeps the last id of each table in a table of its own, which may be written."""
    cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s", [count, table])
    if cursor.rowcount == 0:
        with all_landlords():
            last = model._default_manager.aggregate(last=Max("pk"))["last"] or 0
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last + count])
    cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
    last = cursor.fetchone()[0]
    return list(range(last - count + 1, last + 1))


MOST_AHEAD = 20_000


class Ahead(Generic[T]):
    """Identifiers taken ahead of need, by as many as were needed so far: a query for each block would be too many."""

    def __init__(self, take: Callable[[int], list[T]]) -> None:
        self._more = take
        self._given = 0
        self._left: list[T] = []

    def take(self, count: int) -> list[T]:
        """So many, each given once."""
        if len(self._left) < count:
            self._left += self._more(count - len(self._left) + min(self._given, MOST_AHEAD))
        given, self._left = self._left[:count], self._left[count:]
        self._given += count
        return given


class CaseReferences:
    """Case references: eight random symbols (36 bits), never given twice, neither here nor to a case that exists.

    What was drawn is remembered as one bit in 8 MB: a reference whose bit is taken is dropped, known or not.
    """

    def __init__(self) -> None:
        self._drawn = bytearray(_CELLS // 8)
        with all_landlords():
            self._alone = not SurveyCase.objects.exists()

    def take(self, count: int) -> list[str]:
        """So many new references."""
        given: list[str] = []
        while len(given) < count:
            drawn = self._new(self._draw(count - len(given)))
            given += drawn if self._alone else self._free(drawn)
        return given

    @staticmethod
    def _draw(count: int) -> list[str]:
        symbols = b""
        while len(symbols) < count * LENGTH:
            symbols += secrets.token_bytes(count * LENGTH + 64).translate(_TURN, _DROPPED)
        text = symbols.decode("ascii")
        return [text[start : start + LENGTH] for start in range(0, count * LENGTH, LENGTH)]

    def _new(self, references: list[str]) -> list[str]:
        """Those whose bit was not taken; it is from now on."""
        drawn, found = self._drawn, []
        for reference in references:
            place = hash(reference) % _CELLS
            byte, bit = place >> 3, 1 << (place & 7)
            if not drawn[byte] & bit:
                drawn[byte] |= bit
                found.append(reference)
        return found

    @staticmethod
    def _free(drawn: list[str]) -> list[str]:
        """Those that no case bears, whoever's it is. One text asks for all: thousands of them would each be quoted."""
        postgresql = connection.vendor == "postgresql"
        among = "= ANY(string_to_array(%s, ' '))" if postgresql else "IN (SELECT value FROM json_each(%s))"
        table = SurveyCase._meta.db_table
        with connection.cursor() as cursor:
            query = f"SELECT reference FROM {table} WHERE reference {among}"  # noqa: S608 — our names
            cursor.execute(query, [" ".join(drawn) if postgresql else json.dumps(drawn)])
            taken = {row[0] for row in cursor.fetchall()}
        return [each for each in drawn if each not in taken] if taken else drawn

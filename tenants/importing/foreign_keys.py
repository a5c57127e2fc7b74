"""Foreign keys of rows that are loaded by the hundred thousand: asked once of all of them, not once for each.

PostgreSQL looks a key up at each row that comes, which is half of what a loaded row costs it. An account that was given
the right to (`GRANT SET ON PARAMETER session_replication_role`) has the rows checked by one query a key instead, before
the transaction ends. Triggers that must hold nevertheless are `ENABLE ALWAYS`: those of the audit are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import ForeignKey, Model

ROW_BY_ROW = "SET LOCAL session_replication_role = origin"
ALL_AT_ONCE = "SET LOCAL session_replication_role = replica"


class ForeignKeys:
    """The keys of these tables, for the time of one load in the transaction that is open.

    Rows of the load have ids above all those that could be seen when it began, as a sequence gives them.
    """

    def __init__(self, models: Sequence[type[Model]]) -> None:
        self._at_once = may_be_asked_at_once()
        self._floors = {model: _last(model) for model in models} if self._at_once else {}

    def begin(self) -> None:
        """Check row by row as rows come, or nothing until `end`."""
        with connection.cursor() as cursor:
            cursor.execute(ALL_AT_ONCE if self._at_once else "SET CONSTRAINTS ALL IMMEDIATE")

    def end(self) -> None:
        """Back to what is usual. Raises IntegrityError when a row that was loaded names one that is not there."""
        with connection.cursor() as cursor:
            cursor.execute(ROW_BY_ROW if self._at_once else "SET CONSTRAINTS ALL DEFERRED")
            for model, floor in self._floors.items():
                for field in held(model):
                    _ask(cursor, model, field, floor)


def may_be_asked_at_once() -> bool:
    """Whether the account that is connected was given that right (PostgreSQL 15 and later)."""
    if connection.vendor != "postgresql" or connection.pg_version < 150_000:  # type: ignore[attr-defined]
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
        return bool(cursor.fetchone()[0])


def held(model: type[Model]) -> list[ForeignKey[Any, Any]]:
    """The foreign keys that the database holds for that table."""
    fields: list[Any] = [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
    return [field for field in fields if field.db_constraint]


def _last(model: type[Model]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT max(id) FROM "{model._meta.db_table}"')  # noqa: S608 — our names
        return cursor.fetchone()[0] or 0


def _ask(cursor: Any, model: type[Model], field: ForeignKey[Any, Any], floor: int) -> None:
    parent, key = field.target_field.model._meta.db_table, field.target_field.column
    query = f"""
        SELECT loaded.id FROM "{model._meta.db_table}" loaded
        WHERE loaded.id > %s AND loaded."{field.column}" IS NOT NULL
          AND NOT EXISTS (SELECT FROM "{parent}" parent WHERE parent."{key}" = loaded."{field.column}") LIMIT 1
    """  # noqa: S608 — our names
    cursor.execute(query, [floor])
    if alone := cursor.fetchone():
        message = f'insert on table "{model._meta.db_table}" violates foreign key "{field.column}" (row {alone[0]})'
        raise IntegrityError(message)

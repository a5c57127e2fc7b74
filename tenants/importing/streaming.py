"""Lines that go into PostgreSQL while the next ones are read: same connection, same transaction, another thread.

psycopg2 lets other threads run while it waits for the server, so that reading and loading take one core each. A block
is loaded table by table, parents first. Foreign keys are checked as rows come, or once before the end (`ForeignKeys`):
either way, the server has little to remember.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from io import BytesIO
from threading import Lock
from types import TracebackType
from typing import Any

from django.db import DatabaseError, connection

from tenants.importing.foreign_keys import ForeignKeys
from tenants.importing.tables import Table, copy

AHEAD = 2
"""Blocks that may wait for the server: beyond that, the reading waits."""


class Stream:
    """One import's lines on their way into these tables. Use as a context manager, inside their transaction.

    Leaving it in good order waits for the last block. An error of the server is raised in the thread that reads, by
    `send`, by its next query or at the end. However it is left, nothing runs on the connection any more.
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tables
        self._keys = ForeignKeys([table.model for table in tables])
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="copy")
        self._sent: deque[Future[None]] = deque()
        self._turn = Lock()
        self._left = False
        self._exits = ExitStack()

    def __enter__(self) -> Stream:
        self._keys.begin()
        self._raw: Any = connection.connection
        self._exits.enter_context(connection.execute_wrapper(self._in_turn))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._left = kind is not None
        try:
            while kind is None and self._sent:
                self._settle()
        except BaseException:
            self._left = True
            raise
        finally:
            self._worker.shutdown(cancel_futures=True)
            self._exits.close()
        if kind is None:
            self._keys.end()

    def send(self) -> None:
        """The lines that the tables have been given since the last time, in their order."""
        waiting = [(table.query, lines) for table in self._tables if (lines := table.taken())]
        self._sent.append(self._worker.submit(self._load, waiting))
        while len(self._sent) > AHEAD:
            self._settle()

    def _load(self, waiting: Sequence[tuple[str, bytes]]) -> None:
        """In the other thread."""
        for query, lines in waiting:
            with self._turn:
                if self._left:
                    return
                copy(self._raw, query, BytesIO(lines))

    def _settle(self) -> None:
        with connection.wrap_database_errors:
            self._sent.popleft().result()

    def _in_turn(self, execute: Callable[..., Any], *told: Any) -> Any:
        """A query of the thread that reads: between two tables. One that failed is what is told of those after it."""
        with self._turn:
            try:
                return execute(*told)
            except DatabaseError as error:
                refused = error
        while self._sent:
            self._settle()
        raise refused

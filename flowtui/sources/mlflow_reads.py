"""Short reads of MLflow's database, none of which its writer has to wait for long.

It is kept with a rollback journal, where whoever reads keeps the writer from committing: MLflow
gives up after 5 s with "database is locked". So every question is a connection and a transaction of
its own, a page of a long answer is read in some hundredths of a second, and between them nothing is
open. The connection may not write, and `immutable` is never said, since the file may change.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from flowtui.sources import files
from flowtui.sources.records import SourceError
from flowtui.store import cancelling
from flowtui.store.database import Database
from flowtui.store.errors import DatabaseError
from flowtui.store.transaction import is_busy
from flowtui.store.unreadable import ERRORS, text

T = TypeVar("T")
Row = tuple[object, ...]
Question = Callable[[sqlite3.Connection], T]
Tables = Mapping[str, frozenset[str]]

NOTHING: Mapping[str, object] = {}
MAGIC = b"SQLite format 3\0"
_PAGE_S = 0.03
"""How long one page may be read for."""
_PAGE_ROWS = 5_000
_PAGE_BYTES = 8 << 20
_BUSY_S = 5.0
_RETRY_S = 0.001
_LONGEST_S = 10.0
"""No page of tables takes as long; what does is a program in the file's schema."""
_STEPS = 20_000
_LOG_VERSION = 2
"""What stands in byte 18 of a database with a write-ahead log."""
_NEEDS_A_COPY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
"""What SQLite answers where a killed writer's journal has to be played back first."""


def is_database(path: Path) -> bool:
    """Say whether a file is a database of SQLite."""
    return _header(path)[:16] == MAGIC


def _header(path: Path) -> bytes:
    try:
        with files.opened(path) as file:
            return file.read(20)
    except OSError:
        return b""


class ShortReads:
    """Asks one database."""

    def __init__(self, path: Path) -> None:
        """Take the real path of a file."""
        self._path = path
        self._with_log = Database(path, path.name)

    def close(self) -> None:
        """Remove the copy that was made where a killed writer's journal had to be played back."""
        self._with_log.close()

    def ask(self, question: Question[T]) -> T:
        """Return what `question` answers from one state of the database; it may be asked again.

        Raises:
            SourceError: It cannot be read.
            ReadCancelled: Nobody waits any more.
        """
        header = _header(self._path)
        if not header:
            raise SourceError(f"{self._path} is not there any more, or may not be read")
        until_s = time.monotonic() + _BUSY_S
        while header[18] != _LOG_VERSION:
            try:
                return self._asked(question)
            except sqlite3.ProgrammingError:
                raise
            except ERRORS as error:
                cancelling.check()
                if isinstance(error, sqlite3.DatabaseError) and is_busy(error):
                    if time.monotonic() > until_s:
                        raise SourceError(f"{self._path} is being written; try again") from error
                    time.sleep(_RETRY_S)
                    continue
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NEEDS_A_COPY:
                    raise SourceError(f"{self._path} cannot be read: {text(error)}") from error
                break
        try:
            return self._with_log.read(question)
        except DatabaseError as error:
            raise SourceError(str(error)) from error

    def _asked(self, question: Question[T]) -> T:
        with closing(
            sqlite3.connect(
                f"{self._path.as_uri()}?mode=ro",
                uri=True,
                timeout=0,
                isolation_level=None,
                check_same_thread=False,
            )
        ) as connection:
            connection.text_factory = _decoded
            connection.execute("PRAGMA query_only = 1")
            connection.execute("PRAGMA trusted_schema = 0")
            end_s = time.monotonic() + _LONGEST_S
            connection.set_progress_handler(
                lambda: cancelling.is_left() or time.monotonic() > end_s, _STEPS
            )
            connection.execute("BEGIN")
            return question(connection)

    def tables(self) -> Tables:
        """Return the columns of each table; views are none."""

        def columns(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
            found: dict[str, set[str]] = {}
            for table, column in connection.execute(
                "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c"
                " WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%'"
            ):
                found.setdefault(str(table), set()).add(str(column))
            return {table: frozenset(names) for table, names in found.items()}

        return self.ask(columns)

    def pages(self, sql: str, values: Mapping[str, object], first: object) -> Iterator[list[Row]]:
        """Yield a long answer page by page, each in a transaction of its own.

        Args:
            sql: A statement whose rows begin with a key, above `:after`, in the order of the key.
            values: Other parameters of it.
            first: What `:after` is at first.
        """
        after, has_more = first, True
        while has_more:
            rows, has_more = self.ask(partial(_page, sql=sql, values={**values, "after": after}))
            if rows:
                yield rows
                after = rows[-1][0]

    def rows(self, sql: str, values: Mapping[str, object] = NOTHING) -> list[Row]:
        """Return a whole answer, which is known to be short."""
        return self.ask(lambda connection: connection.execute(sql, values).fetchall())

    def is_quick(self, table: str, column: str) -> bool:
        """Say whether an index begins with a column, so that rows of one value need no search."""
        sql = (
            "SELECT 1 FROM pragma_index_list(:table) AS i, pragma_index_info(i.name) AS c"
            " WHERE c.seqno = 0 AND c.name = :column LIMIT 1"
        )
        return bool(self.rows(sql, {"table": table, "column": column}))


def _page(
    connection: sqlite3.Connection, sql: str, values: Mapping[str, object]
) -> tuple[list[Row], bool]:
    """Return the first rows of an answer, as many as are read in a short time; whether more are."""
    until_s = time.monotonic() + _PAGE_S
    rows: list[Row] = []
    size = 0
    for row in connection.execute(sql, values):
        rows.append(tuple(row))
        size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
        if len(rows) == _PAGE_ROWS or size > _PAGE_BYTES:
            return rows, True
        # Looking at the clock for each row would take longer than reading it.
        if len(rows) % 64 == 0 and time.monotonic() > until_s:
            return rows, True
    return rows, False


def chosen(tables: Tables, table: str, names: Sequence[str], alias: str = "") -> str:
    """Return columns for a SELECT; those that this version of MLflow has not are NULL."""
    there = tables.get(table, frozenset())
    return ", ".join(f'{alias}"{name}"' if name in there else f'NULL AS "{name}"' for name in names)


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")

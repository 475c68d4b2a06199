"""Metrics whose steps are kept as text or bytes, read as if they had been kept as numbers.

The index of all points has such steps in the order of their bytes, so every question about an order
of steps would be a scan and a sort. Instead the rows of such a metric are copied once, with their
steps as numbers, into a database of SQLite's own for this process, which has the same index; what
is logged later is added. Metrics whose steps are numbers are asked about where they are.
Source: dynamic_metrics.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from flowtui.store.database import VM_STEPS_BETWEEN_CANCEL_CHECKS, Cancelled, Database, decode
from flowtui.store.errors import DatabaseError, ReadCancelled
from flowtui.store.metrics import has_odd_steps, mark
from flowtui.store.reading import as_sql
from flowtui.store.steps import decoded

T = TypeVar("T")

_TABLE = """
create table dynamic_metrics (key text, step, value, logged_at, is_float32);
create index by_step on dynamic_metrics (key, step);
"""
_INSERT = (
    "insert or replace into dynamic_metrics (rowid, key, step, value, logged_at, is_float32)"
    " values (?, cast(? as text), ?, ?, cast(? as text), ?)"
)
_COUNT = "select count(*) from dynamic_metrics where key = cast(:key as text)"


class NumberedSteps:
    """Answers questions about the points of one run's metrics, from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._copy: sqlite3.Connection | None = None
        self._marks: dict[str, int] = {}
        """Per metric in the copy: the highest rowid that was looked at."""

    def read(
        self,
        key: str,
        question: Callable[[sqlite3.Connection], T],
        cancelled: Cancelled | None = None,
    ) -> T:
        """Return what a question about one metric answers; its connection has steps as numbers.

        Raises:
            DatabaseError: the run's database cannot be read, or no copy can be made.
            ReadCancelled: `cancelled` said so.
        """

        def ask(db: sqlite3.Connection) -> tuple[T] | None:
            return None if has_odd_steps(db, key) else (question(db),)

        answer = self._database.read(ask, cancelled)
        return self.read_copy(key, question, cancelled) if answer is None else answer[0]

    def read_copy(
        self,
        key: str,
        question: Callable[[sqlite3.Connection], T],
        cancelled: Cancelled | None = None,
    ) -> T:
        """Return what `read` does, of a metric that is known to have steps of text or bytes."""
        try:
            with self._lock:
                copy = self._brought_up(key, cancelled)
                copy.set_progress_handler(cancelled, VM_STEPS_BETWEEN_CANCEL_CHECKS)
                return question(copy)
        except sqlite3.Error as error:
            if cancelled is not None and cancelled():
                raise ReadCancelled("the read was left") from error
            message = f"{self._database.label}: steps of {key!r} cannot be sorted: {error}"
            raise DatabaseError(self._database.path, message) from error

    def close(self) -> None:
        """Remove the copy."""
        with self._lock:
            if self._copy is not None:
                self._copy.close()
            self._copy = None
            self._marks.clear()

    def _brought_up(self, key: str, cancelled: Cancelled | None) -> sqlite3.Connection:
        copy = self._copy or _opened()
        self._copy = copy
        copy.set_progress_handler(None, 0)
        copy.execute("begin")
        try:
            known = self._marks.get(key)
            seen = self._database.read(lambda db: _bring_up(db, copy, key, known), cancelled)
        except BaseException:
            copy.execute("rollback")
            raise
        copy.execute("commit")
        self._marks[key] = seen
        return copy


def _opened() -> sqlite3.Connection:
    # Without a name it is a file that is gone with its connection, and in memory while it is small.
    copy = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    copy.text_factory = decode
    copy.executescript(f"pragma journal_mode = memory; {_TABLE}")
    return copy


def _bring_up(
    db: sqlite3.Connection, copy: sqlite3.Connection, key: str, known_mark: int | None
) -> int:
    """Copy the rows of a metric that the copy lacks, and return the mark of what it then covers."""
    # A read is asked again where files changed under it.
    copy.execute("rollback")
    copy.execute("begin")
    given = {"key": as_sql(key)}
    newest = mark(db)
    wanted = db.execute(_COUNT, given).fetchone()
    if known_mark is not None and known_mark <= newest:
        copy.executemany(_INSERT, _rows(db, key, known_mark))
    # A row that was replaced, as a step that is logged again is, is still in the copy.
    if known_mark is None or copy.execute(_COUNT, given).fetchone() != wanted:
        copy.execute("delete from dynamic_metrics where key = cast(:key as text)", given)
        copy.executemany(_INSERT, _rows(db, key, None))
    # A row of no metric: summaries are marked with the highest rowid of the whole table.
    copy.execute("delete from dynamic_metrics where key is null")
    copy.execute("insert or ignore into dynamic_metrics (rowid) values (?)", (newest,))
    return newest


def _rows(
    db: sqlite3.Connection, key: str, after: int | None
) -> Iterator[tuple[int, bytes, object, object, object, bool]]:
    found = db.execute(
        "select rowid, step, value, logged_at from dynamic_metrics"
        " where key = cast(:key as text) and (:after is null or rowid > :after)",
        {"key": as_sql(key), "after": after},
    )
    name = as_sql(key)
    for rowid, stored, value, logged_at in found:
        step, is_float32 = decoded(stored)
        # Whatever is no number reads as none; text of a writer may be none that SQLite takes.
        number = value if value is None or isinstance(value, (int, float)) else b""
        time = as_sql(logged_at) if isinstance(logged_at, str) else logged_at
        yield rowid, name, step, number, time, is_float32

"""Metrics whose steps are stored as text or bytes, read as if they were stored as numbers.

The index of all points has such steps in the order of their bytes, so every question about an order
of steps would be a scan and a sort. Instead the rows of such a metric are copied once, with their
steps as numbers, into a database of SQLite's own for this process, which has the same index; what
is logged later is added. Metrics whose steps are numbers are read where they are.
Source: dynamic_metrics.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from flowtui.store import cancelling, unreadable
from flowtui.store.database import VM_STEPS_BETWEEN_CANCEL_CHECKS, Database, decode
from flowtui.store.decoding import as_sql
from flowtui.store.errors import DatabaseError
from flowtui.store.metrics.listing import has_odd_steps, mark
from flowtui.store.metrics.steps import decoded

T = TypeVar("T")

ROWS_A_READ = 50_000
"""How many rows one read copies, in 0.2 s; a longer one would keep the writer's log growing."""
BEFORE_ALL = -(2**63)
"""A rowid below that of any row."""
RUNS_WITH_COPIES = 4
PIECEWISE_TRIES = 3
"""How many tries a metric gets whose points are replaced meanwhile, before one read copies it."""

_TABLE = """
create table dynamic_metrics (key text, step, value, logged_at, is_float32);
create index by_step on dynamic_metrics (key, step);
"""
_INSERT = (
    "insert or replace into dynamic_metrics (rowid, key, step, value, logged_at, is_float32)"
    " values (?, cast(? as text), ?, ?, cast(? as text), ?)"
)
_COUNT_AND_LAST = "select count(*), max(rowid) from dynamic_metrics where key = cast(:key as text)"
_COUNT = "select count(*) from dynamic_metrics where key = cast(:key as text)"


class NumberedSteps:
    """Answers questions about the points of one run's metrics, from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._copy: sqlite3.Connection | None = None
        self._marks: dict[str, int] = {}
        """For each metric in the copy: all of its rows up to this rowid were copied."""
        self._inode: int | None = None
        """The identity of the copied file; another file may have as many rows."""

    def read(self, key: str, question: Callable[[sqlite3.Connection], T]) -> T:
        """Return the answer to a question about one metric; its connection has steps as numbers.

        Raises:
            DatabaseError: The run's database cannot be read, or no copy can be made.
            ReadCancelled: Nobody waits any more.
        """

        def ask(db: sqlite3.Connection) -> tuple[T] | None:
            return None if has_odd_steps(db, key) else (question(db),)

        answer = self._database.read(ask)
        return self._read_copy(key, question) if answer is None else answer[0]

    def _read_copy(self, key: str, question: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with self._lock:
                copy = self._current_copy(key)
                copy.set_progress_handler(cancelling.is_left, VM_STEPS_BETWEEN_CANCEL_CHECKS)
                return question(copy)
        except sqlite3.ProgrammingError:
            raise
        except unreadable.ERRORS as error:
            cancelling.check()
            unreadable.raise_what_was_lost(error)
            said = unreadable.text(error)
            message = f"{self._database.label}: steps of {key!r} cannot be sorted: {said}"
            raise DatabaseError(self._database.path, message) from error

    def close(self) -> None:
        """Remove the copy."""
        with self._lock:
            if self._copy is not None:
                self._copy.close()
            self._copy = None
            self._marks.clear()

    def _current_copy(self, key: str) -> sqlite3.Connection:
        main = self._database.fingerprint().main
        inode = main[0] if main is not None else None
        if self._copy is None or inode != self._inode:
            self._copy, self._inode, self._marks = _opened(), inode, {}
        copy = self._copy
        copy.set_progress_handler(None, 0)
        for pieces in (*[True] * PIECEWISE_TRIES, False):
            if self._copy_new_rows(copy, key, ROWS_A_READ if pieces else -1):
                break
        return copy

    def _copy_new_rows(self, copy: sqlite3.Connection, key: str, limit: int) -> bool:
        """Copy the new rows of a metric; return False if copied rows have been replaced."""
        while True:
            known = self._marks.get(key, BEFORE_ALL)
            bring_up = partial(_bring_up, copy=copy, key=key, known_mark=known, limit=limit)
            copy.execute("begin")
            try:
                state = self._database.read(bring_up)
            except BaseException:
                copy.execute("rollback")
                raise
            copy.execute("commit")
            self._marks[key] = state.mark
            if state.is_complete:
                return state.is_true


class NumberedRuns:
    """Keeps the copies of the runs that were asked last; usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_path: OrderedDict[Path, NumberedSteps] = OrderedDict()
        """The copies by database, the last used one last."""

    def of(self, database: Database) -> NumberedSteps:
        """Return the copy of a run's database, made when it is first needed."""
        with self._lock:
            numbered = self._by_path.setdefault(database.path, NumberedSteps(database))
            self._by_path.move_to_end(database.path)
            is_full = len(self._by_path) > RUNS_WITH_COPIES
            oldest = self._by_path.popitem(last=False)[1] if is_full else None
        if oldest is not None:
            oldest.close()
        return numbered

    def close(self) -> None:
        """Remove all copies."""
        with self._lock:
            for numbered in self._by_path.values():
                numbered.close()


class _State(NamedTuple):
    """The state of the copy of a metric after a read."""

    mark: int
    """All rows up to this rowid are in it."""
    is_complete: bool
    """Whether there are no rows after that."""
    is_true: bool = True
    """Whether none of its rows has gone; otherwise it was emptied and must be made again."""


def _opened() -> sqlite3.Connection:
    # Without a name it is a temporary file that goes with its connection, and in memory while
    # small.
    copy = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    copy.text_factory = decode
    copy.executescript(f"pragma journal_mode = memory; {_TABLE}")
    return copy


def _bring_up(
    db: sqlite3.Connection, copy: sqlite3.Connection, key: str, known_mark: int, limit: int
) -> _State:
    """Copy up to `limit` rows of a metric that the copy lacks, in the order of rowids."""
    # The read may be repeated when files changed under it, so undo what an earlier try copied.
    copy.execute("rollback")
    copy.execute("begin")
    given = {"key": as_sql(key)}
    newest = mark(db)
    wanted: int
    had: int
    last: int | None
    (wanted,) = db.execute(_COUNT, given).fetchone()
    # The plus makes SQLite scan the new rows of all metrics, not all rows of this one.
    column = "+key" if newest - known_mark < wanted else "key"
    changes = copy.total_changes
    copy.executemany(_INSERT, _rows(db, key, known_mark, column, limit))
    had, last = copy.execute(_COUNT_AND_LAST, given).fetchone()
    if copy.total_changes - changes == limit and last is not None:
        return _State(last, is_complete=False)
    # A row that was replaced, as for a step that is logged again, is still in the copy.
    is_true = had == wanted and known_mark <= newest
    if not is_true:
        copy.execute("delete from dynamic_metrics where key = cast(:key as text)", given)
    # A row without a metric carries the highest rowid of the whole table, with which summaries are
    # marked.
    copy.execute("delete from dynamic_metrics where key is null")
    copy.execute("insert or ignore into dynamic_metrics (rowid) values (?)", (newest,))
    return _State(newest if is_true else BEFORE_ALL, is_complete=True, is_true=is_true)


def _rows(
    db: sqlite3.Connection, key: str, after: int, column: str, limit: int
) -> Iterator[tuple[int, bytes, object, object, object, bool]]:
    # In this order each row is appended to the copy, which takes a third of the time.
    found = db.execute(
        "select rowid, step, value, logged_at from dynamic_metrics"
        f" where {column} = cast(:key as text) and rowid > :after order by rowid"
        " limit :limit",
        {"key": as_sql(key), "after": after, "limit": limit},
    )
    name = as_sql(key)
    for rowid, stored, value, logged_at in found:
        step, is_float32 = decoded(stored)
        # What is not a number is copied as bytes, which are not one either; SQLite may refuse a
        # text.
        number = value if value is None or isinstance(value, (int, float)) else b""
        time = as_sql(logged_at) if isinstance(logged_at, str) else logged_at
        yield rowid, name, step, number, time, is_float32

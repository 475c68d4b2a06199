"""Writes spans into a run's exp.db, beside whoever else writes there.

Every batch is a transaction of its own, of some hundredths of a second, with a pause before the
next one in which another writer gets its turn. What is there already stays untouched, so a file, or
a request that was sent again, can be written any number of times.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from flowtui.store import unreadable
from flowtui.store.database import Database, table_columns
from flowtui.store.errors import DatabaseCorrupt
from flowtui.store.genai import is_pending
from flowtui.store.otlp import rows as otlp_rows
from flowtui.store.otlp.items import OtlpSpan
from flowtui.store.otlp.rows import Row
from flowtui.store.transaction import (
    FOLD_TRIES,
    FOLD_WAIT_S,
    PATIENCE,
    Patience,
    explained,
    is_busy,
    is_without_room,
    may_be_open_elsewhere,
    write,
)

BATCH_SPANS = 5_000
BATCH_CHARS = 4_000_000
"""Whichever comes first; either takes less than 0.1 s to write."""
_KEYS = ("trace_id", "span_id")


@dataclass(frozen=True, slots=True)
class Written:
    """What became of spans."""

    new: int = 0
    changed: int = 0
    """Were there, and said something else."""
    same: int = 0
    """Were there as they are."""

    @property
    def total(self) -> int:
        return self.new + self.changed + self.same

    def __add__(self, other: Written) -> Written:
        return Written(self.new + other.new, self.changed + other.changed, self.same + other.same)


class Batch:
    """Spans that are to be written in one transaction."""

    def __init__(self, most_spans: int = BATCH_SPANS) -> None:
        """Begin one that is full with so many spans, or with `BATCH_CHARS`."""
        self._most_spans = most_spans
        self._rows: list[Row] = []
        self._announcing: list[Row] = []
        self._chars = 0

    @property
    def is_full(self) -> bool:
        return len(self) >= self._most_spans or self._chars >= BATCH_CHARS

    def __len__(self) -> int:
        return len(self._rows) + len(self._announcing)

    def add(self, span: OtlpSpan) -> None:
        """Add one span.

        Raises:
            ValueError, RecursionError: it cannot be written as JSON.
        """
        row = otlp_rows.row(span)
        (self._announcing if is_pending(span.attributes) else self._rows).append(row)
        self._chars += otlp_rows.size_chars(row)

    def extend(self, other: Batch) -> None:
        """Add the spans of another."""
        self._rows += other._rows
        self._announcing += other._announcing
        self._chars += other._chars

    def write(self, database: Database, patience: Patience = PATIENCE) -> Written:
        """Write all of them; a span that is there and says something else is replaced.

        A span that only announces one that has not ended yet takes the place of none.

        Raises:
            DatabaseError: nothing of them was written; see `transaction.write`.
        """
        if not self:
            return Written()
        return write(database, self._write, patience)

    def _write(self, connection: sqlite3.Connection) -> Written:
        columns = table_columns(connection, "spans")
        if not columns.issuperset(_KEYS):
            raise sqlite3.DatabaseError("it has no table of spans")
        present = [name for name in otlp_rows.COLUMNS if name in columns]
        last_before = _last_rowid(connection)
        changes_before = connection.total_changes
        connection.executemany(_insert(present), self._chosen(self._announcing, present))
        connection.executemany(_upsert(present), self._chosen(self._rows, present))
        # A replaced span keeps its rowid, and nobody else adds any in this transaction.
        new = _last_rowid(connection) - last_before
        changed = connection.total_changes - changes_before - new
        return Written(new, changed, len(self) - new - changed)

    def _chosen(self, rows: Sequence[Row], present: Sequence[str]) -> Iterable[Row]:
        if len(present) == len(otlp_rows.COLUMNS):
            return rows
        places = [otlp_rows.COLUMNS.index(name) for name in present]
        return [tuple(row[place] for place in places) for row in rows]


class SpanWriter:
    """Writes spans batch after batch.

    Leave it by `with`: what is left is then written, unless an exception is under way, which leaves
    the last spans out. The database is held open meanwhile, so that the log is not folded into it
    after each batch; without an open transaction this is in nobody's way. Where another machine may
    have it open, it is not: its log would get an index that is not shared.
    """

    def __init__(self, database: Database, patience: Patience = PATIENCE) -> None:
        """Open the database.

        Raises:
            DatabaseError: it is missing, or is no database, or may not be written.
        """
        self._database = database
        self._patience = patience
        self._kept: sqlite3.Connection | None = None
        if may_be_open_elsewhere(database):
            # What is not allowed is said before anything is read.
            write(database, lambda _: None, patience)
        else:
            self._kept = _opened(database)
        self._batch = Batch()
        self.written = Written()
        """What is on the disk."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            if self._kept is not None:
                self._kept.close()
                _fold(self._database)

    def add(self, span: OtlpSpan) -> None:
        """Add a span, and write the batch that it fills.

        Raises:
            DatabaseError: the batch was not written.
        """
        self._batch.add(span)
        if self._batch.is_full:
            self.flush()

    def flush(self) -> None:
        """Write what was added and is not on the disk yet.

        Raises:
            DatabaseError: it was not written.
        """
        batch, self._batch = self._batch, Batch()
        self.written += batch.write(self._database, self._patience)


def _opened(database: Database) -> sqlite3.Connection:
    database.fingerprint()
    uri = f"{database.files.main.as_uri()}?mode=rw"
    # Without a timeout, in which SQLite would heed no ctrl+c: each write does its own waiting.
    connection = sqlite3.connect(
        uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("select count(*) from sqlite_master").fetchone()
    except unreadable.ERRORS as error:
        if is_busy(error):
            return connection
        connection.close()
        if is_without_room(error):
            raise explained(database, error) from error
        message = f"{database.label} is damaged: {unreadable.text(error)}"
        raise DatabaseCorrupt(database.path, message) from error
    return connection


def _fold(database: Database) -> None:
    """Fold the log in where a reader kept the last close from doing so, if it leaves soon."""
    for _ in range(FOLD_TRIES):
        if database.fingerprint(is_now=True).wal is None:
            return
        time.sleep(FOLD_WAIT_S)
        with closing(_opened(database)):
            pass


def _last_rowid(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("select coalesce(max(rowid), 0) from spans").fetchone()
    return int(last)


def _insert(columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return (
        f"insert into spans ({', '.join(columns)}) values ({marks})"
        f" on conflict ({', '.join(_KEYS)}) do nothing"
    )


def _upsert(columns: Sequence[str]) -> str:
    others = [name for name in columns if name not in _KEYS]
    new = ", ".join(f"{name} = excluded.{name}" for name in others)
    differs = " or ".join(f"{name} is not excluded.{name}" for name in others)
    start = _insert(columns).removesuffix("nothing")
    return f"{start}update set {new} where {differs}"

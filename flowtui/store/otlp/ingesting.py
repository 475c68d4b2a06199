"""Writes spans into a run's exp.db, while others may write there too.

Every batch is a transaction of its own, of some hundredths of a second, with a pause before the
next one in which another writer gets its turn. Spans that exist already are not touched, so a file
or a repeated request can be written any number of times.
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
    CHECKPOINT_TRIES,
    CHECKPOINT_WAIT_S,
    PATIENCE,
    Patience,
    explained,
    is_busy,
    is_without_room,
    write,
)

BATCH_SPANS = 5_000
BATCH_CHARS = 4_000_000
"""A batch is full at either limit; both take less than 0.1 s to write."""
_KEYS = ("trace_id", "span_id")


@dataclass(frozen=True, slots=True)
class Written:
    """What became of spans."""

    new: int = 0
    changed: int = 0
    """Spans that existed with other content."""
    same: int = 0
    """Spans that existed with the same content."""

    @property
    def total(self) -> int:
        return self.new + self.changed + self.same

    def __add__(self, other: Written) -> Written:
        return Written(self.new + other.new, self.changed + other.changed, self.same + other.same)


class Batch:
    """Spans that are to be written in one transaction."""

    def __init__(self, most_spans: int = BATCH_SPANS) -> None:
        """Begin a batch that is full with `most_spans`, or with `BATCH_CHARS`."""
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
            ValueError, RecursionError: It cannot be written as JSON.
        """
        row = otlp_rows.row(span)
        (self._announcing if is_pending(span.attributes) else self._rows).append(row)
        self._chars += otlp_rows.size_chars(row)

    def extend(self, other: Batch) -> None:
        """Add the spans of another batch."""
        self._rows += other._rows
        self._announcing += other._announcing
        self._chars += other._chars

    def write(self, database: Database, patience: Patience = PATIENCE) -> Written:
        """Write all of them; an existing span with other content is replaced.

        A span that only announces one that has not ended yet does not replace any.

        Raises:
            DatabaseError: None of them was written; see `transaction.write`.
        """
        if not self:
            return Written()
        return write(database, self._write, patience, holds_log=True)

    def _write(self, connection: sqlite3.Connection) -> Written:
        columns = table_columns(connection, "spans")
        if not columns.issuperset(_KEYS):
            raise sqlite3.DatabaseError("it has no table of spans")
        present = [name for name in otlp_rows.COLUMNS if name in columns]
        last_before = _last_rowid(connection)
        changes_before = connection.total_changes
        connection.executemany(_insert(present), self._chosen(self._announcing, present))
        connection.executemany(_upsert(present), self._chosen(self._rows, present))
        # A replaced span keeps its rowid, and nobody else adds spans during this transaction.
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

    Use it in a `with` block: its end writes the remaining spans, unless it ends with an exception.
    The database is held open meanwhile, so that the log is not checkpointed after each batch;
    without an open transaction this does not hinder anybody.
    """

    def __init__(self, database: Database, patience: Patience = PATIENCE) -> None:
        """Open the database.

        Raises:
            DatabaseError: The file is missing, or is not a database.
        """
        self._database = database
        self._patience = patience
        self._kept = _opened(database)
        self._batch = Batch()
        self.written = Written()
        """What has been written to the disk."""

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
            self._kept.close()
            _checkpoint(self._database)

    def add(self, span: OtlpSpan) -> None:
        """Add a span, and write the batch if that fills it.

        Raises:
            DatabaseError: The batch was not written.
        """
        self._batch.add(span)
        if self._batch.is_full:
            self.flush()

    def flush(self) -> None:
        """Write the spans that were added and are not on the disk yet.

        Raises:
            DatabaseError: They were not written.
        """
        batch, self._batch = self._batch, Batch()
        self.written += batch.write(self._database, self._patience)


def _opened(database: Database) -> sqlite3.Connection:
    database.fingerprint()
    uri = f"{database.files.main.as_uri()}?mode=rw"
    # There is no timeout, during which SQLite would ignore ctrl+c: each write does its own waiting.
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


def _checkpoint(database: Database) -> None:
    """Checkpoint the log where a reader kept the last close from doing so, if it leaves soon."""
    for _ in range(CHECKPOINT_TRIES):
        if database.fingerprint(is_now=True).wal is None:
            return
        time.sleep(CHECKPOINT_WAIT_S)
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

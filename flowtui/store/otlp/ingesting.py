"""Writes spans and their log events into a run's exp.db, beside whoever else writes there.

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
from functools import partial
from types import TracebackType
from typing import Self

from flowtui.store import unreadable
from flowtui.store.annotations.writing import create_tables
from flowtui.store.database import Database, table_columns
from flowtui.store.files.leftovers import remove_empty_log
from flowtui.store.genai import is_pending
from flowtui.store.otlp import joining, own_export
from flowtui.store.otlp import rows as otlp_rows
from flowtui.store.otlp.items import RESOURCE, SCOPE, LogEvent, OtlpSpan
from flowtui.store.otlp.own_export import SpanAnnotation
from flowtui.store.otlp.rows import Row
from flowtui.store.transaction import (
    CHECKPOINT_TRIES,
    CHECKPOINT_WAIT_S,
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
"""A batch is full at either limit; both take less than 0.1 s to write."""
_KEYS = ("trace_id", "span_id")
_EVENTS = "events"
_ATTRIBUTES = "attributes"
_HAS_ORIGIN = " or ".join(
    f"instr(coalesce(spans.{_ATTRIBUTES}, ''), '\"{name}\": ')" for name in (RESOURCE, SCOPE)
)
"""Holds of the rows that were written here."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of spans."""

    new: int = 0
    changed: int = 0
    """Spans that existed with other content."""
    same: int = 0
    """Were there as they are."""
    events: int = 0
    """Log events that are with their spans, or wait for them on the disk."""
    annotations: int = 0
    """Annotations of an export that were not there."""

    @property
    def total(self) -> int:
        """How many spans."""
        return self.new + self.changed + self.same

    def __add__(self, other: Written) -> Written:
        return Written(
            self.new + other.new,
            self.changed + other.changed,
            self.same + other.same,
            self.events + other.events,
            self.annotations + other.annotations,
        )


class Batch:
    """Spans and log events that are to be written in one transaction."""

    def __init__(self, most_spans: int = BATCH_SPANS) -> None:
        """Begin one that is full with so many spans and events, or with `BATCH_CHARS`."""
        self.dropped_events = 0
        """Of those that were added to this one and not to another: what there was no room for."""
        self._most_spans = most_spans
        self._events: list[tuple[LogEvent, Batch]] = []
        """With the batch that each was added to."""
        self._annotations: list[SpanAnnotation] = []
        self._rows: list[Row] = []
        self._announcing: list[Row] = []
        self._chars = 0

    @property
    def is_full(self) -> bool:
        return len(self) >= self._most_spans or self._chars >= BATCH_CHARS

    def __len__(self) -> int:
        return len(self._rows) + len(self._announcing) + len(self._events)

    def add(self, span: OtlpSpan) -> None:
        """Add one span.

        Raises:
            ValueError, RecursionError: It cannot be written as JSON.
        """
        row = otlp_rows.row(span)
        (self._announcing if is_pending(span.attributes) else self._rows).append(row)
        self._chars += otlp_rows.size_chars(row)

    def add_event(self, event: LogEvent) -> None:
        """Add an event of a span, which need not be there.

        Raises:
            ValueError, RecursionError: it cannot be written as JSON.
        """
        self._events.append((event, self))
        self._chars += joining.size_chars(event)

    def add_annotations(self, annotations: Sequence[SpanAnnotation]) -> None:
        """Add annotations of spans that were added; their table is there."""
        self._annotations += annotations
        self._chars += sum(len(part) for row in annotations for part in row if part)

    def extend(self, other: Batch) -> None:
        """Add the spans, events and annotations of another."""
        self._annotations += other._annotations
        self._events += other._events
        self._rows += other._rows
        self._announcing += other._announcing
        self._chars += other._chars

    def write(
        self, database: Database, patience: Patience = PATIENCE, *, spares_sdk: bool = False
    ) -> Written:
        """Write all of them; an existing span with other content is replaced.

        A span that only announces one that has not ended yet takes the place of none. What had
        joined a span as an event stays with it.

        Args:
            database: Of the run.
            patience: How long to wait for it.
            spares_sdk: Whether a row without an origin, as the SDK writes them, stays as it is.

        Raises:
            DatabaseError: None of them was written; see `transaction.write`.
        """
        if not self:
            return Written()
        written, dropped = write(database, partial(self._write, spares_sdk), patience)
        for place in dropped:
            self._events[place][1].dropped_events += 1
        return written

    def _write(self, spares_sdk: bool, connection: sqlite3.Connection) -> tuple[Written, list[int]]:
        columns = table_columns(connection, "spans")
        if not columns.issuperset(_KEYS):
            raise sqlite3.DatabaseError("it has no table of spans")
        present = [name for name in otlp_rows.COLUMNS if name in columns]
        last_before = _last_rowid(connection)
        changes_before = connection.total_changes
        joining.teach(connection)
        connection.executemany(_insert(present), self._chosen(self._announcing, present))
        upsert = _upsert(present)
        if spares_sdk and _ATTRIBUTES in columns:
            upsert = f"{upsert.replace(' where ', ' where (', 1)}) and ({_HAS_ORIGIN})"
        connection.executemany(upsert, self._chosen(self._rows, present))
        # A replaced span keeps its rowid, and nobody else adds spans during this transaction.
        new = _last_rowid(connection) - last_before
        changed = connection.total_changes - changes_before - new
        spans = len(self._rows) + len(self._announcing)
        dropped = self._join(connection) if _EVENTS in columns else list(range(len(self._events)))
        events = len(self._events) - len(dropped)
        annotations = own_export.insert(connection, self._annotations)
        return Written(new, changed, spans - new - changed, events, annotations), dropped

    def _join(self, connection: sqlite3.Connection) -> list[int]:
        dropped = joining.join(connection, [event for event, _ in self._events])
        joining.join_waiting(connection, (_key(row) for row in (*self._announcing, *self._rows)))
        return dropped

    def _chosen(self, rows: Sequence[Row], present: Sequence[str]) -> Iterable[Row]:
        if len(present) == len(otlp_rows.COLUMNS):
            return rows
        places = [otlp_rows.COLUMNS.index(name) for name in present]
        return [tuple(row[place] for place in places) for row in rows]


class SpanWriter:
    """Writes spans batch after batch.

    Use it in a `with` block: its end writes the remaining spans, unless it ends with an exception.
    The database is held open meanwhile, so that the log is not checkpointed after each batch;
    without an open transaction this does not hinder anybody. It is not held open where another
    machine may have it open, since its log would get an index that is not shared.
    """

    def __init__(self, database: Database, patience: Patience = PATIENCE) -> None:
        """Open the database.

        Raises:
            DatabaseError: The file is missing, is not a database, or must not be written.
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
        self._has_tables = False
        self.written = Written()
        """What is on the disk."""
        self.dropped_events = 0
        """Log events that there was no room for."""

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
                _checkpoint(self._database)

    def add(self, span: OtlpSpan) -> None:
        """Add a span, and write the batch if that fills it.

        Of one that this program exported, the annotations are added as such.

        Raises:
            DatabaseError: The batch was not written.
        """
        span, annotations = own_export.taken_back(span)
        if annotations and not self._has_tables:
            create_tables(self._database, patience=self._patience)
            self._has_tables = True
        self._batch.add(span)
        self._batch.add_annotations(annotations)
        if self._batch.is_full:
            self.flush()

    def add_event(self, event: LogEvent) -> None:
        """Add a log event, as `add` does a span."""
        self._batch.add_event(event)
        if self._batch.is_full:
            self.flush()

    def flush(self) -> None:
        """Write the spans that were added and are not on the disk yet.

        Raises:
            DatabaseError: They were not written.
        """
        batch, self._batch = self._batch, Batch()
        self.written += batch.write(self._database, self._patience)
        self.dropped_events += batch.dropped_events


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
            remove_empty_log(database.files)
        raise explained(database, error) from error
    return connection


def _checkpoint(database: Database) -> None:
    """Checkpoint the log where a reader kept the last close from doing so, if it leaves soon."""
    for _ in range(CHECKPOINT_TRIES):
        if database.fingerprint(is_now=True).wal is None:
            return
        time.sleep(CHECKPOINT_WAIT_S)
        with closing(_opened(database)):
            pass


def _key(row: Row) -> tuple[str, str]:
    trace_id, span_id = row[:2]
    return str(trace_id), str(span_id)


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
    sent = {name: f"excluded.{name}" for name in others}
    if _EVENTS in sent:
        sent[_EVENTS] = f"{joining.KEPT_EVENTS}(spans.{_EVENTS}, excluded.{_EVENTS})"
    new = ", ".join(f"{name} = {value}" for name, value in sent.items())
    differs = " or ".join(f"{name} is not {value}" for name, value in sent.items())
    start = _insert(columns).removesuffix("nothing")
    return f"{start}update set {new} where {differs}"

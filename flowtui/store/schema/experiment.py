"""Writes into one run's exp.db, row for row as the SDK does."""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from flowtui.store.closing import Closes
from flowtui.store.metrics.listing import DISTINCT_KEYS
from flowtui.store.schema.create import open_for_writing, writing
from flowtui.store.schema.rows import (
    EvalAnnotationRow,
    EvalRow,
    LinkRow,
    MetricRow,
    ParamValue,
    SpanAnnotationRow,
    SpanRow,
    timestamp,
)

_ANNOTATION_COLUMNS = "id, name, annotation_kind, value_type, value, user, rationale, created_at"


def utc_now() -> datetime:
    """Return the present time, aware."""
    return datetime.now(UTC)


def uuid4() -> str:
    """Return a new id of the kind that the SDK gives to everything."""
    return str(uuid.uuid4())


class ExperimentWriter(Closes):
    """Adds rows to one run's exp.db; every method is one transaction.

    Every method raises `DatabaseError` if SQLite refuses a row, and then leaves nothing behind.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = uuid4,
        durable: bool = True,
        logs: bool = True,
    ) -> None:
        self._path = path
        self._clock = clock
        self._new_id = new_id
        self._database = open_for_writing(path, durable=durable, logs=logs)

    def close(self) -> None:
        """Close the database; the last one to close it removes its -wal and -shm."""
        self._database.close()

    def params(self, values: Mapping[str, ParamValue]) -> None:
        """Set parameters, replacing those of the same key: static_params."""
        self._insert(
            "static_params",
            "key, value, value_type",
            ((key, *_param(value)) for key, value in values.items()),
        )

    def metrics(self, points: Iterable[MetricRow]) -> None:
        """Add points in the order given, replacing those of the same key and step.

        SQLite keeps a NaN as NULL, and infinities as they are. Source: dynamic_metrics.
        """
        self._insert(
            "dynamic_metrics",
            "key, value, step, logged_at",
            ((key, float(value), step, timestamp(at)) for key, value, step, at in points),
        )

    def spans(self, rows: Iterable[SpanRow]) -> None:
        """Add spans, replacing those of the same ids; created_at is the span's end: spans."""
        self._insert(
            "spans",
            "trace_id, span_id, parent_span_id, name, kind, dfs_span_type,"
            " start_time_unix_nano, end_time_unix_nano, status_code, status_message,"
            " attributes, events, links, trace_flags, created_at",
            map(_span, rows),
        )

    def evals(self, rows: Iterable[EvalRow]) -> None:
        """Add samples, replacing those of the same dataset and id: evals."""
        now = self._clock()
        self._insert(
            "evals",
            "dataset_id, id, inputs, outputs, refs, scores, metadata, created_at, updated_at",
            (_sample(row, timestamp(row.created_at or now)) for row in rows),
        )

    def links(self, rows: Iterable[LinkRow]) -> None:
        """Link samples to the traces that produced them: eval_traces_bridge."""
        now = self._clock()
        self._insert(
            "eval_traces_bridge",
            "id, eval_dataset_id, eval_id, trace_id, created_at",
            (
                (
                    self._new_id(),
                    row.dataset_id,
                    row.eval_id,
                    row.trace_id,
                    timestamp(row.created_at or now),
                )
                for row in rows
            ),
        )

    def eval_annotations(self, rows: Iterable[EvalAnnotationRow]) -> None:
        """Add annotations to existing samples: eval_annotations."""
        self._insert(
            "eval_annotations",
            f"dataset_id, eval_id, {_ANNOTATION_COLUMNS}",
            ((row.dataset_id, row.eval_id, *self._annotation(row)) for row in rows),
        )

    def span_annotations(self, rows: Iterable[SpanAnnotationRow]) -> None:
        """Add annotations to existing spans: span_annotations."""
        with writing(self._database, self._path) as connection:
            self._put_span_annotations(connection, rows)

    def _put_span_annotations(
        self, connection: sqlite3.Connection, rows: Iterable[SpanAnnotationRow]
    ) -> None:
        values = ((row.trace_id, row.span_id, *self._annotation(row)) for row in rows)
        columns = f"trace_id, span_id, {_ANNOTATION_COLUMNS}"
        connection.executemany(_insertion("span_annotations", columns), values)

    def attachment(self, name: str, data: bytes, created_at: datetime | None = None) -> Path:
        """Write a file under attachments/ and its row in attachments, replacing one of that name.

        Returns:
            The file that was written.

        Raises:
            ValueError: The name leads out of the run's attachments folder.
        """
        folder = self._path.parent / "attachments"
        file = folder / name
        if ".." in file.parts or not file.is_relative_to(folder) or file == folder:
            raise ValueError(f"{name!r} is not a name inside the attachments folder")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        if created_at is not None:
            os.utime(file, (created_at.timestamp(), created_at.timestamp()))
        relative = str(file.relative_to(folder))
        with writing(self._database, self._path) as connection:
            changed = connection.execute(
                "UPDATE attachments SET file_path = ?, size = ? WHERE name = ?",
                (relative, len(data), name),
            ).rowcount
            if not changed:
                connection.execute(
                    "INSERT INTO attachments (id, name, file_path, created_at, size)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (
                        self._new_id(),
                        name,
                        relative,
                        timestamp(created_at or self._clock()),
                        len(data),
                    ),
                )
        return file

    def param_copy(self) -> dict[str, object]:
        """Return every parameter in its own type, by key: static_params."""
        rows = self._database.execute("SELECT key, value, value_type FROM static_params")
        return {key: _typed(value, kind) for key, value, kind in rows.fetchall()}

    def last_values(self) -> dict[str, float | None]:
        """Return each metric's value at its highest step, None for a NaN: dynamic_metrics."""
        rows = self._database.execute(
            f"{DISTINCT_KEYS} SELECT point.key, value FROM keys CROSS JOIN dynamic_metrics AS point"
            " WHERE point.key = keys.key AND step = (SELECT max(step) FROM dynamic_metrics"
            " WHERE key = keys.key) ORDER BY point.rowid"
        )
        return dict(rows.fetchall())

    def _annotation(self, row: EvalAnnotationRow | SpanAnnotationRow) -> tuple[str | None, ...]:
        return (
            row.id or self._new_id(),
            row.name,
            row.kind,
            row.value_type,
            row.value_text,
            row.user,
            row.rationale,
            timestamp(row.created_at or self._clock()),
        )

    def _insert(self, table: str, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
        with writing(self._database, self._path) as connection:
            connection.executemany(_insertion(table, columns), rows)


def _insertion(table: str, columns: str) -> str:
    marks = ", ".join("?" for _ in columns.split(","))
    return f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})"


def _param(value: ParamValue) -> tuple[str, str]:
    if isinstance(value, str | int | float):
        return str(value), type(value).__name__
    return json.dumps(value), "json"


def _typed(text: str, value_type: str) -> object:
    if value_type == "json":
        return json.loads(text)
    if value_type == "bool":
        return text.lower() == "true"
    if value_type == "int":
        return int(text)
    return float(text) if value_type == "float" else text


def _span(row: SpanRow) -> tuple[object, ...]:
    return (
        row.trace_id,
        row.span_id,
        row.parent_span_id,
        row.name,
        row.kind,
        row.span_type,
        row.start_ns,
        row.end_ns,
        row.status_code,
        row.status_message,
        _json(row.attributes),
        _json(row.events),
        _json(row.links),
        row.trace_flags,
        timestamp(datetime.fromtimestamp(row.end_ns // 1_000_000_000, UTC)),
    )


def _sample(row: EvalRow, created_at: str) -> tuple[object, ...]:
    return (
        row.dataset_id,
        row.id,
        json.dumps(row.inputs),
        _json(row.outputs),
        _json(row.refs),
        _json(row.scores),
        _json(row.metadata),
        created_at,
        created_at,
    )


def _json(value: object) -> str | None:
    # The SDK writes NULL for an empty container as well as for None.
    return json.dumps(value) if value else None

"""Brings a run of a store up to a copy of it, and keeps what people said of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from flowtui.store.closing import Closes
from flowtui.store.schema.create import open_for_writing, writing

_ROWS = 20_000
"""Of a transaction, which then takes a tenth of a second: an annotation waits for no longer."""
_REPLACED = {
    "static_params": ("key", "value", "value_type"),
    "dynamic_metrics": ("key", "value", "step", "logged_at"),
}
"""Nothing refers to rows of these: rows that the copy has not are removed."""
_UPDATED = {
    "spans": (
        ("trace_id", "span_id"),
        ("parent_span_id", "name", "kind", "dfs_span_type", "start_time_unix_nano",
         "end_time_unix_nano", "status_code", "status_message", "attributes", "events", "links",
         "trace_flags", "created_at"),
    ),
    "evals": (
        ("dataset_id", "id"),
        ("inputs", "outputs", "refs", "scores", "metadata", "created_at", "updated_at"),
    ),
}  # fmt: skip
"""Annotations refer to rows of these: they stay, and their columns become those of the copy."""
_ANNOTATIONS = {
    "span_annotations": ("trace_id", "span_id"),
    "eval_annotations": ("dataset_id", "eval_id"),
}
_ANNOTATION = (
    "id", "name", "annotation_kind", "value_type", "value", "user", "rationale", "created_at",
)  # fmt: skip


class Merging(Closes):
    """Writes into one run's exp.db, which must exist.

    Every method raises `DatabaseError` if SQLite refuses a write.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_for_writing(path)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def take(self, copy: sqlite3.Connection) -> None:
        """Write the records of a copy, all but attachments, in short transactions.

        Args:
            copy: A connection to the exp.db of the copy.
        """
        for table, columns in _REPLACED.items():
            self._replace(copy, table, columns)
        for table, (keys, others) in _UPDATED.items():
            changes = ", ".join(f"{name} = excluded.{name}" for name in others)
            columns = (*keys, *others)
            self._insert(
                copy, table, columns, f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
            )
        bridge = ("id", "eval_dataset_id", "eval_id", "trace_id", "created_at")
        self._insert(
            copy, "eval_traces_bridge", bridge,
            "ON CONFLICT DO NOTHING", "eval_dataset_id = ?2 AND eval_id = ?3 AND trace_id = ?4",
        )  # fmt: skip
        for table, of in _ANNOTATIONS.items():
            # What a person changed or wrote stays.
            self._insert(copy, table, (*_ANNOTATION, *of), "ON CONFLICT DO NOTHING")

    def _replace(self, copy: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> None:
        with writing(self._database, self._path) as connection:
            (before,) = connection.execute(f"SELECT max(rowid) FROM {table}").fetchone()
        self._insert(copy, table, columns, "", replaces=True)
        if before is not None:
            # Rows that were replaced have new numbers, so that the old ones are in no copy.
            with writing(self._database, self._path) as connection:
                connection.execute(f"DELETE FROM {table} WHERE rowid <= ?", (before,))

    def _insert(
        self,
        copy: sqlite3.Connection,
        table: str,
        columns: tuple[str, ...],
        conflict: str,
        unless: str = "",
        *,
        replaces: bool = False,
    ) -> None:
        names = ", ".join(columns)
        marks = ", ".join(f"?{number}" for number, _ in enumerate(columns, start=1))
        verb = "INSERT OR REPLACE" if replaces else "INSERT"
        where = f"WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {unless})" if unless else "WHERE 1"
        statement = f"{verb} INTO {table} ({names}) SELECT {marks} {where} {conflict}"
        for rows in _parts(copy.execute(f"SELECT {names} FROM {table} ORDER BY rowid")):
            with writing(self._database, self._path) as connection:
                connection.executemany(statement, rows)


def _parts(rows: Iterator[tuple[object, ...]]) -> Iterator[list[tuple[object, ...]]]:
    while part := [tuple(row) for row in islice(rows, _ROWS)]:
        yield part

"""Brings a run of a store up to a copy of it, and keeps what people said of it.

Annotations of the copy are told from those of people by their ids. What a person has changed or
deleted since is told by a table that has each as it was taken the last time: there a change or a
deletion in the copy counts only for those that nobody has touched here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from flowtui.store.closing import Closes
from flowtui.store.database import decode, table_columns
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
_TAKEN = "flowtui_taken_annotations"
"""By table and id: the columns of an annotation of the copy as they were taken, in JSON."""
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
        # What anybody wrote there is compared, not shown.
        self._database.conn.text_factory = decode

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
            self._take_annotations(copy, table, (*_ANNOTATION, *of))

    def _take_annotations(
        self, copy: sqlite3.Connection, table: str, columns: tuple[str, ...]
    ) -> None:
        names, marks = ", ".join(columns), ", ".join("?" for _ in columns)
        rows = f"SELECT {names} FROM {table}"
        told = {row[0]: tuple(row) for row in copy.execute(rows)}
        with writing(self._database, self._path) as connection:
            if not told and not table_columns(connection, _TAKEN):
                return
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {_TAKEN} (of_table TEXT NOT NULL, id TEXT NOT NULL,"
                " said TEXT NOT NULL, PRIMARY KEY (of_table, id))"
            )
            here = {row[0]: _said(row) for row in connection.execute(rows)}
            taken = dict(
                connection.execute(f"SELECT id, said FROM {_TAKEN} WHERE of_table = ?", (table,))
            )
            says = {one: _said(row) for one, row in told.items()}
            # Where it is not known how one was taken, only what is as in the copy is untouched.
            untouched = {one for one, said in here.items() if said == taken.get(one, says.get(one))}
            wanted = [one for one in told if one in untouched or one not in here.keys() | taken]
            gone = [one for one in taken if one not in told]
            connection.executemany(
                f"DELETE FROM {table} WHERE id = ?", [(one,) for one in gone if one in untouched]
            )
            connection.executemany(
                f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})",
                [told[one] for one in wanted if says[one] != here.get(one)],
            )
            connection.executemany(
                f"DELETE FROM {_TAKEN} WHERE of_table = ? AND id = ?",
                [(table, one) for one in gone],
            )
            connection.executemany(
                f"INSERT OR REPLACE INTO {_TAKEN} (of_table, id, said) VALUES (?, ?, ?)",
                [(table, one, says[one]) for one in wanted if says[one] != taken.get(one)],
            )

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


def _said(row: Sequence[object]) -> str:
    """Return the columns of an annotation as one text; bytes, which nobody means, as Python's."""
    return json.dumps(tuple(row), default=repr)

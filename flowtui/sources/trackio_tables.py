"""The tables of one project of Trackio, read as any database of a live store is: never held open.

Columns came by and by (`run_id` with 0.24, `spans` with 0.30): each read asks which there are.
Source: trackio/sqlite_storage.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flowtui.store import decoding
from flowtui.store.database import Database, table_columns

NEEDED = frozenset(("run_name", "timestamp", "step", "metrics"))
"""What the table `metrics` has in every version, and in no other tool's database."""
TABLES = ("metrics", "system_metrics", "traces", "alerts", "configs")
MOST_ROW_BYTES = 32_000_000
"""A value that is longer is left out: as values in memory it takes up to ten times as much."""
_BATCH_ROWS = 5_000
_BATCH_BYTES = 4 << 20


@dataclass(slots=True)
class RunInTables:
    """What the tables have of one run."""

    key: str
    """Its run_id; its name in a database of before those."""
    name: str = ""
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By table: the lowest and the highest rowid of its rows."""
    began: str = ""
    ended: str = ""
    """The times of its first and its last row."""
    row_count: int = 0
    config: object = None
    artifacts: int = 0


def has_tables(database: Database) -> bool:
    """Say whether a database is one of Trackio.

    Raises:
        DatabaseError: It cannot be read.
    """
    return database.read(lambda db: table_columns(db, "metrics")) >= NEEDED


def listed(connection: sqlite3.Connection) -> list[RunInTables]:
    """Return the runs of a project, those that only have a config too."""
    found: dict[str, RunInTables] = {}
    for table in TABLES:
        columns = table_columns(connection, table)
        if not columns:
            continue
        key = _key(columns)
        time = "created_at" if table == "configs" else "timestamp"
        # Both columns are in an index, which is read in the place of the rows.
        rows = connection.execute(
            f"select {key}, min(rowid), max(rowid), min({time}), max({time}), count(*)"
            f" from {table} group by {key} order by max(rowid)"
        )
        for one, first, last, began, ended, count in rows.fetchall():
            if not isinstance(one, str):
                continue
            run = found.setdefault(one, RunInTables(one))
            run.spans[table] = first, last
            if isinstance(began, str) and isinstance(ended, str):
                run.began = min(run.began or began, began)
                run.ended = max(run.ended, ended)
            run.row_count += count if table != "configs" else 0
            more = ", config" if table == "configs" else ""
            row = connection.execute(
                f"select run_name{more} from {table} where rowid = ?", (last,)
            ).fetchone()
            run.name = run.name or (row[0] if isinstance(row[0], str) else "")
            run.config = row[1] if more else run.config
    if "run_id" in table_columns(connection, "run_artifact_links"):
        for one, count in connection.execute(
            "select run_id, count(*) from run_artifact_links group by run_id"
        ).fetchall():
            if one in found:
                found[one].artifacts = count
    return list(found.values())


def rows(
    database: Database, run: RunInTables, table: str, after: int, wanted: Sequence[str]
) -> Iterator[tuple[list[tuple[object, ...]], int]]:
    """Yield rows of a run from a rowid on, some at a time, and the rowid of the last one read.

    A value of more than MOST_ROW_BYTES is None, as is one of a column that is not there.

    Raises:
        DatabaseError: The database cannot be read.
    """
    first, last = run.spans.get(table, (0, -1))
    at = max(after, first - 1)
    while at < last:
        found, at = database.read(lambda db: _part(db, run.key, table, (at, last), wanted))  # noqa: B023
        yield found, at


def _part(
    connection: sqlite3.Connection,
    key: str,
    table: str,
    between: tuple[int, int],
    wanted: Sequence[str],
) -> tuple[list[tuple[object, ...]], int]:
    columns = table_columns(connection, table)
    select = ", ".join(
        f"case when length({name}) <= {MOST_ROW_BYTES} then {name} end"
        if name in columns
        else f"null as {name}"
        for name in wanted
    )
    # The plus keeps SQLite from using the index of runs, whose order is another.
    cursor = connection.execute(
        f"select rowid, {select} from {table} where rowid > ? and rowid <= ?"
        f" and +{_key(columns)} = cast(? as text) order by rowid limit {_BATCH_ROWS}",
        (*between, decoding.as_sql(key)),
    )
    found: list[tuple[object, ...]] = []
    size, at = 0, between[1]
    for row in cursor:
        found.append(tuple(row))
        size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
        if size > _BATCH_BYTES or len(found) == _BATCH_ROWS:
            at = row[0]
            break
    return found, at


def _key(columns: frozenset[str]) -> str:
    return "run_id" if "run_id" in columns else "run_name"


def project_database(path: Path) -> Database:
    """Return the database of a project, which is opened for each question only."""
    return Database(path, path.name)

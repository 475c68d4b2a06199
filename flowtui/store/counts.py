"""How many records of each kind a run has, for the labels of the tabs."""

from __future__ import annotations

import sqlite3

from flowtui.store.decoding import is_text
from flowtui.store.metrics.listing import DISTINCT_KEYS
from flowtui.store.values import Counts

COUNTED_BYTES = 16_000_000
"""A database up to this size is read in some 15 ms, short enough for the tabs at every change."""
CHECKED_BYTES = 128_000_000
"""A database up to this size is checked by SQLite in some 0.2 s, which is done once."""


def counts(connection: sqlite3.Connection) -> Counts:
    """Return the counts from exp.db, all exact; `models` is not in exp.db and stays None.

    A count scans an index of its table: 1,000,000 spans take about 100 ms. In a small database it
    scans the table itself, which may be damaged where its index is not. Views and virtual tables
    are not counted, since they may never end; `checks.oddities` reports them.
    """
    return Counts(
        params=_count(connection, "static_params"),
        metrics=_metric_count(connection),
        traces=_trace_count(connection),
        spans=_count(connection, "spans"),
        samples=_count(connection, "evals"),
        attachments=_count(connection, "attachments"),
        annotations=_annotation_count(connection),
    )


def _count(connection: sqlite3.Connection, table: str) -> int | None:
    if table not in _tables(connection):
        return None
    where = "not indexed" if _is_within(connection, COUNTED_BYTES) else ""
    (count,) = connection.execute(f"select count(*) from {table} {where}").fetchone()
    return int(count)


def _tables(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the names of tables that are stored, not computed when they are read."""
    sql = "select lower(name) from sqlite_master where type = 'table' and rootpage > 0"
    return frozenset(name for (name,) in connection.execute(sql))


def _is_within(connection: sqlite3.Connection, most_bytes: int) -> bool:
    (page_bytes,) = connection.execute("pragma page_size").fetchone()
    (pages,) = connection.execute("pragma page_count").fetchone()
    return bool(pages * page_bytes <= most_bytes)


def _trace_count(connection: sqlite3.Connection) -> int | None:
    if "spans" not in _tables(connection):
        return None
    sql = f"select count(distinct trace_id) from spans where {is_text('trace_id')}"
    (count,) = connection.execute(sql).fetchone()
    return int(count)


def _metric_count(connection: sqlite3.Connection) -> int | None:
    if "dynamic_metrics" not in _tables(connection):
        return None
    sql = f"{DISTINCT_KEYS} select count(*) from keys where typeof(key) = 'text'"
    (count,) = connection.execute(sql).fetchone()
    return int(count)


def _annotation_count(connection: sqlite3.Connection) -> int | None:
    tables = [_count(connection, name) for name in ("span_annotations", "eval_annotations")]
    present = [count for count in tables if count is not None]
    return sum(present) if present else None


_NAMED_BY = (
    ("dynamic_metrics", ("key",), "no metric"),
    ("spans", ("trace_id",), "no trace"),
    ("eval_traces_bridge", ("eval_dataset_id", "eval_id", "trace_id"), "no sample and trace"),
    ("span_annotations", ("trace_id", "span_id"), "no span"),
    ("eval_annotations", ("dataset_id", "eval_id"), "no sample"),
)
"""The columns that name what rows belong to; where one is not text, the row is in no list."""


def damage(connection: sqlite3.Connection) -> list[str]:
    """Return the first finding, if any, of SQLite's own check of a database that is not large.

    It compares tables with their indexes: a count may come from the one and a list from the other.
    """
    if not _is_within(connection, CHECKED_BYTES):
        return []
    (found,) = connection.execute("pragma integrity_check(1)").fetchone()
    return [] if found == "ok" else [f"SQLite finds the file damaged: {' '.join(found.split())}"]


def lost_records(connection: sqlite3.Connection) -> list[str]:
    """Return sentences about rows that are in no list, because what names them is not text.

    Two seeks of an index for points and for spans, one pass over each of the other tables.
    """
    said = []
    tables = _tables(connection)
    for table, columns, what in _NAMED_BY:
        if table not in tables:
            continue
        # Values that are not text sort before and after all text.
        kinds = [f"{name} is null or {name} < '' or {name} >= x''" for name in columns]
        sql = f"select count(*) from {table} where {' or '.join(kinds)}"
        (count,) = connection.execute(sql).fetchone()
        if count:
            rows = "1 row" if count == 1 else f"{count:,} rows"
            names = " or ".join(columns)
            said.append(f"{rows} of {table} belong to {what}: {names} is not text")
    return said

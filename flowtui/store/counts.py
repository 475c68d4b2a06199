"""How many records of each kind a run has, for the labels of the tabs."""

from __future__ import annotations

import sqlite3

from flowtui.store.database import table_columns
from flowtui.store.decoding import is_text
from flowtui.store.metrics.listing import DISTINCT_KEYS
from flowtui.store.values import Counts


def counts(connection: sqlite3.Connection) -> Counts:
    """Return the counts out of exp.db, all exact; `models` is not in exp.db and stays None.

    A count scans an index of its table: 1,000,000 spans take about 100 ms.
    """
    return Counts(
        params=_count(connection, "static_params"),
        metrics=_metric_count(connection),
        traces=_count(connection, "spans", "count(distinct trace_id)", is_text("trace_id")),
        spans=_count(connection, "spans"),
        samples=_count(connection, "evals"),
        attachments=_count(connection, "attachments"),
        annotations=_annotation_count(connection),
    )


def _count(
    connection: sqlite3.Connection, table: str, what: str = "count(*)", where: str = "true"
) -> int | None:
    if not table_columns(connection, table):
        return None
    (count,) = connection.execute(f"select {what} from {table} where {where}").fetchone()
    return int(count)


def _metric_count(connection: sqlite3.Connection) -> int | None:
    if not table_columns(connection, "dynamic_metrics"):
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
"""What names what the rows of a table belong to; where it is no text, they are in no list."""


def lost_records(connection: sqlite3.Connection) -> list[str]:
    """Return sentences about rows that are in no list, because what names them is no text.

    Two seeks of an index for points and for spans, one pass over each of the other tables.
    """
    said = []
    for table, columns, what in _NAMED_BY:
        if not table_columns(connection, table):
            continue
        # What is no text comes before and after all text.
        kinds = [f"{name} is null or {name} < '' or {name} >= x''" for name in columns]
        sql = f"select count(*) from {table} where {' or '.join(kinds)}"
        (count,) = connection.execute(sql).fetchone()
        if count:
            rows = "1 row" if count == 1 else f"{count:,} rows"
            names = " or ".join(columns)
            said.append(f"{rows} of {table} belong to {what}: {names} is no text")
    return said

"""How many records of each kind a run has, for the labels of the tabs."""

from __future__ import annotations

import sqlite3

from flowtui.store.database import table_columns
from flowtui.store.metrics import DISTINCT_KEYS
from flowtui.store.values import Counts


def counts(connection: sqlite3.Connection) -> Counts:
    """Return the counts out of exp.db, all exact; `models` is not in exp.db and stays None.

    A count scans an index of its table: 1,000,000 spans take about 100 ms.
    """
    return Counts(
        params=_count(connection, "static_params"),
        metrics=_metric_count(connection),
        traces=_count(connection, "spans", "count(distinct trace_id)"),
        spans=_count(connection, "spans"),
        samples=_count(connection, "evals"),
        attachments=_count(connection, "attachments"),
        annotations=_annotation_count(connection),
    )


def _count(connection: sqlite3.Connection, table: str, what: str = "count(*)") -> int | None:
    if not table_columns(connection, table):
        return None
    (count,) = connection.execute(f"select {what} from {table}").fetchone()
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


# Seeks, since what is no text stands before and after all text in the index.
_KEYLESS_POINTS = """
select (select count(*) from dynamic_metrics where key is null)
  + (select count(*) from dynamic_metrics where key < '')
  + (select count(*) from dynamic_metrics where key >= x'')"""


def lost_records(connection: sqlite3.Connection) -> list[str]:
    """Return sentences about rows that are in no list, because their key is no text."""
    if not table_columns(connection, "dynamic_metrics"):
        return []
    (count,) = connection.execute(_KEYLESS_POINTS).fetchone()
    rows = "1 row belongs" if count == 1 else f"{count:,} rows belong"
    return [f"{rows} to no metric: the key is no text (dynamic_metrics.key)"] if count else []

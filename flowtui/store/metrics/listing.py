"""Metrics of one run, read from their index (exp.db: dynamic_metrics), and what their names say.

The JSON copies in meta.db exist only after a run has ended, so they are not used here.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from flowtui.store.compare.directions import Direction, by_name
from flowtui.store.database import table_columns
from flowtui.store.decoding import as_sql, timestamp
from flowtui.store.metrics.steps import IS_STEP, Step
from flowtui.store.natural import sort_key
from flowtui.store.values import LoggedPoint, MetricSummary, Point

DISTINCT_KEYS = """
with recursive keys(key) as (
  select min(key) from dynamic_metrics
  union all
  select (select min(key) from dynamic_metrics where key > keys.key) from keys
  where keys.key is not null
)"""
"""One index seek for each key: SQLite's own `distinct` would scan every point."""

# Text and bytes sort last in the index, whatever number they stand for.
_LAST_POINTS = f"""{DISTINCT_KEYS}
select keys.key, last.step, last.value, last.logged_at,
  (select typeof(step) in ('text', 'blob') from dynamic_metrics newest
   where newest.key = keys.key order by step desc limit 1)
from keys left join dynamic_metrics last on last.rowid = (
  select rowid from dynamic_metrics newest
  where newest.key = keys.key and {IS_STEP} order by step desc, rowid desc limit 1)
where typeof(keys.key) = 'text'"""

Goal = Literal["min", "max"]


def goal(key: str) -> Goal | None:
    """Return the direction in which a metric is better, None if its name does not tell."""
    said = by_name(key)
    if said is None:
        return None
    return "min" if said is Direction.LOWER else "max"


def telling_first(keys: Iterable[str]) -> list[str]:
    """Return metrics by name, but first those whose name tells in which direction they are better.

    They tell most about a run.
    """
    return sorted(keys, key=lambda key: (goal(key) is None, sort_key(key)))


def best(metric: MetricSummary) -> Point | None:
    """Return the best point by the metric's `goal`, None without a goal or a finite point."""
    return {"min": metric.minimum, "max": metric.maximum, None: None}[goal(metric.key)]


def problems(metric: MetricSummary) -> list[str]:
    """Return sentences about a metric's rows that could not be read as they are stored."""
    valueless_count = metric.unreadable_count - metric.stepless_count
    facts = (
        (metric.stepless_count, "a step that is not a number, and are in no curve and no export"),
        (valueless_count, "a value that is not a number, which is shown as NaN"),
        (metric.float32_count, "a step of four bytes, read as a float32"),
        (metric.doubled_count, "the step of another row, stored in another way; both are points"),
    )
    return [
        f"metric {metric.key}: {count:,} of {metric.count:,} rows have {what}"
        for count, what in facts
        if count
    ]


class ListedMetric(NamedTuple):
    """What one index seek tells about a metric."""

    key: str
    last: LoggedPoint | None
    """The last point among the steps that are stored as numbers; None if none is."""
    has_odd_steps: bool
    """Whether some of its steps are text or bytes, which do not sort as numbers."""


def listed(connection: sqlite3.Connection) -> list[ListedMetric]:
    """Return the metrics in order of keys."""
    if not table_columns(connection, "dynamic_metrics"):
        return []
    rows = sorted(connection.execute(_LAST_POINTS), key=lambda row: sort_key(row[0]))
    return [
        ListedMetric(
            key, None if step is None else _logged_point(step, value, logged_at), bool(is_odd)
        )
        for key, step, value, logged_at, is_odd in rows
    ]


def last_point(connection: sqlite3.Connection, key: str) -> LoggedPoint | None:
    """Return the last point of one metric."""
    row = connection.execute(
        "select step, value, logged_at from dynamic_metrics where key = cast(:key as text)"
        f" and {IS_STEP} order by step desc, rowid desc limit 1",
        {"key": as_sql(key)},
    ).fetchone()
    return None if row is None else _logged_point(*row)


def has_odd_steps(connection: sqlite3.Connection, key: str) -> bool:
    """Say whether some steps of a metric are text or bytes, which do not sort as numbers.

    It takes one index seek, since they sort after all numbers.
    """
    if not table_columns(connection, "dynamic_metrics"):
        return False
    row = connection.execute(
        "select typeof(step) in ('text', 'blob') from dynamic_metrics"
        " where key = cast(:key as text) order by step desc limit 1",
        {"key": as_sql(key)},
    ).fetchone()
    return row is not None and bool(row[0])


class Stale(NamedTuple):
    """The metrics whose summaries are out of date."""

    keys: tuple[str, ...]
    """In order."""
    mark: int
    """The summaries of all other keys cover every row up to this dynamic_metrics.rowid."""


def stale(connection: sqlite3.Connection, known: Mapping[str, MetricSummary]) -> Stale:
    """Return the keys that have points which their `known` summary does not include."""
    newest = mark(connection)
    oldest = min((metric.mark for metric in known.values()), default=0)
    if not known or newest < oldest:
        return Stale(tuple(metric.key for metric in listed(connection)), newest)
    # Without the plus SQLite would scan the index of all points for the order of keys.
    rows = connection.execute(
        "select key, max(rowid) from dynamic_metrics"
        " where rowid > :oldest and typeof(key) = 'text' group by +key order by +key",
        {"oldest": oldest},
    )
    keys = [key for key, last in rows if key not in known or last > known[key].mark]
    return Stale(tuple(sorted(keys, key=sort_key)), newest)


def mark(connection: sqlite3.Connection) -> int:
    """Return the highest rowid of all points, 0 if there are none."""
    if not table_columns(connection, "dynamic_metrics"):
        return 0
    (newest,) = connection.execute("select max(rowid) from dynamic_metrics").fetchone()
    return newest or 0


def _logged_point(step: Step, value: object, logged_at: object) -> LoggedPoint:
    return LoggedPoint(step, number_of(value), timestamp(logged_at, "logged_at", []))


def number_of(value: object) -> float:
    """Return a stored value, NaN for one that is not a number."""
    return float(value) if isinstance(value, (int, float)) else math.nan

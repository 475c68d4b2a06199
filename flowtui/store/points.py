"""The points of one metric, one by one (exp.db: dynamic_metrics).

Rows whose step is no integer have no place on an axis of steps and are left out of everything
here; `MetricSummary.unreadable_count` counts them. A value that is no number reads as NaN.
"""

from __future__ import annotations

import math
import sqlite3
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from flowtui.store.database import table_columns
from flowtui.store.metrics import MAX_STEP, MIN_STEP
from flowtui.store.reading import as_sql, timestamp
from flowtui.store.series_values import Extent, Neighbours
from flowtui.store.values import LoggedPoint

PAGE_POINTS = 10_000
"""One read of an export: a few hundredths of a second, and a few megabytes."""

Kind = Literal["any", "nan", "inf"]
Direction = Literal["before", "after"]
Row = tuple[int, Any, Any]
"""step, value, logged_at, as they are stored."""

IN_RANGE = (
    " from dynamic_metrics where key = cast(:key as text)"
    " and step between :start and :end and typeof(step) = 'integer'"
)
_KINDS: dict[Kind, str] = {
    "any": "",
    "nan": " and value is null",
    "inf": " and value in (9e999, -9e999)",
}


def has_points_table(connection: sqlite3.Connection) -> bool:
    """Say whether the schema knows metrics."""
    return bool(table_columns(connection, "dynamic_metrics"))


def parameters(key: str, start: int, end: int) -> dict[str, object]:
    """Return what `IN_RANGE` is to be given; steps beyond SQLite's integers become its ends."""
    bounds = [max(MIN_STEP, min(step, MAX_STEP)) for step in (start, end)]
    if start > MAX_STEP or end < MIN_STEP:
        bounds = [1, 0]
    return {"key": as_sql(key), "start": bounds[0], "end": bounds[1]}


def rows(
    connection: sqlite3.Connection,
    key: str,
    start: int,
    end: int,
    rest: str = "order by step",
    **given: object,
) -> sqlite3.Cursor:
    """Return the rows with steps from `start` to `end`; `rest` is SQL after the conditions."""
    sql = f"select step, value, logged_at{IN_RANGE} {rest}"
    return connection.execute(sql, {**parameters(key, start, end), **given})


def first_row(
    connection: sqlite3.Connection, key: str, start: int = MIN_STEP, end: int = MAX_STEP
) -> Row | None:
    """Return the row of the lowest step in a range: one index seek."""
    row: Row | None = rows(connection, key, start, end, "order by step limit 1").fetchone()
    return row


def last_row(
    connection: sqlite3.Connection, key: str, start: int = MIN_STEP, end: int = MAX_STEP
) -> Row | None:
    """Return the row of the highest step in a range: one index seek."""
    row: Row | None = rows(connection, key, start, end, "order by step desc limit 1").fetchone()
    return row


def point(row: Row) -> LoggedPoint:
    """Return the point that a row stands for."""
    step, value, logged_at = row
    number = float(value) if isinstance(value, (int, float)) else math.nan
    return LoggedPoint(step, number, _time(logged_at))


def extent(connection: sqlite3.Connection, key: str) -> Extent | None:
    """Return where a metric begins and ends and its points' number, None if it has none.

    Two index seeks, and a count that walks the metric's part of the index.
    """
    if not has_points_table(connection):
        return None
    first, last = first_row(connection, key), last_row(connection, key)
    if first is None or last is None:
        return None
    return Extent(point(first), point(last), count(connection, key, first[0], last[0]))


def count(connection: sqlite3.Connection, key: str, start: int, end: int) -> int:
    """Return how many points have steps from `start` to `end`: walks that part of the index."""
    if not has_points_table(connection):
        return 0
    found: int
    sql = f"select count(*){IN_RANGE}"
    (found,) = connection.execute(sql, parameters(key, start, end)).fetchone()
    return found


def point_at(connection: sqlite3.Connection, key: str, step: int) -> Neighbours:
    """Return the point at a step and those before and after it: three index seeks."""
    if not has_points_table(connection):
        return Neighbours()
    found = (
        last_row(connection, key, end=step - 1),
        first_row(connection, key, step, step),
        first_row(connection, key, step + 1),
    )
    before, at, after = (None if row is None else point(row) for row in found)
    return Neighbours(before, at, after)


def next_point(
    connection: sqlite3.Connection,
    key: str,
    step: int,
    direction: Direction = "after",
    kind: Kind = "any",
) -> LoggedPoint | None:
    """Return the nearest point of a kind before or after a step, None if there is none.

    Any point is one index seek. For a NaN or an infinity the points between are walked: a metric
    of a million that has none takes as long as one scan of it, so ask what `Series` counts first.
    """
    if not has_points_table(connection):
        return None
    is_after = direction == "after"
    start, end = (step + 1, MAX_STEP) if is_after else (MIN_STEP, step - 1)
    order = f"order by step {'asc' if is_after else 'desc'} limit 1"
    row = rows(connection, key, start, end, f"{_KINDS[kind]} {order}").fetchone()
    return None if row is None else point(row)


def page(connection: sqlite3.Connection, key: str, start: int, end: int) -> tuple[LoggedPoint, ...]:
    """Return up to `PAGE_POINTS` points with steps from `start` to `end`, in order of steps."""
    if not has_points_table(connection):
        return ()
    found = rows(connection, key, start, end, "order by step limit :limit", limit=PAGE_POINTS)
    return tuple(map(point, found))


# Hundreds of points share a second, and reading a time takes longer than reading a point.
@lru_cache(maxsize=4_096)
def _time(stored: object) -> datetime | None:
    return timestamp(stored, "logged_at", [])

"""The points of one metric, one by one (exp.db: dynamic_metrics).

Rows whose step is not a number have no place on an axis of steps and are left out of everything
here; `MetricSummary.unreadable_count` counts them. A value that is not a number reads as NaN. Steps
stored as text or bytes are numbers on the connection that `NumberedSteps` gives.
"""

from __future__ import annotations

import math
import sqlite3
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from flowtui.store.database import table_columns
from flowtui.store.decoding import as_sql, timestamp
from flowtui.store.metrics.steps import HIGHEST, LOWEST, Step, above, at_least, at_most, below
from flowtui.store.metrics.values import Extent, Neighbours
from flowtui.store.values import LoggedPoint

PAGE_POINTS = 10_000
"""How many points an export reads at once: a few hundredths of a second, and a few megabytes."""

Kind = Literal["any", "nan", "inf", "finite"]
Direction = Literal["before", "after"]
Row = tuple[Step, Any, Any]
"""step, value, logged_at, as they are stored."""

# Values that are not numbers do not sort between numbers.
IN_RANGE = " from dynamic_metrics where key = cast(:key as text) and step between :start and :end"
IN_ORDER = "order by step, rowid"
"""One step may be stored as a number and as bytes, which makes two points."""
BACKWARDS = "order by step desc, rowid desc"
_OF_KEY = "select count(*) from dynamic_metrics where key = cast(:key as text) and step"
_STEPLESS = f"select ({_OF_KEY} is null) + ({_OF_KEY} < :lowest) + ({_OF_KEY} > :highest)"
_KINDS: dict[Kind, str] = {
    "any": "",
    "nan": " and value is null",
    "inf": " and value in (9e999, -9e999)",
    "finite": " and typeof(value) in ('integer', 'real') and value not in (9e999, -9e999)",
}


def has_points_table(connection: sqlite3.Connection) -> bool:
    """Say whether the schema has a table of metrics."""
    return bool(table_columns(connection, "dynamic_metrics"))


def parameters(key: str, start: Step, end: Step) -> dict[str, object]:
    """Return the parameters of `IN_RANGE`; steps beyond the range of numbers become its ends."""
    start, end = max(at_least(start), LOWEST), min(at_most(end), HIGHEST)
    return {"key": as_sql(key), "start": start, "end": end}


def rows(
    connection: sqlite3.Connection,
    key: str,
    start: Step,
    end: Step,
    rest: str,
    **given: object,
) -> sqlite3.Cursor:
    """Return the rows with steps from `start` to `end`; `rest` is SQL after the conditions."""
    sql = f"select step, value, logged_at{IN_RANGE} {rest}"
    return connection.execute(sql, {**parameters(key, start, end), **given})


def first_row(
    connection: sqlite3.Connection, key: str, start: Step = LOWEST, end: Step = HIGHEST
) -> Row | None:
    """Return the row of the lowest step in a range: one index seek."""
    row: Row | None = rows(connection, key, start, end, f"{IN_ORDER} limit 1").fetchone()
    return row


def last_row(
    connection: sqlite3.Connection, key: str, start: Step = LOWEST, end: Step = HIGHEST
) -> Row | None:
    """Return the row of the highest step in a range: one index seek."""
    row: Row | None = rows(connection, key, start, end, f"{BACKWARDS} limit 1").fetchone()
    return row


def point(row: Row) -> LoggedPoint:
    """Return the point that a row stands for."""
    step, value, logged_at = row
    number = float(value) if isinstance(value, (int, float)) else math.nan
    return LoggedPoint(step, number, _time(logged_at))


def extent(connection: sqlite3.Connection, key: str) -> Extent | None:
    """Return where a metric begins and ends and its number of points, None if it has no rows.

    It takes two index seeks, and a count that scans the metric's part of the index.
    """
    if not has_points_table(connection):
        return None
    first, last = first_row(connection, key), last_row(connection, key)
    stepless = stepless_count(connection, key)
    if first is None or last is None:
        return Extent(None, None, 0, stepless) if stepless else None
    number_of = count(connection, key, first[0], last[0])
    return Extent(point(first), point(last), number_of, stepless)


def count(connection: sqlite3.Connection, key: str, start: Step, end: Step) -> int:
    """Return how many points have steps from `start` to `end`: one scan of that range."""
    if not has_points_table(connection):
        return 0
    found: int
    sql = f"select count(*){IN_RANGE}"
    (found,) = connection.execute(sql, parameters(key, start, end)).fetchone()
    return found


def stepless_count(connection: sqlite3.Connection, key: str) -> int:
    """Return how many rows have no step, by a scan of these alone: they are apart in the index."""
    if not has_points_table(connection):
        return 0
    found: int
    given = {"key": as_sql(key), "lowest": LOWEST, "highest": HIGHEST}
    (found,) = connection.execute(_STEPLESS, given).fetchone()
    return found


def point_at(connection: sqlite3.Connection, key: str, step: Step) -> Neighbours:
    """Return the point at a step and those before and after it: three index seeks."""
    if not has_points_table(connection):
        return Neighbours()
    found = (
        last_row(connection, key, end=below(step)),
        first_row(connection, key, step, step),
        first_row(connection, key, above(step)),
    )
    before, at, after = (None if row is None else point(row) for row in found)
    return Neighbours(before, at, after)


def next_point(
    connection: sqlite3.Connection,
    key: str,
    step: Step,
    direction: Direction = "after",
    kind: Kind = "any",
) -> LoggedPoint | None:
    """Return the nearest point of a kind before or after a step, None if there is none.

    Any point takes one index seek. For a NaN or an infinity the points between are scanned: a
    metric of a million points without one is scanned whole, so look at the counts of `Series`
    first.
    """
    if not has_points_table(connection):
        return None
    is_after = direction == "after"
    start, end = (above(step), HIGHEST) if is_after else (LOWEST, below(step))
    order = IN_ORDER if is_after else BACKWARDS
    row = rows(connection, key, start, end, f"{_KINDS[kind]} {order} limit 1").fetchone()
    return None if row is None else point(row)


class Page(NamedTuple):
    """Up to `PAGE_POINTS` points in order of steps, and where the next page begins."""

    points: tuple[LoggedPoint, ...]
    last_rowid: int = 0

    @property
    def is_last(self) -> bool:
        return len(self.points) < PAGE_POINTS


def page(
    connection: sqlite3.Connection, key: str, start: Step, end: Step, after_rowid: int | None = None
) -> Page:
    """Return the first points with steps from `start` to `end`.

    Args:
        connection: A connection to exp.db.
        key: The metric.
        start: The first step.
        end: The last step.
        after_rowid: The `last_rowid` of the page before, whose last step is `start`.
    """
    if not has_points_table(connection):
        return Page(())
    sql = (
        f"select step, value, logged_at, rowid{IN_RANGE}"
        f" and (step > :start or rowid > :after) {IN_ORDER} limit :limit"
    )
    after = LOWEST if after_rowid is None else after_rowid
    given = {**parameters(key, start, end), "after": after, "limit": PAGE_POINTS}
    found = connection.execute(sql, given).fetchall()
    return Page(tuple(point(row[:3]) for row in found), found[-1][3] if found else 0)


# Cached: hundreds of points share a second, and parsing a time takes longer than reading a point.
@lru_cache(maxsize=4_096)
def _time(stored: object) -> datetime | None:
    return timestamp(stored, "logged_at", [])

"""One metric as a chart draws it, also while it grows (exp.db: dynamic_metrics)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from flowtui.store.decoding import as_sql
from flowtui.store.metrics.columns import joined, of_one, on_grid
from flowtui.store.metrics.listing import mark
from flowtui.store.metrics.points import (
    IN_ORDER,
    first_row,
    has_points_table,
    last_row,
    point,
    rows,
    stepless_count,
)
from flowtui.store.metrics.steps import IS_STEP, Grid, Step, above, grid, growing_grid
from flowtui.store.metrics.values import Series

POINTS_A_COLUMN = 4
"""A column keeps its first, lowest, highest and last point; fewer points are kept as they are."""
QUICK_WALK_ROWS = 10_000
"""How many rows of the table are scanned in about a millisecond."""


def series(
    connection: sqlite3.Connection, key: str, window: tuple[Step, Step] | None, columns: int
) -> Series | None:
    """Return a metric over a window of steps in at most `columns`, None if it has no points there.

    It takes one pass over the points of the window. Up to `POINTS_A_COLUMN` times as many points as
    columns each become a column of their own.

    Args:
        connection: A connection to exp.db.
        key: The metric.
        window: The first and last step; its columns are equally wide, to one step where steps are
            whole. None is the whole metric, whose columns are a power of two wide, so that
            `extended` can join them as it grows: there are at least half as many as asked for.
        columns: How many columns at most.

    Raises:
        ValueError: The window or the number of columns is less than one.
    """
    if columns < 1 or (window is not None and window[0] > window[1]):
        raise ValueError(f"no chart has the window {window} in {columns} columns")
    if not has_points_table(connection):
        return None
    first, last = first_row(connection, key), last_row(connection, key)
    if first is None or last is None:
        return None
    start, end = window or (first[0], last[0])
    newest = mark(connection)
    # The rows up to this limit also tell whether steps are whole, and stay the first ones.
    room = columns * POINTS_A_COLUMN
    some = rows(connection, key, start, end, f"{IN_ORDER} limit :limit", limit=room + 1).fetchall()
    made = Series(
        key=key,
        start=start,
        end=end,
        is_whole=window is None,
        max_columns=columns,
        columns=(),
        first=point(first),
        last=point(last),
        mark=newest,
        read_mark=newest,
        stepless_count=stepless_count(connection, key),
        has_fractions=any(isinstance(step, float) for step, *_ in some),
    )
    if len(some) <= room:
        return replace(made, columns=tuple(map(of_one, some)))
    return replace(made, columns=tuple(on_grid(connection, key, _grid(made), start, end)))


def extended(connection: sqlite3.Connection, known: Series) -> Series | None:
    """Return what `series` would return now, reading only new points if all come after the last.

    A logged point gets a new rowid, also one that is logged again (the SDK replaces its row). So a
    new one at or before the last known step may have replaced a point, and everything is read
    again.
    """
    window = None if known.is_whole else (known.start, known.end)
    newest = mark(connection)
    known = replace(known, stepless_count=stepless_count(connection, known.key))
    if newest >= known.mark:
        count, lowest = _since(connection, known, newest)
        if count == 0:
            return replace(known, mark=newest)
        if lowest > known.last.step:
            grown = _grown(connection, known, newest)
            if grown is not None:
                return grown
    return series(connection, known.key, window, known.max_columns)


def _grown(connection: sqlite3.Connection, known: Series, newest: int) -> Series | None:
    """Return a series with the points after its last, None if its points must become columns."""
    last = last_row(connection, known.key)
    if last is None:
        return None
    end = last[0] if known.is_whole else known.end
    grown = replace(known, end=end, last=point(last), mark=newest)
    start = max(known.start, above(known.last.step))
    room = known.max_columns * POINTS_A_COLUMN - known.count
    if room >= 0:
        given = {"limit": room + 1}
        some = rows(connection, known.key, start, end, f"{IN_ORDER} limit :limit", **given)
        new = list(map(of_one, some))
        has_fractions = known.has_fractions or any(isinstance(one.start, float) for one in new)
        grown = replace(grown, columns=(*known.columns, *new), has_fractions=has_fractions)
        return None if len(new) > room else grown
    parts = _grid(grown)
    new = on_grid(connection, known.key, parts, start, end)
    return replace(grown, columns=joined((*known.columns, *new), parts))


def _since(connection: sqlite3.Connection, known: Series, newest: int) -> tuple[int, Step]:
    """Return how many points were logged since, and the lowest of their steps."""
    # The plus makes SQLite scan the new rows of all metrics, not all rows of this one.
    column = "+key" if newest - known.mark < max(known.count, QUICK_WALK_ROWS) else "key"
    count, lowest = connection.execute(
        "select count(*), min(step) from dynamic_metrics where rowid > :mark"
        f" and {column} = cast(:key as text) and {IS_STEP}",
        {"mark": known.mark, "key": as_sql(known.key)},
    ).fetchone()
    return count, lowest or 0


def _grid(of: Series) -> Grid:
    make = growing_grid if of.is_whole else grid
    return make(of.start, of.end, of.max_columns, of.has_fractions)

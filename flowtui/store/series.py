"""One metric as a chart draws it, and the same as it grows (exp.db: dynamic_metrics)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from flowtui.store.points import first_row, has_points_table, last_row, point
from flowtui.store.reading import as_sql
from flowtui.store.series_columns import Grid, joined, on_grid, single
from flowtui.store.series_values import Series

POINTS_A_COLUMN = 4
"""What a column keeps: first, lowest, highest, last. No more points than that come as they are."""
QUICK_WALK_ROWS = 10_000
"""So many rows of the table are walked in about a millisecond."""


def series(
    connection: sqlite3.Connection, key: str, window: tuple[int, int] | None, columns: int
) -> Series | None:
    """Return a metric over a window of steps in at most so many columns, None without points.

    One pass over the points of the window. Up to `POINTS_A_COLUMN` times as many points as
    columns come each as a column of its own.

    Args:
        connection: an exp.db.
        key: the metric.
        window: first and last step; its columns are equally wide, to one step. None is the whole
            metric, whose columns are a power of two wide so that `extended` can join them as it
            grows: there are at least half as many as asked for.
        columns: how many at most.

    Raises:
        ValueError: the window or the number of columns is less than one.
    """
    if columns < 1 or (window is not None and window[0] > window[1]):
        raise ValueError(f"no chart has the window {window} in {columns} columns")
    if not has_points_table(connection):
        return None
    first, last = first_row(connection, key), last_row(connection, key)
    if first is None or last is None:
        return None
    start, end = window or (first[0], last[0])
    mark = _mark(connection)
    made = Series(
        key=key,
        start=start,
        end=end,
        is_whole=window is None,
        max_columns=columns,
        columns=(),
        first=point(first),
        last=point(last),
        mark=mark,
        read_mark=mark,
    )
    found = single(connection, key, start, end, columns * POINTS_A_COLUMN)
    if found is None:
        found = on_grid(connection, key, _grid(made), start, end)
    return replace(made, columns=tuple(found))


def extended(connection: sqlite3.Connection, known: Series) -> Series | None:
    """Return what `series` would now, reading only new points if all came after the last.

    A logged point gets a new rowid, a re-logged one too (the SDK replaces its row), so one that
    lands at or before the last known step may have replaced a point, and all is read anew.
    """
    window = None if known.is_whole else (known.start, known.end)
    mark = _mark(connection)
    if mark >= known.mark:
        count, lowest = _since(connection, known, mark)
        if count == 0:
            return replace(known, mark=mark)
        if lowest > known.last.step:
            grown = _grown(connection, known, mark)
            if grown is not None:
                return grown
    return series(connection, known.key, window, known.max_columns)


def _grown(connection: sqlite3.Connection, known: Series, mark: int) -> Series | None:
    """Return a series with the points after its last, None if it must change from points."""
    last = last_row(connection, known.key)
    if last is None:
        return None
    end = last[0] if known.is_whole else known.end
    grown = replace(known, end=end, last=point(last), mark=mark)
    start = max(known.start, known.last.step + 1)
    room = known.max_columns * POINTS_A_COLUMN
    if known.count <= room:
        new = single(connection, known.key, start, end, room - known.count)
        return None if new is None else replace(grown, columns=(*known.columns, *new))
    grid = _grid(grown)
    new = on_grid(connection, known.key, grid, start, end)
    return replace(grown, columns=joined((*known.columns, *new), grid))


def _since(connection: sqlite3.Connection, known: Series, mark: int) -> tuple[int, int]:
    """Return how many points were logged since, and the lowest of their steps."""
    # The plus makes SQLite walk the new rows of all metrics, not all rows of this one.
    column = "+key" if mark - known.mark < max(known.count, QUICK_WALK_ROWS) else "key"
    count, lowest = connection.execute(
        "select count(*), min(step) from dynamic_metrics where rowid > :mark"
        f" and {column} = cast(:key as text) and typeof(step) = 'integer'",
        {"mark": known.mark, "key": as_sql(known.key)},
    ).fetchone()
    return count, lowest or 0


def _mark(connection: sqlite3.Connection) -> int:
    if not has_points_table(connection):
        return 0
    (mark,) = connection.execute("select max(rowid) from dynamic_metrics").fetchone()
    return mark or 0


def _grid(of: Series) -> Grid:
    length = of.end - of.start + 1
    if not of.is_whole:
        return Grid(of.start, length, min(of.max_columns, length))
    # The lowest power of two that is wide enough.
    column_steps = 1 << ((length - 1) // of.max_columns).bit_length()
    return Grid(of.start, column_steps * of.max_columns, of.max_columns)

"""One metric as a chart draws it: its window in columns, each with its true extremes.

The rows of a window are read once, in short ranges of steps. That gives SQLite nothing to sort,
and leaves only a short range to search for the step of a column's minimum or maximum.
Source: dynamic_metrics.step, .value, .logged_at.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from flowtui.store.metrics import MAX_STEP
from flowtui.store.points import (
    IN_RANGE,
    Row,
    first_row,
    has_points_table,
    last_row,
    parameters,
    point,
    rows,
)
from flowtui.store.reading import as_sql
from flowtui.store.values import Column, LoggedPoint, Series

POINTS_A_COLUMN = 4
"""What a column keeps: first, lowest, highest, last. No more points than that come as they are."""
PIECES, PIECE_STEPS = 16, 64
"""A column is read in up to so many pieces, which are worth a statement from so many steps on."""

_PIECE = f"select count(*), count(value), min({{value}}), max({{value}}){{odd}}{IN_RANGE}"
_QUICK = _PIECE.format(value="value", odd="")
# Costs a half more, so it is asked only where a plain minimum or maximum was no finite number.
_CAREFUL = _PIECE.format(
    value="case when typeof(value) in ('real', 'integer')"
    " and abs(value) <= 1.7976931348623157e308 then value end",
    odd=", sum(value = 9e999), sum(value = -9e999), sum(typeof(value) in ('text', 'blob'))",
)


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
    made = Series(
        key=key,
        start=start,
        end=end,
        is_whole=window is None,
        width=columns,
        columns=(),
        first=point(first),
        last=point(last),
        mark=_mark(connection),
    )
    found = _few(connection, key, start, end, columns * POINTS_A_COLUMN)
    if found is None:
        found = _columns(connection, key, _grid(made), start, end)
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
    return series(connection, known.key, window, known.width)


def _grown(connection: sqlite3.Connection, known: Series, mark: int) -> Series | None:
    """Return a series with the points after its last, None if it must change from points."""
    last = last_row(connection, known.key)
    if last is None:
        return None
    end = last[0] if known.is_whole else known.end
    grown = replace(known, end=end, last=point(last), mark=mark)
    start, room = known.last.step + 1, known.width * POINTS_A_COLUMN
    if known.count <= room:
        new = _few(connection, known.key, start, end, room - known.count)
        return None if new is None else replace(grown, columns=(*known.columns, *new))
    grid = _grid(grown)
    new = _columns(connection, known.key, grid, start, end)
    return replace(grown, columns=_on_grid((*known.columns, *new), grid))


def _since(connection: sqlite3.Connection, known: Series, mark: int) -> tuple[int, int]:
    """Return how many points were logged since, and the lowest of their steps."""
    # The plus makes SQLite walk the new rows of all metrics, not all rows of this one.
    column = "+key" if mark - known.mark < known.count else "key"
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


class _Grid(NamedTuple):
    """Steps from `origin` on in equal parts; in Python's integers, which do not overflow."""

    origin: int
    length: int
    parts: int

    def start(self, index: int) -> int:
        return self.origin + index * self.length // self.parts

    def index(self, step: int) -> int:
        return ((step - self.origin + 1) * self.parts - 1) // self.length


def _grid(of: Series) -> _Grid:
    length = of.end - of.start + 1
    if not of.is_whole:
        return _Grid(of.start, length, min(of.width, length))
    # The lowest power of two that is wide enough.
    column_steps = 1 << ((length - 1) // of.width).bit_length()
    return _Grid(of.start, column_steps * of.width, of.width)


def _few(
    connection: sqlite3.Connection, key: str, start: int, end: int, limit: int
) -> list[Column] | None:
    """Return each point as a column of its own, None if there are more than `limit`."""
    found = rows(connection, key, start, end, "order by step limit :limit", limit=limit + 1)
    single = [_of_one(row) for row in islice(found, limit)]
    return single if found.fetchone() is None else None


def _of_one(row: Row) -> Column:
    step, value, _ = row
    alone = point(row)
    is_number = isinstance(value, (int, float))
    extreme = alone if is_number and math.isfinite(value) else None
    return Column(
        start=step,
        end=step,
        count=1,
        first=alone,
        last=alone,
        minimum=extreme,
        maximum=extreme,
        nan_count=int(value is None),
        pos_inf_count=int(value == math.inf),
        neg_inf_count=int(value == -math.inf),
        unreadable_count=int(value is not None and not is_number),
    )


def _columns(
    connection: sqlite3.Connection, key: str, grid: _Grid, start: int, end: int
) -> list[Column]:
    """Return the columns of a grid that have points from `start` to `end`."""
    found: list[Column] = []
    while start <= end:
        # Leaps over empty columns: of a few steps among 10**12 most are.
        first = first_row(connection, key, start, end)
        if first is None:
            break
        index = grid.index(first[0])
        start = grid.start(index + 1)
        last = last_row(connection, key, first[0], min(start - 1, end)) or first
        bounds = grid.start(index), start - 1
        found.append(_column(connection, key, bounds, (point(first), point(last))))
    return found


def _column(
    connection: sqlite3.Connection,
    key: str,
    bounds: tuple[int, int],
    ends: tuple[LoggedPoint, LoggedPoint],
) -> Column:
    first, last = ends
    length = last.step - first.step + 1
    grid = _Grid(first.step, length, min(PIECES, 1 + length // PIECE_STEPS))
    pieces = [_piece(connection, key, grid, index) for index in range(grid.parts)]
    lowest = min((piece for piece in pieces if piece.low is not None), key=_low, default=None)
    highest = max((piece for piece in pieces if piece.high is not None), key=_high, default=None)
    return Column(
        start=bounds[0],
        end=bounds[1],
        count=sum(piece.count for piece in pieces),
        first=first,
        last=last,
        minimum=None if lowest is None else _first_at(connection, key, lowest, lowest.low),
        maximum=None if highest is None else _first_at(connection, key, highest, highest.high),
        nan_count=sum(piece.count - piece.non_null for piece in pieces),
        pos_inf_count=sum(piece.pos_inf_count for piece in pieces),
        neg_inf_count=sum(piece.neg_inf_count for piece in pieces),
        unreadable_count=sum(piece.unreadable_count for piece in pieces),
    )


class _Piece(NamedTuple):
    """What one statement says of a part of a column."""

    start: int
    end: int
    count: int
    non_null: int
    low: float | None
    high: float | None
    pos_inf_count: int = 0
    neg_inf_count: int = 0
    unreadable_count: int = 0


def _piece(connection: sqlite3.Connection, key: str, grid: _Grid, index: int) -> _Piece:
    start, end = grid.start(index), grid.start(index + 1) - 1
    given = parameters(key, start, end)
    piece = _Piece(start, end, *connection.execute(_QUICK, given).fetchone())
    if piece.non_null == 0 or (_is_finite(piece.low) and _is_finite(piece.high)):
        return piece
    return _Piece(start, end, *connection.execute(_CAREFUL, given).fetchone())


def _first_at(
    connection: sqlite3.Connection, key: str, piece: _Piece, value: float | None
) -> LoggedPoint | None:
    rest = "and value = :value order by step limit 1"
    row = rows(connection, key, piece.start, piece.end, rest, value=value).fetchone()
    return None if row is None else point(row)


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _low(piece: _Piece) -> float:
    return math.inf if piece.low is None else piece.low


def _high(piece: _Piece) -> float:
    return -math.inf if piece.high is None else piece.high


def _on_grid(columns: Sequence[Column], grid: _Grid) -> tuple[Column, ...]:
    """Return columns joined to those of a grid, each of which must hold some as a whole."""
    joined: dict[int, Column] = {}
    for column in columns:
        index = grid.index(column.first.step)
        bounds = grid.start(index), grid.start(index + 1) - 1
        known = joined.get(index)
        joined[index] = (
            replace(column, start=bounds[0], end=bounds[1])
            if known is None
            else _joined(known, column)
        )
    return tuple(joined.values())


def _joined(left: Column, right: Column) -> Column:
    lows = [point for point in (left.minimum, right.minimum) if point is not None]
    highs = [point for point in (left.maximum, right.maximum) if point is not None]
    return replace(
        left,
        count=left.count + right.count,
        last=right.last,
        minimum=min(lows, key=lambda point: point.value, default=None),
        maximum=max(highs, key=lambda point: point.value, default=None),
        nan_count=left.nan_count + right.nan_count,
        pos_inf_count=left.pos_inf_count + right.pos_inf_count,
        neg_inf_count=left.neg_inf_count + right.neg_inf_count,
        unreadable_count=left.unreadable_count + right.unreadable_count,
    )

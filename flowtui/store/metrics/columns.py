"""The columns of a series: the points of one metric in ranges of steps, with true extremes.

The rows are read once, in short ranges of steps. So SQLite has nothing to sort, and only a short
range to search for the step of a column's minimum or maximum.
Source: dynamic_metrics.step, .value, .logged_at.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace

from flowtui.store.metrics.points import (
    IN_ORDER,
    IN_RANGE,
    Row,
    first_row,
    last_row,
    parameters,
    point,
    rows,
)
from flowtui.store.metrics.steps import Grid, Step, above, grid, reach
from flowtui.store.metrics.values import SeriesColumn
from flowtui.store.values import LoggedPoint

PIECES, PIECE_STEPS = 16, 64
"""In how many pieces a column is read at most, and how many steps are worth a piece."""

_PIECE = f"select count(*), count(value), min({{value}}), max({{value}}){{odd}}{IN_RANGE}"
_QUICK = _PIECE.format(value="value", odd="")
# This costs twice as much, so it is used only where a plain minimum or maximum was not a finite
# number. Values that are not numbers sort after all numbers.
_CAREFUL = _PIECE.format(
    value="case when value between -1.7976931348623157e308 and 1.7976931348623157e308"
    " then value end",
    odd=", sum(value = 9e999), sum(value = -9e999), sum(value > 9e999)",
)


def of_one(row: Row) -> SeriesColumn:
    """Return a column of one point."""
    step, value, _ = row
    alone = point(row)
    is_number = isinstance(value, (int, float))
    extreme = alone if is_number and math.isfinite(value) else None
    return SeriesColumn(
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


def on_grid(
    connection: sqlite3.Connection, key: str, parts: Grid, start: Step, end: Step
) -> list[SeriesColumn]:
    """Return the columns of a grid that have points from `start` to `end`."""
    found: list[SeriesColumn] = []
    while start <= end:
        # This skips empty columns, which most are for a few steps among 10**12.
        first = first_row(connection, key, start, end)
        if first is None:
            break
        bounds = parts.bounds(parts.index(first[0]))
        column_end = min(reach(bounds[1]), end)
        last = last_row(connection, key, first[0], column_end) or first
        found.append(_column(connection, key, bounds, (point(first), point(last))))
        start = above(column_end)
    return found


def _column(
    connection: sqlite3.Connection,
    key: str,
    bounds: tuple[Step, Step],
    ends: tuple[LoggedPoint, LoggedPoint],
) -> SeriesColumn:
    first, last = ends
    ranges = _pieces(first.step, last.step, has_fractions=isinstance(bounds[1], float))
    pieces = [_piece(connection, key, *steps) for steps in ranges]
    lows = {index: piece.low for index, piece in enumerate(pieces) if piece.low is not None}
    highs = {index: piece.high for index, piece in enumerate(pieces) if piece.high is not None}
    lowest = min(lows, key=lows.__getitem__, default=None)
    highest = max(highs, key=highs.__getitem__, default=None)
    return SeriesColumn(
        start=bounds[0],
        end=bounds[1],
        count=sum(piece.count for piece in pieces),
        first=first,
        last=last,
        minimum=None if lowest is None else _at(connection, key, *ranges[lowest], lows[lowest]),
        maximum=None if highest is None else _at(connection, key, *ranges[highest], highs[highest]),
        nan_count=sum(piece.count - piece.non_null for piece in pieces),
        pos_inf_count=sum(piece.pos_inf_count for piece in pieces),
        neg_inf_count=sum(piece.neg_inf_count for piece in pieces),
        unreadable_count=sum(piece.unreadable_count for piece in pieces),
    )


@dataclass(slots=True)
class _Piece:
    """What one statement returns for a part of a column."""

    count: int
    non_null: int
    low: float | None
    high: float | None
    pos_inf_count: int = 0
    neg_inf_count: int = 0
    unreadable_count: int = 0


def _pieces(first: Step, last: Step, has_fractions: bool) -> list[tuple[Step, Step]]:
    """Return the ranges that a column is read in, which together cover all of it."""
    if has_fractions or isinstance(first, float):
        parts = grid(first, last, PIECES, has_fractions=True)
    else:
        whole = math.floor(last)
        parts = grid(first, whole, min(PIECES, 1 + (whole - first + 1) // PIECE_STEPS))
    bounds = [parts.bounds(index) for index in range(parts.parts)]
    return [(start, min(reach(end), last)) for start, end in bounds]


def _piece(connection: sqlite3.Connection, key: str, start: Step, end: Step) -> _Piece:
    given = parameters(key, start, end)
    piece = _Piece(*connection.execute(_QUICK, given).fetchone())
    if piece.non_null == 0 or (_is_finite(piece.low) and _is_finite(piece.high)):
        return piece
    return _Piece(*connection.execute(_CAREFUL, given).fetchone())


def _at(
    connection: sqlite3.Connection, key: str, start: Step, end: Step, value: float
) -> LoggedPoint | None:
    """Return the earliest point of a value in a part of a column."""
    rest = f"and value = :value {IN_ORDER} limit 1"
    row = rows(connection, key, start, end, rest, value=value).fetchone()
    return None if row is None else point(row)


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def joined(columns: Iterable[SeriesColumn], parts: Grid) -> tuple[SeriesColumn, ...]:
    """Return columns, in order, joined to those of a grid; each must be within one of them."""
    made: dict[int, SeriesColumn] = {}
    for column in columns:
        index = parts.index(column.first.step)
        start, end = parts.bounds(index)
        known = made.get(index)
        made[index] = replace(_merged(known, column) if known else column, start=start, end=end)
    return tuple(made.values())


def _merged(left: SeriesColumn, right: SeriesColumn) -> SeriesColumn:
    lows = [lowest for lowest in (left.minimum, right.minimum) if lowest is not None]
    highs = [highest for highest in (left.maximum, right.maximum) if highest is not None]
    return replace(
        left,
        count=left.count + right.count,
        last=right.last,
        minimum=min(lows, key=lambda lowest: lowest.value, default=None),
        maximum=max(highs, key=lambda highest: highest.value, default=None),
        nan_count=left.nan_count + right.nan_count,
        pos_inf_count=left.pos_inf_count + right.pos_inf_count,
        neg_inf_count=left.neg_inf_count + right.neg_inf_count,
        unreadable_count=left.unreadable_count + right.unreadable_count,
    )

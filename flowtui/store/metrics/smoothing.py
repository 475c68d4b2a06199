"""The exponential moving average of one metric over all its points (exp.db: dynamic_metrics).

An average over the points that a series keeps would lean towards its extremes, so every finite
point is read, one by one: memory does not grow with their number.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from flowtui.store.metrics.points import BACKWARDS, IN_ORDER, IN_RANGE, has_points_table, parameters
from flowtui.store.metrics.steps import LOWEST, Step, above, below, reach
from flowtui.store.metrics.values import Series, SeriesColumn, Smoothed
from flowtui.store.values import Point

NEGLIGIBLE = 1e-6
"""Points that weigh less than this in an average are not read."""

# NULL, text and blobs do not sort between numbers.
_FINITE = f"{IN_RANGE} and value between -1.7976931348623157e308 and 1.7976931348623157e308"
_VALUES = f"select step, value{_FINITE} {IN_ORDER}"
_STEP_BEFORE = f"select step{_FINITE} {BACKWARDS} limit 1 offset :between"


def smoothed(
    connection: sqlite3.Connection, series: Series, weight: float, known: Smoothed | None = None
) -> Smoothed:
    """Return the moving average of a series, reading only what `known` does not include.

    At each finite point the average so far has the weight `weight` and the point the rest; nothing
    before the first point counts. It takes one pass over the points and, for a window, over those
    before it that still weigh in its average.
    Source: dynamic_metrics.step, .value.

    Args:
        connection: A connection to exp.db.
        series: The series that is drawn; points that were logged after it was read do not count.
        weight: The weight, above 0 and below 1; the higher, the smoother.
        known: The average of an earlier state of the same series; any other is not used.

    Raises:
        ValueError: The weight is not between 0 and 1.
    """
    if not 0 < weight < 1:
        raise ValueError(f"no average has the weight {weight}")
    end = min(series.end, series.last.step)
    if known is not None and _goes_on(known, series, weight):
        running = _Running(weight, known.average, known.missing)
        start, kept = above(known.last_step), known.points
    else:
        running = _Running(weight)
        start, kept = _start(connection, series, weight), ()
    return _smoothed(running, _values(connection, series.key, start, end), series, kept)


def smoothed_over(values: Iterable[tuple[Step, float]], series: Series, weight: float) -> Smoothed:
    """Return the moving average of a series whose values no table holds, as `smoothed` does.

    Args:
        values: Its finite values with their steps, in order, from the first of the curve to the
            end of the series.
        series: The series that is drawn.
        weight: The weight, above 0 and below 1.
    """
    return _smoothed(_Running(weight), values, series, ())


def _smoothed(
    running: _Running,
    values: Iterable[tuple[Step, float]],
    series: Series,
    kept: Iterable[Point],
) -> Smoothed:
    """Return the average of a series, with the points that are `kept` of an earlier one."""
    averages = running.over(values)
    # Columns are joined as a series grows; the points of a joined one are among those kept.
    points = _kept(chain(((at.step, at.value) for at in kept), averages), series.columns)
    return Smoothed(
        key=series.key,
        weight=running.weight,
        points=tuple(points),
        window=series.window,
        max_columns=series.max_columns,
        read_mark=series.read_mark,
        mark=series.mark,
        last_step=min(series.end, series.last.step),
        average=running.average,
        missing=running.missing,
    )


def _goes_on(known: Smoothed, series: Series, weight: float) -> bool:
    """Say whether the points that an average includes are unchanged in the series."""
    same = (known.key, known.weight, known.window, known.max_columns, known.read_mark)
    return (
        same == (series.key, weight, series.window, series.max_columns, series.read_mark)
        and known.mark <= series.mark
    )


def _start(connection: sqlite3.Connection, series: Series, weight: float) -> Step:
    """Return the step of the first point that weighs in the average of a series."""
    if series.is_whole or not has_points_table(connection):
        return LOWEST
    count = math.ceil(math.log(NEGLIGIBLE) / math.log(weight))
    given = parameters(series.key, LOWEST, below(series.start))
    row = connection.execute(_STEP_BEFORE, {**given, "between": count}).fetchone()
    return LOWEST if row is None else row[0]


def _values(
    connection: sqlite3.Connection, key: str, start: Step, end: Step
) -> Iterable[tuple[Step, float]]:
    if not has_points_table(connection):
        return ()
    return connection.execute(_VALUES, parameters(key, start, end))


@dataclass(slots=True)
class _Running:
    """An average that takes one value after another."""

    weight: float
    average: float = 0.0
    missing: float = 1.0

    def over(self, values: Iterable[tuple[Step, float]]) -> Iterator[tuple[Step, float]]:
        """Yield each step with the average there."""
        weight, average, missing = self.weight, self.average, self.missing
        share = 1 - weight
        for step, value in values:
            missing *= weight
            change = value - average
            part = share / (1 - missing)
            if math.isinf(change):
                average = _between(average, value, part)
            else:
                # The average of equal values is that value, whatever precision `part` loses.
                average += change * part
            yield step, average
        self.average, self.missing = average, missing


def _between(low: float, high: float, part: float) -> float:
    """Return the number a part of the way between two whose difference is too large for a float."""
    return low * (1 - part) + high * part


def _kept(
    averages: Iterable[tuple[Step, float]], columns: Sequence[SeriesColumn]
) -> Iterator[Point]:
    """Yield the first, lowest, highest and last average in each column, each once."""
    # A column reaches to the whole step after its last, unless another begins before that.
    starts = chain((column.start for column in columns), repeat(math.inf))
    ends = chain((reach(column.end) for column in columns), repeat(math.inf))
    start, following, end = next(starts), next(starts), next(ends)
    seen: list[tuple[Step, float]] = []
    for step, average in averages:
        while step >= following:
            yield from _points(seen)
            seen, start, following, end = [], following, next(starts), next(ends)
        if not start <= step <= end:
            continue
        if not seen:
            seen = [(step, average)] * 4
            continue
        seen[3] = step, average
        if average < seen[1][1]:
            seen[1] = step, average
        elif average > seen[2][1]:
            seen[2] = step, average
    yield from _points(seen)


def _points(seen: Iterable[tuple[Step, float]]) -> list[Point]:
    return [Point(step, average) for step, average in sorted(set(seen))]

"""The metrics of a run as text, CSV and JSON, for scripts and pipes.

The formats are described in docs/json.md and stable: one point a line, written as it is read, so
that a run of any length takes no more memory. Numbers are in full precision; NaN and infinities
are `NaN`, `Infinity` and `-Infinity`, in JSON as strings. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal, TextIO

from flowtui import format as fmt
from flowtui.reports.data_output import data_out
from flowtui.reports.runs import metric_lines, time_text
from flowtui.store.closest import closest
from flowtui.store.errors import StoreError
from flowtui.store.metrics import points as metric_points
from flowtui.store.metrics import series as metric_series
from flowtui.store.metrics.series import POINTS_A_COLUMN
from flowtui.store.metrics.steps import Step
from flowtui.store.metrics.values import Extent
from flowtui.store.open_run import OpenRun
from flowtui.store.values import LoggedPoint

KEY_CHARACTERS = 10_000
"""How much of a key CSV holds: more than any person can have meant."""
VALUE_CHARACTERS = len("-2.2250738585072014e-308")
Format = Literal["text", "csv", "json"]


def print_metrics(
    run: OpenRun, keys: Sequence[str], style: Format, limit: int | None = None
) -> None:
    """Print points of metrics; as text and without keys, a line a metric.

    Args:
        run: The run.
        keys: The metrics in the order wanted; none for all of them in order of keys.
        style: The format.
        limit: How many points of each metric at most, its extremes kept; None for all.

    Raises:
        StoreError: The run has no metric of one of the keys; nothing is printed then.
        DatabaseError: The run's database cannot be read.
    """
    if style == "text" and not keys:
        for line in metric_lines(list(run.metrics.summaries({})), "key"):
            print(line)
        return
    known = list(run.metrics.last_points())
    for key in keys:
        if key not in known:
            raise _unknown(key, known, run)
    metrics = _Source(run, limit=limit).metrics(keys or known)
    out = sys.stdout if style == "text" else data_out()
    written = _WRITERS[style](metrics, out)
    for key, count in written.stepless.items():
        rows = f"{fmt.count(count, 'row')} of {fmt.plain(key, 200)}"
        print(f"flow-tui: left out, since the step is not a number: {rows}", file=sys.stderr)


def write_series(
    run: OpenRun,
    keys: Sequence[str],
    window: tuple[Step, Step] | None,
    style: Literal["csv", "json"],
    out: TextIO,
) -> PointsWritten:
    """Write all points of metrics inside a window as `flow-tui metrics` prints them.

    Args:
        run: The run.
        keys: The metrics in the order wanted; one without points in the window is left out.
        window: The first and the last step; None for each metric from its first to its last point.
        style: The format; the count in JSON is that of the points in the window.
        out: Where points are written as they are read.

    Returns:
        How many points were written, and what was left out.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more; part of the text is written then.
    """
    return _WRITERS[style](_Source(run, window).metrics(keys), out)


@dataclass(slots=True)
class PointsWritten:
    """How much was written, and what was left out."""

    point_count: int = 0
    stepless: dict[str, int] = field(default_factory=dict)
    """How many rows of each metric were left out because their step is not a number."""

    def begin(self, metric: _Metric) -> None:
        if metric.extent.stepless_count:
            self.stepless[metric.key] = metric.extent.stepless_count


@dataclass(frozen=True, slots=True)
class _Metric:
    """A metric, how much there was of it when it was asked for, and its points to come."""

    key: str
    extent: Extent
    is_thinned: bool
    points: Iterator[LoggedPoint]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where metrics are read from, and how much of each."""

    run: OpenRun
    window: tuple[Step, Step] | None = None
    limit: int | None = None
    """How many points of a metric at most, its extremes kept; None for all."""

    def metrics(self, keys: Iterable[str]) -> Iterator[_Metric]:
        """Yield those that have points there or rows without a step, each once."""
        for key in dict.fromkeys(keys):
            extent = self._extent(key)
            if extent is not None:
                is_thinned = self.limit is not None and extent.count > self.limit
                yield _Metric(key, extent, is_thinned, self._points(key, extent))

    def _extent(self, key: str) -> Extent | None:
        if self.window is None:
            return self.run.metrics.ask(key, metric_points.extent, key)
        series = self.run.metrics.ask(key, metric_series.series, key, self.window, 1)
        if series is None or not series.columns:
            return None
        first, last = series.columns[0].first, series.columns[-1].last
        return Extent(first, last, series.count, series.stepless_count)

    def _points(self, key: str, extent: Extent) -> Iterator[LoggedPoint]:
        if extent.first is None or extent.last is None:
            return
        # Read no further than what was counted; otherwise a live run would have more points than
        # its count says.
        window = extent.first.step, extent.last.step
        if self.limit is None:
            yield from self.run.metrics.points(key, window)
            return
        columns = self.limit // POINTS_A_COLUMN
        series = self.run.metrics.ask(key, metric_series.series, key, window, columns)
        for column in series.columns if series is not None else ():
            yield from column.points


def _unknown(key: str, known: Sequence[str], run: OpenRun) -> StoreError:
    near = closest(key, known)
    rest = f"; closest: {', '.join(near)}" if near else "" if known else ", which has none yet"
    return StoreError(f"no metric {key!r} in the run {run.name!r}{rest}")


def _write_text(metrics: Iterable[_Metric], out: TextIO) -> PointsWritten:
    written = PointsWritten()
    for index, metric in enumerate(metrics):
        written.begin(metric)
        ends = (metric.extent.first, metric.extent.last)
        width = max((len(str(end.step)) for end in ends if end is not None), default=0)
        name = f"{fmt.plain(metric.key, 200)}  {fmt.count(metric.extent.count, 'point')}"
        name += ", the extremes of them:" if metric.is_thinned else ""
        print(f"\n{name}" if index else name, file=out)
        for point in metric.points:
            value = f"{fmt.exact(point.value):<{VALUE_CHARACTERS}}"
            line = f"  {point.step:>{width}}  {value}  {_logged(point.logged_at)}"
            print(line.rstrip(), file=out)
            written.point_count += 1
    return written


def _write_csv(metrics: Iterable[_Metric], out: TextIO) -> PointsWritten:
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("key", "step", "value", "logged_at"))
    written = PointsWritten()
    for metric in metrics:
        written.begin(metric)
        key = fmt.plain(metric.key, KEY_CHARACTERS)
        for point in metric.points:
            rows.writerow((key, point.step, _number(point.value), _logged(point.logged_at)))
            written.point_count += 1
    return written


def _write_json(metrics: Iterable[_Metric], out: TextIO) -> PointsWritten:
    out.write("[")
    written, is_empty = PointsWritten(), True
    for metric in metrics:
        written.begin(metric)
        out.write("\n" if is_empty else ",\n")
        is_empty = False
        name = f'"key": {json.dumps(metric.key)}, "count": {metric.extent.count}'
        name += f', "stepless_count": {metric.extent.stepless_count}'
        out.write(f'  {{{name}, "points": [')
        for place, point in enumerate(metric.points):
            out.write(f"{',' if place else ''}\n    {json_point(point)}")
            written.point_count += 1
        out.write("\n  ]}")
    out.write("]\n" if is_empty else "\n]\n")
    return written


_WRITERS = {"text": _write_text, "csv": _write_csv, "json": _write_json}


def json_point(point: LoggedPoint, key: str | None = None) -> str:
    """Return a point as one line of JSON, with the name of its metric if that is given."""
    number = _number(point.value)
    value = number if math.isfinite(point.value) else f'"{number}"'
    logged_at = f'"{_logged(point.logged_at)}"' if point.logged_at else "null"
    name = "" if key is None else f'"key": {json.dumps(key)}, '
    return f'{{{name}"step": {point.step}, "value": {value}, "logged_at": {logged_at}}}'


def _number(value: float) -> str:
    """Return a number as JSON would have it, and `NaN`, `Infinity` or `-Infinity`."""
    return repr(value) if math.isfinite(value) else json.dumps(value)


# Cached, since many points share a second.
@lru_cache(maxsize=64)
def _logged(moment: datetime | None) -> str:
    return time_text(moment) or ""

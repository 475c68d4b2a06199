"""The metrics of a run as text, CSV and JSON, for scripts and pipes.

The formats are described in the README and stable: one point a line, written as it is read, so
that a run of any length takes no more memory. Numbers are in full precision; NaN and infinities
are `NaN`, `Infinity` and `-Infinity`, in JSON as strings. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import csv
import difflib
import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from flowtui import format as fmt
from flowtui.report import table, time_text
from flowtui.store.errors import StoreError
from flowtui.store.series import POINTS_A_COLUMN
from flowtui.store.store import Store
from flowtui.store.values import Extent, LoggedPoint, MetricSummary, Run

NEAR_MATCHES_SHOWN = 5
KEY_CHARACTERS = 10_000
"""A key is cut in CSV only where no person can have meant it."""
VALUE_CHARACTERS = len("-2.2250738585072014e-308")
Format = Literal["text", "csv", "json"]


def print_metrics(
    store: Store, run: Run, keys: Sequence[str], style: Format, limit: int | None = None
) -> None:
    """Print points of metrics; as text and without keys, a line a metric.

    Args:
        store: the store.
        run: one of its runs.
        keys: the metrics in the order wanted; none for all of them in order of keys.
        style: of what is printed.
        limit: at most so many points of each metric, its extremes kept; None for all.

    Raises:
        StoreError: the run has no metric of one of the keys; nothing is printed then.
        DatabaseError: the run's database cannot be read.
    """
    if style == "text" and not keys:
        _print_summaries(list(store.metric_summaries(run.id, {})))
        return
    known = list(store.last_points(run.id))
    for key in keys:
        if key not in known:
            raise _unknown(key, known, run)
    selected = _selected(store, run, dict.fromkeys(keys or known), limit)
    {"text": _print_text, "csv": _print_csv, "json": _print_json}[style](selected)


@dataclass(frozen=True, slots=True)
class _Metric:
    """A metric, how much there was of it when it was asked for, and its points to come."""

    key: str
    extent: Extent
    is_thinned: bool
    points: Iterator[LoggedPoint]


def _selected(store: Store, run: Run, keys: Iterable[str], limit: int | None) -> Iterator[_Metric]:
    for key in keys:
        extent = store.extent(run.id, key)
        if extent is not None:
            is_thinned = limit is not None and extent.count > limit
            yield _Metric(key, extent, is_thinned, _points(store, run, key, extent, limit))


def _points(
    store: Store, run: Run, key: str, extent: Extent, limit: int | None
) -> Iterator[LoggedPoint]:
    # No further than what was counted: a run that goes on would belie the count.
    window = extent.first.step, extent.last.step
    if limit is None:
        yield from store.points(run.id, key, window)
        return
    series = store.series(run.id, key, window, limit // POINTS_A_COLUMN)
    for column in series.columns if series is not None else ():
        yield from column.points


def _unknown(key: str, known: Sequence[str], run: Run) -> StoreError:
    near = [name for name in known if key and key.lower() in name.lower()]
    near += difflib.get_close_matches(key, known, NEAR_MATCHES_SHOWN, cutoff=0.5)
    near = list(dict.fromkeys(near))[:NEAR_MATCHES_SHOWN]
    rest = f"; closest: {', '.join(near)}" if near else "" if known else ", which has none yet"
    return StoreError(f"no metric {key!r} in the run {run.name!r}{rest}")


def _print_summaries(summaries: Sequence[MetricSummary]) -> None:
    rows = [("key", "points", "last", "min", "max", "NaN", "Inf")]
    rows += [
        (
            fmt.plain(summary.key, 200),
            f"{summary.count:,}",
            fmt.number(summary.last.value),
            "" if summary.minimum is None else fmt.number(summary.minimum.value),
            "" if summary.maximum is None else fmt.number(summary.maximum.value),
            f"{summary.nan_count:,}" if summary.nan_count else "",
            f"{summary.inf_count:,}" if summary.inf_count else "",
        )
        for summary in summaries
    ]
    for line in table(rows):
        print(line)


def _print_text(metrics: Iterable[_Metric]) -> None:
    for index, metric in enumerate(metrics):
        first, last = metric.extent.first, metric.extent.last
        width = max(len(str(first.step)), len(str(last.step)))
        name = f"{fmt.plain(metric.key, 200)}  {fmt.count(metric.extent.count, 'point')}"
        name += ", the extremes of them:" if metric.is_thinned else ""
        print(f"\n{name}" if index else name)
        for point in metric.points:
            value = f"{fmt.exact(point.value):<{VALUE_CHARACTERS}}"
            print(f"  {point.step:>{width}}  {value}  {_logged(point.logged_at)}".rstrip())


def _print_csv(metrics: Iterable[_Metric]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("key", "step", "value", "logged_at"))
    for metric in metrics:
        key = fmt.plain(metric.key, KEY_CHARACTERS)
        out.writerows(
            (key, point.step, _number(point.value), _logged(point.logged_at))
            for point in metric.points
        )


def _print_json(metrics: Iterable[_Metric]) -> None:
    sys.stdout.write("[")
    index = -1
    for index, metric in enumerate(metrics):
        sys.stdout.write(",\n" if index else "\n")
        name = f'"key": {json.dumps(metric.key)}, "count": {metric.extent.count}'
        sys.stdout.write(f'  {{{name}, "points": [')
        for place, point in enumerate(metric.points):
            sys.stdout.write(f"{',' if place else ''}\n    {_json_point(point)}")
        sys.stdout.write("\n  ]}")
    sys.stdout.write("]\n" if index < 0 else "\n]\n")


def _json_point(point: LoggedPoint) -> str:
    number = _number(point.value)
    value = number if math.isfinite(point.value) else f'"{number}"'
    logged_at = f'"{_logged(point.logged_at)}"' if point.logged_at else "null"
    return f'{{"step": {point.step}, "value": {value}, "logged_at": {logged_at}}}'


def _number(value: float) -> str:
    """Return a number as JSON would have it, and `NaN`, `Infinity` or `-Infinity`."""
    return repr(value) if math.isfinite(value) else json.dumps(value)


# Many points share a second.
@lru_cache(maxsize=64)
def _logged(moment: datetime | None) -> str:
    return time_text(moment) or ""

"""Metric summaries of one run, straight from its points (exp.db: dynamic_metrics).

The JSON copies in meta.db exist only after a run has ended, so they are not used here. A summary
takes one pass over its metric's points; after that only what is new is read.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from flowtui.store.database import table_columns
from flowtui.store.natural import sort_key
from flowtui.store.reading import as_sql, timestamp
from flowtui.store.values import Bucket, LoggedPoint, MetricSummary, Point

MAX_BUCKETS = 64
"""Twice as many as the widest sparkline has cells, since a row that overflows is folded in two."""
MIN_STEP, MAX_STEP = -(2**63), 2**63 - 1
"""What SQLite's integers reach."""

DISTINCT_KEYS = """
with recursive keys(key) as (
  select min(key) from dynamic_metrics
  union all
  select (select min(key) from dynamic_metrics where key > keys.key) from keys
  where keys.key is not null
)"""
"""One index seek a key: SQLite's own `distinct` would scan every point."""

_LAST_POINTS = f"""{DISTINCT_KEYS}
select keys.key, last.step, last.value, last.logged_at
from keys join dynamic_metrics last on last.rowid = (
  select rowid from dynamic_metrics newest
  where newest.key = keys.key and typeof(step) = 'integer' order by step desc limit 1)
where typeof(keys.key) = 'text'"""

_BUCKETS = """
select
  case typeof(step) when 'integer' then cast((step - :origin) / :width as integer) end as bucket,
  count(*), count(value), min({value}), max({value}){odd}
from dynamic_metrics where key = cast(:key as text) and {where} group by bucket"""
# Costs a third more, so it is asked only when a plain minimum or maximum was no finite number.
_FINITE = (
    "case when typeof(value) in ('real', 'integer') and abs(value) <= 1.7976931348623157e308"
    " then value end"
)
_ODD_COUNTS = ", sum(value = 9e999), sum(value = -9e999), sum(typeof(value) in ('text', 'blob'))"

Goal = Literal["min", "max"]
_LOWER_IS_BETTER = frozenset(
    "loss nll kl error err mae mse rmse mape wer cer fid ppl perplexity regret".split()
)
_HIGHER_IS_BETTER = frozenset(
    "accuracy acc top1 top5 precision recall f1 auc auroc auprc map iou dice bleu rouge score"
    " reward psnr ssim r2 pass".split()
)


def goal(key: str) -> Goal | None:
    """Return which way a metric's name says it should go, None where it does not say."""
    words = re.split(r"[^a-z0-9]+", key.lower())
    if not _LOWER_IS_BETTER.isdisjoint(words):
        return "min"
    return "max" if not _HIGHER_IS_BETTER.isdisjoint(words) else None


def telling_first(keys: Iterable[str]) -> list[str]:
    """Return metrics by name, those first whose name says which way they should go.

    They tell most about a run.
    """
    return sorted(keys, key=lambda key: (goal(key) is None, sort_key(key)))


def best(metric: MetricSummary) -> Point | None:
    """Return the best point by the metric's `goal`, None without a goal or a finite point."""
    return {"min": metric.minimum, "max": metric.maximum, None: None}[goal(metric.key)]


def last_points(connection: sqlite3.Connection) -> dict[str, LoggedPoint]:
    """Return the last point of every metric by key, in order of keys.

    One index seek a key, however many points there are. Source: dynamic_metrics.
    """
    if not table_columns(connection, "dynamic_metrics"):
        return {}
    rows = sorted(connection.execute(_LAST_POINTS), key=lambda row: sort_key(row[0]))
    return {
        key: LoggedPoint(step, _number(value), timestamp(logged_at, "logged_at", []))
        for key, step, value, logged_at in rows
    }


class Stale(NamedTuple):
    """Which metrics are to be summed up."""

    keys: tuple[str, ...]
    """In order."""
    mark: int
    """The summaries of all other keys cover every row up to this dynamic_metrics.rowid."""


def stale(connection: sqlite3.Connection, known: Mapping[str, MetricSummary]) -> Stale:
    """Return the keys that have points which their `known` summary does not cover."""
    mark = _mark(connection)
    oldest = min((metric.mark for metric in known.values()), default=0)
    if not known or mark < oldest:
        return Stale(tuple(last_points(connection)), mark)
    # The plus keeps SQLite from scanning the index of all points for the order of keys.
    rows = connection.execute(
        "select key, max(rowid) from dynamic_metrics"
        " where rowid > :oldest and typeof(key) = 'text' group by +key order by +key",
        {"oldest": oldest},
    )
    keys = [key for key, newest in rows if key not in known or newest > known[key].mark]
    return Stale(tuple(sorted(keys, key=sort_key)), mark)


def summary(
    connection: sqlite3.Connection, key: str, known: MetricSummary | None = None
) -> MetricSummary | None:
    """Return the summary of one metric, None if it has no points.

    One pass over the metric's points; with a `known` summary only over those after its last, if
    that is enough. A logged point gets a new rowid, a re-logged one too (the SDK replaces its
    row), so one that lands at or before the last known step may have replaced a point, and the
    metric is summed up anew.
    """
    if known is None:
        return _whole(connection, key)
    mark = _mark(connection)
    if mark < known.mark:
        return _whole(connection, key)
    # The plus makes SQLite walk the new rows of all metrics, not all rows of this one.
    column = "+key" if mark - known.mark < known.count else "key"
    count, lowest_step, odd_count = connection.execute(
        "select count(*), min(step), total(typeof(step) <> 'integer') from dynamic_metrics"
        f" where rowid > :mark and {column} = cast(:key as text)",
        {"mark": known.mark, "key": as_sql(key)},
    ).fetchone()
    if count == 0:
        return replace(known, mark=mark)
    if odd_count or lowest_step <= known.last.step:
        return _whole(connection, key)
    return _extended(connection, known)


def _whole(connection: sqlite3.Connection, key: str) -> MetricSummary | None:
    first = _end_point(connection, key, "asc")
    last = _end_point(connection, key, "desc")
    if first is None or last is None:
        return None
    width = (last.step - first.step) // MAX_BUCKETS + 1
    tally = _tally(connection, key, first.step, width)
    return MetricSummary(
        key=key,
        count=tally.count,
        nan_count=tally.nan_count,
        pos_inf_count=tally.pos_inf_count,
        neg_inf_count=tally.neg_inf_count,
        first=first,
        last=last,
        minimum=tally.minimum,
        maximum=tally.maximum,
        buckets=_bucket_row(tally.buckets),
        bucket_steps=width,
        mark=_mark(connection),
        unreadable_count=tally.unreadable_count,
    )


def _extended(connection: sqlite3.Connection, known: MetricSummary) -> MetricSummary:
    last = _end_point(connection, known.key, "desc") or known.last
    buckets, width = known.buckets, known.bucket_steps
    while (last.step - known.first.step) // width >= MAX_BUCKETS:
        buckets, width = _folded(buckets), width * 2
    tally = _tally(connection, known.key, known.first.step, width, after=known.last.step)
    merged = dict(enumerate(buckets))
    for index, bucket in tally.buckets.items():
        merged[index] = _joined(merged.get(index), bucket)
    return replace(
        known,
        count=known.count + tally.count,
        nan_count=known.nan_count + tally.nan_count,
        pos_inf_count=known.pos_inf_count + tally.pos_inf_count,
        neg_inf_count=known.neg_inf_count + tally.neg_inf_count,
        unreadable_count=known.unreadable_count + tally.unreadable_count,
        last=last,
        minimum=min(_present(known.minimum, tally.minimum), key=_by_value, default=None),
        maximum=max(_present(known.maximum, tally.maximum), key=_by_value, default=None),
        buckets=_bucket_row(merged),
        bucket_steps=width,
        mark=_mark(connection),
    )


@dataclass(slots=True)
class _Tally:
    """What one pass over some points of a metric counts."""

    count: int = 0
    nan_count: int = 0
    pos_inf_count: int = 0
    neg_inf_count: int = 0
    unreadable_count: int = 0
    minimum: Point | None = None
    maximum: Point | None = None
    buckets: dict[int, Bucket | None] = field(default_factory=dict)


def _tally(
    connection: sqlite3.Connection, key: str, origin: int, width: int, after: int | None = None
) -> _Tally:
    # Text sorts after every number, so that a step of text would be counted each time.
    where = "true" if after is None else "step > :after and typeof(step) = 'integer'"
    given = {"key": as_sql(key), "origin": origin, "width": width, "after": after}
    rows = connection.execute(_BUCKETS.format(value="value", odd="", where=where), given).fetchall()
    if not all(_is_finite(low) and _is_finite(high) for *_, low, high in rows):
        odd = _BUCKETS.format(value=_FINITE, odd=_ODD_COUNTS, where=where)
        rows = connection.execute(odd, given).fetchall()
    tally = _Tally()
    for bucket, count, non_null, low, high, *odd_counts in rows:
        tally.count += count
        if bucket is None:
            tally.unreadable_count += count
            continue
        pos_inf, neg_inf, not_numbers = odd_counts or (0, 0, 0)
        tally.nan_count += count - non_null
        tally.pos_inf_count += pos_inf or 0
        tally.neg_inf_count += neg_inf or 0
        tally.unreadable_count += not_numbers
        tally.buckets[bucket] = None if low is None else Bucket(low, high)
    first = MIN_STEP if after is None else after + 1
    tally.minimum, tally.maximum = _extremes(connection, key, origin, width, first, tally.buckets)
    return tally


def _extremes(
    connection: sqlite3.Connection,
    key: str,
    origin: int,
    width: int,
    first_step: int,
    buckets: Mapping[int, Bucket | None],
) -> tuple[Point | None, Point | None]:
    filled = {index: bucket for index, bucket in buckets.items() if bucket is not None}
    if not filled:
        return None, None

    def first_at(index: int, value: float) -> Point | None:
        start = min(max(origin + index * width, first_step), MAX_STEP)
        end = min(origin + (index + 1) * width - 1, MAX_STEP)
        # SQLite takes differences beyond its integers as floats, and the bucket by them.
        return _first_at(connection, key, start, end, value) or _first_at(
            connection, key, first_step, MAX_STEP, value
        )

    lowest = min(filled, key=lambda index: (filled[index].low, index))
    highest = min(filled, key=lambda index: (-filled[index].high, index))
    return first_at(lowest, filled[lowest].low), first_at(highest, filled[highest].high)


def _first_at(
    connection: sqlite3.Connection, key: str, start: int, end: int, value: float
) -> Point | None:
    row = connection.execute(
        "select step, value from dynamic_metrics where key = cast(:key as text)"
        " and step between :start and :end and typeof(step) = 'integer' and value = :value"
        " order by step limit 1",
        {"key": as_sql(key), "start": start, "end": end, "value": value},
    ).fetchone()
    return None if row is None else _point(*row)


def _end_point(
    connection: sqlite3.Connection, key: str, direction: Literal["asc", "desc"]
) -> Point | None:
    row = connection.execute(
        "select step, value from dynamic_metrics where key = cast(:key as text)"
        f" and typeof(step) = 'integer' order by step {direction} limit 1",
        {"key": as_sql(key)},
    ).fetchone()
    return None if row is None else _point(*row)


def _mark(connection: sqlite3.Connection) -> int:
    if not table_columns(connection, "dynamic_metrics"):
        return 0
    (mark,) = connection.execute("select max(rowid) from dynamic_metrics").fetchone()
    return mark or 0


def _point(step: int, value: object) -> Point:
    return Point(step, _number(value))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def _is_finite(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and math.isfinite(value))


def _bucket_row(buckets: Mapping[int, Bucket | None]) -> tuple[Bucket | None, ...]:
    return tuple(buckets.get(index) for index in range(max(buckets, default=-1) + 1))


def _folded(buckets: Sequence[Bucket | None]) -> tuple[Bucket | None, ...]:
    padded = [*buckets, None] if len(buckets) % 2 else list(buckets)
    return tuple(
        _joined(left, right) for left, right in zip(padded[::2], padded[1::2], strict=True)
    )


def _joined(left: Bucket | None, right: Bucket | None) -> Bucket | None:
    if left is None or right is None:
        return left or right
    return Bucket(min(left.low, right.low), max(left.high, right.high))


def _present(*points: Point | None) -> list[Point]:
    return [point for point in points if point is not None]


def _by_value(point: Point) -> float:
    return point.value

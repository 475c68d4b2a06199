"""Metric summaries of one run, straight from its points (exp.db: dynamic_metrics).

A summary takes one pass over its metric's points; after that only new points are read.
"""

from __future__ import annotations

import math
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from flowtui.store.database import table_columns
from flowtui.store.decoding import as_sql
from flowtui.store.metrics.listing import mark, number_of
from flowtui.store.metrics.steps import HIGHEST, IS_STEP, LOWEST, Step, above
from flowtui.store.values import Bucket, Buckets, MetricSummary, Point

MAX_BUCKETS = 64
"""Twice the cells of the widest sparkline, since buckets that overflow are joined in pairs."""
FAR_BUCKET = 1e9
"""Stands for any bucket far beyond the last, since a quotient may be infinite."""
FIRST_POINTS = 64
"""How many points tell whether the steps of a metric are whole numbers."""

_BUCKETS = f"""
select case when {IS_STEP} then cast({{index}} as integer) end as bucket,
  count(*), count(value), min({{value}}), max({{value}}){{odd}}
from dynamic_metrics where key = cast(:key as text) and {{where}} group by bucket"""
_WHOLE_INDEX = "(step - :origin) / :width"
# In halves, because a range of steps may be wider than the largest float.
_REAL_INDEX = "(step * 0.5 - :origin * 0.5) / (:width * 0.5)"
# This costs a third more, so it is used only if a plain minimum or maximum was not finite.
_FINITE = (
    "case when typeof(value) in ('real', 'integer') and abs(value) <= 1.7976931348623157e308"
    " then value end"
)
_ODD_COUNTS = ", sum(value = 9e999), sum(value = -9e999), sum(typeof(value) in ('text', 'blob'))"


def summary(
    connection: sqlite3.Connection, key: str, known: MetricSummary | None = None
) -> MetricSummary | None:
    """Return the summary of one metric, None if it has no points.

    It takes one pass over the metric's points; with a `known` summary only over those after its
    last, if that is enough. A logged point gets a new rowid, also one that is logged again (the SDK
    replaces its row). So a new one at or before the last known step may have replaced a point, and
    the metric is summarised again.
    """
    made = _summary(connection, key, known)
    return None if made is None else _with_copied_counts(connection, made)


def _summary(
    connection: sqlite3.Connection, key: str, known: MetricSummary | None
) -> MetricSummary | None:
    if known is None:
        return _whole(connection, key)
    newest = mark(connection)
    if newest < known.mark:
        return _whole(connection, key)
    # The plus makes SQLite scan the new rows of all metrics, not all rows of this one.
    column = "+key" if newest - known.mark < known.count else "key"
    count, lowest_step, odd_count, real_count = connection.execute(
        f"select count(*), min(step), total({IS_STEP} is not true), total(typeof(step) = 'real')"
        f" from dynamic_metrics where rowid > :mark and {column} = cast(:key as text)",
        {"mark": known.mark, "key": as_sql(key)},
    ).fetchone()
    if count == 0:
        return replace(known, mark=newest)
    is_finer = real_count and isinstance(known.bucket_steps, int)
    if odd_count or is_finer or known.last is None or lowest_step <= known.last.step:
        return _whole(connection, key)
    return _extended(connection, known)


def _with_copied_counts(connection: sqlite3.Connection, made: MetricSummary) -> MetricSummary:
    """Return a summary with the counts that only a copy has, where steps are numbers."""
    if "is_float32" not in table_columns(connection, "dynamic_metrics"):
        return made
    floats, doubled = connection.execute(
        "select total(is_float32), count(step) - count(distinct step) from dynamic_metrics"
        " where key = cast(:key as text)",
        {"key": as_sql(made.key)},
    ).fetchone()
    return replace(made, float32_count=int(floats), doubled_count=doubled)


def _whole(connection: sqlite3.Connection, key: str) -> MetricSummary | None:
    first = _end_point(connection, key, "asc")
    last = _end_point(connection, key, "desc")
    if first is None or last is None:
        return _without_points(connection, key)
    width = _bucket_width(first.step, last.step, _has_fractions(connection, key))
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
        mark=mark(connection),
        unreadable_count=tally.unreadable_count,
        stepless_count=tally.stepless_count,
    )


def _without_points(connection: sqlite3.Connection, key: str) -> MetricSummary | None:
    """Return the summary of a metric whose rows have no steps, None if it has no rows."""
    (count,) = connection.execute(
        "select count(*) from dynamic_metrics where key = cast(:key as text)", {"key": as_sql(key)}
    ).fetchone()
    if not count:
        return None
    return MetricSummary(
        key=key,
        count=count,
        nan_count=0,
        pos_inf_count=0,
        neg_inf_count=0,
        first=None,
        last=None,
        minimum=None,
        maximum=None,
        buckets=Buckets(),
        bucket_steps=1,
        mark=mark(connection),
        unreadable_count=count,
        stepless_count=count,
    )


def _has_fractions(connection: sqlite3.Connection, key: str) -> bool:
    row = connection.execute(
        "select total(typeof(step) = 'real') from (select step from dynamic_metrics"
        f" where key = cast(:key as text) and {IS_STEP} order by step limit :limit)",
        {"key": as_sql(key), "limit": FIRST_POINTS},
    ).fetchone()
    return bool(row[0])


def _bucket_width(first: Step, last: Step, has_fractions: bool) -> Step:
    if not has_fractions and isinstance(first, int) and isinstance(last, int):
        return (last - first) // MAX_BUCKETS + 1
    width = max((last / 2 - first / 2) / MAX_BUCKETS * 2, sys.float_info.min)
    while _bucket(last, first, width) >= MAX_BUCKETS:
        width *= 1 + 1e-9
    return width


def _bucket(step: Step, origin: Step, width: Step) -> int:
    """Return the bucket of a step as `_BUCKETS` does."""
    if isinstance(width, int):
        return int(step - origin) // width
    return int(min((step * 0.5 - origin * 0.5) / (width * 0.5), FAR_BUCKET))


def _extended(connection: sqlite3.Connection, known: MetricSummary) -> MetricSummary:
    first, last = known.first, _end_point(connection, known.key, "desc")
    assert first is not None
    assert last is not None
    assert known.last is not None
    buckets, width = known.buckets, known.bucket_steps
    while _bucket(last.step, first.step, width) >= MAX_BUCKETS:
        buckets, width = _folded(buckets), width * 2
    tally = _tally(connection, known.key, first.step, width, after=known.last.step)
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
        mark=mark(connection),
    )


@dataclass(slots=True)
class _PointTally:
    """What one pass over some points of a metric counts."""

    count: int = 0
    nan_count: int = 0
    pos_inf_count: int = 0
    neg_inf_count: int = 0
    unreadable_count: int = 0
    stepless_count: int = 0
    minimum: Point | None = None
    maximum: Point | None = None
    buckets: dict[int, Bucket | None] = field(default_factory=dict)


def _tally(
    connection: sqlite3.Connection, key: str, origin: Step, width: Step, after: Step | None = None
) -> _PointTally:
    # An infinite step sorts after every number, so without this it would be counted each time.
    where = "true" if after is None else f"step > :after and step <= {HIGHEST}"
    given = {"key": as_sql(key), "origin": origin, "width": width, "after": after}
    index = _WHOLE_INDEX if isinstance(width, int) else _REAL_INDEX
    plain = _BUCKETS.format(index=index, value="value", odd="", where=where)
    rows = connection.execute(plain, given).fetchall()
    if not all(_is_finite(low) and _is_finite(high) for *_, low, high in rows):
        odd = _BUCKETS.format(index=index, value=_FINITE, odd=_ODD_COUNTS, where=where)
        rows = connection.execute(odd, given).fetchall()
    tally = _PointTally()
    for bucket, count, non_null, low, high, *odd_counts in rows:
        tally.count += count
        if bucket is None:
            tally.unreadable_count += count
            tally.stepless_count += count
            continue
        pos_inf, neg_inf, not_numbers = odd_counts or (0, 0, 0)
        tally.nan_count += count - non_null
        tally.pos_inf_count += pos_inf or 0
        tally.neg_inf_count += neg_inf or 0
        tally.unreadable_count += not_numbers
        tally.buckets[bucket] = None if low is None else Bucket(low, high)
    first = LOWEST if after is None else above(after)
    tally.minimum, tally.maximum = _extremes(connection, key, origin, width, first, tally.buckets)
    return tally


def _extremes(
    connection: sqlite3.Connection,
    key: str,
    origin: Step,
    width: Step,
    first_step: Step,
    buckets: Mapping[int, Bucket | None],
) -> tuple[Point | None, Point | None]:
    filled = {index: bucket for index, bucket in buckets.items() if bucket is not None}
    if not filled:
        return None, None

    def first_at(index: int, value: float) -> Point | None:
        # One bucket more on both sides, since their ends are rounded.
        start = max((origin / 2 + (index - 1) * (width / 2)) * 2, first_step)
        end = (origin / 2 + (index + 2) * (width / 2)) * 2
        # SQLite computes differences beyond its integers as floats, and so the bucket.
        return _first_at(connection, key, start, end, value) or _first_at(
            connection, key, first_step, HIGHEST, value
        )

    lowest = min(filled, key=lambda index: (filled[index].low, index))
    highest = min(filled, key=lambda index: (-filled[index].high, index))
    return first_at(lowest, filled[lowest].low), first_at(highest, filled[highest].high)


def _first_at(
    connection: sqlite3.Connection, key: str, start: Step, end: Step, value: float
) -> Point | None:
    row = connection.execute(
        "select step, value from dynamic_metrics where key = cast(:key as text)"
        " and step between :start and :end and value = :value order by step, rowid limit 1",
        {"key": as_sql(key), "start": start, "end": min(end, HIGHEST), "value": value},
    ).fetchone()
    return None if row is None else _point(*row)


def _end_point(
    connection: sqlite3.Connection, key: str, direction: Literal["asc", "desc"]
) -> Point | None:
    row = connection.execute(
        "select step, value from dynamic_metrics where key = cast(:key as text)"
        f" and {IS_STEP} order by step {direction}, rowid {direction} limit 1",
        {"key": as_sql(key)},
    ).fetchone()
    return None if row is None else _point(*row)


def _point(step: Step, value: object) -> Point:
    return Point(step, number_of(value))


def _is_finite(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and math.isfinite(value))


def _bucket_row(buckets: Mapping[int, Bucket | None]) -> Buckets:
    return Buckets(buckets.get(index) for index in range(max(buckets, default=-1) + 1))


def _folded(buckets: Sequence[Bucket | None]) -> Buckets:
    padded = [*buckets, None] if len(buckets) % 2 else list(buckets)
    return Buckets(
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

"""Summaries of metrics, against what plain Python computes from the same points."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.metrics import listing
from flowtui.store.metrics import summary as metric_summary
from flowtui.store.metrics.steps import Step
from flowtui.store.schema import ddl
from flowtui.store.values import Bucket, Buckets, LoggedPoint, MetricSummary, Point
from tests.unit.stores import NOW

KEY = "train/loss"
FAR = 2**62

steps = st.one_of(
    st.integers(-20, 200),
    st.integers(10**12 - 50, 10**12 + 50),
    st.integers(FAR - 50, FAR + 50),
    st.integers(-FAR - 50, -FAR + 50),
    st.integers(-(2**63), 2**63 - 1),
)
real_steps = st.one_of(
    st.integers(0, 400).map(lambda index: index / 10),
    st.integers(0, 400).map(lambda index: index / 7 * 1e-8),
    st.integers(0, 50).map(lambda index: 1.7e9 + index * 2**-22),
    st.floats(allow_nan=False, allow_infinity=False),
)
values = st.one_of(
    st.sampled_from(
        [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, 5e-324, 1.7976931348623157e308]
    ),
    st.floats(width=64),
    st.integers(-3, 3).map(float),
)
Points = list[tuple[Step, float]]
points_of_any_step = st.one_of(
    st.lists(st.tuples(kind, values), min_size=1, max_size=60)
    for kind in (steps, real_steps, st.one_of(steps, real_steps))
)
points_in_order = st.builds(
    lambda gaps, start: [
        (start + sum(gap for gap, _ in gaps[: index + 1]), value)
        for index, (_, value) in enumerate(gaps)
    ],
    st.lists(
        st.tuples(
            st.one_of(st.integers(1, 40), real_steps.map(lambda step: min(abs(step), 1e300))),
            values,
        ),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from([0, -7, 10**12]),
)


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for table in ddl.EXPERIMENT_TABLES:
            connection.execute(table)
        yield connection


@pytest.fixture
def db(database: sqlite3.Connection) -> sqlite3.Connection:
    return emptied(database)


def emptied(database: sqlite3.Connection) -> sqlite3.Connection:
    database.execute("delete from dynamic_metrics")
    return database


def log(db: sqlite3.Connection, rows: Sequence[tuple[Any, Any]], key: str = KEY) -> None:
    db.executemany(
        "insert or replace into dynamic_metrics (key, step, value) values (?, ?, ?)",
        [(key, step, value) for step, value in rows],
    )


def last_points(db: sqlite3.Connection) -> dict[str, LoggedPoint | None]:
    return {metric.key: metric.last for metric in listing.listed(db)}


def summed(
    db: sqlite3.Connection, key: str = KEY, known: MetricSummary | None = None
) -> MetricSummary:
    summary = metric_summary.summary(db, key, known)
    assert summary is not None
    return summary


def is_same_point(one: Point | None, other: Point | None) -> bool:
    # NaN differs from itself; what a person sees of two of them does not.
    if one is None or other is None:
        return one is other
    return one.step == other.step and repr(one.value + 0.0) == repr(other.value + 0.0)


def assert_sums_up(summary: MetricSummary, points: Mapping[Step, float]) -> None:
    finite = [(step, value) for step, value in sorted(points.items()) if math.isfinite(value)]
    assert summary.count == len(points)
    assert summary.nan_count == sum(map(math.isnan, points.values()))
    assert summary.pos_inf_count == sum(value == math.inf for value in points.values())
    assert summary.neg_inf_count == sum(value == -math.inf for value in points.values())
    assert summary.inf_count == sum(map(math.isinf, points.values()))
    assert summary.unreadable_count == 0
    assert is_same_point(summary.first, Point(min(points), points[min(points)]))
    assert is_same_point(summary.last, Point(max(points), points[max(points)]))
    lowest = min(finite, key=lambda point: point[1], default=None)
    highest = max(finite, key=lambda point: point[1], default=None)
    assert summary.minimum == (None if lowest is None else Point(*lowest))
    assert summary.maximum == (None if highest is None else Point(*highest))
    assert_buckets_cover(summary, finite)


def assert_buckets_cover(summary: MetricSummary, finite: Points) -> None:
    assert len(summary.buckets) <= metric_summary.MAX_BUCKETS + 1
    filled = [bucket for bucket in summary.buckets if bucket is not None]
    assert min((bucket.low for bucket in filled), default=None) == (
        None if summary.minimum is None else summary.minimum.value
    )
    assert max((bucket.high for bucket in filled), default=None) == (
        None if summary.maximum is None else summary.maximum.value
    )
    assert summary.first is not None
    assert summary.last is not None
    if isinstance(summary.bucket_steps, int):
        assert_buckets_hold(summary, finite)


def assert_buckets_hold(summary: MetricSummary, finite: Points) -> None:
    """Asserts what each bucket has, where they are as wide as whole steps."""
    assert summary.first is not None
    assert summary.last is not None
    if summary.last.step - summary.first.step >= 2**63:
        return
    assert len(summary.buckets) <= metric_summary.MAX_BUCKETS
    expected: dict[int, list[float]] = {}
    for step, value in finite:
        # SQLite divides whole numbers as such, and others as floats.
        apart = (int(step) if step == int(step) else step) - summary.first.step
        whole = apart // summary.bucket_steps
        index = int(whole if step == int(step) else apart / summary.bucket_steps)
        expected.setdefault(index, []).append(value)
    assert {
        index: bucket for index, bucket in enumerate(summary.buckets) if bucket is not None
    } == {index: Bucket(min(of), max(of)) for index, of in expected.items()}


ends = st.floats(allow_nan=False, allow_infinity=False)
held = st.builds(lambda one, other: Bucket(*sorted((one, other))), ends, ends)


@given(st.lists(st.none() | held), st.slices(20))
def test_buckets_are_held_as_they_are_given(given_ones: list[Bucket | None], places: slice) -> None:
    buckets = Buckets(given_ones)
    assert list(buckets) == given_ones
    assert buckets[places] == given_ones[places]
    assert [buckets[at] for at in range(-len(buckets), 0)] == given_ones
    assert buckets == Buckets(given_ones)
    assert buckets != Buckets([*given_ones, None])


@given(points=st.one_of(points_of_any_step, points_in_order))
def test_a_summary_is_what_plain_python_computes(
    database: sqlite3.Connection, points: Points
) -> None:
    log(emptied(database), points)
    log(database, [(step, 1e9) for step, _ in points], key="train/other")
    assert_sums_up(summed(database), dict(points))


@given(batches=st.lists(st.one_of(points_of_any_step, points_in_order), min_size=2, max_size=4))
def test_a_known_summary_after_more_points_is_the_one_from_scratch(
    database: sqlite3.Connection, batches: list[Points]
) -> None:
    emptied(database)
    assert_follows(database, batches)


@given(points=points_in_order, cuts=st.lists(st.integers(0, 60), max_size=4))
def test_a_known_summary_follows_points_that_are_appended(
    database: sqlite3.Connection, points: Points, cuts: list[int]
) -> None:
    emptied(database)
    edges = [0, *sorted(cuts), len(points)]
    assert_follows(database, [points[a:b] for a, b in pairwise(edges)])


def assert_follows(database: sqlite3.Connection, batches: list[Points]) -> None:
    known: MetricSummary | None = None
    logged: dict[int, float] = {}
    for batch in batches:
        log(database, batch)
        log(database, [(0, 0.0)], key="train/other")
        logged.update(batch)
        known = metric_summary.summary(database, KEY, known)
        if logged:
            assert known is not None
            assert_sums_up(known, logged)


def test_appended_points_are_all_that_is_read_of_a_known_metric(db: sqlite3.Connection) -> None:
    log(db, [(step, 1.0) for step in range(20_000)])
    known = summed(db)
    log(db, [(20_000, 0.5)])
    steps_taken = 0

    def count() -> None:
        nonlocal steps_taken
        steps_taken += 1

    db.set_progress_handler(count, 100)
    extended = summed(db, known=known)
    db.set_progress_handler(None, 0)
    assert extended.count == 20_001
    assert extended.minimum == Point(20_000, 0.5)
    assert steps_taken < 20


def test_a_replaced_point_is_summed_up_anew(db: sqlite3.Connection) -> None:
    log(db, [(0, 5.0), (1, 1.0), (2, 3.0)])
    known = summed(db)
    log(db, [(1, 4.0)])
    assert summed(db, known=known).minimum == Point(2, 3.0)
    assert summed(db, known=known).count == 3


def test_a_replaced_last_point_is_summed_up_anew(db: sqlite3.Connection) -> None:
    log(db, [(0, 5.0), (1, 1.0)])
    known = summed(db)
    log(db, [(1, math.nan)])
    assert summed(db, known=known).minimum == Point(0, 5.0)
    assert summed(db, known=known).nan_count == 1


@pytest.mark.parametrize("step", [None, "ten", math.inf, -math.inf, b"\x01"])
@pytest.mark.parametrize("last", [7, 8])
def test_rows_without_a_step_are_counted_as_unreadable(
    db: sqlite3.Connection, step: object, last: int
) -> None:
    log(db, [(0, 2.0), (last, 1.0), (step, -50.0)])
    known = summed(db)
    assert (known.count, known.unreadable_count, known.stepless_count) == (3, 1, 1)
    assert known.minimum == Point(last, 1.0)
    assert known.last == Point(last, 1.0)
    log(db, [(9, 3.0)])
    extended = summed(db, known=known)
    assert (extended.count, extended.unreadable_count) == (4, 1)
    log(db, [(None, 1.0)])
    again = summed(db, known=extended)
    assert (again.count, again.unreadable_count) == (5, 2)
    assert again == summed(db)


def test_values_that_are_no_numbers_are_counted_as_unreadable(db: sqlite3.Connection) -> None:
    log(db, [(0, 2.0), (1, "high"), (2, b"\x00"), (3, None), (4, math.inf), (5, "tail")])
    summary = summed(db)
    assert (summary.count, summary.unreadable_count) == (6, 3)
    assert (summary.nan_count, summary.pos_inf_count) == (1, 1)
    assert summary.minimum == summary.maximum == Point(0, 2.0)
    assert math.isnan(summary.last.value)
    log(db, [(6, "more"), (7, 3.0)])
    assert repr(summed(db, known=summary)) == repr(summed(db))


def test_a_key_that_is_not_utf8_can_be_asked_for(db: sqlite3.Connection) -> None:
    db.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    db.execute(
        "insert into dynamic_metrics (key, step, value, logged_at)"
        " values (cast(x'61ff' as text), 3, 0.5, '2026-06-01 12:00:00')"
    )
    assert last_points(db) == {"a\udcff": LoggedPoint(3, 0.5, NOW)}
    assert listing.stale(db, {}).keys == ("a\udcff",)
    known = summed(db, "a\udcff")
    assert known.last == Point(3, 0.5)
    assert summed(db, "a\udcff", known) == known
    db.text_factory = str


def test_last_points_are_those_of_the_highest_step(db: sqlite3.Connection) -> None:
    log(db, [(5, 1.0), (10**12, 2.0), (-4, 3.0)])
    log(db, [(0, None)], key="b")
    log(db, [(None, 1.0), ("x", 2.0)], key="broken")
    log(db, [(1, math.inf)], key="")
    db.execute("update dynamic_metrics set logged_at = '2026-06-01 12:00:00' where step > 1")
    db.execute("update dynamic_metrics set logged_at = 'yesterday' where step = 1")
    found = last_points(db)
    assert list(found) == ["", "b", "broken", KEY]
    assert found["broken"] is None
    assert found[""] == LoggedPoint(1, math.inf, None)
    assert found[KEY] == LoggedPoint(10**12, 2.0, NOW)
    assert math.isnan(found["b"].value)


def test_stale_keys_are_those_with_points_beyond_their_own_summary(db: sqlite3.Connection) -> None:
    log(db, [(0, 1.0)], key="once")
    once = summed(db, "once")
    log(db, [(0, 1.0)], key="often")
    often = summed(db, "often")
    known = {"once": once, "often": often}
    assert listing.stale(db, known).keys == ()
    log(db, [(1, 1.0)], key="often")
    log(db, [(0, 1.0)], key="new")
    assert listing.stale(db, known).keys == ("new", "often")
    known |= {"often": summed(db, "often", often), "new": summed(db, "new")}
    assert listing.stale(db, known).keys == ()
    log(db, [(0, 2.0)], key="once")
    assert listing.stale(db, known).keys == ("once",)


def test_every_key_is_stale_once_the_table_was_made_anew(db: sqlite3.Connection) -> None:
    log(db, [(0, 1.0), (1, 2.0)])
    known = {KEY: summed(db)}
    emptied(db)
    log(db, [(0, 3.0)])
    assert listing.stale(db, known).keys == (KEY,)
    assert summed(db, known=known[KEY]).maximum == Point(0, 3.0)


def test_a_metric_without_points_has_no_summary(db: sqlite3.Connection) -> None:
    assert metric_summary.summary(db, KEY) is None
    assert last_points(db) == {}
    assert listing.stale(db, {}).keys == ()


def test_a_schema_without_metrics_has_none() -> None:
    with closing(sqlite3.connect(":memory:")) as empty:
        assert last_points(empty) == {}
        assert listing.stale(empty, {}).keys == ()


@pytest.mark.parametrize(
    ("key", "goal"),
    [
        ("train/loss", "min"),
        ("LOSS", "min"),
        ("val-rmse", "min"),
        ("val/accuracy", "max"),
        ("eval.f1_macro", "max"),
        ("lr", None),
        ("glossary", None),
        ("", None),
    ],
)
def test_a_metrics_name_says_which_way_it_should_go(key: str, goal: str | None) -> None:
    assert listing.goal(key) == goal


def test_the_best_point_is_the_one_that_the_goal_asks_for(db: sqlite3.Connection) -> None:
    log(db, [(0, 5.0), (1, 1.0), (2, 1.0)])
    loss = summed(db)
    assert listing.best(loss) == Point(1, 1.0)
    assert listing.best(replace(loss, key="accuracy")) == Point(0, 5.0)
    assert listing.best(replace(loss, key="lr")) is None
    log(emptied(db), [(0, math.nan)])
    assert listing.best(summed(db)) is None

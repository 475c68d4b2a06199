"""Decimated series, against what plain Python computes from the same points."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.metrics.points import PAGE_POINTS, extent, next_point, page, point_at
from flowtui.store.metrics.series import POINTS_A_COLUMN, extended, series
from flowtui.store.metrics.steps import HIGHEST, LOWEST, Step, above, below, reach
from flowtui.store.metrics.values import Series, SeriesColumn
from flowtui.store.schema import ddl
from flowtui.store.values import LoggedPoint

KEY = "train/loss"
FAR = 2**62
MIN, MAX = -(2**63), 2**63 - 1
Points = list[tuple[Step, float]]
Window = tuple[Step, Step] | None

steps = st.one_of(
    st.integers(-20, 400),
    st.integers(10**12 - 50, 10**12 + 50),
    st.integers(FAR - 50, FAR + 50),
    st.integers(-FAR - 50, -FAR + 50),
    st.integers(MIN, MAX),
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
points_of_any_step = st.one_of(
    st.lists(st.tuples(kind, values), min_size=1, max_size=60)
    for kind in (steps, real_steps, st.one_of(steps, real_steps))
)
# Lists are drawn near their least length, and few points would never be joined to columns.
points_in_order = st.builds(
    lambda gaps, start, widest: [
        (start + sum(1 + gap % widest for gap, _ in gaps[: index + 1]), value)
        for index, (_, value) in enumerate(gaps)
    ],
    st.lists(st.tuples(st.integers(0, 400), values), min_size=40, max_size=160),
    st.sampled_from([0, -7, 10**12, -FAR]),
    st.sampled_from([1, 3, 40, 400]),
)
real_points_in_order = st.builds(
    lambda gaps, start, unit: [
        (start + (index + sum(gap for gap, _ in gaps[: index + 1])) * unit, value)
        for index, (_, value) in enumerate(gaps)
    ],
    st.lists(st.tuples(st.integers(1, 40), values), min_size=40, max_size=160),
    st.sampled_from([0, -7.25, 2**53 - 100]),
    st.sampled_from([0.1, 0.5, 1 / 7, 1e-9, 1e300]),
)
points = st.one_of(points_of_any_step, points_in_order, real_points_in_order)
columns = st.one_of(st.integers(1, 8), st.integers(1, 40))


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for table in ddl.EXPERIMENT_TABLES:
            connection.execute(table)
        yield connection


def log(db: sqlite3.Connection, rows: Points, key: str = KEY) -> None:
    db.executemany(
        "insert or replace into dynamic_metrics (key, step, value) values (?, ?, ?)",
        [(key, step, value) for step, value in rows],
    )


def only(db: sqlite3.Connection, rows: Points) -> None:
    """Leaves these points and, of another metric, points that must not be seen."""
    db.execute("delete from dynamic_metrics")
    log(db, rows)
    log(db, [(step, 1e9) for step, _ in rows], key="train/other")


@st.composite
def windows(draw: st.DrawFn, near: Points) -> Window:
    """Draws the whole, or a window with its ends on, between or beyond points."""
    if draw(st.booleans()):
        return None
    at = st.sampled_from([step for step, _ in near])
    ends = [draw(st.one_of(at, steps, real_steps)) + draw(st.integers(-3, 3)) for _ in range(2)]
    return min(ends), max(ends)


def seen(point: LoggedPoint | None) -> str:
    return "none" if point is None else as_seen(point.step, point.value)


def as_seen(step: Step, value: float) -> str:
    # NaN differs from itself, but not as text. SQLite stores -0.0 as 0, and 3.0 as a step as 3.
    return f"{Fraction(step)} {value + 0.0!r}"


def assert_holds(column: SeriesColumn, held: Points) -> None:
    """Asserts that a column says of its points, in order of steps, what is true of them."""
    finite = [point for point in held if math.isfinite(point[1])]
    assert column.count == len(held)
    assert column.nan_count == sum(math.isnan(value) for _, value in held)
    assert column.pos_inf_count == sum(value == math.inf for _, value in held)
    assert column.neg_inf_count == sum(value == -math.inf for _, value in held)
    assert column.unreadable_count == 0
    expected = [
        held[0],
        held[-1],
        min(finite, key=lambda point: point[1], default=None),
        max(finite, key=lambda point: point[1], default=None),
    ]
    found = [column.first, column.last, column.minimum, column.maximum]
    assert [seen(point) for point in found] == [
        "none" if point is None else as_seen(*point) for point in expected
    ]


def assert_true(made: Series, logged: Mapping[Step, float], window: Window, wanted: int) -> None:
    ordered = sorted(logged.items())
    start, end = window or (ordered[0][0], ordered[-1][0])
    inside = [point for point in ordered if start <= point[0] <= end]
    assert (made.start, made.end) == (start, end)
    assert (made.first.step, made.last.step) == (ordered[0][0], ordered[-1][0])
    assert made.count == len(inside)
    assert made.nan_count == sum(math.isnan(value) for _, value in inside)
    assert made.pos_inf_count == sum(value == math.inf for _, value in inside)
    assert made.neg_inf_count == sum(value == -math.inf for _, value in inside)
    assert all(one.end < other.start for one, other in pairwise(made.columns))
    assert sum(column.count for column in made.columns) == len(inside)
    for column in made.columns:
        held = [point for point in inside if column.start <= point[0] <= reach(column.end)]
        if len(inside) <= POINTS_A_COLUMN * wanted:
            held = [point for point in held if point[0] == column.start]
        assert_holds(column, held)
    if inside:
        assert seen(made.columns[-1].last) == as_seen(*inside[-1])
    if len(inside) <= POINTS_A_COLUMN * wanted:
        assert [(column.start, column.end) for column in made.columns] == [
            (step, step) for step, _ in inside
        ]
    else:
        assert len(made.columns) <= wanted


@given(data=st.data(), logged=points, wanted=columns)
def test_columns_say_what_plain_python_computes(
    database: sqlite3.Connection, data: st.DataObject, logged: Points, wanted: int
) -> None:
    only(database, logged)
    window = data.draw(windows(logged))
    made = series(database, KEY, window, wanted)
    assert made is not None
    assert_true(made, dict(logged), window, wanted)


@given(logged=points_in_order, wanted=st.integers(1, 8))
def test_columns_of_a_window_are_equally_wide(
    database: sqlite3.Connection, logged: Points, wanted: int
) -> None:
    only(database, logged)
    window = logged[0][0], logged[-1][0]
    made = series(database, KEY, window, wanted)
    assert made is not None
    length = window[1] - window[0] + 1
    if len(logged) > POINTS_A_COLUMN * wanted:
        widths = {column.end - column.start + 1 for column in made.columns}
        assert widths <= {length // wanted, -(-length // wanted)}
        assert window[0] <= made.columns[0].start
        assert made.columns[-1].end <= window[1]


@given(data=st.data(), batches=st.lists(points, min_size=2, max_size=4), wanted=columns)
def test_an_extended_series_is_the_one_from_scratch(
    database: sqlite3.Connection, data: st.DataObject, batches: list[Points], wanted: int
) -> None:
    window = data.draw(windows([point for batch in batches for point in batch]))
    assert_follows(database, batches, window, wanted)


@given(
    data=st.data(),
    logged=st.one_of(points_in_order, real_points_in_order),
    cuts=st.lists(st.integers(1, 100), max_size=5),
    wanted=columns,
)
def test_a_series_follows_points_that_are_appended(
    database: sqlite3.Connection,
    data: st.DataObject,
    logged: Points,
    cuts: list[int],
    wanted: int,
) -> None:
    window = data.draw(windows(logged))
    edges = [0, *sorted(cuts), len(logged)]
    assert_follows(database, [logged[a:b] for a, b in pairwise(edges)], window, wanted)


def assert_follows(
    database: sqlite3.Connection, batches: list[Points], window: Window, wanted: int
) -> None:
    only(database, batches[0])
    logged = dict(batches[0])
    known = series(database, KEY, window, wanted)
    for batch in batches[1:]:
        log(database, batch)
        log(database, [(0, 0.0)], key="train/other")
        logged.update(batch)
        assert known is not None
        known = extended(database, known)
        assert known is not None
        anew = replace(known, read_mark=known.mark)
        assert repr(anew) == repr(series(database, KEY, window, wanted))
        assert_true(known, logged, window, wanted)


@given(logged=points, near=st.one_of(st.integers(0, 59), steps, real_steps))
def test_neighbours_are_the_nearest_on_both_sides(
    database: sqlite3.Connection, logged: Points, near: Step
) -> None:
    only(database, logged)
    known = dict(logged)
    step = logged[near][0] if isinstance(near, int) and 0 <= near < len(logged) else near
    found = point_at(database, KEY, step)
    assert (found.before and found.before.step) == max(
        (other for other in known if other < step), default=None
    )
    assert (found.at and found.at.step) == (step if step in known else None)
    assert (found.after and found.after.step) == min(
        (other for other in known if other > step), default=None
    )
    for point in (found.before, found.at, found.after):
        assert point is None or seen(point) == as_seen(point.step, known[point.step])


@given(logged=points)
def test_going_from_point_to_point_meets_all_of_a_kind(
    database: sqlite3.Connection, logged: Points
) -> None:
    only(database, logged)
    known = dict(logged)
    kinds = {
        "any": set(known),
        "nan": {step for step, value in known.items() if math.isnan(value)},
        "inf": {step for step, value in known.items() if math.isinf(value)},
    }
    for kind, expected in kinds.items():
        for direction, start in (("after", below(LOWEST)), ("before", above(HIGHEST))):
            met: list[Step] = []
            while point := next_point(database, KEY, start, direction, kind):  # type: ignore[arg-type]  # both are of the literals
                met.append(point.step)
                start = point.step
            assert met == sorted(expected, reverse=direction == "before")


@given(data=st.data(), logged=points)
def test_a_page_has_the_points_of_its_window_in_order(
    database: sqlite3.Connection, data: st.DataObject, logged: Points
) -> None:
    only(database, logged)
    start, end = data.draw(windows(logged)) or (LOWEST, HIGHEST)
    expected = sorted(point for point in dict(logged).items() if start <= point[0] <= end)
    assert len(expected) < PAGE_POINTS
    assert [seen(point) for point in page(database, KEY, start, end).points] == [
        as_seen(*point) for point in expected
    ]
    whole = extent(database, KEY)
    assert whole is not None
    assert (whole.first.step, whole.last.step) == (min(dict(logged)), max(dict(logged)))
    assert whole.count == len(dict(logged))

"""The moving average of a series, against what plain Python computes from all its points."""

from __future__ import annotations

import math
import random
import sqlite3
import sys
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled
from flowtui.store.metrics import points as metric_points
from flowtui.store.metrics import series as metric_series
from flowtui.store.metrics import smoothing as metric_smoothing
from flowtui.store.metrics.series import extended, series
from flowtui.store.metrics.smoothing import smoothed
from flowtui.store.metrics.values import Series, Smoothed
from flowtui.store.schema import ddl
from flowtui.store.values import Point
from tests.unit.stores import one_run, opened

KEY = "train/loss"
Window = tuple[int, int] | None

weights = st.sampled_from([1e-9, 0.1, 0.6, 0.9, 0.999])
values = st.one_of(st.sampled_from([math.nan, math.inf, -math.inf]), st.floats(-1e6, 1e6))
logged = st.dictionaries(st.integers(-20, 400), values, min_size=1, max_size=80)


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for table in ddl.EXPERIMENT_TABLES:
            connection.execute(table)
        yield connection


@pytest.fixture
def db(database: sqlite3.Connection) -> sqlite3.Connection:
    only(database, {})
    return database


def log(db: sqlite3.Connection, points: Mapping[int, Any], key: str = KEY) -> None:
    db.executemany(
        "insert or replace into dynamic_metrics (key, step, value) values (?, ?, ?)",
        [(key, step, value) for step, value in points.items()],
    )


def only(db: sqlite3.Connection, points: Mapping[int, Any]) -> None:
    """Leaves these points and, of another metric, points that must not be seen."""
    db.execute("delete from dynamic_metrics")
    log(db, points)
    log(db, dict.fromkeys(points, 1e9), key="train/other")


def read(db: sqlite3.Connection, window: Window = None, columns: int = 4) -> Series:
    made = series(db, KEY, window, columns)
    assert made is not None
    return made


def followed(db: sqlite3.Connection, known: Series) -> Series:
    made = extended(db, known)
    assert made is not None
    return made


def reference(points: Mapping[int, float], weight: float) -> dict[int, float]:
    """Gives the average at each finite point as the sum of all weighted points, all at once."""
    averages = {}
    total = weight_of_all = 0.0
    for step, value in sorted(points.items()):
        if math.isfinite(value):
            total = total * weight + value * (1 - weight)
            weight_of_all = weight_of_all * weight + (1 - weight)
            averages[step] = total / weight_of_all
    return averages


def as_dict(made: Smoothed) -> dict[int, float]:
    return {point.step: point.value for point in made.points}


@given(points=logged, weight=weights, columns=st.integers(1, 12))
@example(points={0: 5e-324}, weight=0.6, columns=1)
def test_the_average_is_that_of_all_points_at_the_kept_steps(
    database: sqlite3.Connection, points: dict[int, float], weight: float, columns: int
) -> None:
    only(database, points)
    whole = read(database, None, columns)
    expected = reference(points, weight)
    found = as_dict(smoothed(database, whole, weight))
    largest = max((abs(value) for value in expected.values()), default=0.0)
    # At the smallest numbers there are, nothing is exact: there the reference gives 0.
    at_most = 1e-9 * largest + 1e-300
    for step, value in found.items():
        assert value == pytest.approx(expected[step], rel=1e-9, abs=at_most)
    for column in whole.columns:
        inside = [step for step in expected if column.start <= step <= column.end]
        kept = [step for step in found if column.start <= step <= column.end]
        assert bool(kept) == bool(inside)
        if inside:
            assert (kept[0], kept[-1]) == (inside[0], inside[-1])
            assert len(kept) <= 4
            for best in (min, max):
                extreme = best(expected[step] for step in inside)
                assert best(found[step] for step in kept) == pytest.approx(
                    extreme, rel=1e-9, abs=at_most
                )


@pytest.mark.parametrize("value", [0.1, -3.7, 1e308, sys.float_info.max, 5e-324, 1e-310])
@pytest.mark.parametrize("weight", [1e-9, 0.6, 0.999, 1 - 2**-53])
def test_a_constant_stays_what_it_is(db: sqlite3.Connection, value: float, weight: float) -> None:
    log(db, dict.fromkeys(range(500), value))
    made = smoothed(db, read(db), weight)
    assert {point.value for point in made.points} == {value}
    assert made.average == value


def test_the_largest_numbers_do_not_become_infinite(db: sqlite3.Connection) -> None:
    largest = sys.float_info.max
    log(db, {step: largest if step % 3 else -largest for step in range(300)})
    for weight in (1e-9, 0.5, 0.99):
        made = smoothed(db, read(db), weight)
        assert all(math.isfinite(point.value) for point in made.points)
        assert math.isfinite(made.average)


def test_what_is_no_finite_number_is_passed_over(db: sqlite3.Connection) -> None:
    finite = {step: float(step % 7) for step in range(40)}
    log(db, finite)
    clean = smoothed(db, read(db, None, 50), 0.8)
    odd = [None, math.inf, -math.inf, "high", b"\x00"]
    log(db, {step + 100: odd[step % 5] for step in range(20)} | {-1: None})
    db.execute(
        "insert into dynamic_metrics (key, step, value) values (?, 'ten', 50.0), (?, 9e999, 50.0)",
        (KEY, KEY),
    )
    made = smoothed(db, read(db, None, 50), 0.8)
    assert made.points == clean.points
    assert made.average == clean.average


def test_a_metric_without_a_finite_point_has_no_line(db: sqlite3.Connection) -> None:
    log(db, {0: None, 1: math.inf})
    made = smoothed(db, read(db), 0.9)
    assert made.points == ()
    log(db, {2: 4.0})
    grown = followed(db, read(db))
    assert smoothed(db, grown, 0.9, made).points == (Point(2, 4.0),)


@pytest.mark.parametrize("weight", [0.3, 0.9, 0.99])
def test_a_window_shows_the_curve_of_the_whole(db: sqlite3.Connection, weight: float) -> None:
    rng = random.Random(5)
    points = {step * 3: 2 + math.sin(step / 200) + rng.random() for step in range(9_000)}
    points |= dict.fromkeys(range(5_001, 12_000, 3), math.nan)
    log(db, points)
    whole = reference(points, weight)
    for window in ((0, 100), (12_000, 12_200), (15_001, 24_000), (26_000, 10**20)):
        made = read(db, window, 20)
        found = as_dict(smoothed(db, made, weight))
        assert min(found) == min(step for step in points if step >= window[0])
        for step, value in found.items():
            assert value == pytest.approx(whole[step], rel=1e-5)


def test_a_window_reads_only_what_weighs_in_its_average(db: sqlite3.Connection) -> None:
    log(db, dict.fromkeys(range(20000), 1.0))
    made = read(db, (19_000, 19_100), 50)
    asked: list[int] = []
    db.set_progress_handler(lambda: asked.append(1), 100)
    smoothed(db, made, 0.9)
    db.set_progress_handler(None, 0)
    assert len(asked) < 60


def test_a_window_without_points_has_no_line(db: sqlite3.Connection) -> None:
    log(db, dict.fromkeys(range(10), 1.0))
    for window in ((-(10**30), -5), (50, 60), (2**70, 2**71)):
        assert smoothed(db, read(db, window), 0.9).points == ()


@given(
    data=st.data(),
    points=logged,
    cuts=st.lists(st.integers(1, 80), min_size=1, max_size=4),
    weight=weights,
    columns=st.integers(1, 12),
)
def test_going_on_gives_what_a_new_average_gives(
    database: sqlite3.Connection,
    data: st.DataObject,
    points: dict[int, float],
    cuts: list[int],
    weight: float,
    columns: int,
) -> None:
    ordered = sorted(points.items())
    edges = [0, *sorted({min(cut, len(ordered)) for cut in cuts}), len(ordered)]
    only(database, dict(ordered[: edges[1]]))
    ends = st.integers(-30, 410)
    window = data.draw(
        st.one_of(st.none(), st.tuples(ends, ends).map(lambda pair: as_window(pair)))
    )
    grown = read(database, window, columns)
    known = smoothed(database, grown, weight)
    for first, last in pairwise(edges[1:]):
        log(database, dict(ordered[first:last]))
        grown = followed(database, grown)
        known = smoothed(database, grown, weight, known)
        anew = smoothed(database, grown, weight)
        # A share of less than the rounding of 1 weighs nothing, however small it is.
        assert known.missing == pytest.approx(anew.missing, abs=1e-15)
        assert replace(known, missing=anew.missing) == anew


def as_window(ends: Sequence[int]) -> tuple[int, int]:
    return min(ends), max(ends)


def test_only_new_points_are_read_to_go_on(db: sqlite3.Connection) -> None:
    log(db, {step: float(step % 5) for step in range(20_000)})
    whole = read(db, None, 50)
    known = smoothed(db, whole, 0.9)
    log(db, {20_000: 3.0})
    grown = followed(db, whole)
    asked: list[int] = []
    db.set_progress_handler(lambda: asked.append(1), 100)
    made = smoothed(db, grown, 0.9, known)
    db.set_progress_handler(None, 0)
    assert len(asked) < 5
    assert made == smoothed(db, grown, 0.9)


def test_columns_that_were_joined_find_their_points_again(db: sqlite3.Connection) -> None:
    rng = random.Random(3)
    log(db, {step: rng.random() for step in range(100)})
    grown = read(db, None, 8)
    known = smoothed(db, grown, 0.7)
    for start in range(100, 2_000, 70):
        log(db, {step: rng.random() for step in range(start, start + 70)})
        grown = followed(db, grown)
        known = smoothed(db, grown, 0.7, known)
        assert known == smoothed(db, grown, 0.7)
    assert grown.read_mark == 100
    assert grown.columns[0].end > read(db, (0, 99), 8).columns[0].end


def test_a_replaced_point_changes_the_average(db: sqlite3.Connection) -> None:
    log(db, dict.fromkeys(range(50), 1.0))
    whole = read(db)
    known = smoothed(db, whole, 0.9)
    log(db, {20: 100.0})
    grown = followed(db, whole)
    made = smoothed(db, grown, 0.9, known)
    assert made == smoothed(db, grown, 0.9)
    assert max(point.value for point in made.points) > 1


def test_an_average_of_something_else_is_not_gone_on_with(db: sqlite3.Connection) -> None:
    log(db, {step: float(step) for step in range(90)})
    log(db, dict.fromkeys(range(90), 7.0), key="other")
    whole = read(db)
    expected = smoothed(db, whole, 0.9)
    other = series(db, "other", None, 4)
    assert other is not None
    for known in (
        smoothed(db, whole, 0.5),
        smoothed(db, other, 0.9),
        smoothed(db, read(db, (10, 89)), 0.9),
        smoothed(db, read(db, None, 5), 0.9),
        replace(expected, mark=expected.mark + 1, average=-50.0, points=()),
    ):
        assert smoothed(db, whole, 0.9, known) == expected


def test_points_logged_since_the_series_was_read_do_not_count(db: sqlite3.Connection) -> None:
    log(db, dict.fromkeys(range(30), 1.0))
    whole, window = read(db), read(db, (10, 100))
    before = smoothed(db, whole, 0.9), smoothed(db, window, 0.9)
    log(db, {40: 9.0})
    assert (smoothed(db, whole, 0.9), smoothed(db, window, 0.9)) == before


@pytest.mark.parametrize("weight", [0.0, 1.0, -0.1, 1.5, math.nan])
def test_a_weight_beyond_its_bounds_is_refused(db: sqlite3.Connection, weight: float) -> None:
    log(db, {0: 1.0})
    with pytest.raises(ValueError, match="no average has the weight"):
        smoothed(db, read(db), weight)


def test_a_table_that_is_gone_leaves_no_line(db: sqlite3.Connection) -> None:
    log(db, {0: 1.0})
    whole, window = read(db), read(db, (0, 5))
    with closing(sqlite3.connect(":memory:")) as empty:
        assert smoothed(empty, whole, 0.9).points == ()
        assert smoothed(empty, window, 0.9).points == ()


def test_memory_does_not_grow_with_the_points(db: sqlite3.Connection) -> None:
    log(db, {step: float(step % 11) for step in range(50_000)})
    whole = read(db, None, 20)
    tracemalloc.start()
    smoothed(db, whole, 0.9)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 100_000


def test_the_store_smooths_counts_and_can_be_interrupted(tmp_path: Path) -> None:
    points = {step: float(step % 9) for step in range(3_000)}
    one_run(tmp_path, points={"loss": points})
    with opened(tmp_path) as store:
        whole = store.run("run-1").metrics.ask("loss", metric_series.series, "loss", None, 20)
        assert whole is not None
        made = store.run("run-1").metrics.ask(whole.key, metric_smoothing.smoothed, whole, 0.9)
        expected = reference(points, 0.9)
        assert as_dict(made) == pytest.approx({at.step: expected[at.step] for at in made.points})
        assert (
            store.run("run-1").metrics.ask(whole.key, metric_smoothing.smoothed, whole, 0.9, made)
            == made
        )
        assert store.run("run-1").metrics.ask("loss", metric_points.count, "loss", *(10, 19)) == 10
        assert (
            store.run("run-1").metrics.ask(
                "loss", metric_points.count, "loss", *(-(10**30), 10**30)
            )
            == 3_000
        )
        with cancelling(lambda: True), pytest.raises(ReadCancelled):
            store.run("run-1").metrics.ask(whole.key, metric_smoothing.smoothed, whole, 0.9)

"""Curves computed of several runs, against plain Python over all their points."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import pytest

from flowtui.store.compare.curves import FoldedSource
from flowtui.store.compare.folding import between
from flowtui.store.metrics.source import MetricSource
from flowtui.store.metrics.values import FoldedPoint, FoldedSeries
from flowtui.store.schema import StoreWriter
from flowtui.store.values import Point
from tests.conftest import open_store
from tests.unit.stores import NOW

Points = list[tuple[float, float]]


def sources(folder: Path, runs: list[Points]) -> list[MetricSource]:
    """Return the metric `loss` of runs with these points, a run each."""
    with StoreWriter(folder, clock=lambda: NOW, durable=False) as writer:
        for index, points in enumerate(runs):
            writer.start_run(f"run{index}", f"run{index}")
            with writer.experiment(f"run{index}") as experiment:
                experiment.metrics([("loss", value, step, NOW) for step, value in points])
    store = open_store(folder)
    return [MetricSource(store.run(f"run{index}"), "loss") for index in range(len(runs))]


def value_at(points: Points, step: float) -> float | None:
    """Return the value on the line through points, None beyond their ends and beside odd ones."""
    steps = [at for at, _ in points]
    place = bisect_left(steps, step)
    if place < len(steps) and steps[place] == step:
        return points[place][1]
    if not 0 < place < len(steps):
        return None
    (left, low), (right, high) = points[place - 1], points[place]
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return low + (high - low) * (step - left) / (right - left)


def mean_at(runs: list[Points], step: float) -> tuple[float, float, float, int] | None:
    values = [value for points in runs if (value := value_at(points, step)) is not None]
    if not values:
        return None
    finite = [value for value in values if math.isfinite(value)] or [math.nan]
    mean = sum(values) / len(values)
    return mean, min(finite), max(finite), len(values)


def expected(runs: list[Points], baseline: list[Points]) -> list[tuple[float, ...]]:
    """Return step, mean, lowest, highest and count at every step of the runs."""
    made: list[tuple[float, ...]] = []
    for step in sorted({step for points in runs for step, _ in points}):
        mean, low, high, count = mean_at(runs, step) or (math.nan,) * 4
        base = mean_at(baseline, step) if baseline else (0.0, 0.0, 0.0, 1)
        if base is not None:
            spread = base[0] if math.isfinite(base[0]) else math.nan
            made.append((step, mean - base[0], low - spread, high - spread, count))
    return made


def random_points(draw: random.Random) -> Points:
    scale = draw.choice((1, 1, 0.5))
    steps = sorted(draw.sample(range(draw.randint(30, 400)), draw.randint(1, 30)))
    odd = [math.nan, math.inf, -math.inf]
    return [
        (step * scale, draw.choice(odd) if draw.random() < 0.05 else draw.uniform(-5, 5))
        for step in steps
    ]


def same(found: Sequence[float], wanted: Sequence[float]) -> bool:
    return all(
        one == pytest.approx(other, nan_ok=True)
        for one, other in zip(found, wanted, strict=True)
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_means_and_differences_are_those_of_plain_python(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    runs = [random_points(draw) for _ in range(draw.randint(1, 4))]
    baseline = [random_points(draw) for _ in range(draw.randint(0, 2))]
    found = sources(tmp_path, [*runs, *baseline])
    source = FoldedSource("loss", tuple(found[: len(runs)]), tuple(found[len(runs) :]))
    wanted = expected(runs, baseline)

    made = [point[:5] for point in source.folded()]
    assert len(made) == len(wanted)
    assert all(map(same, made, wanted))
    # A window has the same points, and no others.
    start, end = sorted((draw.uniform(-10, 420), draw.uniform(-10, 420)))
    inside = [point for point in wanted if start <= point[0] <= end]
    window = [point[:5] for point in source.folded(start, end)]
    assert len(window) == len(inside)
    assert all(map(same, window, inside))
    assert source.count(start, end) == len(inside)

    for step in (*(point[0] for point in wanted), start, end):
        near = source.near(step)
        for point, fits in (
            (near.at, [at for at in wanted if at[0] == step]),
            (near.before, [at for at in wanted if at[0] < step][-1:]),
            (near.after, [at for at in wanted if at[0] > step][:1]),
        ):
            assert (point is not None) == bool(fits), (step, point, fits)
            if isinstance(point, FoldedPoint):
                shown = (point.step, point.value, point.low, point.high, point.run_count)
                assert same(shown, fits[0])


@pytest.mark.parametrize("columns", [3, 40])
@pytest.mark.parametrize("seed", range(8))
def test_columns_keep_the_true_extremes(tmp_path: Path, seed: int, columns: int) -> None:
    draw = random.Random(seed)
    count = 500
    runs: list[Points] = [[(step, draw.gauss(0, 1)) for step in range(count)] for _ in range(2)]
    runs[0][77] = 77, 500.0
    runs[1][78] = 78, math.nan
    found = sources(tmp_path, runs)
    source = FoldedSource("loss", (found[0], found[1]))
    wanted = expected(runs, [])
    for window in (None, (50, 400)):
        series = source.series(window, columns, None)
        assert isinstance(series, FoldedSeries)
        start, end = window or (0, count - 1)
        inside = [point for point in wanted if start <= point[0] <= end]
        assert series.count == len(inside)
        assert series.nan_count == 1
        assert len(series.columns) <= max(columns, 0) or len(inside) <= 4 * columns
        for column, part in zip(series.columns, series.band, strict=True):
            own = [point for point in inside if column.start <= point[0] <= column.end]
            assert column.count == len(own)
            finite = [point[1] for point in own if math.isfinite(point[1])]
            lowest = None if column.minimum is None else column.minimum.value
            highest = None if column.maximum is None else column.maximum.value
            assert lowest == pytest.approx(min(finite, default=None))
            assert highest == pytest.approx(max(finite, default=None))
            assert part.low == pytest.approx(min(point[2] for point in own))
            assert part.high == pytest.approx(max(point[3] for point in own))
        assert source.series(window, columns, series) is series


def test_a_difference_has_no_value_beyond_the_ends_of_the_baseline(tmp_path: Path) -> None:
    base = [(10, 1.0), (20, 3.0)]
    one = [(0, 5.0), (10, 5.0), (15, 5.0), (20, 5.0), (25, 5.0)]
    baseline, run = sources(tmp_path, [[*base], [*one]])
    source = FoldedSource("loss", (run,), (baseline,))
    assert [(point.step, point.value) for point in source.points()] == [
        (10, 4.0), (15, 3.0), (20, 2.0)
    ]  # fmt: skip
    series = source.series(None, 40, None)
    assert series is not None
    assert (series.first.step, series.last.step, series.count) == (10, 20, 3)
    assert source.near(25).at is None


def test_runs_that_share_no_steps_have_no_difference(tmp_path: Path) -> None:
    baseline, run = sources(tmp_path, [[(0, 1.0), (5, 1.0)], [(6, 1.0), (9, 1.0)]])
    assert FoldedSource("loss", (run,), (baseline,)).series(None, 40, None) is None


def test_a_computed_curve_is_read_again_when_a_run_has_grown(tmp_path: Path) -> None:
    found = sources(tmp_path, [[(0, 1.0), (1, 1.0)], [(0, 3.0), (1, 3.0)]])
    source = FoldedSource("loss", tuple(found))
    before = source.series(None, 40, None)
    with StoreWriter(tmp_path, clock=lambda: NOW) as writer, writer.experiment("run1") as grown:
        grown.metrics([("loss", 9.0, 2, NOW)])
    after = source.series(None, 40, before)
    assert after is not None
    assert (after.last.step, after.last.value) == (2, 9.0)


def test_smoothing_a_mean_takes_every_point(tmp_path: Path) -> None:
    draw = random.Random(3)
    runs: list[Points] = [[(step, draw.gauss(0, 1)) for step in range(300)] for _ in range(3)]
    source = FoldedSource("loss", tuple(sources(tmp_path, runs)))
    series = source.series((100, 299), 10, None)
    assert series is not None
    smoothed = source.smoothed(series, 0.9, None)
    average, missing = 0.0, 1.0
    for _, mean, *_ in expected(runs, []):
        missing *= 0.9
        average += (mean - average) * 0.1 / (1 - missing)
    assert smoothed.points[-1].step == 299
    assert smoothed.points[-1].value == pytest.approx(average)


@pytest.mark.parametrize("seed", range(6))
def test_odd_values_keep_their_kind_and_their_step(tmp_path: Path, seed: int) -> None:
    # The line of a run must not lead to its NaN or its infinity, nor away from it.
    draw = random.Random(seed)
    odd = [math.nan, math.inf, -math.inf]
    runs: list[Points] = [
        [(step, draw.choice(odd) if draw.random() < 0.2 else 1.0) for step in range(0, 200, by)]
        for by in (1, 2, 3)
    ]
    source = FoldedSource("loss", tuple(sources(tmp_path, runs)))
    logged = [(step, value) for points in runs for step, value in points]
    wanted = {step for step, value in logged if not math.isfinite(value)}
    for columns in (5, 200):
        series = source.series(None, columns, None)
        assert series is not None
        assert series.nan_count == sum(math.isnan(value) for _, value in logged)
        assert series.pos_inf_count == sum(value == math.inf for _, value in logged)
        assert series.neg_inf_count == sum(value == -math.inf for _, value in logged)
    assert {point.step for point in source.points() if not math.isfinite(point.value)} == wanted
    for kind, is_kind in (("nan", math.isnan), ("inf", math.isinf)):
        steps = sorted({step for step, value in logged if is_kind(value)})
        first = source.next_point(-1, "after", kind)  # type: ignore[arg-type]
        last = source.next_point(math.inf, "before", kind)  # type: ignore[arg-type]
        assert first is not None
        assert last is not None
        assert (first.step, last.step) == (steps[0], steps[-1])


def test_the_last_point_before_an_odd_one_is_a_mean_of_the_others(tmp_path: Path) -> None:
    one = [(0, 1.0), (998, 2.0), (1001, math.nan)]
    other = [(0, 1.0), (999, 4.0), (1001, math.inf)]
    source = FoldedSource("loss", tuple(sources(tmp_path, [[*one], [*other]])))
    found = {point[0]: point for point in source.folded()}
    assert found[999][1:5] == (4.0, 4.0, 4.0, 1)
    assert math.isnan(found[1001].value)
    series = source.series(None, 40, None)
    assert series is not None
    assert (series.nan_count, series.inf_count) == (1, 1)


def test_a_baseline_with_gaps_is_searched_past_them(tmp_path: Path) -> None:
    # From step 10 on the baseline logs only NaN, and never at a step of the other run.
    base: Points = [
        (0, 1.0),
        *((step, 1.0 if step < 10 else math.nan) for step in range(1, 400, 2)),
    ]
    one: Points = [(step, 2.0) for step in range(0, 400, 2)]
    baseline, run = sources(tmp_path, [base, one])
    source = FoldedSource("loss", (run,), (baseline,))
    series = source.series(None, 40, None)
    assert series is not None
    assert [point.step for point in source.points()] == [0, 2, 4, 6, 8]
    assert (series.first.step, series.last.step, series.count) == (0, 8, 5)
    assert source.next_point(8, "after") is None
    near = source.near(300)
    assert near.at is None
    assert near.before is not None
    assert near.before.step == 8


def test_a_difference_to_an_odd_value_is_odd(tmp_path: Path) -> None:
    values = [1.0, math.nan, math.inf, -math.inf]
    pairs = [(one, base) for one in values for base in values]
    baseline, run = sources(
        tmp_path,
        [[(at, base) for at, (_, base) in enumerate(pairs)],
         [(at, one) for at, (one, _) in enumerate(pairs)]],
    )  # fmt: skip
    source = FoldedSource("loss", (run,), (baseline,))
    wanted = [one - base for one, base in pairs]
    assert [repr(point.value) for point in source.points()] == [repr(value) for value in wanted]
    series = source.series(None, 40, None)
    assert series is not None
    assert series.nan_count == sum(map(math.isnan, wanted))
    assert series.pos_inf_count == wanted.count(math.inf)


def test_a_value_between_two_points_is_within_them() -> None:
    draw = random.Random(5)
    sizes = (1e-300, 1.0, 1e300, 1.7e308)
    for _ in range(2_000):
        low, high = (draw.uniform(-1, 1) * draw.choice(sizes) for _ in range(2))
        left, right = Point(0, low), Point(draw.choice((3, 2**62)), high)
        value = between(left, right, draw.randint(0, int(right.step)))
        assert value is not None
        assert min(low, high) <= value <= max(low, high)

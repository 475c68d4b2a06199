"""A curve's lines: axes, gaps, marks, and what is under the crosshair."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowtui.store.metrics import series as metric_series
from flowtui.store.metrics.values import Series
from flowtui.store.schema import StoreWriter
from flowtui.store.values import LoggedPoint
from flowtui.widgets.cells import Line, width_of
from flowtui.widgets.charts.chart import LARGEST
from flowtui.widgets.charts.curve import (
    Curve,
    Look,
    XAxis,
    neighbour,
    others,
    parts_of_a_second,
    x_axes,
)
from flowtui.widgets.charts.curve_lines import curve_lines, drawn
from flowtui.widgets.charts.placing import stretches, window_of, with_room
from tests.conftest import open_store

AT = datetime(2026, 1, 1, tzinfo=UTC)


def series(folder: Path, values: Iterable[tuple[float, float]], columns: int = 40) -> Series:
    """Return the series of a metric with these points, read from a store."""
    with StoreWriter(folder, clock=lambda: AT) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            experiment.metrics([("loss", value, step, AT) for step, value in values])
    found = (
        open_store(folder)
        .run("run")
        .metrics.ask("loss", metric_series.series, "loss", None, columns)
    )
    assert found is not None
    return found


def text(lines: list[Line]) -> list[str]:
    return ["".join(piece.text for piece in line) for line in lines]


def test_lines_fill_the_height_and_stay_in_the_width(tmp_path: Path) -> None:
    curve = Curve(series(tmp_path, [(step, math.sin(step)) for step in range(5000)]))
    for width, height in ((40, 10), (120, 30), (20, 6), (8, 3), (1, 1)):
        lines = curve_lines(curve, width, height)
        assert len(lines) <= height
        assert all(width_of(line) <= width for line in lines), (width, height)


def test_a_spike_of_one_point_is_drawn_to_its_height(tmp_path: Path) -> None:
    values = [(step, 77.0 if step == 3333 else 1.0) for step in range(5000)]
    curve = Curve(series(tmp_path, values, columns=2 * 30))
    shown = text(curve_lines(curve, 40, 14))
    assert "max 77 @ 3,333" not in shown[-1], "no crosshair, no status"
    top_rows = [line[10:].strip() for line in shown[1:4]]
    assert any(top_rows), "the spike reaches the top of the canvas"


def test_a_nan_ends_the_line_and_is_marked_on_the_axis(tmp_path: Path) -> None:
    values = [(step, math.nan if step == 5 else float(step)) for step in range(11)]
    curve = Curve(series(tmp_path, values))
    assert [len(stretch) for stretch in stretches(curve)] == [5, 5]
    shown = text(curve_lines(curve, 60, 12))
    assert "▲ 1 NaN" in shown[0]
    assert shown[-3].count("▲") == 1


def test_what_a_logarithm_has_no_place_for_is_counted(tmp_path: Path) -> None:
    curve = Curve(
        series(tmp_path, [(0, -1.0), (1, 0.0), (2, 10.0), (3, 1000.0)]), look=Look(is_log=True)
    )
    assert curve.hidden_count == 2
    assert "2 not above 0" in text(curve_lines(curve, 80, 12))[0]


def test_the_crosshair_goes_from_point_to_point_and_stops_at_the_ends(tmp_path: Path) -> None:
    points = Curve(series(tmp_path, [(step * 10, 1.0) for step in range(20)])).points
    assert neighbour(points, None, 0) == points[-1]
    assert neighbour(points, 50, 1) == points[6]
    assert neighbour(points, 50, -10) == points[0]
    assert neighbour(points, 55, 1) == points[6]
    assert neighbour(points, 9999, 0) == points[-1]
    assert neighbour([], 3, 1) is None


def test_labels_of_an_axis_are_whole_and_differ(tmp_path: Path) -> None:
    kinds: dict[str, list[tuple[int, float]]] = {
        "large": [(step, 2e8 * step / 9) for step in range(10)],
        "near one": [(step, 0.9999 + 6e-6 * step) for step in range(10)],
        "far": [(step, 1e9 + 1e-4 * step) for step in range(10)],
        "tiny": [(step, 1e-300 * step) for step in range(10)],
        "huge": [(step, 1.7e308 * (-1) ** step) for step in range(10)],
        "denormal": [(0, 0.0), (1, 5e-324)],
        "late": [(2**62 + step, 1.0) for step in range(10)],
    }
    for name, values in kinds.items():
        for is_log in (False, True):
            curve = Curve(series(tmp_path / name / str(is_log), values), look=Look(is_log=is_log))
            made = drawn(curve, 80, 20)
            assert made is not None
            shown = text(curve_lines(curve, 80, 20, made))
            up = [line.split("┤")[0].strip() for line in shown if "┤" in line]
            assert len(set(up)) == len(up) == len({*up} & {*made.up.labels})
            across = shown[-2].split()
            assert len(set(across)) == len(across) == len({*across} & {*made.across.labels})
            for offset in (made.up.offset, made.across.offset):
                assert not offset or f"= {offset} + …" in shown[1]
            assert len(shown) == 20
            assert all(len(line) <= 80 for line in shown)


def test_numbers_at_the_crosshair_are_whole_or_left_out(tmp_path: Path) -> None:
    values = [(step, 0.9999 + 1e-9 * step / 3) for step in range(10)]
    one = series(tmp_path, values)
    curve = Curve(one, crosshair=one.last)
    wide = text(curve_lines(curve, 200, 20))[-1]
    words = wide.replace("   ", " | ").split(" | ")
    assert words[0] == " step 9"
    assert words[-2:] == ["min 0.9999 @ 0", "max 0.999900003 @ 9"]
    for width in range(30, 120):
        shown = text(curve_lines(curve, width, 20))[-1]
        assert all(word in words for word in shown.replace("   ", " | ").split(" | ")), width


def test_values_over_each_other_read_differently(tmp_path: Path) -> None:
    last = {key: LoggedPoint(9, value, AT) for key, value in (("a", 0.98124), ("b", 0.981241))}
    one = series(tmp_path, [(9, 0.98124)])
    placed = tuple(
        replace(other, at_crosshair=point)
        for other, point in zip(others([one, one]), last.values(), strict=True)
    )
    curve = Curve(one, crosshair=one.last, others=placed)
    assert "0.98124 " in text(curve_lines(curve, 80, 20))[-1]
    assert "0.981241 " in text(curve_lines(curve, 80, 20))[-1]


NS = 10**9


@pytest.mark.parametrize(
    ("low_s", "high_s", "pattern"),
    [
        (3, 70, "%H:%M:%S"),
        (3.25, 3.5, "%H:%M:%S.%f"),
        (3, 90_000, "%-d %b %H:%M:%S"),
    ],
)
def test_extremes_of_steps_that_are_times_say_when_they_were(
    tmp_path: Path, low_s: float, high_s: float, pattern: str
) -> None:
    start = AT.timestamp() + 50_000 + 0.125
    at = {0.0: 1.0, low_s: 0.5, high_s: 2.0, high_s + 1: 1.0}
    one = series(tmp_path, [(start + step, value) for step, value in at.items()])
    shown = text(curve_lines(Curve(one, one.first, x_axis=XAxis.STEP_TIME), 160, 20))[-1]
    low, high = (
        f"{datetime.fromtimestamp(start + step, UTC).astimezone():{pattern}}"
        for step in (low_s, high_s)
    )
    if pattern.endswith("%f"):
        low, high = low[:-3], high[:-3]
    assert shown.endswith(f"   min 0.5 @ {low}   max 2 @ {high}")


@pytest.mark.parametrize("start", [AT.timestamp(), 12_345.0, 5e9 + 0.5])
def test_steps_that_differ_read_differently(tmp_path: Path, start: float) -> None:
    one = series(tmp_path, [(start + step / 1024, float(step)) for step in range(9)])
    shown = text(curve_lines(Curve(one, one.first), 160, 20))[-1]
    low, high = (float(part.split()[0].replace(",", "")) for part in shown.split(" @ ")[1:])
    assert low < high


@pytest.mark.parametrize("parts", [1, 10**3, 10**6, NS])
def test_steps_that_are_times_can_be_read_as_times(tmp_path: Path, parts: int) -> None:
    start = int(AT.timestamp())
    one = series(tmp_path, [((start + 60 * minute) * parts, 1.0) for minute in range(10)])
    assert parts_of_a_second([one]) == parts
    assert x_axes([one]) == (XAxis.STEP_TIME, XAxis.STEP, XAxis.ELAPSED, XAxis.CLOCK)
    curve = Curve(one, crosshair=one.last, x_axis=XAxis.STEP_TIME)
    shown = text(curve_lines(curve, 100, 20))
    first = (AT + timedelta(minutes=2)).astimezone()
    assert f"{first:%H:%M}" in shown[-2].split()
    assert f"{one.last.step:,}" in shown[-1]
    assert f"{(AT + timedelta(minutes=9)).astimezone():%b %Y %H:%M:%S}" in shown[-1]
    assert "x step as time" in shown[0]
    plain = text(curve_lines(replace(curve, x_axis=XAxis.STEP), 100, 20))
    across = plain[-2].split()
    assert len(set(across)) == len(across) > 2


@pytest.mark.parametrize(
    ("steps", "axes"),
    [
        # Counts from zero, and counts that are no times of today but could be some.
        ((0, 2 * NS), (XAxis.STEP, XAxis.ELAPSED, XAxis.CLOCK)),
        ((10**15, 10**15 + 9), (XAxis.STEP, XAxis.STEP_TIME, XAxis.ELAPSED, XAxis.CLOCK)),
        ((4 * NS, 4 * NS + 9), (XAxis.STEP, XAxis.STEP_TIME, XAxis.ELAPSED, XAxis.CLOCK)),
        ((5 * NS, 5 * NS + 9), (XAxis.STEP, XAxis.ELAPSED, XAxis.CLOCK)),
    ],
)
def test_counts_are_not_taken_for_times(
    tmp_path: Path, steps: tuple[int, int], axes: tuple[XAxis, ...]
) -> None:
    assert x_axes([series(tmp_path, [(step, 1.0) for step in steps])]) == axes


def test_steps_of_one_curve_that_are_no_times_leave_none_of_them(tmp_path: Path) -> None:
    times = series(tmp_path / "times", [(int(AT.timestamp()) + step, 1.0) for step in range(9)])
    steps = series(tmp_path / "steps", [(step, 1.0) for step in range(9)])
    assert XAxis.STEP_TIME not in x_axes([times, steps])


def test_points_of_one_second_show_that_second(tmp_path: Path) -> None:
    one = series(tmp_path, [(step, float(step)) for step in range(50)])
    clock = Curve(one, x_axis=XAxis.CLOCK)
    window = window_of(clock)
    assert (window.left, window.right) == (AT.timestamp(), AT.timestamp() + 1)
    labels = text(curve_lines(clock, 100, 20))[-2].split()
    assert labels[0] == f"{AT.astimezone():%H:%M:%S}.0"
    assert labels[-1] == f"{AT.astimezone() + timedelta(seconds=1):%H:%M:%S}.0"
    assert text(curve_lines(replace(clock, x_axis=XAxis.ELAPSED), 100, 20))[-2].split()[0] == "0.0"


def test_the_axis_of_a_growing_curve_stays_for_many_points(tmp_path: Path) -> None:
    one = series(tmp_path, [(step, float(step % 7)) for step in range(1_000, 2_001)])

    def axis(last: int, is_growing: bool) -> tuple[float, float]:
        window = window_of(Curve(replace(one, end=last), is_growing=is_growing))
        return window.left, window.right

    lasts = range(1_001, 2_001)
    growing = [axis(last, True) for last in lasts]
    for last, (left, right) in zip(lasts, growing, strict=True):
        assert axis(last, False) == (left, last) == (1_000, last)
        assert last < right <= last + (last - left) / 8
    assert len(set(growing[512:])) == 8


def test_an_axis_of_time_has_room_for_more_and_one_of_shares_has_none(tmp_path: Path) -> None:
    one = series(tmp_path, [(step, 1.0) for step in range(3)])
    late = replace(one.last, logged_at=AT + timedelta(seconds=100))
    columns = (*one.columns[:-1], replace(one.columns[-1], last=late, minimum=late, maximum=late))
    curve = Curve(replace(one, last=late, columns=columns), is_growing=True)
    ends = {axis: window_of(replace(curve, x_axis=axis)).right for axis in XAxis}
    assert ends[XAxis.ELAPSED] == 104
    assert ends[XAxis.CLOCK] == AT.timestamp() + 104
    assert ends[XAxis.SHARE] == 100


def test_the_widest_axis_has_no_room_to_spare() -> None:
    for width in (0.0, 5e-324, LARGEST / 4, LARGEST, math.inf):
        assert with_room(width) >= width


def test_one_step_alone_has_others_around_it(tmp_path: Path) -> None:
    for folder, step in (("zero", 0), ("largest", 2**63 - 1), ("time", 1_767_225_600 * NS)):
        one = series(tmp_path / folder, [(step, 1.0)])
        for x_axis in x_axes([one]):
            curve = Curve(one, crosshair=one.last, x_axis=x_axis)
            labels = text(curve_lines(curve, 100, 20))[-2].split()
            assert len(set(labels)) == len(labels) > 1 or x_axis is XAxis.ELAPSED


def test_each_of_several_points_of_one_step_is_met() -> None:
    points = [
        LoggedPoint(step, value, AT) for step, value in ((1, 0.0), (2, 1.0), (2, 2.0), (3, 3.0))
    ]
    met = [points[0]]
    while (after := neighbour(points, met[-1].step, 1, met[-1])) not in (None, met[-1]):
        assert after is not None
        met.append(after)
    assert met == points
    assert neighbour(points, 2, -1, points[2]) == points[1]


def test_an_axis_of_real_steps_has_ticks_between_whole_numbers(tmp_path: Path) -> None:
    whole = Curve(series(tmp_path / "whole", [(step, float(step)) for step in range(3)]))
    real = Curve(series(tmp_path / "real", [(step / 10, float(step)) for step in range(9)]))
    assert (whole.is_on_whole_steps, real.is_on_whole_steps) == (True, False)
    assert text(curve_lines(whole, 120, 12))[-2].split() == ["0", "1", "2"]
    assert {"0.1", "0.4", "0.7"} <= set(text(curve_lines(real, 120, 12))[-2].split())

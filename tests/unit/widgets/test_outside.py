"""Axes that leave out the extreme percent: what is cut, marked and counted."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from flowtui.widgets.charts.chart import clipped_up
from flowtui.widgets.charts.curve import Curve, Look, others
from flowtui.widgets.charts.curve_lines import curve_lines
from flowtui.widgets.charts.outside import count_beyond
from flowtui.widgets.charts.placing import window_of
from flowtui.widgets.charts.svg import curve_svg
from tests.unit.widgets.test_curve import series, text

CUT = Look(leaves_out=True)
SPIKY = [(step, 500.0 if step == 40 else 1 + math.sin(step) / 10) for step in range(100)]


def test_a_spike_is_cut_marked_and_counted_and_its_value_stays(tmp_path: Path) -> None:
    curve = Curve(series(tmp_path, SPIKY), look=CUT)
    assert window_of(curve).top < 2
    shown = text(curve_lines(curve, 100, 20))
    assert "1 outside" in shown[0]
    assert "y 98 %" in shown[0]
    assert "↑" in shown[1]
    spike = next(point for column in curve.series.columns for point in column.points
                 if point.value == 500)  # fmt: skip
    below = text(curve_lines(replace(curve, crosshair=spike), 100, 20))[-1]
    assert "step 40   500" in below
    assert "max 500 @ 40" in below


@pytest.mark.parametrize("is_log", [False, True])
def test_nothing_is_marked_where_nothing_is_left_out(tmp_path: Path, is_log: bool) -> None:
    few = series(tmp_path / "few", SPIKY[30:45])
    for curve in (
        Curve(few, look=Look(is_log=is_log, leaves_out=True)),
        Curve(series(tmp_path / "all", SPIKY), look=Look(is_log=is_log)),
    ):
        shown = "\n".join(text(curve_lines(curve, 100, 20)))
        assert "outside" not in shown
        assert "↑" not in shown


def test_a_count_of_thinned_points_is_a_lower_bound(tmp_path: Path) -> None:
    values = [(step, 900.0 if 500 <= step < 505 else 1 + step % 7 / 10) for step in range(5_000)]
    curve = Curve(series(tmp_path, values, columns=100), look=CUT)
    assert count_beyond(curve, window_of(curve)).startswith("at least ")


def test_a_nan_stays_a_nan(tmp_path: Path) -> None:
    values = [(step, math.nan if step == 50 else value) for step, value in SPIKY]
    shown = text(curve_lines(Curve(series(tmp_path, values), look=CUT), 100, 20))
    assert "▲ 1 NaN · 1 outside" in shown[0]
    assert "▲" in "".join(shown[1:])


def test_a_short_series_of_another_size_is_not_left_out_as_a_whole(tmp_path: Path) -> None:
    other = series(tmp_path / "b", [(step, 70.0) for step in range(0, 100, 10)])
    curve = Curve(series(tmp_path / "a", SPIKY), look=CUT, others=others([other]))
    assert window_of(curve).top > 70


def test_a_picture_counts_and_marks_what_is_outside(tmp_path: Path) -> None:
    picture = curve_svg(Curve(series(tmp_path, SPIKY), look=CUT), "loss")
    assert "1 outside" in picture
    assert "loss: 500" in picture
    assert "at step 40" in picture


def test_a_line_leaves_and_enters_where_it_crosses_the_edges() -> None:
    line = [(0.0, 0.5), (1.0, 2.5), (2.0, 0.5), (3.0, -1.5), (4.0, 2.5)]
    assert clipped_up(line, 0.0, 1.0) == [
        [(0.0, 0.5), (0.25, 1.0)],
        [(1.75, 1.0), (2.0, 0.5), (2.25, 0.0)],
        [(3.375, 0.0), (3.625, 1.0)],
    ]
    assert clipped_up([(0.0, 1.0), (1.0, 3.0), (2.0, 0.0)], 0.0, 1.0)[0] == [(0.0, 1.0)]
    assert clipped_up([(0.0, 2.0), (1.0, 3.0)], 0.0, 1.0) == []

"""A curve's lines: axes, gaps, marks, and what is under the crosshair."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from flowtui.store.schema import StoreWriter
from flowtui.store.series_values import Series
from flowtui.store.values import LoggedPoint
from flowtui.widgets.cells import Line, width_of
from flowtui.widgets.curve import Curve, neighbour, stretches
from flowtui.widgets.curve_lines import curve_lines
from tests.conftest import open_store

AT = datetime(2026, 1, 1, tzinfo=UTC)


def series(folder: Path, values: Iterable[tuple[float, float]], columns: int = 40) -> Series:
    """Return the series of a metric with these points, read from a store."""
    with StoreWriter(folder, clock=lambda: AT) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            experiment.metrics([("loss", value, step, AT) for step, value in values])
    found = open_store(folder).series("run", "loss", None, columns)
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
    curve = Curve(series(tmp_path, [(0, -1.0), (1, 0.0), (2, 10.0), (3, 1000.0)]), is_log=True)
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

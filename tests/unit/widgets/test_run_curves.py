"""The curves of several runs over each other: letters, legend, axes, bands, and the picture."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flowtui.store.compare.curves import FoldedSource
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.metrics.source import CurveSource, MetricSource
from flowtui.store.metrics.values import FoldedSeries
from flowtui.store.schema import StoreWriter
from flowtui.widgets.cells import Line, width_of
from flowtui.widgets.charts.card import Card
from flowtui.widgets.charts.chart import BRAILLE
from flowtui.widgets.charts.curve import Curve, Overlay, XAxis
from flowtui.widgets.charts.curve_lines import curve_lines
from flowtui.widgets.charts.placing import window_of
from flowtui.widgets.charts.run_card import run_card_lines, run_curve
from flowtui.widgets.charts.svg import curve_svg
from flowtui.widgets.compare import letter_role
from tests.conftest import NOW, open_store

Points = list[tuple[float, float]]


def sources(folder: Path, runs: list[Points]) -> list[MetricSource]:
    """Return the metric `loss` of runs; each logs a step every second, later runs slower."""
    with StoreWriter(folder, clock=lambda: NOW, durable=False) as writer:
        for index, points in enumerate(runs):
            writer.start_run(f"run{index}", f"run{index}")
            with writer.experiment(f"run{index}") as experiment:
                experiment.metrics(
                    ("loss", value, step, NOW + timedelta(days=index, seconds=step * (index + 1)))  # type: ignore[misc]
                    for step, value in points
                )
    store = open_store(folder)
    return [MetricSource(store.run(f"run{index}"), "loss") for index in range(len(runs))]


def overlay(source: CurveSource, letters: str, text: str = "run") -> Overlay:
    series = source.series(None, 80, None)
    assert series is not None
    band = series.band if isinstance(series, FoldedSeries) else ()
    return Overlay(
        series, letter_role(letters[0]), letters[0], letters=letters, text=text, band=band
    )


def curve_of(folder: Path, runs: list[Points], x_axis: XAxis | None = None) -> Curve:
    found = sources(folder, runs)
    overlays = [overlay(source, LETTERS[index]) for index, source in enumerate(found)]
    return run_curve(overlays, BRAILLE, x_axis)


def text(lines: list[Line]) -> list[str]:
    return ["".join(piece.text for piece in line) for line in lines]


def test_every_run_has_its_letter_even_where_all_end_at_one_point(tmp_path: Path) -> None:
    runs: list[Points] = [[(step, 1.0) for step in range(20)] for _ in LETTERS]
    curve = curve_of(tmp_path, runs)
    for width, height in ((120, 40), (80, 24), (60, 20)):
        lines = curve_lines(curve, width, height)
        assert all(width_of(line) <= width for line in lines)
        assert len(lines) <= height
        canvas = "".join(text(lines)[1 : -1 - len(LETTERS)])
        assert set(LETTERS) <= set(canvas), (width, height)


def test_each_run_starts_at_zero_on_an_axis_of_time_or_share(tmp_path: Path) -> None:
    runs: list[Points] = [[(step, 1.0) for step in range(first, 101)] for first in (0, 20)]
    for x_axis, ends in ((XAxis.ELAPSED, [100.0, 160.0]), (XAxis.SHARE, [100.0, 100.0])):
        curve = curve_of(tmp_path / x_axis.name, runs, x_axis)
        for series, end in zip(curve.all_series, ends, strict=True):
            assert curve.x(series.first, series) == 0.0
            assert curve.x(series.last, series) == pytest.approx(end)
        window = window_of(curve)
        assert (window.left, window.right) == (0.0, max(ends))


@pytest.mark.parametrize("x_axis", [XAxis.ELAPSED, XAxis.SHARE])
def test_the_step_of_another_run_at_the_crosshair_is_the_one_at_its_place(
    tmp_path: Path, x_axis: XAxis
) -> None:
    runs: list[Points] = [[(step, 1.0) for step in range(201)], [(s, 1.0) for s in range(101)]]
    curve = curve_of(tmp_path, runs, x_axis)
    one, other = curve.all_series
    for point in curve.points:
        held = replace(curve, crosshair=point)
        step = held.step_for(other)
        assert step is not None
        wanted = min(point.step / 2, 100)
        assert abs(step - wanted) <= 1, (point.step, step)
        assert held.step_for(one) == point.step


def test_the_crosshair_reaches_all_that_the_axis_shows(tmp_path: Path) -> None:
    # The second run takes two seconds a step, so it ends at 40 s and the first one at 30 s.
    runs: list[Points] = [[(step, 1.0) for step in range(31)], [(s, 1.0) for s in range(21)]]
    curve = curve_of(tmp_path, runs, XAxis.ELAPSED)
    window = window_of(curve)
    assert {curve.x(point) for point in curve.points} == {2.0 * step for step in range(21)}
    assert (window.left, window.right) == (0.0, 40.0)
    last = replace(curve, crosshair=curve.points[-1])
    assert last.step_for(curve.series) == 30
    under = text(curve_lines(last, 80, 24))[-2]
    assert under.strip() == "step 20 of B   40 s in"


def test_points_of_one_second_are_taken_in_their_order(tmp_path: Path) -> None:
    """The runs log hundreds of points a second, as short ones do."""
    with StoreWriter(tmp_path, clock=lambda: NOW, durable=False) as writer:
        for run, a_second in (("run0", 250), ("run1", 400)):
            writer.start_run(run, run)
            with writer.experiment(run) as experiment:
                experiment.metrics(
                    ("loss", 1.0, step, NOW + timedelta(seconds=step // a_second))  # type: ignore[misc]
                    for step in range(1_000)
                )
    store = open_store(tmp_path)
    found = [MetricSource(store.run(f"run{index}"), "loss") for index in range(2)]
    overlays = [overlay(source, LETTERS[index]) for index, source in enumerate(found)]
    curve = run_curve(overlays, BRAILLE, XAxis.ELAPSED)
    one, other = curve.all_series
    assert curve.walked == (one,)
    columns = 1_000 / 80 * 2
    before: float = 0
    for point in curve.points:
        step = replace(curve, crosshair=point).step_for(other)
        assert step is not None
        second, part = divmod(point.step, 250)
        # The other run has seconds of 400, 400 and 200 points, and ends a second earlier.
        count = (400, 400, 200, 0)[int(second)]
        wanted = 999 if not count else 400 * second + part / 250 * count
        assert abs(step - wanted) <= 2 * columns, (point.step, step, wanted)
        assert before <= step <= 999
        before = step
    assert replace(curve, crosshair=curve.points[0]).step_for(other) == 0
    assert before == 999


def test_a_card_says_all_last_values_that_there_is_room_for(tmp_path: Path) -> None:
    runs: list[Points] = [[(0, float(n)), (1, n + 0.125)] for n in range(8)]
    curve = curve_of(tmp_path, runs)
    card = Card("loss", "loss", None, curves=curve.overlays, note="only A B")
    for width in (38, 60, 100):
        lines = text(run_card_lines(card, width, 10))
        assert len(lines) == 10
        assert lines[0].rstrip().endswith("only A B")
        assert "A 0.125" in lines[-2]
        shown = sum(f"{letter} " in lines[-2] for letter in LETTERS)
        assert (f"+{8 - shown} more" in lines[-2]) == (shown < 8)


def test_a_band_is_drawn_between_the_lowest_and_the_highest(tmp_path: Path) -> None:
    found = sources(tmp_path, [[(s, 0.0) for s in range(50)], [(s, 10.0) for s in range(50)]])
    of = overlay(FoldedSource("loss", tuple(found)), "AB")
    curve = run_curve([of], BRAILLE, None)
    window = window_of(curve)
    assert window.bottom <= 0
    assert window.top >= 10
    rows = text(curve_lines(curve, 80, 24))[1:19]
    dotted = [row for row in rows if sum("\u2800" < char <= "\u28ff" for char in row) > 20]
    assert len(dotted) > 8
    svg = curve_svg(curve, "t")
    assert "<polygon" in svg


def test_the_picture_is_sound_and_safe(tmp_path: Path) -> None:
    runs: list[Points] = [[(0, 1.0), (1, math.nan), (2, 3.0)], [(0, 2.0), (5, 1.0)]]
    curve = curve_of(tmp_path, runs)
    odd = replace(curve.others[0], text='<b>&"\x1b[31m')
    for x_axis in (XAxis.STEP, XAxis.ELAPSED, XAxis.SHARE, XAxis.CLOCK):
        drawn = replace(curve, others=(odd,), x_axis=x_axis)
        svg = curve_svg(drawn, "loss · 2 runs </svg>")
        ET.fromstring(svg)
        assert "\x1b" not in svg
        assert "<b>" not in svg
        assert ">A</text>" in svg
        assert str(x_axis) in svg


def test_a_run_keeps_its_colour_whichever_others_are_off(tmp_path: Path) -> None:
    found = sources(tmp_path, [[(0, 1.0), (1, 2.0)]] * 2)
    both = curve_svg(
        run_curve([overlay(found[0], "A"), overlay(found[1], "B")], BRAILLE, None), "t"
    )
    alone = curve_svg(run_curve([overlay(found[1], "B")], BRAILLE, None), "t")
    assert 'stroke="#c8500a"' in both
    assert 'stroke="#c8500a"' in alone
    assert 'stroke="#0068b5"' not in alone

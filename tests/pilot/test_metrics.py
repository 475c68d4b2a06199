"""The Metrics tab: the grid of small charts, and one metric in full."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.store.metrics import points as metric_points
from flowtui.store.metrics import series as metric_series
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.told_apart import told_apart
from flowtui.widgets.charts import grid
from flowtui.widgets.charts.curve import Curve
from flowtui.widgets.charts.curve_pane import CurvePane
from flowtui.widgets.charts.grid import ChartGrid
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until

VISION, ACTIVE = "resnet50-cosine", "llama-lora-sft"


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, each when what the one before started is done."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def crosshair_line(pilot: Pilot[None]) -> str:
    return next((line for line in screen_lines(pilot) if line.startswith(" step ")), "")


def title(pilot: Pilot[None]) -> str:
    return screen_lines(pilot)[3]


def grid_key(pilot: Pilot[None]) -> str | None:
    return pilot.app.screen.query_one(ChartGrid).key


def write_run(folder: Path, metrics: dict[str, list[tuple[float, float]]]) -> Store:
    """Return a store with one completed run of these metrics."""
    with StoreWriter(folder, clock=lambda: NOW) as writer:
        writer.start_run("odd", "odd")
        with writer.experiment("odd") as experiment:
            for key, points in metrics.items():
                experiment.metrics([(key, value, step, NOW) for step, value in points])
        writer.end_run("odd", status="completed", duration=1.0)
    return open_store(folder)


# The grid ------------------------------------------------------------------------------------


async def test_the_grid_shows_each_metric_with_its_figures(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        text = screen_text(pilot)
        assert "▾ train  3" in text
        assert "▾ val  4" in text
        assert "▲ 5 NaN" in text
        assert "min 0.6288  max 77  5,000 points" in text
        assert "min 0.1345  max 0.8714  50 points" in text


async def test_a_lowest_and_a_highest_value_that_differ_read_differently(tmp_path: Path) -> None:
    metrics = {
        "accuracy": [(step, 0.9999 + 2e-7 * step) for step in range(10)],
        "far": [(step, 1e9 + 1e-4 * step) for step in range(10)],
    }
    store = write_run(tmp_path, metrics)
    async with opened(store, "odd", (80, 24), tab="metrics") as pilot:
        text = screen_text(pilot)
        assert "min 0.9999  max 0.999902  10 points" in text
        assert "min 1.0e+09  max min+0.0009" in text
        assert "1.000000000001e+09" in text, "the last value has the room of its title"
    async with opened(store, "odd", (200, 60)) as pilot:
        lines = {line.split()[0]: line.split() for line in screen_lines(pilot) if line.strip()}
        assert lines["accuracy"][1:4] == ["0.999902", "0.9999", "0.999902"]
        assert lines["far"][1:4] == ["min+0.0009", "1.0e+09", "min+0.0009"]
    async with opened(store, "odd", (80, 24)) as pilot:
        lines = {line.split()[0]: line.split() for line in screen_lines(pilot) if line.strip()}
        assert lines["accuracy"][1:5] == ["0.999902", "0.999902", "@", "9"]
        assert lines["far"][1] == "1.0e+09", "no distance from what is not shown"


async def test_steps_that_are_times_read_as_times_and_as_steps(tmp_path: Path) -> None:
    first = int(NOW.timestamp()) * 10**9
    steps = [first + 90 * minute * 10**9 for minute in range(8)]
    metrics = {"a/ns": [(step, 1.0) for step in steps], "b/steps": [(1, 1.0), (2, 2.0)]}
    async with opened(write_run(tmp_path, metrics), "odd", tab="metrics") as pilot:
        await press(pilot, "enter")
        assert "x step as time" in title(pilot)
        assert f" step {steps[-1]:,} " in crosshair_line(pilot)
        await press(pilot, "t")
        assert "x step" not in title(pilot)
        assert "x = " in screen_lines(pilot)[4]
        await press(pilot, "t", "t", "t")
        assert "x step as time" in title(pilot)
        await press(pilot, "colon", *str(steps[2]), "enter")
        assert f" step {steps[2]:,} " in crosshair_line(pilot)
        await press(pilot, "right_square_bracket")
        assert "b/steps" in title(pilot)
        assert "x " not in title(pilot)
        await press(pilot, "left_square_bracket")
        assert "x step as time" in title(pilot)


async def test_a_click_meets_the_point_beside_wide_labels(tmp_path: Path) -> None:
    metrics = {"tokens": [(step, 1e7 * step) for step in range(21)]}
    async with opened(write_run(tmp_path, metrics), "odd", (80, 24), tab="metrics") as pilot:
        await press(pilot, "enter")
        left = next(line for line in screen_lines(pilot) if "┤" in line).index("┤")
        assert left == len("200,000,000")
        await pilot.click(CurvePane, offset=(left + 1 + (80 - left - 1) // 2, 5))
        await settled(pilot)
        assert crosshair_line(pilot).startswith(" step 10 ")


async def test_the_cursor_walks_charts_and_headers(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        assert grid_key(pilot) == "train/accuracy"
        await press(pilot, "right")
        assert grid_key(pilot) == "train/loss"
        await press(pilot, "down")
        assert grid_key(pilot) is None, "the header of val"
        await press(pilot, "down", "l", "h", "down")
        assert grid_key(pilot) == "val/ece"
        await press(pilot, "end")
        assert grid_key(pilot) == "time/step_ms"
        assert "step_ms" in screen_text(pilot)
        await press(pilot, "g", "pagedown", "pageup", "k")
        assert grid_key(pilot) is None


async def test_groups_fold_and_unfold(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "space")
        assert "▸ train  3" in screen_text(pilot)
        assert "grad_norm" not in screen_text(pilot)
        assert grid_key(pilot) is None, "the cursor is on what its metric was folded into"
        await press(pilot, "enter")
        assert "grad_norm" in screen_text(pilot)
        await press(pilot, "z")
        assert "points" not in screen_text(pilot)
        await press(pilot, "z")
        assert "min 0.1345" in screen_text(pilot)


async def test_a_pinned_metric_stands_first_until_it_is_let_go(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "right", "p")
        lines = screen_lines(pilot)
        assert lines[3].startswith(" ▾ ★ pinned  1")
        assert lines[4].startswith(" train/loss")
        assert grid_key(pilot) == "train/loss"
        await press(pilot, "p")
        assert "pinned" not in screen_text(pilot)


async def test_metrics_sort_by_their_last_change(demo_copy: Path) -> None:
    run = open_store(demo_copy).resolve(ACTIVE).row
    with StoreWriter(demo_copy) as writer, writer.experiment(run.id) as experiment:
        experiment.metrics([("zz/late", 1.0, 1, NOW.replace(year=2030))])
    async with opened(open_store(demo_copy), ACTIVE, tab="metrics") as pilot:
        assert "zz" not in screen_lines(pilot)[3]
        await press(pilot, "s")
        assert screen_lines(pilot)[3].startswith(" ▾ zz")
        await press(pilot, "s")
        assert "zz" not in screen_lines(pilot)[3]


async def test_filtering_narrows_the_grid_as_one_types(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "slash", *"loss")
        assert "2 of 14" in screen_text(pilot)
        assert "accuracy" not in screen_text(pilot)
        await press(pilot, "escape")
        assert "accuracy" in screen_text(pilot)
        assert isinstance(pilot.app.screen.focused, ChartGrid)
        await press(pilot, "slash", *"/^val.*5", "enter")
        assert grid_key(pilot) == "val/top5"
        await press(pilot, "slash", *"[")
        assert "^ unterminated character set" in screen_text(pilot)


async def test_what_nothing_matches_is_said(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "slash", *"nothing")
        assert "None of the 14 metrics match." in screen_text(pilot)


async def test_only_charts_in_sight_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = write_run(tmp_path, {f"m/{index:03}": [(0, 1.0), (1, 2.0)] for index in range(500)})
    read: list[str] = []
    series = metric_series.series

    def counted(connection: sqlite3.Connection, key: str, *rest: Any) -> object:
        read.append(key)
        return series(connection, key, *rest)

    monkeypatch.setattr(metric_series, "series", counted)
    async with opened(store, "odd", tab="metrics") as pilot:
        assert "m/000" in read
        assert len(read) < 20
        await press(pilot, "G")
        assert "m/499" in read
        assert len(read) < 50
        assert "2 points" in screen_text(pilot)


async def test_names_of_groups_are_told_apart_once_and_not_at_each_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = write_run(tmp_path, {f"layer_{at}/loss": [(0.0, 1.0)] for at in range(60)})
    lists: list[int] = []

    def counted(names: Sequence[str], room: int) -> list[str]:
        lists.append(len(names))
        return told_apart(names, room)

    async with opened(store, "odd", tab="metrics") as pilot:
        await until(lambda: "layer_0" in screen_text(pilot), "the grid")
        await settled(pilot)
        monkeypatch.setattr(grid, "told_apart", counted)
        await pilot.press("G", "g", "G")
        await settled(pilot)
        assert "layer_59" in screen_text(pilot)
        assert not lists


async def test_ten_thousand_names_filter_while_one_types(tmp_path: Path) -> None:
    store = write_run(tmp_path, {f"layer{n % 97}/w{n}": [(0, 1.0)] for n in range(10_000)})
    async with opened(store, "odd", tab="metrics") as pilot:
        await press(pilot, "slash", *"w123")
        assert "11 of 10,000" in screen_text(pilot)


# One metric ----------------------------------------------------------------------------------


async def test_enter_shows_a_metric_and_escape_the_grid_again(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "right", "enter")
        assert "train/loss   5,000 points  ▲ 5 NaN" in title(pilot)
        assert "max 77 @ 3,127" in crosshair_line(pilot)
        await press(pilot, "escape")
        assert grid_key(pilot) == "train/loss"
        assert isinstance(pilot.app.screen.focused, ChartGrid)
        await press(pilot, "escape")
        assert pilot.app.current_mode == "runs"


async def test_the_crosshair_says_the_exact_step_value_and_time(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "right", "enter", "M")
        assert crosshair_line(pilot).startswith(" step 3,127   77.0   1 h 1 m in")
        await press(pilot, "m")
        assert "step 3,955" in crosshair_line(pilot)
        await press(pilot, "home")
        assert "step 0 " in crosshair_line(pilot)
        await press(pilot, "right", "left", "end")
        last = demo.resolve(VISION).metrics.last_points()["train/loss"]
        assert f"step {last.step:,}   {last.value!r}" in crosshair_line(pilot)


async def test_zooming_panning_and_fitting(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "right", "enter", "M", "plus", "plus", "plus")
        assert "part" in title(pilot)
        assert "step 3,127   77.0" in crosshair_line(pilot)
        curve = pilot.app.screen.query_one(CurvePane).curve
        assert curve is not None
        before = curve.series
        await press(pilot, "full_stop")
        after = pilot.app.screen.query_one(CurvePane).curve
        assert after is not None
        assert after.series.start > before.start
        assert after.series.end - after.series.start == pytest.approx(
            before.end - before.start, abs=1
        )
        await press(pilot, "comma", "minus", "0")
        assert "train/loss   5,000 points" in title(pilot)
        assert "part" not in title(pilot)


def wheel(pane: CurvePane, up: bool, x: int, shift: bool = False) -> events.MouseScrollUp:
    """Return a notch of the wheel over a cell of the pane."""
    kind = events.MouseScrollUp if up else events.MouseScrollDown
    return kind(pane, x, 10, 0, 0, 0, shift, False, False, x, 10)  # type: ignore[return-value]


async def test_the_wheel_zooms_around_the_pointer_and_pans_with_shift(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "enter")
        pane = pilot.app.screen.query_one(CurvePane)
        pane.post_message(wheel(pane, up=True, x=65))
        await pilot.pause()
        await settled(pilot)
        assert pane.curve is not None
        near = pane.curve.series
        assert near.end - near.start == pytest.approx(0.8 * 4999, rel=0.02)
        assert near.start < 2500 < near.end
        pane.post_message(wheel(pane, up=False, x=65, shift=True))
        await pilot.pause()
        await settled(pilot)
        assert pane.curve.series.start > near.start
        pane.post_message(wheel(pane, up=False, x=65))
        pane.post_message(wheel(pane, up=False, x=65))
        await pilot.pause()
        await settled(pilot)
        assert pane.curve.series.is_whole


async def test_a_click_puts_the_crosshair_and_a_drag_zooms_into_a_range(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "enter")
        pane = pilot.app.screen.query_one(CurvePane)
        await pilot.mouse_down(CurvePane, offset=(40, 10))
        await pilot.mouse_up(CurvePane, offset=(60, 10))
        await settled(pilot)
        assert pane.curve is not None
        dragged = pane.curve.series
        assert (dragged.start, dragged.end) == (
            pytest.approx(1390, abs=60), pytest.approx(2300, abs=60),
        )  # fmt: skip
        await pilot.click(CurvePane, offset=(65, 10))
        await settled(pilot)
        assert pane.crosshair is not None
        assert pane.crosshair.step == pytest.approx(1850, abs=60)


async def test_a_logarithmic_axis_says_what_it_leaves_out(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "enter", "o")
        assert "y log" in title(pilot)
        assert "at least 1 not above 0" in title(pilot)


async def test_the_x_axis_turns_to_time_and_clock(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "enter", "t")
        assert "x time" in title(pilot)
        assert "1 h 15 m" in screen_text(pilot)
        await press(pilot, "t")
        assert "x clock" in title(pilot)
        await press(pilot, "t")
        assert "x " not in title(pilot)


async def test_smoothing_keeps_a_constant_and_says_its_weight(tmp_path: Path) -> None:
    store = write_run(tmp_path, {"flat": [(step, 3.25) for step in range(3000)]})
    async with opened(store, "odd", tab="metrics") as pilot:
        await press(pilot, "enter", "w", "w")
        assert "ema 0.7 3.25" in crosshair_line(pilot)
        await press(pilot, "W", "W", "W")
        assert "ema" not in crosshair_line(pilot)


async def test_other_metrics_lie_over_the_same_axes(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "right", "enter", "v")
        await pilot.press("space", "enter")
        await settled(pilot)
        legend = screen_lines(pilot)[-2]
        run = demo.resolve(VISION)
        last = demo.run(run.id).metrics.last_points()["train/accuracy"]
        assert legend.startswith(" + train/accuracy")
        assert f"{last.value:.4f}" in legend
        await press(pilot, "home", "right")
        point = pilot.app.screen.query_one(CurvePane).crosshair
        assert point is not None
        exact = (
            demo.run(run.id)
            .metrics.ask("train/accuracy", metric_points.point_at, "train/accuracy", point.step)
            .at
        )
        assert exact is not None
        assert f"{exact.value:.4g}"[:5] in screen_lines(pilot)[-2]


async def test_brackets_go_to_the_neighbours_and_keep_the_step(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "right", "enter", "M", "right_square_bracket")
        assert title(pilot).startswith(" train/grad_norm")
        assert "step 3,127" in crosshair_line(pilot)
        await press(pilot, "right_square_bracket")
        assert title(pilot).startswith(" val/accuracy")
        await press(pilot, "left_square_bracket", "left_square_bracket")
        assert title(pilot).startswith(" train/loss")
        assert "step 3,127   77.0" in crosshair_line(pilot)


async def test_looks_and_smoothing_stay_from_one_metric_to_the_next(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "enter", "o", "w", "t", "escape", "right", "enter")
        assert title(pilot).startswith(" train/loss")
        assert "x time  y log" in title(pilot)
        assert "ema 0.5" in crosshair_line(pilot)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("max", "step 3,127   77.0"),
        ("min", "step 3,955"),
        ("first", "step 0 "),
        ("last", "step 4,999"),
        ("nan", "NaN"),
        ("1,234", "step 1,234"),
        ("99999", "step 4,999"),
    ],
)
async def test_a_typed_word_or_step_is_gone_to(demo: Store, typed: str, found: str) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "right", "enter", "colon", *typed, "enter")
        assert found in crosshair_line(pilot)
        assert isinstance(pilot.app.screen.focused, CurvePane)


async def test_a_step_outside_of_the_window_moves_the_window(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "right", "enter", "home", "plus", "plus", "plus")
        await press(pilot, "colon", *"max", "enter")
        assert "step 3,127   77.0" in crosshair_line(pilot)
        assert "part" in title(pilot)
        curve = pilot.app.screen.query_one(CurvePane).curve
        assert curve is not None
        assert curve.series.start <= 3127 <= curve.series.end


@pytest.mark.parametrize("unit", [1, 0.1, 10**9])
async def test_the_crosshair_walks_on_where_the_window_ends(tmp_path: Path, unit: float) -> None:
    steps = [n * unit for n in range(100)]
    store = write_run(tmp_path, {"loss": [(step, float(n)) for n, step in enumerate(steps)]})
    async with opened(store, "odd", tab="metrics") as pilot:
        await press(pilot, "enter", "home", *["plus"] * 4)
        pane = pilot.app.screen.query_one(CurvePane)

        def place() -> int:
            assert pane.curve is not None
            assert pane.crosshair is not None
            series = pane.curve.series
            assert series.start <= pane.crosshair.step <= series.end
            assert pane.crosshair.step == steps[int(pane.crosshair.value)]
            return int(pane.crosshair.value)

        for wanted in range(1, 13):
            await press(pilot, "right")
            assert place() == wanted
        # Faster than anything is read.
        await pilot.press(*["right"] * 12, *["left"] * 3)
        await settled(pilot)
        assert place() == 21
        for key, wanted in (("L", 31), ("L", 41), ("H", 31), ("h", 30)):
            await press(pilot, key)
            assert place() == wanted
        for _ in range(20):
            await press(pilot, "plus")
        for key, wanted in (("right", 31), ("left", 30), ("left", 29), ("L", 39)):
            await press(pilot, key)
            assert place() == wanted
        # Of real steps a window this narrow has no point when it is shifted.
        await press(pilot, "full_stop")
        await press(pilot, *["L"] * 8)
        assert place() == 99
        await press(pilot, "right")
        assert place() == 99


async def test_what_cannot_be_gone_to_is_said(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "enter", "colon", *"nowhere", "enter")
        assert "^ expected a step" in screen_text(pilot)
        assert "nowhere" in screen_text(pilot)
        await press(pilot, *["backspace"] * 7, *"nan")
        assert "expected a step" not in screen_text(pilot)
        await press(pilot, "enter")
        assert "^ it has no NaN" in screen_text(pilot)
        await press(pilot, *["backspace"] * 3, *"max", "enter")
        assert isinstance(pilot.app.screen.focused, CurvePane)
        assert "it has no NaN" not in screen_text(pilot)
        await press(pilot, "colon", *"nowhere", "enter", "escape")
        assert "nowhere" not in screen_text(pilot)
        assert isinstance(pilot.app.screen.focused, CurvePane)
        await press(pilot, "colon", "5", "enter")
        assert crosshair_line(pilot).startswith(" step 5 ")


async def test_copying_copies_the_value_or_the_point(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _self, text: copied.append(text))
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "right", "enter", "M", "y", "Y")
    assert copied[0] == "77.0"
    point = json.loads(copied[1])
    assert (point["key"], point["step"], point["value"]) == ("train/loss", 3127, 77.0)


@pytest.mark.parametrize(
    ("downs", "suffix", "begins"),
    [(0, "csv", "key,step,value"), (1, "json", "["), (2, "svg", "<svg"), (3, "txt", " train")],
)
async def test_exporting_writes_the_file_that_is_named(
    demo: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, downs: int, suffix: str,
    begins: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"resnet50-cosine-train-loss.{suffix}"
    async with opened(demo, VISION, tab="metrics") as pilot:
        await press(pilot, "right", "enter", "x")
        await pilot.press(*["down"] * downs, "enter")
        await until(path.exists, "the export")
        await settled(pilot)
    text = path.read_text(encoding="utf-8")
    assert text.startswith(begins)
    if suffix == "csv":
        assert len(text.splitlines()) == 5_001


# Steps that are no whole numbers --------------------------------------------------------------


@pytest.mark.parametrize("unit", [0.1, 1 / 7, 1e-9, 1e297])
async def test_real_steps_are_zoomed_and_walked_like_whole_ones(
    tmp_path: Path, unit: float
) -> None:
    steps = [index * unit for index in range(3_000)]
    store = write_run(tmp_path, {"loss": [(step, float(n)) for n, step in enumerate(steps)]})
    async with opened(store, "odd", tab="metrics") as pilot:
        await press(pilot, "enter")
        pane = pilot.app.screen.query_one(CurvePane)
        await press(pilot, "colon", *repr(steps[1_234]), "enter")
        assert pane.crosshair is not None
        assert (pane.crosshair.step, pane.crosshair.value) == (steps[1_234], 1_234.0)
        for _ in range(9):
            await press(pilot, "plus")
        assert pane.curve is not None
        inside = [n for n, step in enumerate(steps)
                  if pane.curve.series.start <= step <= pane.curve.series.end]  # fmt: skip
        assert pane.curve.series.count == len(inside) == pytest.approx(6, abs=1)
        await press(pilot, "right")
        assert pane.crosshair.value == 1_235.0
        start = pane.curve.series.start
        await press(pilot, "full_stop", "full_stop")
        assert pane.curve.series.start > start
        for _ in range(70):
            await pilot.press("plus")
        await settled(pilot)
        assert pane.curve.series.start < pane.curve.series.end
        await press(pilot, "0", "end")
        assert (pane.curve.series.count, pane.crosshair.value) == (3_000, 2_999.0)


async def test_a_typed_step_finds_the_point_that_is_it_but_for_rounding(tmp_path: Path) -> None:
    store = write_run(tmp_path, {"loss": [(0.1 * n, float(n)) for n in range(9)]})
    async with opened(store, "odd", tab="metrics") as pilot:
        await press(pilot, "enter", "colon", "0", ".", "3", "enter")
        assert "step 0.30000000000000004   3.0" in crosshair_line(pilot)
        await press(pilot, "colon", "0", ".", "3", "5", "enter")
        assert "step 0.30000000000000004   3.0" in crosshair_line(pilot)
        assert "min 0 @ 0 " in crosshair_line(pilot)


SEVENTHS = [n / 7 for n in range(100)]
LATER_SEVENTHS = [12_345 + n / 7 for n in range(300)]
SPARSE = [10, 20, 1_764_400_123, 1_764_500_000]


@pytest.mark.parametrize(
    ("steps", "typed", "found"),
    [
        (SEVENTHS, "9.42857", 66),
        (SEVENTHS, "3.14", 22),
        (SEVENTHS, "3.08", 22),
        (SEVENTHS, "1e2", 99),
        (LATER_SEVENTHS, "12,366.4", 150),
        (LATER_SEVENTHS, "12366.4", 150),
        # Whole steps that were typed in full, or between which that lies: the last one before.
        (SPARSE, "20", 1),
        (SPARSE, "19", 0),
        (SPARSE, "19.9", 0),
        (SPARSE, "9", 0),
        (SPARSE, "1,764,499,999", 2),
        (SPARSE, "1.7644e+09", 2),
        (SPARSE, "1e999", None),
        (SPARSE, "0e999999", 0),
    ],
)
async def test_a_step_is_found_as_it_reads(
    tmp_path: Path, steps: list[float], typed: str, found: int | None
) -> None:
    store = write_run(tmp_path, {"loss": [(step, float(n)) for n, step in enumerate(steps)]})
    async with opened(store, "odd", tab="metrics") as pilot:
        await press(pilot, "enter", "colon", *typed, "enter")
        if found is None:
            assert "expected a step" in screen_text(pilot)
        else:
            assert f" step {steps[found]:,}   {float(found)} " in crosshair_line(pilot)


async def test_a_metric_without_a_readable_step_says_so_and_can_be_left(tmp_path: Path) -> None:
    store = write_run(tmp_path, {"loss": [(0, 1.0), (1, 2.0)], "odd": [(7, 1.0)]})
    with closing(sqlite3.connect(tmp_path / "odd" / "exp.db")) as db, db:
        db.execute("update dynamic_metrics set step = 'ten' where key = 'odd'")
    async with opened(store, "odd", tab="metrics") as pilot:
        assert "no row has a step that is a number" in screen_text(pilot)
        pilot.app.screen.query_one(ChartGrid).put_cursor("odd")
        await press(pilot, "enter")
        assert "odd: no row has a step that is a number" in screen_text(pilot)
        await press(pilot, "plus", "M", "end", "x", "y", "escape")
        assert grid_key(pilot) == "odd"
        await press(pilot, "1")
        assert "▲ metric odd: 1 of 1" in screen_text(pilot)
        assert "broken" in screen_text(pilot)


# Live ----------------------------------------------------------------------------------------


def log(store: Path, run_id: str, key: str, step: int, value: float) -> None:
    with StoreWriter(store) as writer, writer.experiment(run_id) as experiment:
        experiment.metrics([(key, value, step, NOW)])


async def test_curves_grow_with_their_run(demo_copy: Path) -> None:
    run = open_store(demo_copy).resolve(ACTIVE).row
    last = open_store(demo_copy).run(run.id).metrics.last_points()["val/loss"]
    async with opened(open_store(demo_copy), ACTIVE, tab="metrics") as pilot:
        log(demo_copy, run.id, "val/loss", last.step + 1, 0.03125)
        await until(lambda: "0.03125" in screen_text(pilot), "the small chart's growth")
        pilot.app.screen.query_one(ChartGrid).put_cursor("val/loss")
        await press(pilot, "enter")
        log(demo_copy, run.id, "val/loss", last.step + 2, 0.0625)
        await until(
            lambda: f"step {last.step + 2:,}   0.0625" in crosshair_line(pilot), "the growth"
        )


async def test_a_window_stays_says_what_is_new_and_follows_when_asked(demo_copy: Path) -> None:
    run = open_store(demo_copy).resolve(ACTIVE).row
    last = open_store(demo_copy).run(run.id).metrics.last_points()["val/loss"]
    async with opened(open_store(demo_copy), ACTIVE, tab="metrics") as pilot:
        pilot.app.screen.query_one(ChartGrid).put_cursor("val/loss")
        await press(pilot, "enter", "home", "plus")
        before = crosshair_line(pilot)
        log(demo_copy, run.id, "val/loss", last.step + 1, 0.03125)
        log(demo_copy, run.id, "val/loss", last.step + 2, 0.0625)
        await until(lambda: "2 new" in title(pilot), "the badge")
        assert crosshair_line(pilot) == before
        await press(pilot, "end")
        assert "following" in title(pilot)
        log(demo_copy, run.id, "val/loss", last.step + 3, 0.125)
        await until(lambda: f"step {last.step + 3:,}   0.125" in crosshair_line(pilot), "following")
        assert "part" in title(pilot)


async def test_a_chart_has_room_for_more_until_its_run_ends(demo_copy: Path) -> None:
    run = open_store(demo_copy).resolve(ACTIVE).row
    async with opened(open_store(demo_copy), ACTIVE, tab="metrics") as pilot:
        await settled(pilot)

        def reach() -> int:
            """Return the last column of the screen in which a curve is drawn."""
            dots = [[at for at, cell in enumerate(line) if "\u2801" <= cell <= "\u28ff"]
                    for line in screen_lines(pilot)]  # fmt: skip
            return max(at for line in dots for at in line)

        growing = reach()
        with StoreWriter(demo_copy) as writer:
            writer.end_run(run.id, status="completed", duration=60.0)
        await until(lambda: reach() > growing, "the curves to take all the room")


async def test_a_curve_that_is_followed_is_followed_no_longer_when_its_run_ends(
    demo_copy: Path,
) -> None:
    run = open_store(demo_copy).resolve(ACTIVE).row
    async with opened(open_store(demo_copy), ACTIVE, tab="metrics") as pilot:
        await press(pilot, "enter", "home", "plus", "end")
        await until(lambda: "following" in title(pilot), "the state")
        with StoreWriter(demo_copy) as writer:
            writer.end_run(run.id, status="completed", duration=60.0)
        await until(lambda: "following" not in title(pilot), "the end")


async def test_a_run_that_has_ended_is_not_followed(tmp_path: Path) -> None:
    store = write_run(tmp_path, {"loss": [(step, float(step)) for step in range(100)]})
    async with opened(store, "odd", tab="metrics") as pilot:
        await press(pilot, "enter", "home", "plus", "end")
        assert "step 99 " in crosshair_line(pilot)
        assert "part" in title(pilot)
        assert "following" not in title(pilot)


async def test_following_keeps_the_crosshair_at_the_edge_of_the_window(tmp_path: Path) -> None:
    store = write_run(tmp_path, {"loss": [(step, float(step)) for step in range(20)]})
    async with opened(store, "odd", tab="metrics") as pilot:
        await press(pilot, "enter")
        pane = pilot.app.screen.query_one(CurvePane)
        for window in ((5, 15), (7, 17)):
            # More was logged while each window was read: the metric goes on right of it.
            series = store.run("odd").metrics.ask("loss", metric_series.series, "loss", window, 40)
            assert series is not None
            pane.show_curve(Curve(series, follows=True))
            assert pane.crosshair is not None
            assert pane.crosshair.step == window[1]


# Odd ones ------------------------------------------------------------------------------------


async def test_odd_metrics_look_right(tmp_path: Path) -> None:
    huge = 10**12
    odd = {
        "one": [(0, 1.5)],
        "constant": [(step, 3.0) for step in range(50)],
        "all_nan": [(step, math.nan) for step in range(5)],
        "all_inf": [(step, math.inf) for step in range(5)],
        "largest": [(0, 1e308), (1, -1e308), (2, 1e-308)],
        "far": [(-huge, 1.0), (huge, 2.0)],
        "[bold]/x[/] \x1b[31m": [(0, 1.0), (1, 2.0)],
        "n" * 300: [(0, 1.0), (1, 2.0)],
    }
    async with opened(write_run(tmp_path, odd), "odd", tab="metrics", size=(80, 24)) as pilot:
        assert "5 points, none finite" in screen_text(pilot)
        for key in odd:
            pilot.app.screen.query_one(ChartGrid).put_cursor(key)
            await press(pilot, "enter")
            assert crosshair_line(pilot).startswith(" step ")
            await press(pilot, "left", "plus", "full_stop", "o", "w", "t", "minus", "t", "b")
            await press(pilot, "o", "W", "t", "0", "escape")
        assert "\x1b" not in screen_text(pilot)


async def test_a_run_without_metrics_says_how_to_log_one(demo: Store) -> None:
    async with opened(demo, "scratch", tab="metrics") as pilot:
        assert "No metrics were logged." in screen_text(pilot)


async def test_a_damaged_database_is_said(demo_copy: Path) -> None:
    run = open_store(demo_copy).resolve(VISION).row
    (demo_copy / run.id / "exp.db").write_bytes(b"no database" * 1000)
    async with opened(open_store(demo_copy), VISION, tab="metrics") as pilot:
        assert "exp.db is not a SQLite database" in screen_text(pilot)


async def test_the_scroll_bar_takes_no_place_from_the_charts(demo: Store) -> None:
    # The charts that do not fit are found when they are laid out: the bar comes after that.
    async with opened(demo, "support-agent-v3", tab="metrics", size=(80, 24)) as pilot:
        before = screen_text(pilot)
        await press(pilot, "enter", "escape")
        assert screen_text(pilot) == before
        for _ in range(2):
            await press(pilot, "z")
        assert screen_text(pilot) == before

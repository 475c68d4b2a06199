"""The Metrics tab: the curve of the metric under the cursor, its crosshair, its window."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from flowtui.app import FlowApp
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.curve_pane import CurvePane
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until

VISION, ACTIVE = "resnet50-cosine", "llama-lora-sft"


async def test_the_curve_under_the_cursor_is_shown(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        assert "train/accuracy   5,000 points" in screen_text(pilot)
        await pilot.press("down")
        await settled(pilot)
        assert "train/loss   5,000 points  ▲ 5 NaN" in screen_text(pilot)
        assert "max 77 @ 3,127" in screen_text(pilot)


async def test_the_crosshair_says_the_exact_step_and_value(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await pilot.press("down", "enter", "M")
        await settled(pilot)
        assert "step 3,127   77.0" in screen_text(pilot)
        await pilot.press("m")
        assert "step 3,955" in screen_text(pilot)
        await pilot.press("home")
        assert "step 0 " in screen_text(pilot)
        await pilot.press("right", "left", "end")
        last = demo.last_points(demo.resolve(VISION).id)["train/loss"]
        assert f"step {last.step:,}   {last.value!r}" in screen_text(pilot)


async def test_zooming_reads_the_window_and_fit_shows_all_again(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await pilot.press("down", "enter", "M", "plus", "plus", "plus")
        await settled(pilot)
        assert "part" in screen_text(pilot)
        assert "step 3,127   77.0" in screen_text(pilot)
        await pilot.press("minus", "0")
        await settled(pilot)
        assert "train/loss   5,000 points" in screen_text(pilot)


async def test_a_logarithmic_axis_says_what_it_leaves_out(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await pilot.press("enter", "o")
        await settled(pilot)
        assert "y log" in screen_text(pilot)
        assert "not above 0" in screen_text(pilot)


async def test_brackets_go_to_the_neighbours_and_escape_to_the_list(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await pilot.press("enter", "right_square_bracket")
        await settled(pilot)
        assert "train/loss   5,000 points" in screen_text(pilot)
        assert isinstance(pilot.app.screen.focused, CurvePane)
        await pilot.press("escape")
        assert pilot.app.current_mode == "metrics"
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.current_mode == "runs"


async def test_filtering_shows_the_first_match(demo: Store) -> None:
    async with opened(demo, VISION, tab="metrics") as pilot:
        await pilot.press("slash", *"grad", "enter")
        await settled(pilot)
        assert "train/grad_norm   5,000 points  ▲ 5 NaN · 1 Inf" in screen_text(pilot)


async def test_a_curve_grows_with_its_run_and_a_window_stays(demo_copy: Path) -> None:
    async with opened(open_store(demo_copy), ACTIVE, tab="metrics") as pilot:
        run = open_store(demo_copy).resolve(ACTIVE)
        last = open_store(demo_copy).last_points(run.id)["eval/loss"]
        with StoreWriter(demo_copy) as writer, writer.experiment(run.id) as experiment:
            experiment.metrics([("eval/loss", 0.03125, last.step + 1, NOW)])
        await until(lambda: f"step {last.step + 1:,}   0.03125" in screen_text(pilot), "growth")
        await pilot.press("enter", "home", "plus")
        await settled(pilot)
        before = [line for line in screen_lines(pilot) if "step " in line]
        with StoreWriter(demo_copy) as writer, writer.experiment(run.id) as experiment:
            experiment.metrics([("eval/loss", 0.015625, last.step + 2, NOW)])
        await until(lambda: "0.01562" in screen_text(pilot), "the new last value in the list")
        assert [line for line in screen_lines(pilot) if "step " in line] == before


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
    with StoreWriter(tmp_path, clock=lambda: NOW) as writer:
        writer.start_run("odd", "odd")
        with writer.experiment("odd") as experiment:
            for key, points in odd.items():
                experiment.metrics([(key, value, step, NOW) for step, value in points])
        writer.end_run("odd", status="completed", duration=1.0)
    async with opened(open_store(tmp_path), "odd", tab="metrics", size=(80, 24)) as pilot:
        for _ in odd:
            await pilot.press("enter", "left", "plus", "o", "minus", "o", "escape", "down")
            await settled(pilot)
        assert "step" in screen_text(pilot)


async def test_a_run_without_metrics_says_how_to_log_one(demo: Store) -> None:
    async with opened(demo, "scratch", tab="metrics") as pilot:
        assert "none logged yet" in screen_text(pilot)


async def test_a_damaged_database_is_said(demo_copy: Path) -> None:
    run = open_store(demo_copy).resolve(VISION)
    (demo_copy / run.id / "exp.db").write_bytes(b"no database" * 1000)
    async with opened(open_store(demo_copy), VISION, tab="metrics") as pilot:
        assert "exp.db is damaged" in screen_text(pilot)


async def test_copying_copies_the_value_under_the_crosshair(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _self, text: copied.append(text))
    async with opened(demo, VISION, tab="metrics") as pilot:
        await pilot.press("down", "enter", "M", "y")
        await settled(pilot)
    assert copied == ["77.0"]

"""Looks that all charts of a screen share: logarithmic values, and axes without outliers."""

from __future__ import annotations

import math
from pathlib import Path

from tests.pilot.pilot import compared, opened, screen_text
from tests.pilot.test_compare_metrics import write_store
from tests.pilot.test_metrics import press, title, write_run

SPIKY = [(float(step), 500.0 if step == 40 else 2 + math.sin(step)) for step in range(100)]


async def test_outliers_and_logarithms_hold_in_the_grid_and_in_full(tmp_path: Path) -> None:
    store = write_run(tmp_path, {"loss": SPIKY, "other": SPIKY})
    async with opened(store, "odd", tab="metrics") as pilot:
        await press(pilot, "%")
        assert "1 outside" in screen_text(pilot)
        assert "max 500" in screen_text(pilot), "the true one"
        await press(pilot, "o")
        assert "log  y 98 %" in screen_text(pilot)
        await press(pilot, "enter")
        assert "1 outside" in title(pilot)
        assert "y log  y 98 %" in title(pilot)
        await press(pilot, "w", "plus")
        assert "y log  y 98 %" in title(pilot)
        await press(pilot, "right_square_bracket", "o", "%")
        assert "y log" not in title(pilot)
        assert "outside" not in title(pilot)
        await press(pilot, "escape")
        assert "outside" not in screen_text(pilot)


async def test_runs_that_are_compared_share_the_axis_without_outliers(tmp_path: Path) -> None:
    runs = {name: {"loss": SPIKY} for name in ("one", "two")}
    store = write_store(tmp_path, runs)
    async with compared(store, "one", "two", tab="metrics") as pilot:
        await press(pilot, "%", "o")
        assert "log" in screen_text(pilot)
        assert "↑" in screen_text(pilot)
        await press(pilot, "enter")
        assert "2 outside" in title(pilot)

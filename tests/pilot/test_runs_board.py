"""The list of runs as a leaderboard: what matters is a column, the best is marked, groups."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.store import cancelling
from flowtui.store.run_bests import Extremes, RunBests
from flowtui.store.store import Store
from flowtui.widgets import remembered
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until


def heads(pilot: Pilot[None]) -> str:
    return screen_lines(pilot)[2]


async def typed(pilot: Pilot[None], text: str) -> None:
    keys = {" ": "space", "/": "slash", ".": "full_stop", "-": "minus", "_": "underscore"}
    await pilot.press(*(keys.get(char, char) for char in text))
    await settled(pilot)


async def test_columns_are_what_differs_among_the_listed_runs(demo: Store) -> None:
    async with opened(demo, None, size=(200, 50)) as pilot:
        await pilot.press("slash")
        await typed(pilot, "group = sweep-lr")
        assert "lr" in heads(pilot)
        assert "seed" in heads(pilot)
        assert "model" not in heads(pilot), "all of them have the same"


async def test_the_best_is_marked_only_once_and_also_out_of_sight(demo: Store) -> None:
    def marked(pilot: Pilot[None]) -> set[str]:
        lines = (line.partition("│")[2] for line in screen_lines(pilot)[3:-1])
        return {line.split()[0] for line in lines if "★" in line}

    async with opened(demo, None, size=(200, 70)) as pilot:
        await pilot.press("i")
        await until(lambda: len(marked(pilot)) > 1, "the best marked")
        best = marked(pilot)
        assert "vit-s16-baseline" in best, "of all losses it has the lowest"
        assert sum(line.count("★") for line in screen_lines(pilot)) == 3, "one a column"
    async with opened(demo, None, size=(200, 12)) as pilot:
        await settled(pilot)
        assert marked(pilot) < best, "no other run is marked in the place of one out of sight"


async def test_a_key_shows_the_best_values_and_is_remembered(demo: Store) -> None:
    async with opened(demo, None, size=(200, 50)) as pilot:
        assert "★ val/loss" not in heads(pilot)
        await pilot.press("b")
        await settled(pilot)
        assert "★ val/loss" in heads(pilot)
        await until(lambda: " … " not in screen_text(pilot), "the best values read")
    async with opened(demo, None, size=(200, 50)) as pilot:
        await settled(pilot)
        assert "★ val/loss" in heads(pilot)
        await pilot.press("b")
        await settled(pilot)
        assert "★" not in heads(pilot)
        assert remembered.get("runs.best") == {"": False}


async def test_the_sorted_metric_alone_is_switched_and_sorted_by_its_best(demo: Store) -> None:
    async with opened(demo, None, size=(200, 50)) as pilot:
        await pilot.press("s", "tab")
        await typed(pilot, "val/loss")
        await pilot.press("enter", "enter", "b")
        await settled(pilot)
        assert "★ val/loss" in heads(pilot)
        assert heads(pilot).count("★") == 1
        await until(lambda: "reading" not in screen_lines(pilot)[0], "all runs read")


async def test_reading_all_runs_for_an_order_is_said_and_left_by_escape(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    goes_on = True
    read = RunBests.extremes

    def slow(bests: RunBests, run_id: str, key: str) -> Extremes:
        begun.append(run_id)
        while goes_on:
            cancelling.check()
            time.sleep(0.01)
        return read(bests, run_id, key)

    monkeypatch.setattr(RunBests, "extremes", slow)
    async with opened(demo, None, size=(200, 50)) as pilot:
        await pilot.press("s", "tab")
        await typed(pilot, "val/loss")
        await pilot.press("enter", "enter")
        await settled(pilot)
        await pilot.press("b")
        await until(lambda: "reading val/loss of 0 of 46 runs" in screen_text(pilot), "the note")
        await pilot.press("escape")
        await until(lambda: "reading" not in screen_lines(pilot)[0], "the former order")
        assert "val/loss ↓" in heads(pilot)
        assert "★ val/loss ↓" not in heads(pilot)
        assert begun
        goes_on = False
        await settled(pilot)


async def test_a_metric_without_a_direction_is_asked_about(demo: Store) -> None:
    async with opened(demo, None, size=(200, 50)) as pilot:
        await pilot.press("s", "tab")
        await typed(pilot, "time/step")
        await pilot.press("enter", "enter")
        await settled(pilot)
        await pilot.press("b")
        await settled(pilot)
        assert "which is better?" in screen_text(pilot)
        await pilot.press("home", "enter")
        await settled(pilot)
        assert "★ time/step" in heads(pilot)


async def test_counts_beside_groups_follow_the_filter(demo: Store) -> None:
    async with opened(demo, None, size=(200, 50)) as pilot:
        line = next(line for line in screen_lines(pilot) if line.startswith(" agents"))
        assert line.split()[1] == "5"
        await pilot.press("slash")
        await typed(pilot, "agent-v4")
        await until(
            lambda: next(
                line for line in screen_lines(pilot) if line.startswith(" agents")
            ).split()[1] == "1",
            "the count of what matches",
        )  # fmt: skip


async def test_a_curve_can_be_a_column(demo: Store) -> None:
    async with opened(demo, None, size=(200, 50)) as pilot:
        await pilot.press("c", "tab")
        await typed(pilot, "val/loss")
        await pilot.press("down", "down", "space", "enter")
        await pilot.press(*["right"] * 10)
        await settled(pilot)
        await until(lambda: "▅" in screen_text(pilot) or "▃" in screen_text(pilot), "a sparkline")


async def test_the_list_is_saved_as_it_is_seen(demo: Store, tmp_path: Path) -> None:
    async with opened(demo, None, size=(200, 50)) as pilot:
        shown = [column.title.strip() for column in pilot.app.screen.query_one("#runs").columns]  # type: ignore[attr-defined]
        await pilot.press("slash")
        await typed(pilot, "sweep")
        await pilot.press("enter")
        for name, downs in (("l.csv", 0), ("l.jsonl", 1), ("l.md", 2)):
            await pilot.press("x", *["down"] * downs, "ctrl+u", *str(tmp_path / name), "enter")
            await settled(pilot)
            await until((tmp_path / name).exists, "the file")
    rows = list(csv.DictReader((tmp_path / "l.csv").read_text().splitlines()))
    assert len(rows) == 30
    lines = [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines] == [row["name"] for row in rows]
    assert float(rows[0]["param.lr"]) == lines[0]["param.lr"]
    assert len((tmp_path / "l.md").read_text().splitlines()) == 32
    assert shown[0] == "name"

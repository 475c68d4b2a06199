"""The Overview: panes, folding, filtering, copying, and following a run that is written."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from flowtui.app.app import FlowApp
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.lists.metric_list import MetricList
from flowtui.widgets.trees.value_tree import ValueTree
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until
from tests.unit.stores import held

VISION, ACTIVE = "resnet50-cosine", "llama-lora-sft"


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was copied, oldest first."""
    texts: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _self, text: texts.append(text))
    return texts


async def test_shows_the_whole_record(demo: Store) -> None:
    async with opened(demo, VISION, size=(160, 50)) as pilot:
        shown = screen_text(pilot)
        for text in ("train/loss", "3,955", "weight_decay", "resnet50_v1_ema", "9 Jun 2026"):
            assert text in shown, text
        assert "Upload to LUML" in shown


async def test_a_running_run_has_parameters_and_metrics(demo: Store) -> None:
    async with opened(demo, ACTIVE) as pilot:
        shown = screen_text(pilot)
        assert "val/loss" in shown
        assert "base_model" in shown


async def test_tab_goes_around_the_panes(demo: Store) -> None:
    async with opened(demo, VISION, size=(80, 24)) as pilot:
        titles = []
        for _ in range(4):
            titles.append(screen_lines(pilot)[3].split()[0])
            await pilot.press("tab")
            await settled(pilot)
        assert titles == ["Metrics", "Parameters", "Logged", "Run"]
        await pilot.press("shift+tab")
        await settled(pilot)
        assert screen_lines(pilot)[3].split()[0] == "Run"


async def test_nested_parameters_unfold_and_fold(demo: Store) -> None:
    async with opened(demo, VISION) as pilot:
        await pilot.press("tab", "down", "right", "down", "right")
        await settled(pilot)
        assert "rand_augment" in screen_text(pilot)
        await pilot.press("left", "left", "left")
        await settled(pilot)
        assert "rand_augment" not in screen_text(pilot)
        assert "▸ augmentation" in screen_text(pilot)


async def test_filter_narrows_the_focused_pane_only(demo: Store) -> None:
    async with opened(demo, VISION) as pilot:
        await pilot.press("tab", "slash", *"weight")
        await settled(pilot)
        tree = pilot.app.screen.query_one(ValueTree)
        assert tree.line_count == 3
        assert pilot.app.screen.query_one(MetricList).line_count == 14
        await pilot.press("enter")
        assert tree.has_focus
        assert tree.line_count == 3
        await pilot.press("slash", "escape")
        await settled(pilot)
        assert tree.line_count == 28


async def test_copy_takes_the_value_in_full_precision(demo: Store, copied: list[str]) -> None:
    async with opened(demo, VISION) as pilot:
        await pilot.press("down", "y", "Y")
        run = demo.resolve(VISION)
        last = demo.run(run.id).metrics.last_points()["train/loss"]
        assert copied[0] == repr(last.value)
        assert json.loads(copied[1])["key"] == "train/loss"
        await pilot.press("tab", "down", "y")
        assert json.loads(copied[2])["train"]["mixup"] == 0.2


async def test_new_points_and_parameters_appear_while_the_cursor_stays(demo_copy: Path) -> None:
    async with opened(open_store(demo_copy), ACTIVE) as pilot:
        await pilot.press("down")
        metrics = pilot.app.screen.query_one(MetricList)
        assert metrics.metric is not None
        held = metrics.metric.key
        run = open_store(demo_copy).resolve(ACTIVE).row
        with StoreWriter(demo_copy) as writer, writer.experiment(run.id) as experiment:
            experiment.metrics([("aaa/new_loss", 0.125, 1, NOW), (held, 123.25, 10**6, NOW)])
            experiment.params({"added": "later"})
        await until(lambda: "123.2" in screen_text(pilot), "the new value on the screen")
        await until(lambda: "aaa/new_loss" in screen_text(pilot), "the new metric on the screen")
        await until(lambda: "later" in screen_text(pilot), "the new parameter on the screen")
        assert metrics.metric.key == held


async def test_not_following_reads_nothing_until_asked(demo_copy: Path) -> None:
    async with opened(open_store(demo_copy), ACTIVE) as pilot:
        await pilot.press("f")
        await settled(pilot)
        assert "not following" in screen_lines(pilot)[0]
        run = open_store(demo_copy).resolve(ACTIVE).row
        with StoreWriter(demo_copy) as writer, writer.experiment(run.id) as experiment:
            experiment.params({"added": "later"})
        await pilot.pause(1.5)
        assert "later" not in screen_text(pilot)
        await pilot.press("r")
        await until(lambda: "later" in screen_text(pilot), "the new parameter on the screen")


@pytest.mark.usefixtures("stopped_clock")
async def test_the_end_of_a_run_shows(demo_copy: Path) -> None:
    async with opened(open_store(demo_copy), ACTIVE) as pilot:
        assert "● active" in screen_lines(pilot)[0]
        run = open_store(demo_copy).resolve(ACTIVE).row
        with StoreWriter(demo_copy) as writer:
            writer.end_run(run.id, status="completed", duration=3600.0)
        await until(lambda: "✓ completed  1 h" in screen_lines(pilot)[0], "the run's end")


async def test_a_deleted_run_says_so_and_stays_readable(demo_copy: Path) -> None:
    import sqlite3

    async with opened(open_store(demo_copy), VISION) as pilot:
        run = open_store(demo_copy).resolve(VISION).row
        with sqlite3.connect(demo_copy / "meta.db") as connection:
            connection.execute("delete from experiments where id = ?", (run.id,))
        connection.close()
        shutil.rmtree(demo_copy / run.id)
        await until(lambda: "deleted" in screen_lines(pilot)[0], "the deletion in the top line")
        await pilot.press("r")
        await settled(pilot)
        assert "deleted" in screen_lines(pilot)[0], "it is still said after another look"


async def test_a_missing_database_is_said_and_the_rest_shows(demo_copy: Path) -> None:
    run = open_store(demo_copy).resolve(VISION).row
    (demo_copy / run.id / "exp.db").unlink()
    async with opened(open_store(demo_copy), VISION) as pilot:
        shown = screen_text(pilot)
        assert "exp.db is missing" in shown
        assert "resnet50_v1_ema" in shown
        assert "9 Jun 2026" in shown


async def test_duration_of_a_running_run_ticks(
    demo_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = NOW
    monkeypatch.setattr("flowtui.clock.now", lambda: moment)
    store = open_store(demo_copy)
    database = store.resolve(ACTIVE).database.path
    with held(database):
        async with opened(store, ACTIVE) as pilot:
            assert "14 m" in screen_lines(pilot)[0]
            moment = NOW + timedelta(hours=2)
            await until(lambda: "2 h 14 m" in screen_lines(pilot)[0], "the time going on")
            await until(lambda: "● active, quiet" in screen_lines(pilot)[0], "its silence")


@pytest.mark.parametrize("are_times", [True, False])
async def test_steps_of_the_best_points_read_differently(tmp_path: Path, are_times: bool) -> None:
    start = NOW.timestamp() if are_times else 12_345.0
    apart = 75.25 if are_times else 1 / 8
    steps = [start + apart * n for n in range(4)]
    with StoreWriter(tmp_path, clock=lambda: NOW) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            for index, key in enumerate(("a/loss", "b/loss")):
                values = [0.1 if n == index else 1.0 for n in range(4)]
                experiment.metrics(
                    [(key, value, step, NOW) for step, value in zip(steps, values, strict=True)]
                )
        writer.end_run("run", status="completed", duration=1.0)
    async with opened(open_store(tmp_path), "run") as pilot:
        await until(lambda: "0.1 @ " in screen_text(pilot), "the summaries")
        shown = re.findall(r" 0\.1 @ (\S+)", screen_text(pilot))
    if are_times:
        assert shown == [f"{NOW + timedelta(seconds=n * apart):%H:%M:%S}" for n in range(2)]
    else:
        assert [float(text.replace(",", "")) for text in shown] == [12_345, 12_345.1]

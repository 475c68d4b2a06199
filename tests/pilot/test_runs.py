"""The list of runs: filter, sort, groups, columns, and what comes while one looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.screens.runs.screen import RunsScreen
from flowtui.store.errors import DatabaseBusy
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.store.values import Figures
from flowtui.widgets.lists.virtual_table import VirtualTable
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until


def names(pilot: Pilot[None]) -> list[str]:
    """Return the names of the runs in sight, from the top."""
    lines = screen_lines(pilot)[3:-1]
    right = [line.split("│", 1)[-1] for line in lines]
    return [line.split()[0] for line in right if line.split()]


async def type_filter(pilot: Pilot[None], text: str) -> None:
    keys = {" ": "space", "/": "slash"}
    await pilot.press("slash", *(keys.get(char, char) for char in text))
    await settled(pilot)


async def test_text_filters_as_it_is_typed(demo: Store) -> None:
    async with opened(demo, None, size=(120, 60)) as pilot:
        await type_filter(pilot, "resnet")
        assert "Runs 46" not in screen_lines(pilot)[0]
        assert {"resnet50-cosine", "resnet18-baseline"} <= set(names(pilot))
        assert "llama-lora-sft" not in names(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert "Runs 46" in screen_lines(pilot)[0]


async def test_the_cursor_goes_to_the_first_match_and_stays_on_it_when_all_are_shown_again(
    demo: Store,
) -> None:
    async with opened(demo, None) as pilot:
        rows = pilot.app.screen.query_one(VirtualTable)
        await pilot.press("end")
        await type_filter(pilot, "support-agent")
        first = rows.cursor_key
        assert (rows.cursor, rows.line_count > 1) == (0, True)
        await pilot.press("escape")
        await settled(pilot)
        assert rows.cursor > 0
        assert rows.cursor_key == first


async def test_expression_filters_running_runs_too(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await type_filter(pilot, "lora.r > 0 and status = active")
        assert names(pilot)[0] == "llama-lora-sft"


async def test_a_mistake_is_pointed_at_and_the_list_stays(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await type_filter(pilot, "lr")
        before = names(pilot)
        await pilot.press("space", ">")
        await settled(pilot)
        assert "^ Expected" in screen_text(pilot)
        assert names(pilot)[:10] == before[:10]


async def test_what_no_run_has_is_said_below_the_line_while_one_types(demo: Store) -> None:
    said = 'no metric or parameter "lrr" in this store; closest: lr'
    async with opened(demo, None) as pilot:
        await type_filter(pilot, "lrr < 1")
        assert screen_lines(pilot)[-2].strip() == said
        assert "0 of 46" in screen_lines(pilot)[-3]
        await pilot.press("space", ">")
        await settled(pilot)
        assert "^ Expected" in screen_text(pilot)
        assert said not in screen_text(pilot)
        await pilot.press("backspace", "backspace", *["left"] * 4, "backspace")
        await settled(pilot)
        assert "no metric" not in screen_text(pilot)
        assert " 0 of 46" not in screen_text(pilot)


async def test_words_that_are_only_text_are_named(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await type_filter(pilot, "resnet cosine")
        assert '"resnet" and "cosine" are searched for as text' in screen_text(pilot)
        assert names(pilot)[0] == "resnet50-cosine"
        await pilot.press("escape")
        await settled(pilot)
        assert "searched for" not in screen_text(pilot)


async def test_names_of_metrics_and_parameters_are_completed(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await type_filter(pilot, "learning_r")
        await pilot.press("right", *" < 1")
        await settled(pilot)
        assert "learning_rate < 1" in screen_text(pilot)


async def test_the_column_that_is_sorted_by_is_shown(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await pilot.press("s", "tab", *"learning", "enter", "enter")
        await settled(pilot)
        assert "learning_rate ↑" in screen_text(pilot)


async def test_sorting_by_a_metric_and_back(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await pilot.press("s", *["down"] * 8, "enter")
        await settled(pilot)
        assert "val/accuracy ↓" in screen_text(pilot)
        best = names(pilot)[0]
        await pilot.press("s", "s")
        await settled(pilot)
        assert "val/accuracy ↑" in screen_text(pilot)
        assert names(pilot)[0] != best


async def test_choosing_a_group_shows_its_runs(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await pilot.press("tab", "down")
        await settled(pilot)
        assert "5 of 46  in agents" in screen_lines(pilot)[0]
        await pilot.press("enter", "enter")
        await settled(pilot)
        assert "agents" in screen_lines(pilot)[0]


async def test_columns_can_be_chosen(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await pilot.press("c", "down", "space", "enter")
        await settled(pilot)
        assert "status" not in screen_lines(pilot)[2]
        assert "train/loss" in screen_lines(pilot)[2]
        await type_filter(pilot, "group = agents")
        assert "status" not in screen_lines(pilot)[2], "chosen columns stay"
        await pilot.press("escape", "c", "0")
        await settled(pilot)
        assert "status" in screen_lines(pilot)[2]


async def test_hidden_columns_come_into_sight_to_the_right(demo: Store) -> None:
    async with opened(demo, None, size=(80, 24)) as pilot:
        assert "tags" not in screen_lines(pilot)[2]
        await pilot.press(*["right"] * 20)
        await settled(pilot)
        assert "tags" in screen_lines(pilot)[2]
        assert "llama-lora-sft" in screen_text(pilot)


async def test_a_new_run_appears_and_the_cursor_stays_on_its_run(demo_copy: Path) -> None:
    async with opened(open_store(demo_copy), None) as pilot:
        await pilot.press("down", "down")
        rows = pilot.app.screen.query_one(VirtualTable)
        held = rows.cursor_key
        with StoreWriter(demo_copy) as writer:
            writer.start_run("new-one", "brand-new")
        await until(lambda: "brand-new" in screen_text(pilot), "the new run on the screen")
        assert rows.cursor_key == held


async def test_an_ended_run_changes_its_status(demo_copy: Path) -> None:
    async with opened(open_store(demo_copy), None) as pilot:
        run = open_store(demo_copy).resolve("scratch").row
        with StoreWriter(demo_copy) as writer:
            writer.end_run(run.id, status="completed", duration=5.0)
        await until(
            lambda: any("scratch" in line and "✓" in line for line in screen_lines(pilot)),
            "scratch shown as completed",
        )


async def test_copying_copies_the_whole_id(demo: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _self, text: copied.append(text))
    async with opened(demo, None) as pilot:
        await pilot.press("y", "Y")
    assert copied[0] == demo.resolve("llama-lora-sft").id
    assert '"name": "llama-lora-sft"' in copied[1]


async def test_ten_thousand_runs_scroll_to_the_end(tmp_path: Path) -> None:
    with StoreWriter(tmp_path, clock=lambda: NOW, durable=False) as writer:
        writer.start_run("first", "first", created_at=NOW)
    import sqlite3

    with sqlite3.connect(tmp_path / "meta.db") as connection:
        connection.executemany(
            "insert into experiments (id, name, created_at, status, tags)"
            " values (?, ?, '2026-01-01 00:00:00', 'completed', null)",
            [(f"id-{index}", f"run-{index:05}") for index in range(10_000)],
        )
    connection.close()
    async with opened(open_store(tmp_path), None) as pilot:
        assert "Runs 10,001" in screen_lines(pilot)[0]
        rows = pilot.app.screen.query_one(VirtualTable)
        await pilot.press("G")
        await settled(pilot)
        assert "run-00000" in screen_text(pilot)
        assert len(rows._cells) < 300, "only the rows around the screen are held"
        await pilot.press("g")
        await settled(pilot)
        assert names(pilot)[0] == "first"


async def test_a_running_runs_last_metric_follows_in_the_list(demo_copy: Path) -> None:
    async with opened(open_store(demo_copy), None) as pilot:
        run = open_store(demo_copy).resolve("llama-lora-sft").row
        with StoreWriter(demo_copy) as writer, writer.experiment(run.id) as experiment:
            experiment.metrics([("train/loss", 0.1234, 10**6, NOW)])
        await until(lambda: "0.1234" in screen_text(pilot), "the new value in the list")


async def test_a_list_that_could_not_be_read_is_read_again_by_itself(
    demo_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(demo_copy)
    is_busy = True
    read = store.list.live_figures

    def live_figures(ids: list[str]) -> dict[str, Figures]:
        if is_busy:
            raise DatabaseBusy(demo_copy / "meta.db", "meta.db is being rewritten; try again")
        return read(ids)

    monkeypatch.setattr(store.list, "live_figures", live_figures)
    async with opened(store, None) as pilot:
        await until(lambda: "being rewritten" in screen_text(pilot), "the failure")
        await until(lambda: "r Refresh" in screen_lines(pilot)[-1], "what one can do")
        is_busy = False
        await until(lambda: "llama-lora-sft" in screen_text(pilot), "the list again")
        await until(lambda: "r Refresh" not in screen_lines(pilot)[-1], "no more to be offered")


async def test_the_list_is_fresh_when_one_comes_back_to_it(demo_copy: Path) -> None:
    async with opened(open_store(demo_copy), None) as pilot:
        await pilot.press("enter")
        await settled(pilot)
        with StoreWriter(demo_copy) as writer:
            writer.start_run("new-one", "brand-new")
        await pilot.press("escape")
        await until(lambda: "brand-new" in screen_text(pilot), "the new run on the screen")


async def test_what_is_due_while_the_app_ends_does_nothing(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []

    def tick(screen: RunsScreen) -> None:
        # Its widgets are gone by now, and it is the current one still.
        ended.append(screen.is_current)
        screen.flow._tick()

    monkeypatch.setattr(RunsScreen, "on_unmount", tick, raising=False)
    async with opened(demo, None):
        pass
    assert ended == [True]

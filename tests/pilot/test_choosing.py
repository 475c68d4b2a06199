"""Choosing the runs to compare: marks on the list, the baseline, and what opens."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.screens.compare.base import CompareScreen
from flowtui.screens.runs.marks import BEYOND
from flowtui.screens.runs.screen import RunsScreen
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.store import Store
from tests.conftest import NOW, open_store
from tests.pilot.pilot import compared, opened, screen_lines, settled
from tests.pilot.test_runs import type_filter
from tests.unit.stores import execute, writer

RUNS = ["a", "b", "c", "d"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with the runs `a` to `d`, the last one alone in its group; `a` is newest."""
    with writer(tmp_path) as made:
        for place, name in enumerate(reversed(RUNS)):
            group = "other" if name == "d" else "default"
            created = NOW.replace(minute=place)
            made.start_run(f"id-{name}", f"run-{name}", group=group, created_at=created)
    return open_store(tmp_path)


def marked(pilot: Pilot[None]) -> list[str]:
    """Return the letters and names of the marked runs, in the order of the list."""
    lines = (line.split("│", 1)[-1].split() for line in screen_lines(pilot)[3:-1])
    letters = (*LETTERS, BEYOND)
    return [" ".join(words[:2]) for words in lines if len(words) > 1 and words[0] in letters]


def compared_ids(pilot: Pilot[None]) -> list[str]:
    """Return the ids of the compared runs, the baseline first."""
    assert isinstance(pilot.app.screen, CompareScreen)
    return [run.run.id for run in pilot.app.screen.runs.runs]


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def test_marks_have_letters_in_their_order_and_compare_so(store: Store) -> None:
    async with opened(store, None) as pilot:
        await press(pilot, "down", "space", "up", "up", "space")
        assert marked(pilot) == ["B run-a", "A run-b"]
        assert "2 marked" in screen_lines(pilot)[0]
        await press(pilot, "=")
        assert compared_ids(pilot) == ["id-b", "id-a"]
        assert "A run-b" in screen_lines(pilot)[0]
        assert "2 runs · baseline A" in screen_lines(pilot)[0]


async def test_marks_survive_a_filter_and_an_order(store: Store) -> None:
    async with opened(store, None) as pilot:
        await press(pilot, "space")
        await type_filter(pilot, "run-c")
        assert marked(pilot) == []
        await press(pilot, "enter", "space")
        await press(pilot, "slash", "escape")
        assert marked(pilot) == ["A run-a", "B run-c"]


async def test_a_baseline_is_the_first_whenever_it_was_marked(store: Store) -> None:
    async with opened(store, None) as pilot:
        await press(pilot, "space", "space", "B")
        assert marked(pilot) == ["B run-a", "C run-b", "A run-c"]
        await press(pilot, "up", "space")
        assert marked(pilot) == ["B run-a", "A run-c"]


async def test_all_that_is_listed_is_marked_and_again_none(store: Store) -> None:
    async with opened(store, None) as pilot:
        await press(pilot, "down", "space", "asterisk")
        assert marked(pilot) == ["B run-a", "A run-b", "C run-c", "D run-d"]
        await type_filter(pilot, "run-b")
        await press(pilot, "enter", "asterisk")
        await press(pilot, "slash", "escape")
        assert marked(pilot) == ["A run-a", "B run-c", "C run-d"]


async def test_without_marks_a_run_is_compared_with_the_one_before_it_in_its_group(
    store: Store,
) -> None:
    async with opened(store, None) as pilot:
        await press(pilot, "=")
        assert compared_ids(pilot) == ["id-b", "id-a"]
        await press(pilot, "escape", "end", "=")
        assert isinstance(pilot.app.screen, RunsScreen)
        assert any("created before this one" in line for line in screen_lines(pilot))


async def test_a_single_mark_is_compared_with_the_run_under_the_cursor(store: Store) -> None:
    async with opened(store, None) as pilot:
        await press(pilot, "space", "end", "=")
        assert compared_ids(pilot) == ["id-a", "id-d"]


async def test_more_than_eight_marked_runs_are_not_compared(tmp_path: Path) -> None:
    with writer(tmp_path) as made:
        for number in range(9):
            made.start_run(f"id-{number}", f"run-{number}")
    async with opened(open_store(tmp_path), None) as pilot:
        await press(pilot, "asterisk")
        assert len(marked(pilot)) == 9
        assert marked(pilot)[-1].startswith("•")
        await press(pilot, "=")
        assert isinstance(pilot.app.screen, RunsScreen)
        assert any("at most 8 can be compared" in line for line in screen_lines(pilot))


async def test_a_marked_run_that_was_deleted_is_said(store: Store) -> None:
    async with opened(store, None) as pilot:
        await press(pilot, "space", "space")
        execute(store.directory / "meta.db", "delete from experiments where id = 'id-a'")
        await press(pilot, "=")
        assert any("was deleted" in line for line in screen_lines(pilot))
        assert isinstance(pilot.app.screen, RunsScreen)
        # Its mark has gone with it, and does not stand in the way of others.
        assert marked(pilot) == ["A run-b"]
        await press(pilot, "end", "=")
        assert compared_ids(pilot) == ["id-b", "id-d"]


async def test_the_same_comparison_is_where_it_was_and_a_run_opens_beside_it(
    store: Store,
) -> None:
    async with opened(store, None) as pilot:
        app = pilot.app
        assert isinstance(app, FlowApp)
        await press(pilot, "space", "space", "=", "3", "escape", "=")
        first = pilot.app.screen
        assert app.current_mode == "compare.traces"
        await press(pilot, "escape", "home", "enter")
        assert app.current_mode == "overview"
        await press(pilot, "escape", "=")
        assert pilot.app.screen is first


async def test_a_compared_run_that_is_deleted_is_said_and_the_others_go_on(store: Store) -> None:
    async with opened(store, None) as pilot:
        await press(pilot, "space", "space", "=")
        execute(store.directory / "meta.db", "delete from experiments where id = 'id-b'")
        await press(pilot, "r")
        assert "▲ deleted" in screen_lines(pilot)[0]
        assert "A run-a" in screen_lines(pilot)[0]


async def test_from_a_comparison_of_the_command_line_one_comes_back_to_it(store: Store) -> None:
    async with compared(store, "run-b", "run-d", "run-a") as pilot:
        first = pilot.app.screen
        await press(pilot, "escape")
        assert marked(pilot) == ["C run-a", "A run-b", "B run-d"]
        await press(pilot, "equals_sign")
        assert pilot.app.screen is first
        await press(pilot, "escape", "1")
        assert pilot.app.screen is first

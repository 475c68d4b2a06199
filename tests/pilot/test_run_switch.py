"""Going to another run from a tab: the neighbours in the list, and by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.store.store import Store
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until
from tests.pilot.test_runs import type_filter
from tests.unit.stores import writer


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with the runs `ant`, `bee`, `cat`; the first is the newest."""
    with writer(tmp_path) as made:
        for place, name in enumerate(("cat", "bee", "ant")):
            made.start_run(f"id-{name}", name, created_at=NOW.replace(minute=place))
    return open_store(tmp_path)


def shown(pilot: Pilot[None]) -> tuple[str, str]:
    """Return the run and the tab that are shown."""
    assert isinstance(pilot.app, FlowApp)
    return screen_lines(pilot)[0].split()[0], pilot.app.current_mode


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def test_braces_go_to_the_runs_beside_on_the_same_tab(store: Store) -> None:
    async with opened(store, "ant", tab="evals") as pilot:
        await press(pilot, "right_curly_bracket")
        assert shown(pilot) == ("bee", "evals")
        await press(pilot, "right_curly_bracket")
        assert shown(pilot) == ("cat", "evals")
        await press(pilot, "right_curly_bracket")
        assert shown(pilot) == ("cat", "evals")
        assert "last run of the list" in screen_text(pilot)
        await press(pilot, "left_curly_bracket")
        assert shown(pilot) == ("bee", "evals")


async def test_braces_follow_the_list_as_it_is_filtered_and_sorted(store: Store) -> None:
    async with opened(store, None) as pilot:
        await type_filter(pilot, "name != bee")
        await press(pilot, "enter", "enter")
        assert shown(pilot) == ("ant", "overview")
        await press(pilot, "4", "right_curly_bracket")
        assert shown(pilot) == ("cat", "evals")


async def test_a_run_that_the_list_does_not_show_has_no_neighbours(store: Store) -> None:
    async with opened(store, "bee") as pilot:
        await press(pilot, "escape")
        await type_filter(pilot, "ant")
        await press(pilot, "enter", "1")
        assert shown(pilot)[0] == "bee"
        await press(pilot, "right_curly_bracket")
        assert shown(pilot)[0] == "bee"
        assert "does not show this run" in screen_text(pilot)


@pytest.mark.parametrize("start", ["ant", None])
async def test_a_few_letters_open_a_run(store: Store, start: str | None) -> None:
    async with opened(store, start) as pilot:
        if start is not None:
            await press(pilot, "3")
        await press(pilot, "ctrl+o", "c", "a", "enter")
        assert shown(pilot) == ("cat", "overview" if start is None else "traces")


async def test_no_run_is_opened_by_leaving(store: Store) -> None:
    async with opened(store, "ant") as pilot:
        await press(pilot, "ctrl+o", "b", "escape")
        assert shown(pilot) == ("ant", "overview")


async def test_a_run_whose_process_has_gone_is_not_offered_as_active(demo: Store) -> None:
    async with opened(demo, None) as pilot:
        await pilot.press("ctrl+o", *"scratch")
        await until(lambda: "ad2c7f9a" in screen_text(pilot), "the run")
        assert "▲ stopped" in next(one for one in screen_lines(pilot) if "ad2c7f9a" in one)

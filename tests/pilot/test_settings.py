"""What config.toml sets, in the app: keys, colours, columns, and what is told of mistakes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from flowtui.app import themes
from flowtui.app.app import FlowApp
from flowtui.screens.dialogs.keys import KeysScreen
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.pilot.pilot import screen_lines, screen_text, settled

RUN = "support-agent-v5"


@asynccontextmanager
async def opened(
    store: Store, run: str | None, options: Options, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Pilot[None]]:
    app = FlowApp(store, None if run is None else store.resolve(run), options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        yield pilot


async def test_a_key_of_the_settings_acts_and_the_one_before_does_not(demo: Store) -> None:
    async with opened(demo, RUN, Options(keymap={"app.metrics": "m", "app.traces": "2"})) as pilot:
        await pilot.press("2")
        await settled(pilot)
        assert pilot.app.current_mode == "traces"
        await pilot.press("m")
        await settled(pilot)
        assert pilot.app.current_mode == "metrics"
        await pilot.press("3")
        await settled(pilot)
        assert pilot.app.current_mode == "metrics"


async def test_the_footer_and_the_keys_screen_show_the_keys_of_the_settings(demo: Store) -> None:
    keymap = {"runs.sort": "S,f5", "app.keys": "f1", "move.down": "down,ctrl+n"}
    async with opened(demo, None, Options(keymap=keymap)) as pilot:
        foot = screen_lines(pilot)[-1]
        assert "S Sort" in foot
        assert "f1 Keys" in foot
        await pilot.press("f1")
        await settled(pilot)
        assert isinstance(pilot.app.screen, KeysScreen)
        rows = [" ".join(line.split()) for line in screen_lines(pilot)]
        assert any("S f5 Sort" in row for row in rows)
        await pilot.press("escape", "S")
        await settled(pilot)
        assert "Reverse" in screen_text(pilot)


async def test_a_moved_key_moves_in_every_list(demo: Store) -> None:
    async with opened(demo, None, Options(keymap={"move.down": "ctrl+n"})) as pilot:
        rows = pilot.app.screen.query_one("#runs")
        await pilot.press("ctrl+n", "ctrl+n", "down", "j")
        await settled(pilot)
        assert rows.cursor == 2  # type: ignore[attr-defined]


async def test_leaving_by_another_key_leaves_the_groups_by_escape(demo: Store) -> None:
    keymap = {"tab.leave": "f9", "traces.to_groups": "escape"}
    async with opened(demo, RUN, Options(tab="traces", keymap=keymap)) as pilot:
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.current_mode == "traces"
        await pilot.press("f9")
        await settled(pilot)
        assert pilot.app.current_mode == "runs"


async def test_a_theme_of_the_list_of_commands_is_kept(demo: Store) -> None:
    async with opened(demo, RUN, Options(theme_of_file="ansi")) as pilot:
        await pilot.press("ctrl+p", *"flow-light", "enter")
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, FlowApp)
        assert app.theme == "flow-light"
        assert themes.kept("ansi", app.session) == "flow-light"
        assert themes.kept("flow-dark", app.session) is None


@pytest.mark.parametrize(("columns", "width"), [((80, 24), 80), ((160, 40), 160)])
async def test_columns_of_the_settings_stand_where_none_were_chosen(
    demo: Store, columns: tuple[int, int], width: int
) -> None:
    options = Options(columns=("name", "val/loss", "created", "in.no.run"))
    async with opened(demo, None, options, columns) as pilot:
        shown = [column.key for column in pilot.app.screen.query_one("#runs").columns]  # type: ignore[attr-defined]
        assert shown == ["name", "metric.val/loss", "created"]
        assert max(map(len, screen_lines(pilot))) <= width


async def test_mistakes_are_told_once_at_the_start(demo: Store) -> None:
    told = tuple(f"config.toml, line {number}: theme is empty" for number in range(1, 6))
    async with opened(demo, RUN, Options(mistakes=told)) as pilot:
        shown = screen_text(pilot)
        assert "config.toml, line 1: theme is empty" in shown
        assert "2 more: flow-tui config lists them" in shown
        assert "line 4" not in shown
        assert len(pilot.app._notifications) == 1

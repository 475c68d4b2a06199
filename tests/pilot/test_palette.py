"""The command palette: every action by name, one modal at a time, at any size."""

from __future__ import annotations

from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.screens.dialogs.commands import CommandLines, CommandsScreen
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.screens.dialogs.keys import KeysScreen
from flowtui.store.store import Store
from tests.pilot.pilot import opened, screen_text, settled, until

RUN = "resnet50-cosine"
SIZES = ((1, 1), (10, 4))
KEYS = ("pageup", "pagedown", "up", "down", "home", "end", "x", "backspace", "tab", "enter")


def names(pilot: Pilot[None]) -> list[str]:
    """Return what is listed, in order."""
    lines = pilot.app.screen.query_one(CommandLines)
    return [lines.line(index, 100)[0].text.strip() for index in range(lines.line_count)]


async def test_keys_do_no_harm_in_the_smallest_terminals(demo: Store) -> None:
    async with opened(demo, RUN) as pilot:
        for columns, lines in SIZES:
            await pilot.press("ctrl+p")
            await pilot.resize_terminal(columns, lines)
            await pilot.press(*KEYS)
            await settled(pilot)
            await pilot.press("escape")
            await pilot.resize_terminal(120, 40)
        assert pilot.app._exception is None


async def test_what_is_typed_narrows_by_every_word_names_first(demo: Store) -> None:
    async with opened(demo, RUN) as pilot:
        await pilot.press("ctrl+p")
        every = names(pilot)
        assert {"Follow", "Quit", "Metrics", "Theme ansi"} <= set(every)
        await pilot.press(*"run")
        named = [name for name in every if "run" in name.lower()]
        assert names(pilot)[: len(named)] == named
        assert "Upload" in names(pilot)[len(named) :]
        await pilot.press(*" upload")
        assert names(pilot) == ["Upload"]


async def test_enter_does_what_is_under_the_cursor(demo: Store) -> None:
    async with opened(demo, RUN) as pilot:
        await pilot.press("ctrl+p", *"theme", "down", "enter")
        await settled(pilot)
        assert pilot.app.theme == "flow-light"
        assert len(pilot.app.screen_stack) == 1


async def test_nothing_is_done_where_nothing_is_left(demo: Store) -> None:
    async with opened(demo, RUN) as pilot:
        await pilot.press("ctrl+p", *"nothing is called so", "down", "enter")
        await settled(pilot)
        assert names(pilot) == []
        await pilot.press("ctrl+p")
        await settled(pilot)
        assert len(pilot.app.screen_stack) == 1


async def test_no_commands_are_listed_over_what_is_asked(demo: Store) -> None:
    async with opened(demo, RUN) as pilot:
        pilot.app.push_screen(ConfirmScreen("Really?"))
        await pilot.press("ctrl+p", "question_mark", "ctrl+p")
        await settled(pilot)
        assert len(pilot.app.screen_stack) == 2
        assert "Really?" in screen_text(pilot)


async def test_lists_of_commands_and_keys_give_way_to_a_question(demo: Store) -> None:
    async with opened(demo, RUN) as pilot:
        for key, kind in (("ctrl+p", CommandsScreen), ("question_mark", KeysScreen)):
            await pilot.press(key)
            assert isinstance(pilot.app.screen, kind)
            pilot.app.push_screen(ConfirmScreen("Really?"))
            await until(lambda: "Really?" in screen_text(pilot))
            assert len(pilot.app.screen_stack) == 2
            await pilot.press("n")
            await settled(pilot)
            assert len(pilot.app.screen_stack) == 1


async def test_commands_of_a_review_are_listed_over_it(demo: Store) -> None:
    async with opened(demo, "support-agent-v3", tab="evals") as pilot:
        await pilot.press("R")
        await settled(pilot)
        assert len(pilot.app.screen_stack) == 2
        await pilot.press("ctrl+p")
        assert isinstance(pilot.app.screen, CommandsScreen)
        assert len(names(pilot)) > 10
        await pilot.press("escape")
        await settled(pilot)
        assert len(pilot.app.screen_stack) == 2


async def test_what_has_gone_is_not_acted_on(demo: Store) -> None:
    """A command is about what had the focus when the list was opened."""
    async with opened(demo, RUN, tab="metrics") as pilot:
        app = pilot.app
        assert isinstance(app, FlowApp)
        focused = app.focused
        assert focused is not None
        await pilot.press("ctrl+p", *"export")
        await focused.remove()
        await pilot.press("enter")
        await settled(pilot)
        assert app._exception is None

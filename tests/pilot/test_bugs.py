"""An error in flow-tui itself is told once, and ends no more than what it came up in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.app.background import Background
from flowtui.screens.dialogs.keys import KeysScreen
from flowtui.screens.traces.screen import TracesScreen
from flowtui.store.store import Store
from flowtui.widgets.lists.virtual_list import VirtualList
from tests.pilot.monkey import crash_logs
from tests.pilot.pilot import opened, screen_text, settled, until
from tests.pilot.test_typed_ahead import typed

RUN = "support-agent-v3"


def failing(*_: object, **__: object) -> None:
    raise ZeroDivisionError("of a test")


@pytest.fixture(autouse=True)
def _no_logs(noted_errors: list[BaseException]) -> Iterator[None]:
    for log in crash_logs():
        log.unlink()
    yield
    assert noted_errors
    noted_errors.clear()


async def told(pilot: Pilot[None]) -> None:
    """Wait until the error is on the screen, and hold that it was written down once."""
    await until(lambda: "ZeroDivisionError: of a test" in screen_text(pilot), "words of the error")
    await settled(pilot)
    assert pilot.app.is_running
    assert len(crash_logs()) == 1
    assert "ZeroDivisionError: of a test" in crash_logs()[0].read_text()


async def test_the_key_that_failed_can_be_tried_again(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(demo, RUN) as pilot:
        app = pilot.app
        assert isinstance(app, FlowApp)
        with monkeypatch.context() as patch:
            patch.setattr(app, "action_follow", failing)
            await pilot.press("f", "f", "f")
            await told(pilot)
            assert screen_text(pilot).count("of a test") == 1
        assert app.follows
        await pilot.press("f")
        assert not app.follows


async def test_a_key_that_fails_is_never_left_without_an_answer(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(demo, RUN) as pilot:
        monkeypatch.setattr(pilot.app, "action_follow", failing)
        monkeypatch.setattr("flowtui.app.crash.NOTIFY_AGAIN_AFTER_S", 0.0)
        await pilot.press("f", "f")
        await told(pilot)
        assert screen_text(pilot).count("of a test") == 2


async def test_a_handler_and_a_timer_that_fail(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(demo, RUN) as pilot:
        app = pilot.app
        assert isinstance(app, FlowApp)
        with monkeypatch.context() as patch:
            # What is read comes back to the loop, and is shown there.
            patch.setattr(FlowApp, "frame", property(failing))
            await pilot.press("r", "r")
            await told(pilot)
            for _ in range(3):
                app.call_next(failing)
                app.set_timer(0.001, failing)
                app.screen.call_after_refresh(failing)
            await until(lambda: len(crash_logs()) == 2)
            await settled(pilot)
            # Those three are raised at one place, by whatever they are called.
            assert len(crash_logs()) == 2
        await pilot.press("2")
        assert app.current_mode == "metrics"


async def test_a_list_whose_handler_failed_takes_keys(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(demo, RUN, tab="traces") as pilot:
        rows = pilot.app.focused
        assert isinstance(rows, VirtualList)
        with monkeypatch.context() as patch:
            patch.setattr(rows, "keep_cursor_in_sight", failing)
            await pilot.resize_terminal(90, 30)
            await told(pilot)
        await pilot.press("down")
        assert rows.cursor == 1


async def test_a_dialog_that_cannot_be_made_is_left(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(demo, RUN) as pilot:
        with monkeypatch.context() as patch:
            patch.setattr(KeysScreen, "compose", failing)
            await pilot.press("question_mark")
            await told(pilot)
            assert len(pilot.app.screen_stack) == 1
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, KeysScreen)


@pytest.mark.parametrize("fails_in", ["__init__", "compose_tab"])
async def test_a_tab_that_cannot_be_made_is_left(
    demo: Store, monkeypatch: pytest.MonkeyPatch, fails_in: str
) -> None:
    async with opened(demo, RUN, tab="metrics") as pilot:
        with monkeypatch.context() as patch:
            patch.setattr(TracesScreen, fails_in, failing)
            await pilot.press("3")
            await told(pilot)
            assert pilot.app.current_mode == "metrics"
            assert "Metrics" in screen_text(pilot)
        await pilot.press("3")
        await settled(pilot)
        assert pilot.app.current_mode == "traces"
        assert pilot.app.screen.is_running
        assert "agent" in screen_text(pilot)


async def test_a_worker_that_fails(demo: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(demo, RUN) as pilot:
        monkeypatch.setattr(Background, "may_open", failing)
        await pilot.press("escape", "down", "enter")
        await told(pilot)
        assert pilot.app.current_mode == "runs"


async def ends(start: Callable[[], object]) -> None:
    with pytest.raises(ZeroDivisionError):
        await start()  # type: ignore[misc]
    assert len(crash_logs()) == 1


async def test_what_cannot_be_drawn_ends_it(demo: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async def start() -> None:
        async with opened(demo, RUN, tab="traces") as pilot:
            monkeypatch.setattr(VirtualList, "render_line", failing)
            await pilot.press("down")
            await until(lambda: pilot.app._exit or not pilot.app.is_running, "the end")
            assert pilot.app.return_code == 1

    await ends(start)


async def test_a_first_screen_that_cannot_be_made_ends_it(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start() -> None:
        monkeypatch.setattr(TracesScreen, "compose_tab", failing)
        async with opened(demo, RUN, tab="traces"):
            pass

    await ends(start)


async def test_keys_are_taken_although_looking_for_the_one_before_them_fails(
    demo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(demo, RUN) as pilot:
        app = pilot.app
        assert isinstance(app, FlowApp)
        asked: list[str] = []
        is_quitting = app._is_quitting

        def fails_once(key: str) -> bool:
            asked.append(key)
            if len(asked) == 1:
                failing()
            return is_quitting(key)

        # The first key of all waits for something else.
        await pilot.press("f")
        monkeypatch.setattr(app, "_is_reading", lambda: True)
        monkeypatch.setattr(app, "_is_quitting", fails_once)
        # What is read for the first one never comes, and nothing is typed after the second.
        typed(pilot, "f", "q")
        await until(lambda: app.is_over, "the end")
        assert asked == ["q", "q"]

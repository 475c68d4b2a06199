"""What a slow link changes."""

from __future__ import annotations

from textual import messages

from flowtui.app.app import FlowApp
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.pilot.pilot import settled, until


async def test_a_slow_link_has_few_colours_and_is_looked_at_more_seldom(demo: Store) -> None:
    app = FlowApp(demo, demo.resolve("scratch"), Options(is_slow=True))
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.theme == "ansi"
        looks: list[bool] = []
        app.watching.look = lambda: looks.append(True)  # type: ignore[method-assign]
        for _ in range(6):
            app._tick()
        assert len(looks) == 2


async def test_a_chosen_theme_stays_on_a_slow_link(demo: Store) -> None:
    app = FlowApp(demo, demo.resolve("scratch"), Options(is_slow=True, theme="flow-light"))
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.theme == "flow-light"


async def test_the_terminal_s_own_answers_at_the_start_say_nothing(demo: Store) -> None:
    app = FlowApp(demo, demo.resolve("scratch"), Options())
    async with app.run_test() as pilot:
        app.post_message(messages.TerminalSupportsSynchronizedOutput())
        await until(lambda: app._sync_available, "the answer")
        await settled(pilot)
        assert not app._link_speed.is_slow

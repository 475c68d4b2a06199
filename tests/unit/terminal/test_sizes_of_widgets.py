"""A widget is as high as its text, whatever was laid out while its text changed."""

from __future__ import annotations

import asyncio

from textual import events
from textual.app import ComposeResult
from textual.widgets import Label

from flowtui.terminal.textual_private import InternalApp


class Changing(Label):
    """Takes another text in the middle of a message, and the next one when that was laid out."""

    DEFAULT_CSS = "Changing { width: 1fr; height: auto; }"
    can_focus = True

    async def on_key(self, event: events.Key) -> None:
        self.update("one\ntwo\nthree")
        # Another widget has the screen laid out.
        self.app.query_one("#other", Label).update("x\ny")
        while self.size.height != 3:
            await asyncio.sleep(0)
        self.update("one")


class TwoLabels(InternalApp):
    def compose(self) -> ComposeResult:
        yield Changing("nothing yet")
        yield Label("x", id="other")


async def test_a_change_in_the_middle_of_a_layout_is_laid_out() -> None:
    app = TwoLabels()
    async with app.run_test(size=(40, 10)) as pilot:
        app.query_one(Changing).focus()
        await pilot.press("x")
        await pilot.pause()
        assert app.query_one(Changing).size.height == 1
        assert app.query_one("#other", Label).region.y == 1

"""Modals that leave once, and take nothing with them but themselves.

Textual takes the top screen away whichever asks to be dismissed: of two clicks that come together,
the second would take away what is below, and what ends while something is asked above it, that.
"""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Input, OptionList


class Dialog(ModalScreen[ScreenResultType]):
    """A modal whose dismissal waits until no other screen is above it."""

    _due: tuple[ScreenResultType | None] | None = None
    """What it is to be dismissed with when it is on top again."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        if is_on_top(self):
            return super().dismiss(result)
        # One that is gone is never on top again.
        self._due = self._due or (result,)
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        if self._due is not None:
            self.dismiss(*self._due)


class Commands(CommandList):
    """The list of a palette, where a click on a row that has gone means nothing."""

    def on_click(self, event: events.Click) -> None:
        # Which row it was says the frame that was clicked on; what was typed since has other rows.
        row = event.style.meta.get("option")
        if row is not None and row >= self.option_count:
            event.prevent_default()


class Palette(CommandPalette):
    """The command palette, which runs one command however often it is clicked."""

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            yield Commands() if isinstance(widget, CommandList) else widget

    def on_mount(self, event: events.Mount) -> None:
        # Closed before it was there, it would look for the screen that it is about.
        if not is_on_top(self):
            event.prevent_default()

    def dismiss(self, result: None = None) -> AwaitComplete:
        return super().dismiss(result) if is_on_top(self) else AwaitComplete()

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    def take_one(self, event: OptionList.OptionSelected | Input.Submitted) -> None:
        if not is_on_top(self):
            event.prevent_default()


def is_on_top(screen: ModalScreen[ScreenResultType] | CommandPalette) -> bool:
    """Say whether a screen is the one that keys go to; one that shows through another is not."""
    stack = screen.app.screen_stack
    return bool(stack) and stack[-1] is screen

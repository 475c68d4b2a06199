"""Modals that leave once, and take nothing with them but themselves.

Textual takes the top screen away whichever asks to be dismissed: of two clicks that come together,
the second would take away what is below, and what ends while something is asked above it, that.
"""

from __future__ import annotations

from typing import ClassVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType

from flowtui.terminal.textual_private import InternalModal


class Dialog(InternalModal[ScreenResultType]):
    """A modal whose dismissal waits until no other screen is above it.

    In a terminal of few lines it has the class `-low`: what explains then makes room for the keys.
    """

    VERTICAL_BREAKPOINTS = [(0, "-low"), (14, "-high")]  # noqa: RUF012  # an instance's
    gives_way: ClassVar[bool] = False
    """Whether it goes before another one is shown: it holds nothing that was typed."""
    is_place: ClassVar[bool] = False
    """Whether one works in it as in a tab, so that keys and commands are listed over it."""

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


def is_on_top(screen: ModalScreen[ScreenResultType]) -> bool:
    """Say whether a screen is the one that keys go to; one that shows through another is not."""
    stack = screen.app.screen_stack
    return bool(stack) and stack[-1] is screen

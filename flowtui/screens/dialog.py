"""Modals that close only themselves, and only once.

Textual closes the top screen, whichever screen asks to be dismissed. Without this the second of two
fast clicks would close the screen below, and a modal that ends under another would close that one.
"""

from __future__ import annotations

from typing import ClassVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType

from flowtui.terminal.textual_private import InternalModal

LOW_BELOW = 14
"""A terminal of fewer lines has few."""


class Dialog(InternalModal[ScreenResultType]):
    """A modal whose dismissal waits until no other screen is above it.

    In a terminal of few lines it has the class `-low`: what explains then makes room for the keys.
    """

    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW_BELOW, "-high")]  # noqa: RUF012  # an instance's
    gives_way: ClassVar[bool] = False
    """Whether it closes when another modal opens, since nothing that was typed is lost."""
    is_place: ClassVar[bool] = False
    """Whether a person works in it as in a tab, so that help and palette open over it."""

    _due: tuple[ScreenResultType | None] | None = None
    """The result to dismiss with once the modal is on top again."""

    @property
    def unsaved(self) -> str:
        """What to ask before all is left with it; nothing where nothing that was typed is lost."""
        return ""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        if self.was_removed:
            # It was taken away with the app, or with the screens below it.
            return AwaitComplete()
        if is_on_top(self):
            return super().dismiss(result)
        # A modal that has gone never comes to the top again, so it is dismissed once.
        self._due = self._due or (result,)
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        if self._due is not None:
            self.dismiss(*self._due)


def is_on_top(screen: ModalScreen[ScreenResultType]) -> bool:
    """Say whether keys go to a screen; a screen that is visible below another gets none."""
    stack = screen.app.screen_stack
    return bool(stack) and stack[-1] is screen

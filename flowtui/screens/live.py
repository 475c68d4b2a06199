"""A modal about something that goes on meanwhile."""

from __future__ import annotations

from textual.screen import ScreenResultType

from flowtui.screens.dialog import Dialog
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES

LOOK_EVERY_S = 0.25
LABEL_CELLS = 10
"""Of what stands before the lines."""


class LiveScreen(Dialog[ScreenResultType]):
    """Has `look` called often while it is open, and when it has another size."""

    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = ""

    def on_mount(self) -> None:
        # A screen that is closed while it starts has nothing on it.
        if self.query(KeyLine):
            self.set_interval(LOOK_EVERY_S, self.look)
            self.call_after_refresh(self.look)

    def on_resize(self) -> None:
        self.call_after_refresh(self.look)

    def look(self) -> None:
        """Show how it is by now."""
        raise NotImplementedError

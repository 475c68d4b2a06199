"""The base of modals about a job that runs while they are open."""

from __future__ import annotations

from textual.screen import ScreenResultType

from flowtui.screens.dialog import Dialog
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES

REDRAW_EVERY_S = 0.25
"""How often the state of the job is drawn again."""
LABEL_CELLS = 10
"""The width of the label before each line."""


class LiveScreen(Dialog[ScreenResultType]):
    """Calls `look` at intervals while it is open, and when its size changes."""

    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = ""

    def on_mount(self) -> None:
        # A screen that is closed while it opens has no widgets.
        if self.query(KeyLine):
            self.set_interval(REDRAW_EVERY_S, self.look)
            self.call_after_refresh(self.look)

    def on_resize(self) -> None:
        self.call_after_refresh(self.look)

    def look(self) -> None:
        """Draw the present state of the job."""
        raise NotImplementedError

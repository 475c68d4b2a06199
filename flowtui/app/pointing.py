"""The mouse reaches only what is there, however fast it clicks and whatever has just closed.

Until the next frame Textual finds widgets where they were, those that have gone too; and a widget
that has taken hold of the mouse has it still when its screen is no longer shown.
"""

from __future__ import annotations

from textual import events
from textual.errors import NoWidget
from textual.events import Event

from flowtui.widgets.host import Host


class Pointing(Host):
    """An app in which what is done to a widget that has gone is done to nobody."""

    # Nothing could be done with text that is selected: the terminal's own selection copies it.
    ALLOW_SELECT = False

    @property
    def is_over(self) -> bool:
        """Whether the app ends, and has no screen for what is still on its way."""
        return self.is_exiting or not self.screen_stack

    async def on_event(self, event: Event) -> None:
        if isinstance(event, events.MouseEvent) and not event.is_forwarded:
            if self.is_over:
                return
            self._release_lost_mouse(event)
            if self.mouse_captured is None and not self._is_there(event):
                return
        await super().on_event(event)

    def _release_lost_mouse(self, event: events.MouseEvent) -> None:
        """Take the mouse from a widget that will not give it back."""
        if self.mouse_captured is None:
            return
        try:
            self.screen.find_widget(self.mouse_captured)
        except NoWidget:
            self.capture_mouse(None)
        else:
            # Where another press begins, the end of the one before was lost.
            if isinstance(event, events.MouseDown):
                self.capture_mouse(None)

    def _is_there(self, event: events.MouseEvent) -> bool:
        """Say whether what is under the pointer has not gone by now."""
        try:
            widget, _region = self.screen.get_widget_at(event.x, event.y)
        except NoWidget:
            return True
        return widget is self.screen or widget.is_attached

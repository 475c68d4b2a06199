"""The mouse reaches only widgets that exist, however fast it clicks and whatever has just closed.

Without this, Textual would find removed widgets until the next frame; a widget that has captured
the mouse would keep it after its screen is hidden; and the second half of a double click would hit
what lies below the dialog that the first half has closed.
"""

from __future__ import annotations

from textual import events
from textual.errors import NoWidget
from textual.events import Event
from textual.widget import Widget

from flowtui.app.surviving import Surviving

DOUBLE_CLICK_S = 0.4
"""How long after one press the next may still be the second half of a double click."""
SAME_PLACE_CELLS = 1
"""How far a hand may move the mouse between the two."""


class Pointing(Surviving):
    """An app that drops mouse events which are meant for a widget that has gone."""

    # Textual's selection has no use here: the terminal's own selection copies text.
    ALLOW_SELECT = False

    _pressed: Widget | None = None
    """The widget that the button was last pressed on, or the screen where there was none."""
    _press: events.MouseDown | None = None
    """The last press, whether or not it was dropped."""

    async def on_event(self, event: Event) -> None:
        if isinstance(event, events.MouseEvent) and not event.is_forwarded:
            if self.is_over:
                return
            self._release_lost_mouse(event)
            if self.mouse_captured is None and (
                self._is_meant_for_gone(event) or not self._is_there(event)
            ):
                return
        await super().on_event(event)

    def _release_lost_mouse(self, event: events.MouseEvent) -> None:
        """Release the mouse from a widget that will not release it."""
        if self.mouse_captured is None:
            return
        try:
            self.screen.find_widget(self.mouse_captured)
        except NoWidget:
            self.capture_mouse(None)
        else:
            # A new press says that the release of the one before was lost.
            if isinstance(event, events.MouseDown):
                self.capture_mouse(None)

    def _is_meant_for_gone(self, event: events.MouseEvent) -> bool:
        """Say whether an event belongs to a press or a double click on a widget that it has closed.

        The pointer is over something else by then, at which nobody has aimed.
        """
        pressed, screen = self._pressed, self.screen
        is_here = pressed is screen or (
            pressed is not None and pressed.is_attached and pressed.screen is screen
        )
        if isinstance(event, events.MouseDown):
            if not is_here and self._press is not None and _are_double(self._press, event):
                self._press = event
                return True
            self._press = event
            try:
                self._pressed, _region = screen.get_widget_at(event.x, event.y)
            except NoWidget:
                self._pressed = screen
            return False
        is_of_press = isinstance(event, events.MouseUp) or (
            isinstance(event, events.MouseMove) and event.button != 0
        )
        return is_of_press and not is_here and self._press is not None

    def _is_there(self, event: events.MouseEvent) -> bool:
        """Say whether the widget under the pointer still exists."""
        try:
            widget, _region = self.screen.get_widget_at(event.x, event.y)
        except NoWidget:
            return True
        return widget is self.screen or widget.is_attached


def _are_double(first: events.MouseDown, second: events.MouseDown) -> bool:
    """Say whether two presses are close enough in time and place to be a double click."""
    return (
        second.time - first.time <= DOUBLE_CLICK_S
        and abs(second.screen_x - first.screen_x) <= SAME_PLACE_CELLS
        and abs(second.screen_y - first.screen_y) <= SAME_PLACE_CELLS
    )

"""Pieces of text as strips of a widget, each role in the colour that the theme gives it."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from flowtui.widgets.cells import Line, Role, clipped

ROLE_CLASSES = {
    "role--text",
    "role--muted",
    "role--title",
    "role--accent",
    "role--ok",
    "role--attention",
    "role--error",
    "role--cursor",
    "role--cursor-blurred",
    "role--curve-1",
}
"""Component classes of every screen with widgets that paint; app.tcss gives them their styles.

They belong to the screen and not to each widget: looking up ten styles for each of ten widgets
would take a third of the time until the first paint.
"""

CURVE_CLASSES = {f"role--curve-{n}" for n in range(1, 9)}
"""Component classes of screens that draw several curves over each other."""


class RoleStyles:
    """The styles of the roles on one widget's screen, looked up once for each theme."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles: dict[tuple[Role, str], Style] = {}

    def clear(self) -> None:
        self._styles.clear()

    def style(self, role: Role, shade: str = "") -> Style:
        """Return the style of a role; the shade is `cursor`, `cursor-blurred` or empty."""
        known = self._styles.get((role, shade))
        if known is None:
            screen = self._widget.screen
            known = screen.get_component_rich_style(f"role--{role}")
            if shade:
                known += screen.get_component_rich_style(f"role--{shade}", partial=True)
            self._styles[role, shade] = known
        return known

    def strip(self, line: Line, width: int, shade: str = "") -> Strip:
        """Return a line as a strip of exactly `width` cells."""
        segments = [
            Segment(piece.text, self.style(piece.role, shade)) for piece in clipped(line, width)
        ]
        return Strip(segments).adjust_cell_length(width, self.style("text", shade))

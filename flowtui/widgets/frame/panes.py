"""Panes side by side; a narrow terminal shows one of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.widget import Widget

from flowtui.widgets.frame.pane_line import PaneLine
from flowtui.widgets.lists.virtual_list import VirtualList


class Panes:
    """Knows which pane has the focus, and gives the others the class `-away`.

    The owner's style sheet hides `-away` on a `-narrow` screen. Until the owner has its panes and a
    PaneLine, all methods do nothing.
    """

    def __init__(self, owner: Widget, panes: Callable[[], Sequence[VirtualList]]) -> None:
        """Take the widget that holds the panes, and a function that returns the panes."""
        self._owner = owner
        self._panes = panes

    @property
    def _is_there(self) -> bool:
        return bool(self._owner.query(PaneLine))

    @property
    def _line(self) -> PaneLine:
        return self._owner.query_one(PaneLine)

    @property
    def current(self) -> VirtualList:
        """The pane that has the focus, or had it most recently."""
        panes = self._panes()
        return panes[min(self._line.current, len(panes) - 1)]

    @property
    def _is_narrow(self) -> bool:
        return self._owner.screen.has_class("-narrow")

    def take_focus(self) -> None:
        """Make the focused pane current; to be called when anything in the owner gets the focus."""
        if not self._is_there:
            return
        panes = self._panes()
        focused = self._owner.screen.focused
        if isinstance(focused, VirtualList) and focused in panes:
            self._line.current = panes.index(focused)
            self.fit()

    def fit(self) -> None:
        """Show as many panes as there is room for; to be called when the size changes."""
        if self._is_there and self._is_narrow:
            self._put_away_all_but(self.current)

    def show(self, pane: VirtualList) -> None:
        """Give a pane the focus, and bring it into sight."""
        if not self._is_there:
            return
        # A hidden pane cannot take the focus, and the keys depend on the current pane and are
        # looked up as soon as the focus moves: so the pane is shown and made current first.
        self._put_away_all_but(pane)
        self._line.current = list(self._panes()).index(pane)
        pane.focus()

    def step(self, by: int) -> None:
        """Go to the pane that is `by` places further on."""
        if not self._is_there:
            return
        panes = self._panes()
        self.show(panes[(self._line.current + by) % len(panes)])

    def _put_away_all_but(self, pane: VirtualList) -> None:
        """Mark all other panes, and all boxes that do not hold this one."""
        panes = self._panes()
        boxes = {box for one in panes for box in one.ancestors if self._owner in box.ancestors}
        for widget in (*panes, *boxes):
            widget.set_class(widget is not pane and widget not in pane.ancestors, "-away")

"""A line with the views of a table and their keys, the present view marked, and a note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.message import Message

from flowtui.widgets.cells import Piece, justified
from flowtui.widgets.frame.frame import OneLine

GAP = "   "


@dataclass(frozen=True, slots=True)
class ViewKey:
    """A view, and the key that shows it."""

    key: str
    title: str


class ViewLine(OneLine):
    """Shows views with their keys. Posts `Picked` when a view is clicked."""

    @dataclass
    class Picked(Message):
        """Sent by ViewLine with the key of the view that was clicked."""

        key: str

    def __init__(self, views: Sequence[ViewKey], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._views = views
        self._current = ""
        self._note = ""

    def show_view(self, current: str, note: str) -> None:
        """Mark the view of a key, and show a note at the right."""
        self._current, self._note = current, note
        self._fill()

    def on_resize(self) -> None:
        self._fill()

    def _fill(self) -> None:
        pieces = [Piece(" ")]
        for view in self._views:
            is_current = view.key == self._current
            pieces.append(Piece(f"{view.key} ", "muted"))
            pieces.append(Piece(view.title, "accent" if is_current else "muted"))
            pieces.append(Piece(GAP))
        self.show(justified(pieces, [Piece(f"{self._note} ", "muted")], self.size.width))

    def on_click(self, event: events.Click) -> None:
        at = 1
        for view in self._views:
            cells = cell_len(f"{view.key} {view.title}")
            if at <= event.x < at + cells:
                self.post_message(self.Picked(view.key))
            at += cells + len(GAP)

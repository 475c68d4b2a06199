"""A line with the views of a table and their keys, the present view marked, and a note.

The note says how many rows are listed, so where there is little room it goes before the titles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from flowtui.widgets.cells import Piece, justified, width_of
from flowtui.widgets.frame.frame import OneLine

GAP, NARROW_GAP = "   ", "  "


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
        self._titles: list[Piece] = []
        """The views as they are shown."""

    def show_view(self, current: str, note: str) -> None:
        """Mark the view of a key, and show a note at the right."""
        self._current, self._note = current, note
        self._fill()

    def on_resize(self) -> None:
        self._fill()

    def _fill(self) -> None:
        note = [Piece(f"{self._note} ", "muted")]
        ways = ((GAP, True), (NARROW_GAP, True), (NARROW_GAP, False))
        lines = (self._titled(gap, has_titles) for gap, has_titles in ways)
        fitting = (one for one in lines if width_of(one) + width_of(note) < self.size.width)
        self._titles = next(fitting, self._titled(GAP, True))
        self.show(justified(self._titles, note, self.size.width))

    def _titled(self, gap: str, has_titles: bool) -> list[Piece]:
        """Return the views; without titles, only the present view has its own."""
        pieces = [Piece(" ")]
        for view in self._views:
            is_current = view.key == self._current
            title = view.title if has_titles or is_current else ""
            pieces.append(Piece(f"{view.key} " if title else view.key, "muted"))
            pieces.append(Piece(title, "accent" if is_current else "muted"))
            pieces.append(Piece(gap))
        return pieces

    def on_click(self, event: events.Click) -> None:
        at = 1
        # After the margin each view has three pieces: its key, its title and a gap.
        for view, place in zip(self._views, range(1, len(self._titles), 3), strict=True):
            cells = width_of(self._titles[place : place + 2])
            if at <= event.x < at + cells:
                self.post_message(self.Picked(view.key))
            at += cells + width_of(self._titles[place + 2 : place + 3])

"""The names of a screen's panes on one line, for terminals that show one pane at a time."""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import reactive

from flowtui.widgets.cells import Piece, clipped
from flowtui.widgets.frame.frame import OneLine


class PaneLine(OneLine):
    """Shows the names of the panes, the `current` one marked."""

    current: reactive[int] = reactive(0)

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names

    def on_resize(self) -> None:
        self._fill()

    def watch_current(self) -> None:
        self._fill()

    def _fill(self) -> None:
        pieces = [Piece(" ")]
        for index, name in enumerate(self._names):
            pieces.append(Piece(name, "accent" if index == self.current else "muted"))
            pieces.append(Piece("  ·  " if index + 1 < len(self._names) else "", "muted"))
        pieces.append(Piece("   Tab moves between them", "muted"))
        self.show(clipped(pieces, self.size.width))

"""Lines of a file as they are: with or without numbers, shifted sideways, never wrapped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from flowtui.widgets.cells import Line, Piece
from flowtui.widgets.documents.search import marked
from flowtui.widgets.lists.virtual_list import VirtualList

SHIFT_CELLS = 16


class TextLines(VirtualList):
    """Shows lines of pieces. Enter on the last one posts `Chosen` if more can be read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right,l",
            "shift(1)",
            "Right",
            show=False,
            id="move.right",
            tooltip="Show what is further right",
        ),
        Binding(
            "left,h", "shift(-1)", "Left", show=False, id="move.left", tooltip="Go back to the left"
        ),
    ]

    shift: reactive[int] = reactive(0, init=False)
    """How many cells at the start of each line are hidden."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._first: int | None = None
        self._end_note = ""
        self._pattern: re.Pattern[str] | None = None

    def mark(self, pattern: re.Pattern[str] | None) -> None:
        """Mark a text wherever it occurs in a line; None marks nothing."""
        self._pattern = pattern
        self.refresh()

    def show_lines(
        self, lines: Sequence[Line], *, first: int | None, end_note: str, is_new: bool
    ) -> None:
        """Show lines.

        Args:
            lines: All lines that were read.
            first: How many lines of the file come before them; None shows no numbers.
            end_note: The text of a line after them; empty for no such line.
            is_new: Whether they are from another file, which is shown from its top.
        """
        self._lines, self._first, self._end_note = lines, first, end_note
        if is_new:
            self.set_reactive(VirtualList.cursor, 0)
            self.shift = 0
            self.scroll_to(y=0, animate=False, force=True, immediate=True)
        self.resize_content()

    def show_note(self, text: str) -> None:
        """Show a sentence in place of lines."""
        self._lines, self._end_note = (), ""
        self.set_reactive(VirtualList.cursor, 0)
        self.resize_content(text)

    @property
    def copy_text(self) -> str:
        """The line under the cursor."""
        if self.cursor >= len(self._lines):
            return ""
        return "".join(piece.text for piece in self._lines[self.cursor])

    @property
    def line_count(self) -> int:
        return len(self._lines) + bool(self._end_note and self._lines)

    def line(self, index: int, width: int) -> Line:
        if index == len(self._lines):
            return [Piece(f" {self._end_note}", "muted")]
        line = _without(self._lines[index], self.shift)
        if self._pattern is not None:
            line = [part for piece in line for part in marked(piece, self._pattern)]
        if self._first is None:
            return [Piece(" "), *line]
        cells = len(str(self._first + len(self._lines)))
        return [Piece(f" {self._first + index + 1:>{cells}}  ", "muted"), *line]

    def action_shift(self, by: int) -> None:
        top = self.scroll_offset.y
        in_sight = self._lines[top : top + self.visible_rows]
        longest = max((sum(cell_len(piece.text) for piece in line) for line in in_sight), default=0)
        last = max(longest - self.line_width // 2, 0)
        self.shift = max(0, min(self.shift + by * SHIFT_CELLS, max(last, self.shift)))

    def hides(self, action: str) -> bool:
        return super().hides(action) or (action == "choose" and not self._end_note)

    def action_choose(self) -> None:
        if self._end_note and self.cursor == len(self._lines):
            super().action_choose()


def _without(line: Line, cells: int) -> Line:
    """Return a line without its first cells; half a wide character becomes a blank."""
    if not cells:
        return line
    kept: list[Piece] = []
    for text, role in line:
        length = cell_len(text)
        if length <= cells:
            cells -= length
            continue
        at = 0
        while cells > 0:
            cells -= cell_len(text[at])
            at += 1
        kept.append(Piece(" " * -cells + text[at:], role))
        cells = 0
    return kept

"""A list with any number of lines, of which only the visible ones are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from flowtui.widgets.cells import Line, Piece, note_role, wrapped
from flowtui.widgets.frame.frame import HidesKeys
from flowtui.widgets.paint import RoleStyles

SHOWN_ACTIONS = ("move(1)", "choose")
"""The actions of a list whose keys are shown, as long as it has lines."""


class VirtualList(HidesKeys, ScrollView, can_focus=True, inherit_bindings=False):
    """Shows `line_count` lines under a fixed header, with a cursor on one of them.

    Subclasses define `line_count`, `line` and `header_lines`. A step of the cursor repaints only
    two lines. Posts `CursorMoved` when the cursor has moved to another line, and `Chosen` on Enter
    or a click on the line under the cursor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "down,j",
            "move(1)",
            "Move",
            key_display="↑↓",
            id="move.down",
            tooltip="To the next line",
        ),
        Binding("up,k", "move(-1)", "Up", show=False, id="move.up", tooltip="To the line above"),
        Binding(
            "pagedown",
            "page(1)",
            "Page down",
            show=False,
            id="move.page_down",
            tooltip="One page on",
        ),
        Binding(
            "pageup", "page(-1)", "Page up", show=False, id="move.page_up", tooltip="One page back"
        ),
        Binding(
            "home,g",
            "move_to_end(False)",
            "Top",
            show=False,
            id="move.first",
            tooltip="To the first line",
        ),
        Binding(
            "end,G",
            "move_to_end(True)",
            "Bottom",
            show=False,
            id="move.last",
            tooltip="To the last line",
        ),
        Binding(
            "enter",
            "choose",
            "Open",
            key_display="Enter",
            id="move.choose",
            tooltip="Open what is under the cursor",
        ),
    ]

    cursor: reactive[int] = reactive(0, init=False, repaint=False)

    opens: ClassVar[bool] = True
    """Whether Enter opens a line of this list."""

    @dataclass
    class CursorMoved(Message):
        """Sent by VirtualList when its cursor has moved to another line."""

        lines: VirtualList
        index: int

        @property
        def control(self) -> VirtualList:
            return self.lines

    @dataclass
    class Chosen(Message):
        """Sent by VirtualList on Enter or a click on the line under the cursor."""

        lines: VirtualList
        index: int

        @property
        def control(self) -> VirtualList:
            return self.lines

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._palette = RoleStyles(self)
        self._note = ""
        self._hidden_keys: list[bool] = []

    # What subclasses define ------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        raise NotImplementedError

    def line(self, index: int, width: int) -> Line:
        """Return the pieces of a line; they may be wider than `width` cells, and are cut then."""
        raise NotImplementedError

    def header_lines(self, width: int) -> list[Line]:
        """Return the lines of the header, which are always `header_height` lines."""
        return []

    @property
    def header_height(self) -> int:
        return 0

    # Drawing ---------------------------------------------------------------------------------

    def resize_content(self, note: str = "") -> None:
        """Set the height of the content for the present number of lines, and repaint.

        Args:
            note: The text to show if there are no lines: why there are none, and what would help.
        """
        self._note = note
        if (hidden := [self.hides(one) for one in SHOWN_ACTIONS]) != self._hidden_keys:
            self._hidden_keys = hidden
            self.refresh_bindings()
        length = self.line_count or len(self._note_lines())
        self.virtual_size = Size(0, length + self.header_height)
        self.refresh(layout=self.styles.auto_dimensions)

    def _note_lines(self) -> list[str]:
        return wrapped(self._note, max(self.line_width - 2, 10)) if self._note else []

    def render_line(self, y: int) -> Strip:
        width = self.line_width
        if y < self.header_height:
            return self._palette.strip(self.header_lines(width)[y], width, "")
        index = self.scroll_offset.y + y - self.header_height
        if self.line_count == 0 and index < len(notes := self._note_lines()):
            return self._palette.strip([Piece(f" {notes[index]}", note_role(self._note))], width)
        if index >= self.line_count:
            return Strip.blank(width, self._palette.style("text"))
        shade = ""
        if index == self.cursor:
            shade = "cursor" if self.takes_keys else "cursor-blurred"
        return self._palette.strip(self.line(index, width), width, shade)

    def refresh_index(self, index: int) -> None:
        """Repaint one line, if it is in sight."""
        y = index - self.scroll_offset.y + self.header_height
        if self.header_height <= y < self.size.height:
            self.refresh(Region(0, y, self.line_width, 1))

    def notify_style_update(self) -> None:
        self._palette.clear()
        super().notify_style_update()

    # Moving ----------------------------------------------------------------------------------

    @property
    def takes_keys(self) -> bool:
        """Whether keys move the cursor of this list, which is then highlighted."""
        return self.has_focus

    @property
    def line_width(self) -> int:
        """The width of a line in cells, without the scroll bar."""
        return self.scrollable_content_region.width

    @property
    def visible_rows(self) -> int:
        """How many lines fit under the header."""
        return max(self.size.height - self.header_height, 1)

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self.line_count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_index(old)
        self.refresh_index(new)
        self.keep_cursor_in_sight()
        self.post_message(self.CursorMoved(self, new))

    def keep_cursor_in_sight(self) -> None:
        # A hidden list has no height, and scrolling it now would lose its place for later.
        if not self.size.height:
            return
        top = round(self.scroll_y)
        if self.cursor < top:
            top = self.cursor
        elif self.cursor >= top + self.visible_rows:
            top = self.cursor - self.visible_rows + 1
        self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def action_move(self, by: int) -> None:
        self.cursor += by

    def action_page(self, direction: int) -> None:
        by = direction * max(self.visible_rows - 1, 1)
        self.scroll_to(y=self.scroll_y + by, animate=False, force=True, immediate=True)
        self.cursor += by

    def action_move_to_end(self, last: bool) -> None:
        self.cursor = self.line_count - 1 if last else 0

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.opens or action != "choose"

    def hides(self, action: str) -> bool:
        return action in SHOWN_ACTIONS and not self.line_count

    def action_choose(self) -> None:
        if self.line_count:
            self.post_message(self.Chosen(self, self.cursor))

    def on_focus(self) -> None:
        self._repaint_cursor()

    def on_blur(self) -> None:
        self._repaint_cursor()

    def _repaint_cursor(self) -> None:
        self.refresh_index(self.cursor)
        self.refresh(Region(0, 0, self.line_width, self.header_height))

    def on_resize(self) -> None:
        # A note that was given before the list had its width takes other lines now.
        height = len(self._note_lines()) + self.header_height
        if self._note and not self.line_count and self.virtual_size.height != height:
            self.resize_content(self._note)
        self.keep_cursor_in_sight()

    def on_click(self, event: events.Click) -> None:
        index = event.y - self.header_height + self.scroll_offset.y
        if event.y < self.header_height or index >= self.line_count:
            return
        if index == self.cursor:
            self.action_choose()
        self.cursor = index


def width_beside_bar(view: ScrollView) -> int:
    """Return the width of a line that leaves room for a scroll bar, so that none moves the text."""
    return view.content_region.width - view.styles.scrollbar_size_vertical

"""Pictures side by side with their names, each small, of which only those in sight are read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from flowtui import format as fmt
from flowtui.previews.values import Picture
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, fit, wrapped
from flowtui.widgets.documents.picture import segments_of
from flowtui.widgets.lists.virtual_list import VirtualList, width_beside_bar

LEAST_CELLS = 24
"""The least width of a small picture; what is left of the width is shared out."""
GAP_CELLS = 2
LINES_A_CELL = 0.375
"""A cell is about twice as high as it is wide: this is the shape of most plots and photographs."""
MIN_LINES = 4
HELD = 400
MARK = "▸ "


@dataclass(frozen=True, slots=True)
class GridPicture:
    """A picture of a grid."""

    key: str
    """Names the file for whoever reads it."""
    name: str
    version: object = None
    """Differs once the file has changed."""


class PictureGrid(VirtualList):
    """Shows pictures. `cursor` is the number of the one that the arrows move to.

    Posts `Needed` for pictures that come into sight, which the owner answers with `fill`, and
    `Opened` on Enter or on a click on the one under the cursor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move_rows(1)", "Move", key_display="←→↑↓", id="move.down",
                tooltip="To the picture below"),
        Binding("up,k", "move_rows(-1)", "Up", show=False, id="move.up",
                tooltip="To the picture above"),
        Binding("right,l", "move(1)", "Right", show=False, id="move.right",
                tooltip="To the next picture"),
        Binding("left,h", "move(-1)", "Left", show=False, id="move.left",
                tooltip="To the previous picture"),
    ]  # fmt: skip

    @dataclass
    class Needed(Message):
        """Sent by PictureGrid when pictures come into sight that it does not have."""

        keys: tuple[str, ...]
        width: int
        """In cells."""
        height: int

    @dataclass
    class Opened(Message):
        """Sent by PictureGrid when a picture is to be shown alone."""

        key: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pictures: Sequence[GridPicture] = ()
        self._held: OrderedDict[str, Picture | str] = OrderedDict()
        """The pictures that are held, or why one cannot be shown, by key."""
        self._columns, self._cells, self._lines = 1, LEAST_CELLS, MIN_LINES
        self._asked: tuple[str, ...] = ()

    # What the owner says ---------------------------------------------------------------------

    def show(self, pictures: Sequence[GridPicture], *, is_new: bool) -> None:
        """Show pictures, from the first if they are of another folder."""
        before = {one.key: one.version for one in self._pictures}
        for one in pictures:
            if before.get(one.key) != one.version:
                self._held.pop(one.key, None)
        under = self.picture
        self._pictures = pictures
        self._asked = ()
        keys = [one.key for one in pictures]
        stays = not is_new and under is not None and under.key in keys
        at = keys.index(under.key) if stays and under is not None else 0
        self.set_reactive(PictureGrid.cursor, at)
        self._lay_out()

    def fill(self, key: str, picture: Picture | str) -> None:
        """Take a picture, or the reason why it cannot be shown."""
        self._held[key] = picture
        self._held.move_to_end(key)
        while len(self._held) > HELD:
            self._held.popitem(last=False)
        self.refresh()

    def drop(self) -> None:
        """Ask for all pictures again, as in other colours."""
        self._held.clear()
        self._asked = ()
        self.refresh()
        self._ask()

    @property
    def picture(self) -> GridPicture | None:
        """The picture under the cursor."""
        return self._pictures[self.cursor] if self.cursor < len(self._pictures) else None

    # Layout ----------------------------------------------------------------------------------

    @property
    def _band_lines(self) -> int:
        # A line for the name, and one between.
        return self._lines + 2

    @property
    def line_count(self) -> int:
        return -(-len(self._pictures) // self._columns) * self._band_lines

    def line(self, index: int, width: int) -> Line:
        return ()

    def _lay_out(self) -> None:
        width = max(width_beside_bar(self), LEAST_CELLS)
        size = self._cells, self._lines
        self._columns = max((width + GAP_CELLS) // (LEAST_CELLS + GAP_CELLS), 1)
        self._cells = (width + GAP_CELLS) // self._columns - GAP_CELLS
        most = max(self.size.height - 2, MIN_LINES)
        self._lines = max(min(round(self._cells * LINES_A_CELL), most), MIN_LINES)
        if (self._cells, self._lines) != size:
            self._held.clear()
            self._asked = ()
        self.virtual_size = Size(0, self.line_count)
        self.keep_cursor_in_sight()
        self.refresh()
        self._ask()

    def on_resize(self) -> None:
        self._lay_out()

    def _ask(self) -> None:
        if not self.size.height or not self._pictures:
            return
        first = self.scroll_offset.y // self._band_lines
        last = (self.scroll_offset.y + self.size.height - 1) // self._band_lines
        some = self._pictures[first * self._columns : (last + 1) * self._columns]
        keys = tuple(one.key for one in some if one.key not in self._held)
        if keys and keys != self._asked:
            self._asked = keys
            self.post_message(self.Needed(keys, self._cells, self._lines))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._ask()

    # Moving ----------------------------------------------------------------------------------

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self._pictures) - 1))

    def refresh_index(self, index: int) -> None:
        self.refresh()

    def keep_cursor_in_sight(self) -> None:
        height = self.size.height
        if not height:
            return
        top, first = round(self.scroll_y), self.cursor // self._columns * self._band_lines
        # The empty line below the name may be out of sight.
        bottom = first + self._band_lines - 1
        if first < top or bottom - first > height:
            top = first
        elif bottom > top + height:
            top = bottom - height
        self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def action_move_rows(self, by: int) -> None:
        at = self.cursor + by * self._columns
        bands = -(-len(self._pictures) // self._columns)
        if at >= len(self._pictures) and self.cursor // self._columns < bands - 1:
            # The last row is shorter.
            at = len(self._pictures) - 1
        if 0 <= at < len(self._pictures):
            self.cursor = at

    def action_page(self, direction: int) -> None:
        self.action_move_rows(direction * max(self.size.height // self._band_lines, 1))

    def action_move_to_end(self, last: bool) -> None:
        self.cursor = len(self._pictures) - 1 if last else 0

    def action_choose(self) -> None:
        if (picture := self.picture) is not None:
            self.post_message(self.Opened(picture.key))

    def on_click(self, event: events.Click) -> None:
        band = (event.y + self.scroll_offset.y) // self._band_lines
        column = min(event.x // (self._cells + GAP_CELLS), self._columns - 1)
        at = band * self._columns + column
        if at >= len(self._pictures):
            return
        if at == self.cursor:
            self.action_choose()
        self.cursor = at

    # Drawing ---------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.line_width
        blank = self._palette.style("text")
        band, row = divmod(y + self.scroll_offset.y, self._band_lines)
        first = band * self._columns
        some = self._pictures[first : first + self._columns]
        if not some or row > self._lines:
            return Strip.blank(width, blank)
        segments: list[Segment] = []
        if row == self._lines:
            names = told_apart([one.name for one in some], self._cells - len(MARK))
            for at, name in enumerate(names, first):
                segments += [self._label(name, at == self.cursor), Segment(" " * GAP_CELLS, blank)]
        else:
            for one in some:
                segments += [*self._part(one.key, row), Segment(" " * GAP_CELLS, blank)]
        return Strip(segments).adjust_cell_length(width, blank)

    def _label(self, name: str, is_under: bool) -> Segment:
        shade = ("cursor" if self.takes_keys else "cursor-blurred") if is_under else ""
        text = fit((MARK if is_under else " " * len(MARK)) + name, self._cells)
        return Segment(text, self._palette.style("title" if is_under else "muted", shade))

    def _part(self, key: str, row: int) -> list[Segment]:
        """Return one line of a small picture, of exactly as many cells as it has."""
        shown = self._held.get(key)
        blank = self._palette.style("text")
        if not isinstance(shown, Picture):
            said = "…" if shown is None else shown
            lines = wrapped(fmt.plain(said, 200), max(self._cells - 2, 1))
            at = row - max((self._lines - len(lines)) // 2, 0)
            text = f" {lines[at]}" if 0 <= at < len(lines) else ""
            return [Segment(fit(text, self._cells), self._palette.style("muted"))]
        height = (shown.height_px + 1) // 2
        at = row - max((self._lines - height) // 2, 0)
        if not 0 <= at < height:
            return [Segment(" " * self._cells, blank)]
        left = max((self._cells - shown.width_px) // 2, 0)
        right = max(self._cells - left - shown.width_px, 0)
        return [
            Segment(" " * left, blank),
            *segments_of(shown, at, blank.bgcolor),
            Segment(" " * right, blank),
        ]

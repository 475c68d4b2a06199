"""A picture of half blocks: each cell shows two pixels, one above the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from flowtui.previews.values import Picture
from flowtui.terminal.placeholders import PlacedPicture
from flowtui.widgets.cells import Line
from flowtui.widgets.lists.virtual_list import VirtualList

UPPER_HALF = "▀"


class PicturePane(VirtualList):
    """Shows one picture, without a cursor. Posts `PageWanted` on Page up and Page down."""

    opens = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "pagedown",
            "turn(1)",
            "Page down",
            show=False,
            id="picture.next_page",
            tooltip="Show the next page",
        ),
        Binding(
            "pageup",
            "turn(-1)",
            "Page up",
            show=False,
            id="picture.previous_page",
            tooltip="Show the previous page",
        ),
        Binding("down,j", "nothing", "", show=False, id="move.down"),
        Binding("up,k", "nothing", "", show=False, id="move.up"),
    ]

    @dataclass
    class PageWanted(Message):
        """Sent by PicturePane to ask for the page that is `by` places further on."""

        by: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._picture: Picture | None = None
        self._strips: dict[int, list[Segment]] = {}
        self._placed: PlacedPicture | None = None
        """The same picture, if the terminal has it and can show it in cells."""

    def show(self, picture: Picture) -> None:
        """Show a picture in place of the present one."""
        self._picture, self._placed = picture, None
        self._strips.clear()
        self.resize_content()

    @property
    def picture(self) -> Picture | None:
        """The picture as it was given."""
        return self._picture

    def place(self, placed: PlacedPicture | None) -> None:
        """Show the picture by what the terminal has of it, or by half blocks again."""
        if placed is not self._placed:
            self._placed = placed
            self._strips.clear()
            self.refresh()

    @property
    def line_count(self) -> int:
        return 0 if self._picture is None else (self._picture.height_px + 1) // 2

    def line(self, index: int, width: int) -> Line:
        return ()

    def render_line(self, y: int) -> Strip:
        width = self.line_width
        blank = self._palette.style("text")
        if self._picture is None or not 0 <= y < self.line_count:
            return Strip.blank(width, blank)
        if y not in self._strips:
            if (placed := self._placed) is not None and y < placed.lines:
                self._strips[y] = _cells_of(placed, y)
            else:
                self._strips[y] = segments_of(self._picture, y, blank.bgcolor)
        left = max((width - self._picture.width_px) // 2, 0)
        segments = [Segment(" " * left, blank), *self._strips[y]]
        return Strip(segments).adjust_cell_length(width, blank)

    def notify_style_update(self) -> None:
        self._strips.clear()
        super().notify_style_update()

    def action_turn(self, by: int) -> None:
        self.post_message(self.PageWanted(by))

    def action_nothing(self) -> None:
        """Do nothing: there is no line to go to."""


def _cells_of(placed: PlacedPicture, y: int) -> list[Segment]:
    """Return one line of cells, each a segment of its own: none may lose its marks."""
    style = Style(color=Color.from_rgb(*placed.colour))
    return [Segment(placed.cell(y, x), style) for x in range(placed.columns)]


def segments_of(picture: Picture, y: int, ground: Color | None) -> list[Segment]:
    """Return one line of cells; neighbours with the same colours are one segment.

    Args:
        picture: The picture.
        y: Which line, from 0.
        ground: The colour below the last of an odd number of rows.
    """
    stride = picture.width_px * 3
    upper = picture.rgb[2 * y * stride : (2 * y + 1) * stride]
    lower = picture.rgb[(2 * y + 1) * stride : (2 * y + 2) * stride]
    segments: list[Segment] = []
    start = 0
    for at in range(3, stride + 3, 3):
        is_same = (
            at < stride
            and upper[at : at + 3] == upper[start : start + 3]
            and lower[at : at + 3] == lower[start : start + 3]
        )
        if not is_same:
            style = Style(color=_colour(upper, start), bgcolor=_colour(lower, start) or ground)
            segments.append(Segment(UPPER_HALF * ((at - start) // 3), style))
            start = at
    return segments


def _colour(row: bytes, at: int) -> Color | None:
    """Return a pixel's colour; None below the last of an odd number of rows."""
    return Color.from_rgb(row[at], row[at + 1], row[at + 2]) if row else None

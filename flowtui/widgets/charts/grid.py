"""The grid of small charts for any number of metrics; only those in sight are drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from flowtui.store.metrics.values import Series
from flowtui.store.values import Point
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, Piece, note_role, wrapped
from flowtui.widgets.charts.card import GAP_CELLS, Card, card_lines
from flowtui.widgets.charts.chart import BRAILLE, DOTS_A_CELL
from flowtui.widgets.charts.curve import Look, XAxis
from flowtui.widgets.charts.grid_layout import (
    PINNED,
    Band,
    CardGroup,
    CardSize,
    bands,
    card_name,
    card_size,
)
from flowtui.widgets.charts.run_card import RunCurves, run_card_lines
from flowtui.widgets.lists.virtual_list import width_beside_bar
from flowtui.widgets.paint import RoleStyles

HEADING_CELLS = 60
HELD_CARDS = 256
"""How many drawn cards and how many series are kept: several screens of them."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A place for the cursor: a metric, or the header of a group."""

    group: str
    key: str | None = None


class ChartGrid(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows groups of metrics as small charts.

    The owner calls `show_metrics` with the groups and last points, and answers each `CardsNeeded`
    with `show_series`. Enter or a click posts `Chosen` for a metric and `FoldWanted` for a group.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move_rows(1)", "Move", key_display="←↓↑→", id="move.down",
                tooltip="To the row below"),
        Binding("up,k", "move_rows(-1)", "Up", show=False, id="move.up",
                tooltip="To the row above"),
        Binding("right,l", "move(1)", "Right", show=False, id="move.right",
                tooltip="To the next metric"),
        Binding("left,h", "move(-1)", "Left", show=False, id="move.left",
                tooltip="To the previous metric"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="move.page_down",
                tooltip="One page on"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="move.page_up",
                tooltip="One page back"),
        Binding("home,g", "move_to_end(False)", "First", show=False, id="move.first",
                tooltip="To the first metric"),
        Binding("end,G", "move_to_end(True)", "Last", show=False, id="move.last",
                tooltip="To the last metric"),
        Binding("enter", "choose", "Zoom", key_display="Enter",
                id="metrics.open", tooltip="Show the metric in full, or fold its group's header"),
        Binding("space", "fold", "Fold", key_display="Space",
                id="metrics.fold", tooltip="Fold the group of the cursor, or unfold it"),
    ]  # fmt: skip

    @dataclass
    class CardsNeeded(Message):
        """Sent by ChartGrid when other metrics come into sight, or the charts change their size."""

        keys: tuple[str, ...]
        columns: int
        """The number of columns of dots in a small chart."""

    @dataclass
    class Chosen(Message):
        """Sent by ChartGrid when a metric is chosen to be shown in full."""

        key: str

    @dataclass
    class FoldWanted(Message):
        """Sent by ChartGrid when a group should be folded or unfolded."""

        group: str

    def __init__(self, *, of_runs: bool = False, id: str | None = None) -> None:
        """Make a grid; `of_runs` for a comparison, whose charts `show_curves` fills."""
        super().__init__(id=id)
        self._palette = RoleStyles(self)
        self._groups: Sequence[CardGroup] = ()
        self._points: Mapping[str, Point | None] = {}
        self._total = 0
        self._bands: list[Band] = []
        self._tops: list[int] = []
        self._places: dict[Stop, tuple[int, int]] = {}
        """The band and the place in it of each stop, in order."""
        self._group_names: dict[str, str] = {}
        """The series of metrics that are held, by key."""
        self._card_names: dict[str, tuple[str, ...]] = {}
        """The names of the charts of each group, by the group's name."""
        self._headings: dict[str, str] = {}
        """The names of groups as they are shown, cut so that they still differ."""
        self._card_size = CardSize(1, 1, 1)
        self._series: OrderedDict[str, Series] = OrderedDict()
        self._runs: OrderedDict[str, RunCurves] = OrderedDict()
        """In a comparison, what is held of metrics, by key."""
        self._of_runs = of_runs
        self._x_axis: XAxis | None = None
        self._drawn: OrderedDict[str, list[Line]] = OrderedDict()
        self._cursor: Stop | None = None
        self._asked: tuple[tuple[str, ...], int] | None = None
        self._note = ""
        self._marker = BRAILLE
        self._look = Look()
        self._is_growing = False

    # What the owner says ---------------------------------------------------------------------

    def show_metrics(
        self, groups: Sequence[CardGroup], points: Mapping[str, Point | None], note: str = ""
    ) -> None:
        """Show metrics with their last points; the cursor stays on its metric if that is shown.

        Args:
            groups: The groups, in order.
            points: The last point of each metric; None for one without steps.
            note: The text in place of the charts if there are none.
        """
        differs = groups != self._groups or note != self._note
        if bool(groups) != bool(self._groups):
            self.screen.refresh_bindings()
        changed = [key for key, point in points.items() if point != self._points.get(key)]
        self._groups, self._points, self._note = groups, points, note
        for key in changed:
            self._drawn.pop(key, None)
        if differs:
            self._lay_out()
        else:
            in_sight = set(self.keys_in_sight())
            for key in changed:
                if key in in_sight:
                    self._refresh_stop(Stop(self._group_of(key), key))

    def show_series(self, series: Series) -> None:
        """Draw the curve of one metric."""
        if self._series.get(series.key) == series:
            return
        self._series[series.key] = series
        self._series.move_to_end(series.key)
        while len(self._series) > HELD_CARDS:
            self._series.popitem(last=False)
        self._drawn.pop(series.key, None)
        self._refresh_stop(Stop(self._group_of(series.key), series.key))

    def show_curves(self, key: str, shown: RunCurves) -> None:
        """Draw the curves that several runs have of one metric."""
        if self._runs.get(key) == shown:
            return
        self._runs[key] = shown
        self._runs.move_to_end(key)
        while len(self._runs) > HELD_CARDS:
            self._runs.popitem(last=False)
        self._drawn.pop(key, None)
        self._refresh_stop(Stop(self._group_of(key), key))

    def drop_curves(self) -> None:
        """Show that all curves of runs are to be read."""
        self._runs.clear()
        self._drawn.clear()
        self.refresh()

    def use_x_axis(self, x_axis: XAxis | None) -> None:
        """Draw over another horizontal axis, where the curves have it; None for their default."""
        self._x_axis = x_axis
        self._drawn.clear()
        self.refresh()

    def series(self, key: str) -> Series | None:
        """Return the series of a metric, if it is held."""
        return self._series.get(key)

    def use_marker(self, marker: str) -> None:
        """Draw with BRAILLE or with BLOCKS."""
        self._marker = marker
        self._drawn.clear()
        self.refresh()

    def use_look(self, look: Look) -> None:
        """Place the values of all charts in another way."""
        self._look = look
        self._drawn.clear()
        self.refresh()

    def use_growth(self, is_growing: bool) -> bool:
        """Draw with room for more points, or without; return whether that is new."""
        is_new = is_growing != self._is_growing
        if is_new:
            self._is_growing = is_growing
            self._drawn.clear()
            self.refresh()
        return is_new

    @property
    def key(self) -> str | None:
        """The metric under the cursor."""
        return None if self._cursor is None else self._cursor.key

    def put_cursor(self, key: str) -> None:
        """Put the cursor on a metric."""
        self._move_to(Stop(self._group_of(key), key))

    @property
    def columns(self) -> int:
        """The number of columns of dots in a small chart."""
        return max(DOTS_A_CELL * (self._card_size.cells - GAP_CELLS - 1), 2)

    def keys_in_sight(self) -> tuple[str, ...]:
        top, height = self.scroll_offset.y, self.size.height
        return tuple(key for band in self._bands_between(top, top + height) for key in band.keys)

    def _group_of(self, key: str) -> str:
        return self._group_names.get(key, "")

    # Layout ----------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        # The size of a card depends on all metrics, folded ones too: otherwise folding a group
        # would resize all the other cards.
        sizes = {group.name: len(group.keys) for group in self._groups}
        width = max(width_beside_bar(self), 1)
        self._card_size = card_size(sizes, width, max(self.size.height, 1))
        self._bands = bands(self._groups, self._card_size.columns, self._card_size.lines)
        self._tops = [band.y for band in self._bands]
        self._group_names = {key: group.name for group in self._groups for key in group.keys}
        self._card_names = {
            group.name: tuple(card_name(group.name, key) for key in group.keys)
            for group in self._groups
        }
        names = [group.name for group in self._groups]
        self._headings = dict(zip(names, told_apart(names, HEADING_CELLS), strict=True))
        self._places = {
            stop: (index, place)
            for index, band in enumerate(self._bands)
            for place, stop in enumerate(_stops_of(band))
        }
        self._drawn.clear()
        height = self._bands[-1].y + self._bands[-1].height if self._bands else 1
        self.virtual_size = Size(0, height)
        if self._cursor not in self._places:
            self._cursor = min(self._places, key=self._distance, default=None)
        self._show_cursor()
        self.refresh()
        self._ask()

    def _distance(self, stop: Stop) -> tuple[bool, bool, bool]:
        """Return how far a stop is from the cursor's: same metric, same group, or another group."""
        held = self._cursor
        is_metric = held is not None and held.key is not None and stop.key == held.key
        is_group = held is not None and stop.group == held.group
        return not is_metric, not is_group, stop.key is None

    def _bands_between(self, top: int, bottom: int) -> list[Band]:
        first = max(bisect_right(self._tops, top) - 1, 0)
        last = bisect_right(self._tops, bottom - 1)
        return self._bands[first:last]

    def on_resize(self) -> None:
        self._lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._ask()

    def _ask(self) -> None:
        wanted = self.keys_in_sight(), self.columns
        if wanted != self._asked and wanted[0] and self.size.width:
            self._asked = wanted
            self.post_message(self.CardsNeeded(*wanted))

    # Drawing ---------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._bands:
            notes = wrapped(self._note, max(width - 2, 10))
            line: Line = [Piece(f" {notes[y]}", note_role(self._note))] if y < len(notes) else []
            return self._palette.strip(line, width)
        y += self.scroll_offset.y
        index = bisect_right(self._tops, y) - 1
        band = self._bands[index]
        if y >= band.y + band.height:
            return Strip.blank(width, self._palette.style("text"))
        if not band.keys:
            return self._header(band.group, width)
        cells = self._card_size.cells
        strips = [self._card_strip(band.group.name, key, y - band.y, cells) for key in band.keys]
        return Strip.join(strips).adjust_cell_length(width, self._palette.style("text"))

    def _header(self, group: CardGroup, width: int) -> Strip:
        name = {"": "no prefix", PINNED: "★ pinned"}.get(group.name) or self._headings[group.name]
        text = f" {'▸' if group.is_folded else '▾'} {name}"
        line = [Piece(text, "title"), Piece(f"  {len(group.keys):,}", "muted")]
        return self._palette.strip(line, width, self._shade(Stop(group.name)))

    def _card_strip(self, group: str, key: str, y: int, cells: int) -> Strip:
        lines = self._drawn.get(key)
        if lines is None:
            lines = self._card_lines(self._card(group, key), cells)
            self._drawn[key] = lines
            while len(self._drawn) > HELD_CARDS:
                self._drawn.popitem(last=False)
        shade = self._shade(Stop(group, key)) if y == 0 else ""
        inside = self._palette.strip(lines[y], cells - GAP_CELLS, shade)
        return Strip.join([inside, Strip.blank(GAP_CELLS, self._palette.style("text"))])

    def _card_lines(self, card: Card, cells: int) -> list[Line]:
        height = self._card_size.lines
        if self._of_runs:
            return run_card_lines(card, cells, height, self._marker, self._x_axis, self._look)
        return card_lines(card, cells, height, self._marker, self._look)

    def _card(self, group: str, key: str) -> Card:
        point, series = self._points[key], self._series.get(key)
        names = self._card_names[group]
        card = Card(key, card_name(group, key), point, series, self._is_growing, names)
        if (shown := self._runs.get(key)) is not None:
            card = replace(
                card, curves=shown.curves, note=shown.note, waiting=shown.waiting, lost=shown.lost
            )
        return card

    def _shade(self, stop: Stop) -> str:
        if stop != self._cursor:
            return ""
        return "cursor" if self.has_focus else "cursor-blurred"

    def notify_style_update(self) -> None:
        self._palette.clear()
        super().notify_style_update()

    def _refresh_stop(self, stop: Stop | None, title_only: bool = False) -> None:
        for band in self._bands_between(
            self.scroll_offset.y, self.scroll_offset.y + self.size.height
        ):
            for column, other in enumerate(_stops_of(band)):
                if other == stop:
                    y = band.y - self.scroll_offset.y
                    cells = self._card_size.cells if band.keys else self.size.width
                    height = 1 if title_only else band.height
                    self.refresh(Region(column * cells, y, cells, height))

    def on_focus(self) -> None:
        self._refresh_stop(self._cursor, title_only=True)

    def on_blur(self) -> None:
        self._refresh_stop(self._cursor, title_only=True)

    # Moving ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # All its keys act on metrics; while a note is shown there are none.
        return bool(self._bands) or not self._note

    def _move_to(self, stop: Stop) -> None:
        if stop == self._cursor:
            return
        old, self._cursor = self._cursor, stop
        self._refresh_stop(old, title_only=True)
        self._show_cursor()
        self._refresh_stop(stop, title_only=True)

    def _show_cursor(self) -> None:
        if self._cursor is None or self._cursor not in self._places:
            return
        index, _ = self._places[self._cursor]
        band = self._bands[index]
        top = round(self.scroll_y)
        # The header of a group scrolls into sight together with its first charts.
        above = index > 0 and not self._bands[index - 1].keys and bool(band.keys)
        start = band.y - 1 if above else band.y
        if start < top:
            top = start
        elif band.y + band.height > top + self.size.height:
            top = min(band.y + band.height - self.size.height, start)
        self.scroll_to(y=max(top, 0), animate=False, force=True, immediate=True)

    def action_move(self, by: int) -> None:
        stops = list(self._places)
        if self._cursor in self._places:
            index = stops.index(self._cursor) + by
            self._move_to(stops[max(0, min(index, len(stops) - 1))])

    def action_move_rows(self, by: int) -> None:
        if self._cursor is not None and self._cursor in self._places:
            index, place = self._places[self._cursor]
            stops = _stops_of(self._bands[max(0, min(index + by, len(self._bands) - 1))])
            self._move_to(stops[min(place, len(stops) - 1)])

    def action_page(self, direction: int) -> None:
        self.action_move_rows(direction * max(self.size.height // self._card_size.lines, 1))

    def action_move_to_end(self, last: bool) -> None:
        stops = list(self._places)
        if stops:
            self._move_to(stops[-1 if last else 0])

    def action_choose(self) -> None:
        if self._cursor is None:
            return
        if self._cursor.key is None:
            self.post_message(self.FoldWanted(self._cursor.group))
        else:
            self.post_message(self.Chosen(self._cursor.key))

    def action_fold(self) -> None:
        if self._cursor is not None:
            self.post_message(self.FoldWanted(self._cursor.group))

    def on_click(self, event: events.Click) -> None:
        y = event.y + self.scroll_offset.y
        for band in self._bands_between(y, y + 1):
            stops = _stops_of(band)
            column = event.x // self._card_size.cells if band.keys else 0
            if band.y <= y < band.y + band.height and column < len(stops):
                self._move_to(stops[column])
                self.action_choose()


def _stops_of(band: Band) -> list[Stop]:
    return [Stop(band.group.name, key) for key in band.keys] or [Stop(band.group.name)]

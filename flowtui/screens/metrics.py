"""Metrics: a grid of small charts, and one of them in full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from flowtui import format as fmt
from flowtui import terminal
from flowtui.screens.base import TabScreen
from flowtui.screens.choose import Choice, ColumnsScreen
from flowtui.screens.metric_names import NameFilter, ordered
from flowtui.screens.metric_reading import Zoom, Zoomed, at_crosshair, jump_target, zoomed
from flowtui.store.database import Cancelled
from flowtui.store.errors import FilterError, ReadCancelled, StoreError
from flowtui.store.store import Store
from flowtui.store.values import Kind, LoggedPoint, Run, Series
from flowtui.widgets.chart import BLOCKS, BRAILLE
from flowtui.widgets.chart_grid import ChartGrid, neighbour_key
from flowtui.widgets.curve import Curve, others
from flowtui.widgets.curve_pane import CurvePane
from flowtui.widgets.filter_line import FilterLine
from flowtui.widgets.grid_layout import Group, grouped
from flowtui.widgets.paint import CURVE_CLASSES

if TYPE_CHECKING:
    from flowtui.screens.export import Export

NONE_LOGGED = "none logged yet: tracker.log_dynamic(key, value, step)"
WEIGHTS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Of the smoothing, from none to nearly a constant."""
IN_GRID = ("filter", "sort", "pin", "fold_all")
IN_ZOOM = ("step_metric", "smooth", "overlay", "jump", "copy", "copy_point", "export")


@dataclass
class LastPointsRead(Message):
    """Sent by the reader with the last point of every metric."""

    points: dict[str, LoggedPoint]


@dataclass
class SeriesRead(Message):
    """Sent by the reader with one metric for its small chart."""

    series: Series


@dataclass
class ZoomRead(Message):
    """Sent by the reader with what a zoom shows."""

    zoomed: Zoomed


@dataclass
class CrossedRead(Message):
    """Sent with the points of the curves at the step of the crosshair."""

    step: int
    points: dict[str, LoggedPoint]


@dataclass
class Jumped(Message):
    """Sent with the point that was asked for, or why there is none."""

    key: str
    target: LoggedPoint | str


@dataclass
class Saved(Message):
    """Sent when an export has ended."""

    title: str
    text: str


@dataclass
class ReadFailed(Message):
    """Sent by the reader when the metrics cannot be read."""

    reason: str


class MetricsScreen(TabScreen):
    """The second tab: each metric's curve, read again as it grows."""

    tab = "metrics"
    reads = frozenset({Kind.METRICS})
    COMPONENT_CLASSES = CURVE_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="metrics.filter",
                tooltip="Filter the metrics by part of a name, or a /regular expression/"),
        Binding("s", "sort", "Sort", id="metrics.sort",
                tooltip="By name, or those that changed last first"),
        Binding("p", "pin", "Pin", id="metrics.pin", tooltip="Keep the metric on top, or let go"),
        Binding("z", "fold_all", "Fold all", show=False, id="metrics.fold_all",
                tooltip="Fold all groups, or unfold them"),
        Binding("left_square_bracket", "step_metric(-1)", "Previous", show=False,
                id="metrics.previous", tooltip="The metric before in the grid"),
        Binding("right_square_bracket", "step_metric(1)", "Next", key_display="[ ]",
                id="metrics.next", tooltip="The next metric in the grid"),
        Binding("w", "smooth(1)", "Smooth", id="metrics.smooth",
                tooltip="Smooth more: a moving average over the raw points"),
        Binding("W", "smooth(-1)", "Smooth less", show=False, id="metrics.smooth_less",
                tooltip="Smooth less, down to the raw points alone"),
        Binding("v", "overlay", "Overlay", id="metrics.overlay",
                tooltip="Draw other metrics over the same axes"),
        Binding("colon", "jump", "Go to", key_display=":", id="metrics.jump",
                tooltip="To a step, or max, min, first, last, nan, inf"),
        Binding("x", "export", "Export", show=False, id="metrics.export",
                tooltip="Save the points as CSV or JSON, the chart as SVG or text"),
        Binding("y", "copy", "Copy", show=False, id="metrics.copy",
                tooltip="Copy the value in full"),
        Binding("Y", "copy_point", "Copy as JSON", show=False, id="metrics.copy_point",
                tooltip="Copy the point as JSON"),
        Binding("b", "toggle_marker", "Blocks", show=False, id="metrics.blocks",
                tooltip="Draw with blocks where the font has no braille, or with braille again"),
    ]  # fmt: skip

    def __init__(self, store: Store, run: Run) -> None:
        super().__init__(store, run)
        self._points: dict[str, LoggedPoint] = {}
        self._filter = NameFilter()
        self._by_change = False
        self._order: list[str] = []
        """All names in the order of the grid."""
        self._was_read = False
        self._pinned: set[str] = set()
        self._folded: set[str] = set()
        self._in_sight: tuple[str, ...] = ()
        self._zoom: Zoom | None = None
        self._zoomed: Zoomed | None = None
        self._weight = 0.0
        """Of the smoothing that was last in use."""
        self._marker = BRAILLE

    def compose_tab(self) -> Iterable[Widget]:
        yield ChartGrid(id="grid")
        yield CurvePane(id="curve")
        yield FilterLine("part of a name, or a /regular expression/", id="names")
        yield FilterLine("a step, or max, min, first, last, nan, inf", id="jump", label=":")

    def on_mount(self) -> None:
        if self.is_composed:
            self._pane.display = False
            self.set_focus(self._grid)
            if not terminal.has_braille(self.flow.session):
                self.action_toggle_marker()

    @property
    def _grid(self) -> ChartGrid:
        return self.query_one(ChartGrid)

    @property
    def _pane(self) -> CurvePane:
        return self.query_one(CurvePane)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind], cancelled: Cancelled) -> None:
        try:
            points = self.store.last_points(self.run.id)
            self.post_message(LastPointsRead(points))
            if self._zoom is None:
                self._read_in_sight(points, cancelled)
            else:
                self._read_zoom(self._zoom, cancelled)
        except ReadCancelled:
            return
        except StoreError as error:
            self.post_message(ReadFailed(str(error)))

    def _read_in_sight(self, points: dict[str, LoggedPoint], cancelled: Cancelled) -> None:
        grid, columns = self._grid, self._grid.columns
        for key in self._in_sight:
            # One may have scrolled on, or chosen one of them, meanwhile.
            if key not in points or key not in self._in_sight or self._zoom is not None:
                continue
            known = grid.series(key)
            if known is not None and known.max_columns == columns:
                series = self.store.extended_series(self.run.id, known, cancelled)
            else:
                series = self.store.series(self.run.id, key, None, columns, cancelled)
            if series is not None:
                self.post_message(SeriesRead(series))

    def _read_zoom(self, zoom: Zoom, cancelled: Cancelled) -> None:
        columns, known = self._pane.columns, self._zoomed
        if not columns:
            return
        found = zoomed(self.store, self.run.id, zoom, columns, known, cancelled)
        if found is not None:
            self.post_message(ZoomRead(found))

    def show_reading(self) -> None:
        if not self._was_read and self.is_composed:
            self._grid.show_metrics((), {}, "reading…")

    # Showing ---------------------------------------------------------------------------------

    @on(LastPointsRead)
    def show_points(self, message: LastPointsRead) -> None:
        self._was_read = True
        is_same = self._points.keys() == message.points.keys()
        self._points = message.points
        if not is_same:
            self._order = ordered(self._points, self._by_change)
        self._fill()

    def _fill(self) -> None:
        note = f"none of {len(self._points):,} match" if self._points else NONE_LOGGED
        self._grid.show_metrics(self._groups(), self._points, note)

    def _groups(self) -> list[Group]:
        return grouped(self._names(), self._pinned, self._folded)

    def _names(self) -> list[str]:
        return [key for key in self._order if self._filter.fits(key)]

    @on(SeriesRead)
    def show_series(self, message: SeriesRead) -> None:
        self._grid.show_series(message.series)

    @on(ZoomRead)
    def show_zoom(self, message: ZoomRead) -> None:
        found = message.zoomed
        if found.zoom != self._zoom or found == self._zoomed:
            return
        self._zoomed = found
        self._pane.show_curve(
            Curve(
                found.series,
                smoothed=found.smoothed,
                others=others(found.others),
                new_count=found.new_count,
                follows=found.zoom.follows,
            )
        )

    @on(ReadFailed)
    def show_failure(self, message: ReadFailed) -> None:
        self._was_read = True
        text = f"✗ {fmt.plain(message.reason)}. r tries again."
        if self._zoom is None:
            self._grid.show_metrics((), {}, text)
        else:
            self._zoomed = None
            self._pane.show_note(text)

    # The grid --------------------------------------------------------------------------------

    @on(ChartGrid.CardsNeeded)
    def read_cards(self, event: ChartGrid.CardsNeeded) -> None:
        self._in_sight = event.keys
        self.want({Kind.METRICS})

    @on(ChartGrid.FoldWanted)
    def fold_group(self, event: ChartGrid.FoldWanted) -> None:
        self._folded ^= {event.group}
        self._fill()

    def action_fold_all(self) -> None:
        names = {group.name for group in self._groups()}
        self._folded = set() if names <= self._folded else names
        self._fill()

    def action_pin(self) -> None:
        if (key := self._grid.key) is not None:
            self._pinned ^= {key}
            self._fill()

    def action_sort(self) -> None:
        self._by_change = not self._by_change
        self._order = ordered(self._points, self._by_change)
        self._fill()
        if groups := self._groups():
            self._grid.put_cursor(groups[0].keys[0])
        how = "those that changed last first" if self._by_change else "by name"
        self.notify(f"Metrics {how}", timeout=2)

    async def action_filter(self) -> None:
        await self.query_one("#names", FilterLine).open(self._filter.text)

    @on(FilterLine.Changed, "#names")
    def filter_names(self, event: FilterLine.Changed) -> None:
        line = self.query_one("#names", FilterLine)
        try:
            self._filter = NameFilter(event.text)
        except FilterError as error:
            line.point_at(error.position, fmt.plain(str(error)))
            return
        line.point_at(None)
        self._fill()
        line.note(f"{len(self._names()):,} of {len(self._points):,}" if event.text else "")

    @on(FilterLine.Left)
    def leave_line(self) -> None:
        (self._grid if self._zoom is None else self._pane).focus()

    def action_toggle_marker(self) -> None:
        self._marker = BLOCKS if self._marker == BRAILLE else BRAILLE
        self._grid.use_marker(self._marker)
        self._pane.use_marker(self._marker)

    # One metric ------------------------------------------------------------------------------

    @on(ChartGrid.Chosen)
    def zoom_in(self, event: ChartGrid.Chosen) -> None:
        self._grid.display = False
        self._pane.display = True
        self.set_focus(self._pane)
        self._pane.show_note("reading…")
        self._show_metric(event.key)

    def _show_metric(self, key: str) -> None:
        held = self._zoom or Zoom(key, weight=self._weight)
        self._want_zoom(
            replace(held, key=key, window=None, follows=False, others=_without(held.others, key))
        )

    def _want_zoom(self, zoom: Zoom) -> None:
        self._zoom = zoom
        self.want({Kind.METRICS})
        self.refresh_bindings()

    @on(CurvePane.Left)
    def zoom_out(self) -> None:
        if self._zoom is None:
            return
        key = self._zoom.key
        self._zoom = self._zoomed = None
        self._pane.display = False
        self._grid.display = True
        self.set_focus(self._grid)
        self._grid.put_cursor(key)
        self.want({Kind.METRICS})
        self.refresh_bindings()

    def action_step_metric(self, by: int) -> None:
        if self._zoom is not None:
            self._show_metric(neighbour_key(self._groups(), self._zoom.key, by))

    @on(CurvePane.WindowWanted)
    def read_window(self, event: CurvePane.WindowWanted) -> None:
        if self._zoom is not None and self._zoomed is not None:
            seen = self._zoomed.series.last.step
            self._want_zoom(
                replace(self._zoom, window=event.window, follows=event.follows, seen_step=seen)
            )

    @on(CurvePane.Resized)
    def read_resized(self) -> None:
        if self._zoom is not None:
            self.want({Kind.METRICS})

    def action_smooth(self, by: int) -> None:
        if self._zoom is not None:
            index = WEIGHTS.index(self._weight) + by
            self._weight = WEIGHTS[max(0, min(index, len(WEIGHTS) - 1))]
            self._want_zoom(replace(self._zoom, weight=self._weight))

    @work
    async def action_overlay(self) -> None:
        if self._zoom is None:
            return
        choices = [Choice(key, key) for key in self._order if key != self._zoom.key]
        chosen = await self.app.push_screen_wait(
            ColumnsScreen("Overlay", choices, list(self._zoom.others))
        )
        if chosen is not None and self._zoom is not None:
            self._want_zoom(replace(self._zoom, others=tuple(chosen)))

    @on(CurvePane.Crossed)
    def read_crossed(self, event: CurvePane.Crossed) -> None:
        if self._zoomed is not None:
            keys = (self._zoomed.series.key, *(one.key for one in self._zoomed.others))
            self._read_crossed(keys, event.step)

    @work(thread=True, group="crosshair", exclusive=True, exit_on_error=False)
    def _read_crossed(self, keys: tuple[str, ...], step: int) -> None:
        worker = get_current_worker()
        try:
            points = at_crosshair(self.store, self.run.id, keys, step)
        except StoreError as error:
            self.post_message(ReadFailed(str(error)))
            return
        if not worker.is_cancelled:
            self.post_message(CrossedRead(step, points))

    @on(CrossedRead)
    def show_crossed(self, message: CrossedRead) -> None:
        self._pane.show_crossed(message.step, message.points)

    # Going to a step -------------------------------------------------------------------------

    async def action_jump(self) -> None:
        await self.query_one("#jump", FilterLine).open("")

    @on(FilterLine.Entered, "#jump")
    def go_to(self, event: FilterLine.Entered) -> None:
        self.query_one("#jump", FilterLine).action_clear()
        shown, crosshair = self._zoomed, self._pane.crosshair
        if shown is not None and event.text.strip():
            step = shown.series.start if crosshair is None else crosshair.step
            self._find(shown.series, event.text.strip().lower(), step)

    @work(thread=True, group="jump", exclusive=True, exit_on_error=False)
    def _find(self, series: Series, word: str, step: int) -> None:
        worker = get_current_worker()
        try:
            target = jump_target(
                self.store, self.run.id, series, word, step, lambda: worker.is_cancelled
            )
        except ReadCancelled:
            return
        except StoreError as error:
            target = str(error)
        self.post_message(Jumped(series.key, target))

    @on(Jumped)
    def show_jump(self, message: Jumped) -> None:
        if isinstance(message.target, str):
            self.notify(fmt.plain(message.target), severity="warning", timeout=4, markup=False)
        elif self._zoom is not None and self._zoom.key == message.key:
            self._pane.cross(message.target)

    # Copying ---------------------------------------------------------------------------------

    def action_copy(self) -> None:
        if (point := self._pane.crosshair) is not None:
            self.flow.copy(fmt.exact(point.value))

    def action_copy_point(self) -> None:
        point, shown = self._pane.crosshair, self._zoomed
        if point is not None and shown is not None:
            from flowtui.series_report import json_point

            self.flow.copy(json_point(point, shown.series.key))

    @work
    async def action_export(self) -> None:
        from flowtui.saving import file_stem
        from flowtui.screens.export import ExportScreen
        from flowtui.screens.metric_export import FORMATS

        shown, curve = self._zoomed, self._pane.curve
        if shown is None or curve is None:
            return
        stem = file_stem(self.run.name or self.run.id, shown.series.key)
        chosen = await self.app.push_screen_wait(ExportScreen(Path.cwd(), stem, FORMATS))
        if chosen is not None:
            self._save(shown, curve, chosen)

    @work(thread=True, group="export", exit_on_error=False)
    def _save(self, shown: Zoomed, curve: Curve, chosen: Export) -> None:
        from flowtui.saving import SaveFailed
        from flowtui.screens.metric_export import save

        worker = get_current_worker()
        try:
            done = save(self.store, self.run, shown, curve, chosen, lambda: worker.is_cancelled)
        except ReadCancelled:
            return
        except (SaveFailed, StoreError) as error:
            self.post_message(Saved("Not saved", fmt.plain(str(error), 300)))
            return
        self.post_message(Saved("Saved", done))

    @on(Saved)
    def show_saved(self, message: Saved) -> None:
        is_bad = message.title != "Saved"
        self.notify(
            message.text,
            title=message.title,
            severity="error" if is_bad else "information",
            markup=False,
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in IN_GRID or action in IN_ZOOM:
            return (action in IN_ZOOM) == (self._zoom is not None)
        return super().check_action(action, parameters)


def _without(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(other for other in keys if other != key)

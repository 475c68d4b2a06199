"""Metrics: the list of them, and the curve of the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.base import TabScreen
from flowtui.store.database import Cancelled
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.metrics import telling_first
from flowtui.store.store import Store
from flowtui.store.values import Kind, Point, Run, Series
from flowtui.widgets.curve_pane import CurvePane, StepWindow
from flowtui.widgets.filter_line import FilterLine
from flowtui.widgets.lines import Lines
from flowtui.widgets.metric_list import MetricLine, MetricList

NARROW_BELOW = 100
NONE_LOGGED = "none logged yet: tracker.log_dynamic(key, value, step)"


@dataclass
class LastPointsRead(Message):
    """Sent by the reader with the last point of every metric."""

    points: dict[str, Point]


@dataclass
class SeriesRead(Message):
    """Sent by the reader with the series of one metric, None if it has no points any more."""

    key: str
    window: StepWindow
    series: Series | None


@dataclass
class ReadFailed(Message):
    """Sent by the reader when the metrics cannot be read."""

    reason: str


class MetricsScreen(TabScreen):
    """The second tab: each metric's curve, read again as it grows."""

    tab = "metrics"
    reads = frozenset({Kind.METRICS})
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it as an instance's
        (0, "-narrow"),
        (NARROW_BELOW, "-normal"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="metrics.filter",
                tooltip="Filter the metrics by name"),
        Binding("tab", "switch_pane", "Pane", id="metrics.pane", key_display="Tab",
                tooltip="Between the list and the curve"),
        Binding("left_square_bracket", "step_metric(-1)", "Previous", show=False,
                id="metrics.previous", tooltip="The metric before in the list"),
        Binding("right_square_bracket", "step_metric(1)", "Next", show=False,
                id="metrics.next", tooltip="The next metric in the list"),
        Binding("y", "copy", "Copy", id="metrics.copy", tooltip="Copy the value in full"),
    ]  # fmt: skip

    def __init__(self, store: Store, run: Run) -> None:
        super().__init__(store, run)
        self._points: dict[str, Point] = {}
        self._key: str | None = None
        self._window: StepWindow = None
        self._series: Series | None = None
        self._needle = ""

    def compose_tab(self) -> Iterable[Widget]:
        with Container(id="metric-panes"):
            yield MetricList(is_brief=True, id="names")
            yield CurvePane(id="curve")
        yield FilterLine("part of a name")

    def on_mount(self) -> None:
        if self.is_composed:
            self.set_focus(self._list)

    @property
    def _list(self) -> MetricList:
        return self.query_one(MetricList)

    @property
    def _pane(self) -> CurvePane:
        return self.query_one(CurvePane)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind], cancelled: Cancelled) -> None:
        key, window, known = self._key, self._window, self._series
        columns = self._pane.columns
        try:
            points = self.store.last_points(self.run.id)
            self.post_message(LastPointsRead(points))
            if key is None or key not in points:
                return
            is_same = known is not None and known.key == key and known.max_columns == columns
            if is_same and known is not None and window == _window_of(known):
                series = self.store.extended_series(self.run.id, known, cancelled)
            else:
                series = self.store.series(self.run.id, key, window, columns, cancelled)
        except ReadCancelled:
            return
        except StoreError as error:
            self.post_message(ReadFailed(str(error)))
            return
        self.post_message(SeriesRead(key, window, series))

    def show_reading(self) -> None:
        if not self._points and self.is_composed:
            self._pane.show_note("reading…")

    # Showing ---------------------------------------------------------------------------------

    @on(LastPointsRead)
    def show_points(self, message: LastPointsRead) -> None:
        self._points = message.points
        self._fill()
        if not message.points:
            self._pane.show_note("")
        elif self._key not in message.points:
            self._choose_under_cursor()

    @on(SeriesRead)
    def show_series(self, message: SeriesRead) -> None:
        is_wanted = message.key == self._key and message.window == self._window
        if not is_wanted or message.series is None:
            return
        if message.series != self._series:
            self._series = message.series
            self._pane.show_series(message.series)

    @on(ReadFailed)
    def show_failure(self, message: ReadFailed) -> None:
        self._pane.show_note(f"✗ {fmt.plain(message.reason)}. r tries again.")

    def _fill(self) -> None:
        keys = telling_first(self._points)
        lines = [MetricLine(key, self._points[key]) for key in keys if self._needle in key.lower()]
        empty = f"none of {len(keys):,} match" if keys else NONE_LOGGED
        self._list.show_metrics(lines, empty)

    # Actions ---------------------------------------------------------------------------------

    @on(Lines.CursorMoved, "#names")
    def choose_metric(self) -> None:
        self._choose_under_cursor()

    def _choose_under_cursor(self) -> None:
        metric = self._list.metric
        if metric is not None and metric.key != self._key:
            self._key, self._window, self._series = metric.key, None, None
            self.want({Kind.METRICS})

    @on(CurvePane.WindowWanted)
    def read_window(self, event: CurvePane.WindowWanted) -> None:
        self._window = event.window
        self.want({Kind.METRICS})

    def on_resize(self) -> None:
        if self.is_composed:
            self.want({Kind.METRICS})

    @on(Lines.Chosen, "#names")
    def enter_curve(self) -> None:
        self._pane.focus()

    def action_switch_pane(self) -> None:
        (self._list if self._pane.has_focus else self._pane).focus()

    def action_leave(self) -> None:
        if self._pane.has_focus:
            self._list.focus()
        else:
            super().action_leave()

    def action_step_metric(self, by: int) -> None:
        self._list.cursor += by

    def action_copy(self) -> None:
        point = self._pane.crosshair
        if point is not None:
            self.flow.copy(fmt.exact(point.value))

    async def action_filter(self) -> None:
        await self.query_one(FilterLine).open(self._needle)

    @on(FilterLine.Changed)
    def filter_names(self, event: FilterLine.Changed) -> None:
        self._needle = event.text.lower()
        self._fill()
        self._choose_under_cursor()

    @on(FilterLine.Left)
    def leave_filter(self) -> None:
        self._list.focus()


def _window_of(series: Series) -> StepWindow:
    return None if series.is_whole else (series.start, series.end)

"""Metrics: a grid of small charts, and one metric in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from textual.widget import Widget

from flowtui.screens.base import TabScreen
from flowtui.screens.may_write import none_logged
from flowtui.screens.metrics.charts import GRID_ACTIONS, ChartsScreen
from flowtui.screens.metrics.zoom import MetricZoom
from flowtui.store.metrics.source import MetricSource
from flowtui.store.values import Kind, LoggedPoint
from flowtui.widgets.charts.grid import ChartGrid
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import Frame
from flowtui.widgets.paint import CURVE_CLASSES

HOW = " tracker.log_dynamic(key, value, step) logs a point."


class MetricsScreen(ChartsScreen, TabScreen):
    """The second tab: the curve of each metric, which is read again as it grows."""

    CSS_PATH = "screen.tcss"
    tab = "metrics"
    reads = frozenset({Kind.METRICS})
    needs_records = frozenset(GRID_ACTIONS)
    COMPONENT_CLASSES = CURVE_CLASSES

    def compose_tab(self) -> Iterable[Widget]:
        yield ChartGrid(id="grid")
        yield MetricZoom(self.store, self.run, id="zoom")
        yield FilterLine("part of a name, or a /regular expression/", id="names")

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        points = self.run.metrics.last_points()
        yield partial(self._show_metrics, points)
        yield from self.read_charts(points, self._read_chart)

    def _read_chart(self, key: str, columns: int) -> Callable[[], object] | None:
        known = self.grid.series(key)
        series = MetricSource(self.run, key).series(None, columns, known)
        return None if series is None else partial(self.grid.show_series, series)

    def show_failure(self, reason: str) -> None:
        self.take_whether_any(self.zoom.is_open)
        super().show_failure(reason)

    def _show_metrics(self, points: dict[str, LoggedPoint | None]) -> None:
        self.take_whether_any(bool(points))
        self.none_logged = none_logged(
            self.store, self.flow.options, "No metrics were logged.", HOW
        )
        self.show_points(points)

    def show_frame(self, frame: Frame) -> None:
        super().show_frame(frame)
        if self.grid.use_growth(frame.run.is_active):
            # What is in full is drawn as it was read: growing, or not any more.
            self.want({Kind.METRICS})

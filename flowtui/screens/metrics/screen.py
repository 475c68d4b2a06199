"""Metrics: a grid of small charts, and one metric in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.base import TabScreen
from flowtui.screens.metrics.names import NameFilter, ordered
from flowtui.screens.metrics.zoom import MetricZoom
from flowtui.store.errors import FilterError
from flowtui.store.metrics import series as metric_series
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import Kind, LoggedPoint
from flowtui.terminal import session
from flowtui.widgets.charts.chart import BLOCKS, BRAILLE
from flowtui.widgets.charts.grid import ChartGrid, neighbour_key
from flowtui.widgets.charts.grid_layout import CardGroup, grouped
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.paint import CURVE_CLASSES

NONE_LOGGED = "No metrics were logged. tracker.log_dynamic(key, value, step) logs a point."
GRID_ACTIONS = ("filter", "sort", "pin", "fold_all")


class MetricsScreen(TabScreen):
    """The second tab: the curve of each metric, which is read again as it grows."""

    CSS_PATH = "screen.tcss"
    tab = "metrics"
    reads = frozenset({Kind.METRICS})
    needs_records = frozenset(GRID_ACTIONS)
    COMPONENT_CLASSES = CURVE_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="metrics.filter",
                tooltip="Filter the metrics by part of a name, or a /regular expression/"),
        Binding("s", "sort", "Sort", id="metrics.sort",
                tooltip="Sort by name, or by last change"),
        Binding("p", "pin", "Pin", id="metrics.pin",
                tooltip="Keep the metric at the top, or release it"),
        Binding("z", "fold_all", "Fold all", show=False, id="metrics.fold_all",
                tooltip="Fold all groups, or unfold them"),
        Binding("b", "toggle_marker", "Blocks", show=False, id="metrics.blocks",
                tooltip="Draw with blocks if the font has no braille, or with braille again"),
    ]  # fmt: skip

    def __init__(self, store: Store, run: OpenRun) -> None:
        super().__init__(store, run)
        self._points: dict[str, LoggedPoint | None] = {}
        self._filter = NameFilter()
        self._by_change = False
        self._order: list[str] = []
        """All names in the order of the grid."""
        self._fitting: list[str] = []
        """Those of them that the filter lets through."""
        self._why_none = ""
        self._was_read = False
        self._pinned: set[str] = set()
        self._folded: set[str] = set()
        self._in_sight: tuple[str, ...] = ()
        self._marker = BRAILLE

    def compose_tab(self) -> Iterable[Widget]:
        yield ChartGrid(id="grid")
        yield MetricZoom(self.store, self.run, id="zoom")
        yield FilterLine("part of a name, or a /regular expression/", id="names")

    def on_mount(self) -> None:
        if self.is_composed:
            self._zoom.display = False
            self.set_focus(self._grid)
            if not session.has_braille(self.flow.session):
                self.action_toggle_marker()

    @property
    def _grid(self) -> ChartGrid:
        return self.query_one(ChartGrid)

    @property
    def _zoom(self) -> MetricZoom:
        return self.query_one(MetricZoom)

    # Reading ---------------------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        points = self.run.metrics.last_points()
        yield partial(self._show_points, points)
        yield from self._zoom.read(points) if self._zoom.is_open else self._read_in_sight(points)

    def _read_in_sight(
        self, points: dict[str, LoggedPoint | None]
    ) -> Iterator[Callable[[], object]]:
        grid, columns = self._grid, self._grid.columns
        for key in self._in_sight:
            # The person may have scrolled on, or zoomed into one of them, meanwhile.
            if key not in points or key not in self._in_sight or self._zoom.is_open:
                continue
            known = grid.series(key)
            if known is not None and known.max_columns == columns:
                series = self.run.metrics.ask(known.key, metric_series.extended, known)
            else:
                series = self.run.metrics.ask(key, metric_series.series, key, None, columns)
            if series is not None:
                yield partial(grid.show_series, series)

    @property
    def has_content(self) -> bool:
        return self._was_read

    def show_reading(self) -> None:
        if not self._was_read and self.is_composed:
            self._grid.show_metrics((), {}, "reading…")

    # Showing ---------------------------------------------------------------------------------

    def _show_points(self, points: dict[str, LoggedPoint | None]) -> None:
        self._was_read = True
        self.take_whether_any(bool(points))
        is_same = self._points.keys() == points.keys()
        self._points = points
        if not is_same:
            self._put_in_order()
        self._fill()

    def _put_in_order(self) -> None:
        self._order = ordered(self._points, self._by_change)
        self._why_none = ""
        try:
            self._fitting = self._filter.of(self._order)
        except FilterError as error:
            self._fitting, self._why_none = [], f"✗ {fmt.plain(str(error))}"

    def _fill(self) -> None:
        note = f"none of {len(self._points):,} match" if self._points else NONE_LOGGED
        note = self._why_none or note
        self._grid.show_metrics(self._groups(), self._points, note)

    def _groups(self) -> list[CardGroup]:
        return grouped(self._fitting, self._pinned, self._folded)

    def show_failure(self, reason: str) -> None:
        self._was_read = True
        text = f"✗ {fmt.plain(reason)}. r tries again."
        if self._zoom.is_open:
            self._zoom.show_failure(text)
        else:
            self._grid.show_metrics((), {}, text)

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
        self._put_in_order()
        self._fill()
        if groups := self._groups():
            self._grid.put_cursor(groups[0].keys[0])
        how = "last change, newest first" if self._by_change else "name"
        self.notify(f"Metrics are sorted by {how}.", timeout=2)

    async def action_filter(self) -> None:
        await self.query_one("#names", FilterLine).open(self._filter.text)

    @on(FilterLine.Changed, "#names")
    def filter_names(self, event: FilterLine.Changed) -> None:
        if not event.line.is_taken(self._take_filter):
            return
        self._fill()
        event.line.note(f"{len(self._fitting):,} of {len(self._points):,}" if event.text else "")

    def _take_filter(self, text: str) -> None:
        wanted = NameFilter(text)
        self._fitting = wanted.of(self._order)
        self._filter, self._why_none = wanted, ""

    @on(FilterLine.Left)
    def leave_line(self) -> None:
        self._grid.focus()

    def action_toggle_marker(self) -> None:
        self._marker = BLOCKS if self._marker == BRAILLE else BRAILLE
        self._grid.use_marker(self._marker)
        self._zoom.use_marker(self._marker)

    # One metric ------------------------------------------------------------------------------

    @on(ChartGrid.Chosen)
    def zoom_in(self, event: ChartGrid.Chosen) -> None:
        self._grid.display = False
        self._zoom.display = True
        self._zoom.open(event.key, self._order)

    @on(MetricZoom.StepWanted)
    def step_metric(self, event: MetricZoom.StepWanted) -> None:
        self._zoom.open(neighbour_key(self._groups(), event.key, event.by), self._order)

    @on(MetricZoom.ReadWanted)
    def read_zoom(self) -> None:
        self.want({Kind.METRICS})

    @on(MetricZoom.Left)
    def zoom_out(self, event: MetricZoom.Left) -> None:
        self._zoom.display = False
        self._grid.display = True
        self.set_focus(self._grid)
        self._grid.put_cursor(event.key)
        self.want({Kind.METRICS})

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Before the screen is composed there is no zoom.
        zooms = self.query(MetricZoom)
        if action in GRID_ACTIONS and zooms and zooms.first().is_open:
            return False
        return super().check_action(action, parameters)
